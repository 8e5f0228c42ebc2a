/* SPDX-License-Identifier: MIT */
/* A whole tree, inspected: which keys count, which copies, which modes are right. */
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"
#include "inspect/modes.h"
#include "inspect/private.h"

#include <stdio.h>
#include <string.h>

/* Everything is the user's who runs the tests: so is every account. */
static void put_system(const char *release, const char *program, size_t program_len,
                       const char *config)
{
    auto_free char *passwd = xasprintf("root:x:0:0::/root:/bin/sh\n"
                                       "alice:x:%u:%u::/home/alice:/bin/sh\n",
                                       getuid() ? getuid() : 1000, getgid() ? getgid() : 1000);
    auto_free char *group = xasprintf("root:x:0:\nssh_keys:x:%u:\n", getgid());

    put_text("etc/os-release", release);
    put_text("etc/hostname", "host\n");
    put_text("etc/passwd", passwd);
    put_text("etc/group", group);
    put_text("etc/ssh/sshd_config", config);
    put_bytes("usr/sbin/sshd", 0755, program, program_len);
}

static void put_key(const char *path, mode_t mode, const char *file)
{
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", file);

    put_bytes(path, mode, bytes.data, bytes.len);
}

static struct inspection inspected(void)
{
    auto_root struct root *root = scratch_root(ROOT_READ);
    struct inspection facts;
    struct err e = { 0 };

    ck_assert_msg(inspect(root, NULL, &facts, &e) == 0, "%s", e.text);
    return facts;
}

#define DEBIAN "ID=debian\nVERSION_ID=\"12\"\n"
#define EL7 "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n"
#define EL6_RELEASE "CentOS release 6.10 (Final)\n"

/* ---- which keys this sshd loads ----------------------------------------------------------------
 */

static const struct {
    const char *release, *program, *config;
    const char *used; /* paths, space separated */
} defaults[] = {
    { DEBIAN, "OpenSSH_9.2p1", "",
      "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key" },
    { DEBIAN, "OpenSSH_6.0p1", "", "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key" },
    { DEBIAN, "OpenSSH_5.5p1", "", "/etc/ssh/ssh_host_rsa_key" },
    { DEBIAN, "OpenSSH_10.2p1", "",
      "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key" },
    { DEBIAN, "no release", "",
      "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key" },
    { "ID=\"amzn\"\nVERSION_ID=\"2023\"\n", "OpenSSH_8.7p1", "",
      "/etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key" },
    { DEBIAN, "OpenSSH_9.2p1", "HostKey /etc/ssh/a\nhostkey \"/srv/b c\"\nHostKey /etc/ssh/a\n",
      "/etc/ssh/a /srv/b c" },
    { DEBIAN, "OpenSSH_9.2p1", "HostKey none\n", "" },
    { DEBIAN, "OpenSSH_9.2p1", "#HostKey /etc/ssh/a\nMatch all\n",
      "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key" },
    { DEBIAN, "OpenSSH_9.2p1", "HostKey none\nHostKey etc/ssh/a\n", "/etc/ssh/a" },
    { DEBIAN, "OpenSSH_9.2p1", "Include keys.conf\n", "/etc/ssh/included" },
};

START_TEST(used_keys)
{
    auto_inspection struct inspection facts = { 0 };
    auto_free char *used = xstrdup("");

    put_system(defaults[_i].release, defaults[_i].program, strlen(defaults[_i].program),
               defaults[_i].config);
    put_text("etc/ssh/keys.conf", "HostKey /etc/ssh/included\n");
    facts = inspected();
    for (size_t i = 0; i < facts.key_count; i++) {
        char *longer;

        if (!facts.keys[i].used)
            continue;
        longer = xasprintf("%s%s%s", used, *used ? " " : "", facts.keys[i].path);
        free(used);
        used = longer;
    }
    ck_assert_str_eq(used, defaults[_i].used);
}
END_TEST

