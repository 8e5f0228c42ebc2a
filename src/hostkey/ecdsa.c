/* SPDX-License-Identifier: MIT */
/* ecdsa-sha2-nistp*: curve, Q; privately also d (RFC 5656 3.1). */
#include "hostkey/rebuild.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <string.h>

/* The longest uncompressed point: 0x04 and two coordinates of P-521. */
enum { POINT_MAX = 1 + 2 * 66 };

static EVP_PKEY *from_parts(const struct key_type *type, const struct reader *point,
                            const BIGNUM *d)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;
    bool ok =
        build && ctx &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, type->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point->at, point->left);

    if (ok && d)
        ok = OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1;
    if (ok)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

EVP_PKEY *ecdsa_from_scalar(const struct key_type *type, const struct reader *point,
                            const unsigned char *scalar, size_t len)
{
    BIGNUM *d = BN_secure_new();
    EVP_PKEY *pkey = NULL;

    if (d && BN_bin2bn(scalar, (int)len, d) && !BN_is_zero(d))
        pkey = from_parts(type, point, d);
    BN_clear_free(d);
    return pkey;
}

static bool read_point(const struct key_type *type, struct reader *in, struct reader *point)
{
    struct reader curve;

    return read_string(in, &curve) && reader_is(&curve, type->curve) && read_string(in, point) &&
           point->left > 0 && point->left <= POINT_MAX && point->at[0] == 0x04;
}

static EVP_PKEY *ecdsa_read_public(const struct key_type *type, struct reader *in)
{
    struct reader point;

    return read_point(type, in, &point) ? from_parts(type, &point, NULL) : NULL;
}

static EVP_PKEY *ecdsa_read_private(const struct key_type *type, struct reader *in)
{
    struct reader point;
    BIGNUM *d = NULL;
    EVP_PKEY *pkey = NULL;

    if (read_point(type, in, &point) && read_mpint(in, &d))
        pkey = from_parts(type, &point, d);
    BN_clear_free(d);
    return pkey;
}

static void ecdsa_write_public(const struct key_type *type, const EVP_PKEY *pkey,
                               struct writer *out)
{
    BIGNUM *x = NULL, *y = NULL;
    unsigned char point[POINT_MAX] = { 0x04 };
    int field = (type->default_bits + 7) / 8;

    /* By coordinates: the encoded point may be compressed, which SSH does not take. */
    write_text(out, type->curve);
    if (pkey_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) &&
        pkey_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y)) {
        BN_bn2binpad(x, point + 1, field);
        BN_bn2binpad(y, point + 1 + field, field);
    }
    write_string(out, point, (size_t)(1 + 2 * field));
    BN_free(x);
    BN_free(y);
}

static void ecdsa_write_private(const struct key_type *type, const EVP_PKEY *pkey,
                                struct writer *out)
{
    static const char *const params[] = { OSSL_PKEY_PARAM_PRIV_KEY, NULL };

    ecdsa_write_public(type, pkey, out);
    write_numbers(out, pkey, params);
}

/* Q is on the curve, and is d times the generator. */
static bool ecdsa_check(const EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, (EVP_PKEY *)pkey, NULL);
    bool sound = ctx && EVP_PKEY_public_check_quick(ctx) == 1 && EVP_PKEY_pairwise_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return sound;
}

static bool ecdsa_is(const struct key_type *type, const EVP_PKEY *pkey)
{
    char group[64];

    return EVP_PKEY_is_a(pkey, "EC") &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
           strcmp(group, type->group) == 0;
}

static EVP_PKEY *ecdsa_generate(const struct key_type *type, int bits)
{
    (void)bits;
    return EVP_EC_gen(type->group);
}

#define ECDSA(bits, openssl_group, digest)                                                         \
    {                                                                                              \
        .name = "ecdsa-sha2-nistp" #bits, .label = "ECDSA", .file = "ssh_host_ecdsa_key",          \
        .curve = "nistp" #bits, .group = (openssl_group), .hash = (digest), .protocol = 2,         \
        .default_bits = (bits), .since = OPENSSH(5, 7), .sshfp = 3,                                \
        .read_public = ecdsa_read_public, .write_public = ecdsa_write_public,                      \
        .read_private = ecdsa_read_private, .write_private = ecdsa_write_private,                  \
        .check = ecdsa_check, .is = ecdsa_is, .generate = ecdsa_generate,                          \
        .rebuild = ecdsa_rebuild,                                                                  \
    }

const struct key_type key_type_ecdsa[3] = {
    ECDSA(256, "prime256v1", "SHA256"),
    ECDSA(384, "secp384r1", "SHA384"),
    ECDSA(521, "secp521r1", "SHA512"),
};
