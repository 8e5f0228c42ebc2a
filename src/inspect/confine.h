/* SPDX-License-Identifier: MIT */
/* Work that is done in a child, shut in. Private to inspect/. */
#ifndef INSPECT_CONFINE_H
#define INSPECT_CONFINE_H

#include "base/blob.h"
#include "base/err.h"

/* Returns what the child exits with. */
typedef int confined_work(const int *fds, size_t count, int out);

/*
 * Runs it in a child that has these descriptors, the pipe "out", and little else. What it
 * wrote, at most max bytes; -1 where it did not come to a good end.
 */
int confine(confined_work *work, const int *fds, size_t count, size_t max,
            struct blob *ret) MUST_CHECK;

#endif
