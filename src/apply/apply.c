/* SPDX-License-Identifier: MIT */
/*
 * Everything that can fail for lack of space, rights or sense happens before the
 * first visible change: new keys are made and proven, all files staged, the
 * manifest is on the disk. Then the entries are published one after the other.
 */
#include "apply/apply.h"

#include "apply/run.h"
#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

enum { MODE_BITS = 07777, SPARE_BLOCKS = 16, SPARE_INODES = 8 };

/* ---- what becomes an entry ------------------------------------------------------------ */

static int new_content(const struct plan *plan, const struct made_keys *made,
                       const struct change *change, struct blob *ret, struct err *e)
{
    const struct hostkey *key;

    if (change->new_key == NO_NEW_KEY) {
        *ret = blob_copy(change->content.data, change->content.len);
        return 0;
    }
    key = made->keys[change->new_key];
    if (change->public_half) {
        auto_free char *text = pubkey_file_text(hostkey_pub(key));

        *ret = blob_of_text(text);
        return 0;
    }
    return hostkey_serialise(key, plan->new_keys[change->new_key].format, ret, e);
}

/* What a package or an administrator has attached to a file goes with its copy. */
static int copy_attributes(struct root *root, const char *from, const char *to, bool acl,
                           struct err *e)
{
    auto_with(text_list_free) char **names = NULL;

    if (root_list_xattrs(root, from, &names, e) < 0)
        return -1;
    for (char **name = names; *name; name++) {
        auto_blob struct blob value = { 0 };

        if (!text_starts(*name, "user.") && !(acl && strcmp(*name, "system.posix_acl_access") == 0))
            continue;
        if (root_get_xattr(root, from, *name, &value, e) < 0 ||
            root_set_xattr(root, to, *name, &value, e) < 0)
            return -1;
    }
    return 0;
}

static int stage(struct root *root, struct run *run, struct entry *entry,
                 const struct blob *content, const struct root_meta *meta, struct err *e)
{
    auto_free char *staged = run_staged(run, entry);

    if (root_create(root, staged, content, meta, e) < 0)
        return -1;
    return state_read(root, staged, &entry->new, e);
}

/* The same file to its owner: an edited text, or a copy. acl: what it had; NULL: none. */
static int stage_alike(struct root *root, struct run *run, struct entry *entry,
                       const struct blob *content, const struct root_meta *meta, const char *acl,
                       struct err *e)
{
    auto_free char *staged = run_staged(run, entry);
    /* The mask of a list stands in the mode: another mode is another list. */
    bool same_mode = (entry->old.mode & MODE_BITS) == meta->mode;

    if (root_create(root, staged, content, meta, e) < 0 ||
        copy_attributes(root, entry->path, staged, acl && same_mode, e) < 0)
        return -1;
    return state_read(root, staged, &entry->new, e);
}

static struct entry *add_entry(struct run *run, enum entry_kind kind, const char *path)
{
    struct entry entry = { .kind = kind, .path = xstrdup(path) };

    array_push(run->entries, run->count, entry);
    return &run->entries[run->count - 1];
}

static void forget_last(struct run *run)
{
    struct entry *entry = &run->entries[--run->count];

    free(entry->path);
    free(entry->folder);
    state_free(&entry->old);
    state_free(&entry->new);
}

/* What is there now; and where what changes places with it is staged. */
static int read_old(struct root *root, const struct run *run, struct entry *entry, struct err *e)
{
    if (entry->kind != ENTRY_META && run_place(root, run, entry, e) < 0)
        return -1;
    entry->existed = root_find_link(root, entry->path, NULL, NULL, NULL) == 0;
    return entry->existed ? state_read(root, entry->path, &entry->old, e) : 0;
}

static int add_write(struct root *root, struct run *run, const struct plan *plan,
                     const struct made_keys *made, const struct change *change, struct err *e)
{
    struct entry *entry = add_entry(run, ENTRY_FILE, change->path);
    auto_blob struct blob content = { 0 };

    if (read_old(root, run, entry, e) < 0 || entry_read_directory(root, entry, e) < 0 ||
        new_content(plan, made, change, &content, e) < 0)
        return -1;
    if (change->diff)
        return stage_alike(root, run, entry, &content, &change->meta, entry->old.acl, e);
    return stage(root, run, entry, &content, &change->meta, e);
}

static const struct root_meta plain_directory = { .mode = 0755 };

static bool is_planned(const struct run *run, const char *path)
{
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->entries[i].path, path) == 0)
            return true;
    return false;
}

