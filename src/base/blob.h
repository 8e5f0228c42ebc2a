/* SPDX-License-Identifier: MIT */
/*
 * Bytes with a length. A blob may hold a private key, so every one of them is
 * wiped when it is freed.
 */
#ifndef BASE_BLOB_H
#define BASE_BLOB_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct blob {
    unsigned char *data; /* one NUL more than len, so that it can be read as text */
    size_t len;
};

/* Wipes, frees and empties; a blob that is all zero is fine. */
void blob_free(struct blob *blob);
/* Room for len bytes, all zero. */
struct blob blob_zeroed(size_t len);
struct blob blob_copy(const void *bytes, size_t len);
struct blob blob_of_text(const char *text);
bool blob_equal(const struct blob *a, const struct blob *b);
/* Two digits a byte; and back: false where the text is not that. */
char *blob_to_hex(const struct blob *blob);
bool blob_from_hex(const char *hex, struct blob *ret);
/* Wipes a text before freeing it, for texts that may hold key material. */
void text_wipe(char **text);

#define auto_blob auto_with(blob_free)

#define take_blob(from)                                                                            \
    __extension__({                                                                                \
        struct blob taken_ = (from);                                                               \
        (from) = (struct blob){ 0 };                                                               \
        taken_;                                                                                    \
    })

#endif
