/* SPDX-License-Identifier: MIT */
#include "root/walk.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel's own limit (MAXSYMLINKS). */
enum { LINKS_MAX = 40 };

/* The directories walked through so far; the first is the root, and never popped. */
struct trail {
    int *fds;
    char **names;
    size_t depth;
    size_t fd_count, name_count;
};

static void trail_push(struct trail *trail, int fd, const char *name)
{
    char *copy = xstrdup(name);

    trail->fd_count = trail->name_count = trail->depth;
    array_push(trail->fds, trail->fd_count, fd);
    array_push(trail->names, trail->name_count, copy);
    trail->depth++;
}

static void trail_pop(struct trail *trail)
{
    trail->depth--;
    close(trail->fds[trail->depth]);
    free(trail->names[trail->depth]);
}

static void trail_free(struct trail *trail)
{
    while (trail->depth > 0)
        trail_pop(trail);
    free(trail->fds);
    free(trail->names);
}

static int trail_top(const struct trail *trail)
{
    return trail->fds[trail->depth - 1];
}

static char *trail_path(const struct trail *trail)
{
    char *path = xstrdup(trail->depth > 1 ? "" : "/");

    for (size_t i = 1; i < trail->depth; i++) {
        char *longer = xasprintf("%s/%s", path, trail->names[i]);

        free(path);
        path = longer;
    }
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
        while (walk->trail.depth > 1)
            trail_pop(&walk->trail);
    free(walk->rest);
    walk->rest = spliced;
    return 0;
}

/* Takes one component off the rest of the path; 0 or -1 with errno. */
static int step(struct walk *walk)
{
    size_t len = strcspn(walk->rest, "/");
    size_t blank = strspn(walk->rest + len, "/");
    const char *rest = walk->rest + len + blank;
    auto_free char *name = xstrndup(walk->rest, len);
    auto_fd int fd = -1;
    struct stat stat;

    if (len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        /* ".." of a file is an error; of the root it is the root. */
        if (fstat(trail_top(&walk->trail), &stat) < 0)
            return -1;
        if (len > 0 && !S_ISDIR(stat.st_mode)) {
            errno = ENOTDIR;
            return -1;
        }
        if (len == 2 && walk->trail.depth > 1)
            trail_pop(&walk->trail);
        memmove(walk->rest, rest, strlen(rest) + 1);
        return 0;
    }
    fd = openat(trail_top(&walk->trail), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) < 0)
        return -1;
    if (S_ISLNK(stat.st_mode) && (*rest || blank || walk->links != WALK_FOLLOW_DIRS))
        return follow(walk, fd, blank && !*rest ? "." : rest);
    if (blank && !S_ISDIR(stat.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    trail_push(&walk->trail, take_fd(&fd), name);
    memmove(walk->rest, rest, strlen(rest) + 1);
    return 0;
}

int walk_open(int root_fd, const char *path, enum walk_links links, char **ret_path)
{
    struct walk walk = { .rest = xstrdup(path), .links = links, .links_left = LINKS_MAX };
    int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0), result = fd < 0 ? -1 : 0, saved;

    if (fd >= 0)
        trail_push(&walk.trail, fd, "");
    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        result = -1;
    }
    while (result == 0 && *walk.rest)
        result = step(&walk);
    if (result == 0) {
        result = fcntl(trail_top(&walk.trail), F_DUPFD_CLOEXEC, 0);
        if (result >= 0 && ret_path)
            *ret_path = trail_path(&walk.trail);
    }
    saved = errno;
    trail_free(&walk.trail);
    free(walk.rest);
    errno = saved;
    return result;
}

int walk_parent(int root_fd, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    auto_free char *directory = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");

    *ret_name = slash ? slash + 1 : path;
    return walk_open(root_fd, directory, WALK_REFUSE, NULL);
}
