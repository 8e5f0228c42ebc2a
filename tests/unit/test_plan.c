/* SPDX-License-Identifier: MIT */
/* From findings to changes: which, and in what order. */
#include "scene.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"
#include "plan/plan.h"

#include <string.h>
#include <sys/stat.h>

static const struct plan_options plain,
    strict = { .strict = true }, all_keys = { .all_keys = true },
    previous = { .restore_previous = true },
    recover = { .restore_previous = true, .recover_only = true };

/* ---- what is wrong ---------------------------------------------------------------------- */

static void healthy(struct scene *s)
{
    (void)s;
}

static void open_keys(struct scene *s)
{
    for (size_t i = 0; i < SCENE_KEYS; i++)
        set_mode(&s->nodes[NODE_KEY + i], 0777);
}

static void foreign_open_key(struct scene *s)
{
    set_mode(&s->nodes[NODE_KEY + RSA], 0777);
    s->nodes[NODE_KEY + RSA].stat.uid = 1000;
}

static void foreign_key(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].stat.uid = 1000;
}

static void everything_about_a_node(struct scene *s)
{
    foreign_open_key(s);
    s->nodes[NODE_KEY + RSA].acl = true;
    s->nodes[NODE_KEY + RSA].label = (char *)"system_u:object_r:etc_t:s0";
    s->nodes[NODE_KEY + RSA].expected_label = (char *)"system_u:object_r:sshd_key_t:s0";
}

static void acl_alone(struct scene *s)
{
    s->nodes[NODE_KEY + RSA].acl = true;
}

/* Red Hat's: the group may read, as soon as it is the right one. */
static void group_key(struct scene *s)
{
    struct node *node = &s->nodes[NODE_KEY + RSA];

    set_mode(node, 0666);
    node->mode = 0640;
    node->gid = 998;
    s->facts.key_meta = (struct root_meta){ .mode = 0640, .gid = 998 };
}

static void missing(struct scene *s)
{
    scene_remove_key(&s->keys[RSA]);
}

static void missing_both(struct scene *s)
{
    missing(s);
    scene_lose_both(&s->keys[RSA], HOSTKEY_SOUND);
}

static void all_missing(struct scene *s)
{
    for (size_t i = 0; i < SCENE_KEYS; i++) {
        scene_remove_key(&s->keys[i]);
        scene_lose_both(&s->keys[i], HOSTKEY_SOUND);
    }
}

static void missing_on_old(struct scene *s)
{
    missing_both(s);
    s->facts.sshd = (struct sshd){ .path = (char *)"/usr/sbin/sshd", .version = OPENSSH(5, 3) };
}

static void missing_of_no_type(struct scene *s)
{
    missing_both(s);
    s->keys[RSA].type = NULL;
}

static void missing_dsa(struct scene *s)
{
    missing_both(s);
    s->keys[RSA].type = key_type_named("ssh-dss");
    s->keys[RSA].type_loads = false; /* as for 9.8 and later */
}

static void corrupt(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_CORRUPT);
}

/* A write takes care of the modes. */
static void corrupt_and_open(struct scene *s)
{
    corrupt(s);
    foreign_open_key(s);
    s->nodes[NODE_KEY + RSA].acl = true;
    set_mode(&s->nodes[NODE_PUB + RSA], 0666);
}

static void wrapped(struct scene *s)
{
    struct hostkey_judgement *judged = &s->keys[RSA].judgement;

    judged->verdict = HOSTKEY_WRAPPED;
    judged->why = "its lines end with CR LF";
    judged->rewrapped = file_bytes(KEYS_DIR "/rsa.v1");
}

static void wrapped_without_pub(struct scene *s)
{
    wrapped(s);
    s->keys[RSA].pub_state = PUB_MISSING;
}

static void wrapped_on_old(struct scene *s)
{
    wrapped(s);
    s->keys[RSA].format_loads = false;
    s->facts.sshd.version = OPENSSH(5, 3);
}

static void swapped(struct scene *s)
{
    wrapped(s);
    s->keys[RSA].swapped = true;
    s->keys[RSA].pub_state = PUB_DAMAGED;
}

static void wrong_format(struct scene *s)
{
    s->keys[RSA].format_loads = false;
    s->facts.sshd.version = OPENSSH(5, 3);
}

