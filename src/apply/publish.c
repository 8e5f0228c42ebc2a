/* SPDX-License-Identifier: MIT */
/*
 * One entry, forth and back. Both directions can be done again after an
 * interruption at any point: what is there tells, by its inode, how far it got.
 */
#include "apply/run.h"

#include "base/alloc.h"
#include "base/text.h"

#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#define ACL "system.posix_acl_access"
#define LABEL "security.selinux"

/* chattr +i and +a forbid what we are about to do. */
enum { LOCKS = FS_IMMUTABLE_FL | FS_APPEND_FL };

static char *directory_of(const char *path)
{
    size_t len = (size_t)(text_base_name(path) - path);

    return xstrndup(path, len > 1 ? len - 1 : 1);
}

static int get_flags(const struct root *root, const char *path, unsigned *ret, struct err *e)
{
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    struct root_stat stat;

    if (root_describe(root, path, NULL, &stat, &attributes, e) < 0)
        return -1;
    *ret = attributes.flags;
    return 0;
}

int entry_read_directory(const struct root *root, struct entry *entry, struct err *e)
{
    auto_free char *directory = directory_of(entry->path);
    struct err why = { 0 };

    if (get_flags(root, directory, &entry->directory_flags, &why) == 0)
        return 0;
    if (why.kind == ERR_NOT_FOUND)
        return 0; /* it is made by an entry before this one */
    if (e)
        *e = why;
    return -1;
}

static int set_flags(struct root *root, const char *path, unsigned flags, struct err *e)
{
    unsigned now;

    if (get_flags(root, path, &now, e) < 0)
        return -1;
    return now == flags ? 0 : root_set_flags(root, path, flags, e);
}

static int swap_names(struct root *root, const struct entry *entry, const char *staged, bool back,
                      struct err *e)
{
    if (entry->existed)
        return root_exchange(root, staged, entry->path, e);
    return back ? root_rename(root, entry->path, staged, e)
                : root_rename(root, staged, entry->path, e);
}

/* The directory's own locks as they were, whatever an interruption has left of them. */
static int lock_directory(struct root *root, const struct entry *entry, struct err *e)
{
    auto_free char *directory = directory_of(entry->path);

    return entry->directory_flags & LOCKS ? set_flags(root, directory, entry->directory_flags, e)
                                          : 0;
}

/* One rename around the locks of the directory. */
static int move_unlocked(struct root *root, const struct entry *entry, const char *from,
                         const char *to, struct err *e)
{
    auto_free char *directory = directory_of(entry->path);
    int result;

    if ((entry->directory_flags & LOCKS) &&
        set_flags(root, directory, entry->directory_flags & ~(unsigned)LOCKS, e) < 0)
        return -1;
    result = root_rename(root, from, to, e);
    if (lock_directory(root, entry, result < 0 ? NULL : e) < 0)
        return -1;
    return result;
}

/* Moves a staged file in or out, around the locks of the directory. */
static int swap_unlocked(struct root *root, const struct entry *entry, const char *staged,
                         bool back, struct err *e)
{
    auto_free char *directory = directory_of(entry->path);
    int result;

    if ((entry->directory_flags & LOCKS) &&
        set_flags(root, directory, entry->directory_flags & ~(unsigned)LOCKS, e) < 0)
        return -1;
    result = swap_names(root, entry, staged, back, e);
    if (lock_directory(root, entry, result < 0 ? NULL : e) < 0)
        return -1;
    return result;
}

static bool has_flags(const struct entry_state *state)
{
    return S_ISREG(state->mode) && state->digest; /* regular files alone are ever locked by us */
}

static int publish_file(struct root *root, const struct run *run, const struct entry *entry,
                        struct err *e)
{
    auto_free char *staged = run_staged(run, entry);
    bool locked = entry->existed && has_flags(&entry->old) && (entry->old.flags & LOCKS);

    if (locked && set_flags(root, entry->path, entry->old.flags & ~(unsigned)LOCKS, e) < 0)
        return -1;
    if (swap_unlocked(root, entry, staged, false, e) < 0)
        return -1;
    return locked && has_flags(&entry->new)
               ? set_flags(root, entry->path, entry->new.flags | (entry->old.flags & LOCKS), e)
               : 0;
}

