/* SPDX-License-Identifier: MIT */
/* Whose line of known_hosts it is: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; hostfile.c, host_hash. */
#include "hostkey/private.h"

#include "base/text.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

enum { SHA1_LEN = 20 };

bool known_hosts_hashed(const char *names)
{
    return text_starts(names, "|1|");
}

/* "|1|SALT|HASH": HMAC-SHA1 of the name, in lower case. */
static bool hash_is(const char *hashed, size_t len, const char *host)
{
    const char *salt = hashed + 3, *end = hashed + len;
    const char *bar = len > 3 ? memchr(salt, '|', len - 3) : NULL;
    auto_blob struct blob key = { 0 }, wanted = { 0 };
    unsigned char sum[EVP_MAX_MD_SIZE];
    size_t sum_len = 0;

    if (!bar || !base64_decode(salt, (size_t)(bar - salt), &key) ||
        !base64_decode(bar + 1, (size_t)(end - bar - 1), &wanted) || key.len != SHA1_LEN ||
        wanted.len != SHA1_LEN)
        return false;
    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, key.data, key.len, (const unsigned char *)host,
                   strlen(host), sum, sizeof sum, &sum_len))
        ERR_clear_error();
    return sum_len == SHA1_LEN && memcmp(sum, wanted.data, SHA1_LEN) == 0;
}

bool known_hosts_names(const char *names, const char *host)
{
    size_t len;

    for (const char *at = names; *at; at += len + (at[len] == ',')) {
        len = strcspn(at, ",");
        if (known_hosts_hashed(at) ? hash_is(at, len, host)
                                   : len == strlen(host) && strncasecmp(at, host, len) == 0)
            return true;
    }
    return false;
}