static void pub_missing(struct scene *s)
{
    s->keys[RSA].pub_state = PUB_MISSING;
    s->keys[RSA].pub_node = NULL;
}

static void pub_foreign_and_open(struct scene *s)
{
    s->keys[RSA].pub_state = PUB_FOREIGN;
    set_mode(&s->nodes[NODE_PUB + RSA], 0666);
}

static void weak(struct scene *s)
{
    scene_replace(&s->keys[RSA], "rsa1024.v1");
}

static void too_short(struct scene *s)
{
    weak(s);
    s->keys[RSA].size_accepted = false;
}

static void unknown_type(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_UNKNOWN_TYPE);
    s->keys[RSA].judgement.pub.name = xstrdup("ssh-new");
    s->keys[RSA].type = NULL;
}

/* Its .pub, or its name, says RSA: still, what is in the file is not ours to replace. */
static void unknown_type_by_known_name(struct scene *s)
{
    unknown_type(s);
    s->keys[RSA].type = key_type_named("ssh-rsa");
}

static void unused(struct scene *s)
{
    s->keys[RSA].used = false;
}

static void unused_and_corrupt(struct scene *s)
{
    unused(s);
    corrupt(s);
}

static void retired(struct scene *s)
{
    scene_replace(&s->keys[RSA], "dsa.v1");
    s->keys[RSA].type_loads = false;
}

static void odd(struct scene *s)
{
    open_keys(s);
    scene_lose(&s->keys[ECDSA], HOSTKEY_SOUND);
    s->keys[ECDSA].odd = (char *)"is a FIFO";
}

static void errors(struct scene *s)
{
    open_keys(s);
    s->facts.fs.errors = true;
}

static void read_only(struct scene *s)
{
    open_keys(s);
    s->facts.fs.read_only = true;
}

static void differs(struct scene *s)
{
    set_mode(&s->nodes[NODE_KEY + RSA], 0400);
}

static void open_and_foreign_home(struct scene *s)
{
    set_mode(&s->nodes[NODE_HOME], 0777);
    s->nodes[NODE_HOME].mode = 0755;
    s->nodes[NODE_HOME].stat.uid = 1001;
    set_mode(&s->nodes[NODE_SSH_DIR], 0600);
}

/* The operator says that clients know another RSA key, and it has been found. */
static void changed(struct scene *s)
{
    static struct evidence item = { .source = EVIDENCE_OPERATOR };
    static const struct evidence_list told = { .items = &item, .count = 1 };

    scene_copy(s, &s->keys[RSA], "the bare disk", "rsa1024.v1");
    s->copies[0].carved = true;
    s->copies[0].source = EVIDENCE_OPERATOR;
    s->copies[0].vouched_by = (char *)"--fingerprint";
    item.fingerprint = pubkey_fingerprint(&s->copies[0].judgement.pub);
    s->facts.told = &told;
}

static void changed_and_open(struct scene *s)
{
    changed(s);
    open_keys(s);
}

/* It was not found: nothing comes in the place of the one that serves. */
static void changed_and_gone(struct scene *s)
{
    changed(s);
    s->copies[0].vouched_by = NULL;
    hostkey_judgement_free(&s->copies[0].judgement);
    s->keys[RSA].copy_count = 0;
}

static void mixed(struct scene *s)
{
    missing(s);
    set_mode(&s->nodes[NODE_MODULI], 0666);
    s->keys[ECDSA].pub_state = PUB_MISSING;
    s->keys[ECDSA].pub_node = NULL;
    set_mode(&s->nodes[NODE_KEY + ED25519], 0644);
}

/* ---- and what is done about it --------------------------------------------------------------- */

#define KEY "/etc/ssh/ssh_host_"
#define NEW_RSA                                                                                    \
    "write " KEY "rsa_key a new RSA 3072 key\n"                                                    \
    "write " KEY "rsa_key.pub the .pub of the new RSA key\n"

#define OLD_RSA                                                                                    \
    "write " KEY "rsa_key the RSA key, from the bare disk\n"                                       \
    "write " KEY "rsa_key.pub the .pub, derived from the RSA key\n"

