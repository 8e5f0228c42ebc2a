/* SPDX-License-Identifier: MIT */
/* Lines of sshd_config as sshd of several releases takes them, and how they are mended. */
#include "config/config.h"

#include "base/alloc.h"
#include "hostkey/hostkey.h"
#include "unit.h"

#include <string.h>

#define V(major, minor) OPENSSH(major, minor)

/* An sshd that a distribution has patched. */
static bool debian_holds(const void *program, const char *text)
{
    (void)program;
    return strcmp(text, "debianbanner") == 0 || strcmp(text, "aes128-ctr") == 0 ||
           strcmp(text, "ssh-ed25519") == 0;
}

static bool loads(const char *text, int openssh)
{
    const struct config_reader reader = { .openssh = openssh };
    auto_blob struct blob blob = blob_of_text(text);

    return config_text_loads(&blob, &reader);
}

static const struct {
    const char *text;
    int fails[4], loads[4]; /* releases; 0: no more */
} rows[] = {
    { "Port 22\n", { 0 }, { V(5, 3), V(7, 4), V(9, 2), V(10, 5) } },
    { "Nonsense 1\n", { V(5, 3), V(7, 4), V(9, 2), V(10, 5) }, { 0 } },
    { "Include /etc/x\n", { V(5, 3), V(8, 1) }, { V(8, 2), V(9, 2) } },
    { "RequiredRSASize 2048\n", { V(7, 4), V(9, 0) }, { V(9, 1), V(10, 0) } },
    { "PubkeyAcceptedAlgorithms ssh-ed25519\n", { V(8, 4) }, { V(8, 5), V(9, 2) } },
    { "PubkeyAcceptedKeyTypes ssh-ed25519\n", { V(6, 7) }, { V(6, 8), V(9, 2) } },
    { "UsePrivilegeSeparation yes\n", { 0 }, { V(5, 3), V(7, 4), V(9, 2) } },
    { "Protocol 3\n", { V(5, 3), V(7, 3) }, { V(7, 4), V(9, 2) } },
    { "UsePAM YES\n", { V(7, 4), V(7, 6) }, { V(7, 7), V(9, 2) } },
    { "MaxAuthTries 6x\n", { V(7, 7), V(9, 2) }, { V(7, 4) } },
    { "PermitRootLogin prohibit-password\n", { V(6, 7) }, { V(7, 0), V(9, 2) } },
    { "Ciphers arcfour\n", { V(7, 6), V(9, 2) }, { V(5, 3), V(7, 4) } },
    { "Ciphers +aes128-cbc\n", { V(6, 7) }, { V(7, 0), V(9, 2) } },
    { "Ciphers -nonsense\n", { V(7, 4) }, { V(7, 5), V(9, 2) } },
    { "Ciphers ^aes128-ctr\n", { V(8, 0) }, { V(8, 1), V(9, 2) } },
    { "HostKeyAlgorithms ssh-dss\n", { V(10, 1) }, { V(7, 4) } },
    { "KexAlgorithms mlkem768x25519-sha256\n", { V(9, 8) }, { V(9, 9), V(10, 0) } },
    { "Subsystem sftp a\nSubsystem sftp b\n", { V(7, 4), V(9, 4) }, { V(9, 5), V(10, 0) } },
    { "Match User x\nSubsystem s b\n", { V(9, 4) }, { V(9, 5) } },
    { "Match User x\nPort 22\n", { V(5, 3), V(9, 2), V(10, 5) }, { 0 } },
    { "Match all\nPort 22\n", { V(6, 4) }, { V(6, 5), V(9, 2) } },
    { "Match User\n", { V(5, 3), V(9, 2) }, { 0 } },
    { "Match invalid-user\n", { V(9, 8) }, { V(9, 9) } },
    { "Match Address 10.0.0.0/99\n", { V(7, 4), V(9, 2) }, { 0 } },
    { "Banner \"/a b\n", { V(7, 4), V(9, 2) }, { 0 } },
    { "Banner '/a b'\n", { V(8, 6) }, { V(8, 7), V(9, 2) } },
    { "AuthorizedKeysFile\n", { V(8, 7) }, { V(8, 4) } },
    { "HostKey none\n", { V(6, 8), V(9, 2) }, { 0 } },
    { "AuthorizedKeysCommand /x\n", { V(6, 2), V(9, 2) }, { 0 } },
    { "\xEF\xBB\xBFPort 22\n", { V(5, 3), V(9, 2) }, { 0 } },
    { "GSSAPIKeyExchange no\n", { 0 }, { V(7, 4), V(9, 2) } }, /* nobody to ask: lenient */
};