static int take_back_file(struct root *root, const struct run *run, const struct entry *entry,
                          struct err *e)
{
    auto_free char *staged = run_staged(run, entry);
    struct root_stat now;

    if (root_find_link(root, entry->path, NULL, &now, NULL) == 0 && now.inode == entry->new.inode) {
        unsigned flags;

        if (has_flags(&entry->new) &&
            (get_flags(root, entry->path, &flags, e) < 0 ||
             set_flags(root, entry->path, flags & ~(unsigned)LOCKS, e) < 0))
            return -1;
        if (swap_unlocked(root, entry, staged, true, e) < 0)
            return -1;
    }
    if (lock_directory(root, entry, e) < 0)
        return -1;
    if (!entry->existed || !has_flags(&entry->old))
        return 0;
    return set_flags(root, entry->path, entry->old.flags, e);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int set_xattr(struct root *root, const char *path, const char *name,
                     const struct blob *value, struct err *e)
{
    return value->data ? root_set_xattr(root, path, name, value, e)
                       : root_remove_xattr(root, path, name, e);
}

static int set_label(struct root *root, const char *path, const char *label, struct err *e)
{
    auto_blob struct blob value = { 0 };

    if (label) {
        value = blob_of_text(label);
        value.len++; /* the NUL is part of the attribute */
    }
    return set_xattr(root, path, LABEL, &value, e);
}

static int set_acl(struct root *root, const char *path, const char *hex, struct err *e)
{
    auto_blob struct blob value = { 0 };

    if (hex && !blob_from_hex(hex, &value))
        return err_set(e, ERR_REFUSED, "the manifest holds a damaged ACL of %s", path);
    return set_xattr(root, path, ACL, &value, e);
}

/*
 * The ACL first, since it shows in the mode; the mode before the owner, since a
 * key that root owns and others can read is refused; and after it, since chown
 * clears the set-id bits.
 */
static int dress(struct root *root, const char *path, const struct entry_state *from,
                 const struct entry_state *to, struct err *e)
{
    bool chown = from->uid != to->uid || from->gid != to->gid;
    bool chmod = chown || from->mode != to->mode || !same_text(from->acl, to->acl);

    if (!same_text(from->acl, to->acl) && set_acl(root, path, to->acl, e) < 0)
        return -1;
    if (chmod && root_set_mode(root, path, to->mode, e) < 0)
        return -1;
    if (chown && root_set_owner(root, path, to->uid, to->gid, e) < 0)
        return -1;
    if (chown && (to->mode & 06000) && root_set_mode(root, path, to->mode, e) < 0)
        return -1;
    return same_text(from->label, to->label) ? 0 : set_label(root, path, to->label, e);
}

static int change_meta(struct root *root, const struct entry *entry, bool back, struct err *e)
{
    const struct entry_state *to = back ? &entry->old : &entry->new;
    auto_with(state_free) struct entry_state now = { 0 };

    if (state_read(root, entry->path, &now, e) < 0 ||
        set_flags(root, entry->path, now.flags & ~(unsigned)LOCKS, e) < 0 ||
        dress(root, entry->path, &now, to, e) < 0)
        return -1;
    return set_flags(root, entry->path, entry->old.flags, e);
}

/* Out of the way, and back; the name it had is free in between. */
static int move_gone(struct root *root, const struct run *run, const struct entry *entry, bool back,
                     struct err *e)
{
    auto_free char *staged = run_staged(run, entry);
    bool locked = has_flags(&entry->old) && (entry->old.flags & LOCKS);
    bool there = root_find_link(root, entry->path, NULL, NULL, NULL) == 0;