static const struct {
    const char *name;
    void (*damage)(struct scene *scene);
    const struct plan_options *options;
    const char *changes; /* "kind path to", each with a newline */
} plans[] = {
    { "healthy", healthy, &plain, "" },
    { "changed", changed, &plain, "" },
    { "changed, asked for", changed, &previous, OLD_RSA },
    { "changed, recover", changed, &recover, OLD_RSA },
    { "changed and open", changed_and_open, &previous,
      OLD_RSA "chmod " KEY "ecdsa_key 0600\nchmod " KEY "ed25519_key 0600\n" },
    { "changed and open, recover", changed_and_open, &recover, OLD_RSA },
    { "changed and gone", changed_and_gone, &previous, "" },
    { "healthy, asked for", healthy, &previous, "" },
    { "healthy, strict", healthy, &strict, "" },
    { "open keys", open_keys, &plain,
      "chmod " KEY "rsa_key 0600\nchmod " KEY "ecdsa_key 0600\nchmod " KEY "ed25519_key 0600\n" },
    /* The mode first: root's sshd refuses an open key of root's, not one of somebody else. */
    { "foreign open key", foreign_open_key, &plain,
      "chmod " KEY "rsa_key 0600\nchown " KEY "rsa_key 0:0\n" },
    { "foreign key", foreign_key, &plain, "chown " KEY "rsa_key 0:0\n" },
    /* The list first: a mode set while it is there only changes its mask. */
    { "everything about a node", everything_about_a_node, &plain,
      "removexattr " KEY "rsa_key -\nchmod " KEY "rsa_key 0600\nchown " KEY
      "rsa_key 0:0\nsetxattr " KEY "rsa_key system_u:object_r:sshd_key_t:s0\n" },
    { "acl alone", acl_alone, &plain, "removexattr " KEY "rsa_key -\n" },
    { "group key", group_key, &plain, "chmod " KEY "rsa_key 0640\nchown " KEY "rsa_key 0:998\n" },
    { "missing", missing, &plain, NEW_RSA },
    { "missing both", missing_both, &plain, NEW_RSA },
    { "all missing", all_missing, &plain,
      NEW_RSA "write " KEY "ecdsa_key a new ECDSA 256 key\n"
              "write " KEY "ecdsa_key.pub the .pub of the new ECDSA key\n"
              "write " KEY "ed25519_key a new ED25519 256 key\n"
              "write " KEY "ed25519_key.pub the .pub of the new ED25519 key\n" },
    { "missing of no type", missing_of_no_type, &plain, "" },
    { "missing dsa", missing_dsa, &plain, "" },
    { "corrupt", corrupt, &plain, NEW_RSA },
    { "corrupt and open", corrupt_and_open, &plain, NEW_RSA },
    { "wrapped", wrapped, &plain, "write " KEY "rsa_key the same RSA key, as sshd wants it\n" },
    { "wrapped without .pub", wrapped_without_pub, &plain,
      "write " KEY "rsa_key the same RSA key, as sshd wants it\n"
      "write " KEY "rsa_key.pub the .pub, derived from the RSA key\n" },
    { "swapped", swapped, &plain,
      "write " KEY "rsa_key the same RSA key, as sshd wants it\n"
      "write " KEY "rsa_key.pub the .pub, derived from the RSA key\n" },
    { "wrong format", wrong_format, &plain,
      "write " KEY "rsa_key the same RSA key, as sshd wants it\n" },
    { "pub missing", pub_missing, &plain,
      "write " KEY "rsa_key.pub the .pub, derived from the RSA key\n" },
    { "pub foreign and open", pub_foreign_and_open, &plain,
      "write " KEY "rsa_key.pub the .pub, derived from the RSA key\n" },
    { "weak", weak, &plain, "" },
    { "weak, strict", weak, &strict, "" },
    { "too short", too_short, &plain, NEW_RSA },
    { "unknown type", unknown_type, &plain, "" },
    { "unused and corrupt", unused_and_corrupt, &plain, "" },
    { "retired", retired, &plain, "" },
    { "odd", odd, &plain, "" },
    { "odd, all keys", odd, &all_keys, "" },
    { "errors", errors, &plain, "" },
    { "read-only", read_only, &plain, "" },
    { "differs", differs, &plain, "" },
    { "differs, strict", differs, &strict, "chmod " KEY "rsa_key 0600\n" },
    { "open and foreign home", open_and_foreign_home, &plain,
      "chmod /home/alice 0755\nchown /home/alice 1000:1000\nchmod /home/alice/.ssh 0700\n" },
    /* Keys before modes: what takes longest and can fail is staged first. */
    { "mixed", mixed, &plain,
      NEW_RSA "write " KEY "ecdsa_key.pub the .pub, derived from the ECDSA key\n"
              "chmod " KEY "ed25519_key 0600\nchmod /etc/ssh/moduli 0644\n" },
    { "all keys", healthy, &all_keys,
      NEW_RSA "write " KEY "ecdsa_key a new ECDSA 256 key\n"
              "write " KEY "ecdsa_key.pub the .pub of the new ECDSA key\n"
              "write " KEY "ed25519_key a new ED25519 256 key\n"
              "write " KEY "ed25519_key.pub the .pub of the new ED25519 key\n" },
    { "all keys, unknown type", unknown_type, &all_keys,
      "write " KEY "ecdsa_key a new ECDSA 256 key\n"
      "write " KEY "ecdsa_key.pub the .pub of the new ECDSA key\n"
      "write " KEY "ed25519_key a new ED25519 256 key\n"
      "write " KEY "ed25519_key.pub the .pub of the new ED25519 key\n" },
    { "all keys, unknown type by a known name", unknown_type_by_known_name, &all_keys,
      "write " KEY "ecdsa_key a new ECDSA 256 key\n"
      "write " KEY "ecdsa_key.pub the .pub of the new ECDSA key\n"
      "write " KEY "ed25519_key a new ED25519 256 key\n"
      "write " KEY "ed25519_key.pub the .pub of the new ED25519 key\n" },
    { "all keys, unused", unused, &all_keys,
      "write " KEY "ecdsa_key a new ECDSA 256 key\n"
      "write " KEY "ecdsa_key.pub the .pub of the new ECDSA key\n"
      "write " KEY "ed25519_key a new ED25519 256 key\n"
      "write " KEY "ed25519_key.pub the .pub of the new ED25519 key\n" },
    { "all keys, retired", retired, &all_keys,
      "write " KEY "ecdsa_key a new ECDSA 256 key\n"
      "write " KEY "ecdsa_key.pub the .pub of the new ECDSA key\n"
      "write " KEY "ed25519_key a new ED25519 256 key\n"
      "write " KEY "ed25519_key.pub the .pub of the new ED25519 key\n" },
    { "only one", mixed, &(const struct plan_options){ .only = "moduli-open" },
      "chmod /etc/ssh/moduli 0644\n" },
    { "only two", mixed, &(const struct plan_options){ .only = "moduli-open,hostkey-open" },
      "chmod " KEY "ed25519_key 0600\nchmod /etc/ssh/moduli 0644\n" },
    { "only what is not there", mixed, &(const struct plan_options){ .only = "fs-open" }, "" },
    { "skip", mixed, &(const struct plan_options){ .skip = "hostkey-missing,moduli-open" },
      "write " KEY "ecdsa_key.pub the .pub, derived from the ECDSA key\n"
      "chmod " KEY "ed25519_key 0600\n" },
    { "only and skip", mixed,
      &(const struct plan_options){ .only = "moduli-open,hostkey-open", .skip = "moduli-open" },
      "chmod " KEY "ed25519_key 0600\n" },
    { "only what is never done", weak, &(const struct plan_options){ .only = "hostkey-weak" }, "" },
    { "only what is strict", differs, &(const struct plan_options){ .only = "fs-mode-differs" },
      "" },
};

