/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/cleanup.h"

static int list_runs(struct system *system, const struct options *options)
{
    auto_root struct root *root = NULL;
    auto_with(run_summaries_free) struct run_summary *runs = NULL;
    struct report report = { .command = "undo", .system = system_for_report(system) };
    struct err e = { 0 };

    if (system_open(system, ROOT_READ, &root, &e) < 0 ||
        undo_list(root, options->backup_dir, &runs, &e) < 0)
        return report_failure(system, "undo", options, &e);
    if (options->style.json)
        report_json_runs(&report, runs);
    else
        report_runs(runs);
    return EXIT_FINE;
}

static int undo_system(struct system *system, const struct options *options)
{
    auto_root struct root *root = NULL;
    auto_with(run_summary_free) struct run_summary run = { 0 };
    struct report report = { .command = "undo", .system = system_for_report(system) };
    struct err e = { 0 };
    int result;

    if (options->list)
        return list_runs(system, options);
    system_warn_before(system, options);
    if (system_open(system, ROOT_WRITE, &root, &e) < 0)
        return report_failure(system, "undo", options, &e);
    system_warn(system, root, options);
    signals_hold();
    result = undo(root, options->backup_dir, options->run, &run, &e);
    if (root_close(&root, result == 0 ? &e : NULL) < 0)
        result = -1;
    signals_release();
    if (result < 0)
        return report_failure(system, "undo", options, &e);
    report.run = run.id;
    if (options->style.json)
        report_json(&report);
    else if (!options->style.quiet)
        report_undo(&report, &run);
    return EXIT_FINE;
}

static int run(const struct options *options)
{
    return for_each_system(options, "undo", true, undo_system);
}

const struct command cmd_undo = {
    .name = "undo",
    .arguments = "[OPTION...] TARGET",
    .summary = "put back exactly what a repair changed",
    .options = "run list backup-dir backup-superblock",
    .needs_target = true,
    .run = run,
};
