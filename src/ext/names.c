/* SPDX-License-Identifier: MIT */
/*
 * Names in directories. Each function first looks at all it needs and refuses what it must; an
 * error behind the first change is the end of the whole transaction (ext_changed).
 */
#include "ext/ext.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void ext_place_free(struct ext_place *place)
{
    free(place->name);
    *place = (struct ext_place){ 0 };
}

errcode_t ext_find_place(struct ext *ext, const char *path, struct ext_place *ret)
{
    auto_free char *above = text_above(path);
    auto_place struct ext_place place = { .name = xstrdup(text_base_name(path)) };
    ext2_ino_t inode = 0;
    errcode_t error = ext_walk(ext, above, WALK_REFUSE, NULL, &place.directory);

    if (error)
        return error;
    if (!S_ISDIR(place.directory.body.i_mode))
        return ENOTDIR;
    if (!*place.name || strcmp(place.name, ".") == 0 || strcmp(place.name, "..") == 0)
        return EINVAL;
    error = ext_lookup(ext, &place.directory, place.name, &inode);
    if (!error)
        error = ext_load(ext, inode, &place.node);
    if (error && error != ENOENT)
        return error;
    *ret = place;
    place = (struct ext_place){ 0 };
    return 0;
}

/* ---- entries ------------------------------------------------------------------------------- */

static int file_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return EXT2_FT_REG_FILE;
    case S_IFDIR:
        return EXT2_FT_DIR;
    case S_IFCHR:
        return EXT2_FT_CHRDEV;
    case S_IFBLK:
        return EXT2_FT_BLKDEV;
    case S_IFIFO:
        return EXT2_FT_FIFO;
    case S_IFSOCK:
        return EXT2_FT_SOCK;
    case S_IFLNK:
        return EXT2_FT_SYMLINK;
    default:
        return EXT2_FT_UNKNOWN;
    }
}

errcode_t ext_add_name(struct ext *ext, const struct ext_place *place, ext2_ino_t inode,
                       mode_t mode)
{
    ext2_ino_t directory = place->directory.inode;
    errcode_t error = ext2fs_link(ext->fs, directory, place->name, inode, file_type(mode));

    if (error == EXT2_ET_DIR_NO_SPACE) {
        error = ext2fs_expand_dir(ext->fs, directory);
        if (!error)
            error = ext2fs_link(ext->fs, directory, place->name, inode, file_type(mode));
    }
    return error ? error : ext_touch(ext, directory, EXT_WRITTEN);
}

static errcode_t drop_name(struct ext *ext, const struct ext_place *place)
{
    errcode_t error =
        ext2fs_unlink(ext->fs, place->directory.inode, place->name, place->node.inode, 0);

    return error ? error : ext_touch(ext, place->directory.inode, EXT_WRITTEN);
}

struct redirection {
    const char *name;
    size_t len;
    ext2_ino_t inode;
    int type;
    bool done;
};

static int redirect_entry(struct ext2_dir_entry *entry, int offset, int size, char *block,
                          void *context)
{
    struct redirection *to = context;

    (void)offset;
    (void)size;
    (void)block;
    if ((size_t)ext2fs_dirent_name_len(entry) != to->len ||
        memcmp(entry->name, to->name, to->len) != 0)
        return 0;
    entry->inode = to->inode;
    if (ext2fs_dirent_file_type(entry) != EXT2_FT_UNKNOWN)
        ext2fs_dirent_set_file_type(entry, to->type);
    to->done = true;
    return DIRENT_CHANGED | DIRENT_ABORT;
}

/* An entry that is there leads somewhere else from now on. */
static errcode_t redirect(struct ext *ext, ext2_ino_t directory, const char *name, ext2_ino_t inode,
                          mode_t mode)
{
    struct redirection to = {
        .name = name, .len = strlen(name), .inode = inode, .type = file_type(mode)
    };
    errcode_t error = ext2fs_dir_iterate(ext->fs, directory, 0, NULL, redirect_entry, &to);

    return error ? error : to.done ? 0 : EXT2_ET_DIR_CORRUPTED;
}

/* ---- moving -------------------------------------------------------------------------------- */

/* What a directory's way up costs where it goes to another one. */
static errcode_t move_parent(struct ext *ext, const struct ext_node *moved, ext2_ino_t from,
                             ext2_ino_t to)
{
    errcode_t error;

    if (!S_ISDIR(moved->body.i_mode) || from == to)
        return 0;
    error = redirect(ext, moved->inode, "..", to, S_IFDIR);
    if (!error)
        error = ext_add_links(ext, from, -1);
    return error ? error : ext_add_links(ext, to, +1);
}

static errcode_t refuse_inside_itself(const char *a, const char *b)
{
    return text_is_within(b, a) || text_is_within(a, b) ? EINVAL : 0;
}