static int add_directory(struct root *root, struct run *run, const char *path,
                         const struct root_meta *meta, struct err *e)
{
    struct entry *entry = add_entry(run, ENTRY_FILE, path);
    auto_free char *staged = NULL;

    if (run_place(root, run, entry, e) < 0 || entry_read_directory(root, entry, e) < 0)
        return -1;
    staged = run_staged(run, entry);
    if (root_mkdir(root, staged, meta, e) < 0)
        return -1;
    return state_read(root, staged, &entry->new, e);
}

/* The directories above a new file that are not there: a unit's .wants, say. */
static int add_parents(struct root *root, struct run *run, const char *path, struct err *e)
{
    auto_free char *directory = text_above(path);

    if (!*directory || is_planned(run, directory) ||
        root_find_link(root, directory, NULL, NULL, NULL) == 0)
        return 0;
    if (add_parents(root, run, directory, e) < 0)
        return -1;
    return add_directory(root, run, directory, &plain_directory, e);
}

static int add_link(struct root *root, struct run *run, const struct change *change, struct err *e)
{
    struct entry *entry = add_entry(run, ENTRY_FILE, change->path);
    auto_free char *staged = NULL;

    if (read_old(root, run, entry, e) < 0 || entry_read_directory(root, entry, e) < 0)
        return -1;
    staged = run_staged(run, entry);
    if (root_symlink(root, staged, change->target, &change->meta, e) < 0)
        return -1;
    return state_read(root, staged, &entry->new, e);
}

static int add_gone(struct root *root, struct run *run, const struct change *change, struct err *e)
{
    struct entry *entry = add_entry(run, ENTRY_GONE, change->path);

    if (read_old(root, run, entry, e) < 0)
        return -1;
    if (!entry->existed)
        return err_set(e, ERR_CHANGED, "%s is not there any more", change->path);
    return entry_read_directory(root, entry, e);
}

/* One more change to what a file will be. */
static void amend(struct entry_state *state, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_MODE:
        state->mode = (state->mode & S_IFMT) | change->mode;
        break;
    case CHANGE_OWNER:
        state->uid = change->uid;
        state->gid = change->gid;
        break;
    case CHANGE_LABEL:
        free(state->label);
        state->label = xstrdup(change->label);
        break;
    case CHANGE_DROP_ACL:
        free(state->acl);
        state->acl = NULL;
        break;
    case CHANGE_WRITE:
    case CHANGE_MKDIR:
    case CHANGE_SYMLINK:
    case CHANGE_REMOVE:
        break;
    }
}

static void copy_state(const struct entry_state *from, struct entry_state *to)
{
    *to = *from;
    to->digest = from->digest ? xstrdup(from->digest) : NULL;
    to->label = from->label ? xstrdup(from->label) : NULL;
    to->acl = from->acl ? xstrdup(from->acl) : NULL;
}

/* A file with several names may be somebody else's too: ours becomes a copy of its own. */
static int split_links(struct root *root, struct run *run, struct entry *entry, struct err *e)
{
    auto_blob struct blob content = { 0 };
    auto_with(state_free) struct entry_state wanted = entry->new;
    struct root_meta meta = {
        .mode = wanted.mode & MODE_BITS, .uid = wanted.uid, .gid = wanted.gid, .label = wanted.label
    };

    entry->new = (struct entry_state){ 0 };
    entry->kind = ENTRY_FILE;
    if (run_place(root, run, entry, e) < 0 || entry_read_directory(root, entry, e) < 0 ||
        root_read(root, entry->path, HOSTKEY_FILE_MAX, &content, e) < 0)
        return -1;
    return stage_alike(root, run, entry, &content, &meta, wanted.acl, e);
}

static bool is_meta(enum change_kind kind)
{
    return kind == CHANGE_MODE || kind == CHANGE_OWNER || kind == CHANGE_LABEL ||
           kind == CHANGE_DROP_ACL;
}

/* All metadata changes of one path are one entry; the plan has them in a row. */
static int add_meta(struct root *root, struct run *run, const struct plan *plan, size_t *at,
                    struct err *e)
{
    const struct change *change = &plan->changes[*at];
    struct entry *entry = add_entry(run, ENTRY_META, change->path);
    struct root_stat stat;

    if (read_old(root, run, entry, e) < 0 || root_find(root, entry->path, NULL, &stat, e) < 0)
        return -1;
    copy_state(&entry->old, &entry->new);
    for (; *at < plan->change_count; (*at)++) {
        change = &plan->changes[*at];
        if (!is_meta(change->kind) || strcmp(change->path, entry->path) != 0)
            break;
        amend(&entry->new, change);
    }
    if (!S_ISREG(stat.mode) || stat.links == 1)
        return 0;
    if (stat.size <= HOSTKEY_FILE_MAX)
        return split_links(root, run, entry, e);
    /* No copy of something that large: it is left, and the next look says so. */
    forget_last(run);
    return 0;
}

