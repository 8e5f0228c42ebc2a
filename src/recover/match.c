/* SPDX-License-Identifier: MIT */
/*
 * Is it wanted, and is it a key? First what it claims to be, which costs nothing;
 * proof is for those that are wanted, and for some of the others, so that a disk
 * full of keys costs no more than reading it.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <string.h>

/* What is compared with a fingerprint is made once for each candidate, and only where one is
 * wanted. */
static bool is_named(const struct search *search, size_t want, const struct pubkey *pub,
                     char **fingerprint)
{
    const struct recover_want *wanted = &search->wants[want];

    if (wanted->blob && !blob_equal(wanted->blob, &pub->blob))
        return false;
    if (!wanted->fingerprint)
        return wanted->blob != NULL;
    if (!*fingerprint)
        *fingerprint = pubkey_fingerprint(pub);
    return strcmp(*fingerprint, wanted->fingerprint) == 0;
}

int match_exact(const struct search *search, const struct pubkey *pub)
{
    auto_free char *fingerprint = NULL;

    for (size_t i = 0; i < search->want_count; i++)
        if (is_named(search, i, pub, &fingerprint))
            return (int)i;
    return -1;
}

/* The first hint that a public key fits; -1: none. */
static int match_hint(const struct search *search, const struct pubkey *pub)
{
    for (size_t i = 0; i < search->want_count; i++) {
        const struct recover_want *want = &search->wants[i];

        if (want->blob || want->fingerprint || (!want->type && !want->comment))
            continue;
        if ((!want->type || want->type == pubkey_type(pub)) &&
            (!want->comment || strcmp(want->comment, pub->comment) == 0))
            return (int)i;
    }
    return -1;
}

/* ---- what is told
 * -------------------------------------------------------------------------------- */

/* Where the same key has been found before; the better of the two stays. */
static struct recover_found *told_before(const struct search *search, const struct pubkey *pub)
{
    for (size_t i = 0; i < search->result->count; i++)
        if (blob_equal(&search->result->found[i].pub.blob, &pub->blob))
            return &search->result->found[i];
    return NULL;
}

static size_t told_of(const struct search *search, int want)
{
    size_t count = 0;

    for (size_t i = 0; i < search->result->count; i++)
        count += search->result->found[i].want == want;
    return count;
}

static void set(struct recover_found *found, enum recover_state state, const struct origin *origin)
{
    found->state = state;
    found->way = origin->way;
    found->space = origin->space;
    found->offset = origin->offset;
}

/* The place for a key in what is told; NULL where it has one that is as good, or there are too
 * many. */
static struct recover_found *place(struct search *search, const struct pubkey *pub, int want,
                                   bool by_hint, enum recover_state state,
                                   const struct origin *origin)
{
    struct recover_found *before = told_before(search, pub),
                         found = { .want = want, .by_hint = by_hint };

    if (before) {
        if (before->state <= state)
            return NULL;
        if (!*before->pub.comment && *pub->comment) {
            free(before->pub.comment);
            before->pub.comment = xstrdup(pub->comment);
        }
        before->want = want;
        before->by_hint = by_hint;
        set(before, state, origin);
        return before;
    }
    if ((want < 0 && told_of(search, -1) >= TOLD_MAX) ||
        (by_hint && told_of(search, want) >= HINTED_MAX)) {
        search->result->untold++;
        return NULL;
    }
    pubkey_copy(pub, &found.pub);
    set(&found, state, origin);
    array_push(search->result->found, search->result->count, found);
    return &search->result->found[search->result->count - 1];
}

/* Takes over *key and *file; what nobody asked for goes without its secret. */
static void tell_key(struct search *search, enum recover_state state, const struct pubkey *pub,
                     struct hostkey **key, struct blob *file, const struct origin *origin)
{
    int want = match_exact(search, pub);
    bool by_hint = want < 0;
    struct recover_found *found;

    if (by_hint)
        want = match_hint(search, pub);
    by_hint = by_hint && want >= 0;
    if (state == RECOVER_UNKNOWN_TYPE && by_hint)
        want = -1, by_hint = false;
    found = place(search, pub, want, by_hint, state, origin);
    if (!found || want < 0)
        return;
    if (state <= RECOVER_UNKNOWN_TYPE) {
        found->key = take_ptr(*key);
        found->file = take_blob(*file);
        keep_in_memory(found->file.data, found->file.len);
    }
}

