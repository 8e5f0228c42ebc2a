/* SPDX-License-Identifier: MIT */
/* Key files as ssh-keygen writes them, and what is left of them after damage. */
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"
#include "hostkey/hostkey.h"
#include "hostkey/wire.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *form; /* tests/unit/keys/NAME.FORM */
    const char *type, *label;
    enum hostkey_format format;
} files[] = {
    { "rsa", "v1", "ssh-rsa", "RSA", HOSTKEY_FORMAT_OPENSSH },
    { "rsa", "pem", "ssh-rsa", "RSA", HOSTKEY_FORMAT_PEM },
    { "rsa", "pkcs8", "ssh-rsa", "RSA", HOSTKEY_FORMAT_PKCS8 },
    { "rsa1024", "v1", "ssh-rsa", "RSA", HOSTKEY_FORMAT_OPENSSH },
    { "rsa1024", "pem", "ssh-rsa", "RSA", HOSTKEY_FORMAT_PEM },
    { "rsa1024", "pkcs8", "ssh-rsa", "RSA", HOSTKEY_FORMAT_PKCS8 },
    { "ecdsa256", "v1", "ecdsa-sha2-nistp256", "ECDSA", HOSTKEY_FORMAT_OPENSSH },
    { "ecdsa256", "pem", "ecdsa-sha2-nistp256", "ECDSA", HOSTKEY_FORMAT_PEM },
    { "ecdsa256", "pkcs8", "ecdsa-sha2-nistp256", "ECDSA", HOSTKEY_FORMAT_PKCS8 },
    { "ecdsa384", "v1", "ecdsa-sha2-nistp384", "ECDSA", HOSTKEY_FORMAT_OPENSSH },
    { "ecdsa384", "pem", "ecdsa-sha2-nistp384", "ECDSA", HOSTKEY_FORMAT_PEM },
    { "ecdsa384", "pkcs8", "ecdsa-sha2-nistp384", "ECDSA", HOSTKEY_FORMAT_PKCS8 },
    { "ecdsa521", "v1", "ecdsa-sha2-nistp521", "ECDSA", HOSTKEY_FORMAT_OPENSSH },
    { "ecdsa521", "pem", "ecdsa-sha2-nistp521", "ECDSA", HOSTKEY_FORMAT_PEM },
    { "ecdsa521", "pkcs8", "ecdsa-sha2-nistp521", "ECDSA", HOSTKEY_FORMAT_PKCS8 },
    { "ed25519", "v1", "ssh-ed25519", "ED25519", HOSTKEY_FORMAT_OPENSSH },
    { "ed25519-openssl", "pkcs8", "ssh-ed25519", "ED25519", HOSTKEY_FORMAT_PKCS8 },
    { "dsa", "v1", "ssh-dss", "DSA", HOSTKEY_FORMAT_OPENSSH },
    { "dsa", "pem", "ssh-dss", "DSA", HOSTKEY_FORMAT_PEM },
    { "dsa", "pkcs8", "ssh-dss", "DSA", HOSTKEY_FORMAT_PKCS8 },
};

static struct blob key_bytes(int row)
{
    return file_bytes(KEYS_DIR "/%s.%s", files[row].name, files[row].form);
}

/* The public key that ssh-keygen wrote beside a key. */
static struct pubkey pub_of(const char *name)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s.pub", name);
    struct pubkey pub;

    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    return pub;
}

/* What ssh-keygen -l said when the keys were made. */
static void known_fingerprint(const char *name, int *ret_bits, char ret_text[128])
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/FINGERPRINTS");
    char *rest = (char *)text.data, *line, found[64];

    while ((line = strsep(&rest, "\n")))
        if (sscanf(line, "%63s %d %127s", found, ret_bits, ret_text) == 3 &&
            strcmp(found, name) == 0)
            return;
    ck_abort_msg("no fingerprint of %s", name);
}

/* ---- sound keys -------------------------------------------------------------------------- */

