/* SPDX-License-Identifier: MIT */
/*
 * For people: what is wrong, what was or will be done, what to do next. One screen
 * for the usual case.
 */
#include "report/style.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Paths shown under one message; --verbose shows all. */
enum { PATHS_SHOWN = 4 };

static enum tone tone_of(enum severity severity)
{
    static const enum tone tones[] = { TONE_DIM, TONE_WARN, TONE_BAD };

    return tones[severity];
}

void put_clean(const char *text)
{
    auto_free char *clean = text_clean(text);

    fputs(clean, stdout);
}

/* ---- which system --------------------------------------------------------------------- */

void put_header(const struct report *report, const struct report_style *style)
{
    const struct sshd *sshd = &report->facts->sshd;

    fputs(tone_start(style, TONE_BOLD), stdout);
    put_clean(report->system.device);
    fputs(tone_end(style), stdout);
    if (report->system.fs)
        printf(" (%s)", report->system.fs);
    fputs(": ", stdout);
    put_clean(report->facts->os.name);
    if (sshd->version_text)
        printf(", OpenSSH %s", sshd->version_text);
    fputs("\n", stdout);
}

/* ---- host keys ------------------------------------------------------------------------ */

static char *type_and_bits(const struct host_key *key)
{
    const struct pubkey *pub = key->judgement.pub.name ? &key->judgement.pub
                               : key->pub.name         ? &key->pub
                                                       : NULL;

    if (pub)
        return pubkey_bits(pub) ? xasprintf("%s %d", pubkey_label(pub), pubkey_bits(pub))
                                : xstrdup(pubkey_label(pub));
    return xstrdup(key->type ? key_type_label(key->type) : "?");
}

static char *fingerprint_of(const struct host_key *key)
{
    return key->judgement.key ? pubkey_fingerprint(&key->judgement.pub) : NULL;
}

void put_keys(const struct inspection *facts, const char *const *notes)
{
    static const char *const columns[] = { "HOST KEY", "TYPE", "STATE", "FINGERPRINT", NULL };
    struct libscols_table *table = table_new(columns);

    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];
        auto_free char *type = type_and_bits(key), *fingerprint = fingerprint_of(key);
        const char *cells[] = { key->path, type, notes && notes[i] ? notes[i] : host_key_state(key),
                                fingerprint };

        if (key->used || key->exists)
            table_row(table, cells);
    }
    table_print(table, "  ");
}

/* ---- findings ---------------------------------------------------------------------------------
 */

static bool together(const struct finding *a, const struct finding *b)
{
    return a->check == b->check && a->outcome == b->outcome && strcmp(a->message, b->message) == 0;
}

static bool shown_before(const struct findings *findings, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (together(&findings->items[i], &findings->items[at]))
            return true;
    return false;
}

static void print_paths(const struct findings *findings, size_t first,
                        const struct report_style *style)
{
    /* A whole tree gone wrong is one event: an example of each will do. */
    size_t count = 0, most = findings_find(findings, "fs-tree-modes", NULL) ? 1 : PATHS_SHOWN;

    for (size_t i = first; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        if (!finding->path || !together(&findings->items[first], finding))
            continue;
        if (count++ >= most && !style->verbose)
            continue;
        fputs("           ", stdout);
        put_clean(finding->path);
        fputs("\n", stdout);
    }
    if (count > most && !style->verbose)
        printf("           and %zu more (-v shows them)\n", count - most);
}

/* What the system itself has said about it. */
static void print_evidence(const struct finding *finding, const struct report_style *style)
{
    enum { LINE_SHOWN = 150 };

    for (char **line = finding->evidence; line && *line; line++) {
        auto_free char *clean = text_clean(*line);

        if (strlen(clean) > LINE_SHOWN)
            clean[LINE_SHOWN] = '\0';
        printf("           %s%s%s\n", tone_start(style, TONE_DIM), clean, tone_end(style));
    }
}

static bool worth_showing(const struct finding *finding, const struct report_style *style)
{
    /* What only differs from the distribution's own is for those who ask. */
    return !finding->check->strict || style->verbose;
}

static void print_findings(const struct findings *findings, const struct report_style *style,
                           bool left_only)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const char *severity = finding->outcome == OUTCOME_OPEN
                                   ? severity_name(finding->check->severity)
                                   : outcome_name(finding->outcome);

        if (!worth_showing(finding, style) || shown_before(findings, i) ||
            (left_only && finding->outcome == OUTCOME_MENDED))
            continue;
        printf("  %s%-8s%s ",
               tone_start(style, finding->outcome == OUTCOME_MENDED
                                     ? TONE_GOOD
                                     : tone_of(finding->check->severity)),
               severity, tone_end(style));
        put_clean(finding->message);
        printf("  %s[%s]%s\n", tone_start(style, TONE_DIM), finding->check->id, tone_end(style));
        if (style->verbose && finding->node && !finding->key)
            printf("           %s\n", finding->node->rule->why);
        print_paths(findings, i, style);
        print_evidence(finding, style);
    }
}

