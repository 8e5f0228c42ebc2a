/* SPDX-License-Identifier: MIT */
/*
 * What can still be read of a private key file, however damaged: read as far as it
 * goes, with nothing proven. Private to hostkey/.
 */
#ifndef HOSTKEY_REMAINS_H
#define HOSTKEY_REMAINS_H

#include "hostkey/private.h"

struct remains {
    bool openssh; /* openssh-key-v1; else one of the PEM formats */
    bool encrypted;
    struct blob flat;  /* the characters of base64; '?' for one that cannot be */
    struct blob bytes; /* decoded, '?' as zero */
};

/* False where there is no first line of a private key. */
bool remains_open(const struct blob *file, struct remains *ret);
void remains_free(struct remains *remains);

/* The value of a character of base64; 0 for what is none. */
unsigned base64_value(unsigned char c);
bool base64_is(unsigned char c);

/*
 * The private numbers, in the order in which the format has them, as far as they can
 * be read; returns how many. openssh-key-v1: the fields behind the second name of the
 * type, a comment last; PEM: the integers and strings of PKCS#1, SEC1 and DSA.
 */
size_t remains_fields(const struct remains *remains, struct reader *ret, size_t max);
/* The public blob, where one can be read. */
bool remains_public(const struct remains *remains, struct blob *ret);

#define auto_remains auto_with(remains_free)

#endif
