/* SPDX-License-Identifier: MIT */
#include "apply/run.h"

#include "apply/manifest.h"
#include "base/alloc.h"
#include "base/text.h"
#include "hostkey/hostkey.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MANIFEST_MAX = 4 * 1024 * 1024 };

void state_free(struct entry_state *state)
{
    free(state->digest);
    free(state->label);
    free(state->acl);
    *state = (struct entry_state){ 0 };
}

void run_free(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        free(run->entries[i].path);
        free(run->entries[i].folder);
        state_free(&run->entries[i].old);
        state_free(&run->entries[i].new);
    }
    free(run->entries);
    free(run->id);
    free(run->folder);
    free(run->label);
    text_list_free(&run->made);
    *run = (struct run){ 0 };
}

char *run_path(const struct run *run, const char *name)
{
    return xasprintf("%s/%s", run->folder, name);
}

char *run_staged(const struct run *run, const struct entry *entry)
{
    return xasprintf("%s/%zu", entry->folder ? entry->folder : run->folder,
                     (size_t)(entry - run->entries));
}

static int read_link_digest(const struct root *root, const char *path, char **ret, struct err *e)
{
    auto_free char *target = NULL;
    auto_blob struct blob bytes = { 0 };

    if (root_readlink(root, path, &target, e) < 0)
        return -1;
    bytes = blob_of_text(target);
    *ret = digest_hex(&bytes);
    return 0;
}

static int read_digest(const struct root *root, const char *path, char **ret, struct err *e)
{
    auto_blob struct blob bytes = { 0 };

    if (root_read(root, path, HOSTKEY_FILE_MAX, &bytes, e) < 0)
        return -1;
    *ret = digest_hex(&bytes);
    return 0;
}

int state_read(const struct root *root, const char *path, struct entry_state *ret, struct err *e)
{
    auto_with(state_free) struct entry_state state = { 0 };
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    struct root_stat stat;

    if (root_find_link(root, path, NULL, &stat, e) < 0)
        return -1;
    if (!S_ISLNK(stat.mode) && root_describe(root, path, NULL, &stat, &attributes, e) < 0)
        return -1;
    state.inode = stat.inode;
    state.mode = stat.mode;
    state.uid = stat.uid;
    state.gid = stat.gid;
    state.flags = attributes.flags;
    state.label = take_ptr(attributes.label);
    state.acl = attributes.acl.data ? blob_to_hex(&attributes.acl) : NULL;
    /* Nobody's key or configuration is larger; what is, is told apart by its inode. */
    if (S_ISREG(stat.mode) && stat.size <= HOSTKEY_FILE_MAX &&
        read_digest(root, path, &state.digest, e) < 0)
        return -1;
    if (S_ISLNK(stat.mode) && read_link_digest(root, path, &state.digest, e) < 0)
        return -1;
    *ret = state;
    state = (struct entry_state){ 0 };
    return 0;
}

/* ---- the folder ----------------------------------------------------------------------- */

/* In the order of their making, down to a fraction of a second. */
static char *new_id(void)
{
    char when[32];
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now.tv_sec, &utc));
    return xasprintf("%s-%04lx", when, (unsigned long)now.tv_nsec >> 14);
}

static int make_one(struct root *root, struct run *run, const char *path,
                    const struct root_meta *meta, struct err *e)
{
    size_t count = 0;
    char *copy;

    if (root_mkdir(root, path, meta, e) < 0)
        return -1;
    while (run->made[count])
        count++;
    copy = xstrdup(path);
    array_push(run->made, count, copy);
    array_push(run->made, count, NULL);
    return 0;
}

/* Makes a directory, 0700, and all above it that are missing, 0755; notes those made. */
static int make_way(struct root *root, const char *path, const struct root_meta *meta,
                    struct run *run, char **ret_path, struct err *e)
{
    static const struct root_meta above_meta = { .mode = 0755 };
    auto_free char *above = xstrndup(path, (size_t)(text_base_name(path) - path));
    auto_free char *real_above = NULL, *real = NULL;
    struct root_stat stat;

    while (strlen(above) > 1 && text_ends(above, "/"))
        above[strlen(above) - 1] = '\0';
    if (root_find(root, path, ret_path, &stat, NULL) == 0)
        return S_ISDIR(stat.mode) ? 0 : err_set(e, ERR_REFUSED, "%s is not a directory", path);
    if (make_way(root, above, &above_meta, run, &real_above, e) < 0)
        return -1;
    real = xasprintf("%s/%s", strcmp(real_above, "/") == 0 ? "" : real_above, text_base_name(path));
    if (make_one(root, run, real, meta, e) < 0)
        return -1;
    *ret_path = take_ptr(real);
    return 0;
}

