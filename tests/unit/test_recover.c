/* SPDX-License-Identifier: MIT */
/* Keys in haystacks: found where they lie, to the byte, and nothing found that is not there. */
#include "unit.h"

#include "base/alloc.h"
#include "recover/private.h"

#include <stdio.h>
#include <string.h>

enum { HAY = 2 * SOURCE_VIEW + 16384 };

/* ---- haystacks ------------------------------------------------------------------------------ */

static struct blob noise(size_t len, uint64_t seed)
{
    struct blob bytes = blob_zeroed(len);

    for (size_t i = 0; i < len; i += 4) {
        uint32_t word = (uint32_t)(seed >> 32);

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        memcpy(bytes.data + i, &word, len - i < 4 ? len - i : 4);
    }
    return bytes;
}

/* Other bytes in the place of those at an offset. */
static void lay(struct blob *hay, size_t at, const struct blob *bytes)
{
    ck_assert_uint_le(at + bytes->len, hay->len);
    memcpy(hay->data + at, bytes->data, bytes->len);
}

static struct recovery search_hay(const struct blob *hay, const struct recover_want *wants,
                                  size_t count)
{
    auto_with(disk_free) struct disk disk = { .held = -1 };
    auto_free char *path = xasprintf("%s/hay", scratch);
    const struct recover_where where = { 0 };
    struct recovery recovery = { 0 };
    struct err e;

    put_bytes("hay", 0600, hay->data, hay->len);
    ck_assert_int_eq(device_open(path, &disk, &e), 0);
    ck_assert_int_eq(device_hold(&disk, false, &e), 0);
    ck_assert_int_eq(recover_search(&disk, &where, wants, count, NULL, &recovery, &e), 0);
    return recovery;
}

static struct pubkey pub_of(const char *name)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s.pub", name);
    struct pubkey pub;

    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    return pub;
}

/* One wanted key in a haystack of noise: found there, in this way, as this file (NULL: any). */
static void expect_found(const struct blob *hay, const struct pubkey *pub, enum recover_way way,
                         size_t at, const struct blob *file)
{
    const struct recover_want want = { .blob = &pub->blob };
    auto_recovery struct recovery recovery = search_hay(hay, &want, 1);

    ck_assert_int_eq(recovery.end, RECOVER_ALL_FOUND);
    ck_assert_uint_ge(recovery.count, 1);
    ck_assert_int_eq(recovery.found[0].state, RECOVER_PROVEN);
    ck_assert_int_eq(recovery.found[0].way, way);
    ck_assert_int_eq(recovery.found[0].want, 0);
    ck_assert_ptr_nonnull(recovery.found[0].key);
    ck_assert(blob_equal(&hostkey_pub(recovery.found[0].key)->blob, &pub->blob));
    if (file) {
        ck_assert_uint_eq(recovery.found[0].offset, at);
        ck_assert(blob_equal(&recovery.found[0].file, file));
    }
}

/* ---- whole keys -------------------------------------------------------------------------------
 */

static const struct {
    const char *name, *form;
} files[] = {
    { "rsa", "v1" },         { "rsa", "pem" },
    { "rsa", "pkcs8" },      { "rsa1024", "v1" },
    { "rsa1024", "pem" },    { "rsa1024", "pkcs8" },
    { "ecdsa256", "v1" },    { "ecdsa256", "pem" },
    { "ecdsa256", "pkcs8" }, { "ecdsa384", "v1" },
    { "ecdsa384", "pem" },   { "ecdsa384", "pkcs8" },
    { "ecdsa521", "v1" },    { "ecdsa521", "pem" },
    { "ecdsa521", "pkcs8" }, { "ed25519", "v1" },
    { "dsa", "v1" },         { "dsa", "pem" },
    { "dsa", "pkcs8" },      { "ed25519-openssl", "pkcs8" },
};

/* Aligned or not, at the start, and over the borders of what is seen at a time. */
static const size_t places[] = { 0,
                                 1,
                                 511,
                                 4096,
                                 70001,
                                 SOURCE_VIEW - 1,
                                 SOURCE_VIEW - 7,
                                 SOURCE_VIEW - 200,
                                 SOURCE_VIEW,
                                 2 * SOURCE_VIEW - 1 };

START_TEST(whole)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.%s", files[_i].name, files[_i].form);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name);

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        auto_blob struct blob hay = noise(HAY, i + 1);

        lay(&hay, places[i], &file);
        expect_found(&hay, &pub, RECOVER_AS_IT_STOOD, places[i], &file);
    }
}
END_TEST

