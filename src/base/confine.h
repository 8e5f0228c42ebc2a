/* SPDX-License-Identifier: MIT */
/* Work that is done in a child, shut in. */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include "base/channel.h"
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

/* Work that lasts until its channel ends; what it returns is what the child exits with. */
typedef int confined_service(const int *fds, size_t count, struct channel *talk);

/* One that goes on working, and is talked to. */
struct confined {
    pid_t pid; /* 0: none */
    struct channel talk;
};

/* The same for a service, which may write to its descriptors at offsets. */
int confine_start(confined_service *service, const int *fds, size_t count,
                  struct confined *ret) MUST_CHECK;
/* Ends it, at once; what it had come to before, as a clause that is never freed. */
const char *confine_end(struct confined *child);

#endif