static char *as_text(const struct plan *plan)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < plan->change_count; i++) {
        const struct change *change = &plan->changes[i];
        auto_free char *to = change_to(change);
        char *longer = xasprintf("%s%s %s %s\n", text, change_kind_name(change->kind), change->path,
                                 to ? to : "-");

        free(text);
        text = longer;
    }
    return text;
}

/* Findings and plan of a scene; both point into it. */
struct planned {
    struct findings findings;
    struct plan plan;
};

static void planned_free(struct planned *planned)
{
    plan_free(&planned->plan);
    findings_free(&planned->findings);
}

#define auto_planned auto_with(planned_free)

static struct planned plan_of(const struct scene *scene, const struct plan_options *options)
{
    struct planned planned;
    struct err e = { 0 };

    findings_judge(&scene->facts, &planned.findings);
    ck_assert_msg(plan_make(&scene->facts, &planned.findings, options, &planned.plan, &e) == 0,
                  "%s", e.text);
    return planned;
}

START_TEST(changes)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    auto_free char *text = NULL;

    scene_make(&scene);
    plans[_i].damage(&scene);
    planned = plan_of(&scene, plans[_i].options);
    text = as_text(&planned.plan);
    ck_assert_msg(strcmp(text, plans[_i].changes) == 0, "%s:\n%s", plans[_i].name, text);
}
END_TEST

