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
enum { DEPTH_MAX = 5, ENTRIES_MAX = 100000, COPIES_MAX = 32 };

static const char *const places[] = { "/etc", "/root", "/var/backups",
                                      "/.snapshots/*/snapshot/etc/ssh", NULL };

struct hunt {
    const struct root *root;
    struct inspection *inspection;
    size_t entries;
};

static void keep_if_proven(struct hunt *hunt, struct host_key *key, const char *path)
{
    auto_blob struct blob bytes = { 0 };
    struct key_copy copy = { .source = EVIDENCE_NONE };

    if (key->copy_count >= COPIES_MAX ||
        root_read(hunt->root, path, HOSTKEY_FILE_MAX, &bytes, NULL) < 0)
        return;
    hostkey_judge(&bytes, &copy.judgement);
    if ((copy.judgement.verdict != HOSTKEY_SOUND && copy.judgement.verdict != HOSTKEY_WRAPPED) ||
        (key->pub_state == PUB_OK && !blob_equal(&key->pub.blob, &copy.judgement.pub.blob))) {
        hostkey_judgement_free(&copy.judgement);
        return;
    }
    copy.path = xstrdup(path);
    array_push(key->copies, key->copy_count, copy);
}

/* A copy's name starts with that of the key. */
static void consider(struct hunt *hunt, const char *path, const char *name)
{
    for (size_t i = 0; i < hunt->inspection->key_count; i++) {
        struct host_key *key = &hunt->inspection->keys[i];

        if (key->lost && text_starts(name, text_base_name(key->path)) && !text_ends(name, ".pub") &&
            strcmp(path, key->real) != 0)
            keep_if_proven(hunt, key, path);
    }
}

static void search(struct hunt *hunt, const char *directory, int depth)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;

    if (depth > DEPTH_MAX || root_list(hunt->root, directory, &entries, NULL) < 0)
        return;
    for (const struct root_entry *entry = entries; entry->name; entry++) {
        auto_free char *path = xasprintf("%s/%s", directory, entry->name);

        if (hunt->entries++ >= ENTRIES_MAX)
            return;
        if (S_ISDIR(entry->type))
            search(hunt, path, depth + 1);
        else if (S_ISREG(entry->type))
            consider(hunt, path, entry->name);
    }
}

void copies_inspect(const struct root *root, struct inspection *inspection)
{
    struct hunt hunt = { .root = root, .inspection = inspection };
    bool any = any_key_lost(inspection);

    for (size_t i = 0; any && places[i]; i++) {
        auto_with(text_list_free) char **matches = NULL;

        if (root_glob(root, places[i], &matches, NULL) < 0)
            continue;
        hunt.entries = 0;
        for (char **match = matches; *match; match++)
            search(&hunt, *match, 0);
    }
}
