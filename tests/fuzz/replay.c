/* SPDX-License-Identifier: MIT */
/*
 * fuzz-replay list: the names of the targets.
 * fuzz-replay replay TARGET FILE…: each file in a process of its own, so that one that ends
 * it is named and the others are run all the same. Prints "ok" or "FAILED" and the file.
 */
#include "fuzz.h"

#include "base/io.h"
#include "hostkey/hostkey.h"

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* A hang is a failure; nothing takes a hundredth of this. */
enum { SECONDS_MAX = 120, FILE_MAX = 16 * 1024 * 1024 };

static void dies(const struct blob *input)
{
    (void)input;
    abort();
}

static void run_file(const struct fuzz_target *target, const char *path)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    auto_blob struct blob bytes = { 0 };

    if (fd < 0 || io_read_all(fd, FILE_MAX, &bytes) < 0)
        err(1, "%s", path);
    alarm(SECONDS_MAX);
    fuzz_once(target, bytes.data, bytes.len);
}

static bool passes(const struct fuzz_target *target, const char *path)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        run_file(target, path);
        exit(0); /* looks for leaks on the way */
    }
    if (waitpid(pid, &status, 0) != pid)
        err(1, "waitpid");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    const struct fuzz_target control = { "control", dies };
    const struct fuzz_target *target = argc > 2 ? fuzz_target_named(argv[2]) : NULL;
    bool failed = false;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (target = fuzz_targets; target->name; target++)
            puts(target->name);
        return 0;
    }
    if (argc < 4 || strcmp(argv[1], "replay") != 0 || !target)
        errx(2, "usage: fuzz-replay list | replay TARGET FILE…");
    hostkey_prepare();
    if (passes(&control, "/dev/null"))
        errx(1, "what ends the process is not seen");
    for (char **path = argv + 3; *path; path++) {
        bool passed = passes(target, *path);

        printf("%s %s\n", passed ? "ok" : "FAILED", *path);
        failed = failed || !passed;
    }
    return failed;
}
