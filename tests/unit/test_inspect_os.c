/* SPDX-License-Identifier: MIT */
/* Which system, which accounts, which sshd. */
#include "unit.h"

#include "base/alloc.h"
#include "inspect/private.h"

#include <string.h>

/* ---- the distribution -------------------------------------------------------------------- */

static const struct {
    const char *release; /* os-release, as the distributions have it */
    const char *profile;
} systems[] = {
    { "ID=debian\nVERSION_ID=\"12\"\n", "Debian" },
    { "ID=debian\n", "Debian" }, /* testing has no version */
    { "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n", "Debian" },
    { "ID=raspbian\nID_LIKE=debian\nVERSION_ID=\"11\"\n", "Debian" },
    { "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"21.3\"\n", "Debian" },
    { "ID=kali\nID_LIKE=debian\nVERSION_ID=\"2024.2\"\n", "Debian" },
    { "ID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"\nVERSION_ID=\"2\"\n", "Amazon Linux 2" },
    { "ID=\"amzn\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"2023\"\n", "Amazon Linux 2023" },
    { "ID=\"alinux\"\nID_LIKE=\"rhel fedora centos anolis\"\nVERSION_ID=\"2.1903\"\n",
      "Alibaba Cloud Linux 2" },
    { "ID=\"alinux\"\nID_LIKE=\"rhel fedora centos anolis\"\nVERSION_ID=\"3\"\n",
      "Alibaba Cloud Linux 3, Anolis 8, OpenCloudOS 8, TencentOS 3" },
    { "ID=\"anolis\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"7.9\"\n", "Anolis 7" },
    { "ID=\"anolis\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"8.8\"\n",
      "Alibaba Cloud Linux 3, Anolis 8, OpenCloudOS 8, TencentOS 3" },
    { "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n", "Enterprise Linux 7" },
    { "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"8\"\n", "Enterprise Linux 8" },
    { "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"9\"\n", "Enterprise Linux 9" },
    { "ID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.10\"\n", "Enterprise Linux 8" },
    { "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n", "Enterprise Linux 9" },
    { "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"8.9\"\n",
      "Enterprise Linux 8" },
    { "ID=\"ol\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"7.9\"\n", "Enterprise Linux 7" },
    { "ID=\"ol\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\n", "Enterprise Linux 9" },
    { "ID=\"cloudlinux\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"8.8\"\n",
      "Enterprise Linux 8" },
    { "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"10.0\"\n",
      "Fedora, Enterprise Linux 10" },
    { "ID=fedora\nVERSION_ID=40\n", "Fedora, Enterprise Linux 10" },
    { "ID=\"sles\"\nID_LIKE=\"suse\"\nVERSION_ID=\"15.5\"\n", "SUSE" },
    { "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.6\"\n", "SUSE" },
    { "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\nVERSION_ID=\"20240601\"\n", "SUSE" },
    { "ID=\"opensuse-microos\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"20240601\"\n", "SUSE" },
    { "ID=arch\nBUILD_ID=rolling\n", "Arch" },
    { "ID=manjaro\nID_LIKE=arch\n", "Arch" },
    { "ID=alpine\nVERSION_ID=3.20.0\n", "Alpine" },
    { "ID=gentoo\n", "Gentoo" },
    { "ID=void\n", "other" },
    { "ID=\"openEuler\"\nVERSION_ID=\"22.03\"\n", "Alibaba Cloud Linux 4, Anolis 23, openEuler" },
    { "", "other" },
    { "not an os-release\n", "other" },
};

START_TEST(profile)
{
    auto_root struct root *root = NULL;
    auto_with(os_free) struct os os = { 0 };

    put_text("etc/os-release", systems[_i].release);
    root = scratch_root(ROOT_READ);
    os_inspect(root, &os);
    ck_assert_msg(strcmp(profile_of(&os)->name, systems[_i].profile) == 0, "%s: %s",
                  systems[_i].release, profile_of(&os)->name);
}
END_TEST