static int add_entries(struct root *root, struct run *run, const struct plan *plan,
                       const struct made_keys *made, struct err *e)
{
    size_t at = 0;

    while (at < plan->change_count) {
        const struct change *change = &plan->changes[at];
        int result = add_parents(root, run, change->path, e);

        if (result < 0)
            return -1;
        switch (change->kind) {
        case CHANGE_WRITE:
            result = add_write(root, run, plan, made, change, e);
            break;
        case CHANGE_MKDIR:
            result = add_directory(root, run, change->path, &change->meta, e);
            break;
        case CHANGE_SYMLINK:
            result = add_link(root, run, change, e);
            break;
        case CHANGE_REMOVE:
            result = add_gone(root, run, change, e);
            break;
        case CHANGE_MODE:
        case CHANGE_OWNER:
        case CHANGE_LABEL:
        case CHANGE_DROP_ACL:
            result = add_meta(root, run, plan, &at, e);
            at--; /* it has gone through all that are about this path */
            break;
        }
        if (result < 0)
            return -1;
        at++;
    }
    return 0;
}

/* ---- before --------------------------------------------------------------------------- */

/* One block and one inode for every file, and some for the folder and the manifest. */
static int check_space(const struct root *root, const struct plan *plan, struct err *e)
{
    struct root_facts facts;
    uint64_t files = plan->change_count + SPARE_INODES, bytes, content = 0;

    if (root_facts(root, &facts, e) < 0)
        return -1;
    if (facts.read_only)
        return err_set(e, ERR_READ_ONLY, "the file system cannot be written");
    for (size_t i = 0; i < plan->change_count; i++)
        content += plan->changes[i].content.len;
    bytes = (files + SPARE_BLOCKS) * (facts.block_size > 4096 ? facts.block_size : 4096) + content;
    if (facts.bytes_free < bytes)
        return err_set(e, ERR_NO_SPACE,
                       "no space left on the target: %llu KiB are free, %llu KiB are needed; "
                       "nothing was changed",
                       (unsigned long long)facts.bytes_free / 1024,
                       (unsigned long long)bytes / 1024);
    if (facts.inodes_free < files)
        return err_set(e, ERR_NO_SPACE, "no inodes left on the target; nothing was changed");
    return 0;
}

/* ---- the transaction ---------------------------------------------------------------------------
 */

static int publish_all(struct root *root, const struct run *run, struct err *e)
{
    for (size_t i = 0; i < run->count; i++)
        if (entry_publish(root, run, &run->entries[i], e) < 0)
            return err_prefix(e, "%s", run->entries[i].path);
    return 0;
}

static int transact(struct root *root, struct run *run, const struct plan *plan,
                    const struct made_keys *made, struct err *e)
{
    if (add_entries(root, run, plan, made, e) < 0 || run_write_manifest(root, run, e) < 0) {
        run_abandon(root, run);
        return err_prefix(e, "nothing was changed");
    }
    if (publish_all(root, run, e) == 0 && run_commit(root, run, e) == 0)
        return 0;
    if (run_take_back(root, run, NULL) == 0)
        return err_prefix(e, "everything was put back");
    return err_prefix(
        e, "not everything could be put back; the next repair, or undo --run %s, will", run->id);
}

/*
 * Where the runs are kept: as asked, else /var/lib/sshmend; where another file system
 * is mounted on /var, in /.sshmend, since names change places within one only.
 */
char *state_directory(const struct root *root, const char *wanted)
{
    static const char *const ways[] = { STATE_DIR, "/var/lib", "/var" };
    struct root_stat top, stat;

    if (wanted)
        return xstrdup(wanted);
    if (root_exists(root, STATE_DIR_ROOT))
        return xstrdup(STATE_DIR_ROOT);
    if (root_find(root, "/", NULL, &top, NULL) < 0)
        return xstrdup(STATE_DIR);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
        if (root_find(root, ways[i], NULL, &stat, NULL) == 0)
            return xstrdup(stat.device == top.device ? STATE_DIR : STATE_DIR_ROOT);
    return xstrdup(STATE_DIR);
}

int apply(struct root *root, const struct plan *plan, const struct made_keys *made,
          const struct apply_options *options, char **ret_run, struct err *e)
{
    auto_run struct run run = { 0 };
    auto_free char *state_dir = state_directory(root, options->state_dir);

    if (check_space(root, plan, e) < 0 ||
        run_create(root, state_dir, options->state_label, &run, e) < 0)
        return -1;
    if (transact(root, &run, plan, made, e) < 0)
        return -1;
    *ret_run = take_ptr(run.id);
    return 0;
}
