/* SPDX-License-Identifier: MIT */
/* What is new: a file, a directory, a link; whole before it has a name. */
#include "ext/ext.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A place where nothing is yet. */
static int free_place(struct ext *ext, const char *path, const char *what, struct ext_place *ret,
                      struct err *e)
{
    errcode_t error = ext_find_place(ext, path, ret);

    if (!error && ret->node.inode)
        error = EEXIST;
    return error ? ext_error(error, e, "create %s%s", what, path) : 0;
}

static errcode_t finish(struct ext *ext, const struct ext_place *place, ext2_ino_t inode,
                        mode_t type, const struct root_meta *meta)
{
    errcode_t error = ext_dress(ext, inode, meta);

    return error ? error : ext_add_name(ext, place, inode, type);
}

int ext_create(struct ext *ext, const char *path, const struct blob *content,
               const struct root_meta *meta, struct err *e)
{
    auto_place struct ext_place place = { 0 };
    ext2_ino_t inode;
    errcode_t error;

    if (free_place(ext, path, "", &place, e) < 0)
        return -1;
    error = ext_new_file(ext, &place.directory, S_IFREG | 0600, content, &inode);
    if (!error)
        error = finish(ext, &place, inode, S_IFREG, meta);
    error = ext_changed(ext, error);
    return error ? ext_error(error, e, "create %s", path) : 0;
}

/* libext2fs makes it, and counts it in the directory above. */
static errcode_t make_directory(struct ext *ext, struct ext_place *place,
                                const struct root_meta *meta)
{
    ext2_ino_t inode;
    errcode_t error = ext_new_inode(ext, &place->directory, S_IFDIR | 0700, &inode);

    if (!error)
        error = ext2fs_mkdir(ext->fs, place->directory.inode, inode, NULL);
    return error ? error : finish(ext, place, inode, S_IFDIR, meta);
}

int ext_mkdir(struct ext *ext, const char *path, const struct root_meta *meta, struct err *e)
{
    auto_place struct ext_place place = { 0 };
    errcode_t error;

    if (free_place(ext, path, "the directory ", &place, e) < 0)
        return -1;
    /* ext2fs_mkdir would count beyond what dir_nlink allows. */
    if (place.directory.body.i_links_count < 2 || place.directory.body.i_links_count > 60000)
        return ext_error(EMLINK, e, "create the directory %s", path);
    error = ext_changed(ext, make_directory(ext, &place, meta));
    return error ? ext_error(error, e, "create the directory %s", path) : 0;
}

static errcode_t make_link(struct ext *ext, struct ext_place *place, const char *target,
                           const struct root_meta *meta)
{
    ext2_ino_t inode;
    errcode_t error = ext_new_inode(ext, &place->directory, S_IFLNK | 0777, &inode);

    if (!error)
        error = ext2fs_symlink(ext->fs, place->directory.inode, inode, NULL, target);
    return error ? error : finish(ext, place, inode, S_IFLNK, meta);
}

int ext_symlink(struct ext *ext, const char *path, const char *target, const struct root_meta *meta,
                struct err *e)
{
    auto_place struct ext_place place = { 0 };
    errcode_t error;

    if (free_place(ext, path, "the link ", &place, e) < 0)
        return -1;
    if (!*target || strlen(target) >= ext->fs->blocksize)
        return ext_error(ENAMETOOLONG, e, "create the link %s", path);
    error = ext_changed(ext, make_link(ext, &place, target, meta));
    return error ? ext_error(error, e, "create the link %s", path) : 0;
}
