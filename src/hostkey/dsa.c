/* SPDX-License-Identifier: MIT */
/*
 * ssh-dss: p, q, g, y; privately also x (RFC 4253 6.6). Made only for an sshd that
 * loads it, and that is told to or looks for it by itself: that ended with 9.8.
 */
#include "hostkey/type.h"

#include "base/alloc.h"

#include <openssl/core_names.h>
#include <openssl/dsa.h>

static const char *const all_params[] = { OSSL_PKEY_PARAM_FFC_P,    OSSL_PKEY_PARAM_FFC_Q,
                                          OSSL_PKEY_PARAM_FFC_G,    OSSL_PKEY_PARAM_PUB_KEY,
                                          OSSL_PKEY_PARAM_PRIV_KEY, NULL };
static const char *const public_params[] = { OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q,
                                             OSSL_PKEY_PARAM_FFC_G, OSSL_PKEY_PARAM_PUB_KEY, NULL };

static EVP_PKEY *read_numbers(struct reader *in, size_t count, int selection)
{
    struct pkey_part parts[5] = { 0 };

    for (size_t i = 0; i < count; i++) {
        parts[i].param = all_params[i];
        if (!read_mpint(in, &parts[i].number)) {
            numbers_free(parts, count);
            return NULL;
        }
    }
    return pkey_from_numbers("DSA", selection, parts, count);
}

static EVP_PKEY *dsa_read_public(const struct key_type *type, struct reader *in)
{
    (void)type;
    return read_numbers(in, 4, EVP_PKEY_PUBLIC_KEY);
}

static EVP_PKEY *dsa_read_private(const struct key_type *type, struct reader *in)
{
    (void)type;
    return read_numbers(in, 5, EVP_PKEY_KEYPAIR);
}

static void dsa_write_public(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out)
{
    (void)type;
    write_numbers(out, pkey, public_params);
}

static void dsa_write_private(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out)
{
    (void)type;
    write_numbers(out, pkey, all_params);
}

static bool dsa_is(const struct key_type *type, const EVP_PKEY *pkey)
{
    (void)type;
    return EVP_PKEY_is_a(pkey, "DSA");
}

/* 1024 bits with a q of 160 is all that SSH has for DSA (FIPS 186-2). */
static EVP_PKEY *dsa_parameters(int bits)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *parameters = NULL;

    if (ctx && EVP_PKEY_paramgen_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, bits) == 1 &&
        EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, 160) == 1)
        (void)EVP_PKEY_paramgen(ctx, &parameters);
    EVP_PKEY_CTX_free(ctx);
    return parameters;
}

static EVP_PKEY *dsa_generate(const struct key_type *type, int bits)
{
    EVP_PKEY *parameters = dsa_parameters(bits), *pkey = NULL;
    EVP_PKEY_CTX *ctx = parameters ? EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL) : NULL;

    (void)type;
    if (ctx && EVP_PKEY_keygen_init(ctx) == 1)
        (void)EVP_PKEY_keygen(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(parameters);
    return pkey;
}

const struct key_type key_type_dsa = {
    .name = "ssh-dss",
    .label = "DSA",
    .file = "ssh_host_dsa_key",
    .protocol = 2,
    .hash = "SHA1",
    .default_bits = 1024,
    .until = OPENSSH(9, 8),
    .sshfp = 2,
    .read_public = dsa_read_public,
    .write_public = dsa_write_public,
    .read_private = dsa_read_private,
    .write_private = dsa_write_private,
    .is = dsa_is,
    .generate = dsa_generate,
};