START_TEST(used_keys_of_el6)
{
    auto_inspection struct inspection facts = { 0 };

    put_system("", "OpenSSH_5.3p1", 13, "Protocol 2\n");
    put_text("etc/redhat-release", EL6_RELEASE);
    facts = inspected();
    ck_assert_uint_eq(facts.key_count, 2);
    ck_assert_str_eq(facts.keys[0].path, "/etc/ssh/ssh_host_rsa_key");
    ck_assert_str_eq(facts.keys[1].path, "/etc/ssh/ssh_host_dsa_key");
}
END_TEST

/* ---- protocol 1 ----------------------------------------------------------------------------- */

#define V1 "/etc/ssh/ssh_host_key"
#define RSA_DSA "/etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_dsa_key"
/* How a build that reads keys of protocol 1 is told from one that does not. */
#define READS_V1 "\0SSH PRIVATE KEY FILE FORMAT 1.1\n"

#define EL5 "ID=centos\nVERSION_ID=5\n"
#define SLES11 "ID=\"sles\"\nVERSION_ID=\"11.4\"\n"

static const struct {
    const char *release;
    const char *program;
    size_t len;
    const char *config;
    const char *used; /* of RSA1, RSA and DSA, which are all there */
} protocols[] = {
    { EL5, "OpenSSH_4.3p2", 14, "", V1 " " RSA_DSA },
    { EL5, "OpenSSH_4.3p2", 14, "Protocol 2\n", RSA_DSA },
    { EL5, "OpenSSH_4.3p2", 14, "Protocol 2,1\n", V1 " " RSA_DSA },
    { EL5, "OpenSSH_4.3p2", 14, "Protocol 1\n", V1 },
    { EL5, "OpenSSH_4.3p2", 14, "Protocol 1\nProtocol 2\n", V1 },
    { EL5, "OpenSSH_4.3p2", 14, "Protocol 2\nHostKey " V1 "\nHostKey /etc/ssh/ssh_host_rsa_key\n",
      "/etc/ssh/ssh_host_rsa_key" },
    { EL5, "OpenSSH_4.3p2", 14, "HostKey " V1 "\nHostDSAKey /etc/ssh/ssh_host_dsa_key\n",
      V1 " /etc/ssh/ssh_host_dsa_key" },
    { EL5, "OpenSSH_4.3p2", 14, "HostKey /etc/ssh/ssh_host_rsa_key\n",
      "/etc/ssh/ssh_host_rsa_key" },
    { SLES11, "OpenSSH_5.1p1", 14, "", V1 " " RSA_DSA },
    { SLES11, "OpenSSH_6.6p1", 14, "", RSA_DSA },
    { SLES11, "OpenSSH_6.6p1", 14, "Protocol 2,1\n", V1 " " RSA_DSA },
    { SLES11, "OpenSSH_7.2p2", 14, "Protocol 2,1\n", RSA_DSA },
    { SLES11, "OpenSSH_7.2p2" READS_V1, 13 + sizeof READS_V1, "Protocol 2,1\n", V1 " " RSA_DSA },
    { SLES11, "OpenSSH_7.4p1" READS_V1, 13 + sizeof READS_V1, "Protocol 2,1\n", RSA_DSA },
    { DEBIAN, "OpenSSH_9.2p1", 14,
      "Protocol 1\nHostKey " V1 "\nHostKey /etc/ssh/ssh_host_rsa_key\n",
      "/etc/ssh/ssh_host_rsa_key" },
    /* What this release looks for by itself, and finds, though the distribution makes no such key.
     */
    { DEBIAN, "OpenSSH_5.5p1", 14, "", RSA_DSA },
    { DEBIAN, "OpenSSH_5.5p1", 14, "Protocol 1,2\n", V1 " " RSA_DSA },
    { DEBIAN, "no release", 11, "HostKey " V1 "\nHostKey /etc/ssh/ssh_host_rsa_key\n",
      "/etc/ssh/ssh_host_rsa_key" },
};

