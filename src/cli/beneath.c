/* SPDX-License-Identifier: MIT */
/*
 * The other file systems of a system, put where its fstab has them. The fstab is a hint from
 * a disk that is broken: names are looked up among the disks that the operator gave, the
 * root's own first, and what is a system by itself is never taken for a part of another.
 */
#include "cli/systems.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what a name of fstab means ---------------------------------------------------------- */

struct place {
    struct disk *disk;
    const struct volume *volume;
};

static bool same(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool same_id(const char *a, const char *b)
{
    return a && strcasecmp(a, b) == 0;
}

static bool by_uuid(const struct volume *volume, const char *value)
{
    return same_id(volume->uuid, value);
}

static bool by_label(const struct volume *volume, const char *value)
{
    return same(volume->label, value);
}

static bool by_part_uuid(const struct volume *volume, const char *value)
{
    return same_id(volume->part_uuid, value);
}

static bool by_part_label(const struct volume *volume, const char *value)
{
    return same(volume->part_label, value);
}

static const struct name_kind {
    const char *prefix;
    bool (*fits)(const struct volume *volume, const char *value);
} name_kinds[] = {
    { "UUID=", by_uuid },
    { "LABEL=", by_label },
    { "PARTUUID=", by_part_uuid },
    { "PARTLABEL=", by_part_label },
    { "/dev/disk/by-uuid/", by_uuid },
    { "/dev/disk/by-label/", by_label },
    { "/dev/disk/by-partuuid/", by_part_uuid },
    { "/dev/disk/by-partlabel/", by_part_label },
};

static bool find_on(struct disk *disk, const struct name_kind *kind, const char *value,
                    struct place *ret)
{
    for (size_t i = 0; disk->held >= 0 && i < disk->count; i++) {
        if (root_can_open(disk->volumes[i].type) && kind->fits(&disk->volumes[i], value)) {
            *ret = (struct place){ disk, &disk->volumes[i] };
            return true;
        }
    }
    return false;
}

/* Where two other disks have it, one is a copy, and nobody knows which. */
static bool find_named(const struct system *system, const struct name_kind *kind, const char *value,
                       struct place *ret)
{
    size_t found = 0;

    if (find_on(system->disk, kind, value, ret))
        return true;
    for (size_t i = 0; i < system->disk_count; i++)
        found += &system->disks[i] != system->disk && find_on(&system->disks[i], kind, value, ret);
    return found == 1;
}

/* "/dev/vda3" is partition 3 of "/dev/vda", "/dev/nvme0n1p3" of "/dev/nvme0n1"; 0: neither. */
static int split_partition(const char *device, size_t *ret_len)
{
    size_t len = strlen(device), end = len;

    while (end > 0 && device[end - 1] >= '0' && device[end - 1] <= '9')
        end--;
    if (end == len || len - end > 3 || !text_starts(device, "/dev/") || strchr(device + 5, '/'))
        return 0;
    *ret_len = end > 6 && device[end - 1] == 'p' && device[end - 2] >= '0' && device[end - 2] <= '9'
                   ? end - 1
                   : end;
    return atoi(device + end);
}

/* The old name of the disk with the root on it: fstab's own, or the first there is. */
static bool is_own_disk(const struct fstab *fstab, const char *device, size_t len)
{
    static const char *const firsts[] = { "/dev/sda", "/dev/vda",     "/dev/xvda",
                                          "/dev/hda", "/dev/nvme0n1", "/dev/mmcblk0" };
    size_t own_len;

    for (size_t i = 0; i < fstab->count; i++)
        if (strcmp(fstab->entries[i].directory, "/") == 0 &&
            split_partition(fstab->entries[i].source, &own_len))
            return own_len == len && strncmp(fstab->entries[i].source, device, len) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(firsts); i++)
        if (strlen(firsts[i]) == len && strncmp(firsts[i], device, len) == 0)
            return true;
    return false;
}

static bool find_partition(const struct system *system, const struct fstab *fstab,
                           const char *device, struct place *ret)
{
    size_t len;
    int number = split_partition(device, &len);

    for (size_t i = 0; number && i < system->disk->count; i++) {
        const struct volume *volume = &system->disk->volumes[i];

        if (volume->partition == number && root_can_open(volume->type) &&
            is_own_disk(fstab, device, len)) {
            *ret = (struct place){ system->disk, volume };
            return true;
        }
    }
    return false;
}

/* device-mapper writes the volume "a-b" of the group "c-d" as "c--d-a--b". */
static char *mapper_name(const char *device)
{
    auto_free char *name = xcalloc(2 * strlen(device) + 1, 1);
    char *out = name;

    if (text_starts(device, "/dev/mapper/"))
        return xstrdup(device + strlen("/dev/mapper/"));
    if (!text_starts(device, "/dev/") || !strchr(device + 5, '/'))
        return NULL;
    for (device += 5; *device; device++) {
        if (*device == '-')
            *out++ = '-';
        *out++ = *device == '/' ? '-' : *device;
    }
    return take_ptr(name);
}

static bool find_mapped(const struct system *system, const char *device, struct place *ret)
{
    auto_free char *name = mapper_name(device);

    for (size_t i = 0; name && i < system->disk_count; i++) {
        struct disk *disk = &system->disks[i];

        if (disk->held >= 0 && same(disk->mapper, name) && disk->count &&
            root_can_open(disk->volumes[0].type)) {
            *ret = (struct place){ disk, &disk->volumes[0] };
            return true;
        }
    }
    return false;
}

