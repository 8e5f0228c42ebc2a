/* SPDX-License-Identifier: MIT */
/* Every look, on a healthy system that one thing is wrong with. */
#include "scene.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"
#include "findings/findings.h"

#include <string.h>
#include <sys/stat.h>

/* ---- what is wrong ---------------------------------------------------------------------- */

static void healthy(struct scene *s)
{
    (void)s;
}

static void all_missing(struct scene *s)
{
    for (size_t i = 0; i < SCENE_KEYS; i++)
        scene_remove_key(&s->keys[i]);
}

static void all_open(struct scene *s)
{
    for (size_t i = 0; i < SCENE_KEYS; i++)
        set_mode(&s->nodes[NODE_KEY + i], 0777);
}

/* sshd looks at the mode of its own files alone. */
static void all_open_foreign(struct scene *s)
{
    all_open(s);
    for (size_t i = 0; i < SCENE_KEYS; i++)
        s->nodes[NODE_KEY + i].stat.uid = 1000;
}

static void others_unused(struct scene *s)
{
    for (size_t i = 0; i < SCENE_KEYS; i++)
        s->keys[i].used = i == RSA;
}

static void unused_serves_nobody(struct scene *s)
{
    scene_remove_key(&s->keys[RSA]);
    others_unused(s);
}

static void missing(struct scene *s)
{
    scene_remove_key(&s->keys[RSA]);
}

static void missing_unused(struct scene *s)
{
    missing(s);
    s->keys[RSA].used = false;
}

static void missing_not_loaded(struct scene *s)
{
    missing(s);
    s->keys[RSA].type_loads = false;
}

static void odd(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_SOUND);
    s->keys[RSA].odd = (char *)"is a directory";
    s->keys[RSA].node = NULL;
}

static void odd_unused(struct scene *s)
{
    odd(s);
    s->keys[RSA].used = false;
}

static void elsewhere(struct scene *s)
{
    scene_remove_key(&s->keys[RSA]);
    s->keys[RSA].elsewhere = (char *)"is in a directory that is not on this disk";
}

static void elsewhere_unused(struct scene *s)
{
    elsewhere(s);
    s->keys[RSA].used = false;
}

/* What cannot be seen from here may serve. */
static void only_elsewhere(struct scene *s)
{
    all_missing(s);
    elsewhere(s);
}

static void only_agent(struct scene *s)
{
    all_missing(s);
    s->keys[RSA].agent = true;
}

static void empty(struct scene *s)
{
    scene_lose(&s->keys[ECDSA], HOSTKEY_EMPTY);
}

static void empty_unused(struct scene *s)
{
    empty(s);
    s->keys[ECDSA].used = false;
}

static void corrupt(struct scene *s)
{
    scene_lose(&s->keys[ED25519], HOSTKEY_CORRUPT);
}

static void corrupt_unused(struct scene *s)
{
    corrupt(s);
    s->keys[ED25519].used = false;
}

static void wrapped(struct scene *s)
{
    s->keys[RSA].judgement.verdict = HOSTKEY_WRAPPED;
    s->keys[RSA].judgement.why = "its lines end with CR LF";
}

static void wrapped_unused(struct scene *s)
{
    wrapped(s);
    s->keys[RSA].used = false;
}

static void encrypted(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_ENCRYPTED);
}

static void wrong_format(struct scene *s)
{
    s->keys[RSA].format_loads = false;
}

static void too_short(struct scene *s)
{
    scene_replace(&s->keys[RSA], "rsa1024.v1");
    s->keys[RSA].size_accepted = false;
}

static void weak(struct scene *s)
{
    scene_replace(&s->keys[RSA], "rsa1024.v1");
}

static void weak_unused(struct scene *s)
{
    weak(s);
    s->keys[RSA].used = false;
}

static void retired(struct scene *s)
{
    scene_replace(&s->keys[RSA], "dsa.v1");
    s->keys[RSA].type_loads = false;
    s->keys[RSA].used = false;
}

/* Of a protocol that this sshd knows and does not speak. */
static void protocol_off(struct scene *s)
{
    retired(s);
    s->keys[RSA].protocol_off = true;
}