/* Which of the keys that are there this sshd uses; the others are of no use to it. */
START_TEST(used_protocols)
{
    auto_inspection struct inspection facts = { 0 };

    put_system(protocols[_i].release, protocols[_i].program, protocols[_i].len,
               protocols[_i].config);
    put_key("etc/ssh/ssh_host_key", 0600, "rsa1.ssh1");
    put_key("etc/ssh/ssh_host_rsa_key", 0600, "rsa.pem");
    put_key("etc/ssh/ssh_host_dsa_key", 0600, "dsa.pem");
    facts = inspected();
    ck_assert_uint_eq(facts.key_count, 3);
    for (size_t i = 0; i < facts.key_count; i++) {
        const struct host_key *key = &facts.keys[i];

        ck_assert_int_eq(key->judgement.verdict, HOSTKEY_SOUND);
        ck_assert_msg(key->used == text_has_word(protocols[_i].used, key->path), "%s: used %d",
                      key->path, key->used);
        ck_assert(host_key_serves(key) || !key->used);
    }
}
END_TEST

static const struct {
    const char *program;
    size_t len;
    bool loads, by_itself; /* where HostKey names it; without */
} early[] = {
    { "OpenSSH_5.3p1", 14, false, false },
    { "OpenSSH_5.3p1\0ecdsa-sha2-nistp256-cert-v01@openssh.com", 55, false, false },
    { "OpenSSH_5.3p1\0ecdsa-sha2-nistp256", 34, true, false },
    { "OpenSSH_5.8p1", 14, true, true },
};

/* Red Hat put ECDSA into its 5.3p1: loaded where a HostKey line names it, never by itself. */
START_TEST(early_ecdsa)
{
    auto_inspection struct inspection facts = { 0 }, unnamed = { 0 };

    put_system("ID=centos\nVERSION_ID=6\n", early[_i].program, early[_i].len,
               "Protocol 2\nHostKey /etc/ssh/ssh_host_ecdsa_key\n");
    put_key("etc/ssh/ssh_host_ecdsa_key", 0600, "ecdsa256.pem");
    facts = inspected();
    ck_assert_uint_eq(facts.key_count, 1);
    ck_assert_int_eq(facts.keys[0].used, early[_i].loads);
    ck_assert_int_eq(facts.keys[0].type_loads, early[_i].loads);
    put_text("etc/ssh/sshd_config", "Protocol 2\n");
    unnamed = inspected();
    ck_assert_uint_eq(unnamed.key_count, 3);
    ck_assert_int_eq(unnamed.keys[2].type_loads, early[_i].loads);
    ck_assert_int_eq(unnamed.keys[2].used, early[_i].by_itself);
}
END_TEST

static const struct host_key *key_at(const struct inspection *facts, const char *path)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (strcmp(facts->keys[i].path, path) == 0)
            return &facts->keys[i];
    return NULL;
}

/* An agent has the private parts, but for one that is called none. */
START_TEST(key_of_agent)
{
    static const char *const agents[] = { "HostKeyAgent /run/agent\n", "HostKeyAgent None\n" };

    for (size_t i = 0; i < ARRAY_SIZE(agents); i++) {
        auto_inspection struct inspection facts = { 0 };

        put_system(DEBIAN, "OpenSSH_9.2p1", 13, agents[i]);
        put_key("etc/ssh/ssh_host_rsa_key.pub", 0644, "rsa.pub");
        facts = inspected();
        ck_assert_int_eq(key_at(&facts, "/etc/ssh/ssh_host_rsa_key")->agent, i == 0);
    }
}
END_TEST

/* What lies beside the keys is judged, and never used. */
START_TEST(leftovers)
{
    auto_inspection struct inspection facts = { 0 };
    const struct host_key *left;

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "HostKey /etc/ssh/ssh_host_rsa_key\n");
    put_key("etc/ssh/ssh_host_rsa_key", 0600, "rsa.v1");
    put_key("etc/ssh/ssh_host_dsa_key", 0600, "dsa.v1");
    put_key("etc/ssh/ssh_host_rsa_key.bak", 0600, "rsa.v1");
    facts = inspected();
    ck_assert_uint_eq(facts.key_count, 2);
    left = key_at(&facts, "/etc/ssh/ssh_host_dsa_key");
    ck_assert(left && !left->used && left->exists);
    ck_assert_int_eq(left->judgement.verdict, HOSTKEY_SOUND);
}
END_TEST

/* ---- sizes ----------------------------------------------------------------------------------- */

