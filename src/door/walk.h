/* SPDX-License-Identifier: MIT */
/*
 * The in-root walker: resolves a path below a directory descriptor as chroot(2)
 * would, on O_PATH descriptors, component by component. Absolute links and ".."
 * cannot leave the root; links of procfs count as plain text. The same result as
 * openat2(RESOLVE_IN_ROOT), on every kernel, and on mounts with nosymfollow.
 * Other file systems beneath the root are crossed into by name, at paths that were
 * canonical when they were put there: nothing is mounted anywhere for that.
 * Private to door/.
 */
#ifndef DOOR_WALK_H
#define DOOR_WALK_H

#include "root/door.h"

#include <stddef.h>

struct stat;

/* A file system opened beneath the root: what is at this path is its top. */
struct walk_mount {
    char *path; /* canonical */
    int fd;
};

struct walk_tree {
    int fd; /* the root directory */
    const struct walk_mount *mounts;
    size_t count;
};

/*
 * An O_PATH descriptor of what the path leads to, what it is, and its canonical path
 * (both may be NULL). -1 with errno: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, …
 */
int walk_open(const struct walk_tree *tree, const char *path, enum walk_links links,
              char **ret_path, struct stat *ret_stat) MUST_CHECK;

/* The same without the help of openat2(2), which walk_open takes where a path holds no link. */
int walk_by_steps(const struct walk_tree *tree, const char *path, enum walk_links links,
                  char **ret_path, struct stat *ret_stat) MUST_CHECK;

/* The directory that holds the last component of a canonical path, and that component. */
int walk_parent(const struct walk_tree *tree, const char *path, const char **ret_name) MUST_CHECK;

#endif
