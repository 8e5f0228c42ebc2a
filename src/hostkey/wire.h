/* SPDX-License-Identifier: MIT */
/* The SSH wire encoding (RFC 4251 5), numbers of protocol 1, and base64. Private to hostkey/. */
#ifndef HOSTKEY_WIRE_H
#define HOSTKEY_WIRE_H

#include "base/blob.h"

#include <openssl/bn.h>
#include <stdbool.h>
#include <stdint.h>

/* A window on bytes that belong to somebody else; every read moves its start. */
struct reader {
    const unsigned char *at;
    size_t left;
};

struct writer {
    struct blob bytes;
    size_t capacity;
};

struct reader reader_of(const struct blob *blob);
/* Each returns false, and leaves the reader alone, where the bytes do not hold what is asked for.
 */
bool read_byte(struct reader *in, unsigned char *ret);
bool read_u32(struct reader *in, uint32_t *ret);
bool read_string(struct reader *in, struct reader *ret);
bool read_mpint(struct reader *in, BIGNUM **ret);
/* Of protocol 1: its length in bits, in two bytes, and its bytes. */
bool read_mpint1(struct reader *in, BIGNUM **ret);
bool read_skip(struct reader *in, const void *expected, size_t len);
bool reader_is(const struct reader *in, const char *text);
char *reader_text(const struct reader *in);

void write_bytes(struct writer *out, const void *bytes, size_t len);
void write_u32(struct writer *out, uint32_t value);
void write_string(struct writer *out, const void *bytes, size_t len);
void write_text(struct writer *out, const char *text);
void write_mpint(struct writer *out, const BIGNUM *number);
void write_mpint1(struct writer *out, const BIGNUM *number);
void writer_free(struct writer *out);

/* Base64 in lines of `columns` characters, each with its newline; 0: one line without. */
char *base64_encode(const struct blob *bytes, unsigned columns);
/* Blanks are skipped; false where anything else does not belong. */
bool base64_decode(const char *text, size_t len, struct blob *ret);

#define auto_writer auto_with(writer_free)

#endif
