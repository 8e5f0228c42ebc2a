/* SPDX-License-Identifier: MIT */
/*
 * Look read-only, plan, ask; then open for writing, look again (a journal may have
 * been replayed), change, and look a third time: the outcome is what that sees.
 */
#include "cli/cmd_repair.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- consent ----------------------------------------------------------------------------------
 */

static bool ask(const char *question)
{
    char answer[16] = "";

    fflush(stdout);
    fprintf(stderr, "%s [y/N] ", question);
    if (!fgets(answer, sizeof answer, stdin))
        return false;
    return strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0;
}

static int consent(const struct options *options, const char *question, struct err *e)
{
    if (options->yes)
        return 0;
    if (options->style.json || options->style.quiet)
        return err_set(e, ERR_CANCELLED,
                       "nothing was changed: --json and --quiet show no plan to agree to; --yes "
                       "agrees to it, --dry-run shows it");
    if (!isatty(STDIN_FILENO))
        return err_set(e, ERR_CANCELLED,
                       "nothing was changed: there is no terminal to ask on; --yes agrees to the "
                       "plan, --dry-run shows it");
    if (!ask(question))
        return err_set(e, ERR_CANCELLED, "cancelled; nothing was changed");
    return 0;
}

/* ---- the three looks ------------------------------------------------------------------ */

struct repair {
    struct system *system;
    const struct options *options;
    struct examination agreed; /* read-only: what the operator saw */
    struct examination before; /* opened for writing */
    struct examination after;
    struct made_keys made;
    char *run;
};

static void repair_free(struct repair *repair)
{
    examination_free(&repair->agreed);
    examination_free(&repair->before);
    examination_free(&repair->after);
    made_keys_free(&repair->made);
    free(repair->run);
}

static const char *command_of(const struct options *options)
{
    return options->key_lines ? "authorize" : options->recover_only ? "recover" : "repair";
}

static struct report report_of(const struct repair *repair, const struct examination *seen)
{
    return (struct report){ .command = command_of(repair->options),
                            .system = system_for_report(repair->system),
                            .facts = &seen->facts,
                            .findings = &seen->findings,
                            .plan = &seen->plan };
}

static void show_plan(const struct repair *repair, const struct examination *seen)
{
    struct report report = report_of(repair, seen);
    const struct options *options = repair->options;

    if (options->style.json || options->style.quiet)
        return;
    if (options->recover_only)
        report_recoverable(&report, &options->style);
    else if (!options->key_lines)
        report_check(&report, &options->style);
    if (seen->plan.change_count) {
        fputs("\n", stdout);
        report_plan(&report, &options->style);
    }
}

/* There is something in it, whether that was seen or not. */
static bool has_journal(const struct root_facts *facts)
{
    return facts->journal_dirty || facts->journal_read;
}

/*
 * There is something that only an opening for writing can do. A dirty journal alone
 * is a reason only where somebody has agreed, or can be asked.
 */
static bool needs_writing(const struct examination *seen, const struct options *options)
{
    bool answer = options->yes || isatty(STDIN_FILENO);

    return seen->plan.change_count > 0 || seen->facts.unfinished ||
           (has_journal(&seen->facts.fs) && answer);
}

static int look_read_only(struct repair *repair, struct err *e)
{
    auto_root struct root *root = NULL;

    if (system_open(repair->system, ROOT_READ, &root, e) < 0)
        return -1;
    return examine(repair->system, root, repair->options, NULL, &repair->agreed, e);
}

/*
 * A disk that is held, whose journal is clean, is still as it was seen: nobody else
 * could change it meanwhile. A directory may have changed while the operator read.
 */
static bool still_as_agreed(const struct repair *repair)
{
    const struct inspection *facts = &repair->agreed.facts;

    return repair->system->volume && !has_journal(&facts->fs) && !facts->fs.by_copy &&
           !facts->unfinished && !repair->options->backup_dir;
}