static size_t problems(const struct report *report, bool mendable_only)
{
    const struct findings *findings = report->findings;
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        bool mendable = report->plan && i < report->plan->finding_count && report->plan->covers[i];

        if (finding->check->severity > SEVERITY_NOTE && finding->outcome != OUTCOME_MENDED &&
            (!mendable_only || mendable))
            count++;
    }
    return count;
}

/* ---- check ---------------------------------------------------------------------------- */

static void print_verdict(const struct report *report, const struct report_style *style)
{
    static const struct {
        enum tone tone;
        const char *text;
    } words[] = {
        [VERDICT_HEALTHY] = { TONE_GOOD, "Healthy: nothing here keeps sshd from coming up" },
        [VERDICT_DEGRADED] = { TONE_WARN, "Degraded: sshd comes up, but not for everybody" },
        [VERDICT_BROKEN] = { TONE_BAD, "Broken: sshd will not come up, or nobody can log in" },
    };
    enum verdict verdict = findings_verdict(report->findings);

    printf("%s%s.%s", tone_start(style, words[verdict].tone), words[verdict].text, tone_end(style));
}

static size_t blockers(const struct findings *findings)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].check->blocks;
    return count;
}

void report_check(const struct report *report, const struct report_style *style)
{
    size_t all = problems(report, false), mendable = problems(report, true);
    auto_free char *count = counted(all, "problem");

    put_header(report, style);
    fputs("\n", stdout);
    put_keys(report->facts, NULL);
    fputs("\n", stdout);
    print_findings(report->findings, style, false);
    if (report->findings->count)
        fputs("\n", stdout);
    put_lost_keys(report);
    put_offer(report);
    print_verdict(report, style);
    if (all == 0)
        fputs("\n", stdout);
    else if (findings_blocker(report->findings))
        printf(" %s; %zu to be dealt with by hand before anything is changed.\n", count,
               blockers(report->findings));
    else if (mendable == all)
        printf(" %s, all of which can be mended.\n", count);
    else
        printf(" %s, %zu of which can be mended.\n", count, mendable);
}

/* ---- the plan ------------------------------------------------------------------------- */

static void print_changes(const struct plan *plan)
{
    static const char *const columns[] = { "CHANGE", "PATH", "FROM", "TO", NULL };
    struct libscols_table *table = table_new(columns);

    for (size_t i = 0; i < plan->change_count; i++) {
        const struct change *change = &plan->changes[i];
        auto_free char *from = change_from(change), *to = change_to(change);
        const char *cells[] = { change_kind_name(change->kind), change->path, from, to };

        table_row(table, cells);
    }
    table_print(table, "  ");
}

/* Lines of one file as they go and come, before anybody agrees to it. */
static void print_diffs(const struct plan *plan, const struct report_style *style)
{
    for (size_t i = 0; i < plan->change_count; i++) {
        auto_free char *copy = plan->changes[i].diff ? xstrdup(plan->changes[i].diff) : NULL;
        char *rest = copy, *line;

        if (!copy)
            continue;
        fputs("  ", stdout);
        put_clean(plan->changes[i].path);
        fputs(":\n", stdout);
        while ((line = strsep(&rest, "\n")) && *line) {
            printf("    %s", tone_start(style, *line == '-' ? TONE_BAD : TONE_GOOD));
            put_clean(line);
            printf("%s\n", tone_end(style));
        }
    }
}

static size_t new_identities(const struct plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->fate_count; i++)
        count += plan->fates[i].origin == ORIGIN_GENERATED;
    return count;
}

/* The one that serves now goes; somebody may have come to know it. */
static void print_previous(const char *label, const struct key_fate *fate)
{
    auto_free char *fingerprint = pubkey_fingerprint(&fate->copy->judgement.pub);

    printf("  The %s key becomes the one of before:\n    %s\n"
           "  Clients that have accepted the present one since will see that it has changed:\n"
           "    %s\n",
           label, fingerprint, fate->old_fingerprint);
}

