/* SPDX-License-Identifier: MIT */
/* A run: its folder and its manifest. Private to apply/. */
#ifndef APPLY_RUN_H
#define APPLY_RUN_H

#include "inspect/inspection.h"

enum entry_kind {
    ENTRY_FILE, /* a staged file, link or directory changes places with what is at the path */
    ENTRY_GONE, /* what is at the path moves into the folder */
    ENTRY_META, /* mode, owner, ACL, label of what is at the path */
};

/* What is to be told apart, and put back. */
struct entry_state {
    uint64_t inode;
    mode_t mode; /* with its type */
    uid_t uid;
    gid_t gid;
    unsigned flags; /* chattr */
    char *digest;   /* SHA-256 of a regular file, or of where a link leads; NULL for others */
    char *label;    /* NULL: none */
    char *acl;      /* the access ACL, in hexadecimal; NULL: none */
};

struct entry {
    enum entry_kind kind;
    char *path;
    char *folder; /* where it is staged, on its own file system; NULL: in the run's folder */
    bool existed;
    unsigned directory_flags; /* chattr's, of the directory it is in */
    struct entry_state old, new;
};

struct run {
    char *id;
    char *folder; /* canonical */
    bool committed;
    struct entry *entries; /* the staged file of entry N is the folder's N */
    size_t count;
    char *label; /* SELinux context of the folder and the manifest; NULL: none */
    char **made; /* directories made for the folder, outermost first; NULL-terminated */
};

void run_free(struct run *run);
char *run_path(const struct run *run, const char *name) MUST_CHECK;
char *run_staged(const struct run *run, const struct entry *entry) MUST_CHECK;

/* Gives an entry a folder on the file system, or subvolume, of its path. */
int run_place(struct root *root, const struct run *run, struct entry *entry,
              struct err *e) MUST_CHECK;
/* ERR_UNSUPPORTED where a file system that the run changed is not here. */
int run_is_whole(const struct root *root, const struct run *run, struct err *e) MUST_CHECK;

/* Makes the folder of a new run, below state_dir. */
int run_create(struct root *root, const char *state_dir, const char *label, struct run *ret,
               struct err *e) MUST_CHECK;
int run_write_manifest(struct root *root, const struct run *run, struct err *e) MUST_CHECK;
int run_commit(struct root *root, struct run *run, struct err *e) MUST_CHECK;
/* The run is unfinished again: an interrupted undo goes on with the next run. */
int run_uncommit(struct root *root, struct run *run, struct err *e) MUST_CHECK;
/* The IDs below state_dir, oldest first, NULL-terminated; none is no error. */
int run_ids(const struct root *root, const char *state_dir, char ***ret, struct err *e) MUST_CHECK;
/* Reads a manifest; ERR_NOT_FOUND where a run ended before it wrote one. */
int run_load(const struct root *root, const char *state_dir, const char *id, struct run *ret,
             struct err *e) MUST_CHECK;
/* Removes the folder and all in it, the manifest last. */
int run_remove(struct root *root, const struct run *run, struct err *e) MUST_CHECK;
/* The same on a path that has failed already; what stays, the next run removes. */
void run_abandon(struct root *root, const struct run *run);

/* What is at a path now; digest, label and ACL included. */
int state_read(const struct root *root, const char *path, struct entry_state *ret,
               struct err *e) MUST_CHECK;
void state_free(struct entry_state *state);

/* Where the runs are kept; the caller frees it. */
char *state_directory(const struct root *root, const char *wanted) MUST_CHECK;

/* undo.c: the whole way back, folder and all; files that somebody changed since stay. */
int run_take_back(struct root *root, struct run *run, struct err *e) MUST_CHECK;

/* publish.c: what its directory is like, and both directions of one entry. */
int entry_read_directory(const struct root *root, struct entry *entry, struct err *e) MUST_CHECK;
int entry_publish(struct root *root, const struct run *run, const struct entry *entry,
                  struct err *e) MUST_CHECK;
int entry_take_back(struct root *root, const struct run *run, const struct entry *entry,
                    struct err *e) MUST_CHECK;
/* Has somebody else changed it since the run? */
int entry_foreign(const struct root *root, const struct run *run, const struct entry *entry,
                  bool *ret, struct err *e) MUST_CHECK;
/* It cannot be taken back: what it replaced is no longer in the folder. */
bool entry_backup_missing(const struct root *root, const struct run *run,
                          const struct entry *entry);

#define auto_run auto_with(run_free)

#endif
