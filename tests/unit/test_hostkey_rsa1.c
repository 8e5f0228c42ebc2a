/* SPDX-License-Identifier: MIT */
/* Keys of protocol 1, held against ssh-keygen1, which is OpenSSH 7.5's ssh-keygen. */
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"
#include "hostkey/hostkey.h"
#include "hostkey/wire.h"

#include <stdio.h>
#include <string.h>

#define MAGIC "SSH PRIVATE KEY FILE FORMAT 1.1\n"

static struct blob key_bytes(void)
{
    return file_bytes(KEYS_DIR "/rsa1.ssh1");
}

static char *pub_line(void)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/rsa1.pub");

    return xstrdup((char *)text.data);
}

/* "1024 65537 1234…": three words of a line, without what follows. */
static char *three_words(const char *line)
{
    size_t len = 0;

    for (int i = 0; i < 3; i++)
        len += strspn(line + len, " ") + strcspn(line + len + strspn(line + len, " "), " \n");
    return xstrndup(line, len);
}

/* What ssh-keygen1 says about a file below the scratch directory. */
static char *keygen1(const char *option, const char *path)
{
    auto_free char *full = xasprintf("%s/%s", scratch, path);
    const char *const argv[] = { "ssh-keygen1", option, "-f", full, NULL };
    auto_blob struct blob output = { 0 };

    ck_assert_int_eq(run_program(argv, &output), 0);
    return xstrdup((char *)output.data);
}

static void judge_sound(const struct blob *file, struct hostkey_judgement *ret)
{
    hostkey_judge(file, ret);
    ck_assert_int_eq(ret->verdict, HOSTKEY_SOUND);
    ck_assert_ptr_nonnull(ret->key);
    ck_assert_ptr_eq(hostkey_type(ret->key), key_type_named("rsa1"));
    ck_assert_int_eq(hostkey_format(ret->key), HOSTKEY_FORMAT_SSH1);
}

/* ---- what ssh-keygen1 writes ---------------------------------------------------------------- */

static const int sizes[] = { 1024, 2048, 4096 };

START_TEST(written_by_keygen1)
{
    auto_free char *bits = xasprintf("%d", sizes[_i]);
    auto_free char *path = xasprintf("%s/host", scratch), *said = NULL, *expected = NULL;
    const char *const argv[] = { "ssh-keygen1", "-q", "-t", "rsa1", "-b", bits, "-C",
                                 "root@old",    "-N", "",   "-f",   path, NULL };
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_free char *text = NULL, *fingerprint = NULL;
    auto_blob struct blob bytes = { 0 }, pub_bytes = { 0 };
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(run_program(argv, NULL), 0);
    bytes = file_bytes("%s", path);
    pub_bytes = file_bytes("%s.pub", path);
    judge_sound(&bytes, &judged);
    ck_assert_str_eq(judged.pub.comment, "root@old");
    text = pubkey_file_text(&judged.pub);
    ck_assert_str_eq(text, (char *)pub_bytes.data);
    ck_assert_int_eq(pubkey_parse(&pub_bytes, &pub), 0);
    ck_assert(blob_equal(&pub.blob, &judged.pub.blob));
    ck_assert_str_eq(pub.comment, "root@old");
    fingerprint = pubkey_fingerprint(&pub);
    expected =
        xasprintf("%d %s root@old (%s)\n", pubkey_bits(&pub), fingerprint, pubkey_label(&pub));
    said = keygen1("-l", "host");
    ck_assert_str_eq(said, expected);
    ck_assert_int_eq(pubkey_bits(&pub), sizes[_i]);
}
END_TEST

START_TEST(with_passphrase)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/rsa1.ssh1.encrypted");
    auto_free char *text = NULL, *expected = pub_line();

    hostkey_judge(&bytes, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_ENCRYPTED);
    ck_assert_ptr_null(judged.key);
    text = pubkey_file_text(&judged.pub);
    ck_assert_str_eq(text, expected);
}
END_TEST

/* ---- damage --------------------------------------------------------------------------------- */

/* The offsets of a file in this format. */
struct layout {
    size_t comment, section, numbers, padding;
};

static struct layout layout_of(const struct blob *file)
{
    struct reader in = reader_of(file), comment;
    struct layout ret = { 0 };
    unsigned char cipher;
    uint32_t number;