/* In the reverse order of their making; directories that somebody uses by now stay. */
static void remove_made(struct root *root, const struct run *run)
{
    size_t made = 0;

    while (run->made && run->made[made])
        made++;
    while (made-- > 0 && root_rmdir(root, run->made[made], NULL) == 0)
        ;
}

int run_create(struct root *root, const char *state_dir, const char *label, struct run *ret,
               struct err *e)
{
    auto_run struct run run = { .id = new_id(), .label = label ? xstrdup(label) : NULL };
    auto_free char *state = NULL;
    struct root_meta meta = { .mode = 0700, .label = label };

    run.made = xcalloc(1, sizeof *run.made);
    if (make_way(root, state_dir, &meta, &run, &state, e) < 0) {
        remove_made(root, &run);
        return err_prefix(e, "make room for the backup");
    }
    run.folder = xasprintf("%s/%s", strcmp(state, "/") == 0 ? "" : state, run.id);
    if (root_mkdir(root, run.folder, &meta, e) < 0) {
        remove_made(root, &run);
        return -1;
    }
    *ret = run;
    run = (struct run){ 0 };
    return 0;
}

static int create_private(struct root *root, const struct run *run, const char *name,
                          const struct blob *content, struct err *e)
{
    const struct root_meta meta = { .mode = 0600, .label = run->label };
    auto_free char *path = run_path(run, name);

    return root_create(root, path, content, &meta, e);
}

/*
 * Nothing is published before this flush, so a manifest that a power cut has torn
 * means that nothing was.
 */
int run_write_manifest(struct root *root, const struct run *run, struct err *e)
{
    auto_blob struct blob text = manifest_text(run);

    if (text.len == 0)
        return err_set(e, ERR_IO, "the manifest of run %s cannot be written down", run->id);
    return create_private(root, run, "MANIFEST", &text, e) < 0 ? -1 : root_sync(root, e);
}

int run_commit(struct root *root, struct run *run, struct err *e)
{
    static const struct blob nothing;

    /* The mark itself reaches the disk by root_close; without it the run is rolled back. */
    if (root_sync(root, e) < 0 || create_private(root, run, "COMMITTED", &nothing, e) < 0)
        return -1;
    run->committed = true;
    return 0;
}

int run_uncommit(struct root *root, struct run *run, struct err *e)
{
    auto_free char *path = run_path(run, "COMMITTED");

    if (!run->committed)
        return 0;
    if (root_unlink(root, path, e) < 0 || root_sync(root, e) < 0)
        return -1;
    run->committed = false;
    return 0;
}

/* "20261123T215300Z-1a2b": anything else in the directory is not ours. */
static bool is_id(const char *name)
{
    static const char shape[] = "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9]"
                                "[0-9]Z-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]";

    return fnmatch(shape, name, 0) == 0;
}

int run_ids(const struct root *root, const char *state_dir, char ***ret, struct err *e)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    char **ids = NULL;
    size_t count = 0;

    if (root_exists(root, state_dir) && root_list(root, state_dir, &entries, e) < 0)
        return -1;
    for (const struct root_entry *entry = entries; entry && entry->name; entry++) {
        char *id = S_ISDIR(entry->type) && is_id(entry->name) ? xstrdup(entry->name) : NULL;

        if (id)
            array_push(ids, count, id);
    }
    array_push(ids, count, NULL);
    *ret = ids;
    return 0;
}

int run_load(const struct root *root, const char *state_dir, const char *id, struct run *ret,
             struct err *e)
{
    auto_run struct run run = { .id = xstrdup(id) };
    auto_free char *path = xasprintf("%s/%s", state_dir, id), *manifest = NULL, *committed = NULL;
    auto_blob struct blob text = { 0 };

    if (strchr(id, '/') || *id == '.')
        return err_set(e, ERR_USAGE, "%s is not the ID of a run", id);
    if (root_find(root, path, &run.folder, NULL, e) < 0)
        return err_set(e, ERR_NOT_FOUND, "there is no run %s", id);
    manifest = run_path(&run, "MANIFEST");
    committed = run_path(&run, "COMMITTED");
    if (root_read(root, manifest, MANIFEST_MAX, &text, e) < 0 || manifest_parse(&text, &run, e) < 0)
        return -1;
    run.committed = root_exists(root, committed);
    *ret = run;
    run = (struct run){ 0 };
    return 0;
}

/* Our own directory, as soon as the last run has left it. */
static void remove_default(struct root *root, const struct run *run)
{
    static const char *const own[] = { STATE_DIR, STATE_DIR_ROOT };

    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        bool inside = text_starts(run->folder, own[i]) && run->folder[strlen(own[i])] == '/';
        int ignored = inside ? root_rmdir(root, own[i], NULL) : 0;

        (void)ignored;
    }
}

