/* SPDX-License-Identifier: MIT */
/*
 * A secret of 32 to 66 bytes with up to two errors, and the public key that it must
 * belong to. An error of the disk is one bit of a character of base64, which may be
 * several bits of the secret; both kinds are tried.
 *
 * Ed25519 hashes its seed, so each trial is a key of its own: 256 of one bit,
 * 32 640 of two, and those of characters. ECDSA is linear: what is missing between
 * the damaged scalar's point and the public one is looked up among the points of
 * single errors.
 */
#include "hostkey/rebuild.h"

#include "base/alloc.h"

#include <openssl/ec.h>
#include <string.h>

enum { SEED = 32, SCALAR_MAX = 66, POINT_MAX = 1 + 2 * SCALAR_MAX, TELL_EVERY = 512 };

/* ---- Ed25519
 * -------------------------------------------------------------------------------------- */

struct ed25519_target {
    const unsigned char *pk;
    const struct rebuilding *from;
    uint64_t done, total;
    bool stopped;
};

static EVP_PKEY *ed25519_try(struct ed25519_target *target, const unsigned char *seed)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SEED);
    unsigned char pk[SEED];
    size_t len = SEED;

    target->done++;
    if (pkey && EVP_PKEY_get_raw_public_key(pkey, pk, &len) == 1 &&
        memcmp(pk, target->pk, SEED) == 0)
        return pkey;
    EVP_PKEY_free(pkey);
    if (target->done % TELL_EVERY == 0 && target->from->trial &&
        !target->from->trial(target->from->context, target->done, target->total))
        target->stopped = true;
    return NULL;
}

/* A seed that is whole, wherever it stands. */
static EVP_PKEY *ed25519_slide(struct ed25519_target *target, const struct blob *bytes)
{
    EVP_PKEY *pkey = NULL;

    for (size_t at = 0; !pkey && !target->stopped && at + SEED <= bytes->len && at < 1024; at++)
        pkey = ed25519_try(target, bytes->data + at);
    return pkey;
}

static EVP_PKEY *ed25519_flip(struct ed25519_target *target, const struct remains *copy, size_t at)
{
    unsigned char seed[SEED];
    size_t count;
    auto_free struct flip *flips = flips_of(copy, at, SEED, &count);
    EVP_PKEY *pkey = NULL;

    target->done = 0;
    target->total = count + count * (count - 1) / 2;
    memcpy(seed, copy->bytes.data + at, SEED);
    for (size_t i = 0; !pkey && !target->stopped && i < count; i++) {
        flip_apply(&flips[i], seed, SEED);
        pkey = ed25519_try(target, seed);
        flip_apply(&flips[i], seed, SEED);
    }
    for (size_t i = 1; !pkey && !target->stopped && i < count; i++) {
        flip_apply(&flips[i], seed, SEED);
        for (size_t j = 0; !pkey && !target->stopped && j < i; j++) {
            flip_apply(&flips[j], seed, SEED);
            pkey = ed25519_try(target, seed);
            flip_apply(&flips[j], seed, SEED);
        }
        flip_apply(&flips[i], seed, SEED);
    }
    explicit_bzero(seed, sizeof seed);
    return pkey;
}

/* Where the seed must be: pk, length, seed, pk (PROTOCOL.key); in PKCS#8 it is the end. */
static bool seed_place(const struct remains *copy, const unsigned char *pk, size_t *ret)
{
    struct reader fields[4];
    size_t count = remains_fields(copy, fields, 4);
    const unsigned char *bytes = copy->bytes.data, *seen = NULL, *at = bytes;

    if (copy->openssh && count >= 2 && fields[0].left == SEED && fields[1].left == 2 * SEED) {
        *ret = (size_t)(fields[1].at - bytes);
        return true;
    }
    if (!copy->openssh && copy->bytes.len == 48) {
        *ret = 16;
        return true;
    }
    while ((at = memmem(at, copy->bytes.len - (size_t)(at - bytes), pk, SEED)))
        seen = at++;
    if (!seen || (size_t)(seen - bytes) < SEED)
        return false;
    *ret = (size_t)(seen - bytes) - SEED;
    return true;
}

EVP_PKEY *ed25519_rebuild(const struct key_type *type, const struct rebuilding *from)
{
    struct ed25519_target target = { .from = from };
    struct reader in, name, pk;
    auto_blob struct blob claimed = { 0 };
    EVP_PKEY *pkey = NULL;
    size_t place;

    if (!from->wanted && !remains_public(&from->copies[0], &claimed))
        return NULL;
    in = reader_of(from->wanted ? from->wanted : &claimed);
    if (!read_string(&in, &name) || !reader_is(&name, type->name) || !read_string(&in, &pk) ||
        pk.left != SEED)
        return NULL;
    target.pk = pk.at;
    for (size_t i = 0; !pkey && i < from->count; i++)
        pkey = ed25519_slide(&target, &from->copies[i].bytes);
    for (size_t i = 0; !pkey && !target.stopped && i < from->count; i++)
        if (seed_place(&from->copies[i], pk.at, &place) &&
            place + SEED <= from->copies[i].bytes.len)
            pkey = ed25519_flip(&target, &from->copies[i], place);
    return pkey;
}

