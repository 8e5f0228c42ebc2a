/* SPDX-License-Identifier: MIT */
/* A plan while it is made. Private to plan/. */
#ifndef PLAN_PLANNING_H
#define PLAN_PLANNING_H

#include "plan/plan.h"

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

/* Becomes the plan's next change. */
void plan_push(struct planning *planning, struct change change);

/* keys.c: the writes that one key needs. */
int plan_key(struct planning *planning, size_t index, struct err *e) MUST_CHECK;

#endif