    ck_assert(read_skip(&in, MAGIC, sizeof MAGIC) && read_byte(&in, &cipher));
    ck_assert(read_u32(&in, &number) && read_u32(&in, &number));
    for (int i = 0; i < 6; i++) {
        BIGNUM *mpint = NULL;

        ck_assert(read_mpint1(&in, &mpint));
        BN_clear_free(mpint);
        if (i != 1)
            continue;
        ck_assert(read_string(&in, &comment));
        ret.comment = (size_t)(comment.at - file->data);
        ret.section = file->len - in.left;
        ck_assert(read_u32(&in, &number));
        ret.numbers = file->len - in.left;
    }
    ret.padding = file->len - in.left;
    return ret;
}

/* d, iqmp, q and p as they are written; all else of the file differs harmlessly. */
static struct blob secrets_of(const struct hostkey *key)
{
    auto_blob struct blob file = { 0 };
    struct layout at;
    struct err e;

    ck_assert_int_eq(hostkey_serialise(key, HOSTKEY_FORMAT_SSH1, &file, &e), 0);
    at = layout_of(&file);
    return blob_copy(file.data + at.numbers, at.padding - at.numbers);
}

/* sshd before 6.7 does not mind a NUL in the comment; ssh-keygen1 does. */
static bool nul_in_comment(const struct blob *file, size_t byte)
{
    struct reader in = reader_of(file);

    return byte < in.left && in.at[byte] == 0;
}

/* Whatever can still be used is the very same key, and ssh-keygen1 reads it. */
static const char *why_wrong(const struct hostkey_judgement *judged, const struct blob *file,
                             const struct hostkey *original, bool readable)
{
    auto_blob struct blob expected = secrets_of(original), is = { 0 };
    const struct blob *usable = judged->verdict == HOSTKEY_WRAPPED ? &judged->rewrapped : file;

    if (judged->verdict != HOSTKEY_SOUND && judged->verdict != HOSTKEY_WRAPPED)
        return judged->key                          ? "a key of no use"
               : judged->verdict == HOSTKEY_CORRUPT ? NULL
                                                    : "neither sound nor corrupt";
    is = secrets_of(judged->key);
    if (!blob_equal(&judged->pub.blob, &hostkey_pub(original)->blob) || !blob_equal(&expected, &is))
        return "another key";
    return keygen_reads(usable, NULL) == readable ? NULL : "ssh-keygen1 is of another mind";
}

START_TEST(flipped_bits)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement original;
    auto_blob struct blob bytes = key_bytes();
    const struct layout at = layout_of(&bytes);
    size_t wrong = 0, sound = 0;

    judge_sound(&bytes, &original);
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        bool in_comment = bit / 8 >= at.comment && bit / 8 < at.section;
        const char *why;

        bytes.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        hostkey_judge(&bytes, &judged);
        why = why_wrong(&judged, &bytes, original.key,
                        !in_comment || !nul_in_comment(&bytes, bit / 8));
        bytes.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        sound += judged.verdict == HOSTKEY_SOUND;
        wrong += why != NULL;
        if (why)
            fprintf(stderr, "bit %zu: %s\n", bit, why);
    }
    ck_assert_msg(wrong == 0, "%zu of %zu bits", wrong, 8 * bytes.len);
    /* Reserved, the unread size, the comment, the padding; and the sizes of four numbers. */
    ck_assert_uint_ge(sound, 8 * (8 + strlen("a key for tests") + bytes.len - at.padding));
    ck_assert_uint_lt(sound, 8 * (16 + strlen("a key for tests") + bytes.len - at.padding));
}
END_TEST

/* Nobody has encrypted what can be read: that is damage. */
START_TEST(cipher_byte)
{
    auto_blob struct blob plain = key_bytes();
    auto_blob struct blob encrypted = file_bytes(KEYS_DIR "/rsa1.ssh1.encrypted");

    for (int cipher = 1; cipher < 256; cipher++) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement of_plain, of_encrypted;
        bool known = cipher == 2 || cipher == 3 || cipher == 6;

        plain.data[sizeof MAGIC] = encrypted.data[sizeof MAGIC] = (unsigned char)cipher;
        hostkey_judge(&plain, &of_plain);
        ck_assert_int_eq(of_plain.verdict, HOSTKEY_CORRUPT);
        hostkey_judge(&encrypted, &of_encrypted);
        ck_assert(!of_plain.cut_off && !of_encrypted.cut_off);
        ck_assert_int_eq(of_encrypted.verdict, known ? HOSTKEY_ENCRYPTED : HOSTKEY_CORRUPT);
    }
}
END_TEST

