/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *there(void *memory)
{
    static const char message[] = "sshmend: out of memory\n";

    if (!memory) {
        if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
            _exit(8);
        _exit(8);
    }
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    return there(calloc(count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return there(strdup(text));
}

char *xstrndup(const char *text, size_t len)
{
    return there(strndup(text, len));
}

char *xasprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    return there(text);
}

void *array_grow(void *array, size_t count, size_t size)
{
    /* Full whenever the count is a power of two: no capacity to carry about. */
    if (count & (count - 1))
        return array;
    return there(reallocarray(array, count ? count * 2 : 1, size));
}
