/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* What has just been let go of, or is being probed by udev, may still be busy for a moment. */
enum { BUSY_ATTEMPTS = 20, BUSY_PAUSE_NS = 50 * 1000 * 1000 };

/* A system that wakes up trusts what it remembers of its file systems, not what is on them. */
int system_may_change(const struct system *system, struct err *e)
{
    const struct volume *asleep = disk_hibernated(system->disk);

    if (system->apart)
        return err_set(e, ERR_UNSUPPORTED,
                       "the system has parts on other file systems, which takes mounting: as root, "
                       "with --access=mount");
    if (!asleep)
        return system->volume && !system->restore_superblock ? root_may_write(system->volume, e)
                                                             : 0;
    return err_set(
        e, ERR_REFUSED,
        "the system is hibernated, its memory is in %s: it would destroy what is changed "
        "now when it wakes up; start it and shut it down, or give its memory up with: "
        "mkswap -U %s on that volume",
        asleep->name, asleep->uuid ? asleep->uuid : "UUID");
}

/* "/ostree/deploy/OS/deploy/COMMIT.0": the var beside that deploy is mounted on its /var. */
static int attach_var(const struct system *system, const struct root *top, struct root *root,
                      struct err *e)
{
    auto_root struct root *part = NULL;
    const char *end = strstr(system->deployment + strlen("/ostree/deploy/"), "/deploy/");
    auto_free char *var =
        xasprintf("%.*s/var", (int)(end - system->deployment), system->deployment);

    if (root_open_within(top, var, &part, e) < 0)
        return -1;
    return root_attach(root, "/var", &part, e);
}

static int open_root(const struct system *system, enum root_access access, struct root **ret,
                     struct err *e)
{
    auto_root struct root *root = NULL, *top = NULL;

    if (!system->volume)
        return root_open_directory(system->disk->path, access, ret, e);
    if (root_open_volume(system->disk, system->volume, system->subvolume, system->way, access,
                         &root, e) < 0)
        return -1;
    if (system->deployment) {
        top = take_ptr(root);
        if (root_open_within(top, system->deployment, &root, e) < 0 ||
            attach_var(system, top, root, e) < 0)
            return -1;
    }
    *ret = take_ptr(root);
    return 0;
}

/* Of the disk's own list, where what is known of it changes. */
static int restore_superblock(const struct system *system, struct err *e)
{
    struct volume *volume = &system->disk->volumes[system->volume - system->disk->volumes];

    return root_restore_superblock(system->disk, volume, e);
}

int system_open(struct system *system, enum root_access access, struct root **ret, struct err *e)
{
    auto_root struct root *root = NULL;

    if (access == ROOT_WRITE && system_may_change(system, e) < 0)
        return -1;
    if (access == ROOT_WRITE && system->volume && system->volume->backup &&
        restore_superblock(system, e) < 0)
        return -1;
    if (access == ROOT_READ && system->root) {
        root = take_ptr(system->root);
    } else {
        if (open_root(system, access, &root, e) < 0)
            return -1;
        if (system->volume)
            attach_beneath(system, access, root);
    }
    if (system->absent_vital)
        return err_set(e, ERR_UNSUPPORTED, "%s", system->absent);
    *ret = take_ptr(root);
    return 0;
}

void system_warn_before(const struct system *system, const struct options *options)
{
    if (!options->style.quiet && system->volume && system->volume->backup &&
        system->restore_superblock)
        say("%s: first, e2fsck puts the superblock back and mends what it can without asking; undo "
            "does not take that back",
            system->name);
}

void system_warn(const struct system *system, const struct root *root,
                 const struct options *options)
{
    struct root_facts facts;

    if (!options->style.quiet && root_facts(root, &facts, NULL) == 0 && facts.unjournaled)
        say("%s: this file system has no journal; after a power cut in the next moment it has to "
            "be checked with: e2fsck -f",
            system->name);
}

static int hold(struct disk *disk, bool exclusive, struct err *e)
{
    const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
    int result = device_hold(disk, exclusive, e);

    for (int attempt = 0; result < 0 && e->kind == ERR_IN_USE && !disk->in_use; attempt++) {
        if (attempt == BUSY_ATTEMPTS)
            break;
        nanosleep(&pause, NULL);
        result = device_hold(disk, exclusive, e);
    }
    return result;
}

