/* SPDX-License-Identifier: MIT */
/*
 * Keys in what is packed: the extents of btrfs (zstd, zlib), and backups (gzip, zstd).
 *
 * A magic number is no proof, and a few bytes may unpack to terabytes. So the first
 * bytes are unpacked alone, and decide: a file that begins with a key, or an
 * archive that may hold one, is unpacked further, to a limit. The extents of btrfs
 * are at most 128 KiB, and are unpacked whole.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum {
    WINDOW_LOG_MAX = 23,            /* 8 MiB: what zstd makes unless it is told --long */
    INPUT = 128 * 1024,             /* read at a time */
    OUTPUT = 128 * 1024,            /* looked at at a time */
    EXTENT_MAX = 128 * 1024,        /* BTRFS_MAX_UNCOMPRESSED (fs/btrfs/compression.h) */
    ARCHIVE_MAX = 32 * 1024 * 1024, /* unpacked of one archive */
    PEEK = 263,                     /* of a header of tar up to its magic, or of a key */
    TAR_MAGIC = 257,
};

struct unpacker {
    ZSTD_DCtx *zstd;
    z_stream zlib;
    bool zlib_ready;
    unsigned char *input, *output;

    /* The stream at hand. */
    enum mark mark;
    uint64_t at;
    size_t used, filled;
    bool ended;
};

struct unpacker *unpacker_new(void)
{
    struct unpacker *unpacker = xcalloc(1, sizeof *unpacker);

    unpacker->input = xcalloc(1, INPUT);
    unpacker->output = xcalloc(1, ARMOUR_DAMAGED + OUTPUT);
    keep_in_memory(unpacker->output, ARMOUR_DAMAGED + OUTPUT);
    return unpacker;
}

void unpacker_free(struct unpacker **unpacker)
{
    struct unpacker *this = *unpacker;

    if (!this)
        return;
    ZSTD_freeDCtx(this->zstd);
    if (this->zlib_ready)
        inflateEnd(&this->zlib);
    explicit_bzero(this->output, ARMOUR_DAMAGED + OUTPUT);
    free(this->input);
    free(this->output);
    free(this);
    *unpacker = NULL;
}

static bool begin_zstd(struct unpacker *this)
{
    if (!this->zstd)
        this->zstd = ZSTD_createDCtx();
    return this->zstd &&
           !ZSTD_isError(ZSTD_DCtx_reset(this->zstd, ZSTD_reset_session_and_parameters)) &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(this->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX));
}

static bool begin_zlib(struct unpacker *this)
{
    int bits = this->mark == MARK_GZIP ? 15 + 16 : 15; /* zlib.h: 16 more for gzip */

    this->zlib.next_in = NULL;
    this->zlib.avail_in = 0;
    if (this->zlib_ready)
        return inflateReset2(&this->zlib, bits) == Z_OK;
    this->zlib_ready = inflateInit2(&this->zlib, bits) == Z_OK;
    return this->zlib_ready;
}

/* Unpacks from what has been read to the room there is; false at the end of all that can be had. */
static bool step_zstd(struct unpacker *this, unsigned char *to, size_t room, size_t *made)
{
    ZSTD_inBuffer in = { this->input, this->filled, this->used };
    ZSTD_outBuffer out = { to, room, 0 };
    size_t result = ZSTD_decompressStream(this->zstd, &out, &in);

    this->used = in.pos;
    *made = out.pos;
    this->ended = ZSTD_isError(result) || result == 0;
    return !this->ended;
}

static bool step_zlib(struct unpacker *this, unsigned char *to, size_t room, size_t *made)
{
    int result;

    this->zlib.next_in = this->input + this->used;
    this->zlib.avail_in = (unsigned)(this->filled - this->used);
    this->zlib.next_out = to;
    this->zlib.avail_out = (unsigned)room;
    result = inflate(&this->zlib, Z_NO_FLUSH);
    this->used = this->filled - this->zlib.avail_in;
    *made = room - this->zlib.avail_out;
    this->ended = result != Z_OK;
    return !this->ended;
}