/* The very end of a disk that is no multiple of anything. */
START_TEST(at_the_end)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/ed25519.v1"), hay = noise(100001, 3);
    auto_pubkey struct pubkey pub = pub_of("ed25519");

    lay(&hay, hay.len - file.len, &file);
    expect_found(&hay, &pub, RECOVER_AS_IT_STOOD, hay.len - file.len, &file);
    hay.len--; /* its last line end is lost: it is a key all the same */
    expect_found(&hay, &pub, RECOVER_AS_IT_STOOD, hay.len + 1 - file.len, &file);
}
END_TEST

static const struct {
    const char *type, *bits, *format;
} made[] = {
    { "rsa", "2048", "RFC4716" },    { "rsa", "2048", "PEM" },  { "rsa", "2048", "PKCS8" },
    { "ecdsa", "256", "RFC4716" },   { "ecdsa", "256", "PEM" }, { "ecdsa", "256", "PKCS8" },
    { "ecdsa", "384", "RFC4716" },   { "ecdsa", "384", "PEM" }, { "ecdsa", "384", "PKCS8" },
    { "ecdsa", "521", "RFC4716" },   { "ecdsa", "521", "PEM" }, { "ecdsa", "521", "PKCS8" },
    { "ed25519", "256", "RFC4716" },
};

/* As this machine's ssh-keygen makes them. */
START_TEST(of_ssh_keygen)
{
    auto_free char *path = xasprintf("%s/made", scratch), *pub_path = xasprintf("%s.pub", path);
    const char *const argv[] = {
        "ssh-keygen",    "-q", "-t", made[_i].type, "-b", made[_i].bits, "-m",
        made[_i].format, "-N", "",   "-f",          path, NULL
    };
    auto_blob struct blob file = { 0 }, text = { 0 }, hay = noise(HAY, (uint64_t)_i + 77);
    auto_pubkey struct pubkey pub = { 0 };
    size_t at = (size_t)_i * 131071 + 13;

    ck_assert_int_eq(run_program(argv, NULL), 0);
    file = file_bytes("%s", path);
    text = file_bytes("%s", pub_path);
    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    lay(&hay, at, &file);
    expect_found(&hay, &pub, RECOVER_AS_IT_STOOD, at, &file);
}
END_TEST

/* ---- what is not there ----------------------------------------------------------------------- */

START_TEST(nothing)
{
    auto_pubkey struct pubkey pub = pub_of("rsa");
    const struct recover_want want = { .blob = &pub.blob };
    auto_blob struct blob hay = noise(HAY, (uint64_t)_i);
    auto_recovery struct recovery recovery = search_hay(&hay, &want, 1);

    ck_assert_int_eq(recovery.end, RECOVER_EXHAUSTED);
    ck_assert_uint_eq(recovery.count, 0);
    ck_assert_uint_eq(recovery.bytes_read, HAY);
    ck_assert_uint_eq(recovery.bytes_failed, 0);
}
END_TEST

/* A key that nobody asked for is told, without its secret. */
START_TEST(unwanted)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/ed25519.v1"), hay = noise(HAY, 9);
    auto_pubkey struct pubkey pub = pub_of("rsa"), other = pub_of("ed25519");
    const struct recover_want want = { .blob = &pub.blob };
    auto_recovery struct recovery recovery = { 0 };

    lay(&hay, 12345, &file);
    recovery = search_hay(&hay, &want, 1);
    ck_assert_int_eq(recovery.end, RECOVER_EXHAUSTED);
    ck_assert_uint_eq(recovery.count, 1);
    ck_assert_int_eq(recovery.found[0].want, -1);
    ck_assert_ptr_null(recovery.found[0].key);
    ck_assert_ptr_null(recovery.found[0].file.data);
    ck_assert(blob_equal(&recovery.found[0].pub.blob, &other.blob));
}
END_TEST

START_TEST(by_fingerprint_and_hint)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/ed25519.v1"), hay = noise(HAY, 11);
    auto_pubkey struct pubkey pub = pub_of("ed25519");
    auto_free char *fingerprint = pubkey_fingerprint(&pub);
    const struct recover_want exact = { .fingerprint = fingerprint };
    const struct recover_want hints[] = {
        { .comment = "a key for tests", .type = key_type_named("ssh-rsa") },
        { .comment = "root@elsewhere" },
        { .comment = "a key for tests", .type = key_type_named("ssh-ed25519") },
    };
    auto_recovery struct recovery named = { 0 }, hinted = { 0 };

    lay(&hay, 4099, &file);
    named = search_hay(&hay, &exact, 1);
    ck_assert_int_eq(named.end, RECOVER_ALL_FOUND);
    ck_assert_int_eq(named.found[0].want, 0);
    ck_assert(!named.found[0].by_hint);
    hinted = search_hay(&hay, hints, 3);
    ck_assert_int_eq(hinted.end, RECOVER_EXHAUSTED);
    ck_assert_int_eq(hinted.found[0].want, 2);
    ck_assert(hinted.found[0].by_hint);
    ck_assert_ptr_nonnull(hinted.found[0].key);
}
END_TEST

