/* SPDX-License-Identifier: MIT */
/* Public keys: .pub files, fingerprints, known_hosts and SSHFP lines. */
#include "hostkey/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

bool pubkey_take_blob(const void *bytes, size_t len, const char *comment, struct pubkey *ret)
{
    struct reader in = { .at = bytes, .left = len }, name;
    const struct key_type *type;
    auto_free char *text = NULL;

    if (!read_string(&in, &name) || name.left == 0 || name.left > 64)
        return false;
    for (size_t i = 0; i < name.left; i++)
        if (!isgraph(name.at[i]))
            return false;
    text = reader_text(&name);
    type = key_type_named(text);
    if (type && type->protocol == 1)
        return false; /* is never on the wire: the name is one of ours */
    pubkey_free(ret);
    *ret = (struct pubkey){ .name = take_ptr(text),
                            .blob = blob_copy(bytes, len),
                            .comment = xstrdup(comment) };
    return true;
}

EVP_PKEY *pkey_of_blob(const struct blob *blob, const struct key_type **ret_type)
{
    struct reader in = reader_of(blob), name;
    auto_free char *text = NULL;
    EVP_PKEY *pkey;

    if (!read_string(&in, &name))
        return NULL;
    text = reader_text(&name);
    *ret_type = key_type_named(text);
    pkey = *ret_type ? (*ret_type)->read_public(*ret_type, &in) : NULL;
    ERR_clear_error();
    if (pkey && in.left == 0)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

void pubkey_of_pkey(const struct key_type *type, const EVP_PKEY *pkey, const char *comment,
                    struct pubkey *ret)
{
    struct writer out = { 0 };

    write_text(&out, type->name);
    type->write_public(type, pkey, &out);
    pubkey_free(ret);
    *ret = (struct pubkey){ .name = xstrdup(type->name),
                            .blob = out.bytes,
                            .comment = xstrdup(comment) };
}

/* "2048 65537 2817… comment": a key of a type that has a text of its own. */
static bool parse_own_text(char *line, struct pubkey *ret)
{
    const struct key_type *type;
    EVP_PKEY *pkey = pkey_of_text(&line, &type);

    ERR_clear_error();
    if (!pkey)
        return false;
    pubkey_of_pkey(type, pkey, text_trim(line), ret);
    EVP_PKEY_free(pkey);
    return true;
}

/* "type base64 comment"; an unknown type passes where its blob names the same type. */
static int parse_line(char *line, struct pubkey *ret)
{
    char *rest = text_trim(line), *name, *encoded, *comment;
    auto_blob struct blob blob = { 0 };
    const struct key_type *type;
    EVP_PKEY *pkey;

    if (parse_own_text(rest, ret))
        return 0;
    name = strsep(&rest, " \t");
    if (!rest)
        return -1;
    encoded = text_trim(rest);
    comment = encoded + strcspn(encoded, " \t");
    if (!base64_decode(encoded, (size_t)(comment - encoded), &blob) ||
        !pubkey_take_blob(blob.data, blob.len, text_trim(comment), ret))
        return -1;
    pkey = pkey_of_blob(&ret->blob, &type);
    EVP_PKEY_free(pkey);
    if (strcmp(ret->name, name) == 0 && (pkey || !key_type_named(name)))
        return 0;
    pubkey_free(ret);
    return -1;
}

int pubkey_parse(const struct blob *file, struct pubkey *ret)
{
    auto_blob struct blob copy = blob_copy(file->data, file->len);
    char *rest = (char *)copy.data, *line;

    *ret = (struct pubkey){ 0 };
    while ((line = strsep(&rest, "\n"))) {
        line = text_trim(line);
        if (*line && *line != '#')
            return parse_line(line, ret);
    }
    return -1;
}

int pubkey_of_blob(const struct blob *blob, struct pubkey *ret)
{
    *ret = (struct pubkey){ 0 };
    return pubkey_take_blob(blob->data, blob->len, "", ret) ? 0 : -1;
}

int pubkey_copy(const struct pubkey *pub, struct pubkey *ret)
{
    *ret = (struct pubkey){ 0 };
    if (!pub->name)
        return -1;
    ret->name = xstrdup(pub->name);
    ret->comment = xstrdup(pub->comment);
    ret->blob = blob_copy(pub->blob.data, pub->blob.len);
    return 0;
}

void pubkey_free(struct pubkey *pub)
{
    free(pub->name);
    free(pub->comment);
    blob_free(&pub->blob);
    *pub = (struct pubkey){ 0 };
}

const struct key_type *pubkey_type(const struct pubkey *pub)
{
    return key_type_named(pub->name);
}

int pubkey_bits(const struct pubkey *pub)
{
    const struct key_type *type = NULL;
    EVP_PKEY *pkey = pkey_of_blob(&pub->blob, &type);
    int bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;

    EVP_PKEY_free(pkey);
    /* ssh-keygen counts an Ed25519 key as 256 bits, libcrypto as 253. */
    return pkey && type == &key_type_ed25519 ? type->default_bits : bits;
}

const char *pubkey_label(const struct pubkey *pub)
{
    const struct key_type *type = pubkey_type(pub);

    return type ? type->label : pub->name;
}

static size_t digest(const struct blob *bytes, const char *algorithm,
                     unsigned char out[EVP_MAX_MD_SIZE])
{
    size_t len = 0;

    return EVP_Q_digest(NULL, algorithm, NULL, bytes->data, bytes->len, out, &len) ? len : 0;
}

static char *hex_of(const struct blob *bytes, const char *algorithm)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    struct blob digested = { .data = sum, .len = digest(bytes, algorithm, sum) };

    return blob_to_hex(&digested);
}