static void stops_sshd(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_CORRUPT);
    s->keys[RSA].stops_sshd = true;
}

static void unknown_type(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_UNKNOWN_TYPE);
    s->keys[RSA].judgement.pub.name = xstrdup("ssh-new");
    s->keys[RSA].type = NULL;
}

/* Nobody loads it: it serves nobody, whatever it is. */
static void unknown_type_unused(struct scene *s)
{
    all_missing(s);
    s->keys[RSA].exists = true;
    unknown_type(s);
    s->keys[RSA].used = false;
}

/* It may be newer than this program, and serve. */
static void only_unknown_type(struct scene *s)
{
    all_missing(s);
    s->keys[RSA].exists = true;
    s->keys[RSA].node = &s->nodes[NODE_KEY + RSA];
    unknown_type(s);
}

static void pub_missing(struct scene *s)
{
    s->keys[RSA].pub_state = PUB_MISSING;
}

static void pub_damaged(struct scene *s)
{
    s->keys[RSA].pub_state = PUB_DAMAGED;
}

static void pub_odd(struct scene *s)
{
    s->keys[RSA].pub_state = PUB_ODD;
}

static void pub_missing_unused(struct scene *s)
{
    pub_missing(s);
    s->keys[RSA].used = false;
}

/* There is nothing to derive it from. */
static void pub_missing_and_corrupt(struct scene *s)
{
    pub_missing(s);
    scene_lose(&s->keys[RSA], HOSTKEY_CORRUPT);
}

static void pub_foreign(struct scene *s)
{
    s->keys[RSA].pub_state = PUB_FOREIGN;
}

static void open_key(struct scene *s)
{
    set_mode(&s->nodes[NODE_KEY + RSA], 0640);
}

/* The group of the row that may read it: inspect/ has taken the bit off what is refused. */
static void open_key_of_group(struct scene *s)
{
    open_key(s);
    s->nodes[NODE_KEY + RSA].refused = 0037;
    s->nodes[NODE_KEY + RSA].mode = 0640;
}

static void key_owner(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].stat.uid = 1000;
}

static void key_acl(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].acl = true;
}

static void pub_acl(struct scene *s)
{
    s->nodes[NODE_PUB + RSA].acl = true;
}

static void pub_open(struct scene *s)
{
    set_mode(&s->nodes[NODE_PUB + RSA], 0666);
}

static void pub_owner(struct scene *s)
{
    s->nodes[NODE_PUB + RSA].stat.uid = 1000;
}

static void config_open(struct scene *s)
{
    set_mode(&s->nodes[NODE_CONFIG], 0664);
}

static void config_owner(struct scene *s)
{
    s->nodes[NODE_CONFIG].stat.uid = 1000;
}

static void config_closed(struct scene *s)
{
    set_mode(&s->nodes[NODE_CLIENT_DIR], 0644);
    s->nodes[NODE_CLIENT_DIR].needed = 0111; /* it can be listed */
}

static void put_cert(struct scene *s, enum host_cert_state state)
{
    static struct host_cert cert;

    cert = (struct host_cert){ .path = "/etc/ssh/ssh_host_rsa_key-cert.pub",
                               .state = state,
                               .key = &s->keys[RSA] };
    s->facts.certs = &cert;
    s->facts.cert_count = 1;
}

#define CERT(name, state)                                                                          \
    static void name(struct scene *s)                                                              \
    {                                                                                              \
        put_cert(s, (state));                                                                      \
    }

CERT(cert_fits, HOST_CERT_OK)
CERT(cert_missing, HOST_CERT_MISSING)
CERT(cert_damaged, HOST_CERT_DAMAGED)
CERT(cert_foreign, HOST_CERT_FOREIGN)
CERT(cert_of_user, HOST_CERT_USER)
CERT(cert_expired, HOST_CERT_EXPIRED)
CERT(cert_early, HOST_CERT_EARLY)
CERT(cert_unknown, HOST_CERT_UNKNOWN)

