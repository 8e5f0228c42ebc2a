/* SPDX-License-Identifier: MIT */
/*
 * An ext2, ext3 or ext4 by libext2fs, without the kernel: what the child of the direct door does
 * (direct_serve.c), each function one of the door's. Nothing is written before ext_commit. Private
 * to root/.
 *
 * "errcode_t" is an errno, or one of libext2fs's own numbers.
 */
#ifndef ROOT_EXT_H
#define ROOT_EXT_H

#include "root/ext_io.h"
#include "root/root.h"
#include "root/walk.h"

struct ext {
    ext2_filsys fs;
    struct ext_volume *volume;
    char *block; /* one block, for whoever needs it just now */
};

struct ext_node {
    ext2_ino_t inode;
    struct ext2_inode_large body;
};

static inline struct ext2_inode *ext_small(struct ext_node *node)
{
    return (struct ext2_inode *)&node->body;
}

/* ---- ext_open.c ------------------------------------------------------------------------ */

/* For ROOT_WRITE, only what nothing forbids to write. */
int ext_open(int fd, uint64_t offset, uint64_t size, enum root_access access, struct ext *ret,
             struct err *e) MUST_CHECK;
void ext_close(struct ext *ext);
/* Fills *e from an error of libext2fs, behind the words; returns -1. */
int ext_error(errcode_t error, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Free space and inodes, block size; as statfs(2) has them. */
void ext_facts(const struct ext *ext, struct root_facts *ret);

/* ---- ext_walk.c ------------------------------------------------------------------------ */

errcode_t ext_load(struct ext *ext, ext2_ino_t inode, struct ext_node *ret) MUST_CHECK;
/* EOPNOTSUPP where names are not what they look like: compared without case, or encrypted. */
errcode_t ext_refuse_names(const struct ext_node *directory) MUST_CHECK;
/* ENOENT where a directory has no such name. */
errcode_t ext_lookup(struct ext *ext, struct ext_node *directory, const char *name,
                     ext2_ino_t *ret) MUST_CHECK;
/* As walk_open: what the path leads to, and its canonical path, which may be NULL. */
errcode_t ext_walk(struct ext *ext, const char *path, enum walk_links links, char **ret_path,
                   struct ext_node *ret) MUST_CHECK;
/* Where a link leads, in a text of its own. */
errcode_t ext_link_target(struct ext *ext, struct ext_node *node, char **ret) MUST_CHECK;

/* ---- ext_read.c ------------------------------------------------------------------------ */

int ext_find(struct ext *ext, const char *path, bool follow, char **ret_path,
             struct root_stat *ret_stat, struct err *e) MUST_CHECK;
int ext_read(struct ext *ext, const char *path, size_t max, struct blob *ret,
             struct err *e) MUST_CHECK;
int ext_read_part(struct ext *ext, const char *path, uint64_t offset, size_t len, struct blob *ret,
                  struct err *e) MUST_CHECK;
int ext_readlink(struct ext *ext, const char *path, char **ret, struct err *e) MUST_CHECK;
int ext_list(struct ext *ext, const char *path, struct root_entry **ret, struct err *e) MUST_CHECK;

/* ---- ext_attributes.c ------------------------------------------------------------------ */

int ext_get_xattr(struct ext *ext, const char *path, const char *name, struct blob *ret,
                  struct err *e) MUST_CHECK;
int ext_list_xattrs(struct ext *ext, const char *path, char ***ret, struct err *e) MUST_CHECK;
int ext_describe(struct ext *ext, const char *path, char **ret_path, struct root_stat *ret_stat,
                 struct root_attributes *ret, struct err *e) MUST_CHECK;
void ext_fill_stat(const struct ext_node *node, struct root_stat *ret);

#define auto_ext auto_with(ext_close)

#endif
