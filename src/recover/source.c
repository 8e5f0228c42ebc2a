/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a volume, read-only, whatever the device does.
 *
 * Image files are mapped: copying every byte would cost as much as looking at it.
 * An image may shrink, or lie on a dying disk; the kernel says so with SIGBUS.
 * The handler puts a page of zeros in the place of the one that is not there, as
 * a block that cannot be read is zero everywhere here, and counts it.
 *
 * Block devices are read past the page cache, which has no use for a whole disk.
 */
#include "recover/private.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
    MAP = 8 * 1024 * 1024, /* of an image at a time: it counts as memory while it is mapped */
    GIVE_UP = 8,           /* so many bad blocks in a row, and the rest of a read is given up */
};

/* ---- SIGBUS -------------------------------------------------------------------------------- */

/* What is mapped just now. One search at a time: signals belong to the process. */
static _Atomic uintptr_t guard_start[SOURCE_VIEWS], guard_length[SOURCE_VIEWS];
static _Atomic uint64_t guard_faults;
static struct sigaction guard_before;

static bool is_mapped(uintptr_t at)
{
    for (size_t i = 0; i < SOURCE_VIEWS; i++)
        if (at - atomic_load(&guard_start[i]) < atomic_load(&guard_length[i]))
            return true;
    return false;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;

    (void)context;
    if (is_mapped(at)) {
        void *page = (void *)(at & ~(uintptr_t)(SOURCE_BLOCK - 1));

        if (mmap(page, SOURCE_BLOCK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            page) {
            atomic_fetch_add(&guard_faults, 1);
            return;
        }
    }
    /* Not ours: the next one ends the program as it would have without us. */
    sigaction(number, &guard_before, NULL);
}

static void guard_install(void)
{
    struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &guard_before);
}

static void count_failed(const struct source *source, uint64_t bytes)
{
    __atomic_fetch_add(source->failed, bytes, __ATOMIC_RELAXED);
}

/* What has been put in the place of pages since the last time. */
static void guard_count(const struct source *source)
{
    count_failed(source, atomic_exchange(&guard_faults, 0) * SOURCE_BLOCK);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_direct(int fd)
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return open(link, O_RDONLY | O_CLOEXEC | O_DIRECT);
}

enum { BUFFER = SOURCE_VIEW + SOURCE_SLACK + 2 * SOURCE_BLOCK };

static void buffers_free(struct source *source)
{
    for (size_t i = 0; i < SOURCE_VIEWS; i++) {
        if (source->views[i].buffer)
            explicit_bzero(source->views[i].buffer, BUFFER);
        free(source->views[i].buffer);
    }
}

static bool buffers_new(struct source *source)
{
    for (size_t i = 0; i < SOURCE_VIEWS; i++) {
        void *buffer;

        if (posix_memalign(&buffer, SOURCE_BLOCK, BUFFER) != 0) {
            buffers_free(source);
            return false;
        }
        keep_in_memory(buffer, BUFFER);
        source->views[i].buffer = buffer;
    }
    return true;
}

int source_open(const struct disk *disk, const struct recover_where *where, uint64_t *failed,
                struct source *ret, struct err *e)
{
    auto_fd int fd = device_descriptor(disk, false, e);
    uint64_t rest;

    if (fd < 0)
        return -1;
    if (where->offset >= disk->size)
        return err_set(e, ERR_NOT_FOUND, "%s ends before the volume to be searched", disk->path);
    rest = disk->size - where->offset;
    *ret = (struct source){ .direct = -1,
                            .maps = disk->kind == DISK_IMAGE &&
                                    sysconf(_SC_PAGESIZE) == SOURCE_BLOCK &&
                                    where->offset % SOURCE_BLOCK == 0,
                            .offset = where->offset,
                            .size = where->size && where->size < rest ? where->size : rest,
                            .failed = failed };
    if (ret->maps)
        guard_install();
    else if (!buffers_new(ret))
        return err_set(e, ERR_IO, "no memory to read %s", disk->path);
    if (disk->kind == DISK_BLOCK)
        ret->direct = open_direct(fd);
    ret->fd = take_fd(&fd);
    return 0;
}

static void unmap(struct source *source, size_t number)
{
    struct view *view = &source->views[number];

    if (view->map)
        munmap(view->map, view->length);
    atomic_store(&guard_length[number], 0);
    view->map = NULL;
    guard_count(source);
}

void source_close(struct source *source)
{
    if (source->maps) {
        for (size_t i = 0; i < SOURCE_VIEWS; i++)
            unmap(source, i);
        sigaction(SIGBUS, &guard_before, NULL);
    }
    buffers_free(source);
    close(source->fd);
    if (source->direct >= 0)
        close(source->direct);
}

/* ---- reading ------------------------------------------------------------------------------------
 */