static const struct {
    const char *file, *program, *config;
    bool accepted;
} sizes[] = {
    { "rsa768.pem", "OpenSSH_7.5p1", "", true },
    { "rsa768.pem", "OpenSSH_7.6p1", "", false },
    { "rsa1024.v1", "OpenSSH_9.2p1", "", true },
    { "rsa1024.v1", "OpenSSH_9.2p1", "RequiredRSASize 2048\n", false },
    { "rsa.v1", "OpenSSH_9.2p1", "RequiredRSASize 2048\n", true },
    { "rsa.v1", "OpenSSH_9.2p1", "requiredrsasize 3072\n", false },
    { "rsa1024.v1", "OpenSSH_9.0p1", "", true },
    /* It can only raise what sshd asks for. */
    { "rsa768.pem", "OpenSSH_9.2p1", "RequiredRSASize 512\n", false },
};

START_TEST(size)
{
    auto_inspection struct inspection facts = { 0 };

    put_system(DEBIAN, sizes[_i].program, strlen(sizes[_i].program), sizes[_i].config);
    put_key("etc/ssh/ssh_host_rsa_key", 0600, sizes[_i].file);
    facts = inspected();
    ck_assert_int_eq(key_at(&facts, "/etc/ssh/ssh_host_rsa_key")->size_accepted,
                     sizes[_i].accepted);
}
END_TEST

/* ---- FIPS mode ------------------------------------------------------------------------------- */

static const struct {
    const char *path, *text;
    bool fips;
} modes[] = {
    { "etc/system-fips", "", true },
    { "etc/kernel/cmdline", "root=/dev/vda1 fips=1\n", true },
    { "etc/kernel/cmdline", "root=/dev/vda1 fips=10 xfips=1\n", false },
    { "boot/loader/entries/a.conf", "title x\noptions fips=1 ro\n", true },
    { "boot/loader/entries/a.conf", "title x\n# fips=1\noptions ro\n", false },
    { "boot/grub2/grubenv", "kernelopts=root=/dev/vda1 fips=1 \n", true },
    { "etc/default/grub", "GRUB_CMDLINE_LINUX=\"fips=1\"\n", true },
    { "etc/default/grub", "GRUB_CMDLINE_LINUX=\"fips=0\"\n", false },
};

/* Ed25519 keys are not loaded then, and none is missed. */
START_TEST(fips)
{
    auto_inspection struct inspection facts = { 0 };

    put_system(DEBIAN, "OpenSSH_8.7p1", 13, "");
    put_text("etc/crypto-policies/config", "FIPS\n");
    put_text(modes[_i].path, modes[_i].text);
    put_key("etc/ssh/ssh_host_ed25519_key", 0600, "ed25519.v1");
    facts = inspected();
    ck_assert((facts.fips != NULL) == modes[_i].fips);
    ck_assert(key_at(&facts, "/etc/ssh/ssh_host_ed25519_key")->used == !modes[_i].fips);
    ck_assert(key_at(&facts, "/etc/ssh/ssh_host_rsa_key")->used);
}
END_TEST

/* An sshd that is not patched for it does not look at what the kernel is told. */
START_TEST(fips_without_policies)
{
    auto_inspection struct inspection facts = { 0 };

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    put_text("etc/kernel/cmdline", "fips=1\n");
    facts = inspected();
    ck_assert_ptr_null(facts.fips);
}
END_TEST

/* ---- the .pub -----------------------------------------------------------------------------------
 */

static const struct {
    const char *pub; /* a file of tests/unit/keys; NULL: there is none */
    enum pub_state state;
} pub_states[] = {
    { "rsa.pub", PUB_OK },     { "ecdsa256.pub", PUB_FOREIGN }, { "rsa1024.pub", PUB_FOREIGN },
    { "rsa.v1", PUB_DAMAGED }, { NULL, PUB_MISSING },
};

START_TEST(pub_state)
{
    auto_inspection struct inspection facts = { 0 };
    const struct host_key *key;

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    put_key("etc/ssh/ssh_host_rsa_key", 0600, "rsa.v1");
    if (pub_states[_i].pub)
        put_key("etc/ssh/ssh_host_rsa_key.pub", 0644, pub_states[_i].pub);
    facts = inspected();
    key = key_at(&facts, "/etc/ssh/ssh_host_rsa_key");
    ck_assert_int_eq(key->pub_state, pub_states[_i].state);
    ck_assert_str_eq(key->pub_real, "/etc/ssh/ssh_host_rsa_key.pub");
}
END_TEST