/* However much of the secret is cut off: never a key, and its public part tells whose it is. */
START_TEST(torn)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/ed25519.v1");
    auto_pubkey struct pubkey pub = pub_of("ed25519");
    const struct recover_want want = { .blob = &pub.blob };

    for (size_t len = 40; len < 297; len += 7) {
        auto_blob struct blob hay = noise(20000, len), part = blob_copy(file.data, len);
        auto_recovery struct recovery recovery = { 0 };

        lay(&hay, 4096, &part);
        hay.data[4096 + len] = 0;
        recovery = search_hay(&hay, &want, 1);
        ck_assert_int_eq(recovery.end, RECOVER_EXHAUSTED);
        for (size_t i = 0; i < recovery.count; i++)
            ck_assert_int_eq(recovery.found[i].state, RECOVER_TORN);
        /* The first line, its public blob, and a line end in between. */
        ck_assert_uint_eq(recovery.count, len >= 36 + 126 + 1);
    }
}
END_TEST

/* ---- damage
 * -------------------------------------------------------------------------------------- */

/* Where in the text of a key, from its start in permille, and how many bytes become what. */
static const struct {
    const char *name, *form;
    unsigned permille, len;
    unsigned char with;
} damages[] = {
    { "rsa", "v1", 250, 4, 'x' }, { "rsa", "v1", 330, 90, 'x' },   { "rsa", "v1", 450, 200, 'A' },
    { "rsa", "v1", 550, 64, 0 },  { "rsa", "v1", 700, 100, 'B' },  { "rsa", "v1", 830, 8, 'z' },
    { "rsa", "v1", 930, 60, 0 },  { "rsa", "pem", 200, 30, 'x' },  { "rsa", "pem", 400, 99, 'Q' },
    { "rsa", "pem", 600, 70, 0 }, { "rsa", "pem", 800, 90, 'x' },  { "rsa", "pem", 930, 20, 'x' },
    { "rsa", "v1", 985, 10, 0 },  { "rsa1024", "v1", 500, 60, 0 }, { "rsa", "v1", 0, 900, 0 },
};

START_TEST(damaged_rsa)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.%s", damages[_i].name, damages[_i].form);
    auto_blob struct blob hay = noise(30000, (uint64_t)_i + 5);
    auto_pubkey struct pubkey pub = pub_of(damages[_i].name);

    memset(file.data + file.len * damages[_i].permille / 1000, damages[_i].with, damages[_i].len);
    lay(&hay, 8192, &file);
    expect_found(&hay, &pub, RECOVER_REBUILT, 8192, NULL);
}
END_TEST

/* The last line leads to it. */
START_TEST(first_line_damaged)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.%s", files[_i].name, files[_i].form);
    auto_blob struct blob hay = noise(30000, 5), copy = blob_copy(file.data, file.len);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name);

    copy.data[2] = 'x';
    copy.data[9] = 0;
    lay(&hay, 8192, &copy);
    expect_found(&hay, &pub, RECOVER_AS_IT_STOOD,
                 8192 + (size_t)((char *)memchr(file.data, '\n', 99) + 1 - (char *)file.data),
                 &file);
}
END_TEST

/*
 * Bits of the text where the secret is (PROTOCOL.key; 36 bytes of first line, lines of
 * 70): one or two of them flipped.
 */
static const struct {
    const char *name;
    size_t at[2]; /* bytes of the file; 0: only one */
    unsigned char bit[2];
} flips[] = {
    { "ed25519", { 260, 0 }, { 1, 0 } },    { "ed25519", { 262, 285 }, { 1, 4 } },
    { "ed25519", { 270, 271 }, { 2, 32 } }, { "ecdsa256", { 405, 0 }, { 1, 0 } },
    { "ecdsa256", { 405, 430 }, { 1, 4 } }, { "ecdsa384", { 500, 0 }, { 1, 0 } },
    { "ecdsa521", { 600, 0 }, { 4, 0 } },
};

START_TEST(flipped)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.v1", flips[_i].name);
    auto_blob struct blob hay = noise(30000, (uint64_t)_i + 31);
    auto_pubkey struct pubkey pub = pub_of(flips[_i].name);

    file.data[flips[_i].at[0]] ^= flips[_i].bit[0];
    if (flips[_i].at[1])
        file.data[flips[_i].at[1]] ^= flips[_i].bit[1];
    lay(&hay, 8192, &file);
    expect_found(&hay, &pub, RECOVER_REBUILT, 8192, NULL);
}
END_TEST

