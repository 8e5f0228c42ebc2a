/* SPDX-License-Identifier: MIT */
/* Work that is done in a child, shut in. */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include "base/blob.h"
#include "base/err.h"

#include <sys/types.h>

/* Returns what the child exits with. */
typedef int confined_work(const int *fds, size_t count, int out);

/*
 * Runs it in a child that has these descriptors, the pipe "out", and little else. What it
 * wrote, at most max bytes; -1 where it did not come to a good end.
 */
int confine(confined_work *work, const int *fds, size_t count, size_t max,
            struct blob *ret) MUST_CHECK;

/* One that goes on working, and is talked to. */
struct confined {
    pid_t pid; /* 0: none */
    int talk;  /* a stream; its other end is the child's "out" */
};

/* The same for work that may write to its descriptors at offsets, and lasts until "out" ends. */
int confine_start(confined_work *work, const int *fds, size_t count,
                  struct confined *ret) MUST_CHECK;
/* Ends it, at once; what it had come to before, as a clause that is never freed. */
const char *confine_end(struct confined *child);

#endif
