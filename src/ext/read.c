/* SPDX-License-Identifier: MIT */
#include "ext/ext.h"

#include "base/alloc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMES_MAX = 100000 };

/* Seconds since 1970 beyond 32 bits, and their fraction (fs/ext4/ext4.h, ext4_decode_extra_time).
 */
static struct timespec mtime_of(const struct ext2_inode_large *body)
{
    enum { EPOCH_BITS = 2, EPOCH_MASK = 3 };
    bool has_extra = body->i_extra_isize >= offsetof(struct ext2_inode_large, i_mtime_extra) +
                                                sizeof body->i_mtime_extra -
                                                EXT2_GOOD_OLD_INODE_SIZE;
    uint32_t extra = has_extra ? body->i_mtime_extra : 0;

    return (struct timespec){ .tv_sec = (time_t)(int32_t)body->i_mtime +
                                        ((time_t)(extra & EPOCH_MASK) << 32),
                              .tv_nsec = extra >> EPOCH_BITS };
}

void ext_fill_stat(const struct ext *ext, const struct ext_node *node, struct root_stat *ret)
{
    *ret = (struct root_stat){
        .mode = node->body.i_mode,
        .uid = inode_uid(node->body),
        .gid = inode_gid(node->body),
        .size = EXT2_I_SIZE(&node->body),
        .inode = node->inode,
        .device = ext->borders.number + 1, /* 0 is none */
        .links = node->body.i_links_count,
        .mtime = mtime_of(&node->body),
    };
}

int ext_find(struct ext *ext, const char *path, bool follow, char **ret_path,
             struct root_stat *ret_stat, struct err *e)
{
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, follow ? WALK_FOLLOW : WALK_FOLLOW_DIRS, ret_path, &node);

    if (error)
        return ext_error(error, e, "%s", path);
    ext_fill_stat(ext, &node, ret_stat);
    return 0;
}

/* ---- files --------------------------------------------------------------------------------- */

/* Of one extent, what lies within the stretch; of one that was never written, zeros. */
static errcode_t read_extent(struct ext *ext, const struct ext2fs_extent *extent, uint64_t offset,
                             const struct blob *into)
{
    uint64_t size = ext->fs->blocksize, end = offset + into->len;
    uint64_t first = extent->e_lblk * size, last = first + extent->e_len * size;
    uint64_t from = first > offset ? first : offset, to = last < end ? last : end;

    if (from >= to || (extent->e_flags & EXT2_EXTENT_FLAGS_UNINIT))
        return 0;
    return ext_io_read(ext->volume, extent->e_pblk * size + (from - first),
                       into->data + (from - offset), (size_t)(to - from));
}

/* Extent by extent; libext2fs would look for each block anew. What none tells of is zeros. */
static errcode_t read_extents(struct ext *ext, struct ext_node *node, uint64_t offset,
                              const struct blob *into)
{
    uint64_t size = ext->fs->blocksize;
    struct ext2fs_extent extent;
    ext2_extent_handle_t handle;
    errcode_t error = ext2fs_extent_open2(ext->fs, node->inode, ext_small(node), &handle);

    if (error)
        return error;
    /* Into a hole: what it finds is what stands before that. */
    error = ext2fs_extent_goto(handle, offset / size);
    if (error == EXT2_ET_EXTENT_NOT_FOUND)
        error = 0;
    if (!error)
        error = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &extent);
    while (!error && extent.e_lblk * size < offset + into->len) {
        error = read_extent(ext, &extent, offset, into);
        if (!error)
            error = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT_LEAF, &extent);
    }
    ext2fs_extent_free(handle);
    return error == EXT2_ET_EXTENT_NO_NEXT || error == EXT2_ET_NO_CURRENT_NODE ? 0 : error;
}

/* By block maps, or inside the inode. */
static errcode_t read_blocks(struct ext *ext, struct ext_node *node, uint64_t offset,
                             const struct blob *into)
{
    ext2_file_t file;
    size_t done = 0;
    errcode_t error = ext2fs_file_open2(ext->fs, node->inode, ext_small(node), 0, &file);

    if (error)
        return error;
    error = ext2fs_file_llseek(file, offset, EXT2_SEEK_SET, NULL);
    while (!error && done < into->len) {
        unsigned want = into->len - done < 1u << 30 ? (unsigned)(into->len - done) : 1u << 30,
                 got = 0;

        error = ext2fs_file_read(file, into->data + done, want, &got);
        if (!error && got == 0)
            error = EXT2_ET_SHORT_READ;
        done += got;
    }
    (void)ext2fs_file_close(file);
    return error;
}

