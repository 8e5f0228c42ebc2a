/* SPDX-License-Identifier: MIT */
#include "hostkey/wire.h"

#include "base/alloc.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

/* Larger numbers than sshd takes (SSHBUF_MAX_BIGNUM, 16384 bits) are nobody's key. */
enum { MPINT_MAX = 16384 / 8 };

struct reader reader_of(const struct blob *blob)
{
    return (struct reader){ .at = blob->data, .left = blob->len };
}

static const unsigned char *read_raw(struct reader *in, size_t len)
{
    const unsigned char *at = in->at;

    if (len > in->left)
        return NULL;
    in->at += len;
    in->left -= len;
    return at;
}

bool read_byte(struct reader *in, unsigned char *ret)
{
    const unsigned char *b = read_raw(in, 1);

    if (b)
        *ret = *b;
    return b != NULL;
}

bool read_u32(struct reader *in, uint32_t *ret)
{
    const unsigned char *b = read_raw(in, 4);

    if (!b)
        return false;
    *ret = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return true;
}

bool read_string(struct reader *in, struct reader *ret)
{
    struct reader try = *in;
    uint32_t len;

    if (!read_u32(&try, &len) || len > try.left)
        return false;
    *ret = (struct reader){ .at = read_raw(&try, len), .left = len };
    *in = try;
    return true;
}

/* Secure, since it may be private: what is made of it is wiped when it is freed. */
static bool number_of(const struct reader *bytes, BIGNUM **ret)
{
    *ret = bytes->left <= MPINT_MAX ? BN_secure_new() : NULL;
    if (!*ret || !BN_bin2bn(bytes->at, (int)bytes->left, *ret))
        return false;
    BN_set_flags(*ret, BN_FLG_CONSTTIME);
    return true;
}

bool read_mpint(struct reader *in, BIGNUM **ret)
{
    struct reader number, try = *in;

    if (!read_string(&try, &number) || (number.left > 0 && (number.at[0] & 0x80)))
        return false;
    if (number.left > 0 && number.at[0] == 0)
        number = (struct reader){ number.at + 1, number.left - 1 };
    if (!number_of(&number, ret))
        return false;
    *in = try;
    return true;
}

/* bufbn.c, buffer_get_bignum_ret: that the topmost bit is where the length says is not checked. */
bool read_mpint1(struct reader *in, BIGNUM **ret)
{
    struct reader number, try = *in;
    unsigned char high, low;

    if (!read_byte(&try, &high) || !read_byte(&try, &low))
        return false;
    number.left = ((size_t)high << 8 | low) / 8 + (low % 8 != 0);
    number.at = read_raw(&try, number.left);
    if (!number.at || !number_of(&number, ret))
        return false;
    *in = try;
    return true;
}

bool read_skip(struct reader *in, const void *expected, size_t len)
{
    if (in->left < len || memcmp(in->at, expected, len) != 0)
        return false;
    (void)read_raw(in, len);
    return true;
}

bool reader_is(const struct reader *in, const char *text)
{
    return in->left == strlen(text) && memcmp(in->at, text, in->left) == 0;
}

char *reader_text(const struct reader *in)
{
    return xstrndup((const char *)in->at, in->left);
}

void write_bytes(struct writer *out, const void *bytes, size_t len)
{
    if (out->bytes.len + len > out->capacity) {
        struct blob larger = { .data = xcalloc((out->bytes.len + len) * 2 + 1, 1),
                               .len = out->bytes.len };

        out->capacity = (out->bytes.len + len) * 2;
        if (out->bytes.len)
            memcpy(larger.data, out->bytes.data, out->bytes.len);
        blob_free(&out->bytes);
        out->bytes = larger;
    }
    if (len)
        memcpy(out->bytes.data + out->bytes.len, bytes, len);
    out->bytes.len += len;
}

void write_u32(struct writer *out, uint32_t value)
{
    unsigned char b[4] = { (unsigned char)(value >> 24), (unsigned char)(value >> 16),
                           (unsigned char)(value >> 8), (unsigned char)value };

    write_bytes(out, b, sizeof b);
}

void write_string(struct writer *out, const void *bytes, size_t len)
{
    write_u32(out, (uint32_t)len);
    write_bytes(out, bytes, len);
}

void write_text(struct writer *out, const char *text)
{
    write_string(out, text, strlen(text));
}

void write_mpint(struct writer *out, const BIGNUM *number)
{
    int len = BN_num_bytes(number);
    /* A leading zero where the top bit is set: mpints are signed. */
    bool sign = len > 0 && BN_is_bit_set(number, len * 8 - 1);
    auto_blob struct blob bytes = blob_zeroed((size_t)len + 1);

    BN_bn2bin(number, bytes.data + 1);
    write_string(out, bytes.data + !sign, (size_t)len + sign);
}

void write_mpint1(struct writer *out, const BIGNUM *number)
{
    int bits = BN_num_bits(number);
    const unsigned char length[2] = { (unsigned char)(bits >> 8), (unsigned char)bits };
    auto_blob struct blob bytes = blob_zeroed((size_t)BN_num_bytes(number));

    BN_bn2bin(number, bytes.data);
    write_bytes(out, length, sizeof length);
    write_bytes(out, bytes.data, bytes.len);
}

void writer_free(struct writer *out)
{
    blob_free(&out->bytes);
    out->capacity = 0;
}

char *base64_encode(const struct blob *bytes, unsigned columns)
{
    size_t len = (bytes->len + 2) / 3 * 4;
    auto_with(text_wipe) char *flat = xcalloc(len + 1, 1);
    char *text, *out;

    EVP_EncodeBlock((unsigned char *)flat, bytes->data, (int)bytes->len);
    if (columns == 0)
        return take_ptr(flat);
    text = out = xcalloc(len + len / columns + 2, 1);
    for (size_t at = 0; at < len; at += columns) {
        size_t line = len - at < columns ? len - at : columns;

        memcpy(out, flat + at, line);
        out += line;
        *out++ = '\n';
    }
    return text;
}

/* EVP_DecodeBlock is lax about "=" and about bits that are padded away; sshd is not. */
static bool encodes_to(const struct blob *bytes, const struct blob *flat)
{
    auto_with(text_wipe) char *again = base64_encode(bytes, 0);

    return strlen(again) == flat->len && memcmp(again, flat->data, flat->len) == 0;
}

bool base64_decode(const char *text, size_t len, struct blob *ret)
{
    auto_blob struct blob flat = blob_zeroed(len), bytes = blob_zeroed(len);
    int decoded;

    flat.len = 0;
    for (size_t i = 0; i < len; i++)
        if (!isspace((unsigned char)text[i]))
            flat.data[flat.len++] = (unsigned char)text[i];
    if (flat.len == 0 || flat.len % 4 != 0)
        return false;
    decoded = EVP_DecodeBlock(bytes.data, flat.data, (int)flat.len);
    if (decoded < 0)
        return false;
    /* EVP_DecodeBlock counts the padding as bytes. */
    bytes.len = (size_t)decoded - (flat.data[flat.len - 1] == '=') -
                (flat.len > 1 && flat.data[flat.len - 2] == '=');
    if (!encodes_to(&bytes, &flat))
        return false;
    *ret = take_blob(bytes);
    return true;
}