/* Two copies, damaged in different places beyond what bit errors explain. */
START_TEST(merged)
{
    auto_blob struct blob a = file_bytes(KEYS_DIR "/ecdsa256.v1"), b = blob_copy(a.data, a.len);
    auto_blob struct blob hay = noise(40000, 8);
    auto_pubkey struct pubkey pub = pub_of("ecdsa256");

    memset(a.data + 399, 'x', 10);
    memset(b.data + 428, 'y', 10);
    lay(&hay, 8192, &a);
    lay(&hay, 20001, &b);
    expect_found(&hay, &pub, RECOVER_REBUILT, 8192, NULL);
}
END_TEST

/* Its public part is damaged where it stands first: whose it is has to be tried. */
START_TEST(claim_damaged)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/ecdsa256.v1"), hay = noise(30000, 7);
    auto_pubkey struct pubkey pub = pub_of("ecdsa256");
    const struct recover_want want = { .blob = &pub.blob, .one_of_many = _i };
    auto_recovery struct recovery recovery = { 0 };

    memset(file.data + 170, 'x', 10);
    lay(&hay, 8192, &file);
    recovery = search_hay(&hay, &want, 1);
    ck_assert_int_eq(recovery.end, _i ? RECOVER_EXHAUSTED : RECOVER_ALL_FOUND);
    ck_assert_uint_eq(recovery.proven, !_i);
}
END_TEST

/* What a key cannot be rebuilt from stays lost: the secret of another key under its public part. */
START_TEST(beyond_repair)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/ecdsa256.v1"), hay = noise(30000, 6);
    auto_pubkey struct pubkey pub = pub_of("ecdsa256");
    const struct recover_want want = { .blob = &pub.blob };
    auto_recovery struct recovery recovery = { 0 };

    memset(file.data + 399, 'x', 40);
    lay(&hay, 8192, &file);
    recovery = search_hay(&hay, &want, 1);
    ck_assert_int_eq(recovery.end, RECOVER_EXHAUSTED);
    ck_assert_uint_eq(recovery.count, 1);
    ck_assert_int_eq(recovery.found[0].state, RECOVER_TORN);
    ck_assert_ptr_null(recovery.found[0].key);
}
END_TEST

/* ---- whose key it is, unasked ------------------------------------------------------------- */

/*
 * Nobody knows the public part: it is the one that the copy claims, or, where n is damaged in both
 * places (openssh-key-v1: the first quarter, and up to 45 %), the one that the primes make.
 */
static const struct {
    const char *form;
    struct {
        unsigned permille, len;
    } damage[2];
    bool comes_back;
} alone[] = {
    { "v1", { { 550, 64 }, { 0, 0 } }, true },     { "v1", { { 800, 90 }, { 0, 0 } }, true },
    { "v1", { { 120, 90 }, { 0, 0 } }, true },     { "v1", { { 350, 90 }, { 0, 0 } }, true },
    { "v1", { { 120, 90 }, { 350, 90 } }, true },  { "pem", { { 100, 90 }, { 0, 0 } }, true },
    { "pem", { { 600, 90 }, { 0, 0 } }, true },    { "v1", { { 440, 1440 }, { 0, 0 } }, false },
    { "pem", { { 220, 1900 }, { 0, 0 } }, false },
};

START_TEST(rebuilt_unasked)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/rsa.%s", alone[_i].form);
    auto_pubkey struct pubkey pub = pub_of("rsa");
    auto_hostkey struct hostkey *key = NULL;
    int result;

    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n < alone[_i].damage[i].len; n++) {
            size_t at = file.len * alone[_i].damage[i].permille / 1000 + n;

            if (at < file.len - 40 && file.data[at] != '\n')
                file.data[at] = file.data[at] == 'Q' ? 'R' : 'Q';
        }
    result = hostkey_rebuild(&file, 1, NULL, NULL, NULL, &key);
    ck_assert_int_eq(result, alone[_i].comes_back ? 0 : -1);
    if (result == 0)
        ck_assert(blob_equal(&hostkey_pub(key)->blob, &pub.blob));
    else
        ck_assert_ptr_null(key);
}
END_TEST

/* ---- what cannot be proven ------------------------------------------------------------------ */

static const struct {
    const char *file, *pub;
    bool tells; /* the public part stands in clear */
} encrypted[] = {
    { "ed25519.v1.encrypted", "ed25519", true },
    { "rsa.v1.encrypted", "rsa", true },
    { "rsa.pem.encrypted", "rsa", false },
    { "dsa.pem.encrypted", "dsa", false },
    { "ecdsa256.pem.encrypted", "ecdsa256", false },
    { "ecdsa256.pkcs8.encrypted", "ecdsa256", false },
};

