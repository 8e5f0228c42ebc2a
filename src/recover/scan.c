/* SPDX-License-Identifier: MIT */
/*
 * Where may a key be? As fast as memory can be read, at every byte.
 *
 * The five dashes of a PEM line always cover two aligned pairs of bytes, side by side, that are
 * all dashes, and the first line of an rsa1 key, whether it begins at an even byte or at an odd
 * one, one of two pairs that are rare in text and in programs ("IV", "EY"). So comparing aligned
 * pairs, many at a time, finds every block that is worth a closer look; most are not. A key whose
 * first line is damaged still shows by its last one.
 *
 * Vectors are the compiler's: of 32 bytes, which are two of 16 (SSE2, NEON) but for processors
 * that have AVX2 and say so.
 */
#include "recover/private.h"

#include <string.h>

enum { BLOCK = 128, BLOCKS = SCAN_SECTOR / BLOCK, VECTOR = 32 };
typedef uint16_t pairs __attribute__((vector_size(VECTOR)));
typedef uint64_t quarters __attribute__((vector_size(VECTOR)));

static const char rsa1_line[] = "SSH PRIVATE KEY FILE FORMAT 1.1\n"; /* and a NUL */
static const unsigned char zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

#define INLINE static inline __attribute__((always_inline))

/* By pointers: how a vector of 32 bytes is handed over depends on what the processor has. */
INLINE void fill(pairs *vector, unsigned char first, unsigned char second)
{
    unsigned char bytes[2] = { first, second };
    uint16_t pair;

    memcpy(&pair, bytes, sizeof pair);
    *vector = (pairs){ 0 } + pair;
}

INLINE void load(pairs *vector, const unsigned char *at)
{
    memcpy(vector, at, sizeof *vector);
}

enum { LOOK_DASHES = 1, LOOK_MAGIC = 2 };

INLINE bool any_of(const pairs *found)
{
    quarters folded = (quarters)*found;

    return (folded[0] | folded[1] | folded[2] | folded[3]) != 0;
}

/* What is looked for, as vectors. */
struct wanted {
    pairs dashes, even, odd, zstd_even, zstd_odd;
};

/* What a block that begins at an even offset may hold, or hold a part of. */
INLINE void compare(const struct wanted *wanted, const unsigned char *block, bool zstd,
                    pairs *ret_dash, pairs *ret_magic)
{
    pairs dash = { 0 }, magic = { 0 }, here;

#pragma GCC unroll 8
    for (int i = 0; i < BLOCK / VECTOR; i++) {
        load(&here, block + i * VECTOR);
        dash |= (pairs)(here == wanted->dashes);
        magic |= (pairs)(here == wanted->even) | (pairs)(here == wanted->odd);
        if (zstd)
            magic |= (pairs)(here == wanted->zstd_even) | (pairs)(here == wanted->zstd_odd);
    }
    *ret_dash = dash;
    *ret_magic = magic;
}

