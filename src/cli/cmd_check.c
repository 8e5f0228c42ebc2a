/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/cleanup.h"
#include "base/text.h"

static void print_next_step(const struct system *system)
{
    const struct report_system known = system_for_report(system);
    auto_free char *target = report_target(&known);

    printf("Next: sshmend repair %s\n", target);
}

/* A healthy system's logs are not read: that would take longer than all the rest. */
static void support(const struct root *root, const struct system *system,
                    const struct options *options, struct examination *seen)
{
    auto_with(logs_free) struct logs logs = { 0 };

    if (findings_verdict(&seen->findings) == VERDICT_HEALTHY)
        return;
    logs_inspect(root, &logs);
    findings_support(&seen->findings, &logs);
    if (logs.journal_unread && !options->style.quiet && (options->style.verbose || !logs.texts))
        say("%s: the journal of systemd was not read: %s", system->name, logs.journal_unread);
}

static int check_system(struct system *system, const struct options *options)
{
    auto_root struct root *root = NULL;
    auto_examination struct examination seen = { 0 };
    struct report report = { .command = "check", .system = system_for_report(system) };
    struct err e = { 0 };
    int code;

    if (system_open(system, ROOT_READ, &root, &e) < 0 ||
        examine(system, root, options, NULL, &seen, &e) < 0)
        return report_failure(system, "check", options, &e);
    support(root, system, options, &seen);
    report.facts = &seen.facts;
    report.findings = &seen.findings;
    report.plan = options->style.json ? NULL : &seen.plan;
    code = examination_code(&seen.findings);
    if (options->style.json) {
        report_json(&report);
    } else if (!options->style.quiet) {
        report_check(&report, &options->style);
        if (code == EXIT_LEFT && seen.plan.change_count)
            print_next_step(system);
    }
    if (code == EXIT_FAILED)
        say("%s: %s: %s", system->name,
            findings_blocker(&seen.findings)->path ? findings_blocker(&seen.findings)->path
                                                   : system->path,
            findings_blocker(&seen.findings)->message);
    return code;
}

static int run(const struct options *options)
{
    return for_each_system(options, "check", false, check_system);
}

const struct command cmd_check = {
    .name = "check",
    .arguments = "[OPTION...] [TARGET...]",
    .summary = "say whether sshd will come up on the next boot, and why not; changes nothing",
    .options = "recover clients fingerprint",
    .run = run,
};
