/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/text.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void say(const char *fmt, ...)
{
    char text[2048];
    va_list args;

    fflush(stdout);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    text_clean_in_place(text);
    fprintf(stderr, "sshmend: %s\n", text);
}

int exit_code_of(const struct err *e)
{
    switch (e->kind) {
    case ERR_USAGE:
        return EXIT_BAD_USAGE;
    case ERR_CANCELLED:
        return EXIT_CANCELLED;
    default:
        return EXIT_FAILED;
    }
}

int say_error(const struct err *e)
{
    say("%s", e->text);
    return exit_code_of(e);
}

int finish_output(int code)
{
    bool failed = ferror(stdout);

    if (fflush(stdout) != 0 || failed) {
        fputs("sshmend: cannot write the result to standard output\n", stderr);
        return code | EXIT_FAILED;
    }
    return code;
}

/* ---- progress ------------------------------------------------------------------------- */

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    const char *text;
    bool running, stop;
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER, .stopped = PTHREAD_COND_INITIALIZER };

static void *watch(void *unused)
{
    struct timespec until;
    int result = 0;

    (void)unused;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    pthread_mutex_lock(&progress.lock);
    while (!progress.stop && result == 0)
        result = pthread_cond_timedwait(&progress.stopped, &progress.lock, &until);
    if (!progress.stop)
        fprintf(stderr, "sshmend: %s ...\n", progress.text);
    pthread_mutex_unlock(&progress.lock);
    return NULL;
}

void progress_start(const char *text)
{
    if (!isatty(STDERR_FILENO))
        return;
    progress.text = text;
    progress.stop = false;
    progress.running = pthread_create(&progress.thread, NULL, watch, NULL) == 0;
}

void progress_stop(void)
{
    if (!progress.running)
        return;
    pthread_mutex_lock(&progress.lock);
    progress.stop = true;
    pthread_cond_signal(&progress.stopped);
    pthread_mutex_unlock(&progress.lock);
    pthread_join(progress.thread, NULL);
    progress.running = false;
}

void progress_show(const char *fmt, ...)
{
    char text[160];
    va_list args;

    if (!isatty(STDERR_FILENO))
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    text_clean_in_place(text);
    fprintf(stderr, "\r\033[K%s%s", *text ? "sshmend: " : "", text);
    fflush(stderr);
}

/* ---- signals -----------------------------------------------------------------------------------
 */

static const int cancelling[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static volatile sig_atomic_t changed;

static void cancel(int signal_number)
{
    static const char nothing[] = "\nsshmend: cancelled; nothing was changed\n";
    static const char something[] = "\nsshmend: cancelled; what was done so far is complete\n";

    (void)signal_number;
    if (changed)
        (void)!write(STDERR_FILENO, something, sizeof something - 1);
    else
        (void)!write(STDERR_FILENO, nothing, sizeof nothing - 1);
    _exit(EXIT_CANCELLED);
}

static sigset_t cancelling_set(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof cancelling / sizeof cancelling[0]; i++)
        sigaddset(&set, cancelling[i]);
    return set;
}

void signals_cancel(void)
{
    struct sigaction action = { .sa_handler = cancel };

    for (size_t i = 0; i < sizeof cancelling / sizeof cancelling[0]; i++)
        sigaction(cancelling[i], &action, NULL);
    /* A reader that went away is a failed write, not a sudden death. */
    signal(SIGPIPE, SIG_IGN);
}

void signals_hold(void)
{
    sigset_t set = cancelling_set();

    pthread_sigmask(SIG_BLOCK, &set, NULL);
    changed = 1;
}

void signals_release(void)
{
    sigset_t set = cancelling_set();
    struct timespec now = { 0 };

    /* What came in meanwhile came too late to cancel anything. */
    while (sigtimedwait(&set, NULL, &now) > 0)
        ;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
