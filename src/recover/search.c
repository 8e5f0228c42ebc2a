/* SPDX-License-Identifier: MIT */
/*
 * The search as a whole: one stretch after another, each seen in views, and at the
 * end of unallocated space, and of all, what can be made of remains.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>

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

static void search_stretch(struct search *search, unsigned what)
{
    uint64_t at = search->stretch.start, end = search->stretch.end;

    while (at < end && !search_settled(search)) {
        uint64_t data = source_data(&search->source, at);
        size_t want;

        if (data > at) {
            data = data < end ? data / SOURCE_BLOCK * SOURCE_BLOCK : end;
            if (data > at) {
                if (!search_advance(search, data - at))
                    return;
                at = data;
                continue;
            }
        }
        want = end - at < SOURCE_VIEW ? (size_t)(end - at) : SOURCE_VIEW;
        search->view_at = at;
        search->view = source_view(&search->source, at, want, &search->view_len);
        if (search->view)
            scan_bytes(search->view, search->view_len, want, what, carve, search);
        search->result->bytes_read += want;
        at += want;
        if (!search_advance(search, want))
            return;
    }
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

static enum recover_stage stage_of(const struct stretch *stretch)
{
    return stretch->space == RECOVER_UNALLOCATED ? RECOVER_SEARCHING_UNALLOCATED
                                                 : RECOVER_SEARCHING_ALLOCATED;
}

static void search_all(struct search *search, unsigned what)
{
    bool first = true;

    while (!search->cancelled && !search_settled(search) &&
           space_next(search->space, &search->stretch)) {
        enum recover_stage stage = stage_of(&search->stretch);

        if (!first && stage != search->now.stage) {
            tell_progress(search);
            use_remnants(search);
            if (search->cancelled || search_satisfied(search) || search->options->unallocated_only)
                break;
        }
        if (first || stage != search->now.stage)
            search_begin_stage(search, stage,
                               space_bytes(search->space, stage == RECOVER_SEARCHING_UNALLOCATED
                                                              ? RECOVER_UNALLOCATED
                                                          : space_is_known(search->space)
                                                              ? RECOVER_ALLOCATED
                                                              : RECOVER_SPACE_UNKNOWN));
        first = false;
        search->consumed = search->stretch.start;
        search_stretch(search, what);
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
    search_all(search, what_to_scan(where));
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
