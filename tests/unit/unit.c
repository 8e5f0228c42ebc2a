/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/alloc.h"
#include "base/io.h"
#include "door/mounted.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;
char scratch[96];
static char top[64];

struct blob file_bytes(const char *fmt, ...)
{
    struct blob bytes = { 0 };
    char path[512];
    auto_fd int fd = -1;
    va_list args;

    va_start(args, fmt);
    vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(io_read_all(fd, 16 * 1024 * 1024, &bytes), 0);
    return bytes;
}

void unit_start(void)
{
    snprintf(top, sizeof top, "/tmp/sshmend-unit.XXXXXX");
    if (!mkdtemp(top))
        err(1, "%s", top);
}

void scratch_make(void)
{
    snprintf(scratch, sizeof scratch, "%s/XXXXXX", top);
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_remove(void)
{
    ck_assert_int_eq(nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Those of tests that failed are still there. */
void unit_end(void)
{
    if (nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        warn("remove %s", top);
}

/* The path below the scratch directory, with the directories above it made. */
static char *scratch_path(const char *path)
{
    char *full = xasprintf("%s/%s", scratch, path);

    for (char *slash = strchr(full + strlen(scratch) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ck_assert(mkdir(full, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    return full;
}

void put_bytes(const char *path, mode_t mode, const void *bytes, size_t len)
{
    auto_free char *full = scratch_path(path);
    auto_fd int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_msg(fd >= 0, "%s: %s", full, strerror(errno));
    ck_assert_int_eq(io_write_all(fd, bytes, len), 0);
    ck_assert_int_eq(fchmod(fd, mode), 0);
}

void put_text(const char *path, const char *text)
{
    put_bytes(path, 0644, text, strlen(text));
}

void put_link(const char *path, const char *target)
{
    auto_free char *full = scratch_path(path);

    ck_assert_msg(symlink(target, full) == 0, "%s: %s", full, strerror(errno));
}

void put_dir(const char *path)
{
    auto_free char *full = scratch_path(path);

    ck_assert_msg(mkdir(full, 0755) == 0 || errno == EEXIST, "%s: %s", full, strerror(errno));
}

struct root *scratch_root(enum root_access access)
{
    const struct root_facts facts = { .fs = "directory" };
    int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return mounted_root(fd, &facts, access);
}

int run_program(const char *const *argv, struct blob *ret_output)
{
    posix_spawn_file_actions_t actions;
    auto_blob struct blob output = { 0 };
    int ends[2], status;
    pid_t pid;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ck_assert_int_eq(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ck_assert_int_eq(io_read_all(ends[0], 1024 * 1024, &output), 0);
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    if (ret_output)
        *ret_output = take_blob(output);
    return WEXITSTATUS(status);
}

bool keygen_reads(const struct blob *file, struct blob *ret_line)
{
    auto_free char *path = xasprintf("%s/keygen", scratch);
    bool protocol_1 = file->len > 3 && memcmp(file->data, "SSH", 3) == 0;
    const char *const argv[] = {
        protocol_1 ? "ssh-keygen1" : "ssh-keygen", "-y", "-P", "", "-f", path, NULL
    };

    put_bytes("keygen", 0600, file->data, file->len);
    return run_program(argv, ret_line) == 0;
}

void cut_comment(struct blob *line)
{
    char *text = (char *)line->data, *space = strchr(text, ' ');

    ck_assert_ptr_nonnull(space);
    line->len = (size_t)(space - text) + 1 + strcspn(space + 1, " \n");
    text[line->len] = '\0';
}
