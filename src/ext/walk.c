/* SPDX-License-Identifier: MIT */
/*
 * The in-root walker once more (walk.c), on inode numbers: ".." goes back the way it came and
 * never asks the disk, so that no link and no damaged directory can lead anywhere else.
 */
#include "ext/ext.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel's own limit (MAXSYMLINKS). */
enum { LINKS_MAX = 40 };

errcode_t ext_load(struct ext *ext, ext2_ino_t inode, struct ext_node *ret)
{
    struct ext_node node = { .inode = inode };
    errcode_t error =
        ext2fs_read_inode_full(ext->fs, inode, ext_small(&node), (int)sizeof node.body);

    if (!error && (node.body.i_links_count == 0 || node.body.i_mode == 0))
        error = EXT2_ET_INODE_CORRUPTED; /* a name that leads to what is deleted */
    if (!error)
        *ret = node;
    return error;
}

errcode_t ext_refuse_names(const struct ext_node *directory)
{
    if (directory->body.i_flags & EXT4_ENCRYPT_FL)
        return EXT_ENCRYPTED;
    return directory->body.i_flags & EXT4_CASEFOLD_FL ? EXT_CASEFOLDED : 0;
}

errcode_t ext_lookup(struct ext *ext, struct ext_node *directory, const char *name, ext2_ino_t *ret)
{
    errcode_t error = ext_refuse_names(directory);

    if (error)
        return error;
    if (strlen(name) > EXT2_NAME_LEN)
        return ENAMETOOLONG;
    if (ext_index_find(ext, directory, name, ret))
        return *ret ? 0 : ENOENT;
    error = ext2fs_lookup(ext->fs, directory->inode, name, (int)strlen(name), ext->block, ret);
    return error == EXT2_ET_FILE_NOT_FOUND ? ENOENT : error;
}

/* ---- links --------------------------------------------------------------------------------- */

static errcode_t slow_target(struct ext *ext, struct ext_node *node, char *target, size_t len)
{
    blk64_t block = 0;
    int flags = 0;
    errcode_t error;

    if (len > ext->fs->blocksize)
        return EXT2_ET_INODE_CORRUPTED;
    error = ext2fs_bmap2(ext->fs, node->inode, ext_small(node), NULL, 0, 0, &flags, &block);
    if (!error && block == 0)
        error = EXT2_ET_INODE_CORRUPTED;
    if (!error)
        error = io_channel_read_blk64(ext->fs->io, block, 1, ext->block);
    if (!error)
        memcpy(target, ext->block, len);
    return error;
}

static errcode_t inline_target(struct ext *ext, struct ext_node *node, char *target, size_t len)
{
    size_t size = 0;
    errcode_t error = ext2fs_inline_data_size(ext->fs, node->inode, &size);

    if (error || size > ext->fs->blocksize)
        return error ? error : EXT2_ET_INODE_CORRUPTED;
    error = ext2fs_inline_data_get(ext->fs, node->inode, ext_small(node), ext->block, &size);
    if (error || len > size)
        return error ? error : EXT2_ET_INODE_CORRUPTED;
    memcpy(target, ext->block, len);
    return 0;
}

errcode_t ext_link_target(struct ext *ext, struct ext_node *node, char **ret)
{
    uint64_t len = EXT2_I_SIZE(&node->body);
    auto_free char *target = NULL;
    errcode_t error = 0;

    if (!S_ISLNK(node->body.i_mode))
        return EINVAL;
    if (len == 0 || len >= PATH_MAX)
        return len ? ENAMETOOLONG : ENOENT;
    if (node->body.i_flags & EXT4_ENCRYPT_FL)
        return EXT_ENCRYPTED;
    target = xcalloc((size_t)len + 1, 1);
    if (node->body.i_flags & EXT4_INLINE_DATA_FL)
        error = inline_target(ext, node, target, (size_t)len);
    else if (ext2fs_is_fast_symlink(ext_small(node)))
        memcpy(target, node->body.i_block, (size_t)len);
    else
        error = slow_target(ext, node, target, (size_t)len);
    if (!error && strlen(target) == 0)
        error = ENOENT;
    if (!error)
        *ret = take_ptr(target);
    return error;
}

/* ---- borders --------------------------------------------------------------------------- */

void ext_put_above(struct ext *ext, const char *path, uint64_t number)
{
    free(ext->borders.above);
    ext->borders.above = xstrdup(path);
    ext->borders.number = number;
}

void ext_put_stop(struct ext *ext, const char *path)
{
    char *copy = xstrdup(path);

    array_push(ext->borders.stops, ext->borders.stop_count, copy);
}

void ext_borders_free(struct ext_borders *borders)
{
    for (size_t i = 0; i < borders->stop_count; i++)
        free(borders->stops[i]);
    free(borders->stops);
    free(borders->above);
    free(borders->elsewhere);
    *borders = (struct ext_borders){ 0 };
}

static bool is_stop(const struct ext_borders *borders, const char *path)
{
    for (size_t i = 0; i < borders->stop_count; i++)
        if (strcmp(borders->stops[i], path) == 0)
            return true;
    return false;
}

static errcode_t leave(struct ext *ext, const char *directory, const char *rest)
{
    free(ext->borders.elsewhere);
    ext->borders.elsewhere = xasprintf("%s%s%s", directory, *rest || !*directory ? "/" : "", rest);
    return EXT_ELSEWHERE;
}

/* ---- walking ------------------------------------------------------------------------------- */

