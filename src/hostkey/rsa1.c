/* SPDX-License-Identifier: MIT */
/*
 * RSA of protocol 1, which sshd 7.4 is done with. It is never on the wire of protocol 2, so
 * it has a file, a text and a fingerprint of its own:
 *
 *   private   magic with its NUL, byte cipher, u32 0, u32 bits, n, e, string comment; then,
 *             in blocks of the cipher: two check bytes twice, d, iqmp, q, p, zeros
 *             (authfile.c of 5.3; sshkey.c of 7.3, sshkey_private_rsa1_to_blob)
 *   public    "bits e n" in decimal (key.c, key_write)
 *   digest    of the bytes of n and e, without lengths (key.c, key_fingerprint_raw)
 */
#include "hostkey/private.h"
#include "hostkey/rsa.h"

#include "base/alloc.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "SSH PRIVATE KEY FILE FORMAT 1.1\n"; /* with its NUL */

/* The numbers of cipher.c, which has a block of eight bytes for all of them. */
enum { CIPHER_NONE = 0, CIPHER_DES = 2, CIPHER_3DES = 3, CIPHER_BLOWFISH = 6, BLOCK = 8 };

/* In the order of rsa_from_numbers. */
enum { AT_N, AT_E, AT_D, AT_IQMP, AT_P, AT_Q };

/* Digits of the longest number sshd takes (16384 bits); the shortest modulus ssh-keygen made. */
enum { DIGITS_MAX = 4933, BITS_MIN = 512 };

/* ---- the private file --------------------------------------------------------------------- */

struct head {
    unsigned char cipher;
    BIGNUM *n, *e;
    struct reader comment;
};

static bool read_head(struct reader *in, struct head *ret)
{
    uint32_t reserved, bits;

    return read_byte(in, &ret->cipher) && read_u32(in, &reserved) && read_u32(in, &bits) &&
           read_mpint1(in, &ret->n) && read_mpint1(in, &ret->e) && read_string(in, &ret->comment);
}

static void head_free(struct head *head)
{
    BN_clear_free(head->n);
    BN_clear_free(head->e);
}

/* What is not encrypted begins with this. */
static bool read_check(struct reader *in)
{
    uint32_t check;

    return read_u32(in, &check) && check >> 16 == (check & 0xffff);
}

static bool read_secrets(struct reader *in, BIGNUM *numbers[RSA_NUMBERS])
{
    static const int order[] = { AT_D, AT_IQMP, AT_Q, AT_P };

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (!read_mpint1(in, &numbers[order[i]]))
            return false;
    return true;
}

static void secrets_free(BIGNUM *numbers[RSA_NUMBERS])
{
    for (size_t i = 0; i < RSA_NUMBERS; i++)
        BN_clear_free(numbers[i]);
}

static void take_public(const struct head *head, struct pubkey *ret)
{
    struct pkey_part parts[] = { { OSSL_PKEY_PARAM_RSA_N, BN_dup(head->n) },
                                 { OSSL_PKEY_PARAM_RSA_E, BN_dup(head->e) } };
    EVP_PKEY *pkey = pkey_from_numbers("RSA", EVP_PKEY_PUBLIC_KEY, parts, ARRAY_SIZE(parts));
    auto_free char *comment = reader_text(&head->comment);

    if (pkey)
        pubkey_of_pkey(&key_type_rsa1, pkey, comment, ret);
    EVP_PKEY_free(pkey);
}

static bool known_cipher(unsigned char cipher)
{
    return cipher == CIPHER_DES || cipher == CIPHER_3DES || cipher == CIPHER_BLOWFISH;
}

/* Takes the numbers of the head over. */
static enum parse_result parse_secrets(struct head *head, struct reader in, EVP_PKEY **ret_pkey)
{
    BIGNUM *numbers[RSA_NUMBERS] = { NULL };

    if (!read_secrets(&in, numbers)) {
        secrets_free(numbers);
        return PARSE_CUT_OFF;
    }
    numbers[AT_N] = head->n;
    numbers[AT_E] = head->e;
    head->n = head->e = NULL;
    *ret_pkey = rsa_from_numbers(numbers);
    return *ret_pkey ? PARSE_OK : PARSE_BROKEN;
}

/* sshd before 6.7 takes what it does not find for an error of its own: fatal() in buffer.c. */
static enum parse_result parse_section(struct head *head, struct reader in, EVP_PKEY **ret_pkey)
{
    bool plain;

    if (head->cipher != CIPHER_NONE && !known_cipher(head->cipher))
        return PARSE_BROKEN;
    if (in.left == 0 || in.left % BLOCK != 0)
        return PARSE_CUT_OFF;
    plain = read_check(&in);
    if (head->cipher == CIPHER_NONE)
        return plain ? parse_secrets(head, in, ret_pkey) : PARSE_BROKEN;
    /* A cipher that has not encrypted anything is a damaged byte. */
    return plain ? PARSE_BROKEN : PARSE_ENCRYPTED;
}

enum parse_result rsa1_parse(const struct blob *file, EVP_PKEY **ret_pkey, struct pubkey *ret_pub)
{
    struct reader in = reader_of(file);
    auto_with(head_free) struct head head = { 0 };

    if (!read_skip(&in, magic, sizeof magic))
        return PARSE_OTHER;
    if (!read_head(&in, &head))
        return PARSE_CUT_OFF;
    take_public(&head, ret_pub);
    return parse_section(&head, in, ret_pkey);
}

/* Zeros up to a whole block; a whole block of them where it is one already. */
static void write_padding(struct writer *out, size_t section)
{
    static const unsigned char zeros[BLOCK];

    write_bytes(out, zeros, BLOCK - section % BLOCK);
}

