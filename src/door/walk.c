/* SPDX-License-Identifier: MIT */
#include "door/walk.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The kernel's own limit (MAXSYMLINKS). */
enum { LINKS_MAX = 40 };

/* The directories walked through so far, the root apart; the last may be something else. */
struct trail {
    const struct walk_tree *tree;
    struct trail_step {
        int fd;
        char *name;
    } * steps;
    size_t depth;
};

static void trail_push(struct trail *trail, int fd, const char *name)
{
    struct trail_step step = { .fd = fd, .name = xstrdup(name) };

    array_push(trail->steps, trail->depth, step);
}

static void trail_pop(struct trail *trail)
{
    struct trail_step *last = &trail->steps[--trail->depth];

    close(last->fd);
    free(last->name);
}

static void trail_free(struct trail *trail)
{
    while (trail->depth > 0)
        trail_pop(trail);
    free(trail->steps);
}

static int trail_top(const struct trail *trail)
{
    return trail->depth ? trail->steps[trail->depth - 1].fd : trail->tree->fd;
}

/* The last descriptor, for somebody else to close. */
static int trail_take(struct trail *trail)
{
    int fd;

    if (trail->depth == 0)
        return fcntl(trail->tree->fd, F_DUPFD_CLOEXEC, 0);
    fd = trail->steps[--trail->depth].fd;
    free(trail->steps[trail->depth].name);
    return fd;
}

static char *trail_path(const struct trail *trail)
{
    size_t len = 1;
    char *path, *end;

    for (size_t i = 0; i < trail->depth; i++)
        len += strlen(trail->steps[i].name) + 1;
    path = end = xcalloc(len + 1, 1);
    for (size_t i = 0; i < trail->depth; i++)
        end = stpcpy(stpcpy(end, "/"), trail->steps[i].name);
    if (trail->depth == 0)
        *path = '/';
    return path;
}

/* What a link says, in front of what was left to walk. */
static char *link_target(int link_fd, const char *rest)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(link_fd, "", target, sizeof target - 1);

    if (len < 0)
        return NULL;
    if (len == 0 || (size_t)len + strlen(rest) + 2 > PATH_MAX) {
        errno = len == 0 ? ENOENT : ENAMETOOLONG;
        return NULL;
    }
    target[len] = '\0';
    return *rest ? xasprintf("%s/%s", target, rest) : xstrdup(target);
}

struct walk {
    struct trail trail;
    char *rest; /* owned; what is left of the path */
    enum walk_links links;
    int links_left;
    struct stat stat; /* of the last step, where it was looked at */
    bool stat_known;
};

static int follow(struct walk *walk, int link_fd, const char *rest)
{
    char *spliced;

    if (walk->links == WALK_REFUSE || walk->links_left-- == 0) {
        errno = ELOOP;
        return -1;
    }
    spliced = link_target(link_fd, rest);
    if (!spliced)
        return -1;
    if (*spliced == '/')
        while (walk->trail.depth > 0)
            trail_pop(&walk->trail);
    free(walk->rest);
    walk->rest = spliced;
    return 0;
}

/* What has just been stepped into is the top of another file system, where one is put there. */
static int cross(struct walk *walk)
{
    const struct walk_tree *tree = walk->trail.tree;
    auto_free char *path = tree->count ? trail_path(&walk->trail) : NULL;
    int *top = &walk->trail.steps[walk->trail.depth - 1].fd;

    for (size_t i = 0; i < tree->count; i++) {
        if (strcmp(tree->mounts[i].path, path) == 0) {
            int fd = fcntl(tree->mounts[i].fd, F_DUPFD_CLOEXEC, 0);

            if (fd < 0)
                return -1;
            close(*top);
            *top = fd;
            walk->stat_known = false;
            break;
        }
    }
    return 0;
}

/* ".." of the root is the root. */
static int step_dots(struct walk *walk, size_t len)
{
    if (len == 2 && walk->trail.depth > 0)
        trail_pop(&walk->trail);
    return 0;
}

/*
 * One component by name. What is in the middle of a path is nearly always a
 * directory: asked for as one, the kernel tells links apart for us.
 */
static int step_name(struct walk *walk, const char *name, const char *rest, bool directory)
{
    int top = trail_top(&walk->trail);
    auto_fd int fd = -1;
    struct stat stat;

    if (directory) {
        fd = openat(top, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            trail_push(&walk->trail, take_fd(&fd), name);
            return cross(walk);
        }
        if (errno != ENOTDIR)
            return -1;
    }
    fd = openat(top, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) < 0)
        return -1;
    if (S_ISLNK(stat.st_mode) && (directory || walk->links != WALK_FOLLOW_DIRS))
        return follow(walk, fd, directory && !*rest ? "." : rest) < 0 ? -1 : 1;
    if (directory) {
        errno = ENOTDIR;
        return -1;
    }
    walk->stat = stat;
    walk->stat_known = true;
    trail_push(&walk->trail, take_fd(&fd), name);
    return cross(walk);
}

