/* SPDX-License-Identifier: MIT */
/* A repair that only brings lost keys back: the same looks, consent and transaction. */
#include "cli/cmd_repair.h"

#include "base/cleanup.h"

/* Everything that was found, and what vouches for it; nothing is changed. */
static int list_system(struct system *system, const struct options *options)
{
    auto_root struct root *root = NULL;
    auto_examination struct examination seen = { 0 };
    struct report report = { .command = "recover", .system = system_for_report(system) };
    struct err e = { 0 };

    if (system_open(system, ROOT_READ, &root, &e) < 0 ||
        examine(system, root, options, NULL, &seen, &e) < 0)
        return report_failure(system, "recover", options, &e);
    report.facts = &seen.facts;
    report.plan = &seen.plan;
    if (options->style.json)
        report_json(&report);
    else if (!options->style.quiet)
        report_recoverable(&report, &options->style);
    return EXIT_FINE;
}

static int recover_system(struct system *system, const struct options *options)
{
    struct err e = { 0 };

    if (!system->volume) {
        err_set(&e, ERR_UNSUPPORTED,
                "a mounted tree cannot be searched for deleted keys: unmount it, at once, and give "
                "the disk or the image");
        return report_failure(system, "recover", options, &e);
    }
    return options->list ? list_system(system, options) : repair_system(system, options);
}

static int run(const struct options *options)
{
    struct options recovering = *options;

    recovering.recover_only = true;
    return for_each_system(&recovering, "recover", !options->list, recover_system);
}

const struct command cmd_recover = {
    .name = "recover",
    .arguments = "[OPTION...] TARGET",
    .summary = "bring back deleted host keys from the bare disk, after asking",
    .options = "yes dry-run clients fingerprint list-found backup-dir backup-superblock",
    .needs_target = true,
    .run = run,
};
