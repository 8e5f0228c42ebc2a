/* SPDX-License-Identifier: MIT */
/* What the files of hostkey/ share about a private key. */
#ifndef HOSTKEY_PRIVATE_H
#define HOSTKEY_PRIVATE_H

#include "hostkey/type.h"

struct hostkey {
    const struct key_type *type;
    EVP_PKEY *pkey;
    struct pubkey pub;
    enum hostkey_format format;
};

/* The result of reading a private key file in one format. */
enum parse_result {
    PARSE_OK,
    PARSE_OTHER,     /* not of this format at all */
    PARSE_BROKEN,    /* of this format, but damaged */
    PARSE_CUT_OFF,   /* the same, where that ends sshd before 6.7 */
    PARSE_ENCRYPTED, /* of this format, and needs a passphrase */
    PARSE_UNKNOWN,   /* of this format, of a type we do not know */
};

/*
 * All read as sshd reads (PROTOCOL.key, sshkey.c, authfile.c). On PARSE_OK *ret_pkey
 * is the key; the public part is in *ret_pub whenever it could be read, and says so
 * by its name.
 */
enum parse_result openssh_parse(const struct blob *file, EVP_PKEY **ret_pkey,
                                struct pubkey *ret_pub);
enum parse_result pem_parse(const struct blob *file, EVP_PKEY **ret_pkey,
                            enum hostkey_format *ret_format);
enum parse_result rsa1_parse(const struct blob *file, EVP_PKEY **ret_pkey, struct pubkey *ret_pub);
/* The same key without what does not belong behind it; false where it is not whole. */
bool rsa1_unwrap(const struct blob *file, struct blob *ret);

/* Its private part belongs to its public part, and its signature verifies. */
bool key_proven(const struct key_type *type, EVP_PKEY *pkey);

int openssh_serialise(const struct hostkey *key, struct blob *ret, struct err *e) MUST_CHECK;
int pem_serialise(const struct hostkey *key, struct blob *ret, struct err *e) MUST_CHECK;

/* The public part of a key, with a comment; what *ret held before is freed. */
void pubkey_of_pkey(const struct key_type *type, const EVP_PKEY *pkey, const char *comment,
                    struct pubkey *ret);
/* The public key of a wire blob, without the private part; NULL where it does not hold together. */
EVP_PKEY *pkey_of_blob(const struct blob *blob, const struct key_type **ret_type);
/* Takes over a wire blob that at least names a type of protocol 2; false where it does not. */
bool pubkey_take_blob(const void *bytes, size_t len, const char *comment, struct pubkey *ret);

/* Fills *e with what libcrypto has to say, and empties its queue; returns -1. */
int err_crypto(struct err *e, const char *what);

#endif