bool rsa1_unwrap(const struct blob *file, struct blob *ret)
{
    struct reader in = reader_of(file), section;
    auto_with(head_free) struct head head = { 0 };
    BIGNUM *numbers[RSA_NUMBERS] = { NULL };
    struct writer out = { 0 };
    bool whole;

    if (!read_skip(&in, magic, sizeof magic) || !read_head(&in, &head))
        return false;
    section = in;
    whole = head.cipher == CIPHER_NONE && read_check(&in) && read_secrets(&in, numbers);
    secrets_free(numbers);
    if (!whole)
        return false;
    write_bytes(&out, file->data, file->len - in.left);
    write_padding(&out, section.left - in.left);
    *ret = out.bytes;
    return true;
}

static void write_numbers1(struct writer *out, const EVP_PKEY *pkey, const char *const *params)
{
    for (; *params; params++) {
        BIGNUM *number = NULL;

        if (pkey_number(pkey, *params, &number))
            write_mpint1(out, number);
        BN_clear_free(number);
    }
}

static int rsa1_serialise(const struct hostkey *key, struct blob *ret, struct err *e)
{
    static const char *const public_params[] = { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
                                                 NULL };
    static const char *const secret_params[] = { OSSL_PKEY_PARAM_RSA_D,
                                                 OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                                 OSSL_PKEY_PARAM_RSA_FACTOR2,
                                                 OSSL_PKEY_PARAM_RSA_FACTOR1, NULL };
    static const unsigned char cipher = CIPHER_NONE;
    auto_writer struct writer section = { 0 };
    struct writer out = { 0 };
    unsigned char check[2];

    if (RAND_bytes(check, sizeof check) != 1)
        return err_crypto(e, "random numbers");
    write_bytes(&section, check, sizeof check);
    write_bytes(&section, check, sizeof check);
    write_numbers1(&section, key->pkey, secret_params);
    write_padding(&section, section.bytes.len);
    write_bytes(&out, magic, sizeof magic);
    write_bytes(&out, &cipher, 1);
    write_u32(&out, 0);
    write_u32(&out, (uint32_t)EVP_PKEY_get_bits(key->pkey));
    write_numbers1(&out, key->pkey, public_params);
    write_text(&out, key->pub.comment);
    write_bytes(&out, section.bytes.data, section.bytes.len);
    *ret = out.bytes;
    return 0;
}

/* ---- the public text ---------------------------------------------------------------------- */

/* A decimal number and the blanks behind it. */
static bool read_decimal(char **text, BIGNUM **ret)
{
    size_t len = strspn(*text, "0123456789");
    auto_free char *digits = xstrndup(*text, len);

    if (len == 0 || len > DIGITS_MAX || !memchr(" \t", (*text)[len], sizeof " \t") ||
        !BN_dec2bn(ret, digits))
        return false;
    *text += len + strspn(*text + len, " \t");
    return true;
}

static EVP_PKEY *rsa1_read_text(char **text)
{
    struct pkey_part parts[] = { { .param = OSSL_PKEY_PARAM_RSA_E },
                                 { .param = OSSL_PKEY_PARAM_RSA_N } };
    BIGNUM *bits = NULL;
    char *at = *text;
    bool whole = read_decimal(&at, &bits) && read_decimal(&at, &parts[0].number) &&
                 read_decimal(&at, &parts[1].number) &&
                 BN_is_word(bits, (BN_ULONG)BN_num_bits(parts[1].number)) &&
                 BN_num_bits(parts[1].number) >= BITS_MIN;

    BN_free(bits);
    if (!whole) {
        numbers_free(parts, ARRAY_SIZE(parts));
        return NULL;
    }
    *text = at;
    return pkey_from_numbers("RSA", EVP_PKEY_PUBLIC_KEY, parts, ARRAY_SIZE(parts));
}

static char *rsa1_write_text(const EVP_PKEY *pkey)
{
    BIGNUM *n = NULL, *e = NULL;
    bool read = pkey_number(pkey, OSSL_PKEY_PARAM_RSA_N, &n) &&
                pkey_number(pkey, OSSL_PKEY_PARAM_RSA_E, &e);
    char *n_digits = read ? BN_bn2dec(n) : NULL, *e_digits = read ? BN_bn2dec(e) : NULL;
    char *text =
        n_digits && e_digits ? xasprintf("%d %s %s", BN_num_bits(n), e_digits, n_digits) : NULL;

    OPENSSL_free(n_digits);
    OPENSSL_free(e_digits);
    BN_free(n);
    BN_free(e);
    return text;
}

static void rsa1_write_digested(const EVP_PKEY *pkey, struct writer *out)
{
    static const char *const params[] = { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E };

    for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
        auto_blob struct blob bytes = { 0 };
        BIGNUM *number = NULL;

        if (!pkey_number(pkey, params[i], &number))
            continue;
        bytes = blob_zeroed((size_t)BN_num_bytes(number));
        BN_bn2bin(number, bytes.data);
        write_bytes(out, bytes.data, bytes.len);
        BN_free(number);
    }
}

/* ssh-keygen makes 2048 bits unless told otherwise, and no init script of EL or SUSE tells it. */
const struct key_type key_type_rsa1 = {
    .name = "rsa1",
    .label = "RSA1",
    .file = "ssh_host_key",
    .hash = "SHA256",
    .protocol = 1,
    .default_bits = 2048,
    .until = OPENSSH(7, 4),
    .read_public = rsa_read_public,
    .write_public = rsa_write_public,
    .check = rsa_check,
    .is = rsa_is,
    .generate = rsa_generate,
    .write_text = rsa1_write_text,
    .read_text = rsa1_read_text,
    .write_digested = rsa1_write_digested,
    .serialise = rsa1_serialise,
};
