/* SPDX-License-Identifier: MIT */
/*
 * The root of a Linux system on a disk, opened: one interface, a door for each
 * way in. Rooms to the right see paths, never descriptors or mounts, so that a
 * door which never mounts fits in without touching them.
 *
 * Every path is absolute and is the target's own. Links resolve inside the root
 * whatever they say. Reading functions follow links unless they say otherwise;
 * writing functions take canonical paths (root_find gives them) and refuse to
 * follow any link.
 *
 * All functions return 0, or -1 with *e filled; ret_* are untouched on failure.
 * A path that is not there is ERR_NOT_FOUND. What they return belongs to the caller.
 */
#ifndef ROOT_ROOT_H
#define ROOT_ROOT_H

#include "base/blob.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct root;

enum root_access {
    ROOT_READ,  /* not a byte of the target changes: no journal replay, no access times */
    ROOT_WRITE, /* the journal is replayed; nothing else changes until a writing function is called
                 */
};

struct root_stat {
    mode_t mode; /* type and permission bits */
    uid_t uid;
    gid_t gid;
    uint64_t size; /* bytes */
    uint64_t inode;
    uint64_t device; /* which file system or subvolume; only good for comparing */
    bool foreign;    /* on what somebody has mounted inside a directory tree: never changed */
    unsigned links;
    struct timespec mtime;
};

/* Everything about a file but its content: what a new one is given before it is seen. */
struct root_meta {
    mode_t mode; /* permission bits */
    uid_t uid;
    gid_t gid;
    const char *label; /* SELinux context, or NULL for none */
};

/* What a file has beyond its stat; empty for what is neither a file nor a directory. */
struct root_attributes {
    unsigned flags;  /* chattr's (FS_*_FL); 0 where the file system has none */
    char *label;     /* SELinux context; NULL: none */
    struct blob acl; /* the access ACL as the file system has it; no data: none */
};
void root_attributes_free(struct root_attributes *attributes);

struct root_entry {
    char *name;
    mode_t type; /* S_IFREG, S_IFDIR, S_IFLNK, …; of the entry itself */
};

struct root_facts {
    const char *fs;     /* "ext4"; "directory" for a mounted tree */
    bool journal_dirty; /* what is read may be older than what the next mount would show */
    bool journal_read;  /* it is as the next mount would show it: the journal holds some of it */
    bool by_copy;       /* read by a copy of its superblock, which knows nothing of the journal */
    bool errors;        /* the file system flags itself as damaged */
    bool read_only;     /* opened for writing, yet it cannot be written */
    bool one_step;      /* what is done reaches the disk by root_close, all of it or nothing */
    bool unjournaled;   /* … but for a power cut, since the file system has no journal */
    uint64_t bytes_free,
        inodes_free; /* what root may use; inodes: UINT64_MAX where there is no limit */
    uint32_t block_size;
};

/* ---- reading -------------------------------------------------------------------------- */

/* Where a path leads: the canonical path, and what is there. Both ret_* may be NULL. */
int root_find(const struct root *root, const char *path, char **ret_path,
              struct root_stat *ret_stat, struct err *e) MUST_CHECK;
/* The same with all attributes, in one go. */
int root_describe(const struct root *root, const char *path, char **ret_path,
                  struct root_stat *ret_stat, struct root_attributes *ret,
                  struct err *e) MUST_CHECK;
/* The same as root_find, but a link at the end of the path is the thing found. */
int root_find_link(const struct root *root, const char *path, char **ret_path,
                   struct root_stat *ret_stat, struct err *e) MUST_CHECK;
/* The content of a regular file; anything else, or more than max bytes, is ERR_REFUSED. */
int root_read(const struct root *root, const char *path, size_t max, struct blob *ret,
              struct err *e) MUST_CHECK;
/* len bytes of a regular file at an offset; ERR_REFUSED where it is not that long. */
int root_read_part(const struct root *root, const char *path, uint64_t offset, size_t len,
                   struct blob *ret, struct err *e) MUST_CHECK;
int root_readlink(const struct root *root, const char *path, char **ret, struct err *e) MUST_CHECK;
/* What is in a directory, sorted by byte, without . and ..; ends with one whose name is NULL. */
int root_list(const struct root *root, const char *path, struct root_entry **ret,
              struct err *e) MUST_CHECK;
void root_entries_free(struct root_entry **entries);
/* An extended attribute; ERR_NOT_FOUND where the file or the file system has none of that name. */
int root_get_xattr(const struct root *root, const char *path, const char *name, struct blob *ret,
                   struct err *e) MUST_CHECK;
int root_list_xattrs(const struct root *root, const char *path, char ***ret,
                     struct err *e) MUST_CHECK;
int root_facts(const struct root *root, struct root_facts *ret, struct err *e) MUST_CHECK;
/*
 * The top of the file system, or of the subvolume, that a canonical path is on: within it, and
 * only there, can names change places.
 */
int root_top(const struct root *root, const char *path, char **ret, struct err *e) MUST_CHECK;
bool root_exists(const struct root *root, const char *path);
/* A Linux system, by what is in it: etc/ with passwd or os-release, and usr or bin. */
bool root_is_linux(const struct root *root);
/* Paths that match a pattern with wildcards in any component; sorted, NULL-terminated, bounded. */
int root_glob(const struct root *root, const char *pattern, char ***ret, struct err *e) MUST_CHECK;

/* ---- writing: apply/ alone ------------------------------------------------------------ */

int root_create(struct root *root, const char *path, const struct blob *content,
                const struct root_meta *meta, struct err *e) MUST_CHECK;
int root_mkdir(struct root *root, const char *path, const struct root_meta *meta,
               struct err *e) MUST_CHECK;
/* A link that leads to target, whatever that is; of the meta, owner and label count. */
int root_symlink(struct root *root, const char *path, const char *target,
                 const struct root_meta *meta, struct err *e) MUST_CHECK;
/* Two names change places, in one step. */
int root_exchange(struct root *root, const char *a, const char *b, struct err *e) MUST_CHECK;
/* Never replaces anything. */
int root_rename(struct root *root, const char *from, const char *to, struct err *e) MUST_CHECK;
int root_unlink(struct root *root, const char *path, struct err *e) MUST_CHECK;
int root_rmdir(struct root *root, const char *path, struct err *e) MUST_CHECK;
int root_set_mode(struct root *root, const char *path, mode_t mode, struct err *e) MUST_CHECK;
int root_set_owner(struct root *root, const char *path, uid_t uid, gid_t gid,
                   struct err *e) MUST_CHECK;
int root_set_xattr(struct root *root, const char *path, const char *name, const struct blob *value,
                   struct err *e) MUST_CHECK;
int root_remove_xattr(struct root *root, const char *path, const char *name,
                      struct err *e) MUST_CHECK;
int root_set_flags(struct root *root, const char *path, unsigned flags, struct err *e) MUST_CHECK;
/* Everything done so far is on the disk when this returns 0; an error here is final. */
int root_sync(struct root *root, struct err *e) MUST_CHECK;

/* Lets go of the root; for ROOT_WRITE with an error where the last writes failed. */
int root_close(struct root **root, struct err *e);
/*
 * The same for paths on which an error has been seen already; as root_close without an e. Where
 * all is one step, that step is not taken.
 */
void root_drop(struct root **root);

#define auto_root auto_with(root_drop)

#endif
