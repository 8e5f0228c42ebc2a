/* SPDX-License-Identifier: MIT */
/* From a mark on the disk to the text or the bytes of a key. */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>

enum {
    FIRST_READ = 4096,     /* holds nearly every key, and what makes a false one fail */
    BACK = ARMOUR_DAMAGED, /* how far a key goes back from its last line */
    RSA1_NUMBER_MAX = 16384 / 8,
};

static struct origin origin_of(const struct search *search, uint64_t at)
{
    return (struct origin){ .offset = at, .space = search->stretch.space };
}

/* Bytes from an offset on: those in view, or copies. What is in view may change; a copy does not.
 */
static size_t fetch(struct search *search, uint64_t at, size_t len)
{
    size_t behind = (size_t)(at - search->view_at);

    if (at >= search->view_at && behind < search->view_len && search->view_len - behind >= len) {
        memcpy(search->scratch, search->view + behind, len);
        return len;
    }
    return source_copy(&search->source, at, search->scratch, len);
}

/* A first line is cheap to refuse where it stands. */
static bool private_label(const unsigned char *bytes, size_t len)
{
    return memmem(bytes, len < 48 ? len : 48, "PRIVATE KEY-----", 16) != NULL;
}

static void carve_armour(struct search *search, uint64_t at)
{
    struct origin origin = origin_of(search, at);
    size_t len = fetch(search, at, FIRST_READ);
    auto_with(armour_free) struct armour armour = { 0 };

    armour_read(search->scratch, len, len < FIRST_READ, &armour);
    if (armour.state == ARMOUR_MORE || (armour.state == ARMOUR_TORN && len == FIRST_READ)) {
        armour_free(&armour);
        len = fetch(search, at, ARMOUR_MAX);
        armour_read(search->scratch, len, true, &armour);
    }
    if (armour.state == ARMOUR_NONE)
        return;
    search->result->candidates++;
    if (armour.state != ARMOUR_TORN)
        search->consumed = at + armour.length;
    if (armour.state == ARMOUR_WHOLE)
        match_file(search, &armour.text, &origin);
    else
        match_remains(search, &armour, &origin);
}

/* A last line whose first one has not been seen. */
static void carve_back(struct search *search, uint64_t at)
{
    uint64_t start = at > BACK ? at - BACK : 0;
    auto_with(armour_free) struct armour armour = { 0 };
    struct origin origin;
    size_t len;

    if (start < search->consumed && search->consumed <= at)
        start = search->consumed;
    len = fetch(search, start, (size_t)(at - start) + SCAN_LONGEST);
    if (len < (size_t)(at - start) + 9)
        return;
    armour_read_back(search->scratch, (size_t)(at - start), len, &armour);
    if (armour.state == ARMOUR_NONE)
        return;
    search->result->candidates++;
    origin = origin_of(search, start + armour.length);
    match_file(search, &armour.text, &origin);
}

/* ---- rsa1: binary, and its length is told by its parts alone -------------------------------- */

/* A number with its length in bits before it (sshkey.c, sshbuf_get_bignum1 of OpenSSH 7.5). */
static bool skip_number(const unsigned char *bytes, size_t len, size_t *at)
{
    size_t bits;

    if (*at + 2 > len)
        return false;
    bits = (size_t)bytes[*at] << 8 | bytes[*at + 1];
    *at += 2 + (bits + 7) / 8;
    return bits > 0 && (bits + 7) / 8 <= RSA1_NUMBER_MAX && *at <= len;
}

/* Mark, cipher, four bytes, bits, n, e, comment; two checks, d, iqmp, q, p, and padding to eight.
 */
static size_t rsa1_length(const unsigned char *bytes, size_t len)
{
    size_t at = 33 + 1 + 4 + 4, comment, inner;

    if (!skip_number(bytes, len, &at) || !skip_number(bytes, len, &at) || at + 4 > len)
        return 0;
    comment = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 | (size_t)bytes[at + 2] << 8 |
              bytes[at + 3];
    if (comment > 1024 || at + 4 + comment + 4 > len)
        return 0;
    inner = at + 4 + comment;
    at = inner + 4;
    for (int i = 0; i < 4; i++)
        if (!skip_number(bytes, len, &at))
            return 0;
    at = inner + (at - inner + 7) / 8 * 8;
    return at <= len ? at : 0;
}

static void carve_rsa1(struct search *search, uint64_t at)
{
    struct origin origin = origin_of(search, at);
    size_t len = fetch(search, at, ARMOUR_DAMAGED);
    size_t used = rsa1_length(search->scratch, len);

    search->result->candidates++;
    if (used > 0) {
        auto_blob struct blob file = blob_copy(search->scratch, used);

        match_file(search, &file, &origin);
    } else {
        search->result->torn++;
    }
}

void carve(void *context, enum mark mark, size_t at)
{
    struct search *search = context;
    uint64_t offset = search->view_at + at;

    if (offset < search->consumed)
        return;
    switch (mark) {
    case MARK_BEGIN:
        if (private_label(search->view + at, search->view_len - at))
            carve_armour(search, offset);
        break;
    case MARK_END:
        if (private_label(search->view + at, search->view_len - at))
            carve_back(search, offset);
        break;
    case MARK_RSA1:
        carve_rsa1(search, offset);
        break;
    case MARK_ZSTD:
    case MARK_GZIP:
    case MARK_ZLIB:
        unpack(search, mark, offset);
        break;
    }
}
