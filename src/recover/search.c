/* SPDX-License-Identifier: MIT */
/*
 * The search as a whole: one stretch after another, each seen in views, and at the
 * end of unallocated space, and of all, what can be made of remains.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>
#include <unistd.h>

enum { TELL_EVERY_MS = 100 };

static double seconds_since(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void tell_progress(struct search *search)
{
    double took = seconds_since(&search->began);

    clock_gettime(CLOCK_MONOTONIC, &search->told);
    search->now.rate = took > 0 ? (double)search->now.done / took : 0;
    if (search->now.total < search->now.done)
        search->now.total = search->now.done;
    if (search->options->progress &&
        !search->options->progress(search->options->context, &search->now))
        search->cancelled = true;
}

void search_begin_stage(struct search *search, enum recover_stage stage, uint64_t total)
{
    search->now = (struct recover_progress){ .stage = stage, .total = total };
    clock_gettime(CLOCK_MONOTONIC, &search->began);
    search->told = search->began;
}

bool search_advance(struct search *search, uint64_t done)
{
    search->now.done += done;
    if (!search->cancelled && seconds_since(&search->told) * 1000 >= TELL_EVERY_MS)
        tell_progress(search);
    return !search->cancelled;
}

static bool names_one(const struct recover_want *want)
{
    return want->blob || want->fingerprint;
}

static bool is_found(const struct search *search, size_t want)
{
    for (size_t i = 0; i < search->result->count; i++)
        if (search->result->found[i].want == (int)want &&
            search->result->found[i].state <= RECOVER_UNKNOWN_TYPE)
            return true;
    return false;
}

/* Nothing is wanted but keys that are named, and all of them are there. */
bool search_settled(const struct search *search)
{
    for (size_t i = 0; i < search->want_count; i++)
        if (!names_one(&search->wants[i]) || !is_found(search, i))
            return false;
    return search->want_count > 0;
}

/* Every want has something: what fits a hint has been looked for long enough. */
static bool search_satisfied(const struct search *search)
{
    for (size_t i = 0; i < search->want_count; i++)
        if (!is_found(search, i))
            return false;
    return search->want_count > 0;
}

/* What is packed where: btrfs packs extents; elsewhere it is files, which begin with a sector. */
static unsigned what_to_scan(const struct recover_where *where)
{
    if (where->fs && strcmp(where->fs, "btrfs") == 0)
        return SCAN_PACKED | SCAN_ZSTD | SCAN_ZLIB;
    return SCAN_PACKED;
}

static enum recover_stage stage_of(const struct stretch *stretch)
{
    return stretch->space == RECOVER_UNALLOCATED ? RECOVER_SEARCHING_UNALLOCATED
                                                 : RECOVER_SEARCHING_ALLOCATED;
}

/* The next stretch is the one ahead; false where there is none. */
static bool next_stretch(struct search *search)
{
    search->has_ahead = space_next(search->space, &search->ahead);
    search->ahead_at = search->ahead.start;
    return search->has_ahead;
}

/* Asks for the next part of this stage; false at its end, and where nobody wants more. */
static bool ask_next(struct search *search)
{
    while (search->has_ahead && stage_of(&search->ahead) == search->now.stage) {
        uint64_t at = search->ahead_at, end = search->ahead.end, data;
        size_t want;

        if (at >= end) {
            if (!next_stretch(search))
                return false;
            continue;
        }
        data = source_data(&search->source, at);
        data = data < end ? data / SOURCE_BLOCK * SOURCE_BLOCK : end;
        if (data > at) {
            search->ahead_at = data;
            if (!search_advance(search, data - at))
                return false;
            continue;
        }
        want = end - at < SOURCE_VIEW ? (size_t)(end - at) : SOURCE_VIEW;
        scout_ask(search->scout, &search->ahead, at, want);
        search->ahead_at = at + want;
        return true;
    }
    return false;
}

static void look_at(struct search *search, const struct part *part)
{
    if (search->stretch.start != part->stretch.start || part->at == part->stretch.start)
        search->consumed = part->stretch.start;
    search->stretch = part->stretch;
    search->view = part->view;
    search->view_at = part->at;
    search->view_len = part->len;
    for (size_t i = 0; part->view && i < part->count; i++)
        carve(search, part->marks[i].mark, part->marks[i].at);
    search->result->bytes_read += part->want;
    (void)search_advance(search, part->want);
}

