/* SPDX-License-Identifier: MIT */
/*
 * First every finding that may be mended marks what it is about; then each key,
 * and each file or directory, is gone through once. So a key that is empty, open
 * and foreign-owned is written once, and nothing else is done to it.
 *
 * Private before public, mode before owner: sshd looks at the mode of a key only
 * where root owns it.
 */
#include "plan/plan.h"

#include "base/alloc.h"
#include "base/text.h"
#include "inspect/modes.h"

#include <string.h>

enum { MODE_BITS = 07777 };

/* What is to be done to a key; the first that applies. */
enum key_task { TASK_NONE, TASK_PUB, TASK_REWRAP, TASK_REPLACE, TASK_RENEW };

enum node_task { NODE_NONE, NODE_MEND, NODE_STRICT };

struct planning {
    const struct inspection *facts;
    const struct plan_options *options;
    enum key_task *keys;
    enum node_task *nodes;
    bool *written; /* nodes that a write takes care of */
    struct plan plan;
};

/* ---- which findings ---------------------------------------------------------------------- */

static bool allowed(const struct check *check, const struct plan_options *options)
{
    if (check->policy == POLICY_NEVER || (check->strict && !options->strict))
        return false;
    if (options->only && !text_has_word(options->only, check->id))
        return false;
    return !options->skip || !text_has_word(options->skip, check->id);
}

static void task_at_least(enum key_task *task, enum key_task wanted)
{
    if (*task < wanted)
        *task = wanted;
}

static void mark(struct planning *planning, const struct finding *finding)
{
    const struct inspection *facts = planning->facts;
    enum key_task *key = finding->key ? &planning->keys[finding->key - facts->keys] : NULL;

    switch (finding->check->remedy) {
    case REMEDY_NONE:
        break;
    case REMEDY_META:
        planning->nodes[finding->node - facts->nodes] =
            finding->check->strict ? NODE_STRICT : NODE_MEND;
        break;
    case REMEDY_PUB:
        task_at_least(key, TASK_PUB);
        break;
    case REMEDY_REWRAP:
        task_at_least(key, TASK_REWRAP);
        break;
    case REMEDY_REPLACE:
        task_at_least(key, TASK_REPLACE);
        break;
    }
}

static void mark_all_keys(struct planning *planning)
{
    const struct inspection *facts = planning->facts;

    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];

        if (key->used && key->type && key->type_loads && key_type_can_generate(key->type) &&
            key->judgement.verdict != HOSTKEY_UNKNOWN_TYPE)
            planning->keys[i] = TASK_RENEW;
    }
}

/* ---- writing keys ------------------------------------------------------------------------- */

static void push(struct planning *planning, struct change change)
{
    struct plan *plan = &planning->plan;

    array_push(plan->changes, plan->change_count, change);
}

/* A write makes the file anew, with the right mode, owner and label. */
static void push_write(struct planning *planning, const struct host_key *key, bool public_half,
                       struct blob content, int new_key, char *about)
{
    const struct inspection *facts = planning->facts;
    const struct node *node = public_half ? key->pub_node : key->node;
    struct change change = {
        .kind = CHANGE_WRITE,
        .path = xstrdup(public_half ? key->pub_real : key->real),
        .about = about,
        .content = content,
        .new_key = new_key,
        .public_half = public_half,
        .replaces = public_half ? key->pub_state != PUB_MISSING : key->exists,
        .meta = public_half ? facts->pub_meta : facts->key_meta,
    };

    change.meta.label = public_half ? key->pub_label : key->label;
    if (node)
        planning->written[node - facts->nodes] = true;
    push(planning, change);
}

static const char *label_of(const struct host_key *key)
{
    return key->type ? key_type_label(key->type) : "host";
}

static struct blob pub_text(const struct pubkey *pub)
{
    auto_free char *text = pubkey_file_text(pub);

    return blob_of_text(text);
}

static void push_pub(struct planning *planning, const struct host_key *key,
                     const struct pubkey *pub)
{
    push_write(planning, key, true, pub_text(pub), NO_NEW_KEY,
               xasprintf("the .pub, derived from the %s key", label_of(key)));
}

/* What clients know this key by, as far as it can still be told. */
static const struct pubkey *known_identity(const struct host_key *key)
{
    if (key->judgement.key)
        return &key->judgement.pub;
    if (key->pub_state == PUB_OK)
        return &key->pub;
    return key->judgement.pub.name ? &key->judgement.pub : NULL;
}