/* Counted, told where it tells its name, and never handed out as a key. */
START_TEST(behind_a_passphrase)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s", encrypted[_i].file);
    auto_blob struct blob hay = noise(HAY, (uint64_t)_i + 51);
    auto_pubkey struct pubkey pub = pub_of(encrypted[_i].pub);
    const struct recover_want want = { .blob = &pub.blob };
    auto_recovery struct recovery recovery = { 0 };

    lay(&hay, 70001, &file);
    recovery = search_hay(&hay, &want, 1);
    ck_assert_int_eq(recovery.end, RECOVER_EXHAUSTED);
    ck_assert_uint_eq(recovery.encrypted, 1);
    ck_assert_uint_eq(recovery.proven, 0);
    ck_assert_uint_eq(recovery.count, encrypted[_i].tells);
    if (!encrypted[_i].tells)
        return;
    ck_assert_int_eq(recovery.found[0].state, RECOVER_ENCRYPTED);
    ck_assert_int_eq(recovery.found[0].want, 0);
    ck_assert_uint_eq(recovery.found[0].offset, 70001);
    ck_assert(blob_equal(&recovery.found[0].pub.blob, &pub.blob));
    ck_assert_ptr_null(recovery.found[0].key);
    ck_assert_ptr_null(recovery.found[0].file.data);
}
END_TEST

/* A type of tomorrow: to the byte where it is wanted, as a name alone where not. */
START_TEST(of_unknown_type)
{
    auto_blob struct blob file = file_bytes("tests/fixtures/hostkey-unknown-type/key");
    auto_blob struct blob hay = noise(HAY, 61);
    auto_pubkey struct pubkey pub = { 0 }, other = pub_of("rsa");
    struct recover_want want = { .fingerprint = NULL };
    auto_recovery struct recovery asked = { 0 }, unasked = { 0 };

    ck_assert_int_eq(hostkey_claim(&file, &pub), 0);
    lay(&hay, 12345, &file);
    want.blob = &pub.blob;
    asked = search_hay(&hay, &want, 1);
    ck_assert_int_eq(asked.end, RECOVER_ALL_FOUND);
    ck_assert_int_eq(asked.found[0].state, RECOVER_UNKNOWN_TYPE);
    ck_assert_int_eq(asked.found[0].want, 0);
    ck_assert_ptr_null(asked.found[0].key);
    ck_assert(blob_equal(&asked.found[0].file, &file));
    want.blob = &other.blob;
    unasked = search_hay(&hay, &want, 1);
    ck_assert_int_eq(unasked.end, RECOVER_EXHAUSTED);
    ck_assert_uint_eq(unasked.count, 1);
    ck_assert_int_eq(unasked.found[0].state, RECOVER_UNKNOWN_TYPE);
    ck_assert_int_eq(unasked.found[0].want, -1);
    ck_assert_str_eq(unasked.found[0].pub.name, "ssh-newer@example.org");
    ck_assert_ptr_null(unasked.found[0].file.data);
}
END_TEST

/* ---- protocol 1: no lines, and no length but that of its parts ------------------------------- */

START_TEST(of_protocol_1)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/rsa1.ssh1");
    auto_pubkey struct pubkey pub = pub_of("rsa1");

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        auto_blob struct blob hay = noise(HAY, i + 1);

        lay(&hay, places[i], &file);
        expect_found(&hay, &pub, RECOVER_AS_IT_STOOD, places[i], &file);
    }
}
END_TEST

/* As ssh-keygen of 7.5 makes them: where the parser sees the end of one, carving does. */
static const struct {
    const char *bits, *comment;
} made_1[] = { { "1024", "" },    { "1024", "a" },    { "1032", "ab" },     { "2048", "root@web1" },
               { "1040", "abc" }, { "2048", "abcd" }, { "4096", "abcdefg" } };

START_TEST(of_ssh_keygen_1)
{
    auto_free char *path = xasprintf("%s/made", scratch);
    const char *const argv[] = {
        "ssh-keygen1",      "-q", "-t", "rsa1", "-b", made_1[_i].bits, "-N", "", "-C",
        made_1[_i].comment, "-f", path, NULL
    };
    auto_blob struct blob file = { 0 }, text = { 0 }, hay = noise(HAY, (uint64_t)_i + 91);
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(run_program(argv, NULL), 0);
    file = file_bytes("%s/made", scratch);
    text = file_bytes("%s/made.pub", scratch);
    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    /*
     * From 6.8 on it pads by eight bytes where there is nothing to pad, which nobody reads. How
     * long the parts of a key are is left to chance.
     */
    if (memcmp(file.data + file.len - 8, "\0\0\0\0\0\0\0", 8) == 0)
        file.len -= 8;
    lay(&hay, 131071, &file);
    expect_found(&hay, &pub, RECOVER_AS_IT_STOOD, 131071, &file);
}
END_TEST

