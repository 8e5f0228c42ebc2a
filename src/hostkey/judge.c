/* SPDX-License-Identifier: MIT */
/* Is this file a host key that can serve? */
#include "hostkey/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <openssl/err.h>
#include <string.h>

/* A signature over some bytes that verifies. */
static bool signs(const struct key_type *type, EVP_PKEY *pkey)
{
    static const unsigned char message[] = "sshmend proves a host key";
    unsigned char signature[16384 / 8 + 64];
    size_t len = sizeof signature;
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
    bool ok = sign && verify &&
              EVP_DigestSignInit_ex(sign, NULL, type->hash, NULL, NULL, pkey, NULL) == 1 &&
              EVP_DigestSign(sign, signature, &len, message, sizeof message) == 1 &&
              EVP_DigestVerifyInit_ex(verify, NULL, type->hash, NULL, NULL, pkey, NULL) == 1 &&
              EVP_DigestVerify(verify, signature, len, message, sizeof message) == 1;

    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    ERR_clear_error();
    return ok;
}

bool key_proven(const struct key_type *type, EVP_PKEY *pkey)
{
    bool checked = !type->check || type->check(pkey);

    ERR_clear_error();
    return checked && signs(type, pkey);
}

static bool only_nul(const struct blob *file)
{
    for (size_t i = 0; i < file->len; i++)
        if (file->data[i] != 0)
            return false;
    return true;
}

static void condemn(struct hostkey_judgement *ret, enum hostkey_verdict verdict, const char *why)
{
    ret->verdict = verdict;
    ret->why = why;
}

/* Takes over pkey, and ret->pub for a copy of its own. */
static void judge_pkey(EVP_PKEY *pkey, enum hostkey_format format, struct hostkey_judgement *ret)
{
    const struct key_type *type = key_type_of_pkey(pkey, format);

    if (!type) {
        EVP_PKEY_free(pkey);
        condemn(ret, HOSTKEY_UNKNOWN_TYPE, "a kind of key that is not a host key of SSH");
        return;
    }
    if (!ret->pub.name)
        pubkey_of_pkey(type, pkey, "", &ret->pub);
    if (!key_proven(type, pkey)) {
        EVP_PKEY_free(pkey);
        condemn(ret, HOSTKEY_CORRUPT, "its private part does not belong to its public part");
        return;
    }
    ret->key = xcalloc(1, sizeof *ret->key);
    *ret->key = (struct hostkey){ .type = type, .pkey = pkey, .format = format };
    pubkey_copy(&ret->pub, &ret->key->pub);
    condemn(ret, HOSTKEY_SOUND, "");
}

/* As sshd does it: openssh-key-v1, a key of protocol 1, else whatever libcrypto can read. */
static void judge_as_sshd(const struct blob *file, struct hostkey_judgement *ret)
{
    enum hostkey_format format = HOSTKEY_FORMAT_OPENSSH;
    EVP_PKEY *pkey = NULL;
    enum parse_result result = openssh_parse(file, &pkey, &ret->pub);

    if (result == PARSE_OTHER) {
        format = HOSTKEY_FORMAT_SSH1;
        result = rsa1_parse(file, &pkey, &ret->pub);
    }
    if (result == PARSE_OTHER)
        result = pem_parse(file, &pkey, &format);
    switch (result) {
    case PARSE_OK:
        judge_pkey(pkey, format, ret);
        break;
    case PARSE_ENCRYPTED:
        condemn(ret, HOSTKEY_ENCRYPTED, "it needs a passphrase, and nobody can type one for sshd");
        break;
    case PARSE_UNKNOWN:
        condemn(ret, HOSTKEY_UNKNOWN_TYPE, "a type of key this program does not know");
        break;
    case PARSE_CUT_OFF:
        ret->cut_off = true;
        condemn(ret, HOSTKEY_CORRUPT, "it breaks off");
        break;
    case PARSE_BROKEN:
        condemn(ret, HOSTKEY_CORRUPT, "its content is damaged");
        break;
    case PARSE_OTHER:
        condemn(ret, HOSTKEY_CORRUPT, "its content is not a private key");
        break;
    }
}

/* "-----END RSA PRIVATE KEY-----" and no more. */
static void cut_behind_end(char *line)
{
    char *dashes = strstr(line + strlen("-----END "), "-----");

    if (dashes)
        dashes[strlen("-----")] = '\0';
}

/*
 * The lines from BEGIN to END alone, without what editors, mail and YAML add to
 * them: BOM, CR, indentation, lines before and after. False where there is no
 * such pair of lines.
 */
static bool unwrap_text(const struct blob *file, struct blob *ret)
{
    struct writer out = { 0 };
    auto_blob struct blob copy = { 0 };
    char *line, *rest;

    if (memchr(file->data, 0, file->len))
        return false;
    copy = blob_copy(file->data, file->len);
    rest = strstr((char *)copy.data, "-----BEGIN ");
    while (rest && (line = strsep(&rest, "\n"))) {
        bool last = text_starts(line = text_trim(line), "-----END ");

        if (last)
            cut_behind_end(line);
        if (!*line)
            continue; /* double spaced */
        write_bytes(&out, line, strlen(line));
        write_bytes(&out, "\n", 1);
        if (last) {
            *ret = out.bytes;
            return true;
        }
    }
    writer_free(&out);
    return false;
}

