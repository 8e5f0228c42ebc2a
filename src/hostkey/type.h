/* SPDX-License-Identifier: MIT */
/*
 * What a key type is: one row. A new type is one file with its rows at the
 * bottom, and a line in type.c. Private to hostkey/.
 */
#ifndef HOSTKEY_TYPE_H
#define HOSTKEY_TYPE_H

#include "hostkey/hostkey.h"
#include "hostkey/wire.h"

#include <openssl/evp.h>

struct key_type {
    const char *name;  /* on the wire */
    const char *label; /* for people, as ssh-keygen -l has it */
    const char *file;  /* the default host key of this type under /etc/ssh */
    const char *curve; /* ECDSA: the curve's name on the wire */
    const char *group; /* ECDSA: OpenSSL's name for it */
    const char *hash;  /* what it signs, for the proof; NULL: the type hashes by itself */
    int default_bits;
    int since, until; /* loaded by sshd from this release on, and from this one on no more */
    int sshfp;        /* algorithm number, RFC 4255 and successors */

    /* The fields behind the name in a public blob. */
    EVP_PKEY *(*read_public)(const struct key_type *type, struct reader *in);
    void (*write_public)(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out);
    /* The fields behind the name in the private section of openssh-key-v1. */
    EVP_PKEY *(*read_private)(const struct key_type *type, struct reader *in);
    void (*write_private)(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out);
    /* The private numbers belong to the public ones; NULL: the signature alone shows it. */
    bool (*check)(const EVP_PKEY *pkey);
    bool (*is)(const struct key_type *type, const EVP_PKEY *pkey);
    /* Absent: recognise only, never make one. */
    EVP_PKEY *(*generate)(const struct key_type *type, int bits);
};

extern const struct key_type key_type_rsa, key_type_ecdsa[3], key_type_ed25519, key_type_dsa;

/* The row that a key of libcrypto belongs to; NULL where none does. */
const struct key_type *key_type_of_pkey(const EVP_PKEY *pkey);

/* Reads one number of a key into *ret; false where the key has none of that name. */
bool pkey_number(const EVP_PKEY *pkey, const char *param, BIGNUM **ret);
/* Writes numbers of a key as mpints, in the order of a NULL-terminated list of names. */
void write_numbers(struct writer *out, const EVP_PKEY *pkey, const char *const *params);

/* Collects numbers and turns them into a key; all are freed. NULL where they make none. */
struct pkey_part {
    const char *param;
    BIGNUM *number;
};
EVP_PKEY *pkey_from_numbers(const char *algorithm, int selection, struct pkey_part *parts,
                            size_t count);
void numbers_free(struct pkey_part *parts, size_t count);

#endif
