/* SPDX-License-Identifier: MIT */
#include "inspect/carve.h"

#include "base/alloc.h"
#include "inspect/private.h"

#include <string.h>

enum { COPIES_MAX = 64, STRANGERS_MAX = 1000, GIVEN_FEW = 64 };

bool carve_wanted(const struct inspection *inspection, const struct carve_options *options)
{
    return any_key_lost(inspection) || options->unasked;
}

/* ---- what to look for ----------------------------------------------------------------- */

/*
 * To try a remnant that does not tell whose it is for one key takes some 10 ms: not for all that a
 * known_hosts file of many machines names.
 */
static struct recover_want want_of(const struct evidence *evidence, bool many)
{
    return (struct recover_want){ .blob = evidence->pub.name ? &evidence->pub.blob : NULL,
                                  .fingerprint = evidence->fingerprint,
                                  .type = evidence->type,
                                  .comment = evidence->comment,
                                  .one_of_many = many && evidence->source == EVIDENCE_OPERATOR };
}

/* What is known of a key, given by the operator first. */
static const struct evidence **gather(const struct evidence_list *given,
                                      const struct evidence_list *told, size_t *ret_count)
{
    size_t count = 0;
    const struct evidence **all = xcalloc(given->count + told->count + 1, sizeof *all);

    for (size_t i = 0; i < given->count; i++)
        all[count++] = &given->items[i];
    for (size_t i = 0; i < told->count; i++)
        all[count++] = &told->items[i];
    *ret_count = count;
    return all;
}

/* ---- what was found ------------------------------------------------------------------- */

static char *place_of(const struct recover_found *found)
{
    static const char *const names[] = {
        [RECOVER_UNALLOCATED] = "unallocated space",
        [RECOVER_ALLOCATED] = "allocated space",
        [RECOVER_SPACE_UNKNOWN] = "the bare disk",
    };
    static const char *const ways[] = {
        [RECOVER_AS_IT_STOOD] = "",         [RECOVER_FROM_ZSTD] = ", packed",
        [RECOVER_FROM_GZIP] = ", packed",   [RECOVER_FROM_ZLIB] = ", packed",
        [RECOVER_JOINED] = ", from pieces", [RECOVER_REBUILT] = ", rebuilt",
    };

    return xasprintf("%s (byte %llu%s)", names[found->space], (unsigned long long)found->offset,
                     ways[found->way]);
}

static void stamp(struct key_copy *copy, const struct evidence *evidence)
{
    if (copy->vouched_by && copy->source <= evidence->source)
        return;
    free(copy->vouched_by);
    copy->source = evidence->source;
    copy->vouched_by = xstrdup(evidence->where);
}

static struct key_copy *known_copy(struct host_key *key, const struct pubkey *pub)
{
    for (size_t i = 0; i < key->copy_count; i++)
        if (blob_equal(&key->copies[i].judgement.pub.blob, &pub->blob))
            return &key->copies[i];
    return NULL;
}

/* The place of a key: ssh_host_ecdsa_key may be of any of three curves. */
static bool belongs(const struct host_key *key, const struct recover_found *found)
{
    const struct key_type *type = pubkey_type(&found->pub);

    return key->used && key->type && type &&
           strcmp(key_type_label(key->type), key_type_label(type)) == 0;
}

/* A key that serves is another's place only where the operator's own evidence says so. */
static bool may_replace(const struct host_key *key, const struct pubkey *pub,
                        enum evidence_source source)
{
    return key->lost || (source == EVIDENCE_OPERATOR && key->judgement.pub.name &&
                         !blob_equal(&key->judgement.pub.blob, &pub->blob));
}

static void add_copy(struct host_key *key, const struct recover_found *found,
                     const struct evidence *evidence)
{
    struct key_copy *known = known_copy(key, &found->pub);
    struct key_copy copy = { .carved = true, .source = EVIDENCE_NONE };

    if (known) {
        stamp(known, evidence);
        return;
    }
    if (key->copy_count >= COPIES_MAX)
        return;
    hostkey_judge(&found->file, &copy.judgement);
    if (!copy.judgement.key) {
        hostkey_judgement_free(&copy.judgement);
        return;
    }
    copy.path = place_of(found);
    stamp(&copy, evidence);
    array_push(key->copies, key->copy_count, copy);
}

static void add_stranger(struct carving *carving, const struct recover_found *found)
{
    static const char *const states[] = {
        [RECOVER_PROVEN] = "whole",
        [RECOVER_UNKNOWN_TYPE] = "of a type that cannot be proven",
        [RECOVER_ENCRYPTED] = "encrypted",
        [RECOVER_TORN] = "torn",
    };
    struct stranger stranger = { .state = states[found->state] };

    if (carving->stranger_count >= STRANGERS_MAX || pubkey_copy(&found->pub, &stranger.pub) < 0)
        return;
    stranger.place = place_of(found);
    array_push(carving->strangers, carving->stranger_count, stranger);
}