START_TEST(sound)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = key_bytes(_i);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name);
    auto_free char *fingerprint = NULL;
    char expected[128];
    int bits;

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    ck_assert_str_eq(judged.why, "");
    ck_assert_ptr_nonnull(judged.key);
    ck_assert_ptr_null(judged.rewrapped.data);
    ck_assert_str_eq(key_type_name(hostkey_type(judged.key)), files[_i].type);
    ck_assert_str_eq(pubkey_label(&judged.pub), files[_i].label);
    ck_assert_int_eq(hostkey_format(judged.key), files[_i].format);
    ck_assert(blob_equal(&judged.pub.blob, &pub.blob));
    known_fingerprint(files[_i].name, &bits, expected);
    fingerprint = pubkey_fingerprint(&judged.pub);
    ck_assert_str_eq(fingerprint, expected);
    ck_assert_int_eq(pubkey_bits(&judged.pub), bits);
    if (files[_i].format == HOSTKEY_FORMAT_OPENSSH)
        ck_assert_str_eq(judged.pub.comment, "a key for tests");
}
END_TEST

/* Shorter than ssh-keygen reads; sshd before 7.6 serves it. */
START_TEST(short_rsa)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/rsa768.pem");

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    ck_assert_int_eq(pubkey_bits(&judged.pub), 768);
}
END_TEST

static const char *const encrypted_files[] = { "rsa.v1.encrypted",  "ed25519.v1.encrypted",
                                               "rsa.pem.encrypted", "ecdsa256.pem.encrypted",
                                               "dsa.pem.encrypted", "ecdsa256.pkcs8.encrypted" };

START_TEST(encrypted)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", encrypted_files[_i]);

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_ENCRYPTED);
    ck_assert_ptr_null(judged.key);
    /* Only openssh-key-v1 tells the public part without the passphrase. */
    if (strstr(encrypted_files[_i], ".v1.")) {
        auto_free char *name = xstrndup(encrypted_files[_i], strcspn(encrypted_files[_i], "."));
        auto_pubkey struct pubkey pub = pub_of(name);

        ck_assert(blob_equal(&judged.pub.blob, &pub.blob));
    } else {
        ck_assert_ptr_null(judged.pub.name);
    }
}
END_TEST

/* ---- nothing, and not a key --------------------------------------------------------------- */

static const struct {
    const char *bytes;
    size_t len;
    enum hostkey_verdict verdict;
} contents[] = {
    { "", 0, HOSTKEY_EMPTY },
    { "\0", 1, HOSTKEY_EMPTY },
    { "\0\0\0\0\0\0\0\0", 8, HOSTKEY_EMPTY },
    { "\n", 1, HOSTKEY_CORRUPT },
    { "\0\0\0x", 4, HOSTKEY_CORRUPT },
    { "ssh-rsa AAAA\n", 13, HOSTKEY_CORRUPT },
    { "-----BEGIN OPENSSH PRIVATE KEY-----\n", 36, HOSTKEY_CORRUPT },
    { "-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n", 70,
      HOSTKEY_CORRUPT },
    { "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n", 62, HOSTKEY_CORRUPT },
    { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 59, HOSTKEY_CORRUPT },
    { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 59, HOSTKEY_CORRUPT },
    { "SSH PRIVATE KEY FILE FORMAT 1.1\n\0", 33, HOSTKEY_CORRUPT },
    { "\x7f"
      "ELF\2\1\1",
      7, HOSTKEY_CORRUPT },
};

START_TEST(not_a_key)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = blob_copy(contents[_i].bytes, contents[_i].len);

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, contents[_i].verdict);
    ck_assert_ptr_null(judged.key);
    ck_assert_str_ne(judged.why, "");
}
END_TEST

/* ---- badly wrapped ----------------------------------------------------------------------- */

static void add(struct writer *out, const char *text)
{
    write_bytes(out, text, strlen(text));
}

/* Every line with something before and after it. */
static void each_line(const struct blob *file, const char *before, const char *after,
                      struct writer *out)
{
    auto_free char *text = xstrndup((char *)file->data, file->len);
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) && (*line || rest)) {
        add(out, before);
        add(out, line);
        add(out, after);
    }
}

static void crlf(const struct blob *file, struct writer *out)
{
    each_line(file, "", "\r\n", out);
}

static void indented(const struct blob *file, struct writer *out)
{
    each_line(file, "    ", "\n", out);
}

static void trailing_blanks(const struct blob *file, struct writer *out)
{
    each_line(file, "", " \n", out);
}

static void double_spaced(const struct blob *file, struct writer *out)
{
    each_line(file, "", "\n\n", out);
}