/* A system beside it that has its ECDSA key. */
static void put_peers(struct scene *s, const char *machine_id, const char *hostname, size_t count)
{
    static struct pubkey pubs[1];
    static struct peer peers[2];

    pubs[0] = s->keys[ECDSA].judgement.pub;
    peers[0] =
        (struct peer){ .name = (char *)"/dev/vdc1",
                       .os = { .machine_id = (char *)machine_id, .hostname = (char *)hostname },
                       .keys = pubs,
                       .key_count = 1 };
    peers[1] = peers[0];
    s->facts.os.machine_id = (char *)"0123456789abcdef0123456789abcdef";
    s->facts.peers = peers;
    s->facts.peer_count = count;
}

static void shared_with_a_clone(struct scene *s)
{
    put_peers(s, "f123456789abcdef0123456789abcdef", "host", 1);
}

static void shared_with_a_renamed_clone(struct scene *s)
{
    put_peers(s, "0123456789abcdef0123456789abcdef", "web2", 2);
}

static void shared_with_itself(struct scene *s)
{
    put_peers(s, "0123456789abcdef0123456789abcdef", "host", 2);
}

static void shared_and_unused(struct scene *s)
{
    shared_with_a_clone(s);
    s->keys[ECDSA].used = false;
}

static void config_missing(struct scene *s)
{
    s->facts.config.path = NULL;
}

static void moduli_open(struct scene *s)
{
    set_mode(&s->nodes[NODE_MODULI], 0666);
}

static void moduli_owner(struct scene *s)
{
    s->nodes[NODE_MODULI].stat.uid = 1000;
}

static void privsep_open(struct scene *s)
{
    set_mode(&s->nodes[NODE_PRIVSEP], 0777);
}

static void privsep_owner(struct scene *s)
{
    s->nodes[NODE_PRIVSEP].stat.uid = 1000;
}

static void privsep_missing(struct scene *s)
{
    static const struct os fedora = { .id = (char *)"fedora",
                                      .id_like = (char *)"",
                                      .version_id = (char *)"40" };

    s->facts.profile = profile_of(&fedora);
    s->facts.privsep_missing = true;
}

static void sshd_missing(struct scene *s)
{
    s->facts.sshd = (struct sshd){ 0 };
}

static void version_unknown(struct scene *s)
{
    s->facts.sshd.version = 0;
    s->facts.sshd.version_text = NULL;
}

static void login_open(struct scene *s)
{
    set_mode(&s->nodes[NODE_HOME], 0777);
    set_mode(&s->nodes[NODE_SSH_DIR], 0770);
    set_mode(&s->nodes[NODE_AUTHORIZED], 0660);
}

static void login_by_root(struct scene *s)
{
    s->nodes[NODE_AUTHORIZED].stat.uid = 0;
}

static void login_owner(struct scene *s)
{
    s->nodes[NODE_AUTHORIZED].stat.uid = 1001;
}

static void login_closed(struct scene *s)
{
    set_mode(&s->nodes[NODE_SSH_DIR], 0600);
}

static void label(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].label = (char *)"system_u:object_r:etc_t:s0";
    s->nodes[NODE_KEY + RSA].expected_label = (char *)"system_u:object_r:sshd_key_t:s0";
}

static void label_none(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].expected_label = (char *)"system_u:object_r:sshd_key_t:s0";
}

/* User and level do not matter; a type that begins alike does. */
static void label_same_type(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].label = (char *)"unconfined_u:object_r:sshd_key_t:s0:c1";
    s->nodes[NODE_KEY + RSA].expected_label = (char *)"system_u:object_r:sshd_key_t:s0";
}

static void label_prefix(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].label = (char *)"system_u:object_r:sshd_key_t2:s0";
    s->nodes[NODE_KEY + RSA].expected_label = (char *)"system_u:object_r:sshd_key_t:s0";
}

static void label_no_opinion(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].label = (char *)"system_u:object_r:etc_t:s0";
}

static void fs_open(struct scene *s)
{
    set_mode(&s->nodes[NODE_ETC], 0777);
}

static void fs_owner(struct scene *s)
{
    s->nodes[NODE_ETC].stat.uid = 1000;
}

