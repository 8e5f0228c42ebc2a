/* SPDX-License-Identifier: MIT */
/* sshd_config, split as sshd splits it (servconf.c, misc.c). */
#include "unit.h"

#include "base/alloc.h"
#include "inspect/private.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct profile *debian(void)
{
    const struct os os = { .id = (char *)"debian",
                           .id_like = (char *)"",
                           .version_id = (char *)"12" };

    return profile_of(&os);
}

static const struct profile *suse(void)
{
    const struct os os = { .id = (char *)"opensuse-leap",
                           .id_like = (char *)"suse opensuse",
                           .version_id = (char *)"15.6" };

    return profile_of(&os);
}

/* "keyword|argument|argument" a line, with "match " before those inside a Match block. */
static char *as_text(const struct config *config)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < config->count; i++) {
        const struct directive *line = &config->directives[i];
        char *longer = xasprintf("%s%s%s", text, line->in_match ? "match " : "", line->keyword);

        free(text);
        text = longer;
        for (char **argument = line->args; *argument; argument++) {
            longer = xasprintf("%s|%s", text, *argument);
            free(text);
            text = longer;
        }
        longer = xasprintf("%s\n", text);
        free(text);
        text = longer;
    }
    return text;
}

static void check_config(int openssh, const char *expected)
{
    auto_root struct root *root = scratch_root(ROOT_READ);
    auto_with(config_free) struct config config = { 0 };
    auto_free char *text = NULL;

    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = openssh }, &config, NULL), 0);
    text = as_text(&config);
    ck_assert_str_eq(text, expected);
}

/* ---- one line ------------------------------------------------------------------------------- */

enum { ANY, OLD, NEW }; /* which sshd: 8.6 and before, 8.7 and later */

static const struct {
    const char *line;
    int which;
    const char *expected;
} lines[] = {
    { "", ANY, "" },
    { "   \t", ANY, "" },
    { "# HostKey /a", ANY, "" },
    { "   # HostKey /a", ANY, "" },
    { "HostKey /a", ANY, "HostKey|/a\n" },
    { "  HostKey\t/a  ", ANY, "HostKey|/a\n" },
    { "hostkey /a", ANY, "hostkey|/a\n" },
    { "HostKey=/a", ANY, "HostKey|/a\n" },
    { "HostKey =/a", ANY, "HostKey|/a\n" },
    { "HostKey= /a", ANY, "HostKey|/a\n" },
    { "HostKey = /a", ANY, "HostKey|/a\n" },
    { "HostKey /a\r", ANY, "HostKey|/a\n" },
    { "HostKey \"/a\"", ANY, "HostKey|/a\n" },
    { "HostKey \"/a b\"", ANY, "HostKey|/a b\n" },
    { "HostKey=\"/a b\"", ANY, "HostKey|/a b\n" },
    { "HostKey", ANY, "HostKey\n" },
    { "AllowUsers a b  c", ANY, "AllowUsers|a|b|c\n" },
    { "Subsystem sftp /usr/lib/sftp -l INFO", ANY, "Subsystem|sftp|/usr/lib/sftp|-l|INFO\n" },
    { "HostKey /a # why", ANY, "HostKey|/a\n" },
    { "HostKey /a#b", OLD, "HostKey|/a\n" },
    { "HostKey /a#b", NEW, "HostKey|/a#b\n" },
    { "Banner \"/a#b\"", NEW, "Banner|/a#b\n" },
    { "HostKey '/a b'", NEW, "HostKey|/a b\n" },
    { "Banner \"it's\"", NEW, "Banner|it's\n" },
    { "HostKey \"\"", NEW, "HostKey|\n" },
    { "HostKey /a\\ b", NEW, "HostKey|/a b\n" },
    { "Banner \"a \\\"b\\\"\"", NEW, "Banner|a \"b\"\n" },
};

START_TEST(line)
{
    static const int releases[][2] = { [ANY] = { OPENSSH(5, 3), OPENSSH(10, 2) },
                                       [OLD] = { OPENSSH(5, 3), OPENSSH(8, 6) },
                                       [NEW] = { OPENSSH(8, 7), OPENSSH(10, 2) } };
    auto_free char *text = xasprintf("%s\n", lines[_i].line);

    put_text("etc/ssh/sshd_config", text);
    for (size_t i = 0; i < 2; i++)
        check_config(releases[lines[_i].which][i], lines[_i].expected);
}
END_TEST

