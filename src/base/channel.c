/* SPDX-License-Identifier: MIT */
/*
 * A box for each direction holds one message, and how many there have been. Whoever waits looks at
 * that number, awake for a moment; then it says that it sleeps, and is woken by a byte in the
 * stream. Nothing in a box is trusted: the other process may write to it at any time.
 */
#include "base/channel.h"

#include <errno.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What is longer goes through the stream. Pages that are never used are never there. */
enum { BOX = 192 * 1024, LINE = 64 };

/* How long to wait awake, and how often to look before others are let in. */
enum { AWAKE_NS = 50 * 1000, LOOKS = 100 };

struct channel_box {
    alignas(LINE) atomic_uint_least32_t sent; /* how many messages; the last one is here */
    atomic_bool asleep;                       /* its reader waits for a byte in the stream */
    alignas(LINE) uint64_t len;
    unsigned char bytes[BOX];
};

int channel_make(struct channel *ret, struct channel *ret_other)
{
    struct channel_box *boxes =
        mmap(NULL, 2 * sizeof *boxes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];

    if (boxes == MAP_FAILED)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        munmap(boxes, 2 * sizeof *boxes);
        return -1;
    }
    *ret = (struct channel){ .fd = ends[0], .in = &boxes[0], .out = &boxes[1] };
    *ret_other = (struct channel){ .fd = ends[1], .in = &boxes[1], .out = &boxes[0] };
    return 0;
}

void channel_close(struct channel *channel)
{
    struct channel_box *boxes = channel->in < channel->out ? channel->in : channel->out;

    if (boxes)
        munmap(boxes, 2 * sizeof *boxes);
    if (channel->fd >= 0)
        close(channel->fd);
    *channel = (struct channel){ .fd = -1 };
}

int channel_limit(const struct channel *channel, unsigned seconds)
{
    const struct timeval limit = { .tv_sec = seconds };

    if (setsockopt(channel->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
        return -1;
    return setsockopt(channel->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* ---- the stream --------------------------------------------------------------------------- */

static int stream_send(int fd, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int stream_receive(int fd, void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = recv(fd, (char *)bytes + done, len - done, 0);

        if (n == 0)
            errno = EPIPE;
        if (n == 0 || (n < 0 && errno != EINTR))
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* ---- messages ----------------------------------------------------------------------------- */

int channel_send(struct channel *channel, const void *bytes, size_t len)
{
    struct channel_box *box = channel->out;

    box->len = len;
    if (len <= BOX)
        memcpy(box->bytes, bytes, len);
    atomic_store(&box->sent, ++channel->sent);
    if (atomic_exchange(&box->asleep, false) && stream_send(channel->fd, "", 1) < 0)
        return -1;
    return len <= BOX ? 0 : stream_send(channel->fd, bytes, len);
}

static bool has_come(const struct channel *channel)
{
    return atomic_load(&channel->in->sent) != channel->received;
}

static int64_t nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* A sleeper is not woken on another processor before most answers are there. */
static bool comes_soon(const struct channel *channel)
{
    int64_t until = nanoseconds() + AWAKE_NS;

    do {
        for (int look = 0; look < LOOKS; look++)
            if (has_come(channel))
                return true;
        sched_yield();
    } while (nanoseconds() < until);
    return has_come(channel);
}

/* Whoever finds "asleep" set and takes it away sends a byte, which has to be taken as well. */
static int sleep_until_woken(const struct channel *channel)
{
    char byte;

    atomic_store(&channel->in->asleep, true);
    if (has_come(channel) && atomic_exchange(&channel->in->asleep, false))
        return 0;
    return stream_receive(channel->fd, &byte, 1);
}

/* It may have been a key. */
static void take_out(struct channel_box *box, const struct blob *into)
{
    memcpy(into->data, box->bytes, into->len);
    explicit_bzero(box->bytes, into->len);
}

int channel_receive(struct channel *channel, size_t max, struct blob *ret)
{
    auto_blob struct blob bytes = { 0 };
    uint64_t len;

    if (!comes_soon(channel) && sleep_until_woken(channel) < 0)
        return -1;
    len = *(const volatile uint64_t *)&channel->in->len;
    if (!has_come(channel) || len > max) {
        errno = EPROTO;
        return -1;
    }
    channel->received++;
    bytes = blob_zeroed((size_t)len);
    if (len <= BOX)
        take_out(channel->in, &bytes);
    else if (stream_receive(channel->fd, bytes.data, bytes.len) < 0)
        return -1;
    *ret = take_blob(bytes);
    return 0;
}
