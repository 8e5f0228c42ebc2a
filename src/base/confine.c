/* SPDX-License-Identifier: MIT */
/*
 * A child for what is parsed by somebody else's code: it has the descriptors it is given, a
 * pipe to tell what it found, bounded time and memory, no rights, and the few system calls
 * that reading takes. What breaks it, or breaks into it, costs the answer and nothing else.
 */
#include "base/confine.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { MEMORY_MAX = 512 * 1024 * 1024, NOBODY = 65534 };

/* What differs between one question and many. */
struct walls {
    unsigned cpu_seconds;
    unsigned seconds; /* 0: no end */
    bool writes;      /* to its descriptors, at offsets */
};

static const struct walls once = { .cpu_seconds = 5, .seconds = 30 };
static const struct walls lasting = { .cpu_seconds = 120, .writes = true };

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
/*
 * All that reading a mapped file and its own memory takes; nothing with a path but fstat's. The
 * last six are for work that answers, and writes.
 */
static const unsigned calls[] = {
    __NR_read,         __NR_pread64,     __NR_write,          __NR_lseek,        __NR_close,
    __NR_fstat,        __NR_fstatfs,     __NR_newfstatat,     __NR_fcntl,        __NR_dup,
    __NR_mmap,         __NR_munmap,      __NR_mremap,         __NR_mprotect,     __NR_madvise,
    __NR_brk,          __NR_futex,       __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_clock_gettime,
    __NR_gettimeofday, __NR_sigaltstack, __NR_getrandom,      __NR_getpid,       __NR_exit,
    __NR_exit_group,   __NR_sendto,      __NR_pwrite64,       __NR_fsync,        __NR_fdatasync,
    __NR_recvfrom,     __NR_sched_yield,
};
enum { WRITING_CALLS = 6 };

/* Any other call fails, rather than kills: a newer library may try one and do without. */
static int allow_few_calls(const struct walls *walls)
{
    size_t allowed = ARRAY_SIZE(calls) - (walls->writes ? 0 : WRITING_CALLS);
    struct sock_filter filter[ARRAY_SIZE(calls) + 6] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = { .len = (unsigned short)(allowed + 6), .filter = filter };
    size_t at = 4;

    for (size_t i = 0; i < allowed; i++)
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i],
                                                    (unsigned char)(allowed - i), 0);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
/* The numbers of another architecture are not worth a guess: the other walls stand. */
static int allow_few_calls(const struct walls *walls)
{
    (void)walls;
    return 0;
}
#endif

/* No path at all may be opened, made or removed; where the kernel knows how (Linux 5.13). */
static void forbid_paths(void)
{
    const struct landlock_ruleset_attr all = { .handled_access_fs =
                                                   (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);

    if (rules < 0)
        return;
    (void)syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
}

static bool is_kept(int fd, const int *fds, size_t count, int out)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] == fd)
            return true;
    return fd == out;
}

static int close_others(const int *fds, size_t count, int out)
{
    int highest = out;

    for (size_t i = 0; i < count; i++)
        highest = fds[i] > highest ? fds[i] : highest;
    for (int fd = 0; fd < highest; fd++)
        if (!is_kept(fd, fds, count, out))
            close(fd);
    return close_range((unsigned)highest + 1, ~0U, 0);
}

static int limit(int resource, rlim_t max)
{
    const struct rlimit both = { .rlim_cur = max, .rlim_max = max };

    return setrlimit((unsigned)resource, &both);
}

/* So much more than there is: sanitizers map terabytes before anything begins. */
static int limit_memory(void)
{
    auto_free char *pages = io_host_text("/proc/self/statm");

    if (!pages)
        return -1;
    return limit(RLIMIT_AS, strtoul(pages, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_MAX);
}

static int drop_rights(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) < 0))
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int shut_in(const struct walls *walls, const int *fds, size_t count, int out)
{
    alarm(walls->seconds);
    if (limit_memory() < 0 || limit(RLIMIT_CPU, walls->cpu_seconds) < 0 ||
        limit(RLIMIT_CORE, 0) < 0 || close_others(fds, count, out) < 0 || drop_rights() < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -1;
    forbid_paths();
    return allow_few_calls(walls);
}

/* As fork; the child is shut in. */
static pid_t fork_confined(const struct walls *walls, const int *fds, size_t count, int out)
{
    pid_t pid = fork();

    if (pid == 0 && shut_in(walls, fds, count, out) < 0)
        _exit(1);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int confine(confined_work *work, const int *fds, size_t count, size_t max, struct blob *ret)
{
    auto_blob struct blob said = { 0 };
    int ends[2], status, result;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid = fork_confined(&once, fds, count, ends[1]);
    if (pid == 0)
        _exit(work(fds, count, ends[1]));
    close(ends[1]);
    result = pid < 0 ? -1 : io_read_all(ends[0], max, &said);
    close(ends[0]);
    status = pid < 0 ? 0 : wait_for(pid);
    if (result < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return -1;
    *ret = take_blob(said);
    return 0;
}

/*
 * A key pressed at the terminal is for us: what is being written is finished, or is cut off with
 * us. Held back before the fork, so that there is no moment in which it would end the child.
 */
static void hold_signals(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, before);
}

int confine_start(confined_service *service, const int *fds, size_t count, struct confined *ret)
{
    struct channel ours, theirs;
    sigset_t before;
    pid_t pid;

    if (channel_make(&ours, &theirs) < 0)
        return -1;
    hold_signals(&before);
    pid = fork_confined(&lasting, fds, count, theirs.fd);
    if (pid == 0)
        _exit(service(fds, count, &theirs));
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(theirs.fd);
    if (pid < 0) {
        channel_close(&ours);
        return -1;
    }
    *ret = (struct confined){ .pid = pid, .talk = ours };
    return 0;
}

const char *confine_end(struct confined *child)
{
    const char *signal_name;
    int status;

    if (child->pid <= 0)
        return "it was never begun";
    kill(child->pid, SIGKILL);
    channel_close(&child->talk);
    status = wait_for(child->pid);
    child->pid = 0;
    if (WIFEXITED(status))
        return WEXITSTATUS(status) ? "it failed" : "it ended";
    signal_name = WTERMSIG(status) == SIGKILL ? NULL : sigabbrev_np(WTERMSIG(status));
    return signal_name ? signal_name : "it was stopped";
}
