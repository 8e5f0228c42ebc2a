/* SPDX-License-Identifier: MIT */
/*
 * An ext2, ext3 or ext4 by libext2fs, without the kernel: what the child of the direct door does
 * (door/direct_serve.c), each function one of the door's. Nothing is written before ext_commit.
 *
 * "errcode_t" is an errno, or one of libext2fs's own numbers.
 */
#ifndef EXT_EXT_H
#define EXT_EXT_H

#include "ext/volume.h"
#include "root/door.h"

#include <errno.h>
#include <search.h>

/* The names of one directory. */
struct ext_index {
    ext2_ino_t directory; /* 0: none */
    char *names;
    struct hsearch_data table;
};

/* A prime: directories often begin at multiples of the inodes of a group. */
enum { EXT_INDEXES = 61 };

/* Where it borders on others of one tree. A walk that crosses ends with EXT_ELSEWHERE. */
struct ext_borders {
    char *above;  /* what it is mounted on, canonical; NULL: it is the top of the tree */
    char **stops; /* what others are mounted on, canonical */
    size_t stop_count;
    uint64_t number; /* of it in the tree */
    char *elsewhere; /* the path, from the top of the tree, that is left to be walked; NULL: none */
};

/* What the journal holds that has not reached its places, and what became of it. */
enum ext_journal {
    EXT_JOURNAL_EMPTY,  /* nothing */
    EXT_JOURNAL_READ,   /* what is read is what the next mount shows */
    EXT_JOURNAL_UNREAD, /* not all of it could be read: what is read may be older */
};

struct ext {
    ext2_filsys fs;
    struct ext_borders borders;
    struct ext_volume *volume;
    enum ext_journal journal;
    struct volume_log *log;                /* NULL: none */
    char *block;                           /* one block, for whoever needs it just now */
    struct ext_index indexes[EXT_INDEXES]; /* each in the slot of its inode */
    bool broken; /* a change has not come to its end: nothing may reach the disk any more */
};

struct ext_node {
    ext2_ino_t inode;
    struct ext2_inode_large body;
};

static inline struct ext2_inode *ext_small(struct ext_node *node)
{
    return (struct ext2_inode *)&node->body;
}

/* ---- open.c ---------------------------------------------------------------------------- */

/*
 * For ROOT_WRITE, only what nothing forbids to write. backup: KiB to the copy of the superblock
 * that is to be read by; 0: the first.
 */
int ext_open(int fd, uint64_t offset, uint64_t size, uint64_t backup, enum root_access access,
             struct ext *ret, struct err *e) MUST_CHECK;
