/* SPDX-License-Identifier: MIT */
/* Public keys, and the lines that clients are given. */
#include "unit.h"

#include "base/alloc.h"
#include "hostkey/hostkey.h"

#include <string.h>

static const struct {
    const char *name;
    const char *type, *label;
    int bits;
} pubs[] = {
    { "rsa", "ssh-rsa", "RSA", 2048 },
    { "rsa1024", "ssh-rsa", "RSA", 1024 },
    { "ecdsa256", "ecdsa-sha2-nistp256", "ECDSA", 256 },
    { "ecdsa384", "ecdsa-sha2-nistp384", "ECDSA", 384 },
    { "ecdsa521", "ecdsa-sha2-nistp521", "ECDSA", 521 },
    { "ed25519", "ssh-ed25519", "ED25519", 256 },
    { "dsa", "ssh-dss", "DSA", 1024 },
};

static struct blob pub_text(int row)
{
    return file_bytes(KEYS_DIR "/%s.pub", pubs[row].name);
}

static struct pubkey parsed(const struct blob *text)
{
    struct pubkey pub;

    ck_assert_int_eq(pubkey_parse(text, &pub), 0);
    return pub;
}

START_TEST(parse)
{
    auto_blob struct blob text = pub_text(_i);
    auto_pubkey struct pubkey pub = parsed(&text), copy = { 0 };
    auto_free char *back = pubkey_file_text(&pub);

    ck_assert_str_eq(pub.name, pubs[_i].type);
    ck_assert_str_eq(pub.comment, "a key for tests");
    ck_assert_ptr_eq(pubkey_type(&pub), key_type_named(pubs[_i].type));
    ck_assert_str_eq(pubkey_label(&pub), pubs[_i].label);
    ck_assert_int_eq(pubkey_bits(&pub), pubs[_i].bits);
    ck_assert_str_eq(back, (char *)text.data);
    ck_assert_int_eq(pubkey_copy(&pub, &copy), 0);
    ck_assert(blob_equal(&pub.blob, &copy.blob));
    ck_assert_str_eq(copy.comment, pub.comment);
}
END_TEST

START_TEST(known_hosts)
{
    auto_blob struct blob text = pub_text(_i);
    auto_pubkey struct pubkey pub = parsed(&text);
    auto_free char *line = pubkey_known_hosts(&pub, "host,192.0.2.1"), *expected = NULL;

    cut_comment(&text);
    expected = xasprintf("host,192.0.2.1 %s\n", (char *)text.data);
    ck_assert_str_eq(line, expected);
}
END_TEST

START_TEST(sshfp)
{
    auto_free char *path = xasprintf(KEYS_DIR "/%s.pub", pubs[_i].name);
    const char *const argv[] = { "ssh-keygen", "-r", "host.example.org", "-f", path, NULL };
    auto_blob struct blob text = pub_text(_i), expected = { 0 };
    auto_pubkey struct pubkey pub = parsed(&text);
    auto_free char *records = pubkey_sshfp(&pub, "host.example.org");

    ck_assert_int_eq(run_program(argv, &expected), 0);
    ck_assert_str_eq(records, (char *)expected.data);
}
END_TEST

/* ---- what is a .pub file, and what is not ---------------------------------------------- */

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
/* "ssh-new" and four bytes */
#define NEW_TYPE "AAAAB3NzaC1uZXcAAAAEAAAAAA=="