/* Swapped only where the two belong together. */
static const struct {
    const char *key, *pub;
    bool swapped;
} swaps[] = {
    { "rsa.pub", "rsa.v1", true },
    { "rsa.pub", "rsa.pem", true },
    { "rsa1024.pub", "rsa.v1", false },
    { "rsa.v1", "rsa.pub", false },
    { "rsa.pub", "rsa.v1.encrypted", false },
};

START_TEST(swapped)
{
    auto_inspection struct inspection facts = { 0 };
    const struct host_key *key;

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    put_key("etc/ssh/ssh_host_rsa_key", 0600, swaps[_i].key);
    put_key("etc/ssh/ssh_host_rsa_key.pub", 0644, swaps[_i].pub);
    facts = inspected();
    key = key_at(&facts, "/etc/ssh/ssh_host_rsa_key");
    ck_assert_int_eq(key->swapped, swaps[_i].swapped);
    if (key->swapped) {
        ck_assert_int_eq(key->judgement.verdict, HOSTKEY_WRAPPED);
        ck_assert_ptr_nonnull(key->judgement.rewrapped.data);
    }
}
END_TEST

/* ---- copies -------------------------------------------------------------------------------------
 */

START_TEST(copies)
{
    static const char *const found[] = {
        "/etc/old/ssh/ssh_host_rsa_key",       "/etc/ssh/ssh_host_rsa_key.bak",
        "/etc/ssh/ssh_host_rsa_key~",          "/root/ssh_host_rsa_key",
        "/var/backups/etc/ssh_host_rsa_key.1", "/.snapshots/7/snapshot/etc/ssh/ssh_host_rsa_key"
    };
    auto_inspection struct inspection facts = { 0 };
    const struct host_key *lost, *sound;

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    put_key("etc/ssh/ssh_host_ed25519_key", 0600, "ed25519.v1");
    put_key("etc/ssh/ssh_host_ed25519_key.bak", 0600, "ed25519.v1");
    for (size_t i = 0; i < ARRAY_SIZE(found); i++)
        put_key(found[i] + 1, 0600, i % 2 ? "rsa.v1" : "rsa.pem");
    put_key("etc/ssh/ssh_host_rsa_key.pub", 0644, "rsa.pub");
    put_key("etc/ssh/ssh_host_rsa_key.pub.old", 0644, "rsa.pub");
    put_key("etc/ssh/ssh_host_rsa_key.locked", 0600, "rsa.v1.encrypted");
    put_text("etc/ssh/ssh_host_rsa_key.broken", "nothing\n");
    put_key("etc/ssh/old_ssh_host_rsa_key", 0600, "rsa.v1");
    put_key("srv/ssh_host_rsa_key", 0600, "rsa.v1");
    put_link("root/ssh_host_rsa_key.link", "/srv/ssh_host_rsa_key");
    facts = inspected();
    sound = key_at(&facts, "/etc/ssh/ssh_host_ed25519_key");
    ck_assert_uint_eq(sound->copy_count, 0);
    lost = key_at(&facts, "/etc/ssh/ssh_host_rsa_key");
    ck_assert_uint_eq(lost->copy_count, ARRAY_SIZE(found));
    for (size_t i = 0; i < ARRAY_SIZE(found); i++)
        ck_assert_str_eq(lost->copies[i].path, found[i]);
}
END_TEST

/* ---- Red Hat's group ---------------------------------------------------------------------------
 */

#define PATCHED "OpenSSH_7.4p1\0ssh_keys"
#define UPSTREAM "OpenSSH_9.3p1"