/* A pair of dashes is common in text; two side by side are not. There are two bytes behind it. */
INLINE bool four_dashes(const struct wanted *wanted, const unsigned char *block)
{
    pairs four = { 0 }, here, next;

#pragma GCC unroll 8
    for (int i = 0; i < BLOCK / VECTOR; i++) {
        load(&here, block + i * VECTOR);
        load(&next, block + i * VECTOR + 2);
        four |= (pairs)(here == wanted->dashes) & (pairs)(next == wanted->dashes);
    }
    return any_of(&four);
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

    for (size_t i = from; i < limit; i += 5) {
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
    size_t end = to < scan->starts ? to : scan->starts;

    for (size_t i = from < scan->magic ? scan->magic : from; i < end; i++) {
        const unsigned char *next = zstd ? scan->bytes + i : memchr(scan->bytes + i, 'S', end - i);

        if (!next)
            break;
        i = (size_t)(next - scan->bytes);
        if (scan->bytes[i] == 'S' && at_mark(scan, i, rsa1_line, sizeof rsa1_line))
            scan->hit(scan->context, MARK_RSA1, i);
        if (zstd && at_mark(scan, i, zstd_magic, sizeof zstd_magic))
            scan->hit(scan->context, MARK_ZSTD, i);
    }
    if (scan->magic < end)
        scan->magic = end;
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

static void tell_packed(struct scan *scan, size_t at, unsigned what)
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

/* Nearly all sectors are refused by their first byte. */
INLINE void look_at_sector(struct scan *scan, size_t at, unsigned what)
{
    unsigned char first = scan->bytes[at];

    if ((first == 0x1f || first == 0x28 || first == 0x78) && at < scan->starts)
        tell_packed(scan, at, what);
}

static __attribute__((noinline)) void look_closer(struct scan *scan, const struct wanted *wanted,
                                                  size_t at, unsigned for_what, bool zstd)
{
    if ((for_what & LOOK_DASHES) && at + BLOCK + 2 <= scan->len &&
        !four_dashes(wanted, scan->bytes + at))
        for_what &= ~(unsigned)LOOK_DASHES;
    look(scan, at, BLOCK, for_what, zstd);
}

INLINE void look_at_block(struct scan *scan, const struct wanted *wanted, size_t at,
                          const pairs *dash, const pairs *magic, bool zstd)
{
    unsigned for_what = (any_of(dash) ? LOOK_DASHES : 0) | (any_of(magic) ? LOOK_MAGIC : 0);

    if (for_what)
        look_closer(scan, wanted, at, for_what, zstd);
}

INLINE void scan_all(struct scan *scan, unsigned what, bool zstd)
{
    size_t at = 0, stop = scan->starts + SCAN_LONGEST;
    struct wanted wanted;

    fill(&wanted.dashes, '-', '-');
    fill(&wanted.even, 'I', 'V');
    fill(&wanted.odd, 'E', 'Y');
    fill(&wanted.zstd_even, 0x28, 0xb5);
    fill(&wanted.zstd_odd, 0xb5, 0x2f);
    for (; at < stop && at + SCAN_SECTOR <= scan->len; at += SCAN_SECTOR) {
        pairs dash[BLOCKS], magic[BLOCKS], all = { 0 };
        look_at_sector(scan, at, what);
#pragma GCC unroll 4
        for (int i = 0; i < BLOCKS; i++) {
            compare(&wanted, scan->bytes + at + i * BLOCK, zstd, &dash[i], &magic[i]);
            all |= dash[i] | magic[i];
        }
        if (__builtin_expect(!any_of(&all), 1))
            continue;
        for (size_t i = 0; i < BLOCKS; i++)
            look_at_block(scan, &wanted, at + i * BLOCK, &dash[i], &magic[i], zstd);
    }
    if (at < stop && at < scan->len) {
        look_at_sector(scan, at, what);
        look(scan, at, scan->len - at, LOOK_DASHES | LOOK_MAGIC, zstd);
    }
}

/* The same twice, so that what is not looked for costs nothing. */
INLINE void scan_either(struct scan *scan, unsigned what)
{
    if (what & SCAN_ZSTD)
        scan_all(scan, what, true);
    else
        scan_all(scan, what, false);
}

static void scan_plainly(struct scan *scan, unsigned what)
{
    scan_either(scan, what);
}

#ifdef __x86_64__
static __attribute__((target("avx2"))) void scan_by_avx2(struct scan *scan, unsigned what)
{
    scan_either(scan, what);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
static void scan_by_avx2(struct scan *scan, unsigned what)
{
    scan_plainly(scan, what);
}

static bool has_avx2(void)
{
    return false;
}
#endif

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

    if (!(what & SCAN_PLAINLY) && has_avx2())
        scan_by_avx2(&scan, what);
    else
        scan_plainly(&scan, what);
}
