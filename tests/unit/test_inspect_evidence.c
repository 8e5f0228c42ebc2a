/* SPDX-License-Identifier: MIT */
/* What tells which keys a system had: its names, known_hosts, logs, and the operator's word. */
#include "inspect/private.h"
#include "scene.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static char *pub_line(const char *names, const char *key)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s.pub", key);

    cut_comment(&text);
    return xasprintf("%s%s%s\n", names, *names ? " " : "", (const char *)text.data);
}

/* ---- what the machine is called ------------------------------------------------------------ */

static const struct {
    const char *hostname, *hosts;
    const char *keyword, *value; /* of sshd_config; "": none */
    const char *names;
} machines[] = {
    { "web1", "", "", "", "web1" },
    { "Web1.Example.org", "", "", "", "web1.example.org web1" },
    { "web1", "127.0.0.1 localhost\n127.0.1.1\tweb1.example.org web1 # x\n192.0.2.9 db1\n", "", "",
      "web1 web1.example.org" },
    { "web1", "192.0.2.7 web1 www\n", "", "", "web1 192.0.2.7 www" },
    { "web1", "192.0.2.7 web10\n", "", "", "web1" },
    { "localhost", "127.0.0.1 localhost localhost.localdomain\n::1 localhost ip6-loopback\n", "",
      "", "" },
    { "", "192.0.2.7 web1\n", "", "", "" },
    { "web1", "", "ListenAddress", "192.0.2.7", "web1 192.0.2.7" },
    { "web1", "", "ListenAddress", "192.0.2.7:2222", "web1 192.0.2.7" },
    { "web1", "", "ListenAddress", "2001:DB8::7", "web1 2001:db8::7" },
    { "web1", "", "ListenAddress", "[2001:db8::7]:22", "web1 2001:db8::7" },
    { "web1", "", "ListenAddress", "0.0.0.0", "web1" },
    { "web1", "", "ListenAddress", "::", "web1" },
    { "web1", "", "Port", "2222", "web1 [web1]:2222" },
    { "web1", "", "Port", "22", "web1" },
};

static char *names_of_machine(const char *hostname, const char *hosts, const char *keyword,
                              const char *value)
{
    char *args[] = { (char *)value, NULL };
    struct directive line = { .keyword = (char *)keyword, .args = args };
    struct inspection facts = { .os.hostname = (char *)hostname,
                                .config = { .directives = &line, .count = *keyword != 0 } };
    auto_root struct root *root = NULL;
    char *all = xstrdup("");

    put_text("etc/hosts", hosts);
    root = scratch_root(ROOT_READ);
    names_inspect(root, &facts);
    for (char **name = facts.names; *name; name++) {
        auto_free char *before = all;

        all = xasprintf("%s%s%s", before, *before ? " " : "", *name);
    }
    text_list_free(&facts.names);
    return all;
}

START_TEST(machine_names)
{
    auto_free char *all = names_of_machine(machines[_i].hostname, machines[_i].hosts,
                                           machines[_i].keyword, machines[_i].value);

    ck_assert_str_eq(all, machines[_i].names);
}
END_TEST

/* However much stands in hosts(5). */
START_TEST(names_bounded)
{
    auto_free char *hosts = xstrdup("192.0.2.7 web1"), *all = NULL;

    for (int i = 0; i < 500; i++) {
        auto_free char *before = hosts;

        hosts = xasprintf("%s name%d", before, i);
    }
    all = names_of_machine("web1", hosts, "Port", "2222");
    ck_assert_uint_gt(strlen(all), 100);
    ck_assert_uint_lt(strlen(all), 500);
}
END_TEST

/* ---- known_hosts of the system's own users --------------------------------------------------- */

