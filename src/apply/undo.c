/* SPDX-License-Identifier: MIT */
#include "apply/apply.h"

#include "apply/run.h"
#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

void run_summary_free(struct run_summary *run)
{
    free(run->id);
    text_list_free(&run->paths);
    *run = (struct run_summary){ 0 };
}

void run_summaries_free(struct run_summary **runs)
{
    for (struct run_summary *run = *runs; run && run->id; run++)
        run_summary_free(run);
    free(*runs);
    *runs = NULL;
}

static void summarise(const struct run *run, struct run_summary *ret)
{
    size_t count = 0;

    *ret = (struct run_summary){ .id = xstrdup(run->id), .committed = run->committed };
    for (size_t i = 0; i < run->count; i++) {
        char *path = xstrdup(run->entries[i].path);

        array_push(ret->paths, count, path);
    }
    array_push(ret->paths, count, NULL);
}

int undo_list(const struct root *root, const char *state_dir, struct run_summary **ret,
              struct err *e)
{
    auto_with(text_list_free) char **ids = NULL;
    auto_free char *directory = state_directory(root, state_dir);
    struct run_summary *runs = NULL, end = { 0 };
    size_t count = 0;

    if (run_ids(root, directory, &ids, e) < 0)
        return -1;
    for (char **id = ids; *id; id++) {
        auto_run struct run run = { 0 };
        struct run_summary summary;

        if (run_load(root, directory, *id, &run, NULL) < 0)
            continue;
        summarise(&run, &summary);
        array_push(runs, count, summary);
    }
    array_push(runs, count, end);
    *ret = runs;
    return 0;
}

int run_take_back(struct root *root, struct run *run, struct err *e)
{
    bool left = false, changed;

    for (size_t i = run->count; i-- > 0;) {
        const struct entry *entry = &run->entries[i];

        if (entry_foreign(root, run, entry, &changed, e) < 0)
            return -1;
        if (changed || entry_backup_missing(root, run, entry))
            left = true;
        else if (entry_take_back(root, run, entry, e) < 0)
            return err_prefix(e, "put back %s", entry->path);
    }
    if (root_sync(root, e) < 0)
        return -1;
    /* The backup of what somebody has changed since is kept; the run is over all the same. */
    return left ? run_commit(root, run, e) : run_remove(root, run, e);
}

static int refuse_foreign(const struct root *root, const struct run *run, struct err *e)
{
    for (size_t i = 0; i < run->count; i++) {
        const char *path = run->entries[i].path;
        bool changed;

        if (entry_foreign(root, run, &run->entries[i], &changed, e) < 0)
            return err_prefix(e, "nothing was undone");
        if (changed)
            return err_set(e, ERR_CHANGED, "%s has been changed since run %s; nothing was undone",
                           path, run->id);
        if (entry_backup_missing(root, run, &run->entries[i]))
            return err_set(e, ERR_CHANGED, "the backup of %s in run %s is gone; nothing was undone",
                           path, run->id);
    }
    return 0;
}

static int newest(const struct root *root, const char *state_dir, char **ret, struct err *e)
{
    auto_with(run_summaries_free) struct run_summary *runs = NULL;
    const char *id = NULL;

    if (undo_list(root, state_dir, &runs, e) < 0)
        return -1;
    for (struct run_summary *run = runs; run->id; run++)
        id = run->id;
    if (!id)
        return err_set(e, ERR_NOT_FOUND, "there is nothing to undo: no run of sshmend is recorded");
    *ret = xstrdup(id);
    return 0;
}

int undo(struct root *root, const char *state_dir, const char *id, struct run_summary *ret,
         struct err *e)
{
    auto_run struct run run = { 0 };
    auto_free char *last = NULL, *directory = state_directory(root, state_dir);

    if (!id && newest(root, state_dir, &last, e) < 0)
        return -1;
    if (run_load(root, directory, id ? id : last, &run, e) < 0 || run_is_whole(root, &run, e) < 0 ||
        refuse_foreign(root, &run, e) < 0)
        return -1;
    summarise(&run, ret);
    if (run_uncommit(root, &run, e) < 0 || run_take_back(root, &run, e) < 0) {
        run_summary_free(ret);
        return -1;
    }
    return 0;
}

/* A folder without a manifest, and not committed: nothing had been changed yet. */
static int remove_debris(struct root *root, const char *directory, const char *id, struct err *e)
{
    auto_run struct run run = { .id = xstrdup(id) };
    auto_free char *path = xasprintf("%s/%s", directory, id), *committed = NULL;

    if (root_find(root, path, &run.folder, NULL, e) < 0)
        return -1;
    committed = run_path(&run, "COMMITTED");
    return root_exists(root, committed) ? 0 : run_remove(root, &run, e);
}

int roll_back_unfinished(struct root *root, const char *state_dir, struct err *e)
{
    auto_with(text_list_free) char **ids = NULL;
    auto_free char *directory = state_directory(root, state_dir);

    if (run_ids(root, directory, &ids, e) < 0)
        return -1;
    for (char **id = ids; *id; id++) {
        auto_run struct run run = { 0 };
        struct err why = { 0 };
        int result = 0;

        if (run_load(root, directory, *id, &run, &why) == 0)
            result = run.committed ||
                             (run_is_whole(root, &run, e) == 0 && run_take_back(root, &run, e) == 0)
                         ? 0
                         : -1;
        else if (why.kind == ERR_NOT_FOUND)
            result = remove_debris(root, directory, *id, e);
        if (result < 0)
            return err_prefix(e, "roll back the interrupted run %s", *id);
    }
    return 0;
}
