/* SPDX-License-Identifier: MIT */
/*
 * openssh-key-v1 and DER, read as far as they go. Lengths that reach beyond the end
 * are cut to it: a torn key still tells what stands before the tear.
 */
#include "hostkey/remains.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static const char magic[] = "openssh-key-v1"; /* with its NUL */

unsigned base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26u;
    if (c >= '0' && c <= '9')
        return c - '0' + 52u;
    return c == '+' ? 62 : c == '/' ? 63 : 0;
}

bool base64_is(unsigned char c)
{
    return c == 'A' || base64_value(c) != 0;
}

static void decode(struct remains *remains)
{
    size_t len = remains->flat.len;

    remains->bytes = blob_zeroed(len / 4 * 3 + 3);
    remains->bytes.len = len / 4 * 3 + (len % 4 == 3 ? 2 : len % 4 == 2 ? 1 : 0);
    for (size_t i = 0; i < len; i++) {
        unsigned value = base64_value(remains->flat.data[i]) << 10;
        size_t bit = i * 6;

        value >>= bit % 8;
        remains->bytes.data[bit / 8] |= (unsigned char)(value >> 8);
        remains->bytes.data[bit / 8 + 1] |= (unsigned char)value;
    }
}

bool remains_open(const struct blob *file, struct remains *ret)
{
    static const char begin[] = "-----BEGIN ";
    const char *text = (const char *)file->data, *end = text + file->len, *line;

    *ret = (struct remains){ 0 };
    if (file->len < sizeof begin || memcmp(text, begin, sizeof begin - 1) != 0 ||
        !(line = memchr(text, '\n', file->len)))
        return false;
    ret->encrypted = memmem(text, (size_t)(line - text), "ENCRYPTED", 9) != NULL;
    ret->flat = blob_zeroed(file->len);
    ret->flat.len = 0;
    while (++line < end && *line != '-') {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        if (!next)
            next = end;
        if (memchr(line, ':', (size_t)(next - line)))
            ret->encrypted = true; /* "Proc-Type: 4,ENCRYPTED", "DEK-Info: …" */
        else
            for (; line < next; line++)
                if (base64_is((unsigned char)*line) || *line == '?')
                    ret->flat.data[ret->flat.len++] = (unsigned char)*line;
        line = next;
    }
    decode(ret);
    ret->openssh =
        ret->bytes.len >= sizeof magic && memcmp(ret->bytes.data, magic, sizeof magic) == 0;
    return true;
}

void remains_free(struct remains *remains)
{
    blob_free(&remains->flat);
    blob_free(&remains->bytes);
}

/* ---- openssh-key-v1 -----------------------------------------------------------------------------
 */

/* A string whose end may be missing. */
static bool read_cut(struct reader *in, struct reader *ret)
{
    uint32_t len;

    if (read_string(in, ret))
        return true;
    if (!read_u32(in, &len))
        return false;
    *ret = *in;
    *in = (struct reader){ in->at + in->left, 0 };
    return true;
}

static bool openssh_open(const struct remains *remains, struct reader *ret_cipher,
                         struct reader *ret_public, struct reader *ret_private)
{
    struct reader in = reader_of(&remains->bytes), skipped;
    uint32_t keys;

    *ret_private = (struct reader){ 0 };
    if (!read_skip(&in, magic, sizeof magic) || !read_string(&in, ret_cipher) ||
        !read_string(&in, &skipped) || !read_string(&in, &skipped) || !read_u32(&in, &keys) ||
        !read_string(&in, ret_public))
        return false;
    (void)read_cut(&in, ret_private);
    return true;
}

static size_t openssh_fields(const struct remains *remains, struct reader *ret, size_t max)
{
    struct reader cipher, public_blob, in, name;
    uint32_t check;
    size_t count = 0;

    if (!openssh_open(remains, &cipher, &public_blob, &in) || !reader_is(&cipher, "none") ||
        !read_u32(&in, &check) || !read_u32(&in, &check) || !read_string(&in, &name))
        return 0;
    while (count < max && read_string(&in, &ret[count]))
        count++;
    return count;
}

/* ---- DER
 * ------------------------------------------------------------------------------------------ */

enum { INTEGER = 0x02, BITS = 0x03, OCTETS = 0x04, OID = 0x06, SEQUENCE = 0x30, TAGGED = 0xa0 };

/* One element; its content is cut where the bytes end. */
static bool der_next(struct reader *in, unsigned char *ret_tag, struct reader *ret)
{
    size_t header = 2, len;

    if (in->left < 2)
        return false;
    *ret_tag = in->at[0];
    len = in->at[1];
    if (len & 0x80) {
        size_t octets = len & 0x7f;

        if (octets > 4 || in->left < 2 + octets)
            return false;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | in->at[2 + i];
        header += octets;
    }
    if (len > in->left - header)
        len = in->left - header;
    *ret = (struct reader){ in->at + header, len };
    in->at += header + len;
    in->left -= header + len;
    return true;
}

static bool der_is(struct reader *in, unsigned char tag, struct reader *ret)
{
    unsigned char got;
    struct reader try = *in;

    if (!der_next(&try, &got, ret) || got != tag)
        return false;
    *in = try;
    return true;
}

