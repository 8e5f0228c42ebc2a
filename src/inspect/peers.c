/* SPDX-License-Identifier: MIT */
/*
 * What other systems of the same run are known by: enough to tell a clone, and no more.
 * Their private keys are not read for that.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* More than anybody's; the rest is left out. */
enum { PEER_KEYS_MAX = 32 };

void peer_inspect(const struct root *root, const char *name, struct peer *ret)
{
    auto_with(text_list_free) char **paths = NULL;

    *ret = (struct peer){ .name = xstrdup(name) };
    os_inspect(root, &ret->os);
    if (root_glob(root, "/etc/ssh/ssh_host_*_key.pub", &paths, NULL) < 0)
        return;
    for (char **path = paths; *path && ret->key_count < PEER_KEYS_MAX; path++) {
        auto_blob struct blob bytes = { 0 };
        struct pubkey pub;

        if (root_read(root, *path, HOSTKEY_FILE_MAX, &bytes, NULL) == 0 &&
            pubkey_parse(&bytes, &pub) == 0)
            array_push(ret->keys, ret->key_count, pub);
    }
}

void peer_free(struct peer *peer)
{
    for (size_t i = 0; i < peer->key_count; i++)
        pubkey_free(&peer->keys[i]);
    free(peer->keys);
    free(peer->name);
    os_free(&peer->os);
    *peer = (struct peer){ 0 };
}
