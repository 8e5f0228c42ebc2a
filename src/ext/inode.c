/* SPDX-License-Identifier: MIT */
/* One inode: its times, its links, how it comes and how it goes. */
#include "ext/ext.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* The kernel's own limit (EXT4_LINK_MAX). */
enum { LINKS_MAX = 65000 };

/* ---- times --------------------------------------------------------------------------------- */

/* Where an inode has no room for a field, nothing may be put there: attributes begin early. */
static bool has_field(const struct ext2_inode_large *body, size_t end)
{
    return EXT2_GOOD_OLD_INODE_SIZE + (size_t)body->i_extra_isize >= end;
}

#define HAS_FIELD(body, field)                                                                     \
    has_field((body), offsetof(struct ext2_inode_large, field) + sizeof((body)->field))

/* Two bits of seconds beyond 32, and the fraction (fs/ext4/ext4.h, ext4_encode_extra_time). */
static uint32_t extra_of(const struct timespec *time)
{
    int64_t beyond = ((int64_t)time->tv_sec - (int32_t)time->tv_sec) >> 32;

    return (uint32_t)(beyond & 3) | (uint32_t)time->tv_nsec << 2;
}

static void set_times(struct ext2_inode_large *body, enum ext_times times)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    body->i_ctime = (uint32_t)now.tv_sec;
    if (HAS_FIELD(body, i_ctime_extra))
        body->i_ctime_extra = extra_of(&now);
    if (times & (EXT_WRITTEN | EXT_BORN)) {
        body->i_mtime = (uint32_t)now.tv_sec;
        if (HAS_FIELD(body, i_mtime_extra))
            body->i_mtime_extra = extra_of(&now);
    }
    if (times & EXT_BORN) {
        body->i_atime = (uint32_t)now.tv_sec;
        if (HAS_FIELD(body, i_atime_extra))
            body->i_atime_extra = extra_of(&now);
        if (HAS_FIELD(body, i_crtime_extra)) {
            body->i_crtime = (uint32_t)now.tv_sec;
            body->i_crtime_extra = extra_of(&now);
        }
    }
}

errcode_t ext_store(struct ext *ext, struct ext_node *node, enum ext_times times)
{
    set_times(&node->body, times);
    return ext2fs_write_inode_full(ext->fs, node->inode, ext_small(node), (int)sizeof node->body);
}

errcode_t ext_touch(struct ext *ext, ext2_ino_t inode, enum ext_times times)
{
    struct ext_node node;
    errcode_t error = ext_load(ext, inode, &node);

    return error ? error : ext_store(ext, &node, times);
}

errcode_t ext_add_links(struct ext *ext, ext2_ino_t inode, int more)
{
    struct ext_node node;
    errcode_t error = ext_load(ext, inode, &node);

    if (error)
        return error;
    /* A directory with more than it can count has one, for ever (dir_nlink). */
    if (S_ISDIR(node.body.i_mode) && node.body.i_links_count == 1)
        return 0;
    if (node.body.i_links_count + more > LINKS_MAX)
        return EMLINK;
    node.body.i_links_count = (uint16_t)(node.body.i_links_count + more);
    return ext_store(ext, &node, EXT_CHANGED);
}

/* ---- coming -------------------------------------------------------------------------------- */

errcode_t ext_new_inode(struct ext *ext, const struct ext_node *directory, mode_t mode,
                        ext2_ino_t *ret)
{
    return ext2fs_new_inode(ext->fs, directory->inode, (int)mode, NULL, ret);
}

/* The root of an empty tree of extents, where the file system has such. */
static errcode_t begin_extents(struct ext *ext, ext2_ino_t inode, struct ext2_inode *body)
{
    ext2_extent_handle_t handle;
    errcode_t error;

    if (!ext2fs_has_feature_extents(ext->fs->super))
        return 0;
    error = ext2fs_extent_open2(ext->fs, inode, body, &handle);
    if (!error)
        ext2fs_extent_free(handle);
    return error;
}

static errcode_t write_content(struct ext *ext, ext2_ino_t inode, const struct blob *content)
{
    ext2_file_t file;
    unsigned written = 0;
    errcode_t error = ext2fs_file_open(ext->fs, inode, EXT2_FILE_WRITE, &file), closed;

    if (error)
        return error;
    error = ext2fs_file_write(file, content->data, (unsigned)content->len, &written);
    if (!error && written != content->len)
        error = ENOSPC;
    closed = ext2fs_file_close(file);
    return error ? error : closed;
}

errcode_t ext_new_file(struct ext *ext, const struct ext_node *directory, mode_t mode,
                       const struct blob *content, ext2_ino_t *ret)
{
    struct ext2_inode body = { .i_mode = (uint16_t)mode, .i_links_count = 1 };
    ext2_ino_t inode = 0;
    errcode_t error = content->len > INT32_MAX ? EFBIG : 0;

    if (!error)
        error = ext_new_inode(ext, directory, mode, &inode);
    if (error)
        return error;
    ext2fs_inode_alloc_stats2(ext->fs, inode, +1, 0);
    error = begin_extents(ext, inode, &body);
    if (!error)
        error = ext2fs_write_new_inode(ext->fs, inode, &body);
    if (!error && content->len)
        error = write_content(ext, inode, content);
    *ret = inode;
    return error;
}

errcode_t ext_dress(struct ext *ext, ext2_ino_t inode, const struct root_meta *meta)
{
    struct ext_node node;
    errcode_t error = ext_load(ext, inode, &node);

    if (error)
        return error;
    if (!S_ISLNK(node.body.i_mode))
        node.body.i_mode = (uint16_t)((node.body.i_mode & S_IFMT) | (meta->mode & 07777));
    node.body.i_uid = (uint16_t)meta->uid;
    node.body.osd2.linux2.l_i_uid_high = (uint16_t)(meta->uid >> 16);
    node.body.i_gid = (uint16_t)meta->gid;
    node.body.osd2.linux2.l_i_gid_high = (uint16_t)(meta->gid >> 16);
    error = ext_store(ext, &node, EXT_BORN);
    if (!error && meta->label) {
        /* The NUL is part of the attribute. */
        const struct blob label = { .data = (unsigned char *)meta->label,
                                    .len = strlen(meta->label) + 1 };

        error = ext_store_attribute(ext, inode, "security.selinux", &label);
    }
    return error;
}

/* ---- going --------------------------------------------------------------------------------- */

static errcode_t free_inode(struct ext *ext, struct ext_node *node)
{
    bool directory = S_ISDIR(node->body.i_mode);
    errcode_t error = ext2fs_free_ext_attr(ext->fs, node->inode, &node->body);

    if (!error && ext2fs_inode_has_valid_blocks2(ext->fs, ext_small(node)))
        error = ext2fs_punch(ext->fs, node->inode, ext_small(node), NULL, 0, ~0ULL);
    if (error)
        return error;
    node->body.i_links_count = 0;
    node->body.i_size = 0;
    node->body.i_size_high = 0;
    node->body.i_dtime = (uint32_t)time(NULL);
    error = ext_store(ext, node, EXT_CHANGED);
    if (!error)
        ext2fs_inode_alloc_stats2(ext->fs, node->inode, -1, directory);
    return error;
}

errcode_t ext_release(struct ext *ext, ext2_ino_t inode)
{
    struct ext_node node;
    errcode_t error = ext_load(ext, inode, &node);

    if (error)
        return error;
    if (S_ISDIR(node.body.i_mode) || node.body.i_links_count == 1)
        return free_inode(ext, &node);
    node.body.i_links_count--;
    return ext_store(ext, &node, EXT_CHANGED);
}