START_TEST(by_release)
{
    for (size_t i = 0; i < 4 && rows[_i].fails[i]; i++)
        ck_assert_msg(!loads(rows[_i].text, rows[_i].fails[i]), "%d: %s", rows[_i].fails[i],
                      rows[_i].text);
    for (size_t i = 0; i < 4 && rows[_i].loads[i]; i++)
        ck_assert_msg(loads(rows[_i].text, rows[_i].loads[i]), "%d: %s", rows[_i].loads[i],
                      rows[_i].text);
}
END_TEST

/* The program is asked for what only patched builds have. */
START_TEST(patched)
{
    const struct config_reader reader = { .openssh = V(9, 2), .holds = debian_holds };
    auto_blob struct blob known = blob_of_text("DebianBanner no\nCiphers aes128-ctr\n");
    auto_blob struct blob unknown = blob_of_text("ShowPatchLevel no\n");
    auto_blob struct blob left_out = blob_of_text("HostKeyAlgorithms ssh-dss\n");

    ck_assert(config_text_loads(&known, &reader));
    ck_assert(!config_text_loads(&unknown, &reader));
    ck_assert(!config_text_loads(&left_out, &reader));
}
END_TEST

static const struct {
    const char *text;
    bool destroyed;
} wholes[] = {
    { "", true },
    { "\n \n", true },
    { "<html>\n", true },
    { "root:*:19000:0:99999:7:::\n", true },
    { "Port 22\n", false },
    { "# nothing is set\n", false },
    { "Foo\nPort 22\n", false },
};

START_TEST(destroyed)
{
    auto_blob struct blob text = blob_of_text(wholes[_i].text);
    auto_blob struct blob nul = blob_zeroed(300);

    ck_assert_int_eq(config_destroyed(&text, V(9, 2)), wholes[_i].destroyed);
    ck_assert(config_destroyed(&nul, V(9, 2)));
}
END_TEST

static void offer(int openssh, const char *spec, const char *wanted, bool there)
{
    const struct config_reader reader = { .openssh = openssh };
    char **names = config_hostkey_algorithms(&reader, spec);
    bool found = false;

    for (char **name = names; *name; name++) {
        found = found || strcmp(*name, wanted) == 0;
        free(*name);
    }
    free(names);
    ck_assert_msg(found == there, "%d %s: %s", openssh, spec ? spec : "-", wanted);
}

START_TEST(offered)
{
    offer(V(9, 2), NULL, "ssh-ed25519", true);
    offer(V(9, 2), NULL, "ssh-rsa", false);
    offer(V(8, 7), NULL, "ssh-rsa", true);
    offer(V(6, 6), NULL, "ssh-dss", true);
    offer(V(9, 2), "+ssh-rsa", "ssh-rsa", true);
    offer(V(9, 2), "-ssh-ed*", "ssh-ed25519", false);
    offer(V(9, 2), "-ssh-ed*", "rsa-sha2-512", true);
    offer(V(9, 2), "rsa-sha2-256", "ssh-ed25519", false);
    offer(V(9, 2), "^ssh-rsa", "ssh-ed25519", true);
}
END_TEST

/* Whatever becomes of a configuration, it is judged and nothing more happens. */
START_TEST(mutated)
{
    static const int releases[] = { V(5, 3), V(8, 4), V(9, 2), 0 };
    const struct config_reader reader = { .openssh = releases[_i] };
    auto_blob struct blob text = file_bytes("tests/config/match");
    size_t verdicts[2] = { 0 };

    for (size_t len = 0; len <= text.len; len += len < 200 ? 1 : 7) {
        auto_blob struct blob cut = blob_copy(text.data, len);

        verdicts[config_text_loads(&cut, &reader)]++;
    }
    for (size_t bit = 0; bit < text.len * 8; bit += 13) {
        auto_blob struct blob flipped = blob_copy(text.data, text.len);

        flipped.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        verdicts[config_text_loads(&flipped, &reader)]++;
        verdicts[config_destroyed(&flipped, reader.openssh)]++;
    }
    ck_assert_uint_gt(verdicts[0], 0);
    ck_assert_uint_gt(verdicts[1], 0);
}
END_TEST

Suite *suite_config_judge(void)
{
    Suite *suite = suite_create("config: judge");
    TCase *tcase = tcase_create("judge");

    tcase_set_timeout(tcase, 120);
    ADD_TABLE(tcase, by_release, rows);
    ADD(tcase, patched);
    ADD_TABLE(tcase, destroyed, wholes);
    ADD(tcase, offered);
    tcase_add_loop_test(tcase, mutated, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