static void no_final_newline(const struct blob *file, struct writer *out)
{
    write_bytes(out, file->data, file->len - 1);
}

static void blank_line_first(const struct blob *file, struct writer *out)
{
    add(out, "\n");
    write_bytes(out, file->data, file->len);
}

static void byte_order_mark(const struct blob *file, struct writer *out)
{
    add(out, "\xef\xbb\xbf");
    write_bytes(out, file->data, file->len);
}

static void junk_first(const struct blob *file, struct writer *out)
{
    add(out, "the key of the old host:\n");
    write_bytes(out, file->data, file->len);
}

static void junk_last(const struct blob *file, struct writer *out)
{
    write_bytes(out, file->data, file->len);
    add(out, "that was it\n");
}

static void junk_after_no_newline(const struct blob *file, struct writer *out)
{
    write_bytes(out, file->data, file->len - 1);
    add(out, "  # backup\n");
}

static void blank_line_last(const struct blob *file, struct writer *out)
{
    write_bytes(out, file->data, file->len);
    add(out, "\n");
}

static void crlf_and_mark(const struct blob *file, struct writer *out)
{
    add(out, "\xef\xbb\xbf");
    each_line(file, "", "\r\n", out);
}

/* What a file system leaves of a block that was not written to its end. */
static void padded_with_nul(const struct blob *file, struct writer *out)
{
    static const char nothing[512];

    write_bytes(out, file->data, file->len);
    write_bytes(out, nothing, sizeof nothing);
}

static const struct wrapping {
    const char *name;
    void (*wrap)(const struct blob *file, struct writer *out);
} wrappings[] = {
    { "crlf", crlf },
    { "indented", indented },
    { "trailing blanks", trailing_blanks },
    { "no final newline", no_final_newline },
    { "blank line first", blank_line_first },
    { "byte order mark", byte_order_mark },
    { "junk first", junk_first },
    { "junk last", junk_last },
    { "blank line last", blank_line_last },
    { "crlf and mark", crlf_and_mark },
    { "padded with nul", padded_with_nul },
    { "double spaced", double_spaced },
    { "junk behind the last line", junk_after_no_newline },
};

/* What was made of a badly wrapped key is the same key, and ssh-keygen reads it. */
static void check_rewrapped(const struct hostkey_judgement *judged, const char *name)
{
    auto_blob struct blob line = { 0 }, pub = file_bytes(KEYS_DIR "/%s.pub", name);
    auto_with(hostkey_judgement_free) struct hostkey_judgement again;

    ck_assert(keygen_reads(&judged->rewrapped, &line));
    cut_comment(&line);
    cut_comment(&pub);
    ck_assert_str_eq((char *)line.data, (char *)pub.data);
    hostkey_judge(&judged->rewrapped, &again);
    ck_assert_int_eq(again.verdict, HOSTKEY_SOUND);
}

/* ssh-keygen reads a key exactly as sshd does: what it refuses, sshd refuses. */
START_TEST(wrapped)
{
    auto_blob struct blob bytes = key_bytes(_i);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name);
    bool oracle =
        files[_i].format != HOSTKEY_FORMAT_PKCS8 || strcmp(files[_i].type, "ssh-ed25519") != 0;

    for (size_t i = 0; oracle && i < ARRAY_SIZE(wrappings); i++) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        auto_writer struct writer out = { 0 };
        bool reads;

        wrappings[i].wrap(&bytes, &out);
        reads = keygen_reads(&out.bytes, NULL);
        hostkey_judge(&out.bytes, &judged);
        ck_assert_msg(judged.verdict == (reads ? HOSTKEY_SOUND : HOSTKEY_WRAPPED),
                      "%s.%s, %s: verdict %d, ssh-keygen %s it", files[_i].name, files[_i].form,
                      wrappings[i].name, judged.verdict, reads ? "reads" : "refuses");
        ck_assert(blob_equal(&judged.pub.blob, &pub.blob));
        ck_assert_ptr_nonnull(judged.key);
        if (!reads) {
            ck_assert_str_ne(judged.why, "");
            check_rewrapped(&judged, files[_i].name);
        }
    }
}
END_TEST

