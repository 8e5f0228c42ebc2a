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
    REMEDY_MODE,    /* of the node */
    REMEDY_OWNER,   /* of the node */
    REMEDY_ACL,     /* of the node: removed */
    REMEDY_LABEL,   /* of the node */
    REMEDY_STRICT,  /* the distribution's own mode */
    REMEDY_REWRAP,  /* write the same key as sshd wants it */
    REMEDY_PUB,     /* derive the .pub from the private key */
    REMEDY_REPLACE, /* a proven copy if there is one, else a new key */
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
    void (*look)(const struct check *check, const struct inspection *facts, struct findings *out);
};

struct finding {
    const struct check *check;
    char *path;                 /* NULL: of the system as a whole */
    char *message;              /* a sentence without a full stop, for people */
    const struct host_key *key; /* what it is about, in the inspection; NULL: not a key */
    const struct node *node;    /* likewise */
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
const struct finding *findings_find(const struct findings *findings, const char *id,
                                    const char *path);

const char *severity_name(enum severity severity);
const char *policy_name(enum policy policy);
const char *outcome_name(enum outcome outcome);
const char *verdict_name(enum verdict verdict);
/* "ok", "missing", …: the state of a host key as it stands in JSON. */
const char *host_key_state(const struct host_key *key);

#define auto_findings auto_with(findings_free)

#endif
