/* SPDX-License-Identifier: MIT */
/* The door through the kernel: a root that is mounted, held by a descriptor. Private to door/. */
#ifndef DOOR_MOUNTED_H
#define DOOR_MOUNTED_H

#include "door/walk.h"
#include "root/door.h"

/* Takes over fd, a directory; facts.fs must outlive the root. */
struct root *mounted_root(int fd, const struct root_facts *facts, enum root_access access);
/* The device that was mounted for it, to mount another subvolume of; a directory has none. */
void mounted_set_device(struct root *root, const char *device);

/* What a root without mounting has to say to those who ask for more; returns -1. */
int mounted_only(struct err *e);

/* ---- between the reading and the writing half ----------------------------------------- */

struct mounted {
    struct root root;
    int fd;
    enum root_access access;
    struct root_facts facts;
    char *device; /* the loop device that is mounted; NULL: not ours */
    /* File systems beneath the root, in step with each other. */
    struct walk_mount *mounts;
    struct root **beneath;
    size_t mount_count;
};

static inline const struct mounted *mounted_of(const struct root *root)
{
    return (const struct mounted *)root;
}

static inline struct walk_tree mounted_tree(const struct root *root)
{
    const struct mounted *mounted = mounted_of(root);

    return (struct walk_tree){ .fd = mounted->fd,
                               .mounts = mounted->mounts,
                               .count = mounted->mount_count };
}

/* As walk_open, from the top of the root. */
int mounted_walk(const struct root *root, const char *path, enum walk_links links, char **ret_path,
                 struct stat *ret_stat) MUST_CHECK;

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
