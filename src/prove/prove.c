/* SPDX-License-Identifier: MIT */
#include "prove/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_MS = 250,
    ATTEMPT_SECONDS = 8, /* a guest that is not there yet answers nothing at all */
    SCAN_TRIES = 2,
    START_TRIES = 3, /* a port that was free may be taken when qemu wants it */
    HELPER_SECONDS = 60,
    HELPER_OUTPUT = 4096,
};

/* A machine that runs, and what is heard of it. */
struct run {
    const struct prove_request *request;
    struct machine *machine;
    struct child qemu;
    struct console console;
    struct attempt attempt;
    enum answer answer; /* the last one */
    double started, attempt_at;
    bool ended;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static unsigned elapsed(const struct run *run)
{
    return (unsigned)(now() - run->started);
}

/* ---- starting ----------------------------------------------------------------------------- */

static const struct {
    const char *program, *package;
} helpers[] = {
    { "qemu-system-x86_64", "qemu-system-x86 (qemu-kvm)" },
    { "qemu-img", "qemu-utils (qemu-img)" },
    { "ssh-keyscan", "openssh-client (openssh-clients)" },
    { "ssh", "openssh-client (openssh-clients)" },
};

static int check_helpers(struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(helpers); i++)
        if (!spawn_exists(helpers[i].program))
            return err_set(e, ERR_UNSUPPORTED, "%s is not installed: it is in the package %s",
                           helpers[i].program, helpers[i].package);
    return 0;
}

/* An empty overlay of the disk's size, in a file without a name. */
static int make_overlay(struct machine *machine, struct err *e)
{
    char size[24];
    const char *const argv[] = { "qemu-img", "create",          "-q", "-f",
                                 "qcow2",    "/proc/self/fd/3", size, NULL };
    auto_blob struct blob output = { 0 };
    int status;

    if (machine->overlay >= 0)
        close(machine->overlay);
    machine->overlay = boot_scratch(e);
    if (machine->overlay < 0)
        return -1;
    snprintf(size, sizeof size, "%llu", (unsigned long long)machine->size);
    if (spawn_output(&(struct spawn){ .argv = argv,
                                      .inherit = &machine->overlay,
                                      .inherit_count = 1,
                                      .errors_too = true },
                     HELPER_SECONDS, HELPER_OUTPUT, &output, &status, e) < 0)
        return -1;
    if (status != 0)
        return err_set(e, ERR_IO, "qemu-img cannot make an overlay: %.200s",
                       text_trim((char *)output.data));
    return 0;
}

static int start_once(struct run *run, struct err *e)
{
    struct machine *machine = run->machine;
    const int inherit[] = { machine->disk, machine->overlay, machine->first, machine->second };
    size_t count = machine->second >= 0 ? 4 : machine->first >= 0 ? 3 : 2;
    auto_with(text_list_free) char **argv = NULL;

    machine->host_port = client_free_port(e);
    if (!machine->host_port)
        return -1;
    argv = machine_arguments(machine);
    run->started = now();
    run->console = (struct console){ 0 };
    return spawn_start(&(struct spawn){ .argv = (const char *const *)argv,
                                        .inherit = inherit,
                                        .inherit_count = count,
                                        .errors_too = true },
                       &run->qemu, e);
}

