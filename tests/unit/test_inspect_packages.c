/* SPDX-License-Identifier: MIT */
/* The release of sshd by each package database; rpm's of today is made by rpm itself. */
#include "inspect/private.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RPM "var/lib/rpm/Packages"

static void expect_version(const char *version)
{
    auto_root struct root *root = scratch_root(ROOT_READ);
    auto_free char *found = package_version(root);

    if (version)
        ck_assert_msg(found && strcmp(found, version) == 0, "%s, not %s", found, version);
    else
        ck_assert_msg(!found, "%s", found);
}

static const struct {
    const char *path, *text;
    const char *version;
} texts[] = {
    { "var/lib/dpkg/status", "Package: openssh-server\nVersion: 1:9.2p1-2+deb12u10\n\n", "9.2p1" },
    { "var/lib/dpkg/status", "Package: openssh-client\nVersion: 1:9.2p1-2\n\n", NULL },
    { "lib/apk/db/installed",
      "C:Q1x=\nP:openssh-keygen\nV:9.0_p1-r1\n\nC:Q1y=\nP:openssh-server\nV:9.7_p1-r4\nA:x\n\n",
      "9.7p1" },
    { "usr/lib/apk/db/installed", "P:openssh-server\nV:10.0_p1-r7\n", "10.0p1" },
    { "lib/apk/db/installed", "P:openssh\nV:7.2_p2-r3\n", "7.2p2" },
    { "lib/apk/db/installed", "P:openssh-server\n\nP:other\nV:9.7_p1-r4\n", NULL },
    { "lib/apk/db/installed", "P:other\nD:openssh-server\nV:9.7_p1-r4\n", NULL },
    { "lib/apk/db/installed", "", NULL },
    { "var/lib/pacman/local/openssh-9.8p1-1/desc", "%NAME%\nopenssh\n", "9.8p1" },
    { "var/lib/pacman/local/openssh-askpass-2.1-1/desc", "", NULL },
    { "var/db/pkg/net-misc/openssh-9.8_p1-r1/PF", "openssh-9.8_p1-r1\n", "9.8p1" },
    { "var/db/pkg/net-misc/openssh-contrib-9.8_p1/PF", "", NULL },
};

START_TEST(text)
{
    put_text(texts[_i].path, texts[_i].text);
    expect_version(texts[_i].version);
}
END_TEST

START_TEST(newest_folder)
{
    put_dir("var/db/pkg/net-misc/openssh-10.0_p1");
    put_dir("var/db/pkg/net-misc/openssh-9.9_p2");
    expect_version("10.0p1");
}
END_TEST

/* ---- rpm ------------------------------------------------------------------------------------- */

static const char spec[] =
    "Name: openssh\nVersion: 8.0p1\nRelease: 19.el8\nSummary: x\nLicense: x\nBuildArch: noarch\n"
    "%description\nx\n%files\n"
    "%package server\nSummary: x\n%description server\nx\n%files server\n"
    /* the name and a version side by side, as the last of one list and the first of the next */
    "%package clients\nSummary: x\nConflicts: openssh-server < 9.4p1\n%description clients\nx\n"
    "%files clients\n"
    "%package ldap\nVersion: 1\nSummary: x\nRequires: openssh-server < 9.5p1\n"
    "%description ldap\nx\n%files ldap\n";

static const struct {
    const char *packages[3];
    const char *version;
} rpms[] = {
    { { "openssh-clients-8.0p1", "openssh-server-8.0p1" }, "8.0p1" },
    { { "openssh-8.0p1" }, "8.0p1" },
    { { "openssh-clients-8.0p1", "openssh-ldap-1" }, NULL },
};

static void build_packages(void)
{
    auto_free char *top = xasprintf("_topdir %s/top", scratch);
    auto_free char *file = xasprintf("%s/openssh.spec", scratch);
    const char *const argv[] = { "rpmbuild", "-bb", "--quiet", "-D", top, file, NULL };

    put_text("openssh.spec", spec);
    ck_assert_int_eq(run_program(argv, NULL), 0);
}

