/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there or the program ends.
 *
 * Every change to a target is covered by a manifest before it is visible, so
 * ending in the middle is safe: the next run rolls back (apply/).
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include "base/err.h"

#include <stddef.h>

void *xcalloc(size_t count, size_t size) MUST_CHECK __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *text) MUST_CHECK __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len) MUST_CHECK __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) MUST_CHECK PRINTF_LIKE(1, 2);

/* Room for one more item behind `count` of them; grows by doubling. */
void *array_grow(void *array, size_t count, size_t size) MUST_CHECK;

#define array_push(array, count, item)                                                             \
    do {                                                                                           \
        (array) = array_grow((array), (count), sizeof *(array));                                   \
        (array)[(count)++] = (item);                                                               \
    } while (0)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(array)[0])

#endif
