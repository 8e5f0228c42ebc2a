/* SPDX-License-Identifier: MIT */
/*
 * One error space for all rooms.
 *
 * An error travels as a value: it is made where the path is known and turned
 * into a message and an exit code in cli/ alone. What is wrong with the target
 * is not an error but a finding (findings/).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

enum err_kind {
    ERR_NONE,
    ERR_USAGE,       /* the operator asked for something that makes no sense */
    ERR_NOT_FOUND,   /* no such target, no system on it, no such path */
    ERR_IN_USE,      /* the rescue system, or another program, holds the target */
    ERR_REFUSED,     /* doing it would break a promise */
    ERR_UNSUPPORTED, /* this build or kernel cannot do it */
    ERR_READ_ONLY,   /* the target cannot be written */
    ERR_NO_SPACE,    /* not enough room on the target */
    ERR_CHANGED,     /* the target is no longer what it was when it was looked at */
    ERR_CANCELLED,   /* the operator said no, or a signal did */
    ERR_CRYPTO,      /* libcrypto failed */
    ERR_IO,          /* everything else the kernel or a device said */
};

struct err {
    enum err_kind kind;
    int code;       /* the errno behind it, or 0 */
    char text[640]; /* a sentence without a full stop; bytes from the target are cleaned */
};

/* The name of a kind as it stands in JSON: "in-use". */
const char *err_kind_name(enum err_kind kind);

/* Both fill *e and return -1, so that a caller can write: return err_set(e, …). */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The kind follows from errno, and its text is appended: "open disk.img: No such file". */
int err_errno(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts more context in front of an error that came from deeper down; returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
