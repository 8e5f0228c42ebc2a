/* SPDX-License-Identifier: MIT */
/*
 * What is wrong: facts in, findings out. Pure: no I/O, nothing is changed.
 *
 * checks.c holds the one table. It feeds check, explain, docs/findings.md and the
 * fixtures; a row that lacks any of them fails a test.
 */
#ifndef FINDINGS_FINDINGS_H
#define FINDINGS_FINDINGS_H

#include "inspect/inspection.h"
#include "inspect/modes.h"

enum severity {
    SEVERITY_NOTE,    /* worth knowing; changes neither verdict nor exit code */
    SEVERITY_WARNING, /* degraded: a key type, a client or a login path is lost, or a key exposed */
    SEVERITY_FATAL,   /* broken: sshd does not start, or nobody can log in */
};

enum policy {
    POLICY_AUTO,  /* mending loses nothing */
    POLICY_ASK,   /* mending changes the host's identity or its configuration */
    POLICY_NEVER, /* for a human to decide */
};

enum outcome { OUTCOME_OPEN, OUTCOME_MENDED, OUTCOME_SKIPPED, OUTCOME_FAILED };

/* How a finding is mended; plan/ turns each into changes. */
enum remedy {
    REMEDY_NONE,
    REMEDY_MODE,     /* of the node */
    REMEDY_OWNER,    /* of the node */
    REMEDY_ACL,      /* of the node: removed */
    REMEDY_LABEL,    /* of the node */
    REMEDY_STRICT,   /* the distribution's own mode */
    REMEDY_REWRAP,   /* write the same key as sshd wants it */
    REMEDY_PUB,      /* derive the .pub from the private key */
    REMEDY_REPLACE,  /* a proven copy if there is one, else a new key */
    REMEDY_EDIT,     /* the finding's edits, all of one file as one write */
    REMEDY_WISH,     /* the finding's wishes */
    REMEDY_PREVIOUS, /* the key that clients know, where that is asked for and found */
};

struct finding;
struct findings;

struct check {
    const char *id;
    enum severity severity;
    enum policy policy;
    enum remedy remedy;
    const char *title; /* what is wrong, in general */
    const char *why;   /* what it does to sshd and to clients, how it is mended, what that costs */
    bool blocks;       /* nothing at all is changed while this stands; exit code 8 */
    bool strict;       /* mended only with --strict */
    bool keeps_keys;   /* mended only with --keep-keys */
    void (*look)(const struct check *check, const struct inspection *facts, struct findings *out);
};

/* One line of a text file, and what becomes of it. */
struct edit {
    const char *path;        /* canonical; the file is in the inspection */
    const struct blob *text; /* what it holds now */
    const struct root_stat *stat;
    const char *label;    /* its SELinux context; NULL: none */
    unsigned line;        /* from 1; 0: behind the last */
    enum config_fix kind; /* CONFIG_FIX_HOIST: only in sshd_config */
    char *with;           /* the new line, without its newline; NULL where there is none */
};

/* Something that should be there, or should not. */
enum wish_kind { WISH_FILE, WISH_DIRECTORY, WISH_LINK, WISH_GONE };

struct wish {
    enum wish_kind kind;
    char *path;            /* canonical but for the last part */
    char *about;           /* for people: "the package's own configuration" */
    struct blob content;   /* WISH_FILE */
    char *target;          /* WISH_LINK: as it will stand in the link */
    struct root_meta meta; /* of a new file or directory; without a label: the inspection's */
    bool replaces;         /* something is there */
};

struct finding {
    const struct check *check;
    char *path;                 /* NULL: of the system as a whole */
    char *message;              /* a sentence without a full stop, for people */
    const struct host_key *key; /* what it is about, in the inspection; NULL: not a key */
    const struct node *node;    /* likewise */
    struct edit *edits;         /* REMEDY_EDIT */
    size_t edit_count;
    struct wish *wishes; /* REMEDY_WISH */
    size_t wish_count;
    char **evidence; /* lines of the target's logs that support it, NULL-terminated; NULL: none */
    enum outcome outcome;
};

struct findings {
    struct finding *items;
    size_t count;
};

enum verdict { VERDICT_HEALTHY, VERDICT_DEGRADED, VERDICT_BROKEN };

/* Terminated by a row without an id. */
extern const struct check checks[];
const struct check *check_named(const char *id);

/* Every finding, in the order of the table; they point into the facts. */
void findings_judge(const struct inspection *facts, struct findings *ret);
void findings_free(struct findings *findings);
enum verdict findings_verdict(const struct findings *findings);
/* What became of each, by a second look: gone is mended, new ones are added. */
void findings_settle(struct findings *findings, const struct findings *after, const bool *tried);
/* The first that forbids any change, or NULL. */
const struct finding *findings_blocker(const struct findings *findings);
/* One that is mended in this way is not mended yet. */
bool findings_need(const struct findings *findings, enum remedy remedy);
const struct finding *findings_find(const struct findings *findings, const char *id,
                                    const char *path);

/* ---- symptoms.c: what clients and sshd say ---------------------------------------------- */

struct symptom {
    const char *pattern;  /* regex(7), extended, case ignored */
    const char *releases; /* of OpenSSH that say so: "5.3 to 7.9"; "" for all */
    const char *findings; /* IDs behind it, likeliest first, blank separated */
    const char *meaning;  /* a sentence or two for people */
};

/* Terminated by a row without a pattern. */
extern const struct symptom symptoms[];
/* The first row that a line matches; NULL: none. */
const struct symptom *symptom_of(const char *line);
/* Gives each finding the last few lines of the logs that support it. */
void findings_support(struct findings *findings, const struct logs *logs);

const char *severity_name(enum severity severity);
const char *policy_name(enum policy policy);
const char *outcome_name(enum outcome outcome);
const char *verdict_name(enum verdict verdict);
/* "ok", "missing", …: the state of a host key as it stands in JSON. */
const char *host_key_state(const struct host_key *key);

#define auto_findings auto_with(findings_free)

#endif