static errcode_t exchange(struct ext *ext, struct ext_place *a, struct ext_place *b)
{
    ext2_ino_t a_directory = a->directory.inode, b_directory = b->directory.inode;
    errcode_t error = redirect(ext, a_directory, a->name, b->node.inode, b->node.body.i_mode);

    if (!error)
        error = redirect(ext, b_directory, b->name, a->node.inode, a->node.body.i_mode);
    if (!error)
        error = move_parent(ext, &a->node, a_directory, b_directory);
    if (!error)
        error = move_parent(ext, &b->node, b_directory, a_directory);
    if (!error)
        error = ext_touch(ext, a->node.inode, EXT_CHANGED);
    if (!error)
        error = ext_touch(ext, b->node.inode, EXT_CHANGED);
    if (!error)
        error = ext_touch(ext, a_directory, EXT_WRITTEN);
    return error ? error : ext_touch(ext, b_directory, EXT_WRITTEN);
}

/* Both places; there: what has to be at the second. */
static errcode_t find_both(struct ext *ext, const char *a, const char *b, bool there,
                           struct ext_place *ret_a, struct ext_place *ret_b)
{
    errcode_t error = refuse_inside_itself(a, b);

    if (!error)
        error = ext_find_place(ext, a, ret_a);
    if (!error)
        error = ext_find_place(ext, b, ret_b);
    if (!error && (!ret_a->node.inode || (there && !ret_b->node.inode)))
        error = ENOENT;
    if (!error && !there && ret_b->node.inode)
        error = EEXIST;
    return error;
}

int ext_exchange(struct ext *ext, const char *a, const char *b, struct err *e)
{
    auto_place struct ext_place a_place = { 0 }, b_place = { 0 };
    errcode_t error = find_both(ext, a, b, true, &a_place, &b_place);

    if (!error)
        error = ext_changed(ext, exchange(ext, &a_place, &b_place));
    return error ? ext_error(error, e, "exchange %s and %s", a, b) : 0;
}

static errcode_t move(struct ext *ext, struct ext_place *from, struct ext_place *to)
{
    errcode_t error = ext_add_name(ext, to, from->node.inode, from->node.body.i_mode);

    if (!error)
        error = drop_name(ext, from);
    if (!error)
        error = move_parent(ext, &from->node, from->directory.inode, to->directory.inode);
    return error ? error : ext_touch(ext, from->node.inode, EXT_CHANGED);
}

int ext_rename(struct ext *ext, const char *from, const char *to, struct err *e)
{
    auto_place struct ext_place from_place = { 0 }, to_place = { 0 };
    errcode_t error = find_both(ext, from, to, false, &from_place, &to_place);

    if (!error)
        error = ext_changed(ext, move(ext, &from_place, &to_place));
    return error ? ext_error(error, e, "rename %s and %s", from, to) : 0;
}

/* ---- going --------------------------------------------------------------------------------- */

/* By their names: libext2fs tells the two apart by where they stand, which inline data has not. */
static bool is_dots(const struct ext2_dir_entry *entry)
{
    size_t len = (size_t)ext2fs_dirent_name_len(entry);

    return (len == 1 && entry->name[0] == '.') ||
           (len == 2 && entry->name[0] == '.' && entry->name[1] == '.');
}

static int see_entry(struct ext2_dir_entry *entry, int offset, int size, char *block, void *context)
{
    (void)offset;
    (void)size;
    (void)block;
    if (is_dots(entry))
        return 0;
    *(bool *)context = true;
    return DIRENT_ABORT;
}

static errcode_t may_go(struct ext *ext, const struct ext_place *place, bool directory)
{
    bool used = false;
    errcode_t error;

    if (!place->node.inode)
        return ENOENT;
    if (directory != !!S_ISDIR(place->node.body.i_mode))
        return directory ? ENOTDIR : EISDIR;
    if (!directory)
        return 0;
    error = ext2fs_dir_iterate(ext->fs, place->node.inode, 0, ext->block, see_entry, &used);
    return error ? error : used ? ENOTEMPTY : 0;
}

static errcode_t go(struct ext *ext, const struct ext_place *place, bool directory)
{
    errcode_t error = drop_name(ext, place);

    if (!error && directory)
        error = ext_add_links(ext, place->directory.inode, -1);
    return error ? error : ext_release(ext, place->node.inode);
}

int ext_unlink(struct ext *ext, const char *path, bool directory, struct err *e)
{
    auto_place struct ext_place place = { 0 };
    errcode_t error = ext_find_place(ext, path, &place);

    if (!error)
        error = may_go(ext, &place, directory);
    if (error)
        return ext_error(error, e, "remove %s", path);
    error = ext_changed(ext, go(ext, &place, directory));
    return error ? ext_error(error, e, "remove %s", path) : 0;
}