/* Up to `room` bytes of what is packed; fewer at its end. */
static size_t more(struct search *search, unsigned char *to, size_t room)
{
    struct unpacker *this = search->unpacker;
    size_t got = 0;

    while (got < room && !this->ended) {
        size_t made = 0, before = this->used;

        if (this->used == this->filled) {
            this->filled = source_copy(&search->source, this->at, this->input, INPUT);
            this->at += this->filled;
            this->used = before = 0;
            if (this->filled == 0)
                break;
        }
        if (this->mark == MARK_ZSTD)
            (void)step_zstd(this, to + got, room - got, &made);
        else
            (void)step_zlib(this, to + got, room - got, &made);
        got += made;
        if (made == 0 && this->used == before && !this->ended)
            break; /* neither forwards nor at an end */
    }
    return got;
}

/* Keys in clear, among bytes that have been unpacked. `all`: no more will follow. */
static size_t take_keys(struct search *search, const unsigned char *bytes, size_t len, bool all,
                        const struct origin *origin)
{
    static const char begin[] = "-----BEGIN ";
    const unsigned char *at = bytes, *end = bytes + len;

    while ((at = memmem(at, (size_t)(end - at), begin, sizeof begin - 1))) {
        auto_with(armour_free) struct armour armour = { 0 };
        bool last = all || (size_t)(end - at) >= ARMOUR_DAMAGED;

        armour_read(at, (size_t)(end - at), last, &armour);
        if (armour.state == ARMOUR_MORE || (armour.state == ARMOUR_TORN && !last))
            return (size_t)(at - bytes);
        if (armour.state != ARMOUR_NONE)
            search->result->candidates++;
        if (armour.state == ARMOUR_WHOLE)
            match_file(search, &armour.text, origin);
        else if (armour.state != ARMOUR_NONE)
            match_remains(search, &armour, origin);
        at += sizeof begin - 1;
    }
    return len < sizeof begin ? 0 : len - sizeof begin + 1;
}

static bool may_hold_keys(const unsigned char *bytes, size_t len)
{
    return memmem(bytes, len, "-----BEGIN ", 11) ||
           (len == PEEK && memcmp(bytes + TAR_MAGIC, "ustar", 5) == 0);
}

static bool begin(struct search *search, enum mark mark, uint64_t at)
{
    struct unpacker *this = search->unpacker;
    size_t behind = (size_t)(at - search->view_at);

    this->mark = mark;
    this->ended = false;
    this->used = 0;
    /* The first bytes are in view: most are refused by them, and nothing is read. */
    this->filled = search->view_len - behind < 2 * PEEK ? search->view_len - behind : 2 * PEEK;
    memcpy(this->input, search->view + behind, this->filled);
    this->at = at + this->filled;
    return mark == MARK_ZSTD ? begin_zstd(this) : begin_zlib(this);
}

static enum recover_way way_of(enum mark mark)
{
    return mark == MARK_ZSTD   ? RECOVER_FROM_ZSTD
           : mark == MARK_GZIP ? RECOVER_FROM_GZIP
                               : RECOVER_FROM_ZLIB;
}

void unpack(struct search *search, enum mark mark, uint64_t at)
{
    struct unpacker *this = search->unpacker;
    struct origin origin = { at, search->stretch.space, way_of(mark) };
    size_t held, total, limit = ARCHIVE_MAX;

    if (!begin(search, mark, at))
        return;
    held = total = more(search, this->output, PEEK);
    if (!may_hold_keys(this->output, held)) {
        if (mark == MARK_GZIP || held == 0)
            return;
        limit = EXTENT_MAX;
    }
    while (!search->cancelled) {
        size_t kept;

        held += more(search, this->output + held, ARMOUR_DAMAGED + OUTPUT - held);
        total += held;
        kept = take_keys(search, this->output, held, this->ended, &origin);
        if (this->ended || total >= limit || kept == 0 || held < ARMOUR_DAMAGED + OUTPUT)
            return;
        held -= kept;
        memmove(this->output, this->output + kept, held);
    }
}
