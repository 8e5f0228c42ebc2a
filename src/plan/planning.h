/* SPDX-License-Identifier: MIT */
/* A plan while it is made. Private to plan/. */
#ifndef PLAN_PLANNING_H
#define PLAN_PLANNING_H

#include "plan/plan.h"

/* What is to be done to a key; the first that applies. */
enum key_task { TASK_NONE, TASK_PUB, TASK_REWRAP, TASK_RESTORE, TASK_REPLACE, TASK_RENEW };

/* What may be done to a node; bits. */
enum node_task {
    NODE_MODE = 1,
    NODE_OWNER = 2,
    NODE_ACL = 4,
    NODE_LABEL = 8,
    NODE_STRICT = 16,
};

struct planning {
    const struct inspection *facts;
    const struct plan_options *options;
    enum key_task *keys;
    bool *pubs; /* the .pub may be written */
    unsigned *nodes;
    bool *written; /* nodes that a write takes care of */
    struct plan plan;
};

/* Becomes the plan's next change. */
void plan_push(struct planning *planning, struct change change);

/* restore.c: which copy a key comes back from; NULL: none. */
const struct key_copy *plan_copy(const struct host_key *key);
/* What clients know this key by, as far as it can still be told; NULL. */
const struct pubkey *plan_identity(const struct host_key *key);

/* keys.c: the writes that one key needs. */
int plan_key(struct planning *planning, size_t index, struct err *e) MUST_CHECK;

/* texts.c: the edits and wishes of all findings that the plan covers. */
void plan_texts(struct planning *planning, const struct findings *findings);

#endif
