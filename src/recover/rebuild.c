/* SPDX-License-Identifier: MIT */
/*
 * What is damaged or torn in every copy: put together from copies that are damaged in
 * different places, or rebuilt from what is said twice in it (hostkey_rebuild).
 * Whatever comes out is proven, and matched like any other key.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>

enum {
    SPLICES_MAX = 8, /* places where two copies differ: 2^8 combinations */
    APART = 16,      /* equal bytes that separate two places */
};

static bool is_found(const struct search *search, int want)
{
    for (size_t i = 0; i < search->result->count; i++)
        if (search->result->found[i].want == want &&
            search->result->found[i].state <= RECOVER_UNKNOWN_TYPE)
            return true;
    return false;
}

static struct origin origin_of(const struct remnant *remnant)
{
    return (struct origin){ remnant->offset, remnant->space, RECOVER_REBUILT };
}

/* A text that is proven, and is the key that is wanted. */
static bool take_text(struct search *search, const struct blob *text, int want,
                      const struct origin *origin)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged = { 0 };

    hostkey_judge(text, &judged);
    if (judged.verdict != HOSTKEY_SOUND || match_exact(search, &judged.pub) != want)
        return false;
    match_file(search, text, origin);
    return true;
}

/* ---- two copies ---------------------------------------------------------------------------------
 */

struct splice {
    size_t start, end;
};

/* Where two texts of one length differ; 0: not at all, or in too many places. */
static size_t differences(const struct blob *a, const struct blob *b,
                          struct splice ret[SPLICES_MAX])
{
    size_t count = 0;

    if (a->len != b->len)
        return 0;
    for (size_t i = 0; i < a->len; i++) {
        if (a->data[i] == b->data[i])
            continue;
        if (count > 0 && i - ret[count - 1].end < APART) {
            ret[count - 1].end = i + 1;
        } else if (count == SPLICES_MAX) {
            return 0;
        } else {
            ret[count++] = (struct splice){ i, i + 1 };
        }
    }
    return count;
}

/* Every way to take some places from one copy and the rest from the other. */
static bool splice(struct search *search, const struct remnant *a, const struct remnant *b)
{
    struct splice places[SPLICES_MAX];
    size_t count = differences(&a->text, &b->text, places);
    struct origin origin = origin_of(a);

    for (unsigned mask = 1; count > 1 && mask < (1u << count) - 1; mask++) {
        auto_blob struct blob text = blob_copy(a->text.data, a->text.len);

        for (size_t i = 0; i < count; i++)
            if (mask >> i & 1)
                memcpy(text.data + places[i].start, b->text.data + places[i].start,
                       places[i].end - places[i].start);
        if (take_text(search, &text, a->want, &origin))
            return true;
    }
    return false;
}

static bool splice_all(struct search *search, int want)
{
    for (size_t i = 0; i < search->remnant_count; i++)
        for (size_t j = i + 1; j < search->remnant_count && !search->cancelled; j++) {
            const struct remnant *a = &search->remnants[i], *b = &search->remnants[j];

            if (a->want == want && (b->want == want || b->want < 0) && splice(search, a, b))
                return true;
        }
    return false;
}

/* Nothing is missing but the last line. */
static bool close_all(struct search *search, int want)
{
    for (size_t i = 0; i < search->remnant_count; i++) {
        const struct remnant *remnant = &search->remnants[i];
        struct origin origin = origin_of(remnant);
        auto_blob struct blob closed = { 0 };

        if (!remnant->torn || remnant->want != want)
            continue;
        closed = armour_closed(&remnant->text);
        if (take_text(search, &closed, want, &origin))
            return true;
    }
    return false;
}

/* ---- what is said twice
 * -------------------------------------------------------------------------- */

static bool on_trial(void *context, uint64_t done, uint64_t total)
{
    struct search *search = context;

    search->now.done = done;
    search->now.total = total;
    return search_advance(search, 0);
}

/* The public key that is wanted, as the caller or as a copy has it. */
static bool wanted_pub(const struct search *search, int want, struct pubkey *ret)
{
    if (search->wants[want].blob)
        return pubkey_of_blob(search->wants[want].blob, ret) == 0;
    for (size_t i = 0; i < search->remnant_count; i++)
        if (search->remnants[i].want == want)
            return hostkey_claim(&search->remnants[i].text, ret) == 0;
    return false;
}

/* From all copies that claim to be it, and those whose claim is damaged. */
static void rebuild_known(struct search *search, int want, const struct pubkey *pub)
{
    struct blob copies[DAMAGED_MAX];
    const struct remnant *first = NULL;
    struct hostkey *key;
    size_t count = 0;

    for (int pass = 0; pass < (search->wants[want].one_of_many ? 1 : 2); pass++)
        for (size_t i = 0; i < search->remnant_count; i++)
            if (search->remnants[i].want == (pass ? -1 : want)) {
                if (!first)
                    first = &search->remnants[i];
                copies[count++] = search->remnants[i].text;
            }
    if (count > 0 && hostkey_rebuild(copies, count, pub, on_trial, search, &key) == 0) {
        struct origin origin = origin_of(first);

        match_key(search, key, &origin);
    }
}

/* Only a fingerprint is known, and every claim is damaged: what a copy makes by itself. */
static void rebuild_unknown(struct search *search)
{
    for (size_t i = 0; i < search->remnant_count && !search->cancelled; i++) {
        const struct remnant *remnant = &search->remnants[i];
        struct origin origin = origin_of(remnant);
        struct hostkey *key;

        if (remnant->want < 0 &&
            hostkey_rebuild(&remnant->text, 1, NULL, on_trial, search, &key) == 0)
            match_key(search, key, &origin);
    }
}

void rebuild_remnants(struct search *search)
{
    bool unknown = false;

    search_begin_stage(search, RECOVER_REBUILDING, 0);
    for (size_t i = 0; i < search->want_count && !search->cancelled; i++) {
        auto_pubkey struct pubkey pub = { 0 };
        int want = (int)i;

        if (is_found(search, want) || (!search->wants[i].blob && !search->wants[i].fingerprint))
            continue;
        if (close_all(search, want) || splice_all(search, want))
            continue;
        if (wanted_pub(search, want, &pub))
            rebuild_known(search, want, &pub);
        else
            unknown = true;
    }
    if (unknown)
        rebuild_unknown(search);
}
