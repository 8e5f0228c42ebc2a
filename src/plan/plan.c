/* SPDX-License-Identifier: MIT */
/*
 * First every finding that may be mended marks what it is about; then each key,
 * and each file or directory, is gone through once. So a key that is empty, open
 * and foreign-owned is written once, and nothing else is done to it.
 *
 * Private before public, mode before owner: sshd looks at the mode of a key only
 * where root owns it.
 */
#include "plan/planning.h"

#include "base/alloc.h"
#include "base/text.h"
#include "inspect/modes.h"

#include <string.h>

enum { MODE_BITS = 07777 };

/* ---- which findings ------------------------------------------------------------------- */

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

void plan_push(struct planning *planning, struct change change)
{
    struct plan *plan = &planning->plan;

    array_push(plan->changes, plan->change_count, change);
}

/* ---- modes, owners, labels ------------------------------------------------------------ */

static void push_meta(struct planning *planning, const struct node *node, enum change_kind kind,
                      const char *about)
{
    plan_push(planning, (struct change){ .kind = kind,
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

/* ---- the plan ------------------------------------------------------------------------- */

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
