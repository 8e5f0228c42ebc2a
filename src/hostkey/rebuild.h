/* SPDX-License-Identifier: MIT */
/* From the remains of one key to the key. Private to hostkey/. */
#ifndef HOSTKEY_REBUILD_H
#define HOSTKEY_REBUILD_H

#include "hostkey/remains.h"

struct rebuilding {
    const struct remains *copies;
    size_t count;
    const struct blob *wanted; /* the public blob that must come out; NULL: none is known */
    hostkey_trial trial;
    void *context;
};

/* Each returns a key that still has to be proven, or NULL. */
EVP_PKEY *rsa_rebuild(const struct key_type *type, const struct rebuilding *from);
EVP_PKEY *ed25519_rebuild(const struct key_type *type, const struct rebuilding *from);
EVP_PKEY *ecdsa_rebuild(const struct key_type *type, const struct rebuilding *from);

EVP_PKEY *ecdsa_from_scalar(const struct key_type *type, const struct reader *point,
                            const unsigned char *scalar, size_t len);

/*
 * One error of the disk in a secret: a bit of it, or what one flipped bit of a base64
 * character makes of it. Six bits that begin at a bit of the secret, most significant
 * first; the place may lie partly outside.
 */
struct flip {
    int bit;
    unsigned char six;
};

/* Every single error in [at, at + len) of the decoded bytes, those of one bit first. */
struct flip *flips_of(const struct remains *remains, size_t at, size_t len, size_t *ret_count);
void flip_apply(const struct flip *flip, unsigned char *secret, size_t len);

#endif