static errcode_t read_stretch(struct ext *ext, struct ext_node *node, uint64_t offset, size_t len,
                              struct blob *ret)
{
    auto_blob struct blob bytes = blob_zeroed(len);
    errcode_t error;

    if (node->body.i_flags & EXT4_ENCRYPT_FL)
        return EXT_ENCRYPTED;
    error = node->body.i_flags & EXT4_EXTENTS_FL ? read_extents(ext, node, offset, &bytes)
                                                 : read_blocks(ext, node, offset, &bytes);
    if (!error)
        *ret = take_blob(bytes);
    return error;
}

int ext_read_part(struct ext *ext, const char *path, uint64_t offset, size_t len, struct blob *ret,
                  struct err *e)
{
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, WALK_FOLLOW, NULL, &node);

    if (error)
        return ext_error(error, e, "%s", path);
    if (door_may_read_part(path, node.body.i_mode, EXT2_I_SIZE(&node.body), offset, len, e) < 0)
        return -1;
    error = read_stretch(ext, &node, offset, len, ret);
    return error ? ext_error(error, e, "read %s", path) : 0;
}

int ext_readlink(struct ext *ext, const char *path, char **ret, struct err *e)
{
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, WALK_FOLLOW_DIRS, NULL, &node);

    if (!error)
        error = ext_link_target(ext, &node, ret);
    return error ? ext_error(error, e, "read the link %s", path) : 0;
}

/* ---- directories --------------------------------------------------------------------------- */

struct listing {
    struct root_entry *entries;
    size_t count;
};

static mode_t type_of(int file_type)
{
    static const mode_t types[] = {
        [EXT2_FT_REG_FILE] = S_IFREG, [EXT2_FT_DIR] = S_IFDIR,  [EXT2_FT_CHRDEV] = S_IFCHR,
        [EXT2_FT_BLKDEV] = S_IFBLK,   [EXT2_FT_FIFO] = S_IFIFO, [EXT2_FT_SOCK] = S_IFSOCK,
        [EXT2_FT_SYMLINK] = S_IFLNK,
    };

    return file_type > 0 && (size_t)file_type < ARRAY_SIZE(types) ? types[file_type] : 0;
}

bool ext_is_name(const char *name, size_t len)
{
    return len > 0 && !memchr(name, '/', len) && !memchr(name, '\0', len) &&
           !(len == 1 && name[0] == '.') && !(len == 2 && name[0] == '.' && name[1] == '.');
}

static int collect(struct ext2_dir_entry *entry, int offset, int size, char *block, void *context)
{
    struct listing *listing = context;
    size_t len = (size_t)ext2fs_dirent_name_len(entry);
    struct root_entry found = { .type = type_of(ext2fs_dirent_file_type(entry)) };

    (void)offset;
    (void)size;
    (void)block;
    if (!ext_is_name(entry->name, len))
        return 0;
    found.name = xstrndup(entry->name, len);
    array_push(listing->entries, listing->count, found);
    return listing->count < NAMES_MAX ? 0 : DIRENT_ABORT;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct root_entry *)a)->name, ((const struct root_entry *)b)->name);
}

/* Without the feature "filetype" a directory has names alone. */
static void complete_types(struct ext *ext, struct ext_node *directory, struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct ext_node node;
        ext2_ino_t inode;

        if (listing->entries[i].type == 0 &&
            ext_lookup(ext, directory, listing->entries[i].name, &inode) == 0 &&
            ext_load(ext, inode, &node) == 0)
            listing->entries[i].type = node.body.i_mode & S_IFMT;
    }
}

int ext_list(struct ext *ext, const char *path, struct root_entry **ret, struct err *e)
{
    struct listing listing = { 0 };
    struct root_entry end = { 0 };
    struct ext_node node;
    errcode_t error = ext_walk(ext, path, WALK_FOLLOW, NULL, &node);

    if (!error && !S_ISDIR(node.body.i_mode))
        error = ENOTDIR;
    if (!error)
        error = ext_refuse_names(&node);
    if (!error)
        error = ext2fs_dir_iterate(ext->fs, node.inode, 0, ext->block, collect, &listing);
    if (!error)
        complete_types(ext, &node, &listing);
    if (!error && listing.count)
        qsort(listing.entries, listing.count, sizeof *listing.entries, by_name);
    array_push(listing.entries, listing.count, end);
    if (error) {
        root_entries_free(&listing.entries);
        return ext_error(error, e, "list %s", path);
    }
    *ret = listing.entries;
    return 0;
}