static bool find_source(const struct system *system, const struct fstab *fstab, const char *source,
                        struct place *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(name_kinds); i++)
        if (text_starts(source, name_kinds[i].prefix))
            return find_named(system, &name_kinds[i], source + strlen(name_kinds[i].prefix), ret);
    return find_partition(system, fstab, source, ret) || find_mapped(system, source, ret);
}

/* ---- putting it there -------------------------------------------------------------------- */

struct part {
    const struct volume *volume;
    const struct root *root; /* attached; another subvolume is mounted beside it */
};

static const struct root *opened_before(const struct part *parts, size_t count,
                                        const struct volume *volume)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].volume == volume)
            return parts[i].root;
    return NULL;
}

static int open_part(const struct place *place, const struct root *before, const char *subvolume,
                     enum root_way way, enum root_access access, struct root **ret, struct err *e)
{
    auto_root struct root *root = NULL;
    struct root_facts facts;
    int result =
        before ? root_open_subvolume(before, subvolume, access, &root, e)
               : root_open_volume(place->disk, place->volume, subvolume, way, access, &root, e);

    if (result < 0)
        return -1;
    if (root_is_linux(root))
        return err_set(e, ERR_REFUSED, "%s is a system by itself", place->volume->name);
    if (root_facts(root, &facts, e) < 0)
        return -1;
    if (facts.errors)
        return err_set(e, ERR_REFUSED, "it says of itself that it has errors; check it first");
    *ret = take_ptr(root);
    return 0;
}

static bool is_within(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    return strncmp(path, directory, len) == 0 && (path[len] == '/' || !path[len]);
}

static bool is_empty(const struct root *root, const char *directory)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;

    return root_list(root, directory, &entries, NULL) < 0 || !entries->name ||
           (strcmp(entries->name, "lost+found") == 0 && !entries[1].name);
}

/* What sshd cannot do without, and what a login cannot; of the rest nobody needs to hear. */
static void note_absent(struct system *system, const struct root *root,
                        const struct fstab_entry *entry, const char *why)
{
    static const char *const for_login[] = { "/home", "/root", "/var" };
    bool vital = strcmp(entry->directory, "/usr") == 0 || is_within(entry->directory, "/etc");
    bool wanted = vital;

    for (size_t i = 0; i < ARRAY_SIZE(for_login); i++)
        wanted = wanted || strcmp(entry->directory, for_login[i]) == 0;
    if (!wanted || !is_empty(root, entry->directory) || (system->absent && !vital))
        return;
    free(system->absent);
    system->absent = xasprintf("%s is on another file system, %s, which %s", entry->directory,
                               entry->source, why ? why : "is not here; name its disk, too");
    system->absent_vital = vital;
}

void forget_parts(struct system *system)
{
    for (size_t i = 0; i < system->part_count; i++)
        free(system->parts[i].directory);
    free(system->parts);
    system->parts = NULL;
    system->part_count = 0;
    free(system->absent);
    system->absent = NULL;
    system->apart = false;
}

/*
 * Without mounting there is one file system. A /home that is elsewhere does not keep the rest from
 * being mended; but what sshd is made of does, and /var, where the runs are kept.
 */
static void note_apart(struct system *system, const struct root *root,
                       const struct fstab_entry *entry)
{
    static const char *const needed[] = { "/usr", "/etc", "/var" };

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        system->apart = system->apart || is_within(entry->directory, needed[i]);
    note_absent(system, root, entry,
                "cannot be used without mounting it (--access=mount, as root)");
}

static void attach(struct system *system, const struct fstab_entry *entry,
                   const struct place *place, struct part **parts, size_t *count,
                   enum root_access access, struct root *root)
{
    const struct root *before = opened_before(*parts, *count, place->volume);
    auto_root struct root *part = NULL;
    struct part opened = { .volume = place->volume };
    struct system_part kept = { .disk = place->disk, .volume = place->volume };
    auto_free char *directory = NULL;
    struct err e = { 0 };

    if (before && !entry->subvolume)
        return;
    if (open_part(place, before, entry->subvolume, system->way, access, &part, &e) == 0) {
        opened.root = part;
        if (root_find(root, entry->directory, &directory, NULL, &e) == 0 &&
            root_attach(root, entry->directory, &part, &e) == 0) {
            kept.directory = take_ptr(directory);
            array_push(system->parts, system->part_count, kept);
            array_push(*parts, *count, opened);
            place->disk->shared = place->disk->shared || place->disk != system->disk;
            return;
        }
    }
    if (!part && e.kind != ERR_NONE) {
        auto_free char *why = xasprintf("cannot be used: %s", e.text);

        note_absent(system, root, entry, why);
    }
}

void attach_beneath(struct system *system, enum root_access access, struct root *root)
{
    auto_with(fstab_free) struct fstab fstab = { 0 };
    struct part first = { .volume = system->volume, .root = root };
    struct part *parts = NULL;
    size_t count = 0;

    forget_parts(system);
    fstab_inspect(root, &fstab);
    array_push(parts, count, first);
    for (size_t i = 0; i < fstab.count; i++) {
        const struct fstab_entry *entry = &fstab.entries[i];
        struct place place;

        if (strcmp(entry->directory, "/") == 0 || is_within(entry->directory, "/boot"))
            continue;
        if (!find_source(system, &fstab, entry->source, &place))
            note_absent(system, root, entry, NULL);
        else if (!root_is_mounted(root))
            note_apart(system, root, entry);
        else
            attach(system, entry, &place, &parts, &count, access, root);
    }
    free(parts);
}