START_TEST(rpm)
{
    auto_free char *made = xasprintf("%s/var/lib/rpm/rpmdb.sqlite", scratch);
    struct stat unused;

    build_packages();
    for (const char *const *package = rpms[_i].packages; *package; package++) {
        auto_free char *file =
            xasprintf("%s/top/RPMS/noarch/%s-19.el8.noarch.rpm", scratch, *package);
        const char *const argv[] = { "rpm",
                                     "--root",
                                     scratch,
                                     "-D",
                                     "_db_backend sqlite",
                                     "-D",
                                     "_dbpath /var/lib/rpm",
                                     "--justdb",
                                     "--nodeps",
                                     "--nosignature",
                                     "-i",
                                     file,
                                     NULL };

        ck_assert_int_eq(run_program(argv, NULL), 0);
    }
    ck_assert_msg(stat(made, &unused) == 0, "%s", made);
    expect_version(rpms[_i].version);
}
END_TEST

#define HEADER(name, version, release) "C\0" name "\0" version "\0" release "\0summary"

/* Berkeley DB's and ndb's, which Debian's rpm does not write: a head of 26 or 32 bytes, then the
 * header. */
static const struct {
    const char *bytes;
    size_t len;
    const char *version;
} headers[] = {
#define BYTES(bytes) (bytes), sizeof(bytes)
    { BYTES(HEADER("openssh-server", "7.4p1", "23.el7_9")), "7.4p1" },
    { BYTES(HEADER("openssh", "7.2p2", "81.9.1")), "7.2p2" },
    { BYTES(HEADER("openssh", "9.9p1", "1") HEADER("openssh-server", "7.4p1", "2")), "7.4p1" },
    /* an upgrade has left the old one in a free page */
    { BYTES(HEADER("openssh-server", "7.4p1", "9") HEADER("openssh-server", "10.0p1", "1")
                HEADER("openssh-server", "7.4p1", "8")),
      "10.0p1" },
    { BYTES(HEADER("openssh-clients", "7.4p1", "23.el7_9")), NULL },
    { BYTES("x\0openssh-server\0007.4p1\00023.el7\0"), NULL },
    { BYTES(HEADER("openssh-server", "7.4p1-23", "23.el7")), NULL },
    { BYTES(HEADER("openssh-server", "x7.4p1", "23.el7")), NULL },
    { BYTES(HEADER("openssh-server", "", "23.el7")), NULL },
    { BYTES(HEADER("openssh-server", "7.4p1", "")), NULL },
    { BYTES(HEADER("openssh-server", "7.4\x1b[2J", "1")), NULL },
    { "C\0openssh-server\0007.4p1\00023", 25, NULL }, /* cut off */
    { "C\0openssh-server\0007.4", 20, NULL },
    { "C\0openssh-server", 17, NULL },
    { "", 0, NULL },
};

START_TEST(header)
{
    /* Around the seam between two parts that are read, too. */
    static const size_t places[] = { 0,
                                     26,
                                     4096 + 26,
                                     1024 * 1024 - 300,
                                     1024 * 1024 - 256,
                                     1024 * 1024 - 30,
                                     1024 * 1024 - 8,
                                     1024 * 1024 };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        auto_blob struct blob file = blob_zeroed(places[i] + headers[_i].len);

        memcpy(file.data + places[i], headers[_i].bytes, headers[_i].len);
        put_bytes(_i % 2 ? RPM : RPM ".db", 0644, file.data, file.len);
        expect_version(headers[_i].version);
    }
}
END_TEST

/* Not a file, and one without an end. */
START_TEST(hostile)
{
    auto_free char *path = xasprintf("%s/" RPM, scratch);

    put_dir(RPM);
    put_link("lib/apk/db/installed", "/lib/apk/db/installed");
    put_dir("var/lib/dpkg/status");
    expect_version(NULL);
    ck_assert_int_eq(rmdir(path), 0);
    put_text(RPM, "");
    ck_assert_int_eq(truncate(path, INT64_C(1) << 40), 0);
    expect_version(NULL);
}
END_TEST

Suite *suite_inspect_packages(void)
{
    Suite *suite = suite_create("inspect: packages");
    TCase *tcase = tcase_create("packages");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 120);
    ADD_TABLE(tcase, text, texts);
    ADD(tcase, newest_folder);
    ADD_TABLE(tcase, rpm, rpms);
    ADD_TABLE(tcase, header, headers);
    ADD(tcase, hostile);
    suite_add_tcase(suite, tcase);
    return suite;
}