char *digest_hex(const struct blob *bytes)
{
    return hex_of(bytes, "SHA256");
}

char *pubkey_fingerprint(const struct pubkey *pub)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    const struct key_type *type = pubkey_type(pub);
    EVP_PKEY *pkey = type && type->write_digested ? pkey_of_blob(&pub->blob, &type) : NULL;
    auto_writer struct writer own = { 0 };
    struct blob bytes = { .data = sum };
    auto_free char *text = NULL;

    if (pkey)
        type->write_digested(pkey, &own);
    EVP_PKEY_free(pkey);
    bytes.len = digest(pkey ? &own.bytes : &pub->blob, "SHA256", sum);
    text = base64_encode(&bytes, 0);

    text[strcspn(text, "=")] = '\0';
    return xasprintf("SHA256:%s", text);
}

/* The key as .pub files and known_hosts have it. */
static char *key_text(const struct pubkey *pub)
{
    const struct key_type *type = pubkey_type(pub);
    EVP_PKEY *pkey = type && type->write_text ? pkey_of_blob(&pub->blob, &type) : NULL;
    char *text = pkey ? type->write_text(pkey) : NULL;

    EVP_PKEY_free(pkey);
    if (!text) {
        auto_free char *encoded = base64_encode(&pub->blob, 0);

        text = xasprintf("%s %s", pub->name, encoded);
    }
    return text;
}

char *pubkey_file_text(const struct pubkey *pub)
{
    auto_free char *text = key_text(pub);

    return xasprintf("%s%s%s\n", text, *pub->comment ? " " : "", pub->comment);
}

char *pubkey_known_hosts(const struct pubkey *pub, const char *hosts)
{
    auto_free char *text = key_text(pub);

    return xasprintf("%s %s\n", hosts, text);
}

char *pubkey_sshfp(const struct pubkey *pub, const char *host)
{
    const struct key_type *type = pubkey_type(pub);
    auto_free char *sha1 = hex_of(&pub->blob, "SHA1"), *sha256 = hex_of(&pub->blob, "SHA256");

    if (!type || !type->sshfp)
        return xstrdup("");
    return xasprintf("%s IN SSHFP %d 1 %s\n%s IN SSHFP %d 2 %s\n", host, type->sshfp, sha1, host,
                     type->sshfp, sha256);
}
