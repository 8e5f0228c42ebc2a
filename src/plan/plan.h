/* SPDX-License-Identifier: MIT */
/*
 * What will be done: findings in, an ordered list of changes out. Pure: no I/O.
 * The plan points into the findings and the inspection it was made from.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "findings/findings.h"

enum change_kind {
    CHANGE_WRITE,    /* a whole file, new or in place of what is there */
    CHANGE_DROP_ACL, /* the access control list of a file */
    CHANGE_MODE,
    CHANGE_OWNER,
    CHANGE_LABEL,
    CHANGE_MKDIR,   /* a directory where there is nothing */
    CHANGE_SYMLINK, /* a link where there is nothing, or in place of what is there */
    CHANGE_REMOVE,  /* a file or link goes */
};

enum { NO_NEW_KEY = -1 };

struct change {
    enum change_kind kind;
    char *path;  /* canonical */
    char *about; /* for people: "new RSA 3072 key" */

    /* CHANGE_WRITE: the content, or which half of which new key */
    struct blob content;
    int new_key; /* index into the plan's new keys; NO_NEW_KEY */
    bool public_half;
    bool replaces;         /* something is there */
    struct root_meta meta; /* CHANGE_MKDIR too */
    char *diff;            /* an edited text: its lines that go ("-") and come ("+"); NULL */
    char *target;          /* CHANGE_SYMLINK: as it stands in the link */

    /* the others */
    struct root_stat was;
    const char *was_label;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    const char *label;
};

/* A key to be made before anything is changed. */
struct new_key {
    const struct key_type *type;
    int bits;
    enum hostkey_format format;
    char *comment;
};

enum key_origin { ORIGIN_NONE, ORIGIN_KEPT, ORIGIN_RESTORED, ORIGIN_GENERATED };

/* What becomes of each host key, in the order of the inspection. */
struct key_fate {
    enum key_origin origin;
    const struct key_copy *copy; /* what it comes back from; NULL */
    bool held;    /* it could come back, but only the disk itself vouches for it: it stays lost */
    bool guessed; /* restored without evidence that clients know it */
    char *old_fingerprint; /* of what clients know; NULL: not to be told */
    const char *lost_cert; /* a certificate that does not fit the new key; NULL */
    int new_key;
};

struct plan {
    struct change *changes;
    size_t change_count;
    struct new_key *new_keys;
    size_t new_key_count;
    struct key_fate *fates;
    size_t fate_count;
    bool *covers; /* for each finding: the plan is to mend it */
    size_t finding_count;
};

struct plan_options {
    bool all_keys;         /* --keys=all */
    bool strict;           /* --strict */
    const char *only;      /* comma separated IDs; NULL: all */
    const char *skip;      /* likewise; NULL: none */
    const char *date;      /* for the marks in edited files: "2026-11-24" */
    bool keep_keys;        /* --keep-keys */
    bool trust_disk;       /* somebody sees, or has said, that the disk alone vouches for a key */
    bool recover_only;     /* lost keys come back, and nothing else is changed */
    bool restore_previous; /* a key that serves gives way to one that the operator vouches for */
};

/* A finding that blocks makes for an empty plan. */
int plan_make(const struct inspection *facts, const struct findings *findings,
              const struct plan_options *options, struct plan *ret, struct err *e) MUST_CHECK;
/* Adds the changes that let keys in: lines of authorized_keys, but for those that are there. */
void plan_authorize(const struct authorized *authorized, const char *lines, struct plan *plan);
/* The same changes to the same files: what was agreed to still holds. */
bool plan_same(const struct plan *a, const struct plan *b);
void plan_free(struct plan *plan);

const char *key_origin_name(enum key_origin origin);
/* "chmod", "write", …: as it stands in JSON. */
const char *change_kind_name(enum change_kind kind);
/* What was, and what will be, for people and JSON; NULL where there is nothing to say. */
char *change_from(const struct change *change) MUST_CHECK;
char *change_to(const struct change *change) MUST_CHECK;

#define auto_plan auto_with(plan_free)

#endif
