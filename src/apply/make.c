/* SPDX-License-Identifier: MIT */
/* New keys, each on a thread of its own: RSA is the slow one, and nobody else waits for it. */
#include "apply/apply.h"

#include "base/alloc.h"

#include <pthread.h>

struct job {
    const struct new_key *wanted;
    struct hostkey *key;
    struct err error;
    pthread_t thread;
    bool threaded, failed;
};

static void *work(void *argument)
{
    struct job *job = argument;
    const struct new_key *wanted = job->wanted;

    job->failed =
        hostkey_generate(wanted->type, wanted->bits, wanted->comment, &job->key, &job->error) < 0;
    return NULL;
}

int keys_make(const struct plan *plan, struct made_keys *ret, struct err *e)
{
    auto_free struct job *jobs = xcalloc(plan->new_key_count, sizeof *jobs);
    auto_with(made_keys_free) struct made_keys made = { .count = plan->new_key_count };
    bool failed = false;

    made.keys = xcalloc(made.count, sizeof *made.keys);
    for (size_t i = 0; i < made.count; i++) {
        jobs[i].wanted = &plan->new_keys[i];
        /* The last one needs no thread: this one has nothing else to do. */
        jobs[i].threaded =
            i + 1 < made.count && pthread_create(&jobs[i].thread, NULL, work, &jobs[i]) == 0;
        if (!jobs[i].threaded)
            work(&jobs[i]);
    }
    for (size_t i = 0; i < made.count; i++) {
        if (jobs[i].threaded)
            pthread_join(jobs[i].thread, NULL);
        made.keys[i] = jobs[i].key;
        if (jobs[i].failed && e)
            *e = jobs[i].error;
        failed = failed || jobs[i].failed;
    }
    if (failed)
        return -1;
    *ret = made;
    made = (struct made_keys){ 0 };
    return 0;
}

void made_keys_free(struct made_keys *made)
{
    for (size_t i = 0; i < made->count; i++)
        hostkey_free(&made->keys[i]);
    free(made->keys);
    *made = (struct made_keys){ 0 };
}