/* The forms that openssh-key-v1 is known to be strict about, so that the oracle is no echo. */
START_TEST(wrapped_is_refused)
{
    static const size_t strict[] = { 0, 1, 3, 4, 5, 6 };
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/ed25519.v1");
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_writer struct writer out = { 0 };

    wrappings[strict[_i]].wrap(&bytes, &out);
    hostkey_judge(&out.bytes, &judged);
    ck_assert_msg(judged.verdict == HOSTKEY_WRAPPED, "%s", wrappings[strict[_i]].name);
}
END_TEST

/* ---- inside openssh-key-v1 ------------------------------------------------------------------- */

/* The bytes between the marks of an openssh-key-v1 file, and back. */
static struct blob dearmour(const struct blob *file)
{
    auto_free char *text = xstrndup((char *)file->data, file->len);
    char *start = strchr(text, '\n') + 1, *end = strstr(text, "-----END");
    struct blob bytes;

    ck_assert(base64_decode(start, (size_t)(end - start), &bytes));
    return bytes;
}

static struct blob armour(const struct blob *bytes)
{
    auto_free char *text = base64_encode(bytes, 70);
    struct writer out = { 0 };

    add(&out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    add(&out, text);
    add(&out, "-----END OPENSSH PRIVATE KEY-----\n");
    return out.bytes;
}

/* Where a field of the private section is. */
static struct reader field_of(const struct blob *bytes, int field)
{
    struct reader in = reader_of(bytes), section, part = { 0 };
    uint32_t number;

    ck_assert(read_skip(&in, "openssh-key-v1", 15));
    for (int i = 0; i < 3; i++)
        ck_assert(read_string(&in, &part));
    ck_assert(read_u32(&in, &number) && read_string(&in, &part) && read_string(&in, &section));
    ck_assert(read_u32(&section, &number) && read_u32(&section, &number));
    for (int i = -1; i <= field; i++)
        ck_assert(read_string(&section, &part));
    return part;
}

/* All numbers of a key, public and private, as openssh-key-v1 has them. */
static struct blob numbers_of(const struct hostkey *key)
{
    static const struct {
        const char *type;
        int last;
    } fields[] = { { "ssh-rsa", 5 },
                   { "ecdsa-sha2-nistp256", 2 },
                   { "ecdsa-sha2-nistp384", 2 },
                   { "ecdsa-sha2-nistp521", 2 },
                   { "ssh-ed25519", 1 },
                   { "ssh-dss", 4 } };
    auto_blob struct blob text = { 0 }, bytes = { 0 };
    struct reader first, last = { 0 };
    struct err e;

    ck_assert_int_eq(hostkey_serialise(key, HOSTKEY_FORMAT_OPENSSH, &text, &e), 0);
    bytes = dearmour(&text);
    first = field_of(&bytes, 0);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strcmp(fields[i].type, key_type_name(hostkey_type(key))) == 0)
            last = field_of(&bytes, fields[i].last);
    ck_assert_ptr_nonnull(last.at);
    return blob_copy(first.at, (size_t)(last.at + last.left - first.at));
}

/* ---- damage ------------------------------------------------------------------------------- */

static const char *const damaged_files[] = { "rsa1024.v1",   "rsa1024.pem", "ecdsa256.v1",
                                             "ecdsa256.pem", "ecdsa521.v1", "ed25519.v1",
                                             "dsa.v1" };

/* Whatever is judged sound after damage is the very same key, and sshd reads it as well. */
static const char *why_wrong(const struct hostkey_judgement *judged, const struct blob *file,
                             const struct hostkey *original)
{
    auto_blob struct blob expected = { 0 }, is = { 0 };
    bool usable = judged->verdict == HOSTKEY_SOUND || judged->verdict == HOSTKEY_WRAPPED;

    if (usable != (judged->key != NULL))
        return "verdict and key do not go together";
    if (!usable)
        return NULL;
    if (!blob_equal(&judged->pub.blob, &hostkey_pub(original)->blob))
        return "another public key";
    expected = numbers_of(original);
    is = numbers_of(judged->key);
    if (!blob_equal(&expected, &is))
        return "other private numbers";
    if (judged->verdict == HOSTKEY_SOUND && !keygen_reads(file, NULL))
        return "sound, but ssh-keygen refuses it";
    return NULL;
}

