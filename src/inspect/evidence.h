/* SPDX-License-Identifier: MIT */
/*
 * What tells which host keys a system had, once they are lost: without it, a key
 * found on the bare disk is somebody's key and no more.
 *
 * All that the disk itself says may have been planted there together with a key
 * that somebody else knows. How far each kind may be trusted is said beside it.
 */
#ifndef INSPECT_EVIDENCE_H
#define INSPECT_EVIDENCE_H

#include "hostkey/hostkey.h"
#include "root/root.h"

struct inspection;

/* Strongest first. */
enum evidence_source {
    EVIDENCE_OPERATOR, /* what clients know, given by whoever runs this: beyond the disk's reach */
    EVIDENCE_PUB,      /* the .pub of that name, or the public part that a damaged key has left */
    EVIDENCE_CERTIFICATE, /* the key that a host certificate beside it is for */
    EVIDENCE_LOG,         /* told by an installer, a package or cloud-init when it made the key */
    EVIDENCE_OWN_NAME,    /* a user of this system knows it by a name of this system */
    EVIDENCE_KNOWN_HOSTS, /* a user of this system knows it, perhaps as another machine's */
    EVIDENCE_COMMENT, /* root@web1: what ssh-keygen writes into host keys, and into root's own */
    EVIDENCE_NONE,
};

struct evidence {
    enum evidence_source source;
    char *where; /* for people: "its .pub", "/var/log/apt/term.log", "--known-hosts, line 3" */
    struct pubkey pub;           /* no name: only the fingerprint, or the comment, is known */
    char *names;                 /* known_hosts of the operator: the names of the line; NULL */
    char *fingerprint;           /* "SHA256:..."; NULL */
    const struct key_type *type; /* EVIDENCE_COMMENT alone */
    char *comment;               /* EVIDENCE_COMMENT alone; NULL */
};

struct evidence_list {
    struct evidence *items;
    size_t count;
};

/* What the system itself tells of the keys it has lost; nothing where none is. */
void evidence_collect(const struct root *root, const struct inspection *facts,
                      struct evidence_list *ret);
/* Adds the keys of a known_hosts file; ERR_REFUSED: it has none, or too many. name: for people. */
int evidence_add_known_hosts(struct evidence_list *list, const char *text, const char *name,
                             struct err *e) MUST_CHECK;
/* Adds "SHA256:...", separated by commas; ERR_USAGE where one is no fingerprint. */
int evidence_add_fingerprints(struct evidence_list *list, const char *fingerprints,
                              struct err *e) MUST_CHECK;
void evidence_free(struct evidence_list *list);

/* A key that matches comes back without being asked about by itself. */
bool evidence_vouches(enum evidence_source source);
/* One of them is of this key. */
bool evidence_knows(const struct evidence_list *list, const struct pubkey *pub);

#define auto_evidence auto_with(evidence_free)

#endif