/* Whether the parser takes this for the key, in a haystack from byte 4096 on. */
static bool parsed_there(const struct blob *hay, size_t len, const struct pubkey *pub)
{
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged = { 0 };
    auto_blob struct blob file = blob_copy(hay->data + 4096, len);

    hostkey_judge(&file, &judged);
    return judged.key && blob_equal(&judged.pub.blob, &pub->blob);
}

/* Cut off anywhere, or with any bit flipped: found where the parser takes it, and nowhere else. */
START_TEST(of_protocol_1_damaged)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/rsa1.ssh1");
    auto_pubkey struct pubkey pub = pub_of("rsa1");
    const struct recover_want want = { .blob = &pub.blob };
    size_t found = 0;

    for (size_t at = 0; at < file.len; at++) {
        auto_blob struct blob hay = noise(16384, at + 1), part = blob_copy(file.data, file.len);
        auto_recovery struct recovery recovery = { 0 };

        if (_i)
            part.len = at;
        else
            part.data[at] ^= (unsigned char)(1 << at % 8);
        lay(&hay, 4096, &part);
        recovery = search_hay(&hay, &want, 1);
        ck_assert_msg((recovery.end == RECOVER_ALL_FOUND) == parsed_there(&hay, file.len, &pub),
                      "at %zu", at);
        found += recovery.end == RECOVER_ALL_FOUND;
    }
    /* In the comment, in what is reserved, and in the padding there is nothing to prove. */
    ck_assert_uint_gt(found, 0);
    ck_assert_uint_lt(found, 64);
}
END_TEST

/* ---- backups -------------------------------------------------------------------------------- */

/* NAME.gz of a file in the scratch directory; tar: of an archive of it, with others around it. */
static struct blob packed_backup(const char *name, bool tar)
{
    auto_free char *from = xasprintf("%s/%s", scratch, name);
    auto_free char *to = xasprintf("%s/backup", scratch);
    const char *const tar_argv[] = {
        "tar", "-C", scratch, "-cf", to, "before", name, "after", NULL
    };
    const char *const cp_argv[] = { "cp", from, to, NULL };
    const char *const gzip_argv[] = { "gzip", "-f", to, NULL };
    auto_blob struct blob hay = noise(300000, 3);

    put_bytes("before", 0600, hay.data, hay.len);
    put_bytes("after", 0600, hay.data, 5000);
    ck_assert_int_eq(run_program(tar ? tar_argv : cp_argv, NULL), 0);
    ck_assert_int_eq(run_program(gzip_argv, NULL), 0);
    return file_bytes("%s.gz", to);
}

/* A key alone, and one in an archive of /etc; files begin where a sector does. */
START_TEST(in_gzip)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.%s", files[_i].name, files[_i].form);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name);

    put_bytes("ssh_host_key", 0600, file.data, file.len);
    for (int tar = 0; tar < 2; tar++) {
        auto_blob struct blob backup = packed_backup("ssh_host_key", tar), hay = noise(HAY, 71);
        auto_blob struct blob aside = noise(HAY, 72);
        const struct recover_want want = { .blob = &pub.blob };
        auto_recovery struct recovery recovery = { 0 };

        lay(&hay, 4096 + 512, &backup);
        expect_found(&hay, &pub, RECOVER_FROM_GZIP, 4096 + 512, &file);
        /* The negative control: what is no key in clear is not found where no file begins. */
        lay(&aside, 4096 + 511, &backup);
        recovery = search_hay(&aside, &want, 1);
        ck_assert_int_eq(recovery.end, RECOVER_EXHAUSTED);
    }
}
END_TEST

/* ---- marks
 * --------------------------------------------------------------------------------------- */

struct marks {
    size_t count, at;
    enum mark mark;
};

static void on_mark(void *context, enum mark mark, size_t at)
{
    struct marks *marks = context;

    marks->count++;
    marks->mark = mark;
    marks->at = at;
}

static const struct mark_row {
    const char *bytes;
    size_t len;
    enum mark mark;
} marks_table[] = {
    { "-----BEGIN ", 11, MARK_BEGIN },
    { "-----END ", 9, MARK_END },
    { "SSH PRIVATE KEY FILE FORMAT 1.1\n", 33, MARK_RSA1 },
    { "\x28\xb5\x2f\xfd", 4, MARK_ZSTD },
};