static void fs_closed(struct scene *s)
{
    set_mode(&s->nodes[NODE_ETC], 0644);
}

static void fs_errors(struct scene *s)
{
    s->facts.fs.errors = true;
}

static void fs_journal(struct scene *s)
{
    s->facts.fs.journal_dirty = true;
}

static void fs_journal_read(struct scene *s)
{
    s->facts.fs.journal_read = true;
}

static void fs_read_only(struct scene *s)
{
    s->facts.fs.read_only = true;
}

static void unfinished(struct scene *s)
{
    s->facts.unfinished = (char *)"20260101T000000Z-0000";
}

static void mode_differs(struct scene *s)
{
    set_mode(&s->nodes[NODE_KEY + RSA], 0400);
    set_mode(&s->nodes[NODE_MODULI], 0600);
    set_mode(&s->nodes[NODE_HOME], 0700); /* nobody's business */
}

#define KEY "/etc/ssh/ssh_host_"

static const struct {
    const char *name;
    void (*damage)(struct scene *scene);
    const char *findings; /* "id path", each with a newline, in the order of the table */
    enum verdict verdict;
} looks[] = {
    { "healthy", healthy, "", VERDICT_HEALTHY },
    { "all missing", all_missing,
      "hostkey-none -\nhostkey-missing " KEY "rsa_key\nhostkey-missing " KEY
      "ecdsa_key\nhostkey-missing " KEY "ed25519_key\n",
      VERDICT_BROKEN },
    { "all open", all_open,
      "hostkey-none -\nhostkey-open " KEY "rsa_key\nhostkey-open " KEY
      "ecdsa_key\nhostkey-open " KEY "ed25519_key\n",
      VERDICT_BROKEN },
    { "all open, not root's", all_open_foreign,
      "hostkey-open " KEY "rsa_key\nhostkey-open " KEY "ecdsa_key\nhostkey-open " KEY
      "ed25519_key\nhostkey-owner " KEY "rsa_key\nhostkey-owner " KEY
      "ecdsa_key\nhostkey-owner " KEY "ed25519_key\n",
      VERDICT_DEGRADED },
    { "others unused", others_unused, "", VERDICT_HEALTHY },
    { "only unused ones left", unused_serves_nobody,
      "hostkey-none -\nhostkey-missing " KEY "rsa_key\n", VERDICT_BROKEN },
    { "missing", missing, "hostkey-missing " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "missing, unused", missing_unused, "", VERDICT_HEALTHY },
    { "missing, not loaded", missing_not_loaded, "", VERDICT_HEALTHY },
    { "odd", odd, "hostkey-not-a-file " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "odd, unused", odd_unused, "", VERDICT_HEALTHY },
    { "elsewhere", elsewhere, "hostkey-elsewhere " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "elsewhere, unused", elsewhere_unused, "", VERDICT_HEALTHY },
    { "only elsewhere", only_elsewhere,
      "hostkey-elsewhere " KEY "rsa_key\nhostkey-missing " KEY "ecdsa_key\nhostkey-missing " KEY
      "ed25519_key\n",
      VERDICT_DEGRADED },
    { "only an agent's", only_agent,
      "hostkey-missing " KEY "ecdsa_key\nhostkey-missing " KEY "ed25519_key\n", VERDICT_DEGRADED },
    { "unknown type, unused", unknown_type_unused,
      "hostkey-none -\nhostkey-missing " KEY "ecdsa_key\nhostkey-missing " KEY
      "ed25519_key\nhostkey-unknown-type " KEY "rsa_key\n",
      VERDICT_BROKEN },
    { "privsep missing", privsep_missing, "privsep-missing /usr/share/empty.sshd\n",
      VERDICT_BROKEN },
    { "empty", empty, "hostkey-empty " KEY "ecdsa_key\n", VERDICT_DEGRADED },
    { "empty, unused", empty_unused, "", VERDICT_HEALTHY },
    { "corrupt", corrupt, "hostkey-corrupt " KEY "ed25519_key\n", VERDICT_DEGRADED },
    { "corrupt, unused", corrupt_unused, "", VERDICT_HEALTHY },
    { "wrapped", wrapped, "hostkey-wrapped " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "wrapped, unused", wrapped_unused, "", VERDICT_HEALTHY },
    { "encrypted", encrypted, "hostkey-encrypted " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "wrong format", wrong_format, "hostkey-format " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "too short", too_short, "hostkey-short " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "weak", weak, "hostkey-weak " KEY "rsa_key\n", VERDICT_HEALTHY },
    { "weak, unused", weak_unused, "", VERDICT_HEALTHY },
    { "retired", retired, "hostkey-retired " KEY "rsa_key\n", VERDICT_HEALTHY },
    { "protocol off", protocol_off, "hostkey-retired " KEY "rsa_key\n", VERDICT_HEALTHY },
    { "stops sshd", stops_sshd,
      "hostkey-corrupt " KEY "rsa_key\nhostkey-stops-sshd " KEY "rsa_key\n", VERDICT_BROKEN },
    { "unknown type", unknown_type, "hostkey-unknown-type " KEY "rsa_key\n", VERDICT_HEALTHY },
    { "only an unknown type", only_unknown_type,
      "hostkey-missing " KEY "ecdsa_key\nhostkey-missing " KEY
      "ed25519_key\nhostkey-unknown-type " KEY "rsa_key\n",
      VERDICT_DEGRADED },
    { "pub missing", pub_missing, "hostkey-pub-missing " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "pub damaged", pub_damaged, "hostkey-pub-missing " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "pub odd", pub_odd, "", VERDICT_HEALTHY },
    { "pub missing, unused", pub_missing_unused, "", VERDICT_HEALTHY },
    { "pub missing, key corrupt", pub_missing_and_corrupt, "hostkey-corrupt " KEY "rsa_key\n",
      VERDICT_DEGRADED },
    { "pub foreign", pub_foreign, "hostkey-pub-mismatch " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "open key", open_key, "hostkey-open " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "open key of the group", open_key_of_group, "", VERDICT_HEALTHY },
    { "key owner", key_owner, "hostkey-owner " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "key acl", key_acl, "hostkey-acl " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "pub acl", pub_acl, "", VERDICT_HEALTHY },
    { "pub open", pub_open, "hostkey-pub-open " KEY "rsa_key.pub\n", VERDICT_DEGRADED },
    { "pub owner", pub_owner, "hostkey-pub-owner " KEY "rsa_key.pub\n", VERDICT_DEGRADED },
    { "shared", shared_with_a_clone, "hostkey-shared " KEY "ecdsa_key\n", VERDICT_HEALTHY },
    { "shared, renamed", shared_with_a_renamed_clone, "hostkey-shared " KEY "ecdsa_key\n",
      VERDICT_HEALTHY },
    { "shared with itself", shared_with_itself, "", VERDICT_HEALTHY },
    { "shared and unused", shared_and_unused, "", VERDICT_HEALTHY },
    { "cert fits", cert_fits, "", VERDICT_HEALTHY },
    { "cert missing", cert_missing, "hostkey-cert-mismatch " KEY "rsa_key-cert.pub\n",
      VERDICT_DEGRADED },
    { "cert damaged", cert_damaged, "hostkey-cert-mismatch " KEY "rsa_key-cert.pub\n",
      VERDICT_DEGRADED },
    { "cert foreign", cert_foreign, "hostkey-cert-mismatch " KEY "rsa_key-cert.pub\n",
      VERDICT_DEGRADED },
    { "cert of a user", cert_of_user, "hostkey-cert-mismatch " KEY "rsa_key-cert.pub\n",
      VERDICT_DEGRADED },
    { "cert expired", cert_expired, "hostkey-cert-expired " KEY "rsa_key-cert.pub\n",
      VERDICT_HEALTHY },
    { "cert early", cert_early, "hostkey-cert-expired " KEY "rsa_key-cert.pub\n", VERDICT_HEALTHY },
    { "cert unknown", cert_unknown, "", VERDICT_HEALTHY },
    { "config missing", config_missing, "config-missing /etc/ssh/sshd_config\n", VERDICT_BROKEN },
    { "config open", config_open, "config-open /etc/ssh/sshd_config\n", VERDICT_DEGRADED },
    { "config owner", config_owner, "config-owner /etc/ssh/sshd_config\n", VERDICT_DEGRADED },
    { "config closed", config_closed, "config-closed /etc/ssh/ssh_config.d\n", VERDICT_DEGRADED },
    { "moduli open", moduli_open, "moduli-open /etc/ssh/moduli\n", VERDICT_DEGRADED },
    { "moduli owner", moduli_owner, "moduli-owner /etc/ssh/moduli\n", VERDICT_DEGRADED },
    { "privsep open", privsep_open, "privsep-open /run/sshd\n", VERDICT_BROKEN },
    { "privsep owner", privsep_owner, "privsep-owner /run/sshd\n", VERDICT_BROKEN },
    { "sshd missing", sshd_missing, "sshd-missing -\n", VERDICT_BROKEN },
    { "version unknown", version_unknown, "sshd-version-unknown /usr/sbin/sshd\n",
      VERDICT_HEALTHY },
    { "login open", login_open,
      "login-open /home/alice\nlogin-open /home/alice/.ssh\nlogin-open "
      "/home/alice/.ssh/authorized_keys\n",
      VERDICT_DEGRADED },
    { "login by root", login_by_root, "", VERDICT_HEALTHY },
    { "login owner", login_owner, "login-owner /home/alice/.ssh/authorized_keys\n",
      VERDICT_DEGRADED },
    { "login closed", login_closed, "login-closed /home/alice/.ssh\n", VERDICT_DEGRADED },
    { "label", label, "selinux-label " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "no label", label_none, "selinux-label " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "label of the same type", label_same_type, "", VERDICT_HEALTHY },
    { "label that begins alike", label_prefix, "selinux-label " KEY "rsa_key\n", VERDICT_DEGRADED },
    { "label without opinion", label_no_opinion, "", VERDICT_HEALTHY },
    { "fs open", fs_open, "fs-open /etc\n", VERDICT_DEGRADED },
    { "fs owner", fs_owner, "fs-owner /etc\n", VERDICT_DEGRADED },
    { "fs closed", fs_closed, "fs-closed /etc\n", VERDICT_DEGRADED },
    { "fs errors", fs_errors, "fs-errors -\n", VERDICT_DEGRADED },
    { "fs journal", fs_journal, "fs-journal -\n", VERDICT_HEALTHY },
    { "fs journal, read through", fs_journal_read, "fs-journal -\n", VERDICT_HEALTHY },
    { "fs read-only", fs_read_only, "fs-read-only -\n", VERDICT_DEGRADED },
    { "unfinished", unfinished, "fs-run-unfinished -\n", VERDICT_HEALTHY },
    { "mode differs", mode_differs,
      "fs-mode-differs " KEY "rsa_key\nfs-mode-differs /etc/ssh/moduli\n", VERDICT_HEALTHY },
};

