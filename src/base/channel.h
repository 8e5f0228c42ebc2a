/* SPDX-License-Identifier: MIT */
/*
 * Messages between two processes that take turns. They share memory: where the other one is awake,
 * a message of ordinary length takes no system call. What is received has been copied out of it,
 * and can no longer be changed by the other side.
 */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include "base/blob.h"
#include "base/err.h"

#include <stdint.h>

struct channel_box;

struct channel {
    int fd; /* a stream: what is long goes through it, and it wakes a sleeper; -1: closed */
    struct channel_box *in, *out; /* in shared memory */
    uint32_t sent, received;      /* how many messages */
};

/* Both ends, before the fork that parts them. Each process closes the fd of the end it leaves. */
int channel_make(struct channel *ret, struct channel *ret_other) MUST_CHECK;
/* The end that it keeps, and the memory. */
void channel_close(struct channel *channel);

/* How long the other end may take, whatever is waited for: EAGAIN. Without it, for ever. */
int channel_limit(const struct channel *channel, unsigned seconds) MUST_CHECK;

/* 0 or -1 with errno. That the other one is gone is told by channel_receive alone. */
int channel_send(struct channel *channel, const void *bytes, size_t len) MUST_CHECK;
/* At most max bytes. EPIPE: the other end is closed; EPROTO: it is too long, or no message. */
int channel_receive(struct channel *channel, size_t max, struct blob *ret) MUST_CHECK;

#endif