/* Once, at every offset, whatever lies before and behind. */
START_TEST(every_offset)
{
    static const unsigned char around[] = { 0, '-', 0xff, 'S' };
    const struct mark_row *row = &marks_table[_i / 4];
    unsigned how = (_i & 1 ? SCAN_PLAINLY : 0) | (_i & 2 || row->mark == MARK_ZSTD ? SCAN_ZSTD : 0);

    for (size_t fill = 0; fill < ARRAY_SIZE(around); fill++) {
        for (size_t at = 0; at < 700; at++) {
            auto_blob struct blob bytes = blob_zeroed(1024);
            struct marks marks = { 0 };

            memset(bytes.data, around[fill], bytes.len);
            memcpy(bytes.data + at, row->bytes, row->len);
            scan_bytes(bytes.data, bytes.len, bytes.len, how, on_mark, &marks);
            ck_assert_msg(marks.count == 1 && marks.at == at && marks.mark == row->mark,
                          "at %zu: %zu, the last at %zu", at, marks.count, marks.at);
        }
    }
}
END_TEST

/* What begins before a border belongs to this side, all the rest to the other. */
START_TEST(every_border)
{
    const struct mark_row *row = &marks_table[_i / 2];
    unsigned how = SCAN_ZSTD | (_i & 1 ? SCAN_PLAINLY : 0);

    for (size_t starts = 256; starts < 520; starts++) {
        for (size_t at = 200; at < 560; at++) {
            auto_blob struct blob bytes = blob_zeroed(1024);
            struct marks marks = { 0 };

            memcpy(bytes.data + at, row->bytes, row->len);
            scan_bytes(bytes.data, bytes.len, starts, how, on_mark, &marks);
            ck_assert_uint_eq(marks.count, at < starts);
        }
    }
}
END_TEST

/* ---- a scan ahead ---------------------------------------------------------------------------- */

/* A haystack with something in each part, open as a source. */
static void open_hay(struct source *ret, uint64_t *failed)
{
    auto_with(disk_free) struct disk disk = { .held = -1 };
    auto_free char *path = xasprintf("%s/hay", scratch);
    auto_blob struct blob hay = noise(9 * 65536 + 100, 5), begin = blob_of_text("-----BEGIN ");
    const struct recover_where where = { 0 };
    struct err e;

    for (size_t at = 1000; at + 20 < hay.len; at += 30011)
        lay(&hay, at, &begin);
    put_bytes("hay", 0600, hay.data, hay.len);
    ck_assert_int_eq(device_open(path, &disk, &e), 0);
    ck_assert_int_eq(device_hold(&disk, false, &e), 0);
    ck_assert_int_eq(source_open(&disk, &where, failed, ret, &e), 0);
}

/* In order, the marks of each part and no others, with a thread and without. */
START_TEST(scouted)
{
    struct stretch stretch = { .space = RECOVER_ALLOCATED };
    struct scout *scout;
    struct source source;
    const struct part *part;
    uint64_t failed = 0, asked = 0, seen = 0;
    size_t count = 0;

    open_hay(&source, &failed);
    stretch.end = source.size;
    scout = scout_start(&source, SCAN_PACKED, _i == 1);
    ck_assert_ptr_null(scout_wait(scout));
    do {
        for (; scout_has_room(scout) && asked < source.size; asked += 65536)
            scout_ask(scout, &stretch, asked,
                      source.size - asked < 65536 ? (size_t)(source.size - asked) : 65536);
        part = scout_wait(scout);
        if (!part)
            break;
        ck_assert_uint_eq(part->at, seen);
        ck_assert_uint_eq(part->stretch.end, source.size);
        for (size_t i = 0; i < part->count; i++, count++) {
            ck_assert_int_eq(part->marks[i].mark, MARK_BEGIN);
            ck_assert_uint_eq(part->at + part->marks[i].at, 1000 + count * 30011);
            ck_assert_int_eq(memcmp(part->view + part->marks[i].at, "-----BEGIN ", 11), 0);
        }
        seen += part->want;
        scout_done(scout);
    } while (true);
    ck_assert_uint_eq(seen, source.size);
    ck_assert_uint_eq(count, (source.size - 1000 - 20) / 30011 + 1);
    ck_assert_uint_eq(failed, 0);
    scout_free(&scout);
    source_close(&source);
}
END_TEST

/* It may be left at any time, with parts that nobody takes. */
START_TEST(scout_left)
{
    struct stretch stretch = { .space = RECOVER_ALLOCATED };
    struct scout *scout;
    struct source source;
    uint64_t failed = 0;

    open_hay(&source, &failed);
    scout = scout_start(&source, SCAN_PACKED, _i & 1);
    for (size_t i = 0; i < SOURCE_VIEWS && _i & 2; i++)
        scout_ask(scout, &stretch, i * 65536, 65536);
    ck_assert(scout_has_room(scout) == !(_i & 2));
    scout_free(&scout);
    ck_assert_ptr_null(scout);
    source_close(&source);
}
END_TEST

/* ---- claims
 * -------------------------------------------------------------------------------------- */

