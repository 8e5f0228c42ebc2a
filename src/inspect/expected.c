/* SPDX-License-Identifier: MIT */
/*
 * What the operator says that clients know, held against the keys that would serve. A known_hosts
 * file may tell of many machines: only lines by a name of this one count, all lines where they
 * are of one machine, and whatever key of it is found on this very disk.
 */
#include "inspect/inspection.h"

#include <string.h>

static bool same_label(const struct pubkey *a, const struct pubkey *b)
{
    return strcmp(pubkey_label(a), pubkey_label(b)) == 0;
}

/* Every line is by the same names, and nothing is hashed: they are whoever is meant. */
static bool of_one_machine(const struct evidence_list *told)
{
    const char *names = NULL;

    for (size_t i = 0; i < told->count; i++) {
        const struct evidence *item = &told->items[i];

        if (!item->names)
            continue;
        if (known_hosts_hashed(item->names) || (names && strcmp(item->names, names) != 0))
            return false;
        names = item->names;
    }
    return true;
}

/* The key of before, as the search of the disk has found it. */
static const struct key_copy *copy_told_of(const struct host_key *key)
{
    for (size_t i = 0; i < key->copy_count; i++)
        if (key->copies[i].vouched_by && key->copies[i].source == EVIDENCE_OPERATOR)
            return &key->copies[i];
    return NULL;
}

static const struct evidence *line_about(const struct inspection *facts, const struct pubkey *pub)
{
    bool one = of_one_machine(facts->told);

    for (size_t i = 0; i < facts->told->count; i++) {
        const struct evidence *item = &facts->told->items[i];

        if (item->pub.name && same_label(&item->pub, pub) &&
            (one || (item->names && names_hold(facts, item->names))))
            return item;
    }
    return NULL;
}

bool key_expected(const struct inspection *facts, const struct host_key *key,
                  struct expectation *ret)
{
    const struct key_copy *copy = copy_told_of(key);
    const struct evidence *line;

    if (!facts->told || !facts->told->count || !key->used || key->lost || !key->judgement.key ||
        evidence_knows(facts->told, &key->judgement.pub))
        return false;
    line = copy ? NULL : line_about(facts, &key->judgement.pub);
    if (!copy && !line)
        return false;
    *ret = (struct expectation){ .fingerprint =
                                     pubkey_fingerprint(copy ? &copy->judgement.pub : &line->pub),
                                 .where = copy ? copy->vouched_by : line->where,
                                 .copy = copy };
    return true;
}

static bool has_fingerprint(const struct pubkey *pub, const char *fingerprint)
{
    auto_free char *own = pub->name ? pubkey_fingerprint(pub) : NULL;

    return own && strcmp(own, fingerprint) == 0;
}

static bool is_matched(const struct inspection *facts, const char *fingerprint)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];

        if (has_fingerprint(key->judgement.pub.name ? &key->judgement.pub : &key->pub, fingerprint))
            return true;
        for (size_t n = 0; n < key->copy_count; n++)
            if (has_fingerprint(&key->copies[n].judgement.pub, fingerprint))
                return true;
    }
    return false;
}

const struct evidence *fingerprint_unmatched(const struct inspection *facts)
{
    /* It may be the one of a key that is lost, which is told of anyway. */
    if (!facts->told || any_key_lost(facts))
        return NULL;
    for (size_t i = 0; i < facts->told->count; i++)
        if (facts->told->items[i].fingerprint &&
            !is_matched(facts, facts->told->items[i].fingerprint))
            return &facts->told->items[i];
    return NULL;
}