static const struct {
    const char *text;
    const char *type, *comment; /* NULL: not a public key */
} lines[] = {
    { "ssh-ed25519 " ED25519 "\n", "ssh-ed25519", "" },
    { "ssh-ed25519 " ED25519, "ssh-ed25519", "" },
    { "ssh-ed25519 " ED25519 " root@host\n", "ssh-ed25519", "root@host" },
    { "ssh-ed25519 " ED25519 "  two words \n", "ssh-ed25519", "two words" },
    { "ssh-ed25519\t" ED25519 "\troot@host\r\n", "ssh-ed25519", "root@host" },
    { "\n# a comment\n  ssh-ed25519 " ED25519 " x\n", "ssh-ed25519", "x" },
    { "ssh-ed25519 " ED25519 " first\nssh-ed25519 junk\n", "ssh-ed25519", "first" },
    { "ssh-new " NEW_TYPE " newer than this program\n", "ssh-new", "newer than this program" },
    { "", NULL, NULL },
    { "\n\n", NULL, NULL },
    { "# nothing\n", NULL, NULL },
    { "ssh-ed25519\n", NULL, NULL },
    { "ssh-ed25519 \n", NULL, NULL },
    { "ssh-ed25519 AAAA\n", NULL, NULL },
    { "ssh-ed25519 ****\n", NULL, NULL },
    { "ssh-rsa " ED25519 "\n", NULL, NULL },
    { "ssh-ed25519 " NEW_TYPE "\n", NULL, NULL },
    { "ssh-new " ED25519 "\n", NULL, NULL },
    { ED25519 "\n", NULL, NULL },
    { "from=\"*\" ssh-ed25519 " ED25519 "\n", NULL, NULL },
    /* four bytes too few, and four too many */
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAHAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", NULL,
      NULL },
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n",
      NULL, NULL },
    { "-----BEGIN OPENSSH PRIVATE KEY-----\n", NULL, NULL },
    { "---- BEGIN SSH2 PUBLIC KEY ----\n", NULL, NULL },
};

START_TEST(line)
{
    auto_blob struct blob text = blob_of_text(lines[_i].text);
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(pubkey_parse(&text, &pub), lines[_i].type ? 0 : -1);
    if (!lines[_i].type) {
        ck_assert_ptr_null(pub.name);
        return;
    }
    ck_assert_str_eq(pub.name, lines[_i].type);
    ck_assert_str_eq(pub.comment, lines[_i].comment);
}
END_TEST

START_TEST(private_key_is_no_public_key)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/ed25519.v1");
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(pubkey_parse(&text, &pub), -1);
    ck_assert_ptr_null(pub.name);
}
END_TEST

/* Bytes that end the text early do not end the judgement early. */
START_TEST(nul_bytes)
{
    auto_blob struct blob text = pub_text(_i), half = { 0 };
    auto_pubkey struct pubkey pub = { 0 };

    half = blob_copy(text.data, text.len);
    memset(half.data + half.len / 2, 0, half.len - half.len / 2);
    ck_assert_int_eq(pubkey_parse(&half, &pub), -1);
}
END_TEST

/* One bit changed: refused, or another key, or the same key with another comment; never a crash. */
START_TEST(flipped_bits)
{
    auto_blob struct blob text = pub_text(_i), original = { 0 };
    const size_t key_end = text.len - strlen(" a key for tests\n");

    original = blob_copy(text.data, text.len);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        auto_pubkey struct pubkey pub = { 0 }, is = parsed(&original);

        text.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (pubkey_parse(&text, &pub) == 0) {
            bool same = blob_equal(&pub.blob, &is.blob);

            ck_assert_msg(same == (bit / 8 >= key_end), "%s, bit %zu", pubs[_i].name, bit);
        }
        text.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}
END_TEST

START_TEST(unknown_type_has_no_sshfp)
{
    auto_blob struct blob text = blob_of_text("ssh-new " NEW_TYPE "\n");
    auto_pubkey struct pubkey pub = parsed(&text);
    auto_free char *records = pubkey_sshfp(&pub, "host");

    ck_assert_str_eq(records, "");
    ck_assert_int_eq(pubkey_bits(&pub), 0);
    ck_assert_str_eq(pubkey_label(&pub), "ssh-new");
}
END_TEST

