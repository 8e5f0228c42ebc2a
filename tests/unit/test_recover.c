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

static const struct {
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
    static const unsigned char around[] = { 0, '-', 0xff };

    for (size_t fill = 0; fill < ARRAY_SIZE(around); fill++) {
        for (size_t at = 0; at < 700; at++) {
            auto_blob struct blob bytes = blob_zeroed(1024);
            struct marks marks = { 0 };

            memset(bytes.data, around[fill], bytes.len);
            memcpy(bytes.data + at, marks_table[_i].bytes, marks_table[_i].len);
            scan_bytes(bytes.data, bytes.len, bytes.len, SCAN_ZSTD, on_mark, &marks);
            ck_assert_msg(marks.count == 1 && marks.at == at && marks.mark == marks_table[_i].mark,
                          "at %zu: %zu, the last at %zu", at, marks.count, marks.at);
        }
    }
}
END_TEST

/* What begins before a border belongs to this side, all the rest to the other. */
START_TEST(every_border)
{
    for (size_t starts = 256; starts < 520; starts++) {
        for (size_t at = 200; at < 560; at++) {
            auto_blob struct blob bytes = blob_zeroed(1024);
            struct marks marks = { 0 };

            memcpy(bytes.data + at, marks_table[_i].bytes, marks_table[_i].len);
            scan_bytes(bytes.data, bytes.len, starts, SCAN_ZSTD, on_mark, &marks);
            ck_assert_uint_eq(marks.count, at < starts);
        }
    }
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
    TCase *tcase = tcase_create("recover");

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
    ADD(tcase, beyond_repair);
    ADD_TABLE(tcase, every_offset, marks_table);
    ADD_TABLE(tcase, every_border, marks_table);
    ADD_TABLE(tcase, claims, files);
    ADD_TABLE(tcase, mutated, files);
    suite_add_tcase(suite, tcase);
    return suite;
}
