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

struct rebuilding;

struct key_type {
    const char *name;  /* on the wire; of protocol 1, which has none there: for ssh-keygen -t */
    const char *label; /* for people, as ssh-keygen -l has it */
    const char *file;  /* the default host key of this type under /etc/ssh */
    const char *curve; /* ECDSA: the curve's name on the wire */
    const char *group; /* ECDSA: OpenSSL's name for it */
    const char *hash;  /* what it signs, for the proof; NULL: the type hashes by itself */
    int protocol;      /* of SSH: 1 or 2 */
    int default_bits;
    int since, until; /* loaded by sshd from this release on, and from this one on no more */
    int sshfp;        /* algorithm number, RFC 4255 and successors; 0: none */

    /* The fields behind the name in a public blob. */
    EVP_PKEY *(*read_public)(const struct key_type *type, struct reader *in);
    void (*write_public)(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out);
    /* The fields behind the name in the private section of openssh-key-v1; NULL: never there. */
    EVP_PKEY *(*read_private)(const struct key_type *type, struct reader *in);
    void (*write_private)(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out);
    /* The private numbers belong to the public ones; NULL: the signature alone shows it. */
    bool (*check)(const EVP_PKEY *pkey);
    bool (*is)(const struct key_type *type, const EVP_PKEY *pkey);
    /* Absent: recognise only, never make one. */
    EVP_PKEY *(*generate)(const struct key_type *type, int bits);
    /* From what is left of copies (rebuild.h); absent: there is nothing redundant in it. */
    EVP_PKEY *(*rebuild)(const struct key_type *type, const struct rebuilding *from);

    /* Protocol 1 alone, where these differ: what stands in a .pub, between host and comment; */
    char *(*write_text)(const EVP_PKEY *pkey);
    /* the same read, *text left behind it; NULL where it is something else; */
    EVP_PKEY *(*read_text)(char **text);
    /* the bytes that a fingerprint is made of; */
    void (*write_digested)(const EVP_PKEY *pkey, struct writer *out);
    /* and the private file, whose format is the type's own. */
    int (*serialise)(const struct hostkey *key, struct blob *ret, struct err *e);
};

extern const struct key_type key_type_rsa, key_type_ecdsa[3], key_type_ed25519, key_type_dsa,
    key_type_rsa1;

/*
 * The row that a key of libcrypto belongs to, found in this format; NULL where none does.
 * What libcrypto calls RSA is a key of protocol 1 in that protocol's format, and only there.
 */
const struct key_type *key_type_of_pkey(const EVP_PKEY *pkey, enum hostkey_format format);
/* The key at the start of a text that a type has a form of its own for; NULL where there is none.
 */
EVP_PKEY *pkey_of_text(char **text, const struct key_type **ret_type);

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