/* Where the release is unknown, a present-day sshd is assumed. */
START_TEST(unknown_release)
{
    put_text("etc/ssh/sshd_config", "HostKey /a#b\nHostKey '/a b'\n");
    check_config(0, "HostKey|/a#b\nHostKey|/a b\n");
}
END_TEST

START_TEST(whole_file)
{
    put_text("etc/ssh/sshd_config", "Port 22\r\n\r\nHostKey /a\r\nMatch User x\r\n"
                                    "  PasswordAuthentication no\r\nMatch all\r\nX11Forwarding no");
    check_config(OPENSSH(9, 2), "Port|22\nHostKey|/a\nmatch Match|User|x\n"
                                "match PasswordAuthentication|no\nMatch|all\n"
                                "X11Forwarding|no\n");
}
END_TEST

/* ---- Include -----------------------------------------------------------------------------------
 */

#define D "etc/ssh/sshd_config.d/"

START_TEST(include_in_place)
{
    put_text("etc/ssh/sshd_config", "Port 1\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 9\n");
    put_text(D "b.conf", "Port 3\n");
    put_text(D "a.conf", "Port 2\n");
    put_text(D "10.conf", "Port 4\n");
    put_text(D "c.conf~", "Port 5\n");
    put_text(D ".hidden.conf", "Port 6\n");
    check_config(OPENSSH(9, 2), "Port|1\nInclude|/etc/ssh/sshd_config.d/*.conf\nPort|4\nPort|2\n"
                                "Port|3\nPort|9\n");
}
END_TEST

START_TEST(include_relative)
{
    put_text("etc/ssh/sshd_config", "Include sshd_config.d/a.conf nowhere.conf \"b c.conf\"\n");
    put_text(D "a.conf", "Include more/*\n");
    put_text("etc/ssh/b c.conf", "Port 3\n");
    put_text("etc/ssh/more/x", "Port 2\n");
    check_config(OPENSSH(9, 2), "Include|sshd_config.d/a.conf|nowhere.conf|b c.conf\n"
                                "Include|more/*\nPort|2\nPort|3\n");
}
END_TEST

/* What a file matches does not last beyond it; what stands around it does. */
START_TEST(include_and_match)
{
    put_text("etc/ssh/sshd_config",
             "Include a.conf\nHostKey /a\nMatch User x\nInclude b.conf\nPermitTTY no\n");
    put_text("etc/ssh/a.conf", "Match Group y\nPermitTTY yes\n");
    put_text("etc/ssh/b.conf", "Banner none\n");
    check_config(OPENSSH(9, 2), "Include|a.conf\nmatch Match|Group|y\nmatch PermitTTY|yes\n"
                                "HostKey|/a\nmatch Match|User|x\nmatch Include|b.conf\n"
                                "match Banner|none\nmatch PermitTTY|no\n");
}
END_TEST

/* Inside a block that does not hold for everybody, no Match of a file that is included does. */
START_TEST(include_and_match_all)
{
    put_text("etc/ssh/sshd_config", "Match User x\nInclude a.conf\nMatch all\nInclude a.conf\n");
    put_text("etc/ssh/a.conf", "Match all\nPort 1\n");
    check_config(OPENSSH(9, 2), "match Match|User|x\nmatch Include|a.conf\nmatch Match|all\n"
                                "match Port|1\nMatch|all\nInclude|a.conf\nMatch|all\nPort|1\n");
}
END_TEST

/* Absolute links count inside the root, and what is no file is passed over. */
START_TEST(include_through_links)
{
    auto_free char *fifo = xasprintf("%s/" D "z.conf", scratch);

    put_text("etc/ssh/sshd_config", "Include sshd_config.d/*.conf\n");
    put_text("srv/a", "Port 2\n");
    put_link(D "a.conf", "/srv/a");
    put_link(D "b.conf", "/nowhere");
    put_link(D "c.conf", "../../../../../../../etc/hostname");
    put_dir(D "d.conf");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    check_config(OPENSSH(9, 2), "Include|sshd_config.d/*.conf\nPort|2\n");
}
END_TEST

START_TEST(include_of_itself)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config config = { 0 };

    put_text("etc/ssh/sshd_config", "Port 1\nInclude sshd_config\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 2) }, &config, NULL),
        0);
    /* Sixteen deep, as sshd. */
    ck_assert_uint_eq(config.count, 2 * 17);
}
END_TEST

/* Each file includes two more: the bound on Includes ends what the one on depth would not. */
START_TEST(include_explosion)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config config = { 0 };

    put_text("etc/ssh/sshd_config", "Include sshd_config sshd_config\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 2) }, &config, NULL),
        0);
    ck_assert_uint_gt(config.file_count, 16);
    ck_assert_uint_le(config.file_count, 1000);
}
END_TEST