/* What is encrypted is so in whole blocks. */
START_TEST(encrypted_truncated)
{
    auto_blob struct blob plain = key_bytes();
    auto_blob struct blob encrypted = file_bytes(KEYS_DIR "/rsa1.ssh1.encrypted");
    const struct layout at = layout_of(&plain);

    for (size_t len = 1; len < encrypted.len; len++) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        auto_blob struct blob part = blob_copy(encrypted.data, len);
        bool whole = len > at.section && (len - at.section) % 8 == 0;

        hostkey_judge(&part, &judged);
        ck_assert_int_eq(judged.cut_off, !whole && len > sizeof MAGIC - 1);
        ck_assert_int_eq(judged.verdict, whole ? HOSTKEY_ENCRYPTED : HOSTKEY_CORRUPT);
        ck_assert_int_eq(judged.pub.name != NULL, len >= at.section);
    }
}
END_TEST

/* Without some of its padding it is the same key, which sshd refuses; shorter, it is none. */
START_TEST(truncated)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement original;
    auto_blob struct blob bytes = key_bytes();
    const struct layout at = layout_of(&bytes);

    judge_sound(&bytes, &original);
    for (size_t len = 0; len < bytes.len; len++) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        auto_blob struct blob part = blob_copy(bytes.data, len);
        enum hostkey_verdict expected = len == 0           ? HOSTKEY_EMPTY
                                        : len < at.padding ? HOSTKEY_CORRUPT
                                                           : HOSTKEY_WRAPPED;

        hostkey_judge(&part, &judged);
        ck_assert_msg(judged.verdict == expected, "%zu bytes: %d", len, judged.verdict);
        ck_assert_str_ne(judged.why, "");
        ck_assert_int_eq(judged.pub.name != NULL, len >= at.section);
        ck_assert_int_eq(judged.cut_off, len > sizeof MAGIC - 1);
        if (judged.pub.name)
            ck_assert(blob_equal(&judged.pub.blob, &original.pub.blob));
        if (expected == HOSTKEY_WRAPPED) {
            ck_assert(!keygen_reads(&part, NULL));
            ck_assert_ptr_null(why_wrong(&judged, &part, original.key, true));
            ck_assert(blob_equal(&judged.rewrapped, &bytes));
        }
    }
}
END_TEST

static const struct {
    const char *behind;
    size_t len;
    enum hostkey_verdict verdict;
} tails[] = {
    { "\n", 1, HOSTKEY_WRAPPED },
    { "\r\n", 2, HOSTKEY_WRAPPED },
    { "\0\0\0\0\0\0\0", 7, HOSTKEY_WRAPPED },
    { "\0\0\0\0\0\0\0\0", 8, HOSTKEY_SOUND },
    { "notes: x", 8, HOSTKEY_SOUND },
};

START_TEST(something_behind)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement original, judged;
    auto_blob struct blob bytes = key_bytes();
    auto_writer struct writer out = { 0 };

    judge_sound(&bytes, &original);
    write_bytes(&out, bytes.data, bytes.len);
    write_bytes(&out, tails[_i].behind, tails[_i].len);
    hostkey_judge(&out.bytes, &judged);
    ck_assert_int_eq(judged.verdict, tails[_i].verdict);
    ck_assert_int_eq(keygen_reads(&out.bytes, NULL), judged.verdict == HOSTKEY_SOUND);
    ck_assert_ptr_null(why_wrong(&judged, &out.bytes, original.key, true));
}
END_TEST

/* Numbers that do not belong together: ssh-keygen1 reads them, and sshd would. */
START_TEST(scalar_damaged)
{
    auto_blob struct blob bytes = key_bytes();
    const struct layout at = layout_of(&bytes);
    size_t read = 0, last = at.padding;

    /* The last byte of each number: d, iqmp, q, p. */
    for (int number = 3; number >= 0; number--) {
        auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
        size_t size = number == 0 ? 128 : 64;

        bytes.data[last - 1 - size / 2] ^= 4;
        hostkey_judge(&bytes, &judged);
        ck_assert_int_eq(judged.verdict, HOSTKEY_CORRUPT);
        ck_assert_ptr_null(judged.key);
        ck_assert_ptr_nonnull(judged.pub.name);
        read += keygen_reads(&bytes, NULL);
        bytes.data[last - 1 - size / 2] ^= 4;
        last -= size + 2;
    }
    ck_assert_uint_eq(last, at.numbers);
    ck_assert_uint_eq(read, 4);
}
END_TEST

/* ---- what we write -------------------------------------------------------------------------- */

static const struct {
    int bits, expected_bits;
    enum hostkey_format format; /* asked for; there is but one */
} made[] = {
    { 0, 2048, HOSTKEY_FORMAT_PEM },
    { 0, 2048, HOSTKEY_FORMAT_OPENSSH },
    { 1024, 1024, HOSTKEY_FORMAT_SSH1 },
    { 4096, 4096, HOSTKEY_FORMAT_PEM },
};