struct ext_step {
    struct ext_node node;
    char *name;
};

struct ext_walk {
    struct ext *ext;
    struct ext_node top; /* the root */
    struct ext_step *steps;
    size_t depth;
    char *rest;
    enum walk_links links;
    int links_left;
};

static void pop(struct ext_walk *walk)
{
    free(walk->steps[--walk->depth].name);
}

static void walk_free(struct ext_walk *walk)
{
    while (walk->depth > 0)
        pop(walk);
    free(walk->steps);
    free(walk->rest);
}

static struct ext_node *here(struct ext_walk *walk)
{
    return walk->depth ? &walk->steps[walk->depth - 1].node : &walk->top;
}

/* What a link says, in front of what is left to walk. */
static errcode_t follow(struct ext_walk *walk, struct ext_node *link, const char *rest)
{
    auto_free char *target = NULL;
    char *spliced;
    errcode_t error;

    if (walk->links == WALK_REFUSE || walk->links_left-- == 0)
        return ELOOP;
    error = ext_link_target(walk->ext, link, &target);
    if (error)
        return error;
    if (strlen(target) + strlen(rest) + 2 > PATH_MAX)
        return ENAMETOOLONG;
    if (*target == '/' && walk->ext->borders.above)
        return leave(walk->ext, target, rest);
    spliced = *rest ? xasprintf("%s/%s", target, rest) : xstrdup(target);
    if (*spliced == '/')
        while (walk->depth > 0)
            pop(walk);
    free(walk->rest);
    walk->rest = spliced;
    return 0;
}

static char *path_of(const struct ext_walk *walk)
{
    const char *above = walk->ext->borders.above ? walk->ext->borders.above : "";
    size_t len = strlen(above) + 2;
    char *path, *end;

    for (size_t i = 0; i < walk->depth; i++)
        len += strlen(walk->steps[i].name) + 1;
    path = xcalloc(len, 1);
    end = stpcpy(path, above);
    for (size_t i = 0; i < walk->depth; i++)
        end = stpcpy(stpcpy(end, "/"), walk->steps[i].name);
    if (end == path)
        *path = '/';
    return path;
}

/* One component by name; directory: more of the path, or a slash, is behind it. */
static errcode_t step_name(struct ext_walk *walk, const char *name, const char *rest,
                           bool directory, bool *ret_followed)
{
    struct ext_step step = { 0 };
    ext2_ino_t inode;
    errcode_t error;

    if (!S_ISDIR(here(walk)->body.i_mode))
        return ENOTDIR;
    error = ext_lookup(walk->ext, here(walk), name, &inode);
    if (!error)
        error = ext_load(walk->ext, inode, &step.node);
    if (error)
        return error;
    if (S_ISLNK(step.node.body.i_mode) && (directory || walk->links != WALK_FOLLOW_DIRS)) {
        *ret_followed = true;
        return follow(walk, &step.node, directory && !*rest ? "." : rest);
    }
    if (directory && !S_ISDIR(step.node.body.i_mode))
        return ENOTDIR;
    step.name = xstrdup(name);
    array_push(walk->steps, walk->depth, step);
    if (walk->ext->borders.stop_count && S_ISDIR(step.node.body.i_mode)) {
        auto_free char *path = path_of(walk);

        if (is_stop(&walk->ext->borders, path))
            return leave(walk->ext, path, directory && !*rest ? "." : rest);
    }
    return 0;
}

/* The way up from the top is that of the tree. */
static errcode_t step_up(struct ext_walk *walk, const char *rest)
{
    auto_free char *above = NULL;

    if (walk->depth > 0) {
        pop(walk);
        return 0;
    }
    if (!walk->ext->borders.above)
        return 0;
    above = text_above(walk->ext->borders.above);
    return leave(walk->ext, above, rest);
}

static errcode_t step(struct ext_walk *walk)
{
    size_t len = strcspn(walk->rest, "/");
    size_t slashes = strspn(walk->rest + len, "/");
    const char *rest = walk->rest + len + slashes;
    auto_free char *name = xstrndup(walk->rest, len);
    bool followed = false;
    errcode_t error = 0;

    if (strcmp(name, "..") == 0)
        error = step_up(walk, rest);
    else if (len > 0 && strcmp(name, ".") != 0)
        error = step_name(walk, name, rest, slashes > 0, &followed);
    if (!error && !followed)
        memmove(walk->rest, rest, strlen(rest) + 1);
    return error;
}

errcode_t ext_walk(struct ext *ext, const char *path, enum walk_links links, char **ret_path,
                   struct ext_node *ret)
{
    const char *above = ext->borders.above ? ext->borders.above : "";
    auto_with(
        walk_free) struct ext_walk walk = { .ext = ext, .links = links, .links_left = LINKS_MAX };
    errcode_t error = strlen(path) >= PATH_MAX ? ENAMETOOLONG : 0;

    if (!error && *above && !text_is_within(path, above))
        return leave(ext, "", path);
    walk.rest = xstrdup(path + (error ? 0 : strlen(above)));
    if (!error)
        error = ext_load(ext, EXT2_ROOT_INO, &walk.top);
    if (!error && !S_ISDIR(walk.top.body.i_mode))
        error = EXT2_ET_NO_DIRECTORY;
    while (!error && *walk.rest)
        error = step(&walk);
    if (error)
        return error;
    if (ret_path)
        *ret_path = path_of(&walk);
    *ret = *here(&walk);
    return 0;
}
