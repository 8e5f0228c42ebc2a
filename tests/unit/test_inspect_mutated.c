/* SPDX-License-Identifier: MIT */
/* Files that the inspection reads beside the keys, cut short, with flipped bits, and as junk. */
#include "inspect/private.h"

#include "base/alloc.h"
#include "unit.h"

#include <string.h>

static const char unit_text[] =
    "[Unit]\nConditionPathExists=!/etc/ssh/sshd_not_to_be_run\n[Service]\n"
    "EnvironmentFile=-/etc/default/ssh\nExecStart=/usr/sbin/sshd -D\n[Install]\n"
    "WantedBy=multi-user.target\n";
static const char pam_text[] =
    "@include common-auth\naccount required pam_nologin.so\n"
    "session [success=ok ignore=ignore default=bad] pam_selinux.so close\n"
    "auth substack password-auth # no\n-auth optional pam_x.so\n";
static const char deny_text[] = "# x\nsshd : ALL \\\n  : deny\nALL: ALL\nsshd: 10. : allow\n";
static const char cloud_text[] = "users:\n - default\nssh_deletekeys: \"false\" # x\n";
static const char moduli_text[] = "20220714110357 2 6 100 2047 2 E98F2A\n";
static const char passwd_text[] =
    "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/x\n";

static const struct {
    const char *path, *text;
} files[] = {
    { "usr/lib/systemd/system/ssh.service", unit_text },
    { "etc/pam.d/sshd", pam_text },
    { "etc/hosts.deny", deny_text },
    { "etc/cloud/cloud.cfg", cloud_text },
    { "etc/ssh/moduli", moduli_text },
    { "etc/passwd", passwd_text },
    { "usr/lib/systemd/system/sshd.service",
      "[Service]\nEnvironmentFile=-/etc/crypto-policies/back-ends/opensshserver.config\n"
      "ExecStart=/usr/sbin/sshd -D $CRYPTO_POLICY\n" },
    { "etc/crypto-policies/back-ends/opensshserver.config",
      "CRYPTO_POLICY='-oCiphers=aes256-ctr -oHostKeyAlgorithms=rsa-sha2-256'\n" },
    { "etc/kernel/cmdline", "ro fips=1\n" },
    { "etc/group", "root:x:0:\nshadow:x:42:\n" },
    { "etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n" },
    { "etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n/opt/lib\n" },
    { "home/alice/.ssh/authorized_keys", "\xEF\xBB\xBFssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA x\n" },
};

static void put_all(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        put_bytes(files[i].path, 0644, files[i].text, strlen(files[i].text));
    put_text("etc/ssh/sshd_config", "UsePAM yes\n");
}

/* An inspection that comes to an end, with facts or with a reason. */
static void inspect_once(void)
{
    auto_root struct root *root = scratch_root(ROOT_READ);
    auto_inspection struct inspection facts = { 0 };
    struct err e = { 0 };

    if (inspect(root, NULL, &facts, &e) < 0)
        ck_assert_str_ne(e.text, "");
    else
        ck_assert_ptr_nonnull(facts.profile);
}

START_TEST(mutated)
{
    size_t len = strlen(files[_i].text);

    put_all();
    for (size_t i = 0; i <= len; i += 3) {
        put_bytes(files[_i].path, 0644, files[_i].text, i);
        inspect_once();
    }
    for (size_t bit = 0; bit < len * 8; bit += 37) {
        auto_blob struct blob flipped = blob_copy(files[_i].text, len);

        flipped.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put_bytes(files[_i].path, 0644, flipped.data, flipped.len);
        inspect_once();
    }
}
END_TEST

static const char *const key_files[][2] = {
    { "etc/ssh/ssh_host_key", "rsa1.ssh1" },
    { "etc/ssh/ssh_host_key.pub", "rsa1.pub" },
};

/* A key of protocol 1, for an sshd that loads it. */
START_TEST(protocol_1)
{
    static const char program[] = "\x7f"
                                  "ELF\0OpenSSH_5.3p1";
    auto_blob struct blob bytes = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(key_files); i++) {
        bytes = file_bytes(KEYS_DIR "/%s", key_files[i][1]);
        put_bytes(key_files[i][0], 0600, bytes.data, bytes.len);
        blob_free(&bytes);
    }
    put_all();
    put_text("etc/os-release", "ID=centos\nVERSION_ID=5\n");
    put_bytes("usr/sbin/sshd", 0755, program, sizeof program);
    bytes = file_bytes(KEYS_DIR "/%s", key_files[_i][1]);
    for (size_t cut = 0; cut <= bytes.len; cut += 3) {
        put_bytes(key_files[_i][0], 0600, bytes.data, cut);
        inspect_once();
    }
    for (size_t bit = 0; bit < bytes.len * 8; bit += 37) {
        bytes.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put_bytes(key_files[_i][0], 0600, bytes.data, bytes.len);
        inspect_once();
        bytes.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}
END_TEST

/* A real program as sshd: whole it is judged, cut short it is not. */
START_TEST(programs)
{
    auto_blob struct blob program = file_bytes("/bin/true");
    size_t judged = 0;

    put_all();
    for (size_t cut = 0; cut < 4096; cut += 61) {
        auto_root struct root *root = NULL;
        auto_with(elf_file_free) struct elf_file file = { 0 };

        put_bytes("usr/sbin/sshd", 0755, program.data, cut);
        root = scratch_root(ROOT_READ);
        judged += elf_file_read(root, "/usr/sbin/sshd", cut, &file) == 0;
    }
    ck_assert_uint_eq(judged, 0);
    for (size_t bit = 0; bit < 1024 * 8; bit += 5) {
        auto_root struct root *root = NULL;
        auto_with(elf_file_free) struct elf_file file = { 0 };
        auto_blob struct blob flipped = blob_copy(program.data, program.len);

        flipped.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put_bytes("usr/sbin/sshd", 0755, flipped.data, flipped.len);
        root = scratch_root(ROOT_READ);
        judged += elf_file_read(root, "/usr/sbin/sshd", flipped.len, &file) == 0;
    }
    ck_assert_uint_gt(judged, 0); /* most bits of a header are of no weight for the loader */
}
END_TEST

Suite *suite_inspect_mutated(void)
{
    Suite *suite = suite_create("inspect: mutated");
    TCase *tcase = tcase_create("mutated");

    tcase_set_timeout(tcase, 240);
    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    ADD_TABLE(tcase, mutated, files);
    ADD_TABLE(tcase, protocol_1, key_files);
    ADD(tcase, programs);
    suite_add_tcase(suite, tcase);
    return suite;
}