/* What cannot be read is not taken for an empty configuration. */
START_TEST(not_a_file)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config config = { 0 };
    struct err e = { 0 };

    put_dir("etc/ssh/sshd_config");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 2) }, &config, &e),
        -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_ptr_nonnull(strstr(e.text, "/etc/ssh/sshd_config"));
}
END_TEST

/* ---- which file, and what is found in it
 * --------------------------------------------------------- */

START_TEST(files_and_lines)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config config = { 0 };

    put_text("etc/ssh/sshd_config", "\n\nInclude a.conf\n");
    put_text("etc/ssh/a.conf", "# x\nPort 2\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 2) }, &config, NULL),
        0);
    ck_assert_str_eq(config.path, "/etc/ssh/sshd_config");
    ck_assert_str_eq(config.files[0].path, "/etc/ssh/sshd_config");
    ck_assert_str_eq(config.files[1].path, "/etc/ssh/a.conf");
    ck_assert_uint_eq(config.file_count, 2);
    ck_assert_uint_eq(config.directives[0].line, 3);
    ck_assert_str_eq(config.directives[1].file, "/etc/ssh/a.conf");
    ck_assert_uint_eq(config.directives[1].line, 2);
}
END_TEST

START_TEST(vendor_config)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config vendor = { 0 }, none = { 0 }, own = { 0 };

    put_text("usr/etc/ssh/sshd_config", "Port 2\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, suse(), &(struct sshd){ .version = OPENSSH(9, 6) }, &vendor, NULL), 0);
    ck_assert_str_eq(vendor.path, "/usr/etc/ssh/sshd_config");
    ck_assert_uint_eq(vendor.count, 1);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 6) }, &none, NULL), 0);
    ck_assert_ptr_null(none.path);
    ck_assert_uint_eq(none.file_count, 0);
    put_text("etc/ssh/sshd_config", "Port 3\n");
    ck_assert_int_eq(
        config_inspect(root, suse(), &(struct sshd){ .version = OPENSSH(9, 6) }, &own, NULL), 0);
    ck_assert_str_eq(own.path, "/etc/ssh/sshd_config");
    ck_assert_str_eq(config_find(&own, "Port")->args[0], "3");
}
END_TEST

START_TEST(find)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config config = { 0 };

    put_text("etc/ssh/sshd_config", "Port\nPORT 1\nport 2\nMatch User x\nStrictModes no\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 2) }, &config, NULL),
        0);
    ck_assert_str_eq(config_find(&config, "Port")->args[0], "1");
    ck_assert_ptr_null(config_find(&config, "StrictModes"));
    ck_assert_ptr_null(config_find(&config, "Ports"));
}
END_TEST

/*
 * sshd reads the file again for each connection, and what it finds in blocks that hold then
 * counts before what stands outside of them; but for keywords that no block may have.
 */
START_TEST(find_in_match_all)
{
    auto_root struct root *root = NULL;
    auto_with(config_free) struct config config = { 0 };

    put_text("etc/ssh/sshd_config", "PermitRootLogin yes\nStrictModes yes\nMatch all\nInclude a\n"
                                    "Match User x\nPermitRootLogin yes\n");
    put_text("etc/ssh/a", "PermitRootLogin no\nPermitRootLogin yes\nStrictModes no\n");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(
        config_inspect(root, debian(), &(struct sshd){ .version = OPENSSH(9, 2) }, &config, NULL),
        0);
    ck_assert_str_eq(config_find(&config, "PermitRootLogin")->args[0], "no");
    ck_assert_str_eq(config_find(&config, "StrictModes")->args[0], "yes");
}
END_TEST

Suite *suite_inspect_config(void)
{
    Suite *suite = suite_create("inspect: config");
    TCase *tcase = tcase_create("config");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 60);
    ADD_TABLE(tcase, line, lines);
    ADD(tcase, unknown_release);
    ADD(tcase, whole_file);
    ADD(tcase, include_in_place);
    ADD(tcase, include_relative);
    ADD(tcase, include_and_match);
    ADD(tcase, include_and_match_all);
    ADD(tcase, include_through_links);
    ADD(tcase, include_of_itself);
    ADD(tcase, include_explosion);
    ADD(tcase, not_a_file);
    ADD(tcase, files_and_lines);
    ADD(tcase, vendor_config);
    ADD(tcase, find);
    ADD(tcase, find_in_match_all);
    suite_add_tcase(suite, tcase);
    return suite;
}