/* Takes what the machine has written by now. */
static void listen_to_console(struct run *run)
{
    char bytes[4096];
    ssize_t n = read(run->qemu.out, bytes, sizeof bytes);

    if (n > 0)
        console_feed(&run->console, bytes, (size_t)n);
    run->ended = n == 0 || (n < 0 && errno != EINTR);
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void next_attempt(struct run *run)
{
    if (now() < run->attempt_at)
        return;
    /* What answered earlier, qemu before it listened or a system that is going down, is gone. */
    if (run->attempt.fd >= 0)
        run->answer = ANSWER_NONE;
    attempt_end(&run->attempt);
    /* Without a socket there will be one the next time. */
    if (attempt_start(&run->attempt, run->machine->host_port, NULL) < 0)
        run->attempt.fd = -1;
    run->attempt_at = now() + ATTEMPT_SECONDS;
}

static void hear(struct run *run)
{
    enum answer answer = attempt_read(&run->attempt);

    if (answer == ANSWER_NONE)
        return;
    run->answer = answer;
    attempt_end(&run->attempt);
    run->attempt_at = now() + 1;
}

/* One round of looking at both; true where sshd has shown its banner. */
static bool tick(struct run *run)
{
    struct pollfd wait[] = { { .fd = run->qemu.out, .events = POLLIN },
                             { .fd = run->attempt.fd, .events = POLLIN } };

    if (poll(wait, ARRAY_SIZE(wait), TICK_MS) < 0)
        return false;
    if (wait[0].revents)
        listen_to_console(run);
    if (run->attempt.fd >= 0 && wait[1].revents)
        hear(run);
    return run->answer == ANSWER_SSH;
}

/* The firmware of a machine that has never booted knows no boot loader but the fallback one. */
static bool no_boot_loader(const struct run *run)
{
    auto_with(text_list_free) char **lines = console_lines(&run->console);

    for (char **line = lines; run->machine->boot == PROVE_UEFI && *line; line++)
        if (strstr(*line, "BdsDxe: No bootable option") ||
            strstr(*line, "BdsDxe: failed to load") || text_starts(*line, "UEFI Interactive Shell"))
            return true;
    return false;
}

/*
 * Emulation on a busy host: a tick comes too late, and the kernel gives up (check_timer, io_apic.c
 * of Linux). That says nothing of the system.
 */
static bool tick_lost(const struct run *run)
{
    return strstr(console_last(&run->console), "IO-APIC + timer doesn't work") != NULL;
}

/*
 * Once more may help: what ends a kernel under emulation is not always the system's fault. "panic="
 * on its command line ends the machine, and the words stay the last ones.
 */
static bool panicked(const struct run *run)
{
    return strstr(console_last(&run->console), "Kernel panic - not syncing") != NULL;
}

static bool wait_for_banner(struct run *run)
{
    unsigned told = 0;

    run->attempt = (struct attempt){ .fd = -1 };
    run->attempt_at = 0;
    while (!run->ended && elapsed(run) < run->request->seconds && !no_boot_loader(run) &&
           !tick_lost(run) && !panicked(run)) {
        next_attempt(run);
        if (tick(run))
            return true;
        if (elapsed(run) != told && run->request->progress) {
            told = elapsed(run);
            run->request->progress(told, console_last(&run->console));
        }
    }
    attempt_end(&run->attempt);
    return false;
}

/* ---- the proof ---------------------------------------------------------------------------- */

static char *why_not_up(const struct run *run)
{
    unsigned port = run->machine->guest_port;

    if (no_boot_loader(run))
        return xstrdup("the firmware finds no boot loader on the disk");
    if (panicked(run))
        return xstrdup("its kernel panics");
    if (run->ended)
        return xasprintf("the machine ended after %u seconds", elapsed(run));
    switch (run->answer) {
    case ANSWER_CLOSED:
        return xasprintf("after %u seconds the system has its network, and nothing serves SSH on "
                         "port %u",
                         elapsed(run), port);
    case ANSWER_OTHER:
        return xasprintf("what answers on port %u is no sshd", port);
    case ANSWER_SSH:
        return xstrdup("sshd answers, yet completes no key exchange");
    default:
        return xasprintf("after %u seconds the system answers nothing on its network",
                         elapsed(run));
    }
}

static int ask(struct run *run, struct proof *proof, struct err *e)
{
    const struct inspection *facts = run->request->facts;

    proof->banner = xstrdup(run->attempt.line);
    proof->seconds = elapsed(run);
    for (int i = 0; i < SCAN_TRIES && !run->ended; i++) {
        if (client_keys(run->machine->host_port, facts, proof, e) < 0)
            return -1;
        if (proof_complete(proof, facts))
            break;
        (void)tick(run);
    }
    return run->ended ? 0 : client_verify(run->machine->host_port, proof, e);
}

static int conclude(struct run *run, bool banner, struct proof *proof, struct err *e)
{
    proof->boot = run->machine->boot;
    if (banner && ask(run, proof, e) < 0)
        return -1;
    if (proof_up(proof))
        return 0;
    proof->seconds = elapsed(run);
    proof->problem = why_not_up(run);
    proof->console = console_lines(&run->console);
    return 0;
}

/* What qemu says before the machine has started is an error of ours, not of the target. */
static int failed_to_start(const struct run *run, struct err *e)
{
    static const char prefix[] = "qemu-system-x86_64: ";
    const char *last = console_last(&run->console);

    if (run->ended && text_starts(last, prefix))
        return err_set(e, ERR_UNSUPPORTED, "qemu does not start: %s", last + sizeof prefix - 1);
    if (run->ended && !*last)
        return err_set(e, ERR_UNSUPPORTED, "qemu does not start");
    return 0;
}

enum outcome { OUTCOME_PROOF, OUTCOME_NO_LOADER, OUTCOME_AGAIN, OUTCOME_ERROR };

static enum outcome boot_once(struct run *run, struct proof *proof, struct err *e)
{
    bool banner;

    run->ended = false;
    run->answer = ANSWER_NONE;
    if (start_once(run, e) < 0)
        return OUTCOME_ERROR;
    banner = wait_for_banner(run);
    if (!banner && no_boot_loader(run))
        return OUTCOME_NO_LOADER;
    if (!banner && (tick_lost(run) || panicked(run)))
        return OUTCOME_AGAIN;
    if (!banner && failed_to_start(run, e) < 0)
        return strstr(e->text, "host forwarding") ? OUTCOME_AGAIN : OUTCOME_ERROR;
    return conclude(run, banner, proof, e) < 0 ? OUTCOME_ERROR : OUTCOME_PROOF;
}

/* Each time on a new overlay. */
static enum outcome boot(struct run *run, struct proof *proof, struct err *e)
{
    enum outcome outcome = OUTCOME_AGAIN;

    for (int i = 0; i < START_TRIES && outcome == OUTCOME_AGAIN; i++) {
        outcome = make_overlay(run->machine, e) < 0 ? OUTCOME_ERROR : boot_once(run, proof, e);
        spawn_stop(&run->qemu);
    }
    if (outcome == OUTCOME_AGAIN && panicked(run))
        return conclude(run, false, proof, e) < 0 ? OUTCOME_ERROR : OUTCOME_PROOF;
    if (outcome == OUTCOME_AGAIN) {
        err_set(e, ERR_UNSUPPORTED, "qemu does not start: %s", console_last(&run->console));
        return OUTCOME_ERROR;
    }
    return outcome;
}

static void note(const struct machine *machine, bool loader_lost, struct proof *proof)
{
    if (loader_lost)
        proof->notes[0] =
            xstrdup("the firmware found no boot loader at EFI/BOOT/BOOTX64.EFI, so the "
                    "newest kernel in /boot was booted directly");
    else if (machine->boot == PROVE_KERNEL)
        proof->notes[0] =
            xstrdup("there is no boot loader, so the newest kernel in /boot was booted "
                    "directly");
    if (machine->network.address)
        proof->notes[1] = xstrdup(
            network_reachable(&machine->network)
                ? "the system has a static address; it was given a network around that"
                : "the system has a static address that no network here can be given, so it cannot "
                  "be reached");
}

int prove(const struct prove_request *request, struct root **root, struct proof *ret, struct err *e)
{
    static const struct machine none = { .disk = -1, .overlay = -1, .first = -1, .second = -1 };
    auto_machine struct machine machine = none, fallback = none;
    auto_proof struct proof proof = { 0 };
    struct run run = { .request = request, .machine = &machine, .qemu.out = -1 };
    struct err ignored = { 0 };
    bool can_fall_back, fell_back = false;
    enum outcome outcome;

    if (!request->volume)
        return err_set(e, ERR_REFUSED,
                       "a directory cannot be booted; name the disk or the image it is on");
    if (check_helpers(e) < 0 || boot_choose(request, *root, false, &machine, e) < 0)
        return -1;
    can_fall_back =
        machine.boot == PROVE_UEFI && boot_choose(request, *root, true, &fallback, &ignored) == 0;
    root_drop(root);
    outcome = boot(&run, &proof, e);
    if (outcome == OUTCOME_NO_LOADER && can_fall_back) {
        fell_back = true;
        run.machine = &fallback;
        outcome = boot(&run, &proof, e);
    }
    /* Where there is nothing else to try, the firmware's own words are the reason. */
    if (outcome == OUTCOME_ERROR ||
        (outcome == OUTCOME_NO_LOADER && conclude(&run, false, &proof, e) < 0))
        return -1;
    note(run.machine, fell_back, &proof);
    *ret = proof;
    proof = (struct proof){ 0 };
    return 0;
}
