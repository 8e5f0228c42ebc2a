/* SPDX-License-Identifier: MIT */
/*
 * Helper programs: looked for in fixed directories, run without a shell, with a clean
 * environment and no descriptor but those given. None outlives this process.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include "base/blob.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spawn {
    const char *const *argv; /* NULL-terminated; argv[0] is a name without a slash */
    const int *inherit;      /* at most 8; they become 3, 4, … */
    size_t inherit_count;
    bool errors_too; /* stderr goes where stdout goes; else nowhere */
};

struct child {
    pid_t pid; /* 0: none */
    int out;   /* to read what it writes */
};

/* True where there is a program of this name. */
bool spawn_exists(const char *program);
int spawn_start(const struct spawn *spawn, struct child *ret, struct err *e) MUST_CHECK;
/* Kills it where it still runs. Never waits long, even for one that the kernel does not let go. */
void spawn_stop(struct child *child);
/* Asks it to end, and stops it where it has not after so many seconds. */
void spawn_finish(struct child *child, unsigned seconds);
/*
 * Runs a program to its end: what it has written, at most max bytes, and its exit status. One that
 * takes longer than so many seconds is killed, and is an error.
 */
int spawn_output(const struct spawn *spawn, unsigned seconds, size_t max, struct blob *ret_output,
                 int *ret_status, struct err *e) MUST_CHECK;

#define auto_child auto_with(spawn_stop)

#endif