static struct evidence_list collected(const char *hostname)
{
    static char passwd_home[] = "/root";
    static struct user user = { .name = (char *)"root", .home = passwd_home };
    struct login_user login = { .user = &user };
    char *names[] = { (char *)hostname, NULL };
    struct host_key lost = { .path = (char *)"/etc/ssh/ssh_host_rsa_key",
                             .type = key_type_named("ssh-rsa"),
                             .used = true,
                             .lost = true };
    const struct inspection facts = { .os.hostname = (char *)hostname,
                                      .names = names,
                                      .keys = &lost,
                                      .key_count = 1,
                                      .login = { .users = &login, .user_count = 1 } };
    auto_root struct root *root = scratch_root(ROOT_READ);
    struct evidence_list list = { 0 };

    evidence_collect(root, &facts, &list);
    return list;
}

static const struct evidence *about(const struct evidence_list *list, const char *key)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s.pub", key);
    auto_pubkey struct pubkey pub = { 0 };

    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    for (size_t i = 0; i < list->count; i++) {
        auto_free char *fingerprint = pubkey_fingerprint(&pub);

        if ((list->items[i].pub.name && blob_equal(&list->items[i].pub.blob, &pub.blob)) ||
            (list->items[i].fingerprint && strcmp(list->items[i].fingerprint, fingerprint) == 0))
            return &list->items[i];
    }
    return NULL;
}

/* As ssh-keygen hashes them. */
static void hash_known_hosts(const char *path)
{
    auto_free char *full = xasprintf("%s/%s", scratch, path);
    const char *const argv[] = { "ssh-keygen", "-q", "-H", "-f", full, NULL };

    ck_assert_int_eq(run_program(argv, NULL), 0);
}

static const char *const own_names[] = { "web1", "localhost", "127.0.0.1", "other,web1" };

START_TEST(own_name)
{
    auto_free char *own = pub_line(own_names[_i / 2], "rsa"), *other = pub_line("web10", "rsa1024");
    auto_free char *text = xasprintf("%s%s", other, own);
    auto_evidence struct evidence_list list = { 0 };

    put_text("root/.ssh/known_hosts", text);
    if (_i % 2)
        hash_known_hosts("root/.ssh/known_hosts");
    list = collected("web1");
    ck_assert_int_eq(about(&list, "rsa")->source, EVIDENCE_OWN_NAME);
    ck_assert_str_eq(about(&list, "rsa")->where, "/root/.ssh/known_hosts, by its own name");
    ck_assert_int_eq(about(&list, "rsa1024")->source, EVIDENCE_KNOWN_HOSTS);
    ck_assert(!evidence_vouches(EVIDENCE_OWN_NAME));
}
END_TEST

/* The same key on two lines: the stronger one counts, whichever comes first. */
START_TEST(own_name_after_another)
{
    auto_free char *first = pub_line(_i ? "web1" : "db1", "rsa");
    auto_free char *second = pub_line(_i ? "db1" : "web1", "rsa");
    auto_free char *text = xasprintf("%s%s", first, second);
    auto_evidence struct evidence_list list = { 0 };

    put_text("root/.ssh/known_hosts", text);
    list = collected("web1");
    ck_assert_int_eq(about(&list, "rsa")->source, EVIDENCE_OWN_NAME);
}
END_TEST

/* "N.example ssh-ed25519 AAAA…": a key like no other. */
static char *line_of_stranger(unsigned number)
{
    unsigned char key[51] = "\0\0\0\13ssh-ed25519\0\0\0\40";
    const struct blob bytes = { .data = key, .len = sizeof key };
    auto_pubkey struct pubkey pub = { 0 };
    auto_free char *text = NULL;

    memcpy(key + sizeof key - 32, &number, sizeof number);
    ck_assert_int_eq(pubkey_of_blob(&bytes, &pub), 0);
    text = pubkey_file_text(&pub);
    return xasprintf("%u.example %s", number, text);
}

static char *known_hosts_of(unsigned strangers, const char *last)
{
    struct blob text = blob_zeroed(strangers * 100 + strlen(last));
    char *end = (char *)text.data;

    for (unsigned i = 0; i < strangers; i++) {
        auto_free char *line = line_of_stranger(i);

        end = stpcpy(end, line);
    }
    stpcpy(end, last);
    return (char *)text.data;
}

