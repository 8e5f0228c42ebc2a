/* SPDX-License-Identifier: MIT */
/*
 * Lost keys on the bare disk. This comes first in time: the first write to the disk, the replay
 * of a journal or a new key may destroy what is left of an old one.
 */
#include "cli/systems.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"
#include "inspect/carve.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

enum { KNOWN_HOSTS_MAX = 16 * 1024 * 1024 };

/* ---- what the operator knows ---------------------------------------------------------- */

static int read_known_hosts(struct evidence_list *list, const char *path, struct err *e)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    auto_blob struct blob text = { 0 };

    if (fd < 0 || io_read_all(fd, KNOWN_HOSTS_MAX, &text) < 0)
        return err_errno(e, "%s", path);
    return evidence_add_known_hosts(list, (const char *)text.data, path, e);
}

int search_prepare(struct options *options, struct err *e)
{
    if (options->clients && read_known_hosts(&options->evidence, options->clients, e) < 0)
        return -1;
    if (options->fingerprint)
        return evidence_add_fingerprints(&options->evidence, options->fingerprint, e);
    return 0;
}

/* ---- how far it has come -------------------------------------------------------------- */

/* Nothing is shown before this; what ends earlier needs no bar. */
enum { SHOWN_AFTER = 2 };

struct watch {
    time_t start;
    bool shown;
};

static double in_units(uint64_t bytes, const char **ret_unit)
{
    static const char *const units[] = { "MB", "GB", "TB" };
    double amount = (double)bytes / 1e6;
    size_t unit = 0;

    while (amount >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
        amount /= 1000;
        unit++;
    }
    *ret_unit = units[unit];
    return amount;
}

static void show_bytes(const char *what, const struct recover_progress *now)
{
    const char *done_unit, *rate_unit;
    double done = in_units(now->done, &done_unit);
    double rate = in_units((uint64_t)now->rate, &rate_unit);
    double left = now->rate > 0 ? (double)(now->total - now->done) / now->rate : 0;

    progress_show("%s: %.0f %%, %.1f %s, %.0f %s/s, %.0f s left", what,
                  now->total ? 100.0 * (double)now->done / (double)now->total : 100.0, done,
                  done_unit, rate, rate_unit, left);
}

static bool show(void *context, const struct recover_progress *now)
{
    static const char *const what[] = {
        [RECOVER_SEARCHING_UNALLOCATED] = "searching the unallocated space for lost keys",
        [RECOVER_SEARCHING_ALLOCATED] = "searching the disk for lost keys",
        [RECOVER_JOINING] = "joining pieces of keys",
        [RECOVER_REBUILDING] = "rebuilding a damaged key",
    };
    struct watch *watch = context;

    if (time(NULL) - watch->start < SHOWN_AFTER)
        return true;
    watch->shown = true;
    if (now->stage == RECOVER_REBUILDING)
        progress_show("%s: %.0f %%", what[now->stage],
                      now->total ? 100.0 * (double)now->done / (double)now->total : 100.0);
    else
        show_bytes(what[now->stage], now);
    return true;
}

/* ---- the search ----------------------------------------------------------------------- */

/* Of several file systems, the one that host keys are on: what was deleted was deleted there. */
static const struct system_part *part_with_keys(const struct system *system,
                                                const struct root *root)
{
    auto_free char *keys = NULL;
    const struct system_part *part = system->parts;

    if (root_find(root, "/etc/ssh", &keys, NULL, NULL) < 0)
        return part;
    for (size_t i = 1; i < system->part_count; i++)
        if (text_is_within(keys, system->parts[i].directory) &&
            strlen(system->parts[i].directory) > strlen(part->directory))
            part = &system->parts[i];
    return part;
}

int search_lost_keys(const struct system *system, const struct root *root,
                     const struct options *options, struct inspection *facts, struct err *e)
{
    struct watch watch = { .start = time(NULL) };
    const struct carve_options carve = { .given = &options->evidence,
                                         .unasked = options->search == SEARCH_ALWAYS ||
                                                    options->recover_only,
                                         .all = options->list,
                                         .progress = show,
                                         .context = &watch };
    const struct system_part *part;
    int result;

    /* A mounted tree is not a disk that could be searched. */
    if (!system->volume || options->search == SEARCH_NEVER || options->all_keys ||
        options->key_lines || !carve_wanted(facts, &carve))
        return 0;
    part = part_with_keys(system, root);
    result = carve_inspect(part->disk, part->volume, root, &carve, facts, e);
    if (watch.shown)
        progress_show("%s", "");
    return result;
}
