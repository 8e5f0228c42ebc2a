/* SPDX-License-Identifier: MIT */
/*
 * systemd's journal. Its files are copied into memory, since the rooms right of root/ have no
 * descriptors of the target's; libsystemd reads them there, in a child that is shut in. It
 * refuses files without a name, as memfd_create(2) makes them (seen with 252): so they
 * are in a tmpfs of our own, which is in no mount table and goes with its descriptors.
 */
#include "base/confine.h"
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

/*
 * All files together. One alone may be as large (journald.conf(5), SystemMaxFileSize=), and a
 * part of one cannot be read.
 */
enum { SIZE_MAX_ALL = 128 * 1024 * 1024, PART = 1024 * 1024, BLOCK = 64 * 1024, SAID_MAX = PART };

struct journal_file {
    char *path;
    struct root_stat stat;
};

struct journal_files {
    struct journal_file *items;
    size_t count;
};

static void files_free(struct journal_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->items[i].path);
    free(files->items);
}

static int newest_first(const void *a, const void *b)
{
    const struct timespec *one = &((const struct journal_file *)a)->stat.mtime;
    const struct timespec *two = &((const struct journal_file *)b)->stat.mtime;

    if (one->tv_sec != two->tv_sec)
        return one->tv_sec < two->tv_sec ? 1 : -1;
    return (one->tv_nsec < two->tv_nsec) - (one->tv_nsec > two->tv_nsec);
}

/* Those of the system: what users' own processes say is nothing about sshd. */
static struct journal_files find_files(const struct root *root)
{
    static const char *const patterns[] = { JOURNAL_DIR "/*/system*.journal",
                                            JOURNAL_DIR "/*/system*.journal~" };
    struct journal_files files = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        auto_with(text_list_free) char **found = NULL;

        if (root_glob(root, patterns[i], &found, NULL) < 0)
            continue;
        for (char **path = found; *path; path++) {
            struct journal_file file = { 0 };

            if (root_find(root, *path, NULL, &file.stat, NULL) < 0 || !S_ISREG(file.stat.mode))
                continue;
            file.path = xstrdup(*path);
            array_push(files.items, files.count, file);
        }
    }
    if (files.count)
        qsort(files.items, files.count, sizeof *files.items, newest_first);
    return files;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
    return !*bytes && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Holes, and what journald has reserved, take no memory. */
static int copy_part(int memory, const struct blob *part, uint64_t offset)
{
    for (size_t at = 0; at < part->len; at += BLOCK) {
        size_t len = part->len - at < BLOCK ? part->len - at : BLOCK;

        if (is_zero(part->data + at, len))
            continue;
        if (lseek(memory, (off_t)(offset + at), SEEK_SET) < 0 ||
            io_write_all(memory, part->data + at, len) < 0)
            return -1;
    }
    return 0;
}

static int open_memory(void)
{
    auto_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
    auto_free char *size = xasprintf("%d", SIZE_MAX_ALL + PART);

    if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* A descriptor of a copy in memory, or -1. */
static int copy_file(const struct root *root, const struct journal_file *file, int directory,
                     size_t number)
{
    auto_free char *name = xasprintf("%zu", number);
    auto_fd int memory = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (memory < 0 || ftruncate(memory, (off_t)file->stat.size) < 0)
        return -1;
    for (uint64_t at = 0; at < file->stat.size; at += PART) {
        uint64_t left = file->stat.size - at;
        auto_blob struct blob part = { 0 };

        if (root_read_part(root, file->path, at, left < PART ? (size_t)left : PART, &part, NULL) <
                0 ||
            copy_part(memory, &part, at) < 0)
            return -1;
    }
    return take_fd(&memory);
}

/* The newest that there is room for. */
static size_t copy_files(const struct root *root, const struct journal_files *files, int *ret)
{
    auto_fd int directory = open_memory();
    uint64_t room = SIZE_MAX_ALL;
    size_t count = 0;

    for (size_t i = 0; directory >= 0 && i < files->count && count < JOURNAL_FILES_MAX; i++) {
        const struct journal_file *file = &files->items[i];

        if (!file->stat.size || file->stat.size > room)
            continue;
        ret[count] = copy_file(root, file, directory, i);
        if (ret[count] < 0)
            continue;
        room -= file->stat.size;
        count++;
    }
    return count;
}

/* What rsyslog was given by the journal stands in its logs already. */
static bool is_known(const struct logs *logs, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (text_ends(logs->lines[i].text, text))
            return true;
    return false;
}

static void keep_said(char *said, struct logs *logs)
{
    size_t texts = logs->count;
    char *rest = said, *line;

    while ((line = strsep(&rest, "\n"))) {
        struct log_line kept = { .time = strtoll(line, &line, 10) };
        time_t seconds = kept.time / 1000000;
        char date[sizeof "9999-12-31T23:59:59Z"];
        struct tm tm;

        if (*line++ != ' ' || is_known(logs, texts, line) || !gmtime_r(&seconds, &tm) ||
            !strftime(date, sizeof date, "%FT%TZ", &tm))
            continue;
        kept.source = xstrdup(JOURNAL_DIR);
        kept.text = xasprintf("%s %.*s", date, JOURNAL_TEXT_MAX, line);
        array_push(logs->lines, logs->count, kept);
    }
}

static int read_files(const struct root *root, const struct journal_files *files,
                      confined_work *work, struct blob *ret)
{
    int memory[JOURNAL_FILES_MAX], result = -1;
    size_t count = copy_files(root, files, memory);

    journal_prepare();
    if (count)
        result = confine(work, memory, count, SAID_MAX, ret);
    for (size_t i = 0; i < count; i++)
        close(memory[i]);
    return result;
}

void journal_inspect(const struct root *root, struct logs *logs)
{
    auto_with(files_free) struct journal_files files = find_files(root);
    auto_blob struct blob said = { 0 };

    if (!files.count)
        return;
    if (!journal_readable)
        logs->journal_unread = "this program was built without libsystemd";
    else if (read_files(root, &files, journal_read, &said) < 0)
        logs->journal_unread = "it could not be read";
    else
        keep_said((char *)said.data, logs);
}

char *journal_keys(const struct root *root)
{
    auto_with(files_free) struct journal_files files = find_files(root);
    auto_blob struct blob said = { 0 };

    if (!files.count || !journal_readable ||
        read_files(root, &files, journal_read_keys, &said) < 0 || !said.len)
        return NULL;
    return xstrdup((const char *)said.data);
}
