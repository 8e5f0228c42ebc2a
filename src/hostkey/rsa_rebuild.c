/* SPDX-License-Identifier: MIT */
/*
 * An RSA key says everything several times over. One prime and n give all of it, and
 * a prime shows wherever it stands in what is left: it divides n. So lengths and
 * order need not be whole. Without a prime, d (or one of its halves) and n give one;
 * without n, the two primes do.
 */
#include "hostkey/rsa.h"

#include "base/alloc.h"

#include <string.h>

enum { FIELDS = 9 };

/* What OpenSSH has made keys with, newest first (rsa_generate_private_key in its history). */
static const unsigned long exponents[] = { 65537, 35, 37, 17, 3 };

/* A window of n's half length that divides n, anywhere. */
static BIGNUM *prime_in(const struct blob *bytes, const BIGNUM *n, BN_CTX *ctx)
{
    size_t len = (size_t)(BN_num_bits(n) + 1) / 2;
    BIGNUM *window = BN_secure_new(), *rest = BN_new();

    len = (len + 7) / 8;
    for (size_t at = 0; window && rest && at + len <= bytes->len; at++) {
        if (!(bytes->data[at + len - 1] & 1) || bytes->data[at] < 0x80)
            continue;
        if (BN_bin2bn(bytes->data + at, (int)len, window) && BN_mod(rest, n, window, ctx) &&
            BN_is_zero(rest) && BN_cmp(window, n) < 0) {
            BN_free(rest);
            return window;
        }
    }
    BN_clear_free(window);
    BN_free(rest);
    return NULL;
}

/*
 * e * x - 1 is a multiple of p - 1, of q - 1, or of both: some power of two with a
 * half of it for exponent is 1 modulo one of them alone.
 */
static BIGNUM *prime_by_exponent(const BIGNUM *n, const BIGNUM *e, const BIGNUM *x, BN_CTX *ctx)
{
    BIGNUM *k = BN_secure_new(), *power = BN_secure_new(), *base = BN_new(),
           *prime = BN_secure_new();
    bool found = false;

    if (k && power && base && prime && BN_mul(k, e, x, ctx) && BN_sub_word(k, 1) &&
        BN_num_bits(k) > 64) {
        for (unsigned long g = 2; !found && g < 12; g++) {
            BIGNUM *half = BN_dup(k);

            while (half && !found && !BN_is_zero(half) && BN_set_word(base, g)) {
                found = BN_mod_exp(power, base, half, n, ctx) && BN_sub_word(power, 1) &&
                        BN_gcd(prime, power, n, ctx) && !BN_is_one(prime) && BN_cmp(prime, n) != 0;
                if (BN_is_odd(half))
                    break;
                BN_rshift1(half, half);
            }
            BN_clear_free(half);
        }
    }
    BN_clear_free(k);
    BN_clear_free(power);
    BN_free(base);
    if (!found) {
        BN_clear_free(prime);
        prime = NULL;
    }
    return prime;
}

static BIGNUM *number_of(const struct reader *field)
{
    BIGNUM *number = BN_secure_new();

    if (number && field->left <= 2100)
        BN_bin2bn(field->at, (int)field->left, number);
    return number;
}

/* All of the key from n, e and a prime. The larger prime first, as by custom. */
static EVP_PKEY *from_prime(const BIGNUM *n, const BIGNUM *e, const BIGNUM *prime, BN_CTX *ctx)
{
    struct pkey_part parts[RSA_PARTS];
    BIGNUM *other = BN_secure_new();
    bool ok = other && BN_div(other, NULL, n, prime, ctx), swap;

    for (size_t i = 0; i < RSA_PARTS; i++)
        parts[i] = (struct pkey_part){ .param = rsa_part_names[i] };
    parts[N].number = BN_dup(n);
    parts[E].number = BN_dup(e);
    swap = ok && BN_cmp(prime, other) < 0;
    parts[swap ? Q : P].number = BN_dup(prime);
    parts[swap ? P : Q].number = other;
    ok = ok && !BN_is_one(other) && parts[N].number && parts[E].number && parts[P].number &&
         parts[Q].number;
    if (ok) {
        BN_set_flags(parts[P].number, BN_FLG_CONSTTIME);
        BN_set_flags(parts[Q].number, BN_FLG_CONSTTIME);
        parts[D].number = rsa_private_exponent(parts, ctx);
        parts[IQMP].number = BN_mod_inverse(NULL, parts[Q].number, parts[P].number, ctx);
        ok = parts[D].number && parts[IQMP].number;
    }
    if (ok)
        return rsa_from_parts(parts);
    numbers_free(parts, RSA_PARTS);
    return NULL;
}

/* n and e as a public blob has them. */
static bool public_numbers(const struct blob *blob, BIGNUM **n, BIGNUM **e)
{
    struct reader in = reader_of(blob), name;

    return read_string(&in, &name) && reader_is(&name, "ssh-rsa") && read_mpint(&in, e) &&
           read_mpint(&in, n) && BN_is_odd(*n) && BN_num_bits(*n) >= 512 && !BN_is_zero(*e);
}

