/* SPDX-License-Identifier: MIT */
/*
 * ssh-rsa. Private section: n, e, d, iqmp, p, q (PROTOCOL.key); sshd computes
 * the two CRT exponents from d, and so do we.
 *
 * A new key takes its two primes from libcrypto, each on a thread of its own:
 * that is where the time goes, and RSA is what the operator waits for. With both
 * top bits set in each (BN_generate_prime_ex2 does) the modulus has its full
 * length; FIPS 186-4 B.3.1 asks for the distance and the greatest common divisor.
 */
#include "hostkey/rsa.h"

#include "base/alloc.h"

#include <openssl/core_names.h>
#include <pthread.h>
#include <string.h>

static const char *const public_params[] = { OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_N, NULL };
static const char *const private_params[] = { OSSL_PKEY_PARAM_RSA_N,
                                              OSSL_PKEY_PARAM_RSA_E,
                                              OSSL_PKEY_PARAM_RSA_D,
                                              OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
                                              OSSL_PKEY_PARAM_RSA_FACTOR1,
                                              OSSL_PKEY_PARAM_RSA_FACTOR2,
                                              NULL };

const char *const rsa_part_names[RSA_PARTS] = {
    [N] = OSSL_PKEY_PARAM_RSA_N,
    [E] = OSSL_PKEY_PARAM_RSA_E,
    [D] = OSSL_PKEY_PARAM_RSA_D,
    [P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
    [DMP1] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [DMQ1] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
    [IQMP] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static void name_parts(struct pkey_part parts[RSA_PARTS])
{
    for (size_t i = 0; i < RSA_PARTS; i++)
        parts[i] = (struct pkey_part){ .param = rsa_part_names[i] };
}

EVP_PKEY *rsa_read_public(const struct key_type *type, struct reader *in)
{
    struct pkey_part parts[] = { { .param = OSSL_PKEY_PARAM_RSA_E },
                                 { .param = OSSL_PKEY_PARAM_RSA_N } };

    (void)type;
    if (!read_mpint(in, &parts[0].number) || !read_mpint(in, &parts[1].number)) {
        numbers_free(parts, 2);
        return NULL;
    }
    return pkey_from_numbers("RSA", EVP_PKEY_PUBLIC_KEY, parts, 2);
}

void rsa_write_public(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out)
{
    (void)type;
    write_numbers(out, pkey, public_params);
}

static void rsa_write_private(const struct key_type *type, const EVP_PKEY *pkey, struct writer *out)
{
    (void)type;
    write_numbers(out, pkey, private_params);
}

/* d mod (prime - 1) */
static BIGNUM *crt_exponent(const BIGNUM *d, const BIGNUM *prime, BN_CTX *ctx)
{
    BIGNUM *less_one = BN_dup(prime), *exponent = BN_secure_new();

    if (!less_one || !exponent || !BN_sub_word(less_one, 1) || BN_is_zero(less_one) ||
        !BN_mod(exponent, d, less_one, ctx)) {
        BN_clear_free(exponent);
        exponent = NULL;
    }
    BN_clear_free(less_one);
    return exponent;
}

EVP_PKEY *rsa_from_parts(struct pkey_part parts[RSA_PARTS])
{
    BN_CTX *ctx = BN_CTX_secure_new();

    parts[DMP1].number = crt_exponent(parts[D].number, parts[P].number, ctx);
    parts[DMQ1].number = crt_exponent(parts[D].number, parts[Q].number, ctx);
    BN_CTX_free(ctx);
    if (!parts[DMP1].number || !parts[DMQ1].number) {
        numbers_free(parts, RSA_PARTS);
        return NULL;
    }
    return pkey_from_numbers("RSA", EVP_PKEY_KEYPAIR, parts, RSA_PARTS);
}

EVP_PKEY *rsa_from_numbers(BIGNUM *const numbers[RSA_NUMBERS])
{
    static const int order[RSA_NUMBERS] = { N, E, D, IQMP, P, Q };
    struct pkey_part parts[RSA_PARTS];
    bool whole = true;

    name_parts(parts);
    for (size_t i = 0; i < RSA_NUMBERS; i++) {
        parts[order[i]].number = numbers[i];
        whole = whole && numbers[i];
    }
    if (whole)
        return rsa_from_parts(parts);
    numbers_free(parts, RSA_PARTS);
    return NULL;
}

static EVP_PKEY *rsa_read_private(const struct key_type *type, struct reader *in)
{
    BIGNUM *numbers[RSA_NUMBERS] = { NULL };
    bool whole = true;

    (void)type;
    for (size_t i = 0; i < RSA_NUMBERS; i++)
        whole = whole && read_mpint(in, &numbers[i]);
    return rsa_from_numbers(numbers);
}

/* a * b is 1 modulo m */
static bool inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx)
{
    BIGNUM *product = BN_new();
    bool is = product && BN_mod_mul(product, a, b, m, ctx) && BN_is_one(product);

    BN_clear_free(product);
    return is;
}

static bool exponent_fits(const struct pkey_part *parts, int prime, int exponent, BN_CTX *ctx)
{
    BIGNUM *less_one = BN_dup(parts[prime].number);
    BIGNUM *expected = crt_exponent(parts[D].number, parts[prime].number, ctx);
    bool fits = less_one && expected && BN_sub_word(less_one, 1) &&
                inverse(parts[E].number, parts[D].number, less_one, ctx) &&
                BN_cmp(expected, parts[exponent].number) == 0;

    BN_clear_free(less_one);
    BN_clear_free(expected);
    return fits;
}

/* The signature alone does not show it: libcrypto repairs a faulty CRT result by d. */
bool rsa_check(const EVP_PKEY *pkey)
{
    struct pkey_part parts[RSA_PARTS];
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *product = BN_new();
    bool sound = ctx && product;

    name_parts(parts);
    /* More than two primes (RFC 8017): rare, legal, and for the signature alone to prove. */
    if (pkey_number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &parts[N].number)) {
        numbers_free(parts, RSA_PARTS);
        BN_free(product);
        BN_CTX_free(ctx);
        return true;
    }
    for (size_t i = 0; i < RSA_PARTS; i++)
        sound = pkey_number(pkey, parts[i].param, &parts[i].number) && sound;
    sound = sound && BN_is_odd(parts[N].number) && !BN_is_zero(parts[Q].number) &&
            BN_mul(product, parts[P].number, parts[Q].number, ctx) &&
            BN_cmp(product, parts[N].number) == 0 && exponent_fits(parts, P, DMP1, ctx) &&
            exponent_fits(parts, Q, DMQ1, ctx) &&
            inverse(parts[IQMP].number, parts[Q].number, parts[P].number, ctx);
    BN_free(product);
    BN_CTX_free(ctx);
    numbers_free(parts, RSA_PARTS);
    return sound;
}

