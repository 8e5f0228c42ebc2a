/* SPDX-License-Identifier: MIT */
/* What the RSA of protocol 2 lends to that of protocol 1. Private to hostkey/. */
#ifndef HOSTKEY_RSA_H
#define HOSTKEY_RSA_H

#include "hostkey/type.h"

/* n, e, d, iqmp, p, q: all that is written down of a key. */
enum { RSA_NUMBERS = 6 };

/* Takes the numbers over; NULL where one is missing, or they make no key. */
EVP_PKEY *rsa_from_numbers(BIGNUM *const numbers[RSA_NUMBERS]);

EVP_PKEY *rsa_read_public(const struct key_type *type, struct reader *in);
void rsa_write_public(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out);
bool rsa_check(const EVP_PKEY *pkey);
bool rsa_is(const struct key_type *type, const EVP_PKEY *pkey);
EVP_PKEY *rsa_generate(const struct key_type *type, int bits);

#endif