static bool judge_damaged(const struct blob *file, const struct hostkey *original, const char *name,
                          size_t where)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    const char *wrong;

    hostkey_judge(file, &judged);
    wrong = why_wrong(&judged, file, original);
    if (wrong)
        fprintf(stderr, "%s, %zu: %s\n", name, where, wrong);
    return !wrong;
}

START_TEST(flipped_bits)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement original;
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", damaged_files[_i]);
    size_t wrong = 0;

    hostkey_judge(&bytes, &original);
    ck_assert_int_eq(original.verdict, HOSTKEY_SOUND);
    /* Two or three of each byte, and over three bytes all eight: one by one it takes a minute. */
    for (size_t bit = 0; bit < 8 * bytes.len; bit += 3) {
        bytes.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        wrong += !judge_damaged(&bytes, original.key, damaged_files[_i], bit);
        bytes.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    ck_assert_msg(wrong == 0, "%s: %zu of %zu bits", damaged_files[_i], wrong, 8 * bytes.len / 3);
}
END_TEST

/* No part of a file passes for the whole of it, but for the newline at its end. */
START_TEST(truncated)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement original;
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", damaged_files[_i]);

    hostkey_judge(&bytes, &original);
    for (size_t len = 0; len < bytes.len; len++) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        auto_blob struct blob part = blob_copy(bytes.data, len);

        hostkey_judge(&part, &judged);
        if (len == 0)
            ck_assert_int_eq(judged.verdict, HOSTKEY_EMPTY);
        else if (len < bytes.len - 1)
            ck_assert_msg(judged.verdict == HOSTKEY_CORRUPT, "%zu bytes: %d", len, judged.verdict);
        ck_assert(judge_damaged(&part, original.key, damaged_files[_i], len));
    }
}
END_TEST

/* ---- private numbers that do not belong to the public ones ---------------------------------- */

static const struct {
    const char *name;
    int field; /* of the private section, behind the type's name */
} scalars[] = {
    { "rsa", 2 }, /* d */
    { "rsa", 3 }, /* the inverse of q */
    { "rsa", 4 }, /* p */
    { "rsa", 5 }, /* q */
    { "ecdsa256", 2 }, { "ecdsa384", 2 },
    { "ecdsa521", 2 }, { "ed25519", 1 }, /* the seed, and the public half once more */
    { "dsa", 4 },
};

/* sshd loads these and cannot sign with them; its clients are let down. */
START_TEST(scalar_damaged)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.v1", scalars[_i].name);
    auto_blob struct blob pub = file_bytes(KEYS_DIR "/%s.pub", scalars[_i].name);
    auto_blob struct blob bytes = dearmour(&file);
    struct reader scalar = field_of(&bytes, scalars[_i].field);
    int read = 0;

    cut_comment(&pub);
    for (size_t bit = 8 * scalar.left - 9; bit > 8; bit -= bit > 60 ? 53 : bit) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        auto_blob struct blob damaged = { 0 }, line = { 0 };
        unsigned char *byte = bytes.data + (scalar.at - bytes.data) + bit / 8;

        *byte ^= (unsigned char)(1u << bit % 8);
        damaged = armour(&bytes);
        *byte ^= (unsigned char)(1u << bit % 8);
        hostkey_judge(&damaged, &judged);
        ck_assert_msg(judged.verdict == HOSTKEY_CORRUPT, "%s, bit %zu", scalars[_i].name, bit);
        ck_assert_ptr_null(judged.key);
        if (keygen_reads(&damaged, &line)) {
            read++;
            cut_comment(&line);
            ck_assert_str_eq((char *)line.data, (char *)pub.data);
        }
    }
    ck_assert_msg(read > 0, "ssh-keygen refuses all of them: this proves nothing");
}
END_TEST

/* ---- other types --------------------------------------------------------------------------- */

static struct blob envelope(const char *outer_type, const char *inner_type)
{
    auto_writer struct writer pub = { 0 }, section = { 0 }, all = { 0 };

