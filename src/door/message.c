/* SPDX-License-Identifier: MIT */
#include "door/message.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* A text that is none has this length. */
static const uint64_t no_text = UINT64_MAX;

void message_free(struct message *message)
{
    message->bytes.len =
        message->capacity > message->bytes.len ? message->capacity : message->bytes.len;
    blob_free(&message->bytes);
    *message = (struct message){ 0 };
}

/* Grows without realloc, which could leave a copy of a key behind unwiped. */
static void make_room(struct message *message, size_t more)
{
    struct blob larger;

    if (message->bytes.data && message->capacity - message->bytes.len >= more)
        return;
    larger = blob_zeroed(2 * message->bytes.len + more + 64);
    message->capacity = larger.len;
    larger.len = message->bytes.len;
    if (message->bytes.data)
        memcpy(larger.data, message->bytes.data, message->bytes.len);
    blob_free(&message->bytes);
    message->bytes = larger;
}

static void put_raw(struct message *message, const void *bytes, size_t len)
{
    make_room(message, len);
    if (len)
        memcpy(message->bytes.data + message->bytes.len, bytes, len);
    message->bytes.len += len;
}

void message_put(struct message *message, uint64_t number)
{
    put_raw(message, &number, sizeof number);
}

void message_put_bytes(struct message *message, const void *bytes, size_t len)
{
    message_put(message, len);
    put_raw(message, bytes, len);
}

void message_put_text(struct message *message, const char *text)
{
    if (text)
        message_put_bytes(message, text, strlen(text));
    else
        message_put(message, no_text);
}

static const unsigned char *take_raw(struct message *message, uint64_t len)
{
    const unsigned char *at = message->bytes.data + message->at;

    if (message->bad || len > message->bytes.len - message->at) {
        message->bad = true;
        return NULL;
    }
    message->at += (size_t)len;
    return at;
}

uint64_t message_number(struct message *message)
{
    const unsigned char *at = take_raw(message, sizeof(uint64_t));
    uint64_t number = 0;

    if (at)
        memcpy(&number, at, sizeof number);
    return number;
}

const unsigned char *message_view(struct message *message, size_t *ret_len)
{
    uint64_t len = message_number(message);
    const unsigned char *at = take_raw(message, len);

    *ret_len = at ? (size_t)len : 0;
    return at;
}

struct blob message_bytes(struct message *message)
{
    size_t len;
    const unsigned char *at = message_view(message, &len);

    return at ? blob_copy(at, len) : (struct blob){ 0 };
}

char *message_text(struct message *message)
{
    uint64_t len = message_number(message);
    const unsigned char *at;

    if (message->bad || len == no_text)
        return NULL;
    at = take_raw(message, len);
    if (at && memchr(at, 0, (size_t)len))
        message->bad = true;
    return at && !message->bad ? xstrndup((const char *)at, (size_t)len) : NULL;
}

char *message_some_text(struct message *message)
{
    char *text = message_text(message);

    message->bad = message->bad || !text;
    return text;
}

/* From its beginning; it stays the message's own. */
static struct message as_received(const struct message *message)
{
    return (struct message){ .bytes = message->bytes };
}

uint64_t message_kind(const struct message *message)
{
    struct message received = as_received(message);

    return message_number(&received);
}

char *message_address(const struct message *message)
{
    struct message received = as_received(message);

    (void)message_number(&received);
    return message_text(&received);
}

void message_readdress(const struct message *message, const char *path, struct message *ret)
{
    struct message received = as_received(message);
    size_t len;

    message_put(ret, message_number(&received));
    message_put_text(ret, path);
    (void)message_view(&received, &len);
    put_raw(ret, received.bytes.data + received.at, received.bytes.len - received.at);
}

void message_put_stat(struct message *message, const struct root_stat *stat)
{
    message_put(message, stat->mode);
    message_put(message, stat->uid);
    message_put(message, stat->gid);
    message_put(message, stat->size);
    message_put(message, stat->inode);
    message_put(message, stat->device);
    message_put(message, stat->links);
    message_put(message, (uint64_t)stat->mtime.tv_sec);
    message_put(message, (uint64_t)stat->mtime.tv_nsec);
}

struct root_stat message_stat(struct message *message)
{
    struct root_stat stat = { 0 };

    stat.mode = (mode_t)message_number(message);
    stat.uid = (uid_t)message_number(message);
    stat.gid = (gid_t)message_number(message);
    stat.size = message_number(message);
    stat.inode = message_number(message);
    stat.device = message_number(message);
    stat.links = (unsigned)message_number(message);
    stat.mtime.tv_sec = (time_t)message_number(message);
    stat.mtime.tv_nsec = (long)(message_number(message) % 1000000000);
    return stat;
}

void message_put_error(struct message *message, const struct err *e)
{
    message_put(message, e->kind);
    message_put(message, (uint64_t)e->code);
    message_put_text(message, e->text);
}

struct err message_error(struct message *message)
{
    struct err e = { .kind = ERR_IO };
    uint64_t kind = message_number(message), code = message_number(message);
    auto_free char *text = message_text(message);

    if (kind > ERR_NONE && kind <= ERR_IO)
        e.kind = (enum err_kind)kind;
    e.code = code < 4096 ? (int)code : 0;
    snprintf(e.text, sizeof e.text, "%s", text ? text : "no reason was given");
    text_clean_in_place(e.text);
    return e;
}

int message_send(struct channel *channel, const struct message *message)
{
    return channel_send(channel, message->bytes.data, message->bytes.len);
}

int message_receive(struct channel *channel, size_t max, struct message *ret)
{
    struct message message = { 0 };

    if (channel_receive(channel, max, &message.bytes) < 0)
        return -1;
    *ret = message;
    return 0;
}
