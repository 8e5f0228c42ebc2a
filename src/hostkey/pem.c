/* SPDX-License-Identifier: MIT */
/* PKCS#1, SEC1, DSA and PKCS#8, by libcrypto, as sshd does. */
#include "hostkey/private.h"

#include <openssl/core_names.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

/* Nobody is asked: a host key with a passphrase cannot serve. */
static int no_passphrase(char *buffer, int size, int rwflag, void *asked)
{
    (void)buffer;
    (void)size;
    (void)rwflag;
    *(bool *)asked = true;
    return -1;
}

static bool holds(const struct blob *file, const char *text)
{
    return memmem(file->data, file->len, text, strlen(text)) != NULL;
}

enum parse_result pem_parse(const struct blob *file, EVP_PKEY **ret_pkey,
                            enum hostkey_format *ret_format)
{
    bool asked = false;
    BIO *bio;

    if (!holds(file, "-----BEGIN ") || !holds(file, "PRIVATE KEY-----"))
        return PARSE_OTHER;
    bio = BIO_new_mem_buf(file->data, (int)file->len);
    *ret_pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (asked) {
        EVP_PKEY_free(*ret_pkey);
        *ret_pkey = NULL;
        return PARSE_ENCRYPTED;
    }
    if (!*ret_pkey)
        return PARSE_BROKEN;
    *ret_format =
        holds(file, "-----BEGIN PRIVATE KEY-----") ? HOSTKEY_FORMAT_PKCS8 : HOSTKEY_FORMAT_PEM;
    return PARSE_OK;
}

int pem_serialise(const struct hostkey *key, struct blob *ret, struct err *e)
{
    OSSL_ENCODER_CTX *ctx =
        OSSL_ENCODER_CTX_new_for_pkey(key->pkey, EVP_PKEY_KEYPAIR, "PEM", "type-specific", NULL);
    unsigned char *bytes = NULL;
    size_t len = 0;
    bool ok = ctx && OSSL_ENCODER_to_data(ctx, &bytes, &len) == 1;

    OSSL_ENCODER_CTX_free(ctx);
    if (!ok)
        return err_crypto(e, "write a key as PEM");
    *ret = blob_copy(bytes, len);
    OPENSSL_clear_free(bytes, len);
    return 0;
}