/* ---- finding -------------------------------------------------------------------------- */

static const char *keep_text(struct systems *systems, char *text)
{
    array_push(systems->texts, systems->text_count, text);
    return text;
}

static void add_row(struct systems *systems, const struct disk *disk, const struct volume *volume,
                    const char *problem)
{
    struct scan_row row = { .disk = disk,
                            .volume = volume,
                            .name = volume ? volume->name : disk->path,
                            .problem = problem };

    array_push(systems->rows, systems->row_count, row);
}

static void add_system(struct systems *systems, const struct system *found, struct root *root)
{
    struct system system = *found;
    const char *inside = system.subvolume ? system.subvolume : system.deployment;
    const char *separator = system.subvolume    ? ", subvolume "
                            : system.deployment ? ", directory "
                                                : "";

    system.number = (int)systems->count + 1;
    system.disks = systems->disks;
    system.disk_count = systems->disk_count;
    if (system.volume)
        attach_beneath(&system, ROOT_READ, root);
    system.root = root;
    os_inspect(root, &system.os);
    if (!system.volume) {
        system.name = xstrdup(system.disk->path);
        system.path = xstrdup("directory");
    } else {
        system.name = xasprintf("%s%s%s", system.volume->name, separator, inside ? inside : "");
        system.path = xasprintf("%s%s%s", system.volume->path, separator, inside ? inside : "");
    }
    array_push(systems->items, systems->count, system);
    add_row(systems, system.disk, system.volume, NULL);
    systems->rows[systems->row_count - 1].number = system.number;
}

/*
 * ostree keeps whole systems as directories, and takes the one to boot from the boot loader's
 * entry: each is offered, with the /var that they share.
 */
static bool try_deployments(struct systems *systems, struct system *candidate, struct root *top,
                            const char **ret_problem)
{
    auto_with(text_list_free) char **paths = NULL;
    bool found = false;

    if (root_glob(top, "/ostree/deploy/*/deploy/*.[0-9]*", &paths, NULL) < 0)
        return false;
    for (char **path = paths; *path; path++) {
        auto_root struct root *root = NULL;
        struct err e = { 0 };

        if (text_ends(*path, ".origin"))
            continue;
        if (root_open_within(top, *path, &root, &e) < 0 && !root_is_mounted(top))
            *ret_problem = keep_text(systems, xasprintf("a deployment of ostree: %s", e.text));
        if (!root || !root_is_linux(root))
            continue;
        candidate->deployment = keep_text(systems, xstrdup(*path));
        if (attach_var(candidate, top, root, NULL) < 0)
            continue;
        add_system(systems, candidate, take_ptr(root));
        found = true;
    }
    candidate->deployment = NULL;
    return found;
}

/* Its root is a snap; what can be written is in one directory of a partition of its own. */
static bool is_ubuntu_core(const struct root *top)
{
    return root_exists(top, "/system-data/etc") && root_exists(top, "/system-data/var/lib/snapd");
}

/* True where there is a system; an error is kept for the scan's table. */
static bool try_system(struct systems *systems, struct system *candidate, const char **ret_problem)
{
    auto_root struct root *root = NULL;
    struct err e = { 0 };

    if (open_root(candidate, ROOT_READ, &root, &e) < 0) {
        *ret_problem = keep_text(systems, xstrdup(e.text));
        return false;
    }
    if (is_ubuntu_core(root))
        *ret_problem = "Ubuntu Core, which is put together at boot: its host keys are in "
                       "system-data/etc/ssh, and have to be mended by hand";
    if (!root_is_linux(root))
        return try_deployments(systems, candidate, root, ret_problem);
    add_system(systems, candidate, take_ptr(root));
    return true;
}

/* The name of a subvolume as fstab may have it: "/@". */
static const char *plain_name(const char *name)
{
    return name + (*name == '/');
}