/* ---- candidates
 * ----------------------------------------------------------------------------------- */

static void keep_remnant(struct search *search, const struct blob *text, const struct pubkey *pub,
                         const struct armour *armour, const struct origin *origin)
{
    struct remnant remnant = { .offset = origin->offset,
                               .space = origin->space,
                               .want = pub->name ? match_exact(search, pub) : -1 };
    size_t of_this = 0;

    for (size_t i = 0; i < search->remnant_count; i++)
        of_this += search->remnants[i].want == remnant.want;
    if (text->len > ARMOUR_DAMAGED || search->remnant_count == DAMAGED_MAX ||
        of_this >= (remnant.want < 0 ? DAMAGED_MAX / 3 : DAMAGED_EACH))
        return;
    if (armour && armour->state == ARMOUR_TORN) {
        remnant.torn = true;
        remnant.column = armour->column;
        remnant.width = armour->width;
        remnant.broken = origin->offset + armour->length;
    }
    remnant.text = blob_copy(text->data, text->len);
    keep_in_memory(remnant.text.data, remnant.text.len);
    search->remnants[search->remnant_count++] = remnant;
}

/* Proof costs up to a second for the longest keys; those nobody asked for share a budget. */
static bool worth_proof(struct search *search, const struct pubkey *claimed)
{
    if (claimed->name && (match_exact(search, claimed) >= 0))
        return true;
    if (claimed->name && told_before(search, claimed))
        return false;
    if (claimed->name && match_hint(search, claimed) < 0 && told_of(search, -1) >= TOLD_MAX) {
        search->result->untold++;
        return false;
    }
    return search->judged++ < JUDGED_MAX;
}

void match_file(struct search *search, const struct blob *file, const struct origin *origin)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged = { 0 };
    auto_pubkey struct pubkey claimed = { 0 };
    auto_blob struct blob copy = { 0 };

    (void)hostkey_claim(file, &claimed);
    if (!worth_proof(search, &claimed))
        return;
    hostkey_judge(file, &judged);
    copy = blob_copy(file->data, file->len);
    switch (judged.verdict) {
    case HOSTKEY_SOUND:
    case HOSTKEY_WRAPPED:
        search->result->proven++;
        if (judged.verdict == HOSTKEY_WRAPPED) {
            blob_free(&copy);
            copy = take_blob(judged.rewrapped);
        }
        tell_key(search, RECOVER_PROVEN, &judged.pub, &judged.key, &copy, origin);
        break;
    case HOSTKEY_UNKNOWN_TYPE:
        if (judged.pub.name)
            tell_key(search, RECOVER_UNKNOWN_TYPE, &judged.pub, &judged.key, &copy, origin);
        break;
    case HOSTKEY_ENCRYPTED:
        search->result->encrypted++;
        if (judged.pub.name)
            tell_key(search, RECOVER_ENCRYPTED, &judged.pub, &judged.key, &copy, origin);
        break;
    case HOSTKEY_CORRUPT:
        search->result->torn++;
        if (claimed.name && match_exact(search, &claimed) >= 0)
            tell_key(search, RECOVER_TORN, &claimed, &judged.key, &copy, origin);
        keep_remnant(search, file, &claimed, NULL, origin);
        break;
    case HOSTKEY_EMPTY:
        break;
    }
}

void match_remains(struct search *search, const struct armour *armour, const struct origin *origin)
{
    auto_pubkey struct pubkey claimed = { 0 };
    struct hostkey *none = NULL;
    struct blob nothing = { 0 };

    search->result->torn++;
    (void)hostkey_claim(&armour->text, &claimed);
    if (claimed.name && match_exact(search, &claimed) >= 0)
        tell_key(search, RECOVER_TORN, &claimed, &none, &nothing, origin);
    keep_remnant(search, &armour->text, &claimed, armour, origin);
}

void match_key(struct search *search, struct hostkey *key, const struct origin *origin)
{
    auto_blob struct blob file = { 0 };
    auto_hostkey struct hostkey *mine = key;
    auto_pubkey struct pubkey pub = { 0 };

    pubkey_copy(hostkey_pub(mine), &pub);
    if (hostkey_serialise(mine, hostkey_format(mine), &file, NULL) < 0)
        return;
    search->result->proven++;
    tell_key(search, RECOVER_PROVEN, &pub, &mine, &file, origin);
}