static void print_what_clients_see(const struct report *report)
{
    const struct plan *plan = report->plan;
    size_t guessed = 0, previous = 0;

    for (size_t i = 0; i < plan->fate_count; i++) {
        const struct key_fate *fate = &plan->fates[i];
        const struct host_key *key = &report->facts->keys[i];
        const char *label = key->type ? key_type_label(key->type) : "host";

        if (fate->guessed)
            printf(
                "  The %s key comes back from a copy; nothing here tells whether clients know it\n",
                label);
        guessed += fate->guessed;
        if (fate->origin == ORIGIN_RESTORED && !key->lost) {
            print_previous(label, fate);
            previous++;
        }
        if (fate->origin != ORIGIN_GENERATED)
            continue;
        printf("  The %s key becomes a new one", label);
        if (fate->old_fingerprint)
            printf("; the old one was\n    %s", fate->old_fingerprint);
        fputs("\n", stdout);
        if (fate->lost_cert) {
            fputs("  Its certificate does not fit any more; have the new key signed: ", stdout);
            put_clean(fate->lost_cert);
            fputs("\n", stdout);
        }
    }
    if (new_identities(plan))
        fputs("  Clients that know an old one will see REMOTE HOST IDENTIFICATION HAS CHANGED.\n",
              stdout);
    else if (!guessed && !previous && !any_key_stays_changed(report))
        fputs("  Clients notice nothing: every identity is kept.\n", stdout);
}

void report_authorize(const struct report *report, const char *user,
                      const struct report_style *style)
{
    auto_free char *clean = text_clean(user), *target = report_target(&report->system);

    if (style->quiet)
        return;
    put_header(report, style);
    if (!report->run) {
        printf("This key is let in for %s already; nothing was changed.\n", clean);
        return;
    }
    print_changes(report->plan);
    printf("%sDone.%s The key is let in for %s.\n", tone_start(style, TONE_GOOD), tone_end(style),
           clean);
    if (problems(report, false))
        printf("There is more in the way of a login: sshmend check %s\n", target);
    printf("To take it back: sshmend undo %s --run %s\n", target, report->run);
}

void report_plan(const struct report *report, const struct report_style *style)
{
    printf("%sWhat will change%s\n", tone_start(style, TONE_BOLD), tone_end(style));
    print_changes(report->plan);
    print_diffs(report->plan, style);
    if (strcmp(report->command, "authorize") == 0)
        return;
    printf("%sWhat clients will notice%s\n", tone_start(style, TONE_BOLD), tone_end(style));
    print_what_clients_see(report);
}

/* ---- after a repair ------------------------------------------------------------------- */

static void print_fates(const struct report *report)
{
    const struct plan *plan = report->plan;
    const char **notes = xcalloc(report->facts->key_count + 1, sizeof *notes);

    for (size_t i = 0; i < plan->fate_count && i < report->facts->key_count; i++)
        if (host_key_serves(&report->facts->keys[i]))
            notes[i] = key_origin_name(plan->fates[i].origin);
    put_keys(report->facts, notes);
    free(notes);
    for (size_t i = 0; i < plan->fate_count; i++) {
        if (plan->fates[i].origin == ORIGIN_RESTORED)
            put_copy(plan->fates[i].copy, "is back");
    }
}

static void print_next(const struct report *report)
{
    auto_free char *target = report_target(&report->system);

    if (new_identities(report->plan))
        printf("For the clients: ssh-keygen -R HOST, and the new lines from "
               "sshmend keys %s --known-hosts HOST\n",
               target);
    printf("To take it back: sshmend undo %s --run %s\n", target, report->run);
}

void report_repair(const struct report *report, const struct report_style *style)
{
    if (style->quiet)
        return;
    put_header(report, style);
    fputs("\n", stdout);
    print_findings(report->findings, style, report->seen);
    if (report->findings->count && !(report->seen && problems(report, false) == 0))
        fputs("\n", stdout);
    if (!report->run) {
        if (put_lost_keys(report))
            return;
        put_offer(report);
        fputs(problems(report, false)
                  ? "Nothing was changed: what is left is for a human to decide, or was skipped.\n"
                  : "Nothing to mend.\n",
              stdout);
        return;
    }
    print_fates(report);
    fputs("\n", stdout);
    if (problems(report, false) == 0)
        printf("%sMended.%s %zu changes; the disk was looked at again: sshd will come up.\n",
               tone_start(style, TONE_GOOD), tone_end(style), report->plan->change_count);
    else
        printf("%sMended in part.%s %zu changes; the problems above are left.\n",
               tone_start(style, TONE_WARN), tone_end(style), report->plan->change_count);
    print_next(report);
    if (any_key_stays_changed(report)) {
        fputs("\n", stdout);
        put_offer(report);
    }
}
