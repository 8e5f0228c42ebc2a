/* SPDX-License-Identifier: MIT */
/*
 * What a door offers to root.c. Those that find, read and describe follow links; paths of all
 * others are canonical. For those who make one: door/ and ext/.
 */
#ifndef ROOT_DOOR_H
#define ROOT_DOOR_H

#include "root/root.h"

/* Which links of a path are followed. */
enum walk_links {
    WALK_FOLLOW,      /* every link */
    WALK_FOLLOW_DIRS, /* all but one at the end of the path */
    WALK_REFUSE,      /* none: the path is canonical, or no longer what it was */
};

struct root_door {
    int (*find)(const struct root *root, const char *path, bool follow, char **ret_path,
                struct root_stat *ret_stat, struct err *e);
    int (*read)(const struct root *root, const char *path, size_t max, struct blob *ret,
                struct err *e);
    int (*read_part)(const struct root *root, const char *path, uint64_t offset, size_t len,
                     struct blob *ret, struct err *e);
    int (*readlink)(const struct root *root, const char *path, char **ret, struct err *e);
    int (*list)(const struct root *root, const char *path, struct root_entry **ret, struct err *e);
    int (*get_xattr)(const struct root *root, const char *path, const char *name, struct blob *ret,
                     struct err *e);
    int (*list_xattrs)(const struct root *root, const char *path, char ***ret, struct err *e);
    int (*describe)(const struct root *root, const char *path, char **ret_path,
                    struct root_stat *ret_stat, struct root_attributes *ret, struct err *e);
    int (*facts)(const struct root *root, struct root_facts *ret, struct err *e);

    int (*create)(struct root *root, const char *path, const struct blob *content,
                  const struct root_meta *meta, struct err *e);
    int (*mkdir)(struct root *root, const char *path, const struct root_meta *meta, struct err *e);
    int (*symlink)(struct root *root, const char *path, const char *target,
                   const struct root_meta *meta, struct err *e);
    int (*exchange)(struct root *root, const char *a, const char *b, struct err *e);
    int (*rename)(struct root *root, const char *from, const char *to, struct err *e);
    int (*unlink)(struct root *root, const char *path, bool directory, struct err *e);
    int (*set_mode)(struct root *root, const char *path, mode_t mode, struct err *e);
    int (*set_owner)(struct root *root, const char *path, uid_t uid, gid_t gid, struct err *e);
    int (*set_xattr)(struct root *root, const char *path, const char *name,
                     const struct blob *value, struct err *e);
    int (*remove_xattr)(struct root *root, const char *path, const char *name, struct err *e);
    int (*set_flags)(struct root *root, const char *path, unsigned flags, struct err *e);
    int (*sync)(struct root *root, struct err *e);
    /* path is canonical; *beneath has come by the same door. */
    int (*attach)(struct root *root, const char *path, struct root **beneath, struct err *e);
    int (*close)(struct root *root, struct err *e);
};

/* The first member of what a door allocates. */
struct root {
    const struct root_door *door;
};

/* What every door asks before it reads a whole file, or a part of one: 0 or -1 with ERR_REFUSED. */
int door_may_read(const char *path, mode_t mode, uint64_t size, size_t max,
                  struct err *e) MUST_CHECK;
int door_may_read_part(const char *path, mode_t mode, uint64_t size, uint64_t offset, size_t len,
                       struct err *e) MUST_CHECK;

#endif
