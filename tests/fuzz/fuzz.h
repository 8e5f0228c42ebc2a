/* SPDX-License-Identifier: MIT */
/* What is fuzzed, and by whom it is run: libFuzzer, or a plain program that replays files. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/blob.h"

struct fuzz_target {
    const char *name; /* the folder of its corpus */
    void (*run)(const struct blob *input);
};

/* Terminated by a row without a name. */
extern const struct fuzz_target fuzz_targets[];

/* The bytes as a blob of their own, so that a read beyond their end is seen. */
void fuzz_once(const struct fuzz_target *target, const void *bytes, size_t len);
/* NULL where there is none of that name. */
const struct fuzz_target *fuzz_target_named(const char *name);

#endif
