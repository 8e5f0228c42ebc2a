/* SPDX-License-Identifier: MIT */
/* What RSA is made of, and what that of protocol 2 lends to that of protocol 1. Private to
 * hostkey/. */
#ifndef HOSTKEY_RSA_H
#define HOSTKEY_RSA_H

#include "hostkey/rebuild.h"
#include "hostkey/type.h"

/* In the order of fromdata. */
enum { N, E, D, P, Q, DMP1, DMQ1, IQMP, RSA_PARTS };
extern const char *const rsa_part_names[RSA_PARTS];

/* From n, e, d, p, q and iqmp; takes the numbers over. */
EVP_PKEY *rsa_from_parts(struct pkey_part parts[RSA_PARTS]);
/* The inverse of e modulo lcm(p - 1, q - 1). */
BIGNUM *rsa_private_exponent(const struct pkey_part *parts, BN_CTX *ctx);

/* n, e, d, iqmp, p, q: all that is written down of a key. */
enum { RSA_NUMBERS = 6 };

/* The same, from those alone; NULL where one is missing, or they make no key. */
EVP_PKEY *rsa_from_numbers(BIGNUM *const numbers[RSA_NUMBERS]);

EVP_PKEY *rsa_read_public(const struct key_type *type, struct reader *in);
void rsa_write_public(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out);
bool rsa_check(const EVP_PKEY *pkey);
bool rsa_is(const struct key_type *type, const EVP_PKEY *pkey);
EVP_PKEY *rsa_generate(const struct key_type *type, int bits);

#endif