/* ---- ECDSA
 * ---------------------------------------------------------------------------------------- */

struct ecdsa_target {
    const struct key_type *type;
    struct reader point;
    size_t field; /* bytes of a scalar */
    EC_GROUP *group;
    EC_POINT *q;
    BN_CTX *ctx;
};

static bool ecdsa_target_open(struct ecdsa_target *target, const struct blob *blob)
{
    struct reader in = reader_of(blob), name, curve;

    target->field = (size_t)(target->type->default_bits + 7) / 8;
    if (!read_string(&in, &name) || !reader_is(&name, target->type->name) ||
        !read_string(&in, &curve) || !read_string(&in, &target->point))
        return false;
    target->ctx = BN_CTX_secure_new();
    target->group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(target->type->group));
    target->q = target->group ? EC_POINT_new(target->group) : NULL;
    return target->ctx && target->q &&
           EC_POINT_oct2point(target->group, target->q, target->point.at, target->point.left,
                              target->ctx) == 1;
}

static void ecdsa_target_close(struct ecdsa_target *target)
{
    EC_POINT_free(target->q);
    EC_GROUP_free(target->group);
    BN_CTX_free(target->ctx);
}

static EC_POINT *times_generator(const struct ecdsa_target *target, const BIGNUM *scalar)
{
    EC_POINT *point = EC_POINT_new(target->group);

    if (point && EC_POINT_mul(target->group, point, scalar, NULL, NULL, target->ctx) == 1)
        return point;
    EC_POINT_free(point);
    return NULL;
}

static EVP_PKEY *ecdsa_try(const struct ecdsa_target *target, const unsigned char *scalar,
                           size_t len)
{
    BIGNUM *number = BN_secure_new();
    EC_POINT *point = NULL;
    EVP_PKEY *pkey = NULL;

    if (number && BN_bin2bn(scalar, (int)len, number) && !BN_is_zero(number) &&
        (point = times_generator(target, number)) &&
        EC_POINT_cmp(target->group, point, target->q, target->ctx) == 0)
        pkey = ecdsa_from_scalar(target->type, &target->point, scalar, len);
    BN_clear_free(number);
    EC_POINT_free(point);
    return pkey;
}

static EVP_PKEY *ecdsa_slide(const struct ecdsa_target *target, const struct blob *bytes)
{
    EVP_PKEY *pkey = NULL;

    for (size_t at = 0; !pkey && at + target->field <= bytes->len && at < 1024; at++)
        pkey = ecdsa_try(target, bytes->data + at, target->field);
    return pkey;
}

/* A single error as a point: what it adds to the public key. */
struct delta {
    unsigned char point[POINT_MAX];
    size_t flip;
};

static bool encode(const struct ecdsa_target *target, const EC_POINT *point,
                   unsigned char ret[POINT_MAX])
{
    memset(ret, 0, POINT_MAX);
    return EC_POINT_is_at_infinity(target->group, point) ||
           EC_POINT_point2oct(target->group, point, POINT_CONVERSION_UNCOMPRESSED, ret, POINT_MAX,
                              target->ctx) > 0;
}

static int by_point(const void *a, const void *b)
{
    return memcmp(((const struct delta *)a)->point, ((const struct delta *)b)->point, POINT_MAX);
}

/* (damaged ^ flip) - damaged, times the generator */
static EC_POINT *delta_point(const struct ecdsa_target *target, const unsigned char *damaged,
                             const struct flip *flip)
{
    unsigned char changed[SCALAR_MAX];
    BIGNUM *before = BN_secure_new(), *after = BN_secure_new();
    EC_POINT *point = NULL;

    memcpy(changed, damaged, target->field);
    flip_apply(flip, changed, target->field);
    if (before && after && BN_bin2bn(damaged, (int)target->field, before) &&
        BN_bin2bn(changed, (int)target->field, after) && BN_sub(after, after, before))
        point = times_generator(target, after);
    explicit_bzero(changed, sizeof changed);
    BN_clear_free(before);
    BN_clear_free(after);
    return point;
}

