/* SPDX-License-Identifier: MIT */
/* The target's fstab, as fstab(5) has it, read as a hint from somebody who may be wrong. */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { FSTAB_MAX = 256 * 1024, ENTRIES_MAX = 256 };

/* "\040" is a blank; in place. */
static void unescape(char *text)
{
    char *out = text;

    while (*text) {
        unsigned value = 0;
        int digits = 0;
        bool escaped;

        while (*text == '\\' && digits < 3 && text[1 + digits] >= '0' && text[1 + digits] <= '7')
            value = value * 8 + (unsigned)(text[1 + digits++] - '0');
        escaped = digits == 3 && value && value < 256;
        *out++ = escaped ? (char)value : *text;
        text += escaped ? 4 : 1;
    }
    *out = '\0';
}

/* Neither the network, nor what is not on a disk, nor what a person mounts by hand. */
static bool mounted_at_boot(char *const *fields)
{
    static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "auto" };
    static const char *const skipped[] = { "noauto", "bind", "rbind", "_netdev" };
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        known = known || strcmp(fields[2], types[i]) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
        if (text_has_word(fields[3], skipped[i]))
            return false;
    return known && fields[1][0] == '/' && !strstr(fields[1], "/..");
}

/* The value of an option, or NULL. */
static char *option_value(const char *options, const char *name)
{
    auto_free char *copy = xstrdup(options);
    char *rest = copy, *option;
    size_t len = strlen(name);

    while ((option = strsep(&rest, ",")))
        if (strncmp(option, name, len) == 0 && option[len] == '=' && option[len + 1])
            return xstrdup(option + len + 1);
    return NULL;
}

/* 0 is another name of the top, 5 (BTRFS_FS_TREE_OBJECTID); no number at all says nothing. */
static uint64_t subvolume_id(const char *options)
{
    enum { TOP = 5 };
    auto_free char *text = option_value(options, "subvolid");
    char *end;
    uint64_t id;

    if (!text || *text < '0' || *text > '9')
        return 0;
    id = strtoull(text, &end, 10);
    return *end ? 0 : id ? id : TOP;
}

/* "UUID=\"…\"" is written, too. */
static char *without_quotes(const char *source)
{
    char *copy = xstrdup(source), *out = copy;

    for (; *source; source++)
        if (*source != '"')
            *out++ = *source;
    *out = '\0';
    return copy;
}

size_t fstab_split(char *line, char *fields[FSTAB_FIELDS])
{
    char *rest = text_trim(line);
    size_t count = 0;

    if (*rest == '#')
        return 0;
    while (rest && *rest && count < FSTAB_FIELDS) {
        fields[count] = strsep(&rest, " \t");
        unescape(fields[count++]);
        rest = rest ? rest + strspn(rest, " \t") : NULL;
    }
    return count;
}

static void add_line(char *line, struct fstab *fstab)
{
    char defaults[] = "defaults";
    char *fields[FSTAB_FIELDS];
    struct fstab_entry entry;
    size_t count = fstab_split(line, fields);

    if (count < 3)
        return;
    if (count == 3)
        fields[3] = defaults;
    if (strcmp(fields[1], "/etc") == 0 && strcmp(fields[2], "overlay") == 0 && !fstab->etc_overlay)
        fstab->etc_overlay = option_value(fields[3], "upperdir");
    if (!mounted_at_boot(fields))
        return;
    entry = (struct fstab_entry){ .source = without_quotes(fields[0]),
                                  .directory = xstrdup(fields[1]),
                                  .type = xstrdup(fields[2]),
                                  .subvolume = option_value(fields[3], "subvol") };
    /* Where both are said, the kernel wants them to agree; the name is the one that lasts. */
    entry.subvolume_id = entry.subvolume ? 0 : subvolume_id(fields[3]);
    array_push(fstab->entries, fstab->count, entry);
}

/* "/var" sorts before "/var/log". */
static int by_directory(const void *a, const void *b)
{
    return strcmp(((const struct fstab_entry *)a)->directory,
                  ((const struct fstab_entry *)b)->directory);
}

void fstab_inspect(const struct root *root, struct fstab *ret)
{
    auto_blob struct blob text = { 0 };
    struct fstab fstab = { 0 };
    char *rest, *line;

    if (root_read(root, "/etc/fstab", FSTAB_MAX, &text, NULL) == 0) {
        rest = (char *)text.data;
        while (fstab.count < ENTRIES_MAX && (line = strsep(&rest, "\n")))
            add_line(line, &fstab);
    }
    if (fstab.count)
        qsort(fstab.entries, fstab.count, sizeof *fstab.entries, by_directory);
    *ret = fstab;
}

void fstab_free(struct fstab *fstab)
{
    for (size_t i = 0; i < fstab->count; i++) {
        free(fstab->entries[i].source);
        free(fstab->entries[i].directory);
        free(fstab->entries[i].type);
        free(fstab->entries[i].subvolume);
    }
    free(fstab->entries);
    free(fstab->etc_overlay);
    *fstab = (struct fstab){ 0 };
}