START_TEST(generated)
{
    auto_hostkey struct hostkey *key = NULL;
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob file = { 0 }, line = { 0 };
    auto_free char *text = NULL, *derived = NULL, *own = NULL, *said = NULL;
    auto_free char *fingerprint = NULL, *expected = NULL;
    struct err e;

    ck_assert_int_eq(hostkey_generate(key_type_named("rsa1"), made[_i].bits, "root@host", &key, &e),
                     0);
    ck_assert_int_eq(pubkey_bits(hostkey_pub(key)), made[_i].expected_bits);
    ck_assert_int_eq(hostkey_serialise(key, made[_i].format, &file, &e), 0);
    judge_sound(&file, &judged);
    ck_assert(blob_equal(&judged.pub.blob, &hostkey_pub(key)->blob));
    ck_assert_str_eq(judged.pub.comment, "root@host");
    ck_assert(keygen_reads(&file, &line));
    text = pubkey_file_text(hostkey_pub(key));
    derived = three_words((char *)line.data);
    own = three_words(text);
    ck_assert_str_eq(derived, own);
    said = keygen1("-l", "keygen");
    fingerprint = pubkey_fingerprint(hostkey_pub(key));
    expected = xasprintf("%d %s root@host (RSA1)\n", made[_i].expected_bits, fingerprint);
    ck_assert_str_eq(said, expected);
}
END_TEST

/* Written again, a key is the file it was read from, but for the check bytes. */
START_TEST(written_again)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_blob struct blob bytes = key_bytes(), again = { 0 };
    const struct layout at = layout_of(&bytes);
    struct err e;

    judge_sound(&bytes, &judged);
    ck_assert_int_eq(hostkey_serialise(judged.key, HOSTKEY_FORMAT_SSH1, &again, &e), 0);
    ck_assert_uint_eq(again.len, bytes.len);
    memcpy(again.data + at.section, bytes.data + at.section, 4);
    ck_assert(blob_equal(&again, &bytes));
}
END_TEST

/* ---- public text ------------------------------------------------------------------------------
 */

static const struct {
    const char *before, *behind; /* of the three numbers of the key for tests */
    const char *comment;         /* NULL: not a public key */
} lines[] = {
    { "", "\n", "" },
    { "", "", "" },
    { "  ", " root@host\n", "root@host" },
    { "\n# comment\n", "\ttwo words \r\n", "two words" },
    { "", "0\n", NULL },
    { "", "x\n", NULL },
    { "", "/\n", NULL },
    { "1", "\n", NULL },
    { "-", "\n", NULL },
    { "1024 ", "\n", NULL },
    { "1024 65537 ", "\n", NULL },
    { "ssh-rsa ", "\n", NULL },
    { "rsa1 ", "\n", NULL },
    { "host ", "\n", NULL },
};

START_TEST(pub_lines)
{
    auto_free char *pub = pub_line(), *numbers = three_words(pub);
    auto_free char *text = xasprintf("%s%s%s", lines[_i].before, numbers, lines[_i].behind);
    auto_blob struct blob bytes = blob_of_text(text);
    auto_pubkey struct pubkey parsed = { 0 };

    ck_assert_int_eq(pubkey_parse(&bytes, &parsed), lines[_i].comment ? 0 : -1);
    if (lines[_i].comment)
        ck_assert_str_eq(parsed.comment, lines[_i].comment);
    else
        ck_assert_ptr_null(parsed.name);
}
END_TEST

static const char *const no_lines[] = {
    "1024\n",          "1024 65537\n", "0 65537 0\n", "2 3 3\n", "1024 65537 1480\n",
    "1024 65537 -1\n", "1 2 3 4\n",
};

START_TEST(no_line)
{
    auto_blob struct blob bytes = blob_of_text(no_lines[_i]);
    auto_pubkey struct pubkey parsed = { 0 };

    ck_assert_int_eq(pubkey_parse(&bytes, &parsed), -1);
    ck_assert_ptr_null(parsed.name);
}
END_TEST

/* A number nobody has: refused by its length, before anybody calculates with it. */
START_TEST(endless_line)
{
    auto_blob struct blob bytes = blob_zeroed(HOSTKEY_FILE_MAX);
    auto_pubkey struct pubkey parsed = { 0 };

    memset(bytes.data, '7', bytes.len);
    memcpy(bytes.data, "1024 65537 ", 11);
    ck_assert_int_eq(pubkey_parse(&bytes, &parsed), -1);
}
END_TEST