START_TEST(claims)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.%s", files[_i].name, files[_i].form);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name), claimed = { 0 };
    bool tells = strcmp(files[_i].form, "pkcs8") != 0 ||
                 (strcmp(files[_i].name, "dsa") != 0 && strncmp(files[_i].name, "ed", 2) != 0);

    ck_assert_int_eq(hostkey_claim(&file, &claimed), tells ? 0 : -1);
    if (!tells)
        return;
    ck_assert(blob_equal(&claimed.blob, &pub.blob));
    ck_assert_str_eq(claimed.comment, strcmp(files[_i].form, "v1") == 0 ? "a key for tests" : "");
}
END_TEST

/* However much of an RSA key is cut off: it claims to be no DSA key, which has five numbers. */
START_TEST(claims_torn)
{
    static const char *const forms[] = { "v1", "pem", "pkcs8" };
    auto_blob struct blob file = file_bytes(KEYS_DIR "/rsa.%s", forms[_i]);
    auto_pubkey struct pubkey pub = pub_of("rsa");

    for (size_t len = 1; len < file.len; len++) {
        auto_blob struct blob part = blob_copy(file.data, len);
        auto_pubkey struct pubkey claimed = { 0 };

        if (hostkey_claim(&part, &claimed) < 0)
            continue;
        ck_assert_msg(strcmp(claimed.name, "ssh-rsa") == 0, "cut off at %zu: %s", len,
                      claimed.name);
        ck_assert_msg(len < 600 || blob_equal(&claimed.blob, &pub.blob), "cut off at %zu", len);
    }
}
END_TEST

/* Any byte may be any other: nothing crashes, and nothing comes out but the key itself. */
START_TEST(mutated)
{
    auto_blob struct blob file = file_bytes(KEYS_DIR "/%s.%s", files[_i].name, files[_i].form);
    auto_pubkey struct pubkey pub = pub_of(files[_i].name);

    for (uint64_t round = 0; round < 300; round++) {
        auto_blob struct blob copy = blob_copy(file.data, file.len), dice = noise(12, round);
        auto_hostkey struct hostkey *key = NULL;
        auto_pubkey struct pubkey claimed = { 0 };

        for (size_t i = 0; i < 12; i += 3)
            copy.data[(dice.data[i] << 8 | dice.data[i + 1]) % copy.len] = dice.data[i + 2];
        (void)hostkey_claim(&copy, &claimed);
        /* Where numbers are random, errors are searched for, which takes its time. */
        if (strncmp(files[_i].name, "rsa", 3) == 0 && round < 8 &&
            hostkey_rebuild(&copy, 1, &pub, NULL, NULL, &key) == 0)
            ck_assert(blob_equal(&hostkey_pub(key)->blob, &pub.blob));
    }
}
END_TEST

Suite *suite_recover(void)
{
    Suite *suite = suite_create("recover");
    TCase *tcase = tcase_create("recover"), *kinds = tcase_create("kinds");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 300);
    ADD_TABLE(tcase, whole, files);
    ADD(tcase, at_the_end);
    ADD_TABLE(tcase, of_ssh_keygen, made);
    tcase_add_loop_test(tcase, nothing, 1, 4);
    ADD(tcase, unwanted);
    ADD(tcase, by_fingerprint_and_hint);
    ADD(tcase, torn);
    ADD_TABLE(tcase, damaged_rsa, damages);
    ADD_TABLE(tcase, first_line_damaged, files);
    ADD_TABLE(tcase, flipped, flips);
    ADD(tcase, merged);
    tcase_add_loop_test(tcase, claim_damaged, 0, 2);
    ADD(tcase, beyond_repair);
    tcase_add_loop_test(kinds, every_offset, 0, 4 * ARRAY_SIZE(marks_table));
    tcase_add_loop_test(kinds, every_border, 0, 2 * ARRAY_SIZE(marks_table));
    ADD_TABLE(tcase, claims, files);
    tcase_add_loop_test(kinds, claims_torn, 0, 3);
    ADD_TABLE(tcase, mutated, files);
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(kinds, scratch_make, scratch_remove);
    tcase_set_timeout(kinds, 300);
    ADD_TABLE(kinds, rebuilt_unasked, alone);
    ADD_TABLE(kinds, behind_a_passphrase, encrypted);
    ADD(kinds, of_unknown_type);
    ADD(kinds, of_protocol_1);
    ADD_TABLE(kinds, of_ssh_keygen_1, made_1);
    tcase_add_loop_test(kinds, of_protocol_1_damaged, 0, 2);
    ADD_TABLE(kinds, in_gzip, files);
    tcase_add_loop_test(kinds, scouted, 0, 2);
    tcase_add_loop_test(kinds, scout_left, 0, 4);
    suite_add_tcase(suite, kinds);
    return suite;
}