/* A journal, or a run rolled back, may show another disk than the one agreed to. */
static int look_again(struct repair *repair, struct root *root, struct err *e)
{
    const struct options *options = repair->options;
    int result;

    if (still_as_agreed(repair)) {
        repair->before = repair->agreed;
        repair->agreed = (struct examination){ 0 };
        return 0;
    }
    if (roll_back_unfinished(root, options->backup_dir, e) < 0 ||
        examine(repair->system, root, options, &repair->agreed.facts, &repair->before, e) < 0)
        return -1;
    if (options->yes || plan_same(&repair->agreed.plan, &repair->before.plan) ||
        repair->before.plan.change_count == 0)
        return 0;
    say("the disk shows another state than before; the plan has changed");
    show_plan(repair, &repair->before);
    signals_release();
    result = consent(options, "Go ahead?", e);
    signals_hold();
    return result;
}

static int change(struct repair *repair, struct root *root, struct err *e)
{
    const struct apply_options apply_options = { .state_dir = repair->options->backup_dir,
                                                 .state_label = repair->before.facts.state_label };
    int result;

    progress_start("making new keys");
    result = keys_make(&repair->before.plan, &repair->made, e);
    progress_stop();
    if (result < 0)
        return -1;
    return apply(root, &repair->before.plan, &repair->made, &apply_options, &repair->run, e);
}

/* Opened for writing, nothing cancels it any more: a roll-back is not for stopping half way. */
static int write_held(struct repair *repair, struct err *e)
{
    auto_root struct root *root = NULL;
    int result;

    if (system_open(repair->system, ROOT_WRITE, &root, e) < 0 || look_again(repair, root, e) < 0)
        return -1;
    if (repair->before.plan.change_count == 0)
        return root_close(&root, e);
    system_warn(repair->system, root, repair->options);
    result = change(repair, root, e);
    if (result == 0)
        result = examine(repair->system, root, repair->options, &repair->before.facts,
                         &repair->after, e);
    if (result == 0)
        findings_settle(&repair->before.findings, &repair->after.findings,
                        repair->before.plan.covers);
    if (root_close(&root, result == 0 ? e : NULL) < 0)
        result = -1;
    if (result < 0 && repair->run && !repair->before.facts.fs.one_step)
        err_prefix(e, "run %s was carried out (undo takes it back), but it cannot be vouched for",
                   repair->run);
    return result;
}

static int write_changes(struct repair *repair, struct err *e)
{
    int result;

    signals_hold();
    result = write_held(repair, e);
    signals_release();
    return result;
}

/* ---- the result ----------------------------------------------------------------------- */

static void show_result(const struct repair *repair)
{
    const struct options *options = repair->options;
    /* Keys as they are now, findings with what became of them. */
    const struct examination *now = repair->run ? &repair->after : &repair->before;
    struct report report = report_of(repair, &repair->before);

    report.facts = &now->facts;
    report.done = repair->run != NULL;
    report.run = repair->run;
    report.seen = !options->yes;
    if (options->style.json)
        report_json(&report);
    else if (options->key_lines)
        report_authorize(&report, options->user, &options->style);
    else if (options->recover_only)
        report_recover(&report, &options->style);
    else
        report_repair(&report, &options->style);
}

/* What a command of a narrower purpose leaves is not its own. */
static int left_code(const struct repair *repair, const struct examination *now)
{
    if (repair->options->key_lines)
        return EXIT_FINE;
    if (repair->options->recover_only)
        return any_key_lost(&now->facts) || findings_need(&now->findings, REMEDY_PREVIOUS)
                   ? EXIT_LEFT
                   : EXIT_FINE;
    return examination_code(&now->findings);
}

static int result_code(const struct repair *repair)
{
    const struct examination *now = repair->run ? &repair->after : &repair->before;
    int left = left_code(repair, now);

    return left ? left : repair->run ? EXIT_MENDED : EXIT_FINE;
}