static char *as_text(const struct findings *findings)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        char *longer =
            xasprintf("%s%s %s\n", text, finding->check->id, finding->path ? finding->path : "-");

        free(text);
        text = longer;
    }
    return text;
}

START_TEST(look)
{
    auto_scene struct scene scene;
    auto_findings struct findings findings;
    auto_free char *text = NULL;

    scene_make(&scene);
    looks[_i].damage(&scene);
    findings_judge(&scene.facts, &findings);
    text = as_text(&findings);
    ck_assert_msg(strcmp(text, looks[_i].findings) == 0, "%s:\n%s", looks[_i].name, text);
    ck_assert_msg(findings_verdict(&findings) == looks[_i].verdict, "%s", looks[_i].name);
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        const char *message = finding->message;

        ck_assert_str_ne(message, "");
        ck_assert_msg(!text_ends(message, "."), "%s", message);
        ck_assert_int_eq(finding->outcome, OUTCOME_OPEN);
        if (finding->check->remedy >= REMEDY_REWRAP && finding->check->remedy <= REMEDY_REPLACE)
            ck_assert_ptr_nonnull(finding->key);
        else if (finding->check->remedy != REMEDY_NONE && finding->check->remedy < REMEDY_EDIT)
            ck_assert_ptr_nonnull(finding->node);
    }
}
END_TEST