/* The names that stand for an algorithm or a curve (RFC 3279, 5480, 8410). */
static const struct {
    const char *oid;
    size_t len;
    const char *name; /* on the wire */
} oids[] = {
    { "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9, "ssh-rsa" },
    { "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8, "ecdsa-sha2-nistp256" },
    { "\x2b\x81\x04\x00\x22", 5, "ecdsa-sha2-nistp384" },
    { "\x2b\x81\x04\x00\x23", 5, "ecdsa-sha2-nistp521" },
    { "\x2b\x65\x70", 3, "ssh-ed25519" },
};

static const char *oid_name(const struct reader *oid)
{
    for (size_t i = 0; i < ARRAY_SIZE(oids); i++)
        if (oid->left == oids[i].len && memcmp(oid->at, oids[i].oid, oid->left) == 0)
            return oids[i].name;
    return NULL;
}

/* Into PKCS#8, where it is that; *ret_name is what its algorithm or curve says. */
static struct reader unwrap_pkcs8(struct reader body, const char **ret_name)
{
    struct reader in = body, version, algorithm, part, key;

    if (!der_is(&in, INTEGER, &version) || !der_is(&in, SEQUENCE, &algorithm) ||
        !der_is(&in, OCTETS, &key))
        return body;
    while (der_is(&algorithm, OID, &part))
        if (oid_name(&part))
            *ret_name = oid_name(&part);
    in = key;
    return der_is(&in, SEQUENCE, &part) ? part : key;
}

static struct reader der_body(const struct remains *remains, const char **ret_name)
{
    struct reader in = reader_of(&remains->bytes), body;

    *ret_name = NULL;
    if (!der_is(&in, SEQUENCE, &body))
        return (struct reader){ 0 };
    return unwrap_pkcs8(body, ret_name);
}

/* Integers and octet strings, the version left out. */
static size_t der_fields(const struct remains *remains, struct reader *ret, size_t max)
{
    const char *name;
    struct reader in = der_body(remains, &name), field;
    unsigned char tag;
    size_t count = 0;
    bool first = true;

    while (count < max && der_next(&in, &tag, &field)) {
        if (tag == INTEGER || tag == OCTETS) {
            if (!first || tag == OCTETS)
                ret[count++] = field;
        }
        first = false;
    }
    return count;
}

size_t remains_fields(const struct remains *remains, struct reader *ret, size_t max)
{
    if (remains->encrypted)
        return 0;
    return remains->openssh ? openssh_fields(remains, ret, max) : der_fields(remains, ret, max);
}

/* ---- the public part
 * ------------------------------------------------------------------------------ */

/* SEC1: the scalar, [0] the curve, [1] the point (RFC 5915). */
static bool sec1_public(struct reader in, const char *name, struct writer *out)
{
    struct reader version, scalar, tagged, part;

    if (!der_is(&in, INTEGER, &version) || !der_is(&in, OCTETS, &scalar))
        return false;
    if (der_is(&in, TAGGED, &tagged) && der_is(&tagged, OID, &part))
        name = oid_name(&part);
    if (!name || !key_type_named(name) || !key_type_named(name)->curve ||
        !der_is(&in, TAGGED + 1, &tagged) || !der_is(&tagged, BITS, &part) || part.left < 2)
        return false;
    write_text(out, name);
    write_text(out, key_type_named(name)->curve);
    write_string(out, part.at + 1, part.left - 1);
    return true;
}

/* PKCS#1: n, e, …; DSA: p, q, g, y, x. DER's integers are the wire's. */
static bool numbers_public(const struct reader *fields, size_t count, struct writer *out)
{
    /* Of a torn RSA key there may be five, too: its e is short, and no q of 160 bits or more. */
    if (count == 5 && fields[1].left >= 20 && fields[1].left <= 33) {
        write_text(out, "ssh-dss");
        for (size_t i = 0; i < 4; i++)
            write_string(out, fields[i].at, fields[i].left);
        return true;
    }
    if (count < 2 || fields[1].left > 9)
        return false;
    write_text(out, "ssh-rsa");
    write_string(out, fields[1].at, fields[1].left);
    write_string(out, fields[0].at, fields[0].left);
    return true;
}

bool remains_public(const struct remains *remains, struct blob *ret)
{
    struct reader cipher, public_blob, in, body, fields[10];
    auto_writer struct writer out = { 0 };
    const char *name;

    if (remains->openssh) {
        if (!openssh_open(remains, &cipher, &public_blob, &in))
            return false;
        *ret = blob_copy(public_blob.at, public_blob.left);
        return true;
    }
    if (remains->encrypted)
        return false;
    body = der_body(remains, &name);
    if (!sec1_public(body, name, &out) &&
        !numbers_public(fields, der_fields(remains, fields, ARRAY_SIZE(fields)), &out))
        return false;
    *ret = take_blob(out.bytes);
    return true;
}

/* How many fields of a type stand before the comment. */
static size_t fields_before_comment(const char *name)
{
    if (strcmp(name, "ssh-rsa") == 0)
        return 6;
    if (strcmp(name, "ssh-dss") == 0)
        return 5;
    return text_starts(name, "ecdsa-sha2-") ? 3 : 2;
}

int hostkey_claim(const struct blob *file, struct pubkey *ret)
{
    auto_remains struct remains remains;
    auto_blob struct blob blob = { 0 };
    struct reader fields[10];
    size_t count, at;

    *ret = (struct pubkey){ 0 };
    if (!remains_open(file, &remains) || !remains_public(&remains, &blob) ||
        !pubkey_take_blob(blob.data, blob.len, "", ret))
        return -1;
    if (!remains.openssh)
        return 0;
    count = remains_fields(&remains, fields, ARRAY_SIZE(fields));
    at = fields_before_comment(ret->name);
    if (at < count && !memchr(fields[at].at, 0, fields[at].left)) {
        free(ret->comment);
        ret->comment = reader_text(&fields[at]);
    }
    return 0;
}
