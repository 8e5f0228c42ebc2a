/* SPDX-License-Identifier: MIT */
/* Which of the copies of a lost key is the one that clients know. */
#include "plan/planning.h"

#include <string.h>

const struct pubkey *plan_identity(const struct host_key *key)
{
    if (key->judgement.key)
        return &key->judgement.pub;
    if (key->pub_state == PUB_OK)
        return &key->pub;
    return key->judgement.pub.name ? &key->judgement.pub : NULL;
}

static bool same_key(const struct key_copy *a, const struct key_copy *b)
{
    return blob_equal(&a->judgement.pub.blob, &b->judgement.pub.blob);
}

static const struct key_copy *copy_of(const struct host_key *key, const struct pubkey *identity)
{
    for (size_t i = 0; i < key->copy_count; i++)
        if (blob_equal(&key->copies[i].judgement.pub.blob, &identity->blob))
            return &key->copies[i];
    return NULL;
}

/* The copy that the strongest of the evidence vouches for; NULL where two are alike in that. */
static const struct key_copy *best_vouched(const struct host_key *key, enum evidence_source least)
{
    const struct key_copy *best = NULL;
    bool tied = false;

    for (size_t i = 0; i < key->copy_count; i++) {
        const struct key_copy *copy = &key->copies[i];

        if (!copy->vouched_by || copy->source > least || (best && copy->source > best->source))
            continue;
        tied = best && copy->source == best->source && !same_key(best, copy);
        if (!best || copy->source < best->source)
            best = copy;
    }
    return tied ? NULL : best;
}

/* A file beside it, where there is no other: what else should it be? */
static const struct key_copy *only_file(const struct host_key *key)
{
    const struct key_copy *only = NULL;

    for (size_t i = 0; i < key->copy_count; i++) {
        const struct key_copy *copy = &key->copies[i];

        if (copy->carved || hostkey_type(copy->judgement.key) != key->type)
            continue;
        if (only && !same_key(only, copy))
            return NULL;
        if (!only)
            only = copy;
    }
    return only;
}

/* What the operator says, then what stands beside the key, then what else the disk tells. */
const struct key_copy *plan_copy(const struct host_key *key)
{
    const struct pubkey *identity = plan_identity(key);
    const struct key_copy *copy = best_vouched(key, EVIDENCE_OPERATOR);

    if (copy)
        return copy;
    if (identity)
        return copy_of(key, identity);
    copy = best_vouched(key, EVIDENCE_COMMENT);
    return copy ? copy : only_file(key);
}