/* A path is written, or its metadata is changed; never both, and nothing twice. */
START_TEST(no_path_twice)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };

    scene_make(&scene);
    plans[_i].damage(&scene);
    planned = plan_of(&scene, plans[_i].options);
    for (size_t i = 0; i < planned.plan.change_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct change *a = &planned.plan.changes[j], *b = &planned.plan.changes[i];

            if (strcmp(a->path, b->path) != 0)
                continue;
            ck_assert(a->kind != CHANGE_WRITE && b->kind != CHANGE_WRITE);
            ck_assert_int_lt(a->kind, b->kind);
        }
    }
}
END_TEST

/* ---- what is written --------------------------------------------------------------------------
 */

static const struct change *change_of(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->change_count; i++)
        if (plan->changes[i].kind == CHANGE_WRITE && strcmp(plan->changes[i].path, path) == 0)
            return &plan->changes[i];
    ck_abort_msg("nothing is written to %s", path);
}

START_TEST(written_with_its_metadata)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    const struct change *key, *pub;

    scene_make(&scene);
    group_key(&scene);
    corrupt(&scene);
    scene.keys[RSA].label = (char *)"system_u:object_r:sshd_key_t:s0";
    scene.keys[RSA].pub_label = (char *)"system_u:object_r:etc_t:s0";
    planned = plan_of(&scene, &plain);
    key = change_of(&planned.plan, KEY "rsa_key");
    pub = change_of(&planned.plan, KEY "rsa_key.pub");
    ck_assert_uint_eq(key->meta.mode, 0640);
    ck_assert_uint_eq(key->meta.gid, 998);
    ck_assert_uint_eq(key->meta.uid, 0);
    ck_assert_str_eq(key->meta.label, scene.keys[RSA].label);
    ck_assert(key->replaces && !key->public_half);
    ck_assert_uint_eq(pub->meta.mode, 0644);
    ck_assert_uint_eq(pub->meta.gid, 0);
    ck_assert_str_eq(pub->meta.label, scene.keys[RSA].pub_label);
    ck_assert(pub->replaces && pub->public_half);
    ck_assert_int_eq(key->new_key, pub->new_key);
}
END_TEST

static const struct {
    void (*damage)(struct scene *scene);
    enum hostkey_format format;
    int bits;
} made[] = {
    { missing_both, HOSTKEY_FORMAT_OPENSSH, 3072 },
    { missing_on_old, HOSTKEY_FORMAT_PEM, 3072 },
};

START_TEST(new_keys)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    const struct new_key *key;

    scene_make(&scene);
    made[_i].damage(&scene);
    planned = plan_of(&scene, &plain);
    ck_assert_uint_eq(planned.plan.new_key_count, 1);
    key = &planned.plan.new_keys[0];
    ck_assert_ptr_eq(key->type, key_type_named("ssh-rsa"));
    ck_assert_int_eq(key->bits, made[_i].bits);
    ck_assert_int_eq(key->format, made[_i].format);
    ck_assert_str_eq(key->comment, "root@host");
    ck_assert_int_eq(planned.plan.fates[RSA].new_key, 0);
    ck_assert_int_eq(planned.plan.fates[ECDSA].new_key, NO_NEW_KEY);
}
END_TEST

static const struct {
    void (*damage)(struct scene *scene);
    const char *starts;
} rewraps[] = {
    { wrapped, "-----BEGIN OPENSSH PRIVATE KEY-----\n" },
    { swapped, "-----BEGIN OPENSSH PRIVATE KEY-----\n" },
    { wrapped_on_old, "-----BEGIN RSA PRIVATE KEY-----\n" },
    { wrong_format, "-----BEGIN RSA PRIVATE KEY-----\n" },
};

