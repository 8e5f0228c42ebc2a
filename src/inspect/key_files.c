/* SPDX-License-Identifier: MIT */
/*
 * The two files of a host key: where they are, whether they are files at all, and
 * what they hold. Whatever a link says, what it leads to is changed only where it
 * is a host key; a .pub that is a link is replaced, never written through.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

static char *describe_odd(const struct root *root, const char *path, mode_t mode)
{
    auto_free char *target = NULL;

    if (!S_ISLNK(mode))
        return xstrdup(S_ISDIR(mode)    ? "is a directory"
                       : S_ISFIFO(mode) ? "is a FIFO"
                       : S_ISSOCK(mode) ? "is a socket"
                                        : "is a device");
    if (root_readlink(root, path, &target, NULL) < 0)
        return xstrdup("is a link that cannot be read");
    return xasprintf("is a link to %s, which leads to nothing on this disk", target);
}

/* The nearest directory above a path that is there; NULL where a link on the way leads nowhere. */
static char *standing_above(const struct root *root, const char *path)
{
    auto_free char *up = xstrdup(path);
    char *slash;

    while ((slash = strrchr(up, '/')) && slash != up) {
        *slash = '\0';
        if (root_exists(root, up))
            return take_ptr(up);
        if (root_find_link(root, up, NULL, NULL, NULL) == 0)
            return NULL;
    }
    return xstrdup("/");
}

/* fstab(5) has a mount point on the way down to this path. */
static bool in_fstab(const struct root *root, const char *path)
{
    auto_free char *text = read_text(root, "/etc/fstab", TEXT_FILE_MAX);
    char *rest = text, *line;

    while (text && (line = strsep(&rest, "\n"))) {
        char *fields[FSTAB_FIELDS];

        if (fstab_split(line, fields) > 1 && strcmp(fields[1], "/") != 0 &&
            strcmp(fields[1], path) != 0 && text_is_within(path, fields[1]))
            return true;
    }
    return false;
}

static bool is_empty(const struct root *root, const char *directory)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;

    return root_list(root, directory, &entries, NULL) == 0 && !entries->name;
}

/* A directory that is not there, and may be as soon as something is mounted: an empty one waits. */
static bool may_be_mounted(const struct root *root, const char *path)
{
    auto_free char *above = standing_above(root, path);

    if (above && strlen(above) + 1 >= (size_t)(text_base_name(path) - path))
        return false; /* the directory is there */
    return !above || is_empty(root, above) || in_fstab(root, path);
}

/* Where a new file of this path goes: what is there of its directories, resolved. */
static char *future_path(const struct root *root, const char *path)
{
    auto_free char *above = standing_above(root, path), *real = NULL;

    if (!above || root_find(root, above, &real, NULL, NULL) < 0)
        return xstrdup(path);
    return xasprintf("%s%s", strcmp(real, "/") == 0 ? "" : real,
                     path + (strcmp(above, "/") == 0 ? 0 : strlen(above)));
}

/* Where a key file is, and whether it is a file at all. */
static void locate(const struct root *root, struct host_key *key)
{
    struct root_stat stat;

    if (root_find(root, key->path, &key->real, &stat, NULL) == 0) {
        key->exists = true;
        if (!S_ISREG(stat.mode))
            key->odd = describe_odd(root, key->path, stat.mode);
        else if (stat.foreign)
            key->elsewhere = xstrdup("is on another file system that is mounted there");
        else if (stat.size > HOSTKEY_FILE_MAX)
            key->odd = xstrdup("is larger than any key (1 MiB)");
    } else if (root_find_link(root, key->path, NULL, &stat, NULL) == 0) {
        key->exists = true;
        key->odd = describe_odd(root, key->path, stat.mode);
    } else if (may_be_mounted(root, key->path)) {
        key->elsewhere = xstrdup("is in a directory that is not on this disk");
    }
    if (!key->real)
        key->real = future_path(root, key->path);
}

static void read_pub(const struct root *root, struct host_key *key, struct blob *ret_bytes)
{
    auto_free char *path = xasprintf("%s.pub", key->path);
    struct root_stat stat;

    key->pub_real = future_path(root, path);
    key->pub_state = PUB_MISSING;
    if (root_find_link(root, path, NULL, &stat, NULL) < 0)
        return;
    key->pub_link = S_ISLNK(stat.mode);
    key->pub_state = S_ISDIR(stat.mode) ? PUB_ODD : PUB_DAMAGED;
    if (root_read(root, path, HOSTKEY_FILE_MAX, ret_bytes, NULL) == 0 &&
        pubkey_parse(ret_bytes, &key->pub) == 0)
        key->pub_state = PUB_OK;
}

static bool nothing_or_a_key(const struct blob *bytes)
{
    static const char *const marks[] = { "-----BEGIN ", "SSH PRIVATE KEY FILE FORMAT " };
    bool nothing = true;

    for (size_t i = 0; nothing && i < bytes->len; i++)
        nothing = bytes->data[i] == 0;
    for (size_t i = 0; !nothing && i < ARRAY_SIZE(marks); i++)
        if (memmem(bytes->data, bytes->len, marks[i], strlen(marks[i])))
            return true;
    return nothing;
}

/* Junk is a broken key only where a key belongs: /etc/shadow behind a link is not one. */
static void distrust(const struct root *root, struct host_key *key, const struct blob *bytes)
{
    auto_free char *target = NULL;
    struct root_stat stat;

    if (nothing_or_a_key(bytes) || root_find_link(root, key->path, NULL, &stat, NULL) < 0)
        return;
    if (S_ISLNK(stat.mode) && root_readlink(root, key->path, &target, NULL) == 0)
        key->odd = xasprintf("is a link to %s, which is no key", target);
    else if (!strstr(text_base_name(key->path), "key"))
        key->odd = xstrdup("is no key, and is not named like one");
}

int key_files_read(const struct root *root, struct key_files *files, struct err *e)
{
    struct host_key *key = files->key;

    locate(root, key);
    read_pub(root, key, &files->pub_bytes);
    key->judgement.why = "";
    if (!key->exists || key->odd || key->elsewhere)
        return 0;
    if (root_read(root, key->path, HOSTKEY_FILE_MAX, &files->bytes, e) < 0)
        return -1;
    distrust(root, key, &files->bytes);
    if (!key->odd)
        key->digest = digest_hex(&files->bytes);
    return 0;
}

void key_files_free(struct key_files *files)
{
    blob_free(&files->bytes);
    blob_free(&files->pub_bytes);
}