/* Those that count their own versions are not Enterprise Linux 2 or 3 for that. */
static const char *const own_numbers[] = {
    "ID=\"tencentos\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"3.1\"\n",
    "ID=\"tencentos\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"4.0\"\n",
    "ID=\"euleros\"\nID_LIKE=\"rhel fedora centos\"\nVERSION_ID=\"2.0 (SP8)\"\n",
};

START_TEST(own_number)
{
    auto_root struct root *root = NULL;
    auto_with(os_free) struct os os = { 0 };

    put_text("etc/os-release", own_numbers[_i]);
    root = scratch_root(ROOT_READ);
    os_inspect(root, &os);
    ck_assert_str_ne(profile_of(&os)->name, "Enterprise Linux 5 and 6");
}
END_TEST

static const struct {
    const char *text;
    const char *id, *version_id, *profile;
} releases[] = {
    { "CentOS release 6.10 (Final)\n", "rhel", "6.10", "Enterprise Linux 5 and 6" },
    { "Red Hat Enterprise Linux Server release 6.9 (Santiago)\n", "rhel", "6.9",
      "Enterprise Linux 5 and 6" },
    { "CentOS Linux release 7.0.1406 (Core)\n", "rhel", "7.0.1406", "Enterprise Linux 7" },
    { "Fedora release 18 (Spherical Cow)\n", "fedora", "18", "Fedora, Enterprise Linux 10" },
    { "something else\n", "", "", "other" },
};

START_TEST(redhat_release)
{
    auto_root struct root *root = NULL;
    auto_with(os_free) struct os os = { 0 };

    put_text("etc/redhat-release", releases[_i].text);
    root = scratch_root(ROOT_READ);
    os_inspect(root, &os);
    ck_assert_str_eq(os.id, releases[_i].id);
    ck_assert_str_eq(os.version_id, releases[_i].version_id);
    ck_assert_str_eq(profile_of(&os)->name, releases[_i].profile);
    ck_assert_str_ne(os.name, "");
}
END_TEST

START_TEST(os_release)
{
    auto_root struct root *root = NULL;
    auto_with(os_free) struct os os = { 0 };

    put_text("usr/lib/os-release", "# comment\nNAME='Some Linux'\nID=some\n VERSION_ID=\"1\" \n"
                                   "PRETTY_NAME=\"Some Linux 1 \"\nXID=other\nID=later\n");
    put_link("etc/os-release", "/usr/lib/os-release");
    put_text("etc/hostname", "  web-1.example.org  \n# x\n");
    root = scratch_root(ROOT_READ);
    os_inspect(root, &os);
    ck_assert_str_eq(os.id, "some");
    ck_assert_str_eq(os.id_like, "");
    ck_assert_str_eq(os.version_id, "1");
    ck_assert_str_eq(os.name, "Some Linux 1 ");
    ck_assert_str_eq(os.hostname, "web-1.example.org");
}
END_TEST

static const struct {
    const char *text, *id;
} machine_ids[] = {
    { "", "" },
    { "uninitialized\n", "" },
    { "0123456789abcdef0123456789abcde\n", "" },
    { "0123456789abcdef0123456789abcdef\n", "0123456789abcdef0123456789abcdef" },
    { "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef" },
    { "0123456789abcdef0123456789abcdef0\n", "" },
};

START_TEST(machine_id)
{
    auto_with(os_free) struct os os = { 0 };
    auto_root struct root *root = NULL;

    put_text("etc/machine-id", machine_ids[_i].text);
    root = scratch_root(ROOT_READ);
    os_inspect(root, &os);
    ck_assert_str_eq(os.machine_id, machine_ids[_i].id);
}
END_TEST

/* Nothing from a disk gets into the comment of a key but a host name. */
START_TEST(hostname_is_cleaned)
{
    static const struct {
        const char *text, *name;
    } names[] = { { "a b\n", "a" }, { "$(id)\n", "" }, { "\n", "" }, { "a\x1b[2J\n", "a" } };
    auto_root struct root *root = scratch_root(ROOT_READ);

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        auto_with(os_free) struct os os = { 0 };

        put_text("etc/hostname", names[i].text);
        os_inspect(root, &os);
        ck_assert_str_eq(os.hostname, names[i].name);
        ck_assert_str_eq(os.name, "Linux");
    }
}
END_TEST

