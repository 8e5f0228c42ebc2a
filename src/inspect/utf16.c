/* SPDX-License-Identifier: MIT */
/* UTF-16, as editors of another system save texts, made UTF-8. */
#include "inspect/private.h"

struct decoder {
    const unsigned char *at, *end;
    bool big; /* the high byte first */
};

static bool next_unit(struct decoder *in, unsigned *ret)
{
    if (in->end - in->at < 2)
        return false;
    *ret = in->big ? (unsigned)in->at[0] << 8 | in->at[1] : (unsigned)in->at[1] << 8 | in->at[0];
    in->at += 2;
    return true;
}

/* Strict, so that what comes out says all that was in: no half of a pair, and no NUL. */
static bool next_character(struct decoder *in, unsigned *ret)
{
    unsigned high, low;

    if (!next_unit(in, &high) || high == 0 || (high & 0xFC00) == 0xDC00)
        return false;
    if ((high & 0xFC00) != 0xD800) {
        *ret = high;
        return true;
    }
    if (!next_unit(in, &low) || (low & 0xFC00) != 0xDC00)
        return false;
    *ret = 0x10000 + ((high & 0x3FF) << 10 | (low & 0x3FF));
    return true;
}

static size_t put(unsigned char *out, unsigned character)
{
    static const unsigned char marks[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t len = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

    if (len == 1) {
        out[0] = (unsigned char)character;
        return 1;
    }
    for (size_t i = len; i-- > 1; character >>= 6)
        out[i] = (unsigned char)(0x80 | (character & 0x3F));
    out[0] = (unsigned char)(marks[len] | character);
    return len;
}

/* By its mark; without one, by the NUL beside the first character, which is ASCII in our texts. */
static bool find_order(const struct blob *text, struct decoder *ret)
{
    const unsigned char *b = text->data;
    bool mark;

    if (text->len < 2 || text->len % 2)
        return false;
    mark = (b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF);
    if (!mark && (b[0] == 0) == (b[1] == 0))
        return false;
    *ret = (struct decoder){ .at = b + (mark ? 2 : 0),
                             .end = b + text->len,
                             .big = mark ? b[0] == 0xFE : b[0] == 0 };
    return true;
}

bool utf16_to_utf8(const struct blob *text, struct blob *ret)
{
    auto_blob struct blob out = { 0 };
    struct decoder in;
    size_t len = 0;

    if (!find_order(text, &in))
        return false;
    out = blob_zeroed(text->len * 2);
    while (in.at < in.end) {
        unsigned character;

        if (!next_character(&in, &character))
            return false;
        len += put(out.data + len, character);
    }
    *ret = blob_copy(out.data, len);
    return true;
}
