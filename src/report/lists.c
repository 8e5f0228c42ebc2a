/* SPDX-License-Identifier: MIT */
/* The smaller reports for people: disks, runs, keys, explanations. */
#include "report/style.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>

void report_undo(const struct report *report, const struct run_summary *run)
{
    put_clean(report->system.device);
    printf(": run %s is undone. As it was before:\n", run->id);
    for (char **path = run->paths; *path; path++) {
        fputs("  ", stdout);
        put_clean(*path);
        fputs("\n", stdout);
    }
}

void report_runs(const struct run_summary *runs)
{
    static const char *const columns[] = { "RUN", "STATE", "FILES", NULL };
    struct libscols_table *table = table_new(columns);
    bool any = false;

    for (; runs->id; runs++) {
        size_t count = 0;
        auto_free char *files = NULL;

        while (runs->paths[count])
            count++;
        files = counted(count, "file");
        table_row(table, (const char *[]){ runs->id, runs->committed ? "complete" : "interrupted",
                                           files });
        any = true;
    }
    if (any)
        table_print(table, "");
    else {
        scols_unref_table(table);
        fputs("No runs: nothing has been changed by sshmend.\n", stdout);
    }
}

void report_keys(const struct report *report, const char *known_hosts, const char *sshfp)
{
    for (size_t i = 0; i < report->facts->key_count; i++) {
        const struct host_key *key = &report->facts->keys[i];
        const struct pubkey *pub = &key->judgement.pub;
        auto_free char *text = NULL;

        if (!key->used || !host_key_sound(key))
            continue;
        if (known_hosts)
            text = pubkey_known_hosts(pub, known_hosts);
        else if (sshfp)
            text = pubkey_sshfp(pub, sshfp);
        if (text)
            fputs(text, stdout);
    }
    if (!known_hosts && !sshfp)
        put_keys(report->facts, NULL);
}

void report_explain(const struct check *check)
{
    printf("%s: %s\n  severity %s, mended %s\n\n  %s\n", check->id, check->title,
           severity_name(check->severity),
           check->policy == POLICY_NEVER ? "by hand"
           : check->policy == POLICY_ASK ? "after consent; it may change the host's identity"
                                         : "after consent; nothing is lost",
           check->why);
}

/* ---- scan
 * ------------------------------------------------------------------------------------------------
 */

static char *size_text(uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    double value = (double)bytes / 1024;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units - 1) {
        value /= 1024;
        unit++;
    }
    return xasprintf(value < 10 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static char *disk_words(const struct disk *disk)
{
    auto_free char *more =
        disk->more ? xasprintf(", the first %d partitions alone", VOLUMES_MAX) : xstrdup("");

    return xasprintf("%s%s%s%s%s%s%s%s%s", disk->model ? disk->model : "",
                     disk->serial ? " serial " : "", disk->serial ? disk->serial : "",
                     disk->table ? " " : "", disk->table ? disk->table : "",
                     disk->searched ? " found without a partition table" : "", more,
                     disk->in_use ? " in use: " : "", disk->in_use ? disk->in_use : "");
}

void report_scan(const struct scan_row *rows, size_t count)
{
    static const char *const columns[] = { "#",    "NAME",  "SIZE",   "TYPE",
                                           "UUID", "LABEL", "SYSTEM", NULL };
    struct libscols_table *table = table_new(columns);

    for (size_t i = 0; i < count; i++) {
        const struct scan_row *row = &rows[i];
        const struct volume *volume = row->volume;
        auto_free char *number = row->number ? xasprintf("%d", row->number) : NULL;
        auto_free char *name = xasprintf("%s%s", volume && volume->offset ? "  " : "", row->name);
        auto_free char *size = NULL, *words = disk_words(row->disk);
        const char *what = row->os ? row->os->name : row->problem;

        if (row->disk->kind != DISK_DIRECTORY)
            size = size_text(volume ? volume->size : row->disk->size);
        if (!volume && !what)
            what = text_trim(words);
        table_row(table, (const char *[]){ number, name, size, volume ? volume->type : NULL,
                                           volume ? volume->uuid : NULL,
                                           volume ? volume->label : NULL, what });
    }
    table_print(table, "");
}
