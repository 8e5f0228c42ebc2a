/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/alloc.h"
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* What a program says and returns; it sees nothing of this process but what it is given. */
static const struct {
    const char *argv[5];
    bool errors_too;
    int status;
    const char *output;
} programs[] = {
    { { "echo", "one  two", "$HOME;" }, false, 0, "one  two $HOME;\n" },
    { { "sh", "-c", "echo no >&2; exit 7" }, false, 7, "" },
    { { "sh", "-c", "echo no >&2; exit 7" }, true, 7, "no\n" },
    { { "sh", "-c", "kill -TERM $$" }, false, 128 + SIGTERM, "" },
    { { "env" }, false, 0, "PATH=/usr/bin:/usr/sbin:/bin:/sbin\nLC_ALL=C\n" },
    { { "cat" }, false, 0, "" },
    { { "sh", "-c", "cat <&3; cat <&4" }, false, 0, "firstsecond" },
    { { "sh", "-c", "cat <&5" }, false, 2, "" },
    { { "head", "-c", "5000", "/dev/zero" }, false, 0, NULL },
};

static int text_file(const char *text)
{
    int fd = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    return fd;
}

START_TEST(output)
{
    auto_fd int first = text_file("first"), second = text_file("second");
    const int inherit[] = { first, second };
    auto_blob struct blob bytes = { 0 };
    struct err e = { 0 };
    int status;

    ck_assert_int_eq(spawn_output(&(struct spawn){ .argv = programs[_i].argv,
                                                   .inherit = inherit,
                                                   .inherit_count = 2,
                                                   .errors_too = programs[_i].errors_too },
                                  30, 100, &bytes, &status, &e),
                     0);
    ck_assert_int_eq(status, programs[_i].status);
    if (programs[_i].output)
        ck_assert_str_eq((const char *)bytes.data, programs[_i].output);
    else
        ck_assert_uint_eq(bytes.len, 100);
}
END_TEST

START_TEST(too_slow)
{
    const char *const argv[] = { "sleep", "1000", NULL };
    auto_blob struct blob bytes = { 0 };
    struct err e = { 0 };
    int status;

    ck_assert_int_eq(spawn_output(&(struct spawn){ .argv = argv }, 1, 10, &bytes, &status, &e), -1);
    ck_assert_int_eq(e.kind, ERR_IO);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(not_there)
{
    const char *const argv[] = { "no-such-program", NULL };
    struct child child = { 0 };
    struct err e = { 0 };

    ck_assert(spawn_exists("sh") && !spawn_exists("no-such-program"));
    ck_assert_int_eq(spawn_start(&(struct spawn){ .argv = argv }, &child, &e), -1);
    ck_assert_int_eq(e.kind, ERR_UNSUPPORTED);
    ck_assert_str_eq(e.text, "no-such-program is not installed");
}
END_TEST

/* A process that is killed takes with it what it has started. */
START_TEST(dies_with_parent)
{
    const char *const argv[] = { "sh", "-c", "echo $$; exec sleep 1000", NULL };
    pid_t parent, grandchild = 0;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    parent = fork();
    if (parent == 0) {
        struct child child;
        struct err e;

        if (spawn_start(&(struct spawn){ .argv = argv }, &child, &e) == 0) {
            char line[16] = "";

            if (read(child.out, line, sizeof line - 1) > 0)
                (void)!write(ends[1], line, sizeof line);
            pause();
        }
        _exit(1);
    }
    {
        char line[16] = "";

        ck_assert_int_eq(read(ends[0], line, sizeof line), (ssize_t)sizeof line);
        grandchild = (pid_t)strtol(line, NULL, 10);
    }
    ck_assert_int_gt(grandchild, 1);
    ck_assert_int_eq(kill(grandchild, 0), 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    for (int i = 0; i < 500; i++) {
        auto_free char *state = xasprintf("/proc/%d/cmdline", grandchild);
        auto_fd int fd = open(state, O_RDONLY);
        char byte;

        /* Gone, or a zombie that nobody has asked for yet: that has no command line. */
        if (fd < 0 || read(fd, &byte, 1) <= 0)
            return;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    ck_abort_msg("it lives on");
}
END_TEST

Suite *suite_base_spawn(void)
{
    Suite *suite = suite_create("base_spawn");
    TCase *tcase = tcase_create("spawn");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    ADD_TABLE(tcase, output, programs);
    ADD(tcase, too_slow);
    ADD(tcase, not_there);
    ADD(tcase, dies_with_parent);
    suite_add_tcase(suite, tcase);
    return suite;
}
