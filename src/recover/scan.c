/* SPDX-License-Identifier: MIT */
/*
 * Where may a key be? As fast as memory can be read, at every byte.
 *
 * The five dashes of a PEM line always cover an aligned pair of bytes that are
 * both dashes, and the first line of an rsa1 key, whether it begins at an even
 * byte or at an odd one, one of two pairs that are rare. So comparing aligned
 * pairs, eight at a time, finds every block that is worth a closer look; most are
 * not. A key whose first line is damaged still shows by its last one.
 *
 * Vectors are the compiler's (SSE2, NEON, or what the machine has); none is asked
 * for that not every machine of its kind has.
 */
#include "recover/private.h"

#include <string.h>

enum { BLOCK = 128, VECTOR = 16 };
typedef uint16_t pairs __attribute__((vector_size(VECTOR)));
typedef uint64_t halves __attribute__((vector_size(VECTOR)));

static const char rsa1_line[] = "SSH PRIVATE KEY FILE FORMAT 1.1\n"; /* and a NUL */
static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

static inline pairs all(unsigned char first, unsigned char second)
{
    unsigned char bytes[2] = { first, second };
    uint16_t pair;

    memcpy(&pair, bytes, sizeof pair);
    return (pairs){ pair, pair, pair, pair, pair, pair, pair, pair };
}

static inline pairs load(const unsigned char *at)
{
    pairs vector;

    memcpy(&vector, at, sizeof vector);
    return vector;
}

enum { LOOK_DASHES = 1, LOOK_MAGIC = 2 };

static inline bool any_of(pairs found)
{
    halves folded = (halves)found;

    return (folded[0] | folded[1]) != 0;
}

/* What a block that begins at an even offset may hold, or hold a part of. */
static inline unsigned worth_a_look(const unsigned char *block, bool zstd)
{
    const pairs dashes = all('-', '-'), even = all('I', 'V'), odd = all('V', 'A');
    const pairs zstd_even = all(0x28, 0xb5), zstd_odd = all(0xb5, 0x2f);
    pairs dash = { 0 }, magic = { 0 };

    for (int i = 0; i < BLOCK / VECTOR; i++) {
        pairs here = load(block + i * VECTOR);

        dash |= (pairs)(here == dashes);
        magic |= (pairs)(here == even) | (pairs)(here == odd);
        if (zstd)
            magic |= (pairs)(here == zstd_even) | (pairs)(here == zstd_odd);
    }
    if (__builtin_expect(!any_of(dash | magic), 1))
        return 0;
    return (any_of(dash) ? LOOK_DASHES : 0) | (any_of(magic) ? LOOK_MAGIC : 0);
}

struct scan {
    const unsigned char *bytes;
    size_t len, starts;
    size_t dashes, magic; /* what begins before these has been told */
    scan_hit hit;
    void *context;
};

static bool at_mark(const struct scan *scan, size_t at, const void *mark, size_t len)
{
    return at + len <= scan->len && memcmp(scan->bytes + at, mark, len) == 0;
}

/*
 * A run of five dashes or more holds a byte of every five. One that goes on behind
 * these bytes is seen again from the next block.
 */
static void look_at_dashes(struct scan *scan, size_t from, size_t to)
{
    size_t limit = to + 5 < scan->len ? to + 5 : scan->len;

    for (size_t i = from; i < to; i += 5) {
        size_t start = i, end = i;

        if (scan->bytes[i] != '-')
            continue;
        while (start > from && scan->bytes[start - 1] == '-')
            start--;
        while (end < limit && scan->bytes[end] == '-')
            end++;
        i = end;
        if (end - start < 5 || end - 5 < scan->dashes || end - 5 >= scan->starts)
            continue;
        if (at_mark(scan, end, "BEGIN ", 6))
            scan->hit(scan->context, MARK_BEGIN, end - 5);
        else if (at_mark(scan, end, "END ", 4))
            scan->hit(scan->context, MARK_END, end - 5);
        scan->dashes = end - 4;
    }
}

static void look_at_magic(struct scan *scan, size_t from, size_t to, bool zstd)
{
    for (size_t i = from < scan->magic ? scan->magic : from; i < to && i < scan->starts; i++) {
        if (scan->bytes[i] == 'S' && at_mark(scan, i, rsa1_line, sizeof rsa1_line))
            scan->hit(scan->context, MARK_RSA1, i);
        if (zstd && at_mark(scan, i, zstd_magic, sizeof zstd_magic))
            scan->hit(scan->context, MARK_ZSTD, i);
        scan->magic = i + 1;
    }
}

/* Marks may begin before the block in which they show. */
static void look(struct scan *scan, size_t at, size_t len, unsigned for_what, bool zstd)
{
    size_t from = at < SCAN_LONGEST ? 0 : at - SCAN_LONGEST;

    if (for_what & LOOK_DASHES)
        look_at_dashes(scan, from, at + len);
    if (for_what & LOOK_MAGIC)
        look_at_magic(scan, from, at + len, zstd);
}

/* RFC 1952 2.3: deflate, no reserved flag; one of the two words on compression that there are. */
static bool is_gzip(const unsigned char *at)
{
    return at[0] == 0x1f && at[1] == 0x8b && at[2] == 8 && (at[3] & 0xe0) == 0 &&
           (at[8] == 0 || at[8] == 2 || at[8] == 4);
}

/* RFC 1950 2.2: a window of 32 KiB, no dictionary, and the check of the two bytes. */
static bool is_zlib(const unsigned char *at)
{
    return at[0] == 0x78 && (at[1] & 0x20) == 0 && (at[0] * 256 + at[1]) % 31 == 0;
}

static void look_at_sector(struct scan *scan, size_t at, unsigned what)
{
    const unsigned char *bytes = scan->bytes + at;

    if (at + 16 > scan->len)
        return;
    if (what & SCAN_PACKED && is_gzip(bytes))
        scan->hit(scan->context, MARK_GZIP, at);
    if (what & SCAN_PACKED && !(what & SCAN_ZSTD) &&
        memcmp(bytes, zstd_magic, sizeof zstd_magic) == 0)
        scan->hit(scan->context, MARK_ZSTD, at);
    if (what & SCAN_ZLIB && is_zlib(bytes))
        scan->hit(scan->context, MARK_ZLIB, at);
}

static inline __attribute__((always_inline)) void scan_all(struct scan *scan, unsigned what,
                                                           bool zstd)
{
    size_t at = 0, stop = scan->starts + SCAN_LONGEST;
    unsigned for_what;

    for (; at < stop && at + BLOCK <= scan->len; at += BLOCK) {
        if (what && at % SCAN_SECTOR == 0 && at < scan->starts)
            look_at_sector(scan, at, what);
        for_what = worth_a_look(scan->bytes + at, zstd);
        if (__builtin_expect(for_what != 0, 0))
            look(scan, at, BLOCK, for_what, zstd);
    }
    if (at < stop && at < scan->len)
        look(scan, at, scan->len - at, LOOK_DASHES | LOOK_MAGIC, zstd);
}

void scan_bytes(const unsigned char *bytes, size_t len, size_t starts, unsigned what, scan_hit hit,
                void *context)
{
    struct scan scan = {
        .bytes = bytes,
        .len = len,
        .starts = starts < len ? starts : len,
        .hit = hit,
        .context = context,
    };

    if (what & SCAN_ZSTD)
        scan_all(&scan, what, true);
    else
        scan_all(&scan, what, false);
}