/* The same key, in a format that this sshd reads. */
START_TEST(rewrapped)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;
    const struct change *key;

    scene_make(&scene);
    rewraps[_i].damage(&scene);
    planned = plan_of(&scene, &plain);
    key = change_of(&planned.plan, KEY "rsa_key");
    ck_assert(text_starts((char *)key->content.data, rewraps[_i].starts));
    hostkey_judge(&key->content, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    ck_assert(blob_equal(&judged.pub.blob, &scene.keys[RSA].judgement.pub.blob));
    ck_assert_int_eq(planned.plan.fates[RSA].origin, ORIGIN_KEPT);
}
END_TEST

START_TEST(derived)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    auto_blob struct blob expected = file_bytes(KEYS_DIR "/rsa.pub");
    const struct change *pub;

    scene_make(&scene);
    pub_missing(&scene);
    planned = plan_of(&scene, &plain);
    pub = change_of(&planned.plan, KEY "rsa_key.pub");
    ck_assert_str_eq((char *)pub->content.data, (char *)expected.data);
    ck_assert(!pub->replaces);
    ck_assert_int_eq(planned.plan.fates[RSA].origin, ORIGIN_KEPT);
}
END_TEST

/* ---- copies of a lost key -----------------------------------------------------------------------
 */

#define COPY "/root/ssh_host_rsa_key.bak"
#define OTHER "/etc/ssh/ssh_host_rsa_key.old"

static void lost_with_pub(struct scene *s)
{
    scene_lose(&s->keys[RSA], HOSTKEY_EMPTY);
}

static void lost_without_pub(struct scene *s)
{
    scene_lose_both(&s->keys[RSA], HOSTKEY_EMPTY);
}

/* An envelope tells the public part of a key whose private part is spoilt. */
static void lost_with_envelope(struct scene *s)
{
    auto_pubkey struct pubkey pub;

    pubkey_copy(&s->keys[RSA].judgement.pub, &pub);
    lost_without_pub(s);
    s->keys[RSA].judgement.verdict = HOSTKEY_CORRUPT;
    pubkey_copy(&pub, &s->keys[RSA].judgement.pub);
}

static void lost_of_no_type(struct scene *s)
{
    lost_without_pub(s);
    s->keys[RSA].type = NULL;
}

static void lost_on_old(struct scene *s)
{
    lost_without_pub(s);
    s->facts.sshd.version = OPENSSH(5, 3);
}

static const struct {
    void (*lose)(struct scene *scene);
    const char *files[3]; /* the copies, in the order they are found */
    const char *restored; /* the file whose key is put back; NULL: a new one is made */
} copies[] = {
    { lost_with_pub, { NULL }, NULL },
    { lost_with_pub, { "rsa.v1" }, "rsa" },
    { lost_with_pub, { "rsa.pem" }, "rsa" },
    { lost_with_pub, { "rsa1024.v1" }, NULL },
    { lost_with_pub, { "rsa1024.v1", "rsa.v1" }, "rsa" },
    { lost_with_pub, { "rsa.v1", "rsa1024.v1" }, "rsa" },
    { lost_with_pub, { "ecdsa256.v1" }, NULL },
    { lost_with_envelope, { "rsa1024.v1", "rsa.v1" }, "rsa" },
    { lost_with_envelope, { "rsa1024.v1" }, NULL },
    { lost_without_pub, { NULL }, NULL },
    { lost_without_pub, { "rsa.v1" }, "rsa" },
    { lost_without_pub, { "rsa.v1", "rsa.pem" }, "rsa" },
    { lost_without_pub, { "rsa.v1", "rsa.pem", "rsa.pkcs8" }, "rsa" },
    { lost_without_pub, { "rsa.v1", "rsa1024.v1" }, NULL },
    { lost_without_pub, { "rsa.v1", "rsa.v1", "rsa1024.v1" }, NULL },
    { lost_without_pub, { "ecdsa256.v1" }, NULL },
    { lost_without_pub, { "ecdsa256.v1", "rsa.v1" }, "rsa" },
    { lost_of_no_type, { "rsa.v1" }, NULL },
};