static bool unwrap(const struct blob *file, struct blob *ret)
{
    return unwrap_text(file, ret) || rsa1_unwrap(file, ret);
}

static const char *why_wrapped(const struct blob *file, const struct blob *rewrapped)
{
    if (memchr(file->data, 0, file->len))
        return "its end is cut off, or something stands behind it";
    if (memchr(file->data, '\r', file->len))
        return "its lines end with CR LF";
    if (!text_starts((const char *)file->data, "-----BEGIN "))
        return "something stands in front of its first line";
    if (file->len + 1 == rewrapped->len)
        return "its last line has no newline";
    return "its lines are indented or trailed by blanks";
}

void hostkey_judge(const struct blob *file, struct hostkey_judgement *ret)
{
    auto_blob struct blob rewrapped = { 0 };
    struct hostkey_judgement again = { 0 };

    *ret = (struct hostkey_judgement){ 0 };
    if (only_nul(file)) {
        condemn(ret, HOSTKEY_EMPTY,
                file->len ? "it holds nothing but NUL bytes" : "it has no content");
        return;
    }
    judge_as_sshd(file, ret);
    if (ret->verdict != HOSTKEY_CORRUPT || !unwrap(file, &rewrapped) ||
        blob_equal(file, &rewrapped))
        return;
    judge_as_sshd(&rewrapped, &again);
    if (again.verdict == HOSTKEY_SOUND) {
        again.cut_off = ret->cut_off;
        hostkey_judgement_free(ret);
        *ret = again;
        condemn(ret, HOSTKEY_WRAPPED, why_wrapped(file, &rewrapped));
        ret->rewrapped = take_blob(rewrapped);
        return;
    }
    if (!ret->pub.name)
        pubkey_copy(&again.pub, &ret->pub);
    hostkey_judgement_free(&again);
}

void hostkey_judgement_copy(const struct hostkey_judgement *from, struct hostkey_judgement *ret)
{
    *ret = (struct hostkey_judgement){ .verdict = from->verdict,
                                       .why = from->why,
                                       .cut_off = from->cut_off };
    pubkey_copy(&from->pub, &ret->pub);
    if (from->rewrapped.data)
        ret->rewrapped = blob_copy(from->rewrapped.data, from->rewrapped.len);
    if (!from->key)
        return;
    ret->key = xcalloc(1, sizeof *ret->key);
    *ret->key = (struct hostkey){ .type = from->key->type,
                                  .pkey = from->key->pkey,
                                  .format = from->key->format };
    EVP_PKEY_up_ref(ret->key->pkey);
    pubkey_copy(&from->key->pub, &ret->key->pub);
}

void hostkey_prepare(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

/* Enough for hundreds of keys; libcrypto has to be given it in one piece. */
enum { LOCKED_BYTES = 2 * 1024 * 1024, LOCKED_MIN = 32 };

void hostkey_lock_memory(void)
{
    if (!CRYPTO_secure_malloc_initialized())
        (void)CRYPTO_secure_malloc_init(LOCKED_BYTES, LOCKED_MIN);
}

void hostkey_judgement_free(struct hostkey_judgement *judgement)
{
    hostkey_free(&judgement->key);
    pubkey_free(&judgement->pub);
    blob_free(&judgement->rewrapped);
}

/* ---- making and writing --------------------------------------------------------------- */

int hostkey_generate(const struct key_type *type, int bits, const char *comment,
                     struct hostkey **ret, struct err *e)
{
    auto_hostkey struct hostkey *key = xcalloc(1, sizeof *key);

    key->type = type;
    key->format = type->protocol == 1 ? HOSTKEY_FORMAT_SSH1 : HOSTKEY_FORMAT_OPENSSH;
    if (!type->generate)
        return err_set(e, ERR_UNSUPPORTED, "keys of type %s are not made", type->name);
    key->pkey = type->generate(type, bits ? bits : type->default_bits);
    if (!key->pkey)
        return err_crypto(e, "make a key");
    pubkey_of_pkey(type, key->pkey, comment, &key->pub);
    if (!key_proven(type, key->pkey))
        return err_set(e, ERR_CRYPTO, "a new %s key does not verify its own signature",
                       type->label);
    *ret = take_ptr(key);
    return 0;
}

int hostkey_serialise(const struct hostkey *key, enum hostkey_format format, struct blob *ret,
                      struct err *e)
{
    if (key->type->serialise)
        return key->type->serialise(key, ret, e);
    if (format == HOSTKEY_FORMAT_PEM && key->type != &key_type_ed25519)
        return pem_serialise(key, ret, e);
    return openssh_serialise(key, ret, e);
}

void hostkey_free(struct hostkey **key)
{
    if (!*key)
        return;
    EVP_PKEY_free((*key)->pkey);
    pubkey_free(&(*key)->pub);
    free(*key);
    *key = NULL;
}

const struct key_type *hostkey_type(const struct hostkey *key)
{
    return key->type;
}

const struct pubkey *hostkey_pub(const struct hostkey *key)
{
    return &key->pub;
}

enum hostkey_format hostkey_format(const struct hostkey *key)
{
    return key->format;
}

bool hostkey_format_loads(const struct hostkey *key, int openssh)
{
    if (openssh == 0)
        return true;
    if (key->format == HOSTKEY_FORMAT_OPENSSH)
        return openssh >= OPENSSH(6, 5);
    if (key->type == &key_type_ed25519)
        return openssh >= OPENSSH(9, 6);
    return true;
}
