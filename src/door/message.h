/* SPDX-License-Identifier: MIT */
/*
 * What the two ends of the direct door say to each other: numbers and strings of bytes. What comes
 * in is no more trusted than a disk.
 * Private to door/.
 */
#ifndef DOOR_MESSAGE_H
#define DOOR_MESSAGE_H

#include "base/channel.h"
#include "root/root.h"

struct part;

struct message {
    struct part *from; /* who has answered (direct.h); NULL: it was written here */
    struct blob bytes;
    size_t capacity; /* while it is written */
    size_t at;       /* while it is read */
    bool bad;        /* it did not hold what was asked for */
};

void message_free(struct message *message);

void message_put(struct message *message, uint64_t number);
void message_put_bytes(struct message *message, const void *bytes, size_t len);
/* NULL is none. */
void message_put_text(struct message *message, const char *text);

/* In the order they were put; nothing, and bad is set, where there is none of that kind. */
uint64_t message_number(struct message *message);
struct blob message_bytes(struct message *message);
/* The same where they are; NULL where there are none. */
const unsigned char *message_view(struct message *message, size_t *ret_len);
char *message_text(struct message *message);
/* The same where there has to be one. */
char *message_some_text(struct message *message);

/* The same question about another path: the text behind the number that a message begins with. */
void message_readdress(const struct message *message, const char *path, struct message *ret);
/* That path, and that number. */
uint64_t message_kind(const struct message *message);
char *message_address(const struct message *message) MUST_CHECK;

void message_put_stat(struct message *message, const struct root_stat *stat);
struct root_stat message_stat(struct message *message);
void message_put_error(struct message *message, const struct err *e);
/* Its text is cleaned. */
struct err message_error(struct message *message);

/* As channel_send and channel_receive. */
int message_send(struct channel *channel, const struct message *message) MUST_CHECK;
int message_receive(struct channel *channel, size_t max, struct message *ret) MUST_CHECK;

#define auto_message auto_with(message_free)

#endif
