/* SPDX-License-Identifier: MIT */
#include "base/blob.h"

#include "base/alloc.h"

#include <string.h>

void blob_free(struct blob *blob)
{
    if (blob->data)
        explicit_bzero(blob->data, blob->len);
    free(blob->data);
    *blob = (struct blob){ 0 };
}

struct blob blob_zeroed(size_t len)
{
    return (struct blob){ .data = xcalloc(len + 1, 1), .len = len };
}

struct blob blob_copy(const void *bytes, size_t len)
{
    struct blob copy = blob_zeroed(len);

    if (len)
        memcpy(copy.data, bytes, len);
    return copy;
}

struct blob blob_of_text(const char *text)
{
    return blob_copy(text, strlen(text));
}

bool blob_equal(const struct blob *a, const struct blob *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

char *blob_to_hex(const struct blob *blob)
{
    char *hex = xcalloc(2 * blob->len + 1, 1);

    for (size_t i = 0; i < blob->len; i++) {
        hex[2 * i] = "0123456789abcdef"[blob->data[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[blob->data[i] & 15];
    }
    return hex;
}

bool blob_from_hex(const char *hex, struct blob *ret)
{
    size_t len = strlen(hex) / 2;
    auto_blob struct blob bytes = blob_zeroed(len);

    if (strspn(hex, "0123456789abcdef") != 2 * len || hex[2 * len])
        return false;
    for (size_t i = 0; i < 2 * len; i++) {
        unsigned digit = (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);

        bytes.data[i / 2] = (unsigned char)(bytes.data[i / 2] << 4 | digit);
    }
    *ret = take_blob(bytes);
    return true;
}

void text_wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}
