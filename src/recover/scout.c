/* SPDX-License-Identifier: MIT */
/*
 * A thread that goes ahead: it reads the next part of the volume and scans it, while what the last
 * scan has found is looked at, or another part is scanned. Four parts are at hand at any time. All
 * it hands over are marks, in order; what they mean is for whoever takes them, in one thread, as if
 * there were no other.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <pthread.h>
#include <signal.h>

enum slot_state { SLOT_FREE, SLOT_ASKED, SLOT_TAKEN, SLOT_READY };

struct slot {
    enum slot_state state;
    struct part part;
};

struct scout {
    struct source *source;
    unsigned what;
    struct slot slots[SOURCE_VIEWS];
    size_t asked, taken; /* slots are used in turn: the next to be asked for, and to be taken */
    pthread_t thread;
    bool threaded, ending;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

static void on_mark(void *context, enum mark mark, size_t at)
{
    struct part *part = context;
    struct part_mark found = { mark, at };

    array_push(part->marks, part->count, found);
}

static void explore(struct scout *scout, size_t number)
{
    struct part *part = &scout->slots[number].part;

    part->count = 0;
    part->view = source_view(scout->source, number, part->at, part->want, &part->len);
    if (part->view)
        scan_bytes(part->view, part->len, part->want, scout->what, on_mark, part);
}

/* The first that nobody has begun; under the mutex. */
static bool begin(struct scout *scout, size_t *ret_number)
{
    for (size_t i = scout->taken; i < scout->asked; i++) {
        struct slot *slot = &scout->slots[i % SOURCE_VIEWS];

        if (slot->state == SLOT_ASKED) {
            slot->state = SLOT_TAKEN;
            *ret_number = i % SOURCE_VIEWS;
            return true;
        }
    }
    return false;
}

/* Without the mutex while it works. */
static void work(struct scout *scout, size_t number)
{
    pthread_mutex_unlock(&scout->mutex);
    explore(scout, number);
    pthread_mutex_lock(&scout->mutex);
    scout->slots[number].state = SLOT_READY;
    pthread_cond_signal(&scout->changed);
}

static void *run(void *context)
{
    struct scout *scout = context;
    size_t number;

    pthread_mutex_lock(&scout->mutex);
    while (!scout->ending) {
        if (begin(scout, &number))
            work(scout, number);
        else
            pthread_cond_wait(&scout->changed, &scout->mutex);
    }
    pthread_mutex_unlock(&scout->mutex);
    return NULL;
}

/* Signals are for the thread that was there before; SIGBUS comes to whoever causes it. */
static bool start(struct scout *scout)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&scout->thread, NULL, run, scout) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct scout *scout_start(struct source *source, unsigned what, bool ahead)
{
    struct scout *scout = xcalloc(1, sizeof *scout);

    scout->source = source;
    scout->what = what;
    pthread_mutex_init(&scout->mutex, NULL);
    pthread_cond_init(&scout->changed, NULL);
    scout->threaded = ahead && start(scout);
    return scout;
}

void scout_free(struct scout **scout)
{
    struct scout *this = *scout;

    if (!this)
        return;
    if (this->threaded) {
        pthread_mutex_lock(&this->mutex);
        this->ending = true;
        pthread_cond_signal(&this->changed);
        pthread_mutex_unlock(&this->mutex);
        pthread_join(this->thread, NULL);
    }
    for (size_t i = 0; i < SOURCE_VIEWS; i++)
        free(this->slots[i].part.marks);
    pthread_cond_destroy(&this->changed);
    pthread_mutex_destroy(&this->mutex);
    free(this);
    *scout = NULL;
}

bool scout_has_room(const struct scout *scout)
{
    return scout->asked - scout->taken < SOURCE_VIEWS;
}

void scout_ask(struct scout *scout, const struct stretch *stretch, uint64_t at, size_t want)
{
    struct slot *slot;

    pthread_mutex_lock(&scout->mutex);
    slot = &scout->slots[scout->asked++ % SOURCE_VIEWS];
    slot->part.stretch = *stretch;
    slot->part.at = at;
    slot->part.want = want;
    slot->state = SLOT_ASKED;
    pthread_cond_signal(&scout->changed);
    pthread_mutex_unlock(&scout->mutex);
}

/* Rather than wait, it does what the thread has not begun. */
const struct part *scout_wait(struct scout *scout)
{
    size_t number;
    struct slot *slot = &scout->slots[scout->taken % SOURCE_VIEWS];

    if (scout->asked == scout->taken)
        return NULL;
    pthread_mutex_lock(&scout->mutex);
    while (slot->state != SLOT_READY) {
        if (begin(scout, &number))
            work(scout, number);
        else
            pthread_cond_wait(&scout->changed, &scout->mutex);
    }
    pthread_mutex_unlock(&scout->mutex);
    return &slot->part;
}

void scout_done(struct scout *scout)
{
    pthread_mutex_lock(&scout->mutex);
    scout->slots[scout->taken++ % SOURCE_VIEWS].state = SLOT_FREE;
    pthread_mutex_unlock(&scout->mutex);
}
