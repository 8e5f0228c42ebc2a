/* SPDX-License-Identifier: MIT */
/*
 * Certificates of host keys: which key one is for, and when. Layout: PROTOCOL.certkeys
 * of OpenSSH. The signature of the authority is left to sshd and the clients.
 */
#include "hostkey/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

#define CERT_ENDING "-cert-v01@openssh.com"

enum { CERT_USER = 1, CERT_HOST = 2 };

/* How many fields of the blob are the key's own. */
static const struct {
    const char *name;
    unsigned fields;
} shapes[] = {
    { "ssh-rsa", 2 },
    { "ssh-dss", 4 },
    { "ecdsa-sha2-nistp256", 2 },
    { "ecdsa-sha2-nistp384", 2 },
    { "ecdsa-sha2-nistp521", 2 },
    { "ssh-ed25519", 1 },
};

static bool read_u64(struct reader *in, uint64_t *ret)
{
    uint32_t high, low;

    if (!read_u32(in, &high) || !read_u32(in, &low))
        return false;
    *ret = (uint64_t)high << 32 | low;
    return true;
}

static bool skip_strings(struct reader *in, unsigned count)
{
    struct reader ignored;

    for (unsigned i = 0; i < count; i++)
        if (!read_string(in, &ignored))
            return false;
    return true;
}

static unsigned fields_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (strcmp(shapes[i].name, name) == 0)
            return shapes[i].fields;
    return 0;
}

/* Serial, type, key ID, principals, times; options, extensions, reserved, authority, signature. */
static bool read_rest(struct reader *in, struct hostcert *ret)
{
    uint64_t serial;
    uint32_t type;

    if (!read_u64(in, &serial) || !read_u32(in, &type) || (type != CERT_USER && type != CERT_HOST))
        return false;
    ret->host = type == CERT_HOST;
    return skip_strings(in, 2) && read_u64(in, &ret->valid_after) &&
           read_u64(in, &ret->valid_before) && skip_strings(in, 5) && in->left == 0;
}

enum hostcert_verdict hostcert_parse(const struct blob *file, struct hostcert *ret)
{
    auto_pubkey struct pubkey pub = { 0 };
    auto_free char *name = NULL;
    auto_writer struct writer plain = { 0 };
    struct reader key, rest;
    unsigned fields;

    *ret = (struct hostcert){ 0 };
    if (pubkey_parse(file, &pub) < 0)
        return HOSTCERT_DAMAGED;
    if (!strstr(pub.name, "-cert-v"))
        return HOSTCERT_NONE;
    name = xstrndup(pub.name, (size_t)(strstr(pub.name, "-cert-v") - pub.name));
    fields = fields_of(name);
    if (!fields || !text_ends(pub.name, CERT_ENDING))
        return HOSTCERT_UNKNOWN;
    key = reader_of(&pub.blob);
    if (!skip_strings(&key, 2)) /* its name and the nonce */
        return HOSTCERT_DAMAGED;
    rest = key;
    if (!skip_strings(&rest, fields))
        return HOSTCERT_DAMAGED;
    write_text(&plain, name);
    write_bytes(&plain, key.at, key.left - rest.left);
    if (!read_rest(&rest, ret))
        return HOSTCERT_DAMAGED;
    ret->key = blob_copy(plain.bytes.data, plain.bytes.len);
    return HOSTCERT_SOUND;
}

void hostcert_free(struct hostcert *cert)
{
    blob_free(&cert->key);
}