static int refuse(const struct repair *repair, const struct examination *seen)
{
    const struct finding *blocker = findings_blocker(&seen->findings);
    struct report report = report_of(repair, seen);
    struct err e;

    err_set(&e, seen->facts.fs.read_only ? ERR_READ_ONLY : ERR_REFUSED,
            "%s: %s; nothing was changed", blocker->path ? blocker->path : repair->system->name,
            blocker->message);
    report.error = &e;
    if (repair->options->style.json)
        report_json(&report);
    else if (!repair->options->style.quiet)
        report_check(&report, &repair->options->style);
    return say_error(&e);
}

static int stop_at_plan(const struct repair *repair)
{
    struct report report = report_of(repair, &repair->agreed);

    if (repair->options->style.json)
        report_json(&report);
    else
        show_plan(repair, &repair->agreed);
    return examination_code(&repair->agreed.findings);
}

static void say_what_all_keys_means(const struct repair *repair)
{
    if (repair->options->all_keys && !repair->options->style.json)
        say("--keys=all: every host key that can be made becomes a new one; every client that "
            "knows "
            "this host will see REMOTE HOST IDENTIFICATION HAS CHANGED and refuse to connect until "
            "its known_hosts is put right");
}

/* ---- what clients know ----------------------------------------------------------------- */

/* Somebody who can be asked has said what clients know, and it is not what would serve. */
static bool can_offer(const struct repair *repair)
{
    const struct options *options = repair->options;

    return !options->yes && !options->dry_run && !options->style.json && !options->style.quiet &&
           !options->recover_only && !options->all_keys && options->search == SEARCH_AUTO &&
           repair->system->volume && isatty(STDIN_FILENO) &&
           findings_need(&repair->agreed.findings, REMEDY_PREVIOUS) &&
           !findings_blocker(&repair->agreed.findings);
}

/* Only what the operator asks for; whatever is found, the plan is still to be agreed to. */
static int offer_previous(struct repair *repair, struct options *searching, struct err *e)
{
    const struct findings *findings = &repair->agreed.findings;

    if (!can_offer(repair))
        return 0;
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].check->remedy == REMEDY_PREVIOUS)
            say("%s", findings->items[i].message);
    if (!ask("Search the disk for the key that clients know, to bring it back?"))
        return 0;
    *searching = *repair->options;
    searching->search = SEARCH_ALWAYS;
    repair->options = searching;
    examination_free(&repair->agreed);
    repair->agreed = (struct examination){ 0 };
    return look_read_only(repair, e);
}

int repair_system(struct system *system, const struct options *options)
{
    auto_with(repair_free) struct repair repair = { .system = system, .options = options };
    struct options searching;
    struct err e = { 0 };

    if (look_read_only(&repair, &e) < 0 || offer_previous(&repair, &searching, &e) < 0)
        return report_failure(system, command_of(options), options, &e);
    options = repair.options;
    if (findings_blocker(&repair.agreed.findings))
        return refuse(&repair, &repair.agreed);
    if (options->dry_run)
        return stop_at_plan(&repair);
    if (!needs_writing(&repair.agreed, options)) {
        repair.before = repair.agreed;
        repair.agreed = (struct examination){ 0 };
        show_result(&repair);
        return result_code(&repair);
    }
    if (system_may_change(system, &e) < 0)
        return report_failure(system, command_of(options), options, &e);
    say_what_all_keys_means(&repair);
    if (!options->yes)
        show_plan(&repair, &repair.agreed);
    system_warn_before(system, options);
    if (consent(options, "Go ahead?", &e) < 0 || write_changes(&repair, &e) < 0)
        return report_failure(system, command_of(options), options, &e);
    if (findings_blocker(&repair.before.findings))
        return refuse(&repair, &repair.before);
    show_result(&repair);
    return result_code(&repair);
}

static int run(const struct options *options)
{
    return for_each_system(options, "repair", true, repair_system);
}

const struct command cmd_repair = {
    .name = "repair",
    .arguments = "[OPTION...] [TARGET...]",
    .summary = "mend what check finds, after asking",
    .options = "yes dry-run keys only skip strict keep-keys recover clients fingerprint backup-dir "
               "backup-superblock",
    .run = run,
};
