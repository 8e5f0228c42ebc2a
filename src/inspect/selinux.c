/* SPDX-License-Identifier: MIT */
/*
 * Labels, by libselinux from the target's own file_contexts. The file is handed
 * over in memory: by its path libselinux would also read file_contexts.bin beside
 * it, compiled regular expressions that nobody should take from a strange disk.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"

#include <selinux/label.h>
#include <selinux/selinux.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { CONTEXTS_MAX = 16 * 1024 * 1024 };

struct labels {
    struct selabel_handle *handle;
};

static int silence(int type, const char *fmt, ...)
{
    (void)type;
    (void)fmt;
    return 0;
}

/* "SELINUXTYPE=targeted" of /etc/selinux/config; NULL where SELinux is off or absent. */
static char *policy_name(const struct root *root)
{
    auto_free char *text = read_text(root, "/etc/selinux/config", TEXT_FILE_MAX);
    auto_free char *name = NULL;
    char *rest = text, *line;

    while (rest && (line = strsep(&rest, "\n"))) {
        line = text_trim(line);
        if (strcmp(line, "SELINUX=disabled") == 0)
            return NULL;
        if (text_starts(line, "SELINUXTYPE=") && !name)
            name = xstrdup(text_trim(line + strlen("SELINUXTYPE=")));
    }
    return name && !strchr(name, '/') && *name != '.' ? take_ptr(name) : NULL;
}

/* The contexts, then the homes', then the local ones: the last match wins. */
static int gather(const struct root *root, const char *policy, int fd)
{
    static const char *const suffixes[] = { "", ".homedirs", ".local" };
    int found = -1;

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        auto_free char *path =
            xasprintf("/etc/selinux/%s/contexts/files/file_contexts%s", policy, suffixes[i]);
        auto_blob struct blob bytes = { 0 };

        if (root_read(root, path, CONTEXTS_MAX, &bytes, NULL) < 0)
            continue;
        found = 0;
        if (io_write_all(fd, bytes.data, bytes.len) < 0 || io_write_all(fd, "\n", 1) < 0)
            return -1;
    }
    return found;
}

struct labels *labels_open(const struct root *root)
{
    auto_free char *policy = policy_name(root);
    auto_fd int fd = policy ? memfd_create("file_contexts", MFD_CLOEXEC) : -1;
    char path[64];
    struct selinux_opt options[] = { { SELABEL_OPT_PATH, path } };
    union selinux_callback callback = { .func_log = silence };
    struct selabel_handle *handle;
    struct labels *labels;

    if (fd < 0 || gather(root, policy, fd) < 0)
        return NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    selinux_set_callback(SELINUX_CB_LOG, callback);
    handle = selabel_open(SELABEL_CTX_FILE, options, ARRAY_SIZE(options));
    if (!handle)
        return NULL;
    labels = xcalloc(1, sizeof *labels);
    labels->handle = handle;
    return labels;
}

char *labels_lookup(const struct labels *labels, const char *path, mode_t type)
{
    char *context = NULL, *copy;

    if (!labels || selabel_lookup_raw(labels->handle, &context, path, (int)type) < 0)
        return NULL;
    copy = strcmp(context, "<<none>>") == 0 ? NULL : xstrdup(context);
    freecon(context);
    return copy;
}

void labels_close(struct labels **labels)
{
    if (!*labels)
        return;
    selabel_close((*labels)->handle);
    free(*labels);
    *labels = NULL;
}