/* A snapshot of a root is no system: its own fstab still calls the root by its name. */
static bool is_snapshot(const struct root *top, const struct root *root, const char *name)
{
    auto_with(fstab_free) struct fstab fstab = { 0 };
    bool snapshot = false;

    fstab_inspect(root, &fstab);
    for (size_t i = 0; i < fstab.count; i++) {
        const char *own = fstab.entries[i].subvolume;
        auto_free char *etc = own ? xasprintf("/%s/etc", plain_name(own)) : NULL;

        if (etc && strcmp(fstab.entries[i].directory, "/") == 0 &&
            strcmp(plain_name(own), name) != 0)
            snapshot = root_exists(top, etc);
    }
    return snapshot;
}

/* One name at the top of a btrfs: a subvolume with a system in it, or something else. */
static bool try_subvolume(struct systems *systems, struct system *candidate, const struct root *top,
                          const char *name)
{
    auto_root struct root *root = NULL;
    auto_free char *etc = xasprintf("/%s/etc", name);

    if (!root_exists(top, etc) || root_open_subvolume(top, name, ROOT_READ, &root, NULL) < 0 ||
        !root_is_linux(root) || is_snapshot(top, root, name))
        return false;
    candidate->subvolume = keep_text(systems, xstrdup(name));
    add_system(systems, candidate, take_ptr(root));
    return true;
}

/* Installers make "@", "@rootfs", "root"; people, whatever they like. */
static bool try_subvolumes(struct systems *systems, struct system *candidate)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    auto_root struct root *top = NULL;
    bool found = false;

    candidate->subvolume = "/";
    if (open_root(candidate, ROOT_READ, &top, NULL) < 0 || root_list(top, "/", &entries, NULL) < 0)
        return false;
    for (const struct root_entry *entry = entries; entry->name; entry++)
        if (S_ISDIR(entry->type))
            found = try_subvolume(systems, candidate, top, entry->name) || found;
    return found;
}

/*
 * Two partitions may begin at the same place: what is there is one file system, and a repair by
 * the second would go by a look at what the first has changed since. NULL: no system is there yet.
 */
static const struct volume *seen_there(const struct systems *systems,
                                       const struct system *candidate)
{
    for (size_t i = 0; i < systems->count; i++)
        if (systems->items[i].disk == candidate->disk &&
            systems->items[i].volume->offset == candidate->volume->offset)
            return systems->items[i].volume;
    return NULL;
}

/* btrfs: the default subvolume, or where that holds no system, those beside it. */
static void try_volume(struct systems *systems, struct system *candidate)
{
    const struct volume *same = seen_there(systems, candidate);
    const char *problem = NULL;

    if (same)
        problem = keep_text(systems, xasprintf("begins where %s does", same->name));
    else if (candidate->volume->ambivalent)
        problem = "more than one file system signature: wipe the stale one with wipefs";
    else if (!root_can_open(candidate->volume->type))
        problem = candidate->volume->advice;
    else if (try_system(systems, candidate, &problem) ||
             (!problem && strcmp(candidate->volume->type, "btrfs") == 0 &&
              try_subvolumes(systems, candidate)))
        return;
    add_row(systems, candidate->disk, candidate->volume, problem);
}

static void try_volumes(struct systems *systems, struct system *candidate)
{
    struct disk *disk = candidate->disk;

    for (size_t i = 0; i < disk->count; i++) {
        candidate->volume = &disk->volumes[i];
        candidate->subvolume = NULL;
        /* The disk as a whole is of interest only where something lies on it. */
        if (!candidate->volume->whole || candidate->volume->type || candidate->volume->ambivalent ||
            (!disk->table && !disk->searched))
            try_volume(systems, candidate);
    }
}

/* All of them before any is looked into: a system may have parts on several. */
static void hold_all(struct systems *systems, bool exclusive)
{
    for (size_t i = 0; i < systems->disk_count; i++) {
        struct disk *disk = &systems->disks[i];
        struct err e = { 0 };

        if (disk->kind != DISK_DIRECTORY && hold(disk, exclusive, &e) < 0)
            add_row(systems, disk, NULL, keep_text(systems, xstrdup(e.text)));
    }
}