static const struct {
    const char *release, *program;
    size_t len;
    const char *group; /* group(5) */
    mode_t mode;
    bool open;
    mode_t mended;
} groups[] = {
    { EL7, PATCHED, sizeof PATCHED, "ssh_keys:x:%u:\n", 0640, false, 0640 },
    { EL7, PATCHED, sizeof PATCHED, "ssh_keys:x:%u:\n", 0600, false, 0640 },
    { EL7, PATCHED, sizeof PATCHED, "ssh_keys:x:%u:\n", 0660, true, 0640 },
    { EL7, PATCHED, sizeof PATCHED, "ssh_keys:x:%u:\n", 0644, true, 0640 },
    { EL7, UPSTREAM, sizeof UPSTREAM, "ssh_keys:x:%u:\n", 0640, true, 0600 },
    { EL7, PATCHED, sizeof PATCHED, "other:x:%u:\n", 0640, true, 0600 },
    { EL7, PATCHED, sizeof PATCHED, "ssh_keys:x:59999:\nother:x:%u:\n", 0640, true, 0640 },
    { DEBIAN, PATCHED, sizeof PATCHED, "ssh_keys:x:%u:\n", 0640, true, 0600 },
    { DEBIAN, UPSTREAM, sizeof UPSTREAM, "ssh_keys:x:%u:\n", 0600, false, 0600 },
};

START_TEST(group_keys)
{
    auto_inspection struct inspection facts = { 0 };
    auto_free char *group = NULL;
    const struct node *node;

    put_system(groups[_i].release, groups[_i].program, groups[_i].len, "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    group = xasprintf(groups[_i].group, getgid());
#pragma GCC diagnostic pop
    put_text("etc/group", group);
    put_key("etc/ssh/ssh_host_rsa_key", groups[_i].mode, "rsa.v1");
    facts = inspected();
    node = key_at(&facts, "/etc/ssh/ssh_host_rsa_key")->node;
    ck_assert_int_eq(node_open(node), groups[_i].open);
    ck_assert_uint_eq(node->mode, groups[_i].mended);
    ck_assert_uint_eq(facts.key_meta.mode, groups[_i].mended);
}
END_TEST

/* ---- AuthorizedKeysFile -------------------------------------------------------------------------
 */

static const struct {
    const char *config;
    const char *file; /* that is found for alice; NULL: none is */
} authorized[] = {
    { "", "/home/alice/.ssh/authorized_keys" },
    { "AuthorizedKeysFile .ssh/keys\n", "/home/alice/.ssh/keys" },
    { "AuthorizedKeysFile %h/.ssh/keys\n", "/home/alice/.ssh/keys" },
    { "AuthorizedKeysFile /home/%u/.ssh/keys\n", "/home/alice/.ssh/keys" },
    { "AuthorizedKeysFile .ssh/%%/%u\n", "/home/alice/.ssh/%/alice" },
    { "AuthorizedKeysFile /nowhere .ssh/keys\n", "/home/alice/.ssh/keys" },
    { "AuthorizedKeysFile none\n", NULL },
    { "AuthorizedKeysFile NONE\n", NULL },
    { "AuthorizedKeysFile ~alice/.ssh/keys\n", "/home/alice/.ssh/keys" },
    { "AuthorizedKeysFile ~/.ssh/keys\n", NULL }, /* of root, whom sshd runs as */
    { "AuthorizedKeysFile ~nobody/.ssh/keys .ssh/keys\n", "/home/alice/.ssh/keys" },
    { "AuthorizedKeysFile /nowhere/%u\n", NULL },
    { "StrictModes no\n", NULL },
    { "Match User bob\nStrictModes no\n", "/home/alice/.ssh/authorized_keys" },
    { "Match all\nStrictModes no\n", NULL },
};

static const struct {
    const char *bytes;
    size_t len;
    const char *utf8; /* NULL: none */
} utf16[] = {
    { "\xFF\xFE"
      "a\0\n\0",
      6, "a\n" },
    { "\xFE\xFF"
      "\0a\0\n",
      6, "a\n" },
    { "a\0b\0", 4, "ab" },
    { "\0a\0b", 4, "ab" },
    { "\xFF\xFE\xE9\0\xAC\x20\x3D\xD8\x00\xDE", 10, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
    { "\xFF\xFE\x3D\xD8", 4, NULL }, /* half of a pair */
    { "\xFF\xFE\x3D\xD8"
      "a\0",
      6, NULL },                     /* without its other half */
    { "\xFF\xFE\x00\xDE", 4, NULL }, /* the other half alone */
    { "\xFF\xFE"
      "a\0\0\0",
      6, NULL },
    { "\xFF\xFE"
      "a\0b",
      5, NULL },
    { "ab", 2, NULL },
    { "", 0, NULL },
};

START_TEST(from_utf16)
{
    auto_blob struct blob text = blob_copy(utf16[_i].bytes, utf16[_i].len), read = { 0 };

    ck_assert(utf16_to_utf8(&text, &read) == (utf16[_i].utf8 != NULL));
    if (utf16[_i].utf8)
        ck_assert_str_eq((char *)read.data, utf16[_i].utf8);
}
END_TEST

START_TEST(authorized_keys)
{
    static const char *const paths[] = { "home/alice/.ssh/authorized_keys",
                                         "home/alice/.ssh/keys",
                                         "home/alice/.ssh/%/alice",
                                         "home/alice/none",
                                         "home/alice/NONE",
                                         "home/alice/~/.ssh/keys" };
    auto_inspection struct inspection facts = { 0 };
    const char *found = NULL;

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, authorized[_i].config);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        put_text(paths[i], "");
    facts = inspected();
    for (size_t i = 0; i < facts.node_count; i++) {
        if (facts.nodes[i].rule != &mode_authorized_keys)
            continue;
        ck_assert_msg(!found, "%s, and %s", found, facts.nodes[i].real);
        found = facts.nodes[i].real;
    }
    if (!authorized[_i].file) {
        ck_assert_ptr_null(found);
        return;
    }
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found, authorized[_i].file);
}
END_TEST