/* ---- accounts ---------------------------------------------------------------------------------
 */

static struct inspection debian(void)
{
    struct inspection facts = {
        .os = { .id = xstrdup("debian"), .id_like = xstrdup(""), .version_id = xstrdup("12") }
    };

    facts.profile = profile_of(&facts.os);
    return facts;
}

START_TEST(accounts_with_damage)
{
    auto_root struct root *root = NULL;
    auto_inspection struct inspection facts = debian();
    const struct accounts *accounts = &facts.accounts;
    struct err e;

    put_text("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
                           "+\n+::::::\n\n:x:5:5::/:/bin/sh\n"
                           "short:x:1:1:/home\n"
                           "long:x:1:1:a:b:c:d\n"
                           "letters:x:one:1::/:/bin/sh\n"
                           "minus:x:-1:1::/:/bin/sh\n"
                           "nobody_at_all:x:4294967295:1::/:/bin/sh\n"
                           "huge:x:99999999999999999999:1::/:/bin/sh\n"
                           "alice:x:1000:1001:Alice,,,:/home/alice:/bin/sh\n"
                           "top:x:4294967294:65534::/nonexistent:");
    put_text("etc/group", "root:x:0:\n+:::\nshort:x:1\nssh_keys:x:998:\n"
                          "wheel:x:10:alice,bob\nletters:x:x:\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(accounts_inspect(root, &facts, &e), 0);
    ck_assert_uint_eq(accounts->user_count, 3);
    ck_assert_uint_eq(accounts->group_count, 3);
    ck_assert_uint_eq(accounts_user(accounts, "alice")->uid, 1000);
    ck_assert_uint_eq(accounts_user(accounts, "alice")->gid, 1001);
    ck_assert_str_eq(accounts_user(accounts, "alice")->home, "/home/alice");
    ck_assert_uint_eq(accounts_user(accounts, "top")->uid, 4294967294u);
    ck_assert_str_eq(accounts_user(accounts, "top")->shell, "");
    ck_assert_ptr_null(accounts_user(accounts, "short"));
    ck_assert_uint_eq(accounts_group(accounts, "ssh_keys")->gid, 998);
    ck_assert_str_eq(accounts_group(accounts, "wheel")->members, "alice,bob");
    ck_assert_ptr_null(accounts_group(accounts, "short"));
}
END_TEST

static const char *const account_files[] = { "etc/passwd", "etc/group" };

START_TEST(accounts_missing)
{
    auto_root struct root *root = NULL;
    auto_inspection struct inspection facts = debian();
    struct err e;

    put_text(account_files[_i], "");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(accounts_inspect(root, &facts, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.text, account_files[!_i]));
}
END_TEST

#define SHORT_PASSWD "root:x:0:0::/root:/bin/sh\n"
#define PASSWD SHORT_PASSWD "sshd:x:101:65534::/run/sshd:/bin/false\n"

static const struct {
    const char *text, *copy; /* of passwd, and of passwd-; NULL: there is none */
    bool lost, mendable;
} passwds[] = {
    { PASSWD, "", false, false },
    { SHORT_PASSWD, PASSWD, false, false }, /* root is in it: it is not lost */
    { "", PASSWD, true, true },
    { NULL, PASSWD, true, true },
    { "alice:x:1000:1000::/home/alice:/bin/sh\n", PASSWD, true, true },
    { "toor:x:0:0::/root:/bin/sh\n", NULL, true, false },
    { "", "", true, false },
    { "", SHORT_PASSWD, true, false },          /* without sshd's user it would not start */
    { "", PASSWD "alice:x:1000", true, false }, /* cut short */
    { "", PASSWD "alice:x:1000\n", true, false },
    { "", PASSWD "# x\n+::::::\n\n", true, true },
};

/* The accounts are those of the copy that will be put back. */
START_TEST(passwd_lost)
{
    auto_inspection struct inspection facts = debian();
    const struct substitute *lost = &facts.lost_accounts[ACCOUNT_PASSWD];
    auto_root struct root *root = NULL;
    struct err e;

    put_text("etc/group", "root:x:0:\n");
    if (passwds[_i].text)
        put_text("etc/passwd", passwds[_i].text);
    if (passwds[_i].copy)
        put_text("etc/passwd-", passwds[_i].copy);
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(accounts_inspect(root, &facts, &e), 0);
    ck_assert((lost->path != NULL) == passwds[_i].lost);
    ck_assert((lost->content.data != NULL) == passwds[_i].mendable);
    ck_assert((accounts_user(&facts.accounts, "root") != NULL) ==
              (passwds[_i].mendable || !passwds[_i].lost));
    ck_assert(!lost->path || lost->exists == (passwds[_i].text != NULL));
}
END_TEST

/* ---- sshd ---------------------------------------------------------------------------------------
 */

static const struct {
    const char *strings; /* of the program, each with its NUL */
    size_t len;
    const char *text; /* NULL: unknown */
    int version;
    bool group_keys;
} programs[] = {
#define PROGRAM(strings) (strings), sizeof(strings)
    { PROGRAM("OpenSSH_9.2\0OpenSSH_9.2p1 Debian-2+deb12u10\0OpenSSH_9.2p1"), "9.2p1",
      OPENSSH(9, 2), false },
    { PROGRAM("OpenSSH_10.2\0OpenSSH_10.2p1"), "10.2p1", OPENSSH(10, 2), false },
    { PROGRAM("OpenSSH_7.4*,OpenSSH_7.5*\0OpenSSH_6.6.1*\0OpenSSH_5.3p1"), "5.3p1", OPENSSH(5, 3),
      false },
    { PROGRAM("OpenSSH_2.*,OpenSSH_3.0*\0OpenSSH_7.4p1\0ssh_keys"), "7.4p1", OPENSSH(7, 4), true },
    { PROGRAM("OpenSSH_8.7p1\0no ssh_keys here"), "8.7p1", OPENSSH(8, 7), false },
    { PROGRAM("x OpenSSH_9.9p1\0OpenSSH_8.0p1"), "8.0p1", OPENSSH(8, 0), false },
    { PROGRAM("OpenSSH_8.0\0OpenSSH_8.0p1"), "8.0p1", OPENSSH(8, 0), false },
    { PROGRAM("OpenSSH_8.0p1\0OpenSSH_8.0"), "8.0p1", OPENSSH(8, 0), false },
    { PROGRAM("OpenSSH_6.6.1*\0OpenSSH_6.6.1\0OpenSSH_6.6.1p1 Ubuntu-2ubuntu2"), "6.6.1p1",
      OPENSSH(6, 6), false },
    { PROGRAM("OpenSSH_\0OpenSSH_x\0OpenSSH_9\0OpenSSH_9.\0OpenSSH_for_Windows_9.5"), NULL, 0,
      false },
    { PROGRAM("dropbear"), NULL, 0, false },
    { "OpenSSH_9.3p1", 13, "9.3p1", OPENSSH(9, 3), false }, /* cut off in the middle */
    { "", 0, NULL, 0, false },
};

static const struct profile *no_profile(void)
{
    const struct os os = { .id = (char *)"", .id_like = (char *)"", .version_id = (char *)"" };

    return profile_of(&os);
}

START_TEST(version)
{
    auto_root struct root *root = NULL;
    struct sshd sshd = { 0 };

    put_text("usr/sbin/other", "");
    put_bytes("usr/sbin/sshd", 0755, programs[_i].strings, programs[_i].len);
    root = scratch_root(ROOT_READ);
    sshd_inspect(root, no_profile(), NULL, &sshd);
    ck_assert_str_eq(sshd.path, "/usr/sbin/sshd");
    ck_assert_int_eq(sshd.version, programs[_i].version);
    ck_assert_int_eq(sshd.group_keys, programs[_i].group_keys);
    if (programs[_i].text)
        ck_assert_str_eq(sshd.version_text, programs[_i].text);
    else
        ck_assert_ptr_null(sshd.version_text);
    sshd_free(&sshd);
}
END_TEST

static const struct {
    const char *status; /* dpkg's */
    const char *text;
    int version;
} packages[] = {
    { "Package: openssh-client\nVersion: 1:9.9p1-1\n\nPackage: openssh-server\n"
      "Status: install ok installed\nVersion: 1:9.2p1-2+deb12u10\nDescription: x\n\n",
      "9.2p1", OPENSSH(9, 2) },
    { "Package: openssh-server\nVersion: 1:6.6p1-2ubuntu1\n\n", "6.6p1", OPENSSH(6, 6) },
    { "Package: a\n\nPackage: openssh-server\nStatus: x\n\nPackage: b\nVersion: 1:9.9p1-1\n", NULL,
      0 },
    { "Package: a\nVersion: 1:9.9p1-1\n", NULL, 0 },
    { "Package: a\n\nPackage: openssh-server\nVersion: rubbish\n", NULL, 0 },
    { "", NULL, 0 },
};

START_TEST(version_of_package)
{
    auto_root struct root *root = NULL;
    struct sshd sshd = { 0 };

    put_bytes("usr/sbin/sshd", 0755, "nothing", 8);
    put_text("var/lib/dpkg/status", packages[_i].status);
    root = scratch_root(ROOT_READ);
    sshd_inspect(root, no_profile(), NULL, &sshd);
    ck_assert_int_eq(sshd.version, packages[_i].version);
    if (packages[_i].text)
        ck_assert_str_eq(sshd.version_text, packages[_i].text);
    else
        ck_assert_ptr_null(sshd.version_text);
    sshd_free(&sshd);
}
END_TEST

static const struct {
    const char *release;
    int version;
} shipped[] = {
    { "ID=\"centos\"\nVERSION_ID=\"7\"\n", OPENSSH(7, 4) },
    { "ID=\"rocky\"\nVERSION_ID=\"8.9\"\n", OPENSSH(8, 0) },
    { "ID=\"alinux\"\nVERSION_ID=\"2.1903\"\n", OPENSSH(7, 4) },
    { "ID=debian\nVERSION_ID=\"12\"\n", 0 },
};

/* Neither the program nor a package tells: the distribution's own release. */
START_TEST(version_of_distribution)
{
    auto_root struct root *root = NULL;
    auto_with(os_free) struct os os = { 0 };
    struct sshd sshd = { 0 };

    put_text("etc/os-release", shipped[_i].release);
    root = scratch_root(ROOT_READ);
    os_inspect(root, &os);
    sshd_inspect(root, profile_of(&os), NULL, &sshd);
    ck_assert_ptr_null(sshd.path);
    ck_assert_int_eq(sshd.version, shipped[_i].version);
}
END_TEST

Suite *suite_inspect_os(void)
{
    Suite *suite = suite_create("inspect: os, accounts, sshd");
    TCase *tcase = tcase_create("os");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    ADD_TABLE(tcase, profile, systems);
    ADD_TABLE(tcase, own_number, own_numbers);
    ADD_TABLE(tcase, redhat_release, releases);
    ADD(tcase, os_release);
    ADD(tcase, hostname_is_cleaned);
    ADD_TABLE(tcase, machine_id, machine_ids);
    ADD(tcase, accounts_with_damage);
    ADD_TABLE(tcase, accounts_missing, account_files);
    ADD_TABLE(tcase, passwd_lost, passwds);
    ADD_TABLE(tcase, version, programs);
    ADD_TABLE(tcase, version_of_package, packages);
    ADD_TABLE(tcase, version_of_distribution, shipped);
    suite_add_tcase(suite, tcase);
    return suite;
}
