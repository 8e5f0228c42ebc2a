/* SPDX-License-Identifier: MIT */
/*
 * ld.so.cache of glibc (sysdeps/generic/dl-cache.h, elf/dl-cache.c): a header, entries, and the
 * strings they point at, from the start of the header. Before 2.32 an older format stands in front
 * of it. Numbers are those of this machine: a rescue system is of the victim's kind.
 */
#include "inspect/private.h"

#include "base/alloc.h"

#include <string.h>

enum { CACHE_MAX = 16 * 1024 * 1024 };

static const char magic[] = "glibc-ld.so.cache1.1";

struct header {
    char magic[sizeof magic - 1];
    uint32_t count, strings;
    uint32_t unused[5];
};

struct entry {
    int32_t flags;
    uint32_t name, path;
    uint32_t os_version;
    uint64_t hardware;
};

struct blob ld_cache_read(const struct root *root)
{
    auto_blob struct blob file = { 0 };
    const unsigned char *start;
    struct header header;

    if (root_read(root, "/etc/ld.so.cache", CACHE_MAX, &file, NULL) < 0)
        return (struct blob){ 0 };
    start = memmem(file.data, file.len, magic, sizeof header.magic);
    if (!start || file.len - (size_t)(start - file.data) < sizeof header)
        return (struct blob){ 0 };
    memcpy(&header, start, sizeof header);
    if ((file.len - (size_t)(start - file.data) - sizeof header) / sizeof(struct entry) <
        header.count)
        return (struct blob){ 0 };
    return blob_copy(start, file.len - (size_t)(start - file.data));
}

/* A text in the cache; "" where there is none. The blob ends with a NUL of its own. */
static const char *text_at(const struct blob *cache, uint32_t offset)
{
    return offset < cache->len ? (const char *)cache->data + offset : "";
}

const char *ld_cache_find(const struct blob *cache, const char *name, size_t *at)
{
    struct header header;

    if (!cache->data)
        return NULL;
    memcpy(&header, cache->data, sizeof header);
    while (*at < header.count) {
        struct entry entry;

        memcpy(&entry, cache->data + sizeof header + (*at)++ * sizeof entry, sizeof entry);
        if (strcmp(text_at(cache, entry.name), name) == 0)
            return text_at(cache, entry.path);
    }
    return NULL;
}
