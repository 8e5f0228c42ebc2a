/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <time.h>

/* What has just been let go of, or is being probed by udev, may still be busy for a moment. */
enum { BUSY_ATTEMPTS = 20, BUSY_PAUSE_NS = 50 * 1000 * 1000 };

/* A system that wakes up trusts what it remembers of its file systems, not what is on them. */
int system_may_change(const struct system *system, struct err *e)
{
    const struct volume *asleep = disk_hibernated(system->disk);

    if (!asleep)
        return 0;
    return err_set(
        e, ERR_REFUSED,
        "the system is hibernated, its memory is in %s: it would destroy what is changed "
        "now when it wakes up; start it and shut it down, or give its memory up with: "
        "mkswap -U %s on that volume",
        asleep->name, asleep->uuid ? asleep->uuid : "UUID");
}

static int open_root(const struct system *system, enum root_access access, struct root **ret,
                     struct err *e)
{
    if (!system->volume)
        return root_open_directory(system->disk->path, access, ret, e);
    return root_open_volume(system->disk, system->volume, system->subvolume, access, ret, e);
}

int system_open(struct system *system, enum root_access access, struct root **ret, struct err *e)
{
    auto_root struct root *root = NULL;

    if (access == ROOT_WRITE && system_may_change(system, e) < 0)
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
    const char *subvolume = system.subvolume;
    const char *separator = subvolume ? ", subvolume " : "";

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
        system.name =
            xasprintf("%s%s%s", system.volume->name, separator, subvolume ? subvolume : "");
        system.path =
            xasprintf("%s%s%s", system.volume->path, separator, subvolume ? subvolume : "");
    }
    array_push(systems->items, systems->count, system);
    add_row(systems, system.disk, system.volume, NULL);
    systems->rows[systems->row_count - 1].number = system.number;
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
    if (!root_is_linux(root))
        return false;
    add_system(systems, candidate, take_ptr(root));
    return true;
}

/* btrfs: the default subvolume, or where that is none, those that distributions use. */
static void try_volume(struct systems *systems, struct system *candidate)
{
    const char *problem = NULL, *ignored;
    bool found = false;

    if (candidate->volume->ambivalent) {
        problem = "more than one file system signature: wipe the stale one with wipefs";
    } else if (!root_can_open(candidate->volume->type)) {
        problem = candidate->volume->advice;
    } else if (try_system(systems, candidate, &problem)) {
        return;
    } else if (!problem && strcmp(candidate->volume->type, "btrfs") == 0) {
        for (size_t i = 0; root_subvolumes[i]; i++) {
            candidate->subvolume = root_subvolumes[i];
            found = try_system(systems, candidate, &ignored) || found;
        }
    }
    if (!found)
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

static void try_disk(struct systems *systems, size_t index)
{
    struct disk *disk = &systems->disks[index];
    struct system candidate = { .target = systems->disk_targets[index], .disk = disk };
    const char *problem = NULL;

    if (disk->kind == DISK_DIRECTORY) {
        if (!try_system(systems, &candidate, &problem))
            add_row(systems, disk, NULL, problem);
        return;
    }
    if (disk->held < 0)
        return;
    if (disk->table || disk->searched)
        add_row(systems, disk, NULL, NULL);
    try_volumes(systems, &candidate);
}

static int add_target(struct systems *systems, const char *target, bool exclusive, struct err *e)
{
    struct disk disk;
    size_t count = systems->disk_count;
    char *copy;

    if (device_open(target, &disk, e) < 0)
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

static int add_attached(struct systems *systems, struct err *e)
{
    struct disks disks;

    if (device_list(&disks, e) < 0)
        return -1;
    for (size_t i = 0; i < disks.count; i++) {
        size_t count = systems->disk_count;
        char *copy = xstrdup(disks.items[i].path);

        array_push(systems->disk_targets, count, copy);
        array_push(systems->disks, systems->disk_count, disks.items[i]);
    }
    free(disks.items); /* the disks themselves have moved */
    return 0;
}

int systems_find(char *const *targets, bool exclusive, struct systems *ret, struct err *e)
{
    auto_systems struct systems systems = { 0 };

    if (!*targets && add_attached(&systems, e) < 0)
        return -1;
    for (; *targets; targets++)
        if (add_target(&systems, *targets, exclusive, e) < 0)
            return -1;
    progress_start("looking at the disks");
    hold_all(&systems, exclusive);
    for (size_t i = 0; i < systems.disk_count; i++)
        try_disk(&systems, i);
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
    free(system->absent);
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
