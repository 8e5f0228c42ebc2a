/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/alloc.h"
#include "base/channel.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SHORT = 100, LONG = 1024 * 1024, TURNS = 2000 };

struct ends {
    struct channel a, b;
};

static struct ends both_ends(void)
{
    struct ends ends;

    ck_assert_int_eq(channel_make(&ends.a, &ends.b), 0);
    return ends;
}

/* One process has both here, and the memory once. */
static void ends_close(struct ends *ends)
{
    if (ends->b.fd >= 0)
        close(ends->b.fd);
    channel_close(&ends->a);
}

static struct blob pattern(size_t len)
{
    struct blob bytes = blob_zeroed(len);

    for (size_t i = 0; i < len; i++)
        bytes.data[i] = (unsigned char)(len + i * 7 + i / 251);
    return bytes;
}

static bool stream_is_empty(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void expect_message(struct channel *channel, size_t len)
{
    auto_blob struct blob wanted = pattern(len), got = { 0 };

    ck_assert_int_eq(channel_receive(channel, LONG, &got), 0);
    ck_assert(blob_equal(&got, &wanted));
}

static void say(struct channel *channel, size_t len)
{
    auto_blob struct blob bytes = pattern(len);

    ck_assert_int_eq(channel_send(channel, bytes.data, bytes.len), 0);
}

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_nsec = ms * 1000 * 1000 };

    nanosleep(&pause, NULL);
}

START_TEST(there_and_back)
{
    auto_with(ends_close) struct ends ends = both_ends();

    for (size_t len = 0; len < SHORT; len++) {
        say(&ends.a, len);
        expect_message(&ends.b, len);
        say(&ends.b, 2 * len);
        expect_message(&ends.a, 2 * len);
    }
    ck_assert(stream_is_empty(ends.a.fd) && stream_is_empty(ends.b.fd));
}
END_TEST

/* Answers with as much as it is asked, sooner or later. */
static void *echo(void *argument)
{
    struct channel *channel = argument;
    auto_blob struct blob got = { 0 };

    for (size_t turn = 0; channel_receive(channel, LONG, &got) == 0; turn++) {
        if (turn % 500 == 0)
            pause_ms(1);
        if (channel_send(channel, got.data, got.len) < 0)
            break;
        blob_free(&got);
    }
    return NULL;
}

/* About as long as what goes through memory at most, far longer, and short. */
static size_t length_of(size_t turn)
{
    static const size_t lengths[] = {
        0, 1, SHORT, 64 * 1024, 192 * 1024, 192 * 1024 - 1, 192 * 1024 + 1, LONG
    };

    return lengths[turn % ARRAY_SIZE(lengths)];
}

START_TEST(taking_turns)
{
    auto_with(ends_close) struct ends ends = both_ends();
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, echo, &ends.b), 0);
    for (size_t turn = 0; turn < TURNS; turn++) {
        if (turn % 700 == 0)
            pause_ms(1); /* the other one sleeps by now */
        say(&ends.a, length_of(turn));
        expect_message(&ends.a, length_of(turn));
    }
    shutdown(ends.a.fd, SHUT_RDWR);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

static void *say_late(void *argument)
{
    pause_ms(50);
    say(argument, SHORT);
    return NULL;
}

/* What wakes a sleeper is taken out of the stream: it would be taken for what comes next. */
START_TEST(sleeper_is_woken)
{
    auto_with(ends_close) struct ends ends = both_ends();
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, say_late, &ends.a), 0);
    expect_message(&ends.b, SHORT);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(stream_is_empty(ends.b.fd));
}
END_TEST

static void closes(struct channel *other)
{
    close(other->fd);
    other->fd = -1;
}

static void wakes_for_nothing(struct channel *other)
{
    ck_assert_int_eq(send(other->fd, "x", 1, 0), 1);
}

static void says_too_much(struct channel *other)
{
    say(other, SHORT + 1);
}

static void says_nothing(struct channel *other)
{
    (void)other;
}

static const struct {
    void (*does)(struct channel *other);
    int code;
} others[] = {
    { closes, EPIPE },
    { wakes_for_nothing, EPROTO },
    { says_too_much, EPROTO },
    { says_nothing, EAGAIN },
};

START_TEST(no_message)
{
    auto_with(ends_close) struct ends ends = both_ends();
    auto_blob struct blob got = { 0 };

    ck_assert_int_eq(channel_limit(&ends.a, 1), 0);
    others[_i].does(&ends.b);
    ck_assert_int_eq(channel_receive(&ends.a, SHORT, &got), -1);
    ck_assert_int_eq(errno, others[_i].code);
    ck_assert_ptr_null(got.data);
}
END_TEST

/* More is announced than comes. */
START_TEST(cut_off)
{
    auto_with(ends_close) struct ends ends = both_ends();
    auto_blob struct blob bytes = pattern(LONG), got = { 0 };

    ck_assert_int_eq(channel_limit(&ends.b, 1), 0);
    ck_assert_int_eq(channel_send(&ends.b, bytes.data, bytes.len), -1);
    closes(&ends.b);
    ck_assert_int_eq(channel_receive(&ends.a, LONG, &got), -1);
    ck_assert_int_eq(errno, EPIPE);
    ck_assert_ptr_null(got.data);
}
END_TEST

Suite *suite_base_channel(void)
{
    Suite *suite = suite_create("base: channel");
    TCase *tcase = tcase_create("channel");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, there_and_back);
    tcase_add_test(tcase, taking_turns);
    tcase_add_test(tcase, sleeper_is_woken);
    ADD_TABLE(tcase, no_message, others);
    tcase_add_test(tcase, cut_off);
    suite_add_tcase(suite, tcase);
    return suite;
}