/* ---- cloud-init -------------------------------------------------------------------------------
 */

/* As util.translate_bool of cloud-init reads what PyYAML makes of them. */
static const struct {
    const char *text;
    bool deletes;
} clouds[] = {
    { "", true },
    { "ssh_deletekeys: true\n", true },
    { "ssh_deletekeys: 1 # x\n", true },
    { "ssh_deletekeys : \"yes\"\r\n", true },
    { "ssh_deletekeys: No\n", false },
    { "ssh_deletekeys: 0\n", false },
    { "ssh_deletekeys: nope\n", false },
    { "ssh_deletekeys:\n", false },
    { "ssh_deletekeys: 'false'\n", false },
    { "\"ssh_deletekeys\": false\n", false },
    { "'ssh_deletekeys\": false\n", true },
    { "ssh_deletekeys: false\nssh_deletekeys: true", true },
    { "x:\n  ssh_deletekeys: false\n", true },
    { "#cloud-config\n{ssh_deletekeys: false, ssh_genkeytypes: [ed25519]}\n", false },
    { "{\n  \"a\": {\"ssh_deletekeys\": true},\n  \"ssh_deletekeys\": false\n}\n", false },
    { "{\"a\": {\"ssh_deletekeys\": false}, \"b\": [ssh_deletekeys: false]}\n", true },
    { "{ssh_deletekeys: on", true },
};

START_TEST(cloud_deletes)
{
    auto_root struct root *root = NULL;
    auto_with(cloud_free) struct cloud cloud = { 0 };

    put_text("etc/cloud/cloud.cfg", clouds[_i].text);
    root = scratch_root(ROOT_READ);
    cloud_inspect(root, &cloud);
    ck_assert_int_eq(cloud.deletes_keys, clouds[_i].deletes);
}
END_TEST

/* ---- not a system that can be judged
 * -------------------------------------------------------------- */

static const struct {
    const char *without;
    enum err_kind kind;
    const char *word; /* that the sentence holds */
} refused[] = {
    { "etc/ssh", ERR_NOT_FOUND, "openssh-server" },
    { "etc/passwd", ERR_NOT_FOUND, "/etc/passwd" },
    { "etc/group", ERR_NOT_FOUND, "/etc/group" },
};

START_TEST(cannot_be_judged)
{
    auto_root struct root *root = NULL;
    auto_free char *from = xasprintf("%s/%s", scratch, refused[_i].without);
    auto_free char *to = xasprintf("%s/away", scratch);
    struct inspection facts;
    struct err e = { 0 };

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    ck_assert_int_eq(rename(from, to), 0);
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(inspect(root, NULL, &facts, &e), -1);
    ck_assert_int_eq(e.kind, refused[_i].kind);
    ck_assert_msg(strstr(e.text, refused[_i].word) != NULL, "%s", e.text);
}
END_TEST