/* Once, at a place of the disk; how many bytes, or -1. */
static ssize_t read_once(const struct source *source, void *bytes, size_t len, uint64_t at)
{
    ssize_t n = -1;

    errno = 0;
    if (source->direct >= 0 && at % SOURCE_BLOCK == 0 && len % SOURCE_BLOCK == 0 &&
        (uintptr_t)bytes % SOURCE_BLOCK == 0)
        n = pread(source->direct, bytes, len, (off_t)at);
    /* A device that takes no such reads, or not of this size. */
    if (n >= 0 || (source->direct >= 0 && errno != 0 && errno != EINVAL))
        return n;
    do
        n = pread(source->fd, bytes, len, (off_t)at);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Block by block: zeros for those that cannot be read. A disk that is dying is not tried for ever.
 */
static void read_around(struct source *source, unsigned char *bytes, size_t len, uint64_t at)
{
    unsigned in_a_row = 0;

    for (size_t done = 0; done < len;) {
        size_t some = SOURCE_BLOCK - (at + done) % SOURCE_BLOCK;
        ssize_t n = -1;

        if (some > len - done)
            some = len - done;
        if (in_a_row < GIVE_UP)
            n = read_once(source, bytes + done, some, at + done);
        if (n <= 0) {
            memset(bytes + done, 0, some);
            count_failed(source, some);
            in_a_row++;
            n = (ssize_t)some;
        } else {
            in_a_row = 0;
        }
        done += (size_t)n;
    }
}

/* All of it, from a place of the disk that is inside the volume. */
static void read_all(struct source *source, unsigned char *bytes, size_t len, uint64_t at)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read_once(source, bytes + done, len - done, at + done);

        if (n <= 0) {
            read_around(source, bytes + done, len - done, at + done);
            return;
        }
        done += (size_t)n;
    }
}

size_t source_copy(struct source *source, uint64_t at, void *bytes, size_t len)
{
    if (at >= source->size)
        return 0;
    if (len > source->size - at)
        len = (size_t)(source->size - at);
    read_all(source, bytes, len, source->offset + at);
    return len;
}

/* ---- viewing ------------------------------------------------------------------------------------
 */

/* A stretch that begins at a multiple of half its size, so that views need not be remapped. */
static bool map_around(struct source *source, size_t number, uint64_t at, size_t len)
{
    struct view *view = &source->views[number];
    uint64_t start = (source->offset + at) / (MAP / 2) * (MAP / 2), end;
    void *map;

    if (view->map && source->offset + at >= view->mapped &&
        source->offset + at + len <= view->mapped + view->length)
        return true;
    unmap(source, number);
    end = source->offset + source->size;
    view->mapped = start;
    view->length = end - start < MAP ? (size_t)(end - start) : MAP;
    map = mmap(NULL, view->length, PROT_READ, MAP_SHARED, source->fd, (off_t)start);
    if (map == MAP_FAILED)
        return false;
    view->map = map;
    atomic_store(&guard_start[number], (uintptr_t)map);
    atomic_store(&guard_length[number], view->length);
    return true;
}

/* Lets the kernel read ahead where the bytes are not in memory yet. */
static void read_ahead(const struct source *source, unsigned char *bytes, size_t len, uint64_t at)
{
    unsigned char *last = bytes + len - 1;
    unsigned char resident = 1;

    last -= (uintptr_t)last % SOURCE_BLOCK;
    if (mincore(last, 1, &resident) == 0 && !(resident & 1))
        (void)posix_fadvise(source->fd, (off_t)(source->offset + at), (off_t)(4 * len),
                            POSIX_FADV_WILLNEED);
}

const unsigned char *source_view(struct source *source, size_t number, uint64_t at, size_t want,
                                 size_t *ret_len)
{
    const struct view *view = &source->views[number];
    size_t len = want + SOURCE_SLACK;
    uint64_t down;

    if (at >= source->size) {
        *ret_len = 0;
        return NULL;
    }
    if (len > source->size - at)
        len = (size_t)(source->size - at);
    *ret_len = len;
    if (source->maps) {
        unsigned char *bytes;

        if (!map_around(source, number, at, len)) {
            count_failed(source, len);
            *ret_len = 0;
            return NULL;
        }
        bytes = view->map + (source->offset + at - view->mapped);
        read_ahead(source, bytes, len, at);
        guard_count(source);
        return bytes;
    }
    down = (source->offset + at) % SOURCE_BLOCK;
    len += (size_t)down;
    if (source->offset + at - down + (len + SOURCE_BLOCK - 1) / SOURCE_BLOCK * SOURCE_BLOCK <=
        source->offset + source->size)
        len = (len + SOURCE_BLOCK - 1) / SOURCE_BLOCK * SOURCE_BLOCK;
    read_all(source, view->buffer, len, source->offset + at - down);
    return view->buffer + down;
}

uint64_t source_data(const struct source *source, uint64_t at)
{
    off_t data;

    if (!source->maps)
        return at;
    data = lseek(source->fd, (off_t)(source->offset + at), SEEK_DATA);
    /* ENXIO: nothing but a hole to the end of the file. */
    if (data < 0)
        return errno == ENXIO ? source->size : at;
    return (uint64_t)data - source->offset;
}

void keep_in_memory(const void *bytes, size_t len)
{
    (void)mlock(bytes, len);
    (void)madvise((void *)((uintptr_t)bytes & ~(uintptr_t)(SOURCE_BLOCK - 1)), len, MADV_DONTDUMP);
}