/* ---- the table itself ---------------------------------------------------------------------- */

static size_t check_count(void)
{
    size_t count = 0;

    while (checks[count].id)
        count++;
    return count;
}

static bool family_known(const char *id)
{
    static const char *const families[] = {
        "hostkey-", "config-", "moduli-",  "privsep-", "sshd-",
        "service-", "login-",  "selinux-", "fs-",      "boot-"
    };

    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (text_starts(id, families[i]) && id[strlen(families[i])])
            return true;
    return false;
}

START_TEST(row)
{
    const struct check *check = &checks[_i];
    auto_free char *named = xasprintf("\"%s ", check->id);
    auto_blob struct blob text = file_bytes("tests/fixtures/%s/expect.check", check->id);
    auto_blob struct blob after = file_bytes("tests/fixtures/%s/expect.1", check->id);

    ck_assert_msg(family_known(check->id), "%s", check->id);
    ck_assert_uint_eq(strspn(check->id, "abcdefghijklmnopqrstuvwxyz-"), strlen(check->id));
    ck_assert(check->title && *check->title && !text_ends(check->title, "."));
    ck_assert(check->why && text_ends(check->why, "."));
    ck_assert_ptr_nonnull(check->look);
    ck_assert_msg(check_named(check->id) == check, "%s is there twice", check->id);
    ck_assert_msg(strstr((const char *)text.data, named) || strstr((const char *)after.data, named),
                  "tests/fixtures/%s does not show it", check->id);
    /* Nobody mends what is for a human to decide. */
    ck_assert(check->policy != POLICY_NEVER || check->remedy == REMEDY_NONE);
}
END_TEST

