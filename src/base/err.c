/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    [ERR_NONE] = "none",           [ERR_USAGE] = "usage",       [ERR_NOT_FOUND] = "not-found",
    [ERR_IN_USE] = "in-use",       [ERR_REFUSED] = "refused",   [ERR_UNSUPPORTED] = "unsupported",
    [ERR_READ_ONLY] = "read-only", [ERR_NO_SPACE] = "no-space", [ERR_CHANGED] = "changed",
    [ERR_CANCELLED] = "cancelled", [ERR_CRYPTO] = "crypto",     [ERR_IO] = "io",
};

const char *err_kind_name(enum err_kind kind)
{
    return kind_names[kind];
}

static enum err_kind kind_of_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EBUSY:
    case ETXTBSY:
        return ERR_IN_USE;
    case EROFS:
        return ERR_READ_ONLY;
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case ENOSYS:
    case EOPNOTSUPP:
        return ERR_UNSUPPORTED;
    default:
        return ERR_IO;
    }
}

__attribute__((format(printf, 4, 0))) static void fill(struct err *e, enum err_kind kind, int code,
                                                       const char *fmt, va_list args)
{
    e->kind = kind;
    e->code = code;
    vsnprintf(e->text, sizeof e->text, fmt, args);
    text_clean_in_place(e->text);
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    va_list args;

    if (!e)
        return -1;
    va_start(args, fmt);
    fill(e, kind, 0, fmt, args);
    va_end(args);
    return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
    int code = errno;
    va_list args;
    size_t used;

    if (!e)
        return -1;
    va_start(args, fmt);
    fill(e, kind_of_errno(code), code, fmt, args);
    va_end(args);
    used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %s", strerror(code));
    return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    char tail[sizeof e->text];
    va_list args;
    size_t used;

    if (!e)
        return -1;
    memcpy(tail, e->text, sizeof tail);
    va_start(args, fmt);
    fill(e, e->kind, e->code, fmt, args);
    va_end(args);
    used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %.*s", (int)(sizeof tail - 1), tail);
    return -1;
}