    write_text(&pub, outer_type);
    write_text(&pub, "public numbers");
    write_u32(&section, 0x01020304);
    write_u32(&section, 0x01020304);
    write_text(&section, inner_type);
    write_text(&section, "private numbers");
    write_text(&section, "comment");
    for (unsigned char pad = 1; section.bytes.len % 8; pad++)
        write_bytes(&section, &pad, 1);
    write_bytes(&all, "openssh-key-v1", 15);
    write_text(&all, "none");
    write_text(&all, "none");
    write_text(&all, "");
    write_u32(&all, 1);
    write_string(&all, pub.bytes.data, pub.bytes.len);
    write_string(&all, section.bytes.data, section.bytes.len);
    return armour(&all.bytes);
}

START_TEST(unknown_type)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob file = envelope("ssh-new-kind@example.org", "ssh-new-kind@example.org");

    hostkey_judge(&file, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_UNKNOWN_TYPE);
    ck_assert_ptr_null(judged.key);
    ck_assert_str_eq(judged.pub.name, "ssh-new-kind@example.org");
    ck_assert_ptr_null(pubkey_type(&judged.pub));
    ck_assert_int_eq(pubkey_bits(&judged.pub), 0);
    ck_assert_str_eq(pubkey_label(&judged.pub), "ssh-new-kind@example.org");
}
END_TEST

/* One bit in the type's name does not make a new type: the private section has it once more. */
START_TEST(two_types_in_one)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob file = envelope("ssh-rsb", "ssh-rsa");

    hostkey_judge(&file, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_CORRUPT);
}
END_TEST

static const struct {
    const char *type;
    int openssh;
    bool loads;
} loads[] = {
    { "ssh-rsa", 0, true },
    { "ssh-rsa", OPENSSH(5, 3), true },
    { "ssh-rsa", OPENSSH(10, 5), true },
    { "ssh-dss", 0, true },
    { "ssh-dss", OPENSSH(5, 3), true },
    { "ssh-dss", OPENSSH(9, 7), true },
    { "ssh-dss", OPENSSH(9, 8), false },
    { "ssh-dss", OPENSSH(10, 2), false },
    { "ecdsa-sha2-nistp256", OPENSSH(5, 6), false },
    { "ecdsa-sha2-nistp256", OPENSSH(5, 7), true },
    { "ecdsa-sha2-nistp384", OPENSSH(5, 6), false },
    { "ecdsa-sha2-nistp521", OPENSSH(9, 2), true },
    { "ssh-ed25519", OPENSSH(6, 4), false },
    { "ssh-ed25519", OPENSSH(6, 5), true },
    { "ssh-ed25519", 0, true },
    { "rsa1", OPENSSH(4, 3), true },
    { "rsa1", OPENSSH(7, 3), true },
    { "rsa1", OPENSSH(7, 4), false },
};

START_TEST(type_loads)
{
    const struct key_type *type = key_type_named(loads[_i].type);

    ck_assert_ptr_nonnull(type);
    ck_assert_int_eq(key_type_loads(type, loads[_i].openssh), loads[_i].loads);
}
END_TEST

static const struct {
    const char *file;
    int openssh;
    bool loads;
} formats[] = {
    { "rsa.v1", 0, true },
    { "rsa.v1", OPENSSH(5, 3), false },
    { "rsa.v1", OPENSSH(6, 4), false },
    { "rsa.v1", OPENSSH(6, 5), true },
    { "rsa.pem", OPENSSH(5, 3), true },
    { "rsa.pkcs8", OPENSSH(5, 3), true },
    { "ecdsa256.pkcs8", OPENSSH(7, 4), true },
    { "ed25519.v1", OPENSSH(9, 2), true },
    { "ed25519-openssl.pkcs8", OPENSSH(9, 5), false },
    { "ed25519-openssl.pkcs8", OPENSSH(9, 6), true },
    { "ed25519-openssl.pkcs8", 0, true },
};

START_TEST(format_loads)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", formats[_i].file);

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    ck_assert_int_eq(hostkey_format_loads(judged.key, formats[_i].openssh), formats[_i].loads);
}
END_TEST

START_TEST(type_of_file)
{
    ck_assert_ptr_eq(key_type_of_file("ssh_host_rsa_key"), key_type_named("ssh-rsa"));
    ck_assert_ptr_eq(key_type_of_file("ssh_host_dsa_key"), key_type_named("ssh-dss"));
    ck_assert_ptr_eq(key_type_of_file("ssh_host_ed25519_key"), key_type_named("ssh-ed25519"));
    ck_assert_ptr_eq(key_type_of_file("ssh_host_ecdsa_key"), key_type_named("ecdsa-sha2-nistp256"));
    ck_assert_ptr_eq(key_type_of_file("ssh_host_key"), key_type_named("rsa1"));
    ck_assert_ptr_null(key_type_of_file("ssh_host_rsa_key.bak"));
    ck_assert_ptr_null(key_type_named("ssh-rsa-cert-v01@openssh.com"));
}
END_TEST