static void take(const struct recovery *recovery, const struct evidence *const *evidence,
                 struct inspection *inspection)
{
    for (size_t i = 0; i < recovery->count; i++) {
        const struct recover_found *found = &recovery->found[i];

        if (found->want < 0 || found->state != RECOVER_PROVEN) {
            add_stranger(&inspection->carving, found);
            continue;
        }
        for (size_t k = 0; k < inspection->key_count; k++)
            if (belongs(&inspection->keys[k], found) &&
                may_replace(&inspection->keys[k], &found->pub, evidence[found->want]->source))
                add_copy(&inspection->keys[k], found, evidence[found->want]);
    }
}

/* Copies in files are vouched for in the same way. */
static void stamp_files(const struct evidence *const *evidence, size_t count,
                        struct inspection *inspection)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; evidence[i]->pub.name && k < inspection->key_count; k++) {
            struct key_copy *copy = known_copy(&inspection->keys[k], &evidence[i]->pub);

            if (copy)
                stamp(copy, evidence[i]);
        }
}

/* ---- the search ----------------------------------------------------------------------- */

static int search(const struct disk *disk, const struct volume *volume, const struct root *root,
                  const struct carve_options *options, const struct evidence *const *evidence,
                  size_t count, struct recovery *ret, struct err *e)
{
    auto_free struct recover_want *wants = xcalloc(count + 1, sizeof *wants);
    const struct recover_options how = { .progress = options->progress,
                                         .context = options->context };
    struct recover_where where = { .offset = volume->offset,
                                   .size = volume->size,
                                   .fs = volume->type };
    struct root_stat stat;

    if (root_find(root, "/etc/ssh", NULL, &stat, NULL) == 0)
        where.near_inode = stat.inode;
    for (size_t i = 0; i < count; i++)
        wants[i] = want_of(evidence[i], options->given->count > GIVEN_FEW);
    return recover_search(disk, &where, wants, count, &how, ret, e);
}

int carve_inspect(const struct disk *disk, const struct volume *volume, const struct root *root,
                  const struct carve_options *options, struct inspection *inspection, struct err *e)
{
    auto_evidence struct evidence_list told = { 0 };
    auto_free const struct evidence **evidence = NULL;
    auto_recovery struct recovery recovery = { 0 };
    size_t count;

    evidence_collect(root, inspection, &told);
    evidence = gather(options->given, &told, &count);
    if (count == 0 && !options->all)
        return 0;
    if (search(disk, volume, root, options, evidence, count, &recovery, e) < 0)
        return -1;
    inspection->carving = (struct carving){ .done = true,
                                            .cancelled = recovery.end == RECOVER_CANCELLED,
                                            .bytes_read = recovery.bytes_read,
                                            .bytes_failed = recovery.bytes_failed };
    stamp_files(evidence, count, inspection);
    take(&recovery, evidence, inspection);
    return 0;
}

static void keep_copies(const struct host_key *from, struct host_key *to)
{
    for (size_t i = 0; i < from->copy_count; i++) {
        const struct key_copy *found = &from->copies[i];
        struct key_copy copy = { .path = NULL, .carved = true, .source = found->source };

        if (!found->carved || known_copy(to, &found->judgement.pub) ||
            !may_replace(to, &found->judgement.pub, found->source))
            continue;
        copy.path = xstrdup(found->path);
        copy.vouched_by = xstrdup(found->vouched_by);
        hostkey_judgement_copy(&found->judgement, &copy.judgement);
        array_push(to->copies, to->copy_count, copy);
    }
}

void carving_free(struct carving *carving)
{
    for (size_t i = 0; i < carving->stranger_count; i++) {
        pubkey_free(&carving->strangers[i].pub);
        free(carving->strangers[i].place);
    }
    free(carving->strangers);
    *carving = (struct carving){ 0 };
}

void carve_keep(const struct inspection *earlier, struct inspection *inspection)
{
    inspection->carving = (struct carving){ .done = earlier->carving.done,
                                            .cancelled = earlier->carving.cancelled,
                                            .bytes_read = earlier->carving.bytes_read,
                                            .bytes_failed = earlier->carving.bytes_failed };
    for (size_t i = 0; i < earlier->key_count; i++)
        for (size_t k = 0; k < inspection->key_count; k++)
            if (strcmp(earlier->keys[i].path, inspection->keys[k].path) == 0)
                keep_copies(&earlier->keys[i], &inspection->keys[k]);
}