static BIGNUM *find_prime(const struct rebuilding *from, const BIGNUM *n, const BIGNUM *e,
                          BN_CTX *ctx)
{
    struct reader fields[FIELDS];
    BIGNUM *prime = NULL;

    for (size_t i = 0; !prime && i < from->count; i++)
        prime = prime_in(&from->copies[i].bytes, n, ctx);
    for (size_t i = 0; !prime && i < from->count; i++) {
        size_t count = remains_fields(&from->copies[i], fields, FIELDS);

        for (size_t j = 0; !prime && j < count; j++) {
            BIGNUM *x = number_of(&fields[j]);

            if (x && BN_num_bits(x) > BN_num_bits(n) / 2 - 16)
                prime = prime_by_exponent(n, e, x, ctx);
            BN_clear_free(x);
        }
    }
    return prime;
}

static EVP_PKEY *with_modulus(const struct rebuilding *from, const struct blob *public_blob,
                              BN_CTX *ctx)
{
    BIGNUM *n = NULL, *e = NULL, *prime = NULL;
    EVP_PKEY *pkey = NULL;

    if (public_numbers(public_blob, &n, &e) && (prime = find_prime(from, n, e, ctx)))
        pkey = from_prime(n, e, prime, ctx);
    BN_free(n);
    BN_free(e);
    BN_clear_free(prime);
    return pkey;
}

/* e * d is 1 modulo p - 1, and modulo q - 1. */
static bool confirms(const BIGNUM *e, const BIGNUM *d, const BIGNUM *prime, BN_CTX *ctx)
{
    BIGNUM *less = BN_dup(prime), *product = BN_secure_new();
    bool fits = less && product && BN_sub_word(less, 1) && BN_mod_mul(product, e, d, less, ctx) &&
                BN_is_one(product);

    BN_clear_free(less);
    BN_clear_free(product);
    return fits;
}

/* n itself is damaged wherever it stands: the two primes, and d to confirm them. */
static EVP_PKEY *from_primes(const struct remains *copy, BN_CTX *ctx)
{
    struct reader fields[FIELDS];
    size_t count = remains_fields(copy, fields, FIELDS);
    BIGNUM *d, *p, *q, *n, *e;
    EVP_PKEY *pkey = NULL;

    /* openssh-key-v1: n, e, d, iqmp, p, q. PKCS#1: n, e, d, p, q, … */
    if (count < 5 + (size_t)copy->openssh)
        return NULL;
    n = BN_new();
    e = BN_new();
    d = number_of(&fields[2]);
    p = number_of(&fields[copy->openssh ? 4 : 3]);
    q = number_of(&fields[copy->openssh ? 5 : 4]);
    for (size_t i = 0; !pkey && i < ARRAY_SIZE(exponents); i++)
        if (n && e && d && p && q && BN_mul(n, p, q, ctx) && BN_num_bits(n) >= 512 &&
            BN_set_word(e, exponents[i]) && confirms(e, d, p, ctx) && confirms(e, d, q, ctx))
            pkey = from_prime(n, e, p, ctx);
    BN_free(n);
    BN_free(e);
    BN_clear_free(d);
    BN_clear_free(p);
    BN_clear_free(q);
    return pkey;
}

/* The public blob that a copy's own n makes with the exponents that there are. */
static EVP_PKEY *with_own_modulus(const struct rebuilding *from, const struct remains *copy,
                                  BN_CTX *ctx)
{
    struct reader fields[FIELDS];
    EVP_PKEY *pkey = NULL;

    if (remains_fields(copy, fields, FIELDS) < 1)
        return NULL;
    for (size_t i = 0; !pkey && i < ARRAY_SIZE(exponents); i++) {
        auto_writer struct writer out = { 0 };
        BIGNUM *e = BN_new();

        if (e && BN_set_word(e, exponents[i])) {
            write_text(&out, "ssh-rsa");
            write_mpint(&out, e);
            write_string(&out, fields[0].at, fields[0].left);
            pkey = with_modulus(from, &out.bytes, ctx);
        }
        BN_free(e);
        if (pkey)
            break;
    }
    return pkey;
}

EVP_PKEY *rsa_rebuild(const struct key_type *type, const struct rebuilding *from)
{
    BN_CTX *ctx = BN_CTX_secure_new();
    EVP_PKEY *pkey = NULL;

    (void)type;
    if (ctx && from->wanted)
        pkey = with_modulus(from, from->wanted, ctx);
    for (size_t i = 0; ctx && !from->wanted && !pkey && i < from->count; i++) {
        auto_blob struct blob claimed = { 0 };

        pkey = from_primes(&from->copies[i], ctx);
        if (!pkey && remains_public(&from->copies[i], &claimed))
            pkey = with_modulus(from, &claimed, ctx);
        if (!pkey)
            pkey = with_own_modulus(from, &from->copies[i], ctx);
    }
    BN_CTX_free(ctx);
    return pkey;
}