    if (there == back)
        return 0; /* done before an interruption */
    if (!back && locked && set_flags(root, entry->path, entry->old.flags & ~(unsigned)LOCKS, e) < 0)
        return -1;
    if (move_unlocked(root, entry, back ? staged : entry->path, back ? entry->path : staged, e) < 0)
        return -1;
    return back && locked ? set_flags(root, entry->path, entry->old.flags, e) : 0;
}

int entry_publish(struct root *root, const struct run *run, const struct entry *entry,
                  struct err *e)
{
    switch (entry->kind) {
    case ENTRY_FILE:
        return publish_file(root, run, entry, e);
    case ENTRY_GONE:
        return move_gone(root, run, entry, false, e);
    case ENTRY_META:
        break;
    }
    return change_meta(root, entry, false, e);
}

int entry_take_back(struct root *root, const struct run *run, const struct entry *entry,
                    struct err *e)
{
    switch (entry->kind) {
    case ENTRY_FILE:
        return take_back_file(root, run, entry, e);
    case ENTRY_GONE:
        return move_gone(root, run, entry, true, e);
    case ENTRY_META:
        break;
    }
    return change_meta(root, entry, true, e);
}

/* Each of mode, owner, label and ACL is what it was or what it became. */
static bool meta_known(const struct entry_state *now, const struct entry *entry)
{
    const struct entry_state *old = &entry->old, *new = &entry->new;

    return (now->mode == old->mode || now->mode == new->mode) &&
           (now->uid == old->uid || now->uid == new->uid) &&
           (now->gid == old->gid || now->gid == new->gid) &&
           (same_text(now->label, old->label) || same_text(now->label, new->label)) &&
           (same_text(now->acl, old->acl) || same_text(now->acl, new->acl));
}

static bool same_state(const struct entry_state *a, const struct entry_state *b)
{
    return a->inode == b->inode && same_text(a->digest, b->digest) && a->mode == b->mode &&
           a->uid == b->uid && a->gid == b->gid && same_text(a->label, b->label) &&
           same_text(a->acl, b->acl);
}

static bool foreign(const struct entry_state *now, const struct entry *entry)
{
    if (entry->kind == ENTRY_META)
        return now->inode != entry->old.inode || !same_text(now->digest, entry->old.digest) ||
               !meta_known(now, entry);
    if (entry->existed && now->inode == entry->old.inode)
        return false; /* not published, or taken back already */
    if (entry->kind == ENTRY_GONE)
        return true; /* somebody has put something in its place */
    return !same_state(now, &entry->new);
}

static bool made_by(const struct run *run, const char *path)
{
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->entries[i].path, path) == 0)
            return true;
    return false;
}

/* A directory of our making in which somebody else has put something by now. */
static bool holds_foreign(const struct root *root, const struct run *run, const struct entry *entry)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;

    if (entry->kind != ENTRY_FILE || !S_ISDIR(entry->new.mode) ||
        root_list(root, entry->path, &entries, NULL) < 0)
        return false;
    for (const struct root_entry *inside = entries; inside->name; inside++) {
        auto_free char *path = xasprintf("%s/%s", entry->path, inside->name);

        if (!made_by(run, path))
            return true;
    }
    return false;
}

int entry_foreign(const struct root *root, const struct run *run, const struct entry *entry,
                  bool *ret, struct err *e)
{
    auto_with(state_free) struct entry_state now = { 0 };
    struct err why = { 0 };

    if (state_read(root, entry->path, &now, &why) == 0) {
        *ret = foreign(&now, entry) || holds_foreign(root, run, entry);
        return 0;
    }
    if (why.kind == ERR_NOT_FOUND) {
        *ret = entry->existed && entry->kind != ENTRY_GONE;
        return 0;
    }
    if (e)
        *e = why;
    return -1;
}

bool entry_backup_missing(const struct root *root, const struct run *run, const struct entry *entry)
{
    auto_free char *staged = run_staged(run, entry);
    struct root_stat now;

    if (entry->kind == ENTRY_GONE)
        return root_find_link(root, entry->path, NULL, NULL, NULL) < 0 &&
               root_find_link(root, staged, NULL, NULL, NULL) < 0;
    return entry->kind == ENTRY_FILE && entry->existed &&
           root_find_link(root, entry->path, NULL, &now, NULL) == 0 &&
           now.inode == entry->new.inode &&root_find_link(root, staged, NULL, NULL, NULL) < 0;
}