/* What is said by the system's own name is not crowded out by what its users know of others. */
START_TEST(own_name_among_many)
{
    auto_free char *own = pub_line("web1", "rsa"), *text = known_hosts_of(2000, own);
    auto_evidence struct evidence_list list = { 0 };

    put_text("root/.ssh/known_hosts", text);
    list = collected("web1");
    ck_assert_ptr_nonnull(about(&list, "rsa"));
    ck_assert_int_eq(about(&list, "rsa")->source, EVIDENCE_OWN_NAME);
    ck_assert_uint_lt(list.count, 1000);
}
END_TEST

/* ---- what the operator knows ------------------------------------------------------------------
 */

static const struct {
    const char *names, *key;       /* of two lines */
    const char *more_names, *more; /* NULL: one line */
    bool hashed;
    const char *expected; /* of the RSA key, which is rsa; NULL: nothing */
} tellings[] = {
    { "host", "rsa1024", NULL, NULL, false, "rsa1024" },
    { "HOST,192.0.2.7", "rsa1024", "other", "rsa", false,
      NULL }, /* it is known, if by another name */
    { "host", "rsa1024", "other", "ed25519", false, "rsa1024" },
    { "host", "rsa1024", "other", "ed25519", true, "rsa1024" },
    { "hos", "rsa1024", "other", "ed25519", false, NULL },
    { "hos", "rsa1024", "other", "ed25519", true, NULL },
    { "*", "rsa1024", "other", "ed25519", false, NULL },
    { "nat.example.org", "rsa1024", "nat.example.org", "ed25519", false, "rsa1024" },
    { "nat.example.org", "rsa1024", NULL, NULL, true, NULL },
    { "host", "rsa1024", "host", "rsa", false, NULL },
    { "host", "ecdsa384", "other", "rsa1024", false, NULL }, /* of another type */
    { "host", "rsa", NULL, NULL, false, NULL },
    { "localhost", "rsa1024", "127.0.0.1", "ed25519", false, NULL }, /* the client itself */
};

static struct evidence_list told_by(int i)
{
    auto_free char *first = pub_line(tellings[i].names, tellings[i].key);
    auto_free char *second =
        tellings[i].more ? pub_line(tellings[i].more_names, tellings[i].more) : xstrdup("");
    auto_free char *text = xasprintf("# what a client has\n%s%s", first, second);
    struct evidence_list list = { 0 };
    struct err e;

    put_text("known_hosts", text);
    if (tellings[i].hashed)
        hash_known_hosts("known_hosts");
    {
        auto_blob struct blob file = file_bytes("%s/known_hosts", scratch);

        ck_assert_int_eq(
            evidence_add_known_hosts(&list, (const char *)file.data, "known_hosts", &e), 0);
    }
    return list;
}

START_TEST(expected)
{
    auto_evidence struct evidence_list told = told_by(_i);
    char *names[] = { (char *)"host", NULL };
    auto_scene struct scene scene;
    struct expectation known = { 0 };
    bool differs;

    scene_make(&scene);
    scene.facts.names = names;
    ck_assert(!key_expected(&scene.facts, &scene.keys[RSA], &known));
    scene.facts.told = &told;
    differs = key_expected(&scene.facts, &scene.keys[RSA], &known);
    ck_assert_int_eq(differs, tellings[_i].expected != NULL);
    if (differs) {
        const struct evidence *item = about(&told, tellings[_i].expected);
        auto_free char *wanted = pubkey_fingerprint(&item->pub);

        ck_assert_str_eq(known.fingerprint, wanted);
        ck_assert(text_starts(known.where, "known_hosts, line "));
        ck_assert_ptr_null(known.copy);
    }
    free(known.fingerprint);
    scene.keys[RSA].lost = true;
    ck_assert(!key_expected(&scene.facts, &scene.keys[RSA], &known));
}
END_TEST