static const char *const etc_ssh_links[] = { "/nowhere", "ssh", "../../../../../../../proc/self" };

START_TEST(etc_ssh_is_a_link)
{
    auto_root struct root *root = NULL;
    auto_free char *from = xasprintf("%s/etc/ssh", scratch), *to = xasprintf("%s/away", scratch);
    struct inspection facts;
    struct err e = { 0 };

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    ck_assert_int_eq(rename(from, to), 0);
    put_link("etc/ssh", etc_ssh_links[_i]);
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(inspect(root, NULL, &facts, &e), -1);
    ck_assert_str_ne(e.text, "");
}
END_TEST

START_TEST(etc_ssh_is_a_file)
{
    auto_root struct root *root = NULL;
    auto_free char *from = xasprintf("%s/etc/ssh", scratch), *to = xasprintf("%s/away", scratch);
    struct inspection facts;
    struct err e = { 0 };

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    ck_assert_int_eq(rename(from, to), 0);
    put_text("etc/ssh", "");
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(inspect(root, NULL, &facts, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
}
END_TEST

/* ---- once more, with what is known already
 * --------------------------------------------------------- */

/* Judged from the earlier look or anew, the facts are the same; what changed is seen. */
START_TEST(earlier)
{
    auto_inspection struct inspection first = { 0 }, second = { 0 }, third = { 0 };
    auto_root struct root *root = NULL;
    const struct host_key *key;
    struct err e;

    put_system(DEBIAN, "OpenSSH_9.2p1", 13, "");
    put_key("etc/ssh/ssh_host_rsa_key", 0600, "rsa.v1");
    put_key("etc/ssh/ssh_host_rsa_key.pub", 0644, "rsa.pub");
    first = inspected();
    root = scratch_root(ROOT_READ);
    ck_assert_int_eq(inspect(root, &first, &second, &e), 0);
    key = key_at(&second, "/etc/ssh/ssh_host_rsa_key");
    ck_assert(host_key_sound(key));
    ck_assert_int_eq(second.sshd.version, OPENSSH(9, 2));
    put_key("etc/ssh/ssh_host_rsa_key", 0600, "rsa1024.v1");
    put_bytes("usr/sbin/sshd", 0755, "OpenSSH_9.3p1", 13);
    ck_assert_int_eq(inspect(root, &second, &third, &e), 0);
    key = key_at(&third, "/etc/ssh/ssh_host_rsa_key");
    ck_assert_int_eq(pubkey_bits(&key->judgement.pub), 1024);
    ck_assert_int_eq(key->pub_state, PUB_FOREIGN);
    ck_assert_int_eq(third.sshd.version, OPENSSH(9, 3));
}
END_TEST

Suite *suite_inspect_system(void)
{
    Suite *suite = suite_create("inspect: system");
    TCase *tcase = tcase_create("system");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 60);
    ADD_TABLE(tcase, used_keys, defaults);
    ADD(tcase, used_keys_of_el6);
    ADD_TABLE(tcase, used_protocols, protocols);
    ADD_TABLE(tcase, early_ecdsa, early);
    ADD(tcase, key_of_agent);
    ADD(tcase, leftovers);
    ADD_TABLE(tcase, size, sizes);
    ADD_TABLE(tcase, fips, modes);
    ADD(tcase, fips_without_policies);
    ADD_TABLE(tcase, pub_state, pub_states);
    ADD_TABLE(tcase, swapped, swaps);
    ADD(tcase, copies);
    ADD_TABLE(tcase, group_keys, groups);
    ADD_TABLE(tcase, from_utf16, utf16);
    ADD_TABLE(tcase, authorized_keys, authorized);
    ADD_TABLE(tcase, cloud_deletes, clouds);
    ADD_TABLE(tcase, cannot_be_judged, refused);
    ADD_TABLE(tcase, etc_ssh_is_a_link, etc_ssh_links);
    ADD(tcase, etc_ssh_is_a_file);
    ADD(tcase, earlier);
    suite_add_tcase(suite, tcase);
    return suite;
}