/* Takes one component off the rest of the path; 0 or -1 with errno. */
static int step(struct walk *walk)
{
    size_t len = strcspn(walk->rest, "/");
    size_t blank = strspn(walk->rest + len, "/");
    const char *rest = walk->rest + len + blank;
    auto_free char *name = xstrndup(walk->rest, len);
    bool dots = len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    int result = dots ? step_dots(walk, len) : step_name(walk, name, rest, blank > 0);

    walk->stat_known = walk->stat_known && result == 0 && !dots;
    /* A link has put its own path in front of the rest. */
    if (result == 0)
        memmove(walk->rest, rest, strlen(rest) + 1);
    return result < 0 ? -1 : 0;
}

static int finish(struct walk *walk, char **ret_path, struct stat *ret_stat)
{
    auto_free char *path = ret_path ? trail_path(&walk->trail) : NULL;
    int fd = trail_take(&walk->trail);

    if (fd < 0)
        return -1;
    if (ret_stat && walk->stat_known)
        *ret_stat = walk->stat;
    else if (ret_stat && fstat(fd, ret_stat) < 0) {
        close(fd);
        return -1;
    }
    if (ret_path)
        *ret_path = take_ptr(path);
    return fd;
}

int walk_by_steps(const struct walk_tree *tree, const char *path, enum walk_links links,
                  char **ret_path, struct stat *ret_stat)
{
    struct walk walk = {
        .trail = { .tree = tree }, .rest = xstrdup(path), .links = links, .links_left = LINKS_MAX
    };
    int result = 0, saved;

    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        result = -1;
    }
    while (result == 0 && *walk.rest)
        result = step(&walk);
    if (result == 0)
        result = finish(&walk, ret_path, ret_stat);
    saved = errno;
    trail_free(&walk.trail);
    free(walk.rest);
    errno = saved;
    return result;
}

/* ---- in one go ------------------------------------------------------------------------ */

/* The path without what says nothing: "//usr/./lib/" is "/usr/lib". NULL where it has "..". */
static char *plain_path(const char *path)
{
    auto_free char *plain = xcalloc(strlen(path) + 2, 1);
    char *end = plain;

    while (*(path += strspn(path, "/"))) {
        size_t len = strcspn(path, "/");

        if (len == 2 && path[0] == '.' && path[1] == '.')
            return NULL;
        if (len != 1 || path[0] != '.') {
            *end++ = '/';
            end = mempcpy(end, path, len);
        }
        path += len;
    }
    if (end == plain)
        *end = '/';
    return take_ptr(plain);
}

/* What stands at the end of a path may be a link, and is then not followed; nothing else may. */
static int open_without_links(int root_fd, const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                  .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };

    return (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
}

/* The file system that a path without links is on; the rest of the path, from its top on. */
static int innermost(const struct walk_tree *tree, const char *plain, const char **ret_rest)
{
    const struct walk_mount *found = NULL;
    size_t len = 0;

    for (size_t i = 0; i < tree->count; i++) {
        const struct walk_mount *mount = &tree->mounts[i];
        size_t mount_len = strlen(mount->path);

        if (mount_len > len && text_is_within(plain, mount->path)) {
            found = mount;
            len = mount_len;
        }
    }
    *ret_rest = plain[len] ? plain + len : "/";
    return found ? found->fd : tree->fd;
}

/* "file/" and "file/." are no way to a file; a plain path has lost what tells. */
static bool wants_directory(const char *path)
{
    size_t len = strlen(path);

    return len > 1 && (path[len - 1] == '/' || path[len - 1] == '.');
}

/*
 * Most paths hold no link: the kernel resolves those in one call, and the canonical path is the
 * path itself. False where the walker has to: a link, "..", a kernel before 5.6.
 */
static bool walk_at_once(const struct walk_tree *tree, const char *path, enum walk_links links,
                         char **ret_path, struct stat *ret_stat, int *ret_fd)
{
    auto_free char *plain = plain_path(path);
    const char *rest;
    auto_fd int fd = -1;
    struct stat stat;
    int top;

    if (!plain || (tree->count && wants_directory(path)))
        return false;
    top = innermost(tree, plain, &rest);
    fd = open_without_links(top, tree->count ? rest : *path ? path : "/");
    if (fd < 0) {
        *ret_fd = -1;
        return errno == ENOENT || errno == ENOTDIR;
    }
    if (fstat(fd, &stat) < 0 || (S_ISLNK(stat.st_mode) && links != WALK_FOLLOW_DIRS))
        return false;
    if (ret_stat)
        *ret_stat = stat;
    if (ret_path)
        *ret_path = take_ptr(plain);
    *ret_fd = take_fd(&fd);
    return true;
}

int walk_open(const struct walk_tree *tree, const char *path, enum walk_links links,
              char **ret_path, struct stat *ret_stat)
{
    int fd;

    if (walk_at_once(tree, path, links, ret_path, ret_stat, &fd))
        return fd;
    return walk_by_steps(tree, path, links, ret_path, ret_stat);
}

int walk_parent(const struct walk_tree *tree, const char *path, const char **ret_name)
{
    auto_free char *directory = text_above(path);

    *ret_name = text_base_name(path);
    return walk_open(tree, directory, WALK_REFUSE, NULL, NULL);
}