/* ---- other file systems ---------------------------------------------------------------
 *
 * Names change places within one file system, so what is changed on another one is staged
 * there, in /.sshmend/ID of its own. The manifest and the mark of the whole run stay in one
 * place: it is committed, or taken back, everywhere at once. A link in the run's folder leads
 * to each of the others, and is there before they are, so that nothing is forgotten.
 */

static const char elsewhere[] = "elsewhere-";

static int make_elsewhere(struct root *root, const struct run *run, const char *folder,
                          struct err *e)
{
    const struct root_meta meta = { .mode = 0700, .label = run->label };
    auto_free char *state = text_above(folder);
    auto_free char *link = NULL;
    size_t number = 0;

    do {
        free(link);
        link = xasprintf("%s/%s%zu", run->folder, elsewhere, number++);
    } while (root_find_link(root, link, NULL, NULL, NULL) == 0);
    if (root_symlink(root, link, folder, &meta, e) < 0 || root_sync(root, e) < 0)
        return -1;
    if (!root_exists(root, state) && root_mkdir(root, state, &meta, e) < 0)
        return -1;
    return root_mkdir(root, folder, &meta, e);
}

int run_place(struct root *root, const struct run *run, struct entry *entry, struct err *e)
{
    auto_free char *own = NULL, *top = NULL, *folder = NULL, *inside = NULL;

    inside = run_path(run, "x");
    if (root_top(root, inside, &own, e) < 0 || root_top(root, entry->path, &top, e) < 0)
        return -1;
    if (strcmp(own, top) == 0)
        return 0;
    folder = xasprintf("%s%s/%s", strcmp(top, "/") == 0 ? "" : top, STATE_DIR_ROOT, run->id);
    if (!root_exists(root, folder) && make_elsewhere(root, run, folder, e) < 0)
        return err_prefix(e, "make room for the backup on %s", top);
    entry->folder = take_ptr(folder);
    return 0;
}

int run_is_whole(const struct root *root, const struct run *run, struct err *e)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->entries[i].folder && !root_exists(root, run->entries[i].folder))
            return err_set(e, ERR_UNSUPPORTED,
                           "run %s changed %s, on a file system that is not here; name its disk, "
                           "too",
                           run->id, run->entries[i].path);
    return 0;
}

static int remove_one(struct root *root, const struct root_entry *entry, const char *path,
                      struct err *e)
{
    return S_ISDIR(entry->type) ? root_rmdir(root, path, e) : root_unlink(root, path, e);
}

static int empty_folder(struct root *root, const char *folder, struct err *e)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;

    if (root_list(root, folder, &entries, e) < 0)
        return -1;
    for (const struct root_entry *entry = entries; entry->name; entry++) {
        auto_free char *path = xasprintf("%s/%s", folder, entry->name);

        if (remove_one(root, entry, path, e) < 0)
            return -1;
    }
    return root_rmdir(root, folder, e);
}

/* What such a link leads to, and the link. It says what we wrote, or is not ours. */
static int remove_elsewhere(struct root *root, const struct run *run, const char *link,
                            struct err *e)
{
    auto_free char *ours = xasprintf("%s/%s", STATE_DIR_ROOT, run->id), *folder = NULL;
    auto_free char *state = NULL;
    int ignored;

    if (root_readlink(root, link, &folder, e) < 0)
        return -1;
    if (text_ends(folder, ours) && root_exists(root, folder)) {
        if (empty_folder(root, folder, e) < 0)
            return -1;
        state = text_above(folder);
        ignored = root_rmdir(root, state, NULL);
        (void)ignored;
    }
    return root_unlink(root, link, e);
}

static int remove_inside(struct root *root, const struct run *run, const struct root_entry *entry,
                         struct err *e)
{
    auto_free char *path = run_path(run, entry->name);

    if (S_ISLNK(entry->type) && text_starts(entry->name, elsewhere))
        return remove_elsewhere(root, run, path, e);
    return remove_one(root, entry, path, e);
}

int run_remove(struct root *root, const struct run *run, struct err *e)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    auto_free char *manifest = run_path(run, "MANIFEST");

    if (root_list(root, run->folder, &entries, e) < 0)
        return -1;
    for (const struct root_entry *entry = entries; entry->name; entry++)
        if (strcmp(entry->name, "MANIFEST") != 0 && remove_inside(root, run, entry, e) < 0)
            return -1;
    if (root_exists(root, manifest) && root_unlink(root, manifest, e) < 0)
        return -1;
    if (root_rmdir(root, run->folder, e) < 0)
        return -1;
    remove_made(root, run);
    remove_default(root, run);
    return root_sync(root, e);
}

void run_abandon(struct root *root, const struct run *run)
{
    int ignored = run_remove(root, run, NULL);

    (void)ignored;
}