START_TEST(names)
{
    ck_assert_ptr_null(check_named("hostkey-nonesuch"));
    ck_assert_ptr_null(check_named(""));
    ck_assert_str_eq(severity_name(SEVERITY_NOTE), "note");
    ck_assert_str_eq(severity_name(SEVERITY_WARNING), "warning");
    ck_assert_str_eq(severity_name(SEVERITY_FATAL), "fatal");
    ck_assert_str_eq(policy_name(POLICY_AUTO), "auto");
    ck_assert_str_eq(policy_name(POLICY_ASK), "ask");
    ck_assert_str_eq(policy_name(POLICY_NEVER), "never");
    ck_assert_str_eq(outcome_name(OUTCOME_OPEN), "open");
    ck_assert_str_eq(outcome_name(OUTCOME_MENDED), "mended");
    ck_assert_str_eq(outcome_name(OUTCOME_SKIPPED), "skipped");
    ck_assert_str_eq(outcome_name(OUTCOME_FAILED), "failed");
    ck_assert_str_eq(verdict_name(VERDICT_HEALTHY), "healthy");
    ck_assert_str_eq(verdict_name(VERDICT_DEGRADED), "degraded");
    ck_assert_str_eq(verdict_name(VERDICT_BROKEN), "broken");
}
END_TEST

/* ---- what stops a repair --------------------------------------------------------------------- */

static const struct {
    void (*damage)(struct scene *scene);
    const char *blocker; /* NULL: none */
} blockers[] = {
    { healthy, NULL },    { all_missing, NULL },      { sshd_missing, NULL },
    { fs_journal, NULL }, { unfinished, NULL },       { odd, "hostkey-not-a-file" },
    { odd_unused, NULL }, { fs_errors, "fs-errors" }, { fs_read_only, "fs-read-only" },
};

START_TEST(blocker)
{
    auto_scene struct scene scene;
    auto_findings struct findings findings;
    const struct finding *found;

    scene_make(&scene);
    all_open(&scene);
    blockers[_i].damage(&scene);
    findings_judge(&scene.facts, &findings);
    found = findings_blocker(&findings);
    if (blockers[_i].blocker)
        ck_assert_str_eq(found->check->id, blockers[_i].blocker);
    else
        ck_assert_ptr_null(found);
}
END_TEST

/* ---- what became of them --------------------------------------------------------------------- */

