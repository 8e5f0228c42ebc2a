/* SPDX-License-Identifier: MIT */
/*
 * A key whose pieces lie in blocks apart. The piece that breaks off at the end of a
 * block says how the next one begins: so many characters, then a line end. Blocks
 * that fit are tried, the nearest first, and the key that comes out is proven; the
 * number of tries is bounded, since a disk can be full of such blocks.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>

enum {
    REACH = 16 * 1024 * 1024, /* bytes before and after the piece that breaks off */
    FITTING_MAX = 48,         /* blocks that are tried for one piece */
    PIECES_MAX = 6,
    LOOKS_MAX = 96, /* times the neighbourhood of one key is gone through */
};

struct join {
    struct search *search;
    struct origin origin;
    size_t block;
    unsigned looks;
    bool done;
};

static size_t run_of_base64(const unsigned char *bytes, size_t len)
{
    size_t run = 0;

    while (run < len && is_base64(bytes[run]))
        run++;
    return run;
}

/* The block goes on with a text whose last line has so many characters of so many. */
static bool fits(const unsigned char *block, size_t len, size_t column, size_t width)
{
    size_t run = run_of_base64(block, len), next;

    if (run == len || block[run] != '\n' || column + run > width)
        return false;
    next = len - run - 1 < 5 ? len - run - 1 : 5;
    if (memcmp(block + run + 1, "-----", next) == 0)
        return next == 5;
    if (column + run != width)
        return false;
    run++;
    next = run_of_base64(block + run, len - run);
    return next == width || (next > 0 && run + next < len && block[run + next] == '\n' &&
                             memcmp(block + run + next + 1, "-----", 5) == 0);
}

/* Offsets of blocks that fit, nearest first. */
struct fitting {
    uint64_t at[FITTING_MAX];
    size_t count;
};

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a < b ? b - a : a - b;
}

static void insert(struct fitting *fitting, uint64_t at, uint64_t from)
{
    size_t place = fitting->count;

    while (place > 0 && distance(at, from) < distance(fitting->at[place - 1], from))
        place--;
    if (place == FITTING_MAX)
        return;
    if (fitting->count < FITTING_MAX)
        fitting->count++;
    memmove(&fitting->at[place + 1], &fitting->at[place],
            (fitting->count - place - 1) * sizeof fitting->at[0]);
    fitting->at[place] = at;
}

static void look_around(struct join *join, uint64_t from, size_t column, size_t width,
                        struct fitting *ret)
{
    struct search *search = join->search;
    uint64_t at = from > REACH ? (from - REACH) / SOURCE_BLOCK * SOURCE_BLOCK : 0;
    uint64_t end = from + REACH < search->source.size ? from + REACH : search->source.size;

    ret->count = 0;
    while (at < end && !search->cancelled) {
        size_t want = end - at < SOURCE_VIEW ? (size_t)(end - at) : SOURCE_VIEW, len;
        const unsigned char *view = source_view(&search->source, 0, at, want, &len);

        for (size_t i = 0; view && i + join->block <= len && i < want; i += join->block)
            if (at + i != from && fits(view + i, join->block, column, width))
                insert(ret, at + i, from);
        at += want;
        (void)search_advance(search, want);
    }
}

static void try_block(struct join *join, const struct armour *so_far, uint64_t at, unsigned piece);

/* The blocks that may follow a text that breaks off at an offset. */
static void try_all(struct join *join, const struct armour *so_far, uint64_t broken, unsigned piece)
{
    struct fitting fitting;

    if (piece == PIECES_MAX || join->looks++ >= LOOKS_MAX)
        return;
    look_around(join, broken, so_far->column, so_far->width, &fitting);
    for (size_t i = 0; i < fitting.count && !join->done && !join->search->cancelled; i++)
        try_block(join, so_far, fitting.at[i], piece);
}

/*
 * What stands behind a piece may look like more of it, for a character or a line: what breaks off
 * inside a block is taken up to the border before. False where no border is in the text, from
 * `least` bytes on; end: where the text ends on the volume.
 */
static bool cut_at_border(const struct blob *text, size_t len, size_t least, uint64_t end,
                          size_t block, struct armour *ret)
{
    size_t over = (size_t)(end % block);

    if (len <= least + over)
        return false;
    armour_read(text->data, len - over, true, ret);
    return ret->state == ARMOUR_TORN && ret->length == len - over;
}

static void try_block(struct join *join, const struct armour *so_far, uint64_t at, unsigned piece)
{
    auto_blob struct blob text = blob_zeroed(so_far->text.len + ARMOUR_DAMAGED);
    auto_with(armour_free) struct armour longer = { 0 }, cut = { 0 };
    struct search *search = join->search;
    size_t before = so_far->text.len, more;

    memcpy(text.data, so_far->text.data, before);
    more = source_copy(&search->source, at, text.data + before, ARMOUR_DAMAGED);
    armour_read(text.data, before + more, true, &longer);
    if (longer.state == ARMOUR_WHOLE) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged = { 0 };

        hostkey_judge(&longer.text, &judged);
        if (judged.verdict == HOSTKEY_SOUND && match_exact(search, &judged.pub) >= 0) {
            match_file(search, &longer.text, &join->origin);
            join->done = true;
        }
    } else if (longer.state == ARMOUR_TORN && longer.length > before &&
               cut_at_border(&text, longer.length, before, at + longer.length - before, join->block,
                             &cut)) {
        if (cut.width == 0)
            cut.width = so_far->width;
        try_all(join, &cut, at + cut.length - before, piece + 1);
    }
}

void join_remnants(struct search *search)
{
    size_t block = (size_t)space_block(search->space);

    search_begin_stage(search, RECOVER_JOINING, 2 * REACH);
    for (size_t i = 0; i < search->remnant_count && !search->cancelled; i++) {
        const struct remnant *remnant = &search->remnants[i];
        struct join join = {
            .search = search,
            .block = block > SOURCE_BLOCK ? SOURCE_BLOCK : block,
            .origin = { remnant->offset, remnant->space, RECOVER_JOINED },
        };
        auto_with(armour_free) struct armour so_far = { 0 };

        if (remnant->torn && remnant->want >= 0 && remnant->width > 0 &&
            cut_at_border(&remnant->text, remnant->text.len, 0, remnant->broken, join.block,
                          &so_far)) {
            if (so_far.width == 0)
                so_far.width = remnant->width;
            try_all(&join, &so_far, remnant->broken - remnant->broken % join.block, 1);
        }
    }
}
