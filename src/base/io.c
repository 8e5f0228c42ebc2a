/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* sysfs and procfs files are small; mountinfo of a busy container host is the largest. */
enum { CHUNK = 16 * 1024, HOST_TEXT_MAX = 16 * 1024 * 1024 };

static ssize_t read_some(int fd, void *bytes, size_t len)
{
    ssize_t n;

    do
        n = read(fd, bytes, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Grows without realloc, which could leave a copy of a key behind unwiped. */
static void grow(struct blob *blob, size_t capacity)
{
    struct blob larger = { .data = xcalloc(capacity + 1, 1), .len = blob->len };

    if (blob->len)
        memcpy(larger.data, blob->data, blob->len);
    blob_free(blob);
    *blob = larger;
}

/* A first guess that is right for a regular file: its size, and one to see its end. */
static size_t expected_size(int fd, size_t max)
{
    struct stat stat;

    if (fstat(fd, &stat) < 0 || stat.st_size <= 0 || (uint64_t)stat.st_size > max)
        return CHUNK;
    return (size_t)stat.st_size + 1;
}

int io_read_all(int fd, size_t max, struct blob *ret)
{
    auto_blob struct blob all = { 0 };
    size_t capacity = 0;

    for (;;) {
        ssize_t n;

        if (all.len == capacity) {
            capacity = capacity ? capacity * 2 : expected_size(fd, max);
            grow(&all, capacity);
        }
        n = read_some(fd, all.data + all.len, capacity - all.len);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        all.len += (size_t)n;
        if (all.len > max) {
            errno = EFBIG;
            return -1;
        }
    }
    all.data[all.len] = '\0';
    *ret = take_blob(all);
    return 0;
}

int io_read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, (char *)bytes + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0) {
            errno = EIO;
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}

int io_write_all(int fd, const void *bytes, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(fd, (const char *)bytes + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

char *io_host_text(const char *fmt, ...)
{
    char path[512];
    auto_blob struct blob text = { 0 };
    auto_fd int fd = -1;
    va_list args;

    va_start(args, fmt);
    vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || io_read_all(fd, HOST_TEXT_MAX, &text) < 0)
        return NULL;
    if (text.len > 0 && text.data[text.len - 1] == '\n')
        text.data[text.len - 1] = '\0';
    return xstrdup((char *)text.data);
}