/* A key of a client's file, by whatever name, is one of this machine if it is on its disk. */
START_TEST(expected_where_found)
{
    auto_evidence struct evidence_list told = { 0 };
    auto_free char *text = pub_line("some.where", "rsa1024"), *more = pub_line("else", "ecdsa384");
    auto_free char *both = xasprintf("%s%s", text, more);
    auto_scene struct scene scene;
    struct expectation known = { 0 };
    struct err e;

    scene_make(&scene);
    ck_assert_int_eq(evidence_add_known_hosts(&told, both, "known_hosts", &e), 0);
    scene.facts.told = &told;
    ck_assert(!key_expected(&scene.facts, &scene.keys[RSA], &known));
    scene_copy(&scene, &scene.keys[RSA], "the bare disk", "rsa1024.v1");
    ck_assert(!key_expected(&scene.facts, &scene.keys[RSA], &known));
    scene.copies[0].vouched_by = (char *)"known_hosts, line 1";
    scene.copies[0].source = EVIDENCE_OPERATOR;
    ck_assert(key_expected(&scene.facts, &scene.keys[RSA], &known));
    ck_assert_ptr_eq(known.copy, &scene.copies[0]);
    ck_assert_str_eq(known.where, "known_hosts, line 1");
    free(known.fingerprint);
}
END_TEST

/* That of a bastion has thousands of lines, and the one that counts may be the last. */
START_TEST(told_of_many)
{
    auto_evidence struct evidence_list told = { 0 };
    auto_free char *last = pub_line("host", "rsa1024"), *text = known_hosts_of(9999, last);
    struct err e = { 0 };

    ck_assert_int_eq(evidence_add_known_hosts(&told, text, "known_hosts", &e), 0);
    ck_assert_ptr_nonnull(about(&told, "rsa1024"));
    ck_assert_str_eq(about(&told, "rsa1024")->where, "known_hosts, line 10000");
}
END_TEST

START_TEST(told_of_too_many)
{
    auto_evidence struct evidence_list told = { 0 };
    auto_free char *text = known_hosts_of(10001, "");
    struct err e = { 0 };

    ck_assert_int_eq(evidence_add_known_hosts(&told, text, "known_hosts", &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_ptr_nonnull(strstr(e.text, "ssh-keygen -F"));
}
END_TEST

START_TEST(fingerprints)
{
    auto_evidence struct evidence_list told = { 0 };
    auto_scene struct scene scene;
    auto_free char *own = NULL, *both = NULL;
    const char *strange = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct err e;

    scene_make(&scene);
    own = pubkey_fingerprint(&scene.keys[ECDSA].judgement.pub);
    scene.facts.told = &told;
    ck_assert_int_eq(evidence_add_fingerprints(&told, own, &e), 0);
    ck_assert_ptr_null(fingerprint_unmatched(&scene.facts));
    both = xasprintf("%s,%s", own, strange);
    ck_assert_int_eq(evidence_add_fingerprints(&told, both, &e), 0);
    ck_assert_str_eq(fingerprint_unmatched(&scene.facts)->fingerprint, strange);
    scene.keys[RSA].lost = true; /* it may be that one's */
    ck_assert_ptr_null(fingerprint_unmatched(&scene.facts));
}
END_TEST

Suite *suite_inspect_evidence(void)
{
    Suite *suite = suite_create("inspect: evidence");
    TCase *tcase = tcase_create("evidence");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 300);
    ADD_TABLE(tcase, machine_names, machines);
    ADD(tcase, names_bounded);
    tcase_add_loop_test(tcase, own_name, 0, 2 * ARRAY_SIZE(own_names));
    tcase_add_loop_test(tcase, own_name_after_another, 0, 2);
    ADD_TABLE(tcase, expected, tellings);
    ADD(tcase, expected_where_found);
    ADD(tcase, own_name_among_many);
    ADD(tcase, told_of_many);
    ADD(tcase, told_of_too_many);
    ADD(tcase, fingerprints);
    suite_add_tcase(suite, tcase);
    return suite;
}
