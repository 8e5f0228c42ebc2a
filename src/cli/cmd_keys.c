/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/cleanup.h"

static int keys_of_system(struct system *system, const struct options *options)
{
    auto_root struct root *root = NULL;
    auto_inspection struct inspection facts = { 0 };
    struct report report = { .command = "keys", .system = system_for_report(system) };
    struct err e = { 0 };

    if (system_open(system, ROOT_READ, &root, &e) < 0 || inspect(root, NULL, &facts, &e) < 0)
        return report_failure(system, "keys", options, &e);
    report.facts = &facts;
    if (options->style.json)
        report_json(&report);
    else
        report_keys(&report, options->known_hosts, options->sshfp);
    return EXIT_FINE;
}

static int run(const struct options *options)
{
    return for_each_system(options, "keys", false, keys_of_system);
}

const struct command cmd_keys = {
    .name = "keys",
    .arguments = "[OPTION...] TARGET",
    .summary = "show the host keys: fingerprints, known_hosts lines, SSHFP records",
    .options = "known-hosts sshfp",
    .needs_target = true,
    .run = run,
};