static void check_restored(const struct plan *plan, const char *file)
{
    auto_blob struct blob text = file_bytes(KEYS_DIR "/%s.pub", file);
    auto_pubkey struct pubkey expected;
    auto_with(hostkey_judgement_free) struct hostkey_judgement judged;

    ck_assert_int_eq(pubkey_parse(&text, &expected), 0);
    hostkey_judge(&change_of(plan, KEY "rsa_key")->content, &judged);
    ck_assert_int_eq(judged.verdict, HOSTKEY_SOUND);
    ck_assert(blob_equal(&judged.pub.blob, &expected.blob));
    ck_assert_int_eq(plan->fates[RSA].origin, ORIGIN_RESTORED);
    ck_assert_ptr_nonnull(plan->fates[RSA].copy);
}

START_TEST(right_copy)
{
    static const char *const paths[] = { COPY, OTHER, "/var/backups/ssh_host_rsa_key" };
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };

    scene_make(&scene);
    copies[_i].lose(&scene);
    for (size_t i = 0; i < 3 && copies[_i].files[i]; i++)
        scene_copy(&scene, &scene.keys[RSA], paths[i], copies[_i].files[i]);
    planned = plan_of(&scene, &plain);
    if (copies[_i].restored) {
        check_restored(&planned.plan, copies[_i].restored);
        ck_assert_uint_eq(planned.plan.new_key_count, 0);
        /* The .pub is written only where it is not there. */
        ck_assert_uint_eq(planned.plan.change_count, scene.keys[RSA].pub_state == PUB_OK ? 1 : 2);
    } else {
        ck_assert_uint_eq(planned.plan.new_key_count, scene.keys[RSA].type ? 1 : 0);
        ck_assert_int_ne(planned.plan.fates[RSA].origin, ORIGIN_RESTORED);
    }
}
END_TEST

/* What it is restored from is the copy that matches, not the first that was found. */
START_TEST(restored_from)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };

    scene_make(&scene);
    lost_with_pub(&scene);
    scene_copy(&scene, &scene.keys[RSA], OTHER, "rsa1024.v1");
    scene_copy(&scene, &scene.keys[RSA], COPY, "rsa.v1");
    planned = plan_of(&scene, &plain);
    ck_assert_str_eq(planned.plan.fates[RSA].copy->path, COPY);
}
END_TEST

/* sshd before 6.5 reads PEM alone. */
START_TEST(restored_for_an_old_sshd)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    const struct change *key;

    scene_make(&scene);
    lost_on_old(&scene);
    scene_copy(&scene, &scene.keys[RSA], COPY, "rsa.v1");
    planned = plan_of(&scene, &plain);
    key = change_of(&planned.plan, KEY "rsa_key");
    ck_assert(text_starts((char *)key->content.data, "-----BEGIN RSA PRIVATE KEY-----\n"));
}
END_TEST

/* --keys=all means new ones, whatever copies there are. */
START_TEST(all_keys_restores_nothing)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };

    scene_make(&scene);
    lost_with_pub(&scene);
    scene_copy(&scene, &scene.keys[RSA], COPY, "rsa.v1");
    planned = plan_of(&scene, &all_keys);
    ck_assert_int_eq(planned.plan.fates[RSA].origin, ORIGIN_GENERATED);
    ck_assert_uint_eq(planned.plan.new_key_count, 3);
}
END_TEST

/* ---- fates -------------------------------------------------------------------------------------
 */

static const struct {
    void (*damage)(struct scene *scene);
    enum key_origin origin;
    bool old_known;
} fates[] = {
    { healthy, ORIGIN_KEPT, true },
    { open_keys, ORIGIN_KEPT, true },
    { missing, ORIGIN_GENERATED, true },
    { missing_both, ORIGIN_GENERATED, false },
    { corrupt, ORIGIN_GENERATED, true },
    { wrapped, ORIGIN_KEPT, true },
    { unused_and_corrupt, ORIGIN_NONE, true },
    { lost_with_envelope, ORIGIN_GENERATED, true },
    { lost_of_no_type, ORIGIN_NONE, false },
};