START_TEST(digest)
{
    auto_blob struct blob nothing = blob_zeroed(0), abc = blob_of_text("abc");
    auto_free char *of_nothing = digest_hex(&nothing), *of_abc = digest_hex(&abc);

    ck_assert_str_eq(of_nothing,
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert_str_eq(of_abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

/* ---- certificates ------------------------------------------------------------------------------
 */

static const struct {
    const char *file, *key;
    bool host;
    uint64_t after, before;
} certs[] = {
    { "rsa.cert", "rsa", true, 0, UINT64_MAX },
    { "dsa.cert", "dsa", true, 0, UINT64_MAX },
    { "ecdsa256.cert", "ecdsa256", true, 0, UINT64_MAX },
    { "ed25519.cert", "ed25519", true, 0, UINT64_MAX },
    { "rsa.cert.user", "rsa", false, 0, UINT64_MAX },
    { "rsa.cert.expired", "rsa", true, 1577836800, 1580515200 },
    { "rsa.cert.early", "rsa", true, 3786912000, 3818448000 },
};

START_TEST(cert)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s", certs[_i].file);
    auto_blob struct blob pub_bytes = file_bytes(KEYS_DIR "/%s.pub", certs[_i].key);
    auto_pubkey struct pubkey pub = parsed(&pub_bytes);
    auto_hostcert struct hostcert read;

    ck_assert_int_eq(hostcert_parse(&text, &read), HOSTCERT_SOUND);
    ck_assert(blob_equal(&read.key, &pub.blob));
    ck_assert(read.host == certs[_i].host);
    ck_assert_uint_eq(read.valid_after, certs[_i].after);
    ck_assert_uint_eq(read.valid_before, certs[_i].before);
}
END_TEST

static const struct {
    const char *text;
    enum hostcert_verdict verdict;
} no_certs[] = {
    { "", HOSTCERT_DAMAGED },
    { "hello\n", HOSTCERT_DAMAGED },
    { "ssh-rsa-cert-v01@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDFAb3BlbnNzaC5jb20=\n",
      HOSTCERT_DAMAGED },
    { "ssh-rsa-cert-v00@openssh.com AAAAHHNzaC1yc2EtY2VydC12MDBAb3BlbnNzaC5jb20=\n",
      HOSTCERT_UNKNOWN },
    { "ssh-new-cert-v01@openssh.com AAAAHHNzaC1uZXctY2VydC12MDFAb3BlbnNzaC5jb20=\n",
      HOSTCERT_UNKNOWN },
};

START_TEST(no_cert)
{
    auto_blob struct blob text = blob_of_text(no_certs[_i].text);
    auto_hostcert struct hostcert read;

    ck_assert_int_eq(hostcert_parse(&text, &read), no_certs[_i].verdict);
}
END_TEST

START_TEST(plain_key_is_no_cert)
{
    auto_blob struct blob text = pub_text(_i);
    auto_hostcert struct hostcert read;

    ck_assert_int_eq(hostcert_parse(&text, &read), HOSTCERT_NONE);
}
END_TEST

/* Cut short anywhere in its base64, it is no certificate any more. */
START_TEST(cert_cut)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s", certs[_i].file);
    size_t end = (size_t)(strrchr((char *)text.data, '=')
                              ? strchr((char *)text.data, '=') - (char *)text.data
                              : 400);

    for (size_t len = strlen("ssh-rsa "); len < end - 4; len++) {
        auto_blob struct blob cut = blob_copy(text.data, len);
        auto_hostcert struct hostcert read;

        ck_assert_int_ne(hostcert_parse(&cut, &read), HOSTCERT_SOUND);
    }
}
END_TEST

Suite *suite_hostkey_public(void)
{
    Suite *suite = suite_create("hostkey: public");
    TCase *tcase = tcase_create("public");

    tcase_set_timeout(tcase, 600);
    ADD_TABLE(tcase, parse, pubs);
    ADD_TABLE(tcase, known_hosts, pubs);
    ADD_TABLE(tcase, sshfp, pubs);
    ADD_TABLE(tcase, line, lines);
    ADD(tcase, private_key_is_no_public_key);
    ADD_TABLE(tcase, nul_bytes, pubs);
    ADD_TABLE(tcase, flipped_bits, pubs);
    ADD(tcase, unknown_type_has_no_sshfp);
    ADD(tcase, digest);
    ADD_TABLE(tcase, cert, certs);
    ADD_TABLE(tcase, no_cert, no_certs);
    ADD_TABLE(tcase, plain_key_is_no_cert, pubs);
    ADD_TABLE(tcase, cert_cut, certs);
    suite_add_tcase(suite, tcase);
    return suite;
}