/* One bit changed: refused, or another key, or the same key with another comment. */
START_TEST(flipped_line)
{
    auto_free char *pub = pub_line(), *numbers = three_words(pub);
    auto_blob struct blob text = blob_of_text(pub);
    auto_pubkey struct pubkey is = { 0 };

    ck_assert_int_eq(pubkey_parse(&text, &is), 0);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        auto_pubkey struct pubkey parsed = { 0 };

        text.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (pubkey_parse(&text, &parsed) == 0)
            ck_assert_msg(blob_equal(&parsed.blob, &is.blob) == (bit / 8 >= strlen(numbers)),
                          "bit %zu", bit);
        text.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}
END_TEST

/* The line that a client of protocol 1 looks for, found by one. */
START_TEST(known_hosts)
{
    auto_free char *path = xasprintf("%s/known_hosts", scratch), *pub_text = pub_line();
    const char *const argv[] = { "ssh-keygen1", "-l", "-F", "192.0.2.1", "-f", path, NULL };
    auto_blob struct blob text = blob_of_text(pub_text), output = { 0 };
    auto_free char *line = NULL, *expected = NULL, *numbers = three_words(pub_text);
    auto_free char *fingerprint = NULL;
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    line = pubkey_known_hosts(&pub, "host,192.0.2.1");
    expected = xasprintf("host,192.0.2.1 %s\n", numbers);
    ck_assert_str_eq(line, expected);
    put_text("known_hosts", line);
    ck_assert_int_eq(run_program(argv, &output), 0);
    fingerprint = pubkey_fingerprint(&pub);
    ck_assert_msg(strstr((char *)output.data, fingerprint), "%s", (char *)output.data);
}
END_TEST

START_TEST(no_sshfp)
{
    auto_free char *text = pub_line(), *records = NULL;
    auto_blob struct blob bytes = blob_of_text(text);
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(pubkey_parse(&bytes, &pub), 0);
    records = pubkey_sshfp(&pub, "host");
    ck_assert_str_eq(records, "");
}
END_TEST

/* ---- nowhere else ------------------------------------------------------------------------------
 */

/* Its name is never on the wire: not in a .pub, and not in openssh-key-v1. */
START_TEST(not_on_the_wire)
{
    auto_free char *own = pub_line(), *encoded = NULL, *text = NULL, *armour = NULL;
    auto_blob struct blob bytes = blob_of_text(own), line = { 0 }, file = { 0 };
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    auto_pubkey struct pubkey pub = { 0 }, parsed = { 0 };
    auto_writer struct writer out = { 0 };

    ck_assert_int_eq(pubkey_parse(&bytes, &pub), 0);
    encoded = base64_encode(&pub.blob, 0);
    text = xasprintf("rsa1 %s\n", encoded);
    line = blob_of_text(text);
    ck_assert_int_eq(pubkey_parse(&line, &parsed), -1);
    write_bytes(&out, "openssh-key-v1", 15);
    write_text(&out, "none");
    write_text(&out, "none");
    write_text(&out, "");
    write_u32(&out, 1);
    write_string(&out, pub.blob.data, pub.blob.len);
    write_text(&out, "12345678");
    armour = base64_encode(&out.bytes, 70);
    free(text);
    text = xasprintf("-----BEGIN OPENSSH PRIVATE KEY-----\n%s-----END OPENSSH PRIVATE KEY-----\n",
                     armour);
    file = blob_of_text(text);
    hostkey_judge(&file, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_CORRUPT);
    ck_assert_ptr_null(judged.pub.name);
}
END_TEST

Suite *suite_hostkey_rsa1(void)
{
    Suite *suite = suite_create("hostkey: rsa1");
    TCase *tcase = tcase_create("rsa1");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 600);
    ADD_TABLE(tcase, written_by_keygen1, sizes);
    ADD(tcase, with_passphrase);
    ADD(tcase, flipped_bits);
    ADD(tcase, cipher_byte);
    ADD(tcase, encrypted_truncated);
    ADD(tcase, truncated);
    ADD_TABLE(tcase, something_behind, tails);
    ADD(tcase, scalar_damaged);
    ADD_TABLE(tcase, generated, made);
    ADD(tcase, written_again);
    ADD_TABLE(tcase, pub_lines, lines);
    ADD_TABLE(tcase, no_line, no_lines);
    ADD(tcase, endless_line);
    ADD(tcase, flipped_line);
    ADD(tcase, known_hosts);
    ADD(tcase, no_sshfp);
    ADD(tcase, not_on_the_wire);
    suite_add_tcase(suite, tcase);
    return suite;
}
