/* SPDX-License-Identifier: MIT */
/* Whole reads and writes on file descriptors. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/blob.h"
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* The rest of fd, at most max bytes; more is an error (errno EFBIG). 0 or -1 with errno. */
int io_read_all(int fd, size_t max, struct blob *ret) MUST_CHECK;
/* Exactly len bytes at an offset; a short file is an error (errno EIO). 0 or -1 with errno. */
int io_read_at(int fd, void *bytes, size_t len, uint64_t offset) MUST_CHECK;
/* All len bytes, or -1 with errno. */
int io_write_all(int fd, const void *bytes, size_t len) MUST_CHECK;
/* A small text file of the rescue system (sysfs, procfs), without its last newline; NULL if none.
 */
char *io_host_text(const char *fmt, ...) MUST_CHECK PRINTF_LIKE(1, 2);

#endif
