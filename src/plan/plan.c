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

static void changes_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->change_count; i++) {
        free(plan->changes[i].path);
        free(plan->changes[i].about);
        free(plan->changes[i].target);
        free(plan->changes[i].diff);
        blob_free(&plan->changes[i].content);
    }
    free(plan->changes);
    plan->changes = NULL;
    plan->change_count = 0;
}

/* ---- which findings ------------------------------------------------------------------- */

static bool allowed(const struct check *check, const struct plan_options *options)
{
    if (options->recover_only && check->remedy != REMEDY_REPLACE &&
        check->remedy != REMEDY_PREVIOUS)
        return false;
    if (check->remedy == REMEDY_PREVIOUS && !options->restore_previous)
        return false;
    if (check->policy == POLICY_NEVER || (check->strict && !options->strict) ||
        (check->keeps_keys && !options->keep_keys))
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
    unsigned *node = finding->node ? &planning->nodes[finding->node - facts->nodes] : NULL;

    switch (finding->check->remedy) {
    case REMEDY_NONE:
    case REMEDY_EDIT:
    case REMEDY_WISH:
        break;
    case REMEDY_MODE:
        *node |= NODE_MODE;
        break;
    case REMEDY_OWNER:
        *node |= NODE_OWNER;
        break;
    case REMEDY_ACL:
        *node |= NODE_ACL | NODE_MODE; /* the ACL's mask shows in the mode */
        break;
    case REMEDY_LABEL:
        *node |= NODE_LABEL;
        break;
    case REMEDY_STRICT:
        *node |= NODE_STRICT;
        break;
    case REMEDY_PUB:
        planning->pubs[finding->key - facts->keys] = true;
        task_at_least(key, TASK_PUB);
        break;
    case REMEDY_REWRAP:
        task_at_least(key, TASK_REWRAP);
        break;
    case REMEDY_PREVIOUS:
        if (key)
            task_at_least(key, TASK_RESTORE);
        break;
    case REMEDY_REPLACE:
        task_at_least(key, planning->options->recover_only ? TASK_RESTORE : TASK_REPLACE);
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

/* Given to root as it is, a key that others can read is one that sshd refuses. */
static bool owner_alone_harms(const struct node *node, unsigned task)
{
    return node->rule == &mode_host_key && node_open(node) && !(task & NODE_MODE);
}

static void plan_node(struct planning *planning, size_t index)
{
    const struct node *node = &planning->facts->nodes[index];
    unsigned task = planning->nodes[index];
    mode_t mode = node->stat.mode & MODE_BITS;
    bool mode_wrong = node_open(node) || node_closed(node);
    bool owner_wrong = node_owner_wrong(node) || group_wrong(node);

    if (planning->written[index])
        return;
    if ((task & NODE_ACL) && node->acl)
        push_meta(planning, node, CHANGE_DROP_ACL, node->rule->what);
    if ((((task & NODE_MODE) && mode_wrong) || (task & NODE_STRICT)) && mode != node->mode)
        push_meta(planning, node, CHANGE_MODE, node->rule->what);
    if (((task & NODE_OWNER) && owner_wrong && !owner_alone_harms(node, task)) ||
        ((task & NODE_MODE) && group_wrong(node)))
        push_meta(planning, node, CHANGE_OWNER, node->rule->what);
    if ((task & NODE_LABEL) && node_label_wrong(node))
        push_meta(planning, node, CHANGE_LABEL, node->rule->what);
}

/* What nothing can be done about is not promised to be mended. */
static void uncover(struct planning *planning, const struct findings *findings)
{
    struct plan *plan = &planning->plan;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        enum key_origin origin =
            finding->key ? plan->fates[finding->key - planning->facts->keys].origin : ORIGIN_NONE;

        if ((finding->check->remedy == REMEDY_REPLACE && finding->key && origin == ORIGIN_NONE) ||
            (finding->check->remedy == REMEDY_PREVIOUS && origin != ORIGIN_RESTORED))
            plan->covers[i] = false;
        if ((finding->check->remedy == REMEDY_EDIT && !finding->edit_count) ||
            (finding->check->remedy == REMEDY_WISH && !finding->wish_count))
            plan->covers[i] = false;
    }
}

/*
 * A key that is found and not taken stays where it is: whatever is written to this disk, a new
 * key or a mode, may be written over it. So nothing is, until somebody has decided about it.
 */
static void hold_back_all(struct plan *plan)
{
    bool held = false;

    for (size_t i = 0; i < plan->fate_count; i++)
        held = held || plan->fates[i].held;
    if (!held)
        return;
    changes_free(plan);
    for (size_t i = 0; i < plan->fate_count; i++)
        if (plan->fates[i].origin != ORIGIN_KEPT)
            plan->fates[i].origin = ORIGIN_NONE;
    memset(plan->covers, 0, plan->finding_count * sizeof *plan->covers);
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
    auto_free unsigned *nodes = xcalloc(facts->node_count, sizeof *nodes);
    auto_free bool *pubs = xcalloc(facts->key_count, sizeof *pubs);
    auto_free bool *written = xcalloc(facts->node_count, sizeof *written);
    struct planning planning = { .facts = facts,
                                 .options = options,
                                 .keys = keys,
                                 .pubs = pubs,
                                 .nodes = nodes,
                                 .written = written };

    planning.plan.fate_count = facts->key_count;
    planning.plan.fates = xcalloc(facts->key_count, sizeof *planning.plan.fates);
    choose(&planning, findings);
    for (size_t i = 0; i < facts->key_count; i++) {
        if (plan_key(&planning, i, e) < 0) {
            plan_free(&planning.plan);
            return -1;
        }
    }
    plan_texts(&planning, findings);
    for (size_t i = 0; i < facts->node_count; i++)
        plan_node(&planning, i);
    uncover(&planning, findings);
    hold_back_all(&planning.plan);
    *ret = planning.plan;
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_change(const struct change *a, const struct change *b)
{
    return a->kind == b->kind && strcmp(a->path, b->path) == 0 && strcmp(a->about, b->about) == 0 &&
           a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
           blob_equal(&a->content, &b->content) && same_text(a->target, b->target) &&
           same_text(a->label, b->label);
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
    changes_free(plan);
    for (size_t i = 0; i < plan->new_key_count; i++)
        free(plan->new_keys[i].comment);
    for (size_t i = 0; i < plan->fate_count; i++)
        free(plan->fates[i].old_fingerprint);
    free(plan->new_keys);
    free(plan->fates);
    free(plan->covers);
    *plan = (struct plan){ 0 };
}
