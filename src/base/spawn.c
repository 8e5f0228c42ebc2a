/* SPDX-License-Identifier: MIT */
#include "base/spawn.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static const char *const directories[] = { "/usr/bin", "/usr/sbin", "/bin", "/sbin",
                                           "/usr/local/bin" };
static const char *const environment[] = { "PATH=/usr/bin:/usr/sbin:/bin:/sbin", "LC_ALL=C", NULL };

enum {
    FIRST_INHERITED = 3,
    INHERITED_MAX = 8,
    OUT_OF_THE_WAY = FIRST_INHERITED +
                     INHERITED_MAX, /* descriptors are moved up here first, then down into place */
    PIPE_SIZE = 1024 * 1024,        /* a writer must not wait while its reader is busy elsewhere */
    REAP_SECONDS = 2,
    REAP_TRIES = 100, /* a second */
    REAP_PAUSE_NS = 10 * 1000 * 1000,
    CANNOT_RUN = 127, /* as a shell has it */
};

/* A static buffer would do, but for two programs at a time. */
static char *find(const char *program)
{
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        char *path = xasprintf("%s/%s", directories[i], program);

        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

bool spawn_exists(const char *program)
{
    auto_free char *path = find(program);

    return path != NULL;
}

static bool place(int from, int to)
{
    return from == to ? fcntl(to, F_SETFD, 0) == 0 : dup2(from, to) == to;
}

/*
 * In the child, between fork and exec: calls that are safe there alone. posix_spawn has no way to
 * ask for PDEATHSIG, without which a machine would outlive whoever started it.
 */
static void become(const struct spawn *spawn, const char *path, int out, pid_t parent)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int moved[INHERITED_MAX];
    sigset_t none;

    if (spawn->inherit_count > INHERITED_MAX || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        getppid() != parent)
        return;
    for (size_t i = 0; i < spawn->inherit_count; i++)
        if ((moved[i] = fcntl(spawn->inherit[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)) < 0)
            return;
    if (!place(nothing, STDIN_FILENO) || !place(out, STDOUT_FILENO) ||
        !place(spawn->errors_too ? out : nothing, STDERR_FILENO))
        return;
    for (size_t i = 0; i < spawn->inherit_count; i++)
        if (!place(moved[i], FIRST_INHERITED + (int)i))
            return;
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, (char *const *)spawn->argv, (char *const *)environment);
}

int spawn_start(const struct spawn *spawn, struct child *ret, struct err *e)
{
    auto_free char *path = find(spawn->argv[0]);
    auto_fd int out = -1, in = -1;
    pid_t parent = getpid(), pid;
    int ends[2];

    if (!path)
        return err_set(e, ERR_UNSUPPORTED, "%s is not installed", spawn->argv[0]);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "run %s", spawn->argv[0]);
    out = ends[0];
    in = ends[1];
    (void)fcntl(in, F_SETPIPE_SZ, PIPE_SIZE); /* a smaller pipe is only less comfortable */
    pid = fork();
    if (pid < 0)
        return err_errno(e, "run %s", spawn->argv[0]);
    if (pid == 0) {
        become(spawn, path, in, parent);
        _exit(CANNOT_RUN);
    }
    *ret = (struct child){ .pid = pid, .out = take_fd(&out) };
    return 0;
}

/* Its status, or -1 where it has not ended in time. */
static int reap(pid_t pid, unsigned seconds)
{
    const struct timespec pause = { .tv_nsec = REAP_PAUSE_NS };
    int status;

    for (unsigned i = 0; i < seconds * REAP_TRIES; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        nanosleep(&pause, NULL);
    }
    return -1;
}

void spawn_stop(struct child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        (void)reap(child->pid, REAP_SECONDS);
        close(child->out);
    }
    *child = (struct child){ .out = -1 };
}

void spawn_finish(struct child *child, unsigned seconds)
{
    if (child->pid > 0 && kill(child->pid, SIGTERM) == 0 && reap(child->pid, seconds) >= 0) {
        close(child->out);
        child->pid = 0;
    }
    spawn_stop(child);
}

static int milliseconds_left(const struct timespec *end)
{
    struct timespec now;
    long long left;

    clock_gettime(CLOCK_MONOTONIC, &now);
    left = (end->tv_sec - now.tv_sec) * 1000LL + (end->tv_nsec - now.tv_nsec) / 1000000;
    return left > 0 ? (int)left : 0;
}

/* Until the other end is closed; -1 with errno, ETIME where that takes too long. */
static int read_until(int fd, const struct timespec *end, struct blob *output)
{
    size_t room = output->len;

    output->len = 0;
    for (;;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int ready = poll(&wait, 1, milliseconds_left(end));
        char scrap[512];
        ssize_t n;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            errno = ETIME;
        if (ready <= 0)
            return -1;
        /* What is beyond the limit is read all the same, so that the program can end. */
        n = output->len < room ? read(fd, output->data + output->len, room - output->len)
                               : read(fd, scrap, sizeof scrap);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            return 0;
        if (n > 0 && output->len < room)
            output->len += (size_t)n;
    }
}

int spawn_output(const struct spawn *spawn, unsigned seconds, size_t max, struct blob *ret_output,
                 int *ret_status, struct err *e)
{
    auto_child struct child child = { .out = -1 };
    auto_blob struct blob output = blob_zeroed(max);
    struct timespec end;
    int status;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    if (spawn_start(spawn, &child, e) < 0)
        return -1;
    if (read_until(child.out, &end, &output) < 0)
        return errno == ETIME ? err_set(e, ERR_IO, "%s has not ended after %u seconds",
                                        spawn->argv[0], seconds)
                              : err_errno(e, "run %s", spawn->argv[0]);
    status = reap(child.pid, REAP_SECONDS);
    if (status < 0)
        return err_set(e, ERR_IO, "%s does not end", spawn->argv[0]);
    child.pid = 0;
    close(child.out);
    *ret_status = status;
    *ret_output = take_blob(output);
    return 0;
}
