/* SPDX-License-Identifier: MIT */
/* Lost keys that came back, or can. Public parts alone are ever shown. */
#include "report/style.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>

void put_copy(const struct key_copy *copy, const char *verb)
{
    auto_free char *fingerprint = pubkey_fingerprint(&copy->judgement.pub);

    printf("  The %s key %s: %s\n    from ", pubkey_label(&copy->judgement.pub), verb, fingerprint);
    put_clean(copy->path);
    if (copy->vouched_by) {
        fputs("; vouched for by ", stdout);
        put_clean(copy->vouched_by);
    }
    fputs("\n", stdout);
}

/* Why there may be more. */
static void put_search(const struct carving *carving)
{
    if (carving->cancelled)
        fputs("  The search of the bare disk was cancelled: there may be more.\n", stdout);
    if (carving->bytes_failed)
        printf("  %llu bytes of the disk could not be read.\n",
               (unsigned long long)carving->bytes_failed);
}

/* What else there is to say, once the keys themselves are named. */
static void put_advice(size_t back, size_t weak, size_t held)
{
    if (back)
        fputs("  The next write to this disk may destroy what is left: mend it before anything "
              "else.\n",
              stdout);
    if (held)
        fputs("  Nothing was changed, since a write could destroy it, and nobody has agreed: only "
              "this\n"
              "  disk vouches for it. --recover=always takes its word, --fingerprint or "
              "--known-hosts\n"
              "  give a better one, and --recover=never makes a new key.\n",
              stdout);
    else if (weak)
        fputs(
            "  Only this disk vouches for a key above: compare its fingerprint with what clients\n"
            "  know, before you agree. With --yes alone, nothing would be changed.\n",
            stdout);
    if (back)
        fputs("\n", stdout);
}

bool put_lost_keys(const struct report *report)
{
    const struct plan *plan = report->plan;
    size_t back = 0, weak = 0, held = 0;

    for (size_t i = 0; plan && i < plan->fate_count; i++) {
        const struct key_fate *fate = &plan->fates[i];

        if (!fate->copy || !fate->copy->carved)
            continue;
        put_copy(fate->copy, "can be brought back");
        back++;
        weak += !evidence_vouches(fate->copy->source);
        held += fate->held;
    }
    put_search(&report->facts->carving);
    put_advice(back, weak, held);
    return held > 0;
}

/* A key that serves, and is not what clients know, and stays. */
static bool stays_changed(const struct report *report, size_t index)
{
    const struct finding *finding = &report->findings->items[index];

    return finding->check->remedy == REMEDY_PREVIOUS && finding->outcome != OUTCOME_MENDED &&
           !(report->plan && index < report->plan->finding_count && report->plan->covers[index]);
}

bool any_key_stays_changed(const struct report *report)
{
    for (size_t i = 0; report->findings && i < report->findings->count; i++)
        if (stays_changed(report, i))
            return true;
    return false;
}

void put_offer(const struct report *report)
{
    auto_free char *target = report_target(&report->system);

    if (!any_key_stays_changed(report))
        return;
    if (report->system.fs)
        printf("  The previous identity can be restored as far as its keys are still on the disk:\n"
               "  sshmend recover %s, or repair with --recover=always, and the same --known-hosts\n"
               "  or --fingerprint. That is never done by itself.\n\n",
               target);
    else
        fputs("  The previous identity may still be on the disk, but a mounted tree cannot be "
              "searched:\n"
              "  unmount it, and give the disk or the image to sshmend recover.\n\n",
              stdout);
}

static void put_copies(const struct inspection *facts, struct libscols_table *table)
{
    for (size_t i = 0; i < facts->key_count; i++)
        for (size_t n = 0; n < facts->keys[i].copy_count; n++) {
            const struct key_copy *copy = &facts->keys[i].copies[n];
            auto_free char *fingerprint = pubkey_fingerprint(&copy->judgement.pub);
            const char *cells[] = { pubkey_label(&copy->judgement.pub), fingerprint, "whole",
                                    copy->path, copy->vouched_by };

            table_row(table, cells);
        }
}

static void put_strangers(const struct carving *carving, struct libscols_table *table)
{
    for (size_t i = 0; i < carving->stranger_count; i++) {
        const struct stranger *stranger = &carving->strangers[i];
        auto_free char *fingerprint = pubkey_fingerprint(&stranger->pub);
        const char *cells[] = { pubkey_label(&stranger->pub), fingerprint, stranger->state,
                                stranger->place, NULL };

        table_row(table, cells);
    }
}

void report_recoverable(const struct report *report, const struct report_style *style)
{
    static const char *const columns[] = { "TYPE",  "FINGERPRINT",    "STATE",
                                           "WHERE", "VOUCHED FOR BY", NULL };
    struct libscols_table *table = table_new(columns);

    put_header(report, style);
    fputs("\n", stdout);
    put_copies(report->facts, table);
    put_strangers(&report->facts->carving, table);
    table_print(table, "  ");
    put_search(&report->facts->carving);
}

void report_recover(const struct report *report, const struct report_style *style)
{
    const struct plan *plan = report->plan;
    auto_free char *target = report_target(&report->system);

    if (style->quiet)
        return;
    put_header(report, style);
    fputs("\n", stdout);
    for (size_t i = 0; report->run && i < plan->fate_count; i++)
        if (plan->fates[i].origin == ORIGIN_RESTORED)
            put_copy(plan->fates[i].copy, "is back");
    for (size_t i = 0; i < report->facts->key_count; i++) {
        const struct host_key *key = &report->facts->keys[i];

        if (!key->lost)
            continue;
        printf("  The %s key is still lost: ", key->type ? key_type_label(key->type) : "host");
        fputs(i < plan->fate_count && plan->fates[i].held
                  ? "only this disk vouches for what was found (--fingerprint, --known-hosts)\n"
                  : "nothing that was found is known to be it (--list shows all)\n",
              stdout);
    }
    put_search(&report->facts->carving);
    if (report->run)
        printf("%sDone.%s To take it back: sshmend undo %s --run %s\n",
               tone_start(style, TONE_GOOD), tone_end(style), target, report->run);
    else if (any_key_stays_changed(report))
        fputs("What clients know was not found; nothing was changed.\n", stdout);
    else if (!any_key_lost(report->facts))
        fputs("No host key is lost; nothing was changed.\n", stdout);
    else
        fputs("Nothing was changed.\n", stdout);
}