static bool same_key(const struct key_copy *a, const struct key_copy *b)
{
    return blob_equal(&a->judgement.pub.blob, &b->judgement.pub.blob);
}

/* The copy that has the identity clients know; without evidence, the only candidate there is. */
static const struct key_copy *right_copy(const struct host_key *key)
{
    const struct pubkey *identity = known_identity(key);
    const struct key_copy *only = NULL;

    for (size_t i = 0; i < key->copy_count; i++) {
        const struct key_copy *copy = &key->copies[i];

        if (identity && blob_equal(&copy->judgement.pub.blob, &identity->blob))
            return copy;
        if (identity || hostkey_type(copy->judgement.key) != key->type)
            continue;
        if (only && !same_key(only, copy))
            return NULL;
        if (!only)
            only = copy;
    }
    return only;
}

/* As it stands where this sshd reads it, else as PEM, which every sshd reads. */
static int serialise(const struct planning *planning, const struct hostkey *key, struct blob *ret,
                     struct err *e)
{
    int openssh = planning->facts->sshd.version;
    bool keep = hostkey_format(key) == HOSTKEY_FORMAT_OPENSSH && hostkey_format_loads(key, openssh);

    return hostkey_serialise(key, keep ? HOSTKEY_FORMAT_OPENSSH : HOSTKEY_FORMAT_PEM, ret, e);
}

static int rewrap(struct planning *planning, const struct host_key *key, struct key_fate *fate,
                  struct err *e)
{
    const struct blob *rewrapped = &key->judgement.rewrapped;
    struct blob content;

    if (rewrapped->data && key->format_loads)
        content = blob_copy(rewrapped->data, rewrapped->len);
    else if (serialise(planning, key->judgement.key, &content, e) < 0)
        return -1;
    fate->origin = ORIGIN_KEPT;
    push_write(planning, key, false, content, NO_NEW_KEY,
               xasprintf("the same %s key, as sshd wants it", label_of(key)));
    if (key->swapped || key->pub_state != PUB_OK)
        push_pub(planning, key, &key->judgement.pub);
    return 0;
}

static int restore(struct planning *planning, const struct host_key *key,
                   const struct key_copy *copy, struct key_fate *fate, struct err *e)
{
    struct blob content;

    if (serialise(planning, copy->judgement.key, &content, e) < 0)
        return -1;
    fate->origin = ORIGIN_RESTORED;
    fate->restored_from = copy->path;
    push_write(planning, key, false, content, NO_NEW_KEY,
               xasprintf("the %s key, from %s", label_of(key), copy->path));
    if (key->pub_state != PUB_OK || !blob_equal(&key->pub.blob, &copy->judgement.pub.blob))
        push_pub(planning, key, &copy->judgement.pub);
    return 0;
}

static void generate(struct planning *planning, const struct host_key *key, struct key_fate *fate)
{
    const struct inspection *facts = planning->facts;
    struct plan *plan = &planning->plan;
    bool old = facts->sshd.version && facts->sshd.version < OPENSSH(6, 5);
    struct new_key made = {
        .type = key->type,
        .bits = key_type_default_bits(key->type),
        .format = old ? HOSTKEY_FORMAT_PEM : HOSTKEY_FORMAT_OPENSSH,
        .comment = *facts->os.hostname ? xasprintf("root@%s", facts->os.hostname) : xstrdup(""),
    };
    int index = (int)plan->new_key_count;

    array_push(plan->new_keys, plan->new_key_count, made);
    fate->origin = ORIGIN_GENERATED;
    fate->new_key = index;
    push_write(planning, key, false, (struct blob){ 0 }, index,
               xasprintf("a new %s %d key", label_of(key), made.bits));
    push_write(planning, key, true, (struct blob){ 0 }, index,
               xasprintf("the .pub of the new %s key", label_of(key)));
}

static int plan_key(struct planning *planning, size_t index, struct err *e)
{
    const struct host_key *key = &planning->facts->keys[index];
    struct key_fate *fate = &planning->plan.fates[index];
    const struct pubkey *identity = known_identity(key);
    const struct key_copy *copy;

    fate->new_key = NO_NEW_KEY;
    fate->origin = key->judgement.key ? ORIGIN_KEPT : ORIGIN_NONE;
    fate->old_fingerprint = identity ? pubkey_fingerprint(identity) : NULL;
    switch (planning->keys[index]) {
    case TASK_NONE:
        return 0;
    case TASK_PUB:
        push_pub(planning, key, &key->judgement.pub);
        return 0;
    case TASK_REWRAP:
        return rewrap(planning, key, fate, e);
    case TASK_REPLACE:
        copy = right_copy(key);
        if (copy)
            return restore(planning, key, copy, fate, e);
        break;
    case TASK_RENEW:
        break;
    }
    if (!key->type || !key_type_can_generate(key->type))
        return 0;
    generate(planning, key, fate);
    return 0;
}