static void search_stage(struct search *search)
{
    const struct part *part;

    do {
        while (!search->cancelled && !search_settled(search) && scout_has_room(search->scout) &&
               ask_next(search))
            ;
        part = scout_wait(search->scout);
        if (!part)
            return;
        if (!search->cancelled && !search_settled(search))
            look_at(search, part);
        scout_done(search->scout);
    } while (true);
}

/* At the end of a stage: what is torn or damaged, as far as it is wanted. */
static void use_remnants(struct search *search)
{
    if (!search->cancelled && search->remnant_count > 0 && !search_satisfied(search)) {
        join_remnants(search);
        if (!search->cancelled && !search_satisfied(search))
            rebuild_remnants(search);
    }
}

static uint64_t bytes_of(const struct search *search, enum recover_stage stage)
{
    return space_bytes(search->space, stage == RECOVER_SEARCHING_UNALLOCATED ? RECOVER_UNALLOCATED
                                      : space_is_known(search->space)        ? RECOVER_ALLOCATED
                                                                      : RECOVER_SPACE_UNKNOWN);
}

static void search_all(struct search *search)
{
    bool more = next_stretch(search);

    while (more && !search->cancelled && !search_settled(search)) {
        enum recover_stage stage = stage_of(&search->ahead);

        search_begin_stage(search, stage, bytes_of(search, stage));
        search_stage(search);
        more = search->has_ahead;
        if (!more || search->cancelled || search_settled(search))
            break;
        tell_progress(search);
        use_remnants(search);
        if (search_satisfied(search) || search->options->unallocated_only)
            break;
    }
    tell_progress(search);
    use_remnants(search);
}

static int wanted_first(const void *a, const void *b)
{
    const struct recover_found *x = a, *y = b;

    if ((x->want < 0) != (y->want < 0))
        return x->want < 0 ? 1 : -1;
    if (x->state != y->state)
        return (int)x->state - (int)y->state;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void search_free(struct search *search)
{
    scout_free(&search->scout);
    for (size_t i = 0; i < search->remnant_count; i++)
        blob_free(&search->remnants[i].text);
    for (size_t i = 0; i < search->want_count; i++)
        free(search->fingerprints[i]);
    free(search->fingerprints);
    explicit_bzero(search->scratch, SCRATCH);
    free(search->scratch);
    unpacker_free(&search->unpacker);
    space_free(&search->space);
    source_close(&search->source);
    free(search);
}

int recover_search(const struct disk *disk, const struct recover_where *where,
                   const struct recover_want *wants, size_t count,
                   const struct recover_options *options, struct recovery *ret, struct err *e)
{
    static const struct recover_options none = { 0 };
    struct recovery result = { 0 };
    struct source source;
    struct search *search;

    if (source_open(disk, where, &result.bytes_failed, &source, e) < 0)
        return -1;
    hostkey_lock_memory();
    search = xcalloc(1, sizeof *search);
    search->source = source;
    search->wants = wants;
    search->want_count = count;
    search->options = options ? options : &none;
    search->result = &result;
    search->fingerprints = xcalloc(count, sizeof *search->fingerprints);
    search->scratch = xcalloc(1, SCRATCH);
    keep_in_memory(search->scratch, SCRATCH);
    search->space = space_open(&search->source, where);
    search->unpacker = unpacker_new();
    search->scout =
        scout_start(&search->source, what_to_scan(where), sysconf(_SC_NPROCESSORS_ONLN) > 1);
    search_all(search);
    result.end = search->cancelled ? RECOVER_CANCELLED
                 : count > 0 && (search_settled(search) || search_satisfied(search))
                     ? RECOVER_ALL_FOUND
                     : RECOVER_EXHAUSTED;
    search_free(search);
    if (result.count > 0)
        qsort(result.found, result.count, sizeof *result.found, wanted_first);
    *ret = result;
    return 0;
}

void recovery_free(struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->count; i++) {
        pubkey_free(&recovery->found[i].pub);
        hostkey_free(&recovery->found[i].key);
        blob_free(&recovery->found[i].file);
    }
    free(recovery->found);
    *recovery = (struct recovery){ 0 };
}
