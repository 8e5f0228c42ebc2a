/* SPDX-License-Identifier: MIT */
/*
 * Copies of a lost host key that somebody, or some package, has left on the disk:
 * ssh_host_rsa_key.bak beside it, the same name in a backup, a snapshot. What is
 * kept here is proven; which one is the right one, plan/ decides.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

/* Enough for any /etc; a tree made to keep us busy ends here. */
enum { DEPTH_MAX = 5, ENTRIES_MAX = 50000, COPIES_MAX = 32 };

static const char *const places[] = { "/etc", "/root", "/var/backups",
                                      "/.snapshots/*/snapshot/etc/ssh", NULL };

struct hunt {
    const struct root *root;
    struct host_key *key;
    const char *name; /* the key's file name: copies start with it */
    size_t entries;
};

static void keep_if_proven(struct hunt *hunt, const char *path)
{
    struct host_key *key = hunt->key;
    auto_blob struct blob bytes = { 0 };
    struct key_copy copy;

    if (key->copy_count >= COPIES_MAX ||
        root_read(hunt->root, path, HOSTKEY_FILE_MAX, &bytes, NULL) < 0)
        return;
    hostkey_judge(&bytes, &copy.judgement);
    if (copy.judgement.verdict != HOSTKEY_SOUND && copy.judgement.verdict != HOSTKEY_WRAPPED) {
        hostkey_judgement_free(&copy.judgement);
        return;
    }
    copy.path = xstrdup(path);
    array_push(key->copies, key->copy_count, copy);
}

static void search(struct hunt *hunt, const char *directory, int depth)
{
    auto_with(text_list_free) char **names = NULL;

    if (depth > DEPTH_MAX || root_list(hunt->root, directory, &names, NULL) < 0)
        return;
    for (char **name = names; *name && hunt->entries < ENTRIES_MAX; name++) {
        auto_free char *path = xasprintf("%s/%s", directory, *name);
        struct root_stat stat;

        hunt->entries++;
        if (root_find_link(hunt->root, path, NULL, &stat, NULL) < 0)
            continue;
        if (S_ISDIR(stat.mode))
            search(hunt, path, depth + 1);
        else if (S_ISREG(stat.mode) && text_starts(*name, hunt->name) &&
                 !text_ends(*name, ".pub") && strcmp(path, hunt->key->real) != 0)
            keep_if_proven(hunt, path);
    }
}

void copies_inspect(const struct root *root, struct host_key *key)
{
    struct hunt hunt = { .root = root, .key = key, .name = text_base_name(key->path) };

    for (size_t i = 0; places[i]; i++) {
        auto_with(text_list_free) char **matches = NULL;

        if (root_glob(root, places[i], &matches, NULL) < 0)
            continue;
        for (char **match = matches; *match; match++)
            search(&hunt, *match, 0);
    }
}
