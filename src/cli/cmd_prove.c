/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/alloc.h"
#include "base/cleanup.h"

static void show(unsigned seconds, const char *console)
{
    auto_free char *text = xasprintf("%4u s  %s", seconds, console);

    progress_show("%s", text);
}

static int prove_system(struct system *system, const struct options *options)
{
    auto_root struct root *root = NULL;
    auto_inspection struct inspection facts = { 0 };
    auto_proof struct proof proof = { 0 };
    struct report report = { .command = "prove", .system = system_for_report(system) };
    const struct prove_request request = {
        .disk = system->disk,
        .volume = system->volume,
        .subvolume = system->subvolume,
        .facts = &facts,
        .seconds = options->seconds,
        .kvm = options->kvm,
        .progress = options->style.quiet ? NULL : show,
    };
    struct err e = { 0 };
    int result;

    if (system_open(system, ROOT_READ, &root, &e) < 0 || inspect(root, NULL, &facts, &e) < 0)
        return report_failure(system, "prove", options, &e);
    result = prove(&request, &root, &proof, &e);
    progress_show("%s", "");
    if (result < 0)
        return report_failure(system, "prove", options, &e);
    report.facts = &facts;
    report.proof = &proof;
    if (options->style.json)
        report_json(&report);
    else if (!options->style.quiet)
        report_prove(&report, &options->style);
    return proof_complete(&proof, &facts) ? EXIT_FINE : EXIT_LEFT;
}

static int run(const struct options *options)
{
    return for_each_system(options, "prove", false, prove_system);
}

const struct command cmd_prove = {
    .name = "prove",
    .arguments = "[OPTION...] TARGET",
    .summary = "boot the disk on a copy, in qemu, and ask its sshd for its host keys",
    .options = "timeout kvm",
    .needs_target = true,
    .run = run,
};
