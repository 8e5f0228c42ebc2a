/* SPDX-License-Identifier: MIT */
/*
 * Carrying a plan out, as one transaction, and taking it back. The only room that
 * changes a target.
 *
 * A run lives in a folder of the target, /var/lib/sshmend/ID, mode 0700:
 *
 *   MANIFEST   what every path was and will be; written before anything is changed
 *   0, 1, …    staged files; once published, the old files, untouched inodes
 *   COMMITTED  the run is complete; without it the next run rolls it back
 *
 * Each file is published by exchanging two names, so that it is wholly old or
 * wholly new at every instant, and what comes out of the exchange is the backup.
 */
#ifndef APPLY_APPLY_H
#define APPLY_APPLY_H

#include "plan/plan.h"

struct made_keys {
    struct hostkey **keys; /* in the order of the plan's new_keys */
    size_t count;
};

/* Makes the new keys of a plan, all at once; touches no target. */
int keys_make(const struct plan *plan, struct made_keys *ret, struct err *e) MUST_CHECK;
void made_keys_free(struct made_keys *made);

struct apply_options {
    const char *state_dir;   /* on the target; NULL: STATE_DIR */
    const char *state_label; /* SELinux context of the state directory; NULL: none */
};

/*
 * All of the plan or nothing: on an error everything is as it was, but for a
 * failure of the disk itself, which the next run rolls back. *ret_run is the ID
 * for undo.
 */
int apply(struct root *root, const struct plan *plan, const struct made_keys *made,
          const struct apply_options *options, char **ret_run, struct err *e) MUST_CHECK;

struct run_summary {
    char *id;
    bool committed;
    char **paths; /* what it changed, NULL-terminated */
};

/* The runs there are to undo, oldest first; ends with one whose id is NULL. */
int undo_list(const struct root *root, const char *state_dir, struct run_summary **ret,
              struct err *e) MUST_CHECK;
void run_summaries_free(struct run_summary **runs);

/*
 * Puts back what a run changed (id NULL: the newest), and removes its folder.
 * ERR_CHANGED, and nothing is touched, where a file is no longer what the run left.
 */
int undo(struct root *root, const char *state_dir, const char *id, struct run_summary *ret,
         struct err *e) MUST_CHECK;
void run_summary_free(struct run_summary *run);

/* Rolls back every run that was interrupted; files that somebody changed since stay as they are. */
int roll_back_unfinished(struct root *root, const char *state_dir, struct err *e) MUST_CHECK;

#endif