START_TEST(settled)
{
    auto_scene struct scene before, after;
    auto_findings struct findings findings, second;
    const struct finding *found;
    bool tried[3] = { true, true, false };

    scene_make(&before);
    set_mode(&before.nodes[NODE_KEY + RSA], 0777);
    set_mode(&before.nodes[NODE_KEY + ECDSA], 0777);
    set_mode(&before.nodes[NODE_MODULI], 0666);
    findings_judge(&before.facts, &findings);
    ck_assert_uint_eq(findings.count, 3);
    scene_make(&after);
    set_mode(&after.nodes[NODE_KEY + ECDSA], 0777);
    set_mode(&after.nodes[NODE_MODULI], 0666);
    set_mode(&after.nodes[NODE_ETC], 0777);
    findings_judge(&after.facts, &second);
    findings_settle(&findings, &second, tried);
    ck_assert_uint_eq(findings.count, 4);
    found = findings_find(&findings, "hostkey-open", "/etc/ssh/ssh_host_rsa_key");
    ck_assert_int_eq(found->outcome, OUTCOME_MENDED);
    found = findings_find(&findings, "hostkey-open", "/etc/ssh/ssh_host_ecdsa_key");
    ck_assert_int_eq(found->outcome, OUTCOME_FAILED);
    found = findings_find(&findings, "moduli-open", "/etc/ssh/moduli");
    ck_assert_int_eq(found->outcome, OUTCOME_SKIPPED);
    found = findings_find(&findings, "fs-open", "/etc");
    ck_assert_int_eq(found->outcome, OUTCOME_OPEN);
}
END_TEST

START_TEST(found_by_id_and_path)
{
    auto_scene struct scene scene;
    auto_findings struct findings findings;

    scene_make(&scene);
    all_missing(&scene);
    findings_judge(&scene.facts, &findings);
    ck_assert_ptr_nonnull(findings_find(&findings, "hostkey-none", NULL));
    ck_assert_ptr_null(findings_find(&findings, "hostkey-none", "/etc"));
    ck_assert_ptr_null(findings_find(&findings, "hostkey-missing", NULL));
    ck_assert_ptr_nonnull(findings_find(&findings, "hostkey-missing", KEY "rsa_key"));
    ck_assert_ptr_null(findings_find(&findings, "hostkey-missing", KEY "dsa_key"));
}
END_TEST

/* ---- the state of a key, for scripts -----------------------------------------------------------
 */

static const struct {
    void (*damage)(struct scene *scene);
    int key;
    const char *state;
} states[] = {
    { healthy, RSA, "ok" },
    { missing, RSA, "missing" },
    { odd, RSA, "refused" },
    { empty, ECDSA, "empty" },
    { corrupt, ED25519, "corrupt" },
    { wrapped, RSA, "corrupt" },
    { encrypted, RSA, "encrypted" },
    { open_key, RSA, "refused" },
    { key_owner, RSA, "ok" },
    { all_open_foreign, RSA, "ok" },
    { wrong_format, RSA, "refused" },
    { too_short, RSA, "refused" },
    { weak, RSA, "ok" },
    { retired, RSA, "refused" },
    { unknown_type, RSA, "unknown-type" },
    { pub_foreign, RSA, "mismatched" },
    { pub_missing, RSA, "ok" },
};

START_TEST(state)
{
    auto_scene struct scene scene;

    scene_make(&scene);
    states[_i].damage(&scene);
    ck_assert_str_eq(host_key_state(&scene.keys[states[_i].key]), states[_i].state);
}
END_TEST

Suite *suite_findings(void)
{
    Suite *suite = suite_create("findings");
    TCase *tcase = tcase_create("findings");

    ADD_TABLE(tcase, look, looks);
    tcase_add_loop_test(tcase, row, 0, (int)check_count());
    ADD(tcase, names);
    ADD_TABLE(tcase, blocker, blockers);
    ADD(tcase, settled);
    ADD(tcase, found_by_id_and_path);
    ADD_TABLE(tcase, state, states);
    suite_add_tcase(suite, tcase);
    return suite;
}
