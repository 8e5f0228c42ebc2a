/* SPDX-License-Identifier: MIT */
/* What a boot has shown, for people. */
#include "report/style.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <stdio.h>

static void add_key(struct libscols_table *table, const char *path, const struct pubkey *pub,
                    const char *what)
{
    auto_free char *fingerprint = pub->name ? pubkey_fingerprint(pub) : NULL;
    auto_free char *type =
        pub->name ? xasprintf("%s %d", pubkey_label(pub), pubkey_bits(pub)) : NULL;

    table_row(table, (const char *[]){ path, type, what, fingerprint });
}

static void put_served(const struct report *report)
{
    static const char *const columns[] = { "HOST KEY", "TYPE", "SERVED", "FINGERPRINT", NULL };
    struct libscols_table *table = table_new(columns);
    const struct proof *proof = report->proof;

    for (size_t i = 0; i < report->facts->key_count; i++) {
        const struct host_key *key = &report->facts->keys[i];

        if (key->used && key->exists)
            add_key(table, key->path, &key->judgement.pub, proof_misses(proof, key) ? "no" : "yes");
    }
    for (size_t i = 0; i < proof->served_count; i++)
        if (proof_is_new(report->facts, &proof->served[i]))
            add_key(table, "(not on the disk)", &proof->served[i], "yes");
    table_print(table, "  ");
}

static void put_console(const struct proof *proof)
{
    if (!proof->console || !proof->console[0]) {
        fputs("Nothing was said on the serial console.\n", stdout);
        return;
    }
    fputs("The last lines of its serial console:\n", stdout);
    for (char **line = proof->console; *line; line++) {
        fputs("  | ", stdout);
        put_clean(*line);
        fputs("\n", stdout);
    }
}

static bool any_new(const struct report *report)
{
    for (size_t i = 0; i < report->proof->served_count; i++)
        if (proof_is_new(report->facts, &report->proof->served[i]))
            return true;
    return false;
}

void report_prove(const struct report *report, const struct report_style *style)
{
    const struct proof *proof = report->proof;
    bool complete = proof_complete(proof, report->facts);

    put_clean(report->system.device);
    printf(": booted on a copy that is gone again%s\n\n", proof->boot == PROVE_UEFI   ? ", by UEFI"
                                                          : proof->boot == PROVE_BIOS ? ", by BIOS"
                                                                                      : "");
    put_served(report);
    fputs("\n", stdout);
    for (size_t i = 0; i < ARRAY_SIZE(proof->notes); i++)
        if (proof->notes[i])
            printf("Note: %s.\n", proof->notes[i]);
    fputs(tone_start(style, complete ? TONE_GOOD : proof_up(proof) ? TONE_WARN : TONE_BAD), stdout);
    if (complete)
        printf("Up: sshd serves its host keys %u seconds after power on.", proof->seconds);
    else if (proof_up(proof))
        fputs("Partly up: sshd does not serve every host key that is on the disk.", stdout);
    else
        printf("Not up: %s.", proof->problem);
    printf("%s\n", tone_end(style));
    if (any_new(report))
        fputs("The boot makes new host keys: clients that know this host will be warned.\n",
              stdout);
    if (!proof_up(proof))
        put_console(proof);
}