static EVP_PKEY *try_flips(const struct ecdsa_target *target, const unsigned char *damaged,
                           const struct flip *one, const struct flip *other)
{
    unsigned char scalar[SCALAR_MAX];
    EVP_PKEY *pkey;

    memcpy(scalar, damaged, target->field);
    flip_apply(one, scalar, target->field);
    if (other)
        flip_apply(other, scalar, target->field);
    pkey = ecdsa_try(target, scalar, target->field);
    explicit_bzero(scalar, sizeof scalar);
    return pkey;
}

/* Which single error, or which pair, makes up for what is missing. */
static EVP_PKEY *look_up(const struct ecdsa_target *target, const unsigned char *damaged,
                         const struct flip *flips, const struct delta *deltas, size_t count,
                         EC_POINT *missing)
{
    EC_POINT *point = EC_POINT_new(target->group);
    struct delta wanted = { 0 }, *found;
    EVP_PKEY *pkey = NULL;

    if (point && encode(target, missing, wanted.point) &&
        (found = bsearch(&wanted, deltas, count, sizeof *deltas, by_point)))
        pkey = try_flips(target, damaged, &flips[found->flip], NULL);
    for (size_t i = 0; point && !pkey && i < count; i++) {
        if (deltas[i].point[0] != POINT_CONVERSION_UNCOMPRESSED ||
            EC_POINT_oct2point(target->group, point, deltas[i].point, 1 + 2 * target->field,
                               target->ctx) != 1 ||
            EC_POINT_invert(target->group, point, target->ctx) != 1 ||
            EC_POINT_add(target->group, point, missing, point, target->ctx) != 1 ||
            !encode(target, point, wanted.point))
            continue;
        found = bsearch(&wanted, deltas, count, sizeof *deltas, by_point);
        if (found)
            pkey = try_flips(target, damaged, &flips[deltas[i].flip], &flips[found->flip]);
    }
    EC_POINT_free(point);
    return pkey;
}

/* The public key less what the damaged scalar makes. */
static EC_POINT *missing_point(const struct ecdsa_target *target, const unsigned char *damaged)
{
    BIGNUM *number = BN_secure_new();
    EC_POINT *point = NULL;

    if (number && BN_bin2bn(damaged, (int)target->field, number))
        point = times_generator(target, number);
    BN_clear_free(number);
    if (point && EC_POINT_invert(target->group, point, target->ctx) == 1 &&
        EC_POINT_add(target->group, point, target->q, point, target->ctx) == 1)
        return point;
    EC_POINT_free(point);
    return NULL;
}

static EVP_PKEY *ecdsa_flip(const struct ecdsa_target *target, const struct remains *copy,
                            size_t at)
{
    const unsigned char *damaged = copy->bytes.data + at;
    size_t count, made = 0;
    auto_free struct flip *flips = flips_of(copy, at, target->field, &count);
    auto_free struct delta *deltas = xcalloc(count, sizeof *deltas);
    EC_POINT *missing = missing_point(target, damaged);
    EVP_PKEY *pkey = NULL;

    for (size_t i = 0; missing && i < count; i++) {
        EC_POINT *point = delta_point(target, damaged, &flips[i]);

        if (point && encode(target, point, deltas[made].point))
            deltas[made++].flip = i;
        EC_POINT_free(point);
    }
    if (made > 0) {
        qsort(deltas, made, sizeof *deltas, by_point);
        pkey = look_up(target, damaged, flips, deltas, made, missing);
    }
    EC_POINT_free(missing);
    return pkey;
}

/* openssh-key-v1: curve, point, d; SEC1: d. Numbers end where their bytes end. */
static bool scalar_place(const struct remains *copy, const struct ecdsa_target *target, size_t *ret)
{
    struct reader fields[4];
    size_t count = remains_fields(copy, fields, 4), which = copy->openssh ? 2 : 0, end;

    if (count <= which)
        return false;
    end = (size_t)(fields[which].at - copy->bytes.data) + fields[which].left;
    if (end < target->field || fields[which].left + 1 < target->field)
        return false;
    *ret = end - target->field;
    return true;
}

EVP_PKEY *ecdsa_rebuild(const struct key_type *type, const struct rebuilding *from)
{
    struct ecdsa_target target = { .type = type };
    auto_blob struct blob claimed = { 0 };
    EVP_PKEY *pkey = NULL;
    size_t place;

    if ((from->wanted || remains_public(&from->copies[0], &claimed)) &&
        ecdsa_target_open(&target, from->wanted ? from->wanted : &claimed)) {
        for (size_t i = 0; !pkey && i < from->count; i++)
            if (scalar_place(&from->copies[i], &target, &place))
                pkey = ecdsa_flip(&target, &from->copies[i], place);
        for (size_t i = 0; !pkey && i < from->count; i++)
            pkey = ecdsa_slide(&target, &from->copies[i].bytes);
    }
    ecdsa_target_close(&target);
    return pkey;
}
