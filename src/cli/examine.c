/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/cleanup.h"

#include <time.h>

/* For the marks in edited files. */
static void today(char *date, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;

    if (!localtime_r(&now, &tm) || strftime(date, size, "%F", &tm) == 0)
        *date = '\0';
}

/* Whoever is asked sees what vouches for a key; whoever is not has to have said it before. */
static bool trusts_disk(const struct options *options)
{
    return !options->yes || options->search == SEARCH_ALWAYS;
}

/* A key that serves gives way only to one that the operator's own evidence names. */
static bool restores_previous(const struct options *options)
{
    return options->evidence.count > 0 &&
           (options->recover_only || options->search == SEARCH_ALWAYS);
}

int examine(const struct system *system, const struct root *root, const struct options *options,
            const struct inspection *earlier, struct examination *ret, struct err *e)
{
    auto_examination struct examination examination = { 0 };
    char date[sizeof "2026-11-24"];
    const struct plan_options plan_options = { .all_keys = options->all_keys,
                                               .strict = options->strict,
                                               .keep_keys = options->keep_keys,
                                               .only = options->only,
                                               .skip = options->skip,
                                               .date = date,
                                               .trust_disk = trusts_disk(options),
                                               .recover_only = options->recover_only,
                                               .restore_previous = restores_previous(options) };

    today(date, sizeof date);
    if (inspect(root, earlier, &examination.facts, e) < 0)
        return -1;
    if (!earlier && search_lost_keys(system, root, options, &examination.facts, e) < 0)
        return -1;
    if (options->key_lines &&
        authorized_inspect(root, &examination.facts, options->user, &examination.authorized, e) < 0)
        return -1;
    examination.facts.told = &options->evidence;
    examination.facts.peers = system->among->peers;
    examination.facts.peer_count = system->among->peer_count;
    findings_judge(&examination.facts, &examination.findings);
    if (plan_make(&examination.facts, &examination.findings, &plan_options, &examination.plan, e) <
        0)
        return -1;
    if (options->key_lines)
        plan_authorize(&examination.authorized, options->key_lines, &examination.plan);
    *ret = examination;
    examination = (struct examination){ 0 };
    return 0;
}

void examination_free(struct examination *examination)
{
    plan_free(&examination->plan);
    authorized_free(&examination->authorized);
    findings_free(&examination->findings);
    inspection_free(&examination->facts);
}

int examination_code(const struct findings *findings)
{
    if (findings_blocker(findings))
        return EXIT_FAILED;
    return findings_verdict(findings) == VERDICT_HEALTHY ? EXIT_FINE : EXIT_LEFT;
}

int report_failure(const struct system *system, const char *command, const struct options *options,
                   const struct err *e)
{
    struct report report = { .command = command, .system = system_for_report(system), .error = e };

    if (options->style.json)
        report_json(&report);
    say("%s: %s", system->name, e->text);
    return exit_code_of(e);
}

static int fail_whole(const struct options *options, const char *command, const struct err *e)
{
    struct report report = { .command = command,
                             .system = { .target = options->targets[0] },
                             .error = e };

    if (options->style.json)
        report_json(&report);
    return say_error(e);
}

/* A target that was named and holds no system is a failure of its own, whatever the others hold. */
static int report_empty_targets(const struct systems *systems, const struct options *options,
                                const char *command)
{
    int code = 0;

    for (size_t i = 0; options->targets[0] && i < systems->disk_count; i++) {
        struct report report = { .command = command,
                                 .system = { .target = systems->disk_targets[i] } };
        struct err e = { 0 };

        if (systems->disks[i].shared || systems_of_disk(systems, &systems->disks[i]))
            continue;
        systems_none_on(systems, &systems->disks[i], &e);
        report.error = &e;
        if (options->style.json)
            report_json(&report);
        code |= say_error(&e);
    }
    return code;
}

static int handle_each(const struct options *options, const char *command, bool changes,
                       int (*handle)(struct system *system, const struct options *options))
{
    auto_systems struct systems systems = { 0 };
    struct err e = { 0 };
    int code = 0;

    if (systems_find(options, changes, &systems, &e) < 0)
        return fail_whole(options, command, &e);
    systems_introduce(&systems);
    if (systems_choose(&systems, options, changes, &e) < 0)
        return fail_whole(options, command, &e);
    if (!options->system)
        code |= report_empty_targets(&systems, options, command);
    for (size_t i = 0; i < systems.count; i++) {
        if (i && !options->style.json && !options->style.quiet)
            fputs("\n", stdout);
        if (systems.items[i].absent && !systems.items[i].absent_vital && !options->style.quiet)
            say("%s: %s", systems.items[i].name, systems.items[i].absent);
        code |= handle(&systems.items[i], options);
    }
    return code;
}

int for_each_system(const struct options *options, const char *command, bool changes,
                    int (*handle)(struct system *system, const struct options *options))
{
    struct options prepared = *options;
    struct err e = { 0 };
    int code = search_prepare(&prepared, &e) < 0 ? fail_whole(options, command, &e)
                                                 : handle_each(&prepared, command, changes, handle);

    evidence_free(&prepared.evidence);
    return code;
}