void ext_close(struct ext *ext);
/* Fills *e from an error of libext2fs, behind the words; returns -1. */
int ext_error(errcode_t error, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Free space and inodes, block size; as statfs(2) has them. */
void ext_facts(const struct ext *ext, struct root_facts *ret);

/* ---- walk.c ---------------------------------------------------------------------------- */

errcode_t ext_load(struct ext *ext, ext2_ino_t inode, struct ext_node *ret) MUST_CHECK;
/* What cannot be read for what it is; errnos that nothing else here has. */
enum { EXT_ENCRYPTED = ENOKEY, EXT_CASEFOLDED = EXDEV, EXT_ELSEWHERE = EREMOTE };

/* From now on it is found at this path of a tree, or another one is; both canonical. */
void ext_put_above(struct ext *ext, const char *path, uint64_t number);
void ext_put_stop(struct ext *ext, const char *path);
void ext_borders_free(struct ext_borders *borders);

/* An error where names are not what they look like: compared without case, or encrypted. */
errcode_t ext_refuse_names(const struct ext_node *directory) MUST_CHECK;
/* ENOENT where a directory has no such name. */
errcode_t ext_lookup(struct ext *ext, struct ext_node *directory, const char *name,
                     ext2_ino_t *ret) MUST_CHECK;
/* As walk_open: what the path leads to, and its canonical path, which may be NULL. */
errcode_t ext_walk(struct ext *ext, const char *path, enum walk_links links, char **ret_path,
                   struct ext_node *ret) MUST_CHECK;
/* Where a link leads, in a text of its own. */
errcode_t ext_link_target(struct ext *ext, struct ext_node *node, char **ret) MUST_CHECK;

/* ---- index.c ----------------------------------------------------------------------------- */

/* False where a directory has none; inode 0: no such name. */
bool ext_index_find(struct ext *ext, const struct ext_node *directory, const char *name,
                    ext2_ino_t *ret) MUST_CHECK;
void ext_index_forget(struct ext *ext);

/* What a change has come to, from the first thing on that it changes. */
static inline errcode_t ext_changed(struct ext *ext, errcode_t error)
{
    ext_index_forget(ext);
    ext->broken = ext->broken || error;
    return error;
}

/* ---- read.c ---------------------------------------------------------------------------- */

int ext_find(struct ext *ext, const char *path, bool follow, char **ret_path,
             struct root_stat *ret_stat, struct err *e) MUST_CHECK;
int ext_read_part(struct ext *ext, const char *path, uint64_t offset, size_t len, struct blob *ret,
                  struct err *e) MUST_CHECK;
int ext_readlink(struct ext *ext, const char *path, char **ret, struct err *e) MUST_CHECK;
int ext_list(struct ext *ext, const char *path, struct root_entry **ret, struct err *e) MUST_CHECK;
/* No name that the kernel would not give out either (fs/readdir.c, verify_dirent_name). */
bool ext_is_name(const char *name, size_t len);

/* ---- attributes.c ---------------------------------------------------------------------- */

int ext_get_xattr(struct ext *ext, const char *path, const char *name, struct blob *ret,
                  struct err *e) MUST_CHECK;
int ext_list_xattrs(struct ext *ext, const char *path, char ***ret, struct err *e) MUST_CHECK;
int ext_describe(struct ext *ext, const char *path, char **ret_path, struct root_stat *ret_stat,
                 struct root_attributes *ret, struct err *e) MUST_CHECK;
void ext_fill_stat(const struct ext *ext, const struct ext_node *node, struct root_stat *ret);

/* An attribute of what the walk has found; hidden ones are as if they were not there. */
errcode_t ext_attribute(struct ext *ext, const struct ext_node *node, const char *name,
                        struct blob *ret) MUST_CHECK;
/* NULL: removes it. */
errcode_t ext_store_attribute(struct ext *ext, ext2_ino_t inode, const char *name,
                              const struct blob *value) MUST_CHECK;

/* ---- inode.c: one inode ---------------------------------------------------------------- */

enum ext_times {
    EXT_CHANGED = 1, /* ctime */
    EXT_WRITTEN = 2, /* mtime and ctime */
    EXT_BORN = 4,    /* all there are */
};

errcode_t ext_store(struct ext *ext, struct ext_node *node, enum ext_times times) MUST_CHECK;
/* The same for whatever it is by now. */
errcode_t ext_touch(struct ext *ext, ext2_ino_t inode, enum ext_times times) MUST_CHECK;
errcode_t ext_add_links(struct ext *ext, ext2_ino_t inode, int more) MUST_CHECK;
/* Room for a new inode near its directory; for mkdir and symlink of libext2fs, which count it. */
errcode_t ext_new_inode(struct ext *ext, const struct ext_node *directory, mode_t mode,
                        ext2_ino_t *ret) MUST_CHECK;
errcode_t ext_new_file(struct ext *ext, const struct ext_node *directory, mode_t mode,
                       const struct blob *content, ext2_ino_t *ret) MUST_CHECK;
/* Mode, owner, label, times of what is new. */
errcode_t ext_dress(struct ext *ext, ext2_ino_t inode, const struct root_meta *meta) MUST_CHECK;
/* One name less; what has none left goes. */
errcode_t ext_release(struct ext *ext, ext2_ino_t inode) MUST_CHECK;

/* ---- names.c: what is in a directory --------------------------------------------------- */

/* A name in a directory, and what it leads to, whatever that is. */
struct ext_place {
    struct ext_node directory;
    char *name;
    struct ext_node node; /* inode 0: nothing */
};
void ext_place_free(struct ext_place *place);

/* The place that a canonical path names. */
errcode_t ext_find_place(struct ext *ext, const char *path, struct ext_place *ret) MUST_CHECK;
errcode_t ext_add_name(struct ext *ext, const struct ext_place *place, ext2_ino_t inode,
                       mode_t mode) MUST_CHECK;

int ext_exchange(struct ext *ext, const char *a, const char *b, struct err *e) MUST_CHECK;
int ext_rename(struct ext *ext, const char *from, const char *to, struct err *e) MUST_CHECK;
int ext_unlink(struct ext *ext, const char *path, bool directory, struct err *e) MUST_CHECK;

/* ---- create.c -------------------------------------------------------------------------- */

int ext_create(struct ext *ext, const char *path, const struct blob *content,
               const struct root_meta *meta, struct err *e) MUST_CHECK;
int ext_mkdir(struct ext *ext, const char *path, const struct root_meta *meta,
              struct err *e) MUST_CHECK;
int ext_symlink(struct ext *ext, const char *path, const char *target, const struct root_meta *meta,
                struct err *e) MUST_CHECK;

/* ---- change.c -------------------------------------------------------------------------- */

int ext_set_mode(struct ext *ext, const char *path, mode_t mode, struct err *e) MUST_CHECK;
int ext_set_owner(struct ext *ext, const char *path, uid_t uid, gid_t gid,
                  struct err *e) MUST_CHECK;
int ext_set_xattr(struct ext *ext, const char *path, const char *name, const struct blob *value,
                  struct err *e) MUST_CHECK;
int ext_remove_xattr(struct ext *ext, const char *path, const char *name, struct err *e) MUST_CHECK;
int ext_set_flags(struct ext *ext, const char *path, unsigned flags, struct err *e) MUST_CHECK;

/* ---- commit.c, journal.c ----------------------------------------------------------- */

/* All that was changed reaches the disk, or nothing does. After an error nothing may be changed. */
int ext_commit(struct ext *ext, struct err *e) MUST_CHECK;
/*
 * The same for the changed blocks alone, by way of the file system's journal; among them is the
 * superblock, which says that the journal is needed.
 */
int journal_commit(struct ext *ext, struct err *e) MUST_CHECK;
/* There is one, and nothing is in it; the bitmaps have been read. */
bool journal_is_empty(struct ext *ext);

/* ---- recovery.c ------------------------------------------------------------------------ */

/* Of a journal that is needed, for reading. *ret is NULL where none of it is to be read. */
enum ext_journal journal_recover(struct ext *ext, struct volume_log **ret) MUST_CHECK;

#define auto_ext auto_with(ext_close)
#define auto_place auto_with(ext_place_free)

#endif