bool rsa_is(const struct key_type *type, const EVP_PKEY *pkey)
{
    (void)type;
    return EVP_PKEY_is_a(pkey, "RSA");
}

struct prime_search {
    int bits;
    BIGNUM *prime; /* NULL where libcrypto failed */
};

/* A prime that 65537 has an inverse for, modulo one less. */
static void *find_prime(void *argument)
{
    struct prime_search *search = argument;
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *prime = BN_secure_new();

    do {
        if (!ctx || !prime ||
            !BN_generate_prime_ex2(prime, search->bits, 0, NULL, NULL, NULL, ctx)) {
            BN_clear_free(prime);
            prime = NULL;
            break;
        }
    } while (BN_mod_word(prime, 65537) == 1);
    BN_CTX_free(ctx);
    search->prime = prime;
    return NULL;
}

/* Two primes far enough apart (FIPS 186-4 B.3.1), the larger first, as p is by custom. */
static bool find_primes(int bits, BIGNUM **p, BIGNUM **q)
{
    struct prime_search search[2] = { { .bits = bits / 2 }, { .bits = bits / 2 } };
    BIGNUM *distance = BN_new();
    pthread_t other;
    bool threaded = pthread_create(&other, NULL, find_prime, &search[1]) == 0;

    find_prime(&search[0]);
    if (threaded)
        pthread_join(other, NULL);
    else
        find_prime(&search[1]);
    if (distance && search[0].prime && search[1].prime &&
        BN_sub(distance, search[0].prime, search[1].prime) &&
        BN_num_bits(distance) > bits / 2 - 100) {
        bool swap = BN_is_negative(distance);

        *p = search[swap].prime;
        *q = search[!swap].prime;
        BN_clear_free(distance);
        return true;
    }
    BN_clear_free(search[0].prime);
    BN_clear_free(search[1].prime);
    BN_clear_free(distance);
    return false;
}

/* The inverse of e modulo lcm(p - 1, q - 1). */
BIGNUM *rsa_private_exponent(const struct pkey_part *parts, BN_CTX *ctx)
{
    BIGNUM *p1 = BN_dup(parts[P].number), *q1 = BN_dup(parts[Q].number);
    BIGNUM *product = BN_secure_new(), *common = BN_secure_new(), *lcm = BN_secure_new();
    BIGNUM *d = NULL;

    if (p1 && q1 && product && common && lcm && BN_sub_word(p1, 1) && BN_sub_word(q1, 1) &&
        BN_mul(product, p1, q1, ctx) && BN_gcd(common, p1, q1, ctx) &&
        BN_div(lcm, NULL, product, common, ctx)) {
        BN_set_flags(lcm, BN_FLG_CONSTTIME);
        d = BN_mod_inverse(NULL, parts[E].number, lcm, ctx);
    }
    BN_clear_free(p1);
    BN_clear_free(q1);
    BN_clear_free(product);
    BN_clear_free(common);
    BN_clear_free(lcm);
    return d;
}

EVP_PKEY *rsa_generate(const struct key_type *type, int bits)
{
    struct pkey_part parts[RSA_PARTS];
    BN_CTX *ctx = BN_CTX_secure_new();
    bool ok;

    (void)type;
    name_parts(parts);
    parts[E].number = BN_new();
    parts[N].number = BN_new();
    ok = ctx && parts[E].number && parts[N].number && BN_set_word(parts[E].number, 65537) &&
         find_primes(bits, &parts[P].number, &parts[Q].number) &&
         BN_mul(parts[N].number, parts[P].number, parts[Q].number, ctx);
    if (ok) {
        BN_set_flags(parts[P].number, BN_FLG_CONSTTIME);
        BN_set_flags(parts[Q].number, BN_FLG_CONSTTIME);
        parts[D].number = rsa_private_exponent(parts, ctx);
        parts[IQMP].number = BN_mod_inverse(NULL, parts[Q].number, parts[P].number, ctx);
        ok = parts[D].number && parts[IQMP].number;
    }
    BN_CTX_free(ctx);
    if (!ok) {
        numbers_free(parts, RSA_PARTS);
        return NULL;
    }
    return rsa_from_parts(parts);
}

const struct key_type key_type_rsa = {
    .name = "ssh-rsa",
    .label = "RSA",
    .file = "ssh_host_rsa_key",
    .protocol = 2,
    .hash = "SHA256",
    .default_bits = 3072,
    .sshfp = 1,
    .read_public = rsa_read_public,
    .write_public = rsa_write_public,
    .read_private = rsa_read_private,
    .write_private = rsa_write_private,
    .check = rsa_check,
    .is = rsa_is,
    .generate = rsa_generate,
    .rebuild = rsa_rebuild,
};