/* ---- modes, owners, labels ---------------------------------------------------------------- */

static void push_meta(struct planning *planning, const struct node *node, enum change_kind kind,
                      const char *about)
{
    push(planning, (struct change){ .kind = kind,
                                    .path = xstrdup(node->real),
                                    .about = xstrdup(about),
                                    .new_key = NO_NEW_KEY,
                                    .was = node->stat,
                                    .was_label = node->label,
                                    .mode = node->mode,
                                    .uid = node->uid,
                                    .gid = node->gid,
                                    .label = node->expected_label });
}

/* A key's group matters as soon as it may read it. */
static bool group_wrong(const struct node *node)
{
    return node->rule == &mode_host_key && (node->mode & 0070) && node->stat.gid != node->gid;
}

static void plan_node(struct planning *planning, size_t index)
{
    const struct node *node = &planning->facts->nodes[index];
    mode_t mode = node->stat.mode & MODE_BITS;
    bool mode_wrong = node_open(node) || node_closed(node) || planning->nodes[index] == NODE_STRICT;

    if (planning->nodes[index] == NODE_NONE || planning->written[index])
        return;
    if (node->acl && node->rule == &mode_host_key)
        push_meta(planning, node, CHANGE_DROP_ACL, node->rule->what);
    if (mode_wrong && mode != node->mode)
        push_meta(planning, node, CHANGE_MODE, node->rule->what);
    if (node_owner_wrong(node) || group_wrong(node))
        push_meta(planning, node, CHANGE_OWNER, node->rule->what);
    if (node_label_wrong(node))
        push_meta(planning, node, CHANGE_LABEL, node->rule->what);
}

/* ---- the plan ------------------------------------------------------------------------------ */

static void choose(struct planning *planning, const struct findings *findings)
{
    struct plan *plan = &planning->plan;

    plan->finding_count = findings->count;
    plan->covers = xcalloc(findings->count, sizeof *plan->covers);
    if (findings_blocker(findings))
        return;
    for (size_t i = 0; i < findings->count; i++) {
        plan->covers[i] = allowed(findings->items[i].check, planning->options);
        if (plan->covers[i])
            mark(planning, &findings->items[i]);
    }
    if (planning->options->all_keys)
        mark_all_keys(planning);
}

int plan_make(const struct inspection *facts, const struct findings *findings,
              const struct plan_options *options, struct plan *ret, struct err *e)
{
    auto_free enum key_task *keys = xcalloc(facts->key_count, sizeof *keys);
    auto_free enum node_task *nodes = xcalloc(facts->node_count, sizeof *nodes);
    auto_free bool *written = xcalloc(facts->node_count, sizeof *written);
    struct planning planning = {
        .facts = facts, .options = options, .keys = keys, .nodes = nodes, .written = written
    };

    planning.plan.fate_count = facts->key_count;
    planning.plan.fates = xcalloc(facts->key_count, sizeof *planning.plan.fates);
    choose(&planning, findings);
    for (size_t i = 0; i < facts->key_count; i++) {
        if (plan_key(&planning, i, e) < 0) {
            plan_free(&planning.plan);
            return -1;
        }
    }
    for (size_t i = 0; i < facts->node_count; i++)
        plan_node(&planning, i);
    *ret = planning.plan;
    return 0;
}

static bool same_change(const struct change *a, const struct change *b)
{
    return a->kind == b->kind && strcmp(a->path, b->path) == 0 && strcmp(a->about, b->about) == 0 &&
           a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

bool plan_same(const struct plan *a, const struct plan *b)
{
    if (a->change_count != b->change_count)
        return false;
    for (size_t i = 0; i < a->change_count; i++)
        if (!same_change(&a->changes[i], &b->changes[i]))
            return false;
    return true;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->change_count; i++) {
        free(plan->changes[i].path);
        free(plan->changes[i].about);
        blob_free(&plan->changes[i].content);
    }
    for (size_t i = 0; i < plan->new_key_count; i++)
        free(plan->new_keys[i].comment);
    for (size_t i = 0; i < plan->fate_count; i++)
        free(plan->fates[i].old_fingerprint);
    free(plan->changes);
    free(plan->new_keys);
    free(plan->fates);
    free(plan->covers);
    *plan = (struct plan){ 0 };
}
