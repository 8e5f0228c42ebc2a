/* SPDX-License-Identifier: MIT */
/*
 * openssh-key-v1 (PROTOCOL.key), read as strictly as sshd reads it: the first
 * byte of the file begins the first line, lines end with LF alone, the last line
 * has its newline; what follows is ignored.
 */
#include "hostkey/private.h"

#include "base/alloc.h"

#include <openssl/rand.h>
#include <string.h>

#define MARK_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define MARK_END "-----END OPENSSH PRIVATE KEY-----\n"
static const char magic[] = "openssh-key-v1"; /* with its NUL */

/* The cipher "none" has a block of eight bytes (cipher.c); so ssh-keygen pads. */
enum { PAD_BLOCK = 8, COLUMNS = 70 };

struct envelope {
    struct reader cipher;
    struct reader kdf;
    struct reader public_blob;
    struct reader private_section;
};

/* The base64 between the two marks; false where the marks are not as sshd wants them. */
static bool armour_open(const struct blob *file, struct blob *ret)
{
    const char *text = (const char *)file->data, *end;
    size_t begin = sizeof MARK_BEGIN - 1;

    if (file->len < begin || memcmp(text, MARK_BEGIN, begin) != 0)
        return false;
    end = memmem(text + begin - 1, file->len - begin + 1, "\n" MARK_END, sizeof MARK_END);
    if (!end)
        return false;
    return base64_decode(text + begin, (size_t)(end + 1 - (text + begin)), ret);
}

static bool envelope_open(const struct blob *bytes, struct envelope *ret)
{
    struct reader in = reader_of(bytes), kdf_options;
    uint32_t keys;

    return read_skip(&in, magic, sizeof magic) && read_string(&in, &ret->cipher) &&
           read_string(&in, &ret->kdf) && read_string(&in, &kdf_options) && read_u32(&in, &keys) &&
           keys == 1 && read_string(&in, &ret->public_blob) &&
           read_string(&in, &ret->private_section) && in.left == 0;
}

/* The ciphers that ssh-keygen has ever written; anything else there is damage. */
static bool known_cipher(const struct reader *cipher)
{
    static const char *const names[] = {
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
        "aes256-cbc",
        "aes192-cbc",
        "aes128-cbc",
        "3des-cbc",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (reader_is(cipher, names[i]))
            return true;
    return false;
}

static bool padding_sound(const struct reader *pad)
{
    for (size_t i = 0; i < pad->left; i++)
        if (pad->at[i] != (unsigned char)(i + 1))
            return false;
    return true;
}

/* check, check, type, fields, comment, padding. */
static EVP_PKEY *private_open(const struct key_type *type, struct reader in, char **ret_comment)
{
    uint32_t check[2];
    struct reader name, comment;
    EVP_PKEY *pkey;

    if (in.left % PAD_BLOCK != 0 || !read_u32(&in, &check[0]) || !read_u32(&in, &check[1]) ||
        check[0] != check[1] || !read_string(&in, &name) || !reader_is(&name, type->name))
        return NULL;
    pkey = type->read_private(type, &in);
    if (pkey && read_string(&in, &comment) && !memchr(comment.at, 0, comment.left) &&
        padding_sound(&in)) {
        *ret_comment = reader_text(&comment);
        return pkey;
    }
    EVP_PKEY_free(pkey);
    return NULL;
}

/* A type we do not know is named twice; where the names differ, it is damage to one we may know. */
static bool named_twice(const struct envelope *envelope, const char *name)
{
    struct reader in = envelope->private_section, inner;
    uint32_t check[2];

    return read_u32(&in, &check[0]) && read_u32(&in, &check[1]) && check[0] == check[1] &&
           read_string(&in, &inner) && reader_is(&inner, name);
}

/* The public part in the envelope is the private key's own. */
static bool same_public(const EVP_PKEY *pkey, const struct pubkey *pub)
{
    struct pubkey own = { 0 };
    bool same;

    pubkey_of_pkey(pubkey_type(pub), pkey, "", &own);
    same = blob_equal(&own.blob, &pub->blob);
    pubkey_free(&own);
    return same;
}

enum parse_result openssh_parse(const struct blob *file, EVP_PKEY **ret_pkey,
                                struct pubkey *ret_pub)
{
    auto_blob struct blob bytes = { 0 };
    struct envelope envelope;
    const struct key_type *type;
    char *comment = NULL;
    EVP_PKEY *pkey;

    if (!armour_open(file, &bytes))
        return PARSE_OTHER;
    if (!envelope_open(&bytes, &envelope) ||
        !pubkey_take_blob(envelope.public_blob.at, envelope.public_blob.left, "", ret_pub))
        return PARSE_BROKEN;
    if (reader_is(&envelope.kdf, "bcrypt") && known_cipher(&envelope.cipher))
        return PARSE_ENCRYPTED;
    if (!reader_is(&envelope.cipher, "none") || !reader_is(&envelope.kdf, "none"))
        return PARSE_BROKEN;
    type = pubkey_type(ret_pub);
    if (!type)
        return named_twice(&envelope, ret_pub->name) ? PARSE_UNKNOWN : PARSE_BROKEN;
    pkey = private_open(type, envelope.private_section, &comment);
    if (!pkey)
        return PARSE_BROKEN;
    free(ret_pub->comment);
    ret_pub->comment = comment;
    if (!same_public(pkey, ret_pub)) {
        EVP_PKEY_free(pkey);
        return PARSE_BROKEN;
    }
    *ret_pkey = pkey;
    return PARSE_OK;
}

static int private_section(const struct hostkey *key, struct writer *out, struct err *e)
{
    uint32_t check;

    if (RAND_bytes((unsigned char *)&check, sizeof check) != 1)
        return err_crypto(e, "random numbers");
    write_u32(out, check);
    write_u32(out, check);
    write_text(out, key->type->name);
    key->type->write_private(key->type, key->pkey, out);
    write_text(out, key->pub.comment);
    for (unsigned char pad = 1; out->bytes.len % PAD_BLOCK != 0; pad++)
        write_bytes(out, &pad, 1);
    return 0;
}

int openssh_serialise(const struct hostkey *key, struct blob *ret, struct err *e)
{
    auto_writer struct writer section = { 0 }, out = { 0 };
    auto_with(text_wipe) char *armour = NULL;
    struct writer text = { 0 };

    if (private_section(key, &section, e) < 0)
        return -1;
    write_bytes(&out, magic, sizeof magic);
    write_text(&out, "none");
    write_text(&out, "none");
    write_text(&out, "");
    write_u32(&out, 1);
    write_string(&out, key->pub.blob.data, key->pub.blob.len);
    write_string(&out, section.bytes.data, section.bytes.len);
    armour = base64_encode(&out.bytes, COLUMNS);
    write_bytes(&text, MARK_BEGIN, sizeof MARK_BEGIN - 1);
    write_bytes(&text, armour, strlen(armour));
    write_bytes(&text, MARK_END, sizeof MARK_END - 1);
    *ret = text.bytes;
    return 0;
}
