/* SPDX-License-Identifier: MIT */
/*
 * The names of directories that are looked into again and again. libext2fs reads a directory from
 * its beginning for every name, and proves the checksum of each block anew.
 */
#include "ext/ext.h"

#include "base/alloc.h"

#include <string.h>
#include <sys/stat.h>

enum { DIRECTORY_MAX = 256 * 1024 }; /* bytes; a larger one is read as libext2fs does */

struct gathering {
    char *names; /* one behind the other */
    size_t len, size;
    ext2_ino_t *inodes;
    size_t count;
};

static int gather(struct ext2_dir_entry *entry, int offset, int size, char *block, void *context)
{
    struct gathering *all = context;
    size_t len = (size_t)ext2fs_dirent_name_len(entry);

    (void)offset;
    (void)size;
    (void)block;
    if (!ext_is_name(entry->name, len))
        return 0;
    if (len >= all->size - all->len)
        return DIRENT_ABORT;
    memcpy(all->names + all->len, entry->name, len);
    all->len += len + 1;
    array_push(all->inodes, all->count, entry->inode);
    return 0;
}

/* Of two that are the same, the first one counts, as it does for libext2fs. */
static bool enter_all(const struct gathering *all, struct hsearch_data *table)
{
    const char *name = all->names;

    if (!hcreate_r(all->count + all->count / 4 + 1, table))
        return false;
    for (size_t i = 0; i < all->count; i++) {
        ENTRY entry = { .key = (char *)name, .data = (void *)(uintptr_t)all->inodes[i] }, *found;

        if (!hsearch_r(entry, ENTER, &found, table))
            return false;
        name += strlen(name) + 1;
    }
    return true;
}

static void forget(struct ext_index *index)
{
    if (index->directory)
        hdestroy_r(&index->table);
    free(index->names);
    *index = (struct ext_index){ 0 };
}

static bool make_index(struct ext *ext, const struct ext_node *directory, struct ext_index *ret)
{
    uint64_t size = EXT2_I_SIZE(&directory->body);
    struct gathering all = { .size = (size_t)size };
    bool made;

    if (!S_ISDIR(directory->body.i_mode) || size == 0 || size > DIRECTORY_MAX)
        return false;
    all.names = xcalloc(all.size, 1);
    *ret = (struct ext_index){ .directory = directory->inode, .names = all.names };
    made = ext2fs_dir_iterate(ext->fs, directory->inode, 0, NULL, gather, &all) == 0 &&
           enter_all(&all, &ret->table);
    free(all.inodes);
    if (!made)
        forget(ret);
    return made;
}

bool ext_index_find(struct ext *ext, const struct ext_node *directory, const char *name,
                    ext2_ino_t *ret)
{
    struct ext_index *index = &ext->indexes[directory->inode % EXT_INDEXES];
    ENTRY wanted = { .key = (char *)name }, *found;

    if (index->directory != directory->inode) {
        forget(index);
        if (!make_index(ext, directory, index))
            return false;
    }
    *ret = hsearch_r(wanted, FIND, &found, &index->table) ? (ext2_ino_t)(uintptr_t)found->data : 0;
    return true;
}

void ext_index_forget(struct ext *ext)
{
    for (size_t i = 0; i < EXT_INDEXES; i++)
        forget(&ext->indexes[i]);
}
