/* SPDX-License-Identifier: MIT */
#include "hostkey/type.h"

#include "base/alloc.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

static const struct key_type *const key_types[] = {
    &key_type_rsa,     &key_type_ecdsa[0], &key_type_ecdsa[1], &key_type_ecdsa[2],
    &key_type_ed25519, &key_type_dsa,      &key_type_rsa1,
};

const struct key_type *key_type_named(const char *wire_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (strcmp(key_types[i]->name, wire_name) == 0)
            return key_types[i];
    return NULL;
}

const struct key_type *key_type_of_file(const char *base_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (strcmp(key_types[i]->file, base_name) == 0)
            return key_types[i];
    return NULL;
}

const struct key_type *key_type_of_pkey(const EVP_PKEY *pkey, enum hostkey_format format)
{
    int protocol = format == HOSTKEY_FORMAT_SSH1 ? 1 : 2;

    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (key_types[i]->protocol == protocol && key_types[i]->is(key_types[i], pkey))
            return key_types[i];
    return NULL;
}

EVP_PKEY *pkey_of_text(char **text, const struct key_type **ret_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++) {
        EVP_PKEY *pkey = key_types[i]->read_text ? key_types[i]->read_text(text) : NULL;

        *ret_type = key_types[i];
        if (pkey)
            return pkey;
    }
    return NULL;
}

const char *key_type_name(const struct key_type *type)
{
    return type->name;
}

const char *key_type_label(const struct key_type *type)
{
    return type->label;
}

int key_type_protocol(const struct key_type *type)
{
    return type->protocol;
}

bool key_type_loads(const struct key_type *type, int openssh)
{
    return openssh == 0 || (openssh >= type->since && (type->until == 0 || openssh < type->until));
}

bool key_type_can_generate(const struct key_type *type)
{
    return type->generate != NULL;
}

int key_type_default_bits(const struct key_type *type)
{
    return type->default_bits;
}

bool pkey_number(const EVP_PKEY *pkey, const char *param, BIGNUM **ret)
{
    return EVP_PKEY_get_bn_param(pkey, param, ret) == 1;
}

void write_numbers(struct writer *out, const EVP_PKEY *pkey, const char *const *params)
{
    for (; *params; params++) {
        BIGNUM *number = NULL;

        if (pkey_number(pkey, *params, &number))
            write_mpint(out, number);
        BN_clear_free(number);
    }
}

void numbers_free(struct pkey_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        BN_clear_free(parts[i].number);
}

EVP_PKEY *pkey_from_numbers(const char *algorithm, int selection, struct pkey_part *parts,
                            size_t count)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;
    bool ok = build && ctx;

    for (size_t i = 0; ok && i < count; i++)
        ok = OSSL_PARAM_BLD_push_BN(build, parts[i].param, parts[i].number) == 1;
    if (ok)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &pkey, selection, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    numbers_free(parts, count);
    return pkey;
}