static void try_disk(struct systems *systems, size_t index, const struct options *options)
{
    struct disk *disk = &systems->disks[index];
    struct system candidate = { .target = systems->disk_targets[index],
                                .disk = disk,
                                .way = options->way,
                                .restore_superblock = options->backup_superblock };
    const char *problem = NULL;

    if (disk->kind == DISK_DIRECTORY) {
        if (!try_system(systems, &candidate, &problem))
            add_row(systems, disk, NULL, problem);
        return;
    }
    if (disk->held < 0)
        return;
    if (disk->table || disk->searched || disk->serial)
        add_row(systems, disk, NULL, NULL);
    try_volumes(systems, &candidate);
}

static int add_target(struct systems *systems, const char *target,
                      const struct image_source *source, bool exclusive, struct err *e)
{
    struct disk disk;
    size_t count = systems->disk_count;
    char *copy;

    if (device_open_image(target, source, exclusive, &disk, e) < 0)
        return -1;
    if (exclusive && disk.kind == DISK_DIRECTORY && root_may_change(target, e) < 0) {
        disk_free(&disk);
        return -1;
    }
    copy = xstrdup(target);
    array_push(systems->disk_targets, count, copy);
    array_push(systems->disks, systems->disk_count, disk);
    return 0;
}

/* serial: of the one that is meant; NULL: all of them. */
static int add_attached(struct systems *systems, const char *serial, struct err *e)
{
    struct disks disks;

    if (device_list(&disks, e) < 0)
        return -1;
    for (size_t i = 0; i < disks.count; i++) {
        size_t count = systems->disk_count;
        char *copy;

        if (serial && !disk_has_serial(&disks.items[i], serial)) {
            disk_free(&disks.items[i]);
            continue;
        }
        copy = xstrdup(disks.items[i].path);
        array_push(systems->disk_targets, count, copy);
        array_push(systems->disks, systems->disk_count, disks.items[i]);
    }
    free(disks.items); /* the disks themselves have moved */
    if (serial && systems->disk_count == 0)
        return err_set(e, ERR_NOT_FOUND,
                       "no disk with the serial %s is attached and free; sshmend scan shows those "
                       "there are",
                       serial);
    return 0;
}

int systems_find(const struct options *options, bool exclusive, struct systems *ret, struct err *e)
{
    auto_systems struct systems systems = { 0 };
    char *const *target = options->targets;

    if (!*target && add_attached(&systems, options->disk_serial, e) < 0)
        return -1;
    for (; *target; target++)
        if (add_target(&systems, *target, &options->source, exclusive, e) < 0)
            return -1;
    progress_start("looking at the disks");
    hold_all(&systems, exclusive);
    for (size_t i = 0; i < systems.disk_count; i++)
        try_disk(&systems, i, options);
    progress_stop();
    /* Rows point at systems only now that no more are added. */
    for (size_t i = 0; i < systems.row_count; i++)
        if (systems.rows[i].number) {
            const struct system *system = &systems.items[systems.rows[i].number - 1];

            systems.rows[i].os = &system->os;
            systems.rows[i].name = system->name;
        }
    *ret = systems;
    systems = (struct systems){ 0 };
    return 0;
}

void systems_introduce(struct systems *systems)
{
    for (size_t i = 0; i < systems->count; i++) {
        const struct system *system = &systems->items[i];
        struct peer peer;

        systems->items[i].among = systems;
        if (systems->count == 1 || !system->root)
            continue;
        peer_inspect(system->root, system->name, &peer);
        array_push(systems->peers, systems->peer_count, peer);
    }
}

void system_free(struct system *system)
{
    root_drop(&system->root);
    free(system->name);
    free(system->path);
    forget_parts(system);
    os_free(&system->os);
}

void systems_free(struct systems *systems)
{
    for (size_t i = 0; i < systems->count; i++)
        system_free(&systems->items[i]);
    for (size_t i = 0; i < systems->disk_count; i++) {
        disk_free(&systems->disks[i]);
        free(systems->disk_targets[i]);
    }
    for (size_t i = 0; i < systems->text_count; i++)
        free(systems->texts[i]);
    for (size_t i = 0; i < systems->peer_count; i++)
        peer_free(&systems->peers[i]);
    free(systems->peers);
    free(systems->disk_targets);
    free(systems->disks);
    free(systems->items);
    free(systems->rows);
    free(systems->texts);
    *systems = (struct systems){ 0 };
}
