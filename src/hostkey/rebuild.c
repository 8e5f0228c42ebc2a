/* SPDX-License-Identifier: MIT */
#include "hostkey/rebuild.h"

#include "base/alloc.h"

#include <openssl/err.h>
#include <string.h>

/* ---- single errors
 * -------------------------------------------------------------------------------- */

void flip_apply(const struct flip *flip, unsigned char *secret, size_t len)
{
    for (int i = 0; i < 6; i++) {
        int bit = flip->bit + i;

        if (bit >= 0 && (size_t)bit < len * 8 && flip->six >> (5 - i) & 1)
            secret[bit / 8] ^= (unsigned char)(0x80 >> bit % 8);
    }
}

static bool one_bit(unsigned six)
{
    return (six & (six - 1)) == 0;
}

struct flip *flips_of(const struct remains *remains, size_t at, size_t len, size_t *ret_count)
{
    struct flip *flips = NULL;
    size_t count = 0, first = at * 8 / 6, end = (at + len) * 8 / 6 + 1;

    for (size_t bit = 0; bit < len * 8; bit++) {
        struct flip flip = { (int)bit, 0x20 };

        array_push(flips, count, flip);
    }
    for (size_t i = first; i < end && i < remains->flat.len; i++) {
        unsigned char here = remains->flat.data[i];

        /* A character that cannot be may have been any; another one, what a bit makes of it. */
        for (unsigned n = 0; n < (here == '?' ? 64 : 8); n++) {
            unsigned char other = (unsigned char)(here ^ 1u << n % 8);
            unsigned six = here == '?' ? n : base64_value(here) ^ base64_value(other);
            struct flip flip = { (int)(i * 6) - (int)(at * 8), (unsigned char)six };

            if ((here == '?' || base64_is(other)) && !one_bit(six))
                array_push(flips, count, flip);
        }
    }
    *ret_count = count;
    return flips;
}

/* ---- all types ----------------------------------------------------------------------------------
 */

static int finish(const struct key_type *type, EVP_PKEY *pkey, const struct pubkey *claimed,
                  const struct pubkey *wanted, struct hostkey **ret)
{
    auto_hostkey struct hostkey *key = xcalloc(1, sizeof *key);
    const char *comment = claimed->name ? claimed->comment : "";

    *key = (struct hostkey){ .type = type, .pkey = pkey, .format = HOSTKEY_FORMAT_OPENSSH };
    if (wanted && *wanted->comment)
        comment = wanted->comment;
    pubkey_of_pkey(type, pkey, comment, &key->pub);
    if ((wanted && !blob_equal(&key->pub.blob, &wanted->blob)) || !key_proven(type, pkey))
        return -1;
    *ret = take_ptr(key);
    return 0;
}

static void copies_free(struct remains *copies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        remains_free(&copies[i]);
    free(copies);
}

int hostkey_rebuild(const struct blob *copies, size_t count, const struct pubkey *wanted,
                    hostkey_trial trial, void *context, struct hostkey **ret)
{
    auto_pubkey struct pubkey claimed = { 0 };
    struct remains *remains = xcalloc(count, sizeof *remains);
    struct rebuilding from = { .copies = remains,
                               .wanted = wanted ? &wanted->blob : NULL,
                               .trial = trial,
                               .context = context };
    const struct key_type *type;
    EVP_PKEY *pkey = NULL;

    for (size_t i = 0; i < count; i++) {
        if (remains_open(&copies[i], &remains[from.count]) && !remains[from.count].encrypted)
            from.count++;
        else
            remains_free(&remains[from.count]);
        if (!claimed.name)
            (void)hostkey_claim(&copies[i], &claimed);
    }
    type = wanted ? pubkey_type(wanted) : claimed.name ? pubkey_type(&claimed) : NULL;
    if (type && type->rebuild && from.count > 0)
        pkey = type->rebuild(type, &from);
    copies_free(remains, count);
    ERR_clear_error();
    return pkey ? finish(type, pkey, &claimed, wanted, ret) : -1;
}