/* ---- making ---------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    int bits, expected_bits;
} made[] = {
    { "ssh-rsa", 2048, 2048 },
    { "ssh-rsa", 0, 3072 },
    { "ecdsa-sha2-nistp256", 0, 256 },
    { "ecdsa-sha2-nistp384", 0, 384 },
    { "ecdsa-sha2-nistp521", 0, 521 },
    { "ssh-ed25519", 0, 256 },
    { "ssh-dss", 0, 1024 },
};

/* Written in a format, it is sound, and ssh-keygen finds the same public key in it. */
static void check_written(const struct hostkey *key, enum hostkey_format format)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob text = { 0 }, line = { 0 }, expected = { 0 };
    auto_free char *pub = pubkey_file_text(hostkey_pub(key));
    struct err e;

    ck_assert_int_eq(hostkey_serialise(key, format, &text, &e), 0);
    hostkey_judge(&text, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    ck_assert(blob_equal(&judged.pub.blob, &hostkey_pub(key)->blob));
    ck_assert(keygen_reads(&text, &line));
    expected = blob_of_text(pub);
    cut_comment(&expected);
    cut_comment(&line);
    ck_assert_str_eq((char *)line.data, (char *)expected.data);
}

START_TEST(generated)
{
    auto_hostkey struct hostkey *key = NULL, *other = NULL;
    const struct key_type *type = key_type_named(made[_i].type);
    auto_blob struct blob text = { 0 };
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    struct err e;

    ck_assert(key_type_can_generate(type));
    ck_assert_int_eq(hostkey_generate(type, made[_i].bits, "root@host", &key, &e), 0);
    ck_assert_int_eq(pubkey_bits(hostkey_pub(key)), made[_i].expected_bits);
    ck_assert_str_eq(hostkey_pub(key)->comment, "root@host");
    check_written(key, HOSTKEY_FORMAT_OPENSSH);
    check_written(key, HOSTKEY_FORMAT_PEM);
    ck_assert_int_eq(hostkey_serialise(key, HOSTKEY_FORMAT_OPENSSH, &text, &e), 0);
    hostkey_judge(&text, &judged);
    ck_assert_str_eq(judged.pub.comment, "root@host");
    ck_assert_int_eq(hostkey_generate(type, made[_i].bits, "", &other, &e), 0);
    ck_assert(!blob_equal(&hostkey_pub(key)->blob, &hostkey_pub(other)->blob));
}
END_TEST

/* Read in one format, written in the other. */
START_TEST(converted)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = key_bytes(_i);

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    check_written(judged.key, HOSTKEY_FORMAT_OPENSSH);
    check_written(judged.key, HOSTKEY_FORMAT_PEM);
}
END_TEST

Suite *suite_hostkey_judge(void)
{
    Suite *suite = suite_create("hostkey: judge");
    TCase *tcase = tcase_create("private");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 600);
    ADD_TABLE(tcase, sound, files);
    ADD(tcase, short_rsa);
    ADD_TABLE(tcase, encrypted, encrypted_files);
    ADD_TABLE(tcase, not_a_key, contents);
    ADD_TABLE(tcase, wrapped, files);
    tcase_add_loop_test(tcase, wrapped_is_refused, 0, 6);
    ADD_TABLE(tcase, flipped_bits, damaged_files);
    ADD_TABLE(tcase, truncated, damaged_files);
    ADD_TABLE(tcase, scalar_damaged, scalars);
    ADD(tcase, unknown_type);
    ADD(tcase, two_types_in_one);
    ADD_TABLE(tcase, type_loads, loads);
    ADD_TABLE(tcase, format_loads, formats);
    ADD(tcase, type_of_file);
    ADD_TABLE(tcase, generated, made);
    ADD_TABLE(tcase, converted, files);
    suite_add_tcase(suite, tcase);
    return suite;
}
