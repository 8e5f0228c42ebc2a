/* SPDX-License-Identifier: MIT */
/*
 * ssh-ed25519: pk; privately pk and sk = seed || pk (RFC 8709 4, PROTOCOL.key).
 * sshd does not compare the two halves: a wrong one signs, and no client takes it.
 */
#include "hostkey/rebuild.h"

#include <openssl/evp.h>
#include <string.h>

enum { HALF = 32 };

static EVP_PKEY *ed25519_read_public(const struct key_type *type, struct reader *in)
{
    struct reader pk;

    (void)type;
    if (!read_string(in, &pk) || pk.left != HALF)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pk.at, HALF);
}

static bool public_half(const EVP_PKEY *pkey, unsigned char pk[HALF])
{
    size_t len = HALF;

    return EVP_PKEY_get_raw_public_key(pkey, pk, &len) == 1 && len == HALF;
}

static EVP_PKEY *ed25519_read_private(const struct key_type *type, struct reader *in)
{
    struct reader pk, sk;
    unsigned char derived[HALF];
    EVP_PKEY *pkey;

    (void)type;
    if (!read_string(in, &pk) || pk.left != HALF || !read_string(in, &sk) || sk.left != 2 * HALF)
        return NULL;
    pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, sk.at, HALF);
    if (pkey && public_half(pkey, derived) && memcmp(derived, pk.at, HALF) == 0 &&
        memcmp(derived, sk.at + HALF, HALF) == 0)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static void ed25519_write_public(const struct key_type *type, const EVP_PKEY *pkey,
                                 struct writer *out)
{
    unsigned char pk[HALF] = { 0 };

    (void)type;
    (void)public_half(pkey, pk);
    write_string(out, pk, HALF);
}

static void ed25519_write_private(const struct key_type *type, const EVP_PKEY *pkey,
                                  struct writer *out)
{
    unsigned char sk[2 * HALF] = { 0 };
    size_t len = HALF;

    (void)EVP_PKEY_get_raw_private_key(pkey, sk, &len);
    (void)public_half(pkey, sk + HALF);
    ed25519_write_public(type, pkey, out);
    write_string(out, sk, sizeof sk);
    explicit_bzero(sk, sizeof sk);
}

static bool ed25519_is(const struct key_type *type, const EVP_PKEY *pkey)
{
    (void)type;
    return EVP_PKEY_is_a(pkey, "ED25519");
}

static EVP_PKEY *ed25519_generate(const struct key_type *type, int bits)
{
    (void)type;
    (void)bits;
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

const struct key_type key_type_ed25519 = {
    .name = "ssh-ed25519",
    .label = "ED25519",
    .file = "ssh_host_ed25519_key",
    .protocol = 2,
    .default_bits = 256,
    .since = OPENSSH(6, 5),
    .sshfp = 4,
    .read_public = ed25519_read_public,
    .write_public = ed25519_write_public,
    .read_private = ed25519_read_private,
    .write_private = ed25519_write_private,
    .is = ed25519_is,
    .generate = ed25519_generate,
    .rebuild = ed25519_rebuild,
};
