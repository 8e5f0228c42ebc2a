/* SPDX-License-Identifier: MIT */
/* The door through the kernel: a root that is mounted, held by a descriptor. Private to root/. */
#ifndef ROOT_MOUNTED_H
#define ROOT_MOUNTED_H

#include "root/door.h"
#include "root/walk.h"

/* Takes over fd, a directory; facts.fs must outlive the root. */
struct root *mounted_root(int fd, const struct root_facts *facts, enum root_access access);

/* ---- between the reading and the writing half ----------------------------------------- */

struct mounted {
    struct root root;
    int fd;
    enum root_access access;
    struct root_facts facts;
};

static inline const struct mounted *mounted_of(const struct root *root)
{
    return (const struct mounted *)root;
}

/* A descriptor for reading, or for changing metadata, of a regular file or directory. */
int mounted_open(const struct root *root, const char *path, enum walk_links links,
                 struct err *e) MUST_CHECK;

int mounted_create(struct root *root, const char *path, const struct blob *content,
                   const struct root_meta *meta, struct err *e);
int mounted_symlink(struct root *root, const char *path, const char *target,
                    const struct root_meta *meta, struct err *e);
int mounted_mkdir(struct root *root, const char *path, const struct root_meta *meta, struct err *e);
int mounted_exchange(struct root *root, const char *a, const char *b, struct err *e);
int mounted_rename(struct root *root, const char *from, const char *to, struct err *e);
int mounted_unlink(struct root *root, const char *path, bool directory, struct err *e);
int mounted_set_mode(struct root *root, const char *path, mode_t mode, struct err *e);
int mounted_set_owner(struct root *root, const char *path, uid_t uid, gid_t gid, struct err *e);
int mounted_set_xattr(struct root *root, const char *path, const char *name,
                      const struct blob *value, struct err *e);
int mounted_remove_xattr(struct root *root, const char *path, const char *name, struct err *e);
int mounted_set_flags(struct root *root, const char *path, unsigned flags, struct err *e);
int mounted_sync(struct root *root, struct err *e);

#endif