START_TEST(fate)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };
    auto_blob struct blob text = file_bytes(KEYS_DIR "/rsa.pub");
    auto_pubkey struct pubkey pub;
    auto_free char *fingerprint = NULL;

    scene_make(&scene);
    fates[_i].damage(&scene);
    planned = plan_of(&scene, &plain);
    ck_assert_int_eq(planned.plan.fates[RSA].origin, fates[_i].origin);
    ck_assert_int_eq(pubkey_parse(&text, &pub), 0);
    fingerprint = pubkey_fingerprint(&pub);
    if (fates[_i].old_known)
        ck_assert_str_eq(planned.plan.fates[RSA].old_fingerprint, fingerprint);
    else
        ck_assert_ptr_null(planned.plan.fates[RSA].old_fingerprint);
}
END_TEST

/* A certificate goes with the key it was made for, and with that alone. */
START_TEST(lost_cert)
{
    struct host_cert cert = { .path = "/etc/ssh/ssh_host_rsa_key-cert.pub" };
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };

    scene_make(&scene);
    cert.key = &scene.keys[RSA];
    scene.facts.certs = &cert;
    scene.facts.cert_count = 1;
    fates[_i].damage(&scene);
    planned = plan_of(&scene, &plain);
    if (fates[_i].origin == ORIGIN_GENERATED)
        ck_assert_str_eq(planned.plan.fates[RSA].lost_cert, cert.path);
    else
        ck_assert_ptr_null(planned.plan.fates[RSA].lost_cert);
    ck_assert_ptr_null(planned.plan.fates[ECDSA].lost_cert);
}
END_TEST

/* ---- which findings it covers ------------------------------------------------------------------
 */

START_TEST(covers)
{
    auto_scene struct scene scene;
    auto_planned struct planned planned = { 0 };

    scene_make(&scene);
    mixed(&scene);
    weak(&scene);
    scene.keys[RSA].exists = true;
    differs(&scene);
    planned = plan_of(&scene, &(const struct plan_options){ .skip = "moduli-open" });
    ck_assert_uint_eq(planned.plan.finding_count, planned.findings.count);
    for (size_t i = 0; i < planned.findings.count; i++) {
        const struct check *check = planned.findings.items[i].check;
        bool expected = check->policy != POLICY_NEVER && !check->strict &&
                        strcmp(check->id, "moduli-open") != 0;

        ck_assert_msg(planned.plan.covers[i] == expected, "%s", check->id);
    }
}
END_TEST

/* ---- what was agreed to
 * ---------------------------------------------------------------------------- */

static const struct {
    void (*a)(struct scene *scene);
    void (*b)(struct scene *scene);
    bool same;
} pairs[] = {
    { healthy, healthy, true },
    { mixed, mixed, true },
    { open_keys, open_keys, true },
    { healthy, open_keys, false },
    { open_keys, foreign_open_key, false },
    { foreign_open_key, foreign_key, false },
    { missing, mixed, false },
    { missing, corrupt, true }, /* the same files are written, for the same reason */
    { group_key, foreign_open_key, false },
    { wrapped, corrupt, false },
};

START_TEST(same)
{
    auto_scene struct scene a, b;
    auto_planned struct planned plan_a = { 0 }, plan_b = { 0 };

    scene_make(&a);
    scene_make(&b);
    pairs[_i].a(&a);
    pairs[_i].b(&b);
    plan_a = plan_of(&a, &plain);
    plan_b = plan_of(&b, &plain);
    ck_assert_int_eq(plan_same(&plan_a.plan, &plan_b.plan), pairs[_i].same);
    ck_assert_int_eq(plan_same(&plan_b.plan, &plan_a.plan), pairs[_i].same);
}
END_TEST

Suite *suite_plan(void)
{
    Suite *suite = suite_create("plan");
    TCase *tcase = tcase_create("plan");

    ADD_TABLE(tcase, changes, plans);
    ADD_TABLE(tcase, no_path_twice, plans);
    ADD(tcase, written_with_its_metadata);
    ADD_TABLE(tcase, new_keys, made);
    ADD_TABLE(tcase, rewrapped, rewraps);
    ADD(tcase, derived);
    ADD_TABLE(tcase, right_copy, copies);
    ADD(tcase, restored_from);
    ADD(tcase, restored_for_an_old_sshd);
    ADD(tcase, all_keys_restores_nothing);
    ADD_TABLE(tcase, fate, fates);
    ADD_TABLE(tcase, lost_cert, fates);
    ADD(tcase, covers);
    ADD_TABLE(tcase, same, pairs);
    suite_add_tcase(suite, tcase);
    return suite;
}
