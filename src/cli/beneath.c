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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what a name of fstab means ---------------------------------------------------------- */

#define BY_ID "/dev/disk/by-id/"

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

/* Names that udev makes of a disk's serial, or of where it was plugged in. */
static bool is_link(const char *device)
{
    return text_starts(device, BY_ID) || text_starts(device, "/dev/disk/by-path/");
}

/* "/dev/disk/by-id/virtio-SERIAL-part3" is partition 3 of what stands before "-part"; 0: none. */
static int split_link(const char *device, size_t *ret_len)
{
    const char *end = NULL, *next = device;
    int number = 0, used = 0;

    while ((next = strstr(next, "-part")))
        end = next++;
    if (!end || sscanf(end, "-part%3d%n", &number, &used) != 1 || end[used] || number < 1)
        return 0;
    *ret_len = (size_t)(end - device);
    return number;
}

/* "/dev/vda3" is partition 3 of "/dev/vda", "/dev/nvme0n1p3" of "/dev/nvme0n1"; 0: neither. */
static int split_partition(const char *device, size_t *ret_len)
{
    size_t len = strlen(device), end = len;

    if (is_link(device))
        return split_link(device, ret_len);
    while (end > 0 && device[end - 1] >= '0' && device[end - 1] <= '9')
        end--;
    if (end == len || len - end > 3 || !text_starts(device, "/dev/") || strchr(device + 5, '/'))
        return 0;
    *ret_len = end > 6 && device[end - 1] == 'p' && device[end - 2] >= '0' && device[end - 2] <= '9'
                   ? end - 1
                   : end;
    return atoi(device + end);
}

/*
 * The old name of the disk with the root on it: fstab's own, or the first there is. Where a disk
 * was plugged in says nothing on another machine, but that the root was on the same one.
 */
static bool is_own_disk(const struct fstab *fstab, const char *device, size_t len)
{
    static const char *const firsts[] = { "/dev/sda", "/dev/vda",     "/dev/xvda",
                                          "/dev/hda", "/dev/nvme0n1", "/dev/mmcblk0" };
    size_t own_len;

    for (size_t i = 0; i < fstab->count; i++)
        if (strcmp(fstab->entries[i].directory, "/") == 0 &&
            is_link(fstab->entries[i].source) == is_link(device) &&
            split_partition(fstab->entries[i].source, &own_len))
            return own_len == len && strncmp(fstab->entries[i].source, device, len) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(firsts); i++)
        if (strlen(firsts[i]) == len && strncmp(firsts[i], device, len) == 0)
            return true;
    return false;
}

/* number: as in the partition table; 0: the disk as a whole. */
static bool find_numbered(struct disk *disk, int number, struct place *ret)
{
    for (size_t i = 0; disk->held >= 0 && i < disk->count; i++) {
        const struct volume *volume = &disk->volumes[i];

        if (volume->partition == number && (number || volume->whole) &&
            root_can_open(volume->type)) {
            *ret = (struct place){ disk, volume };
            return true;
        }
    }
    return false;
}

static bool find_partition(const struct system *system, const struct fstab *fstab,
                           const char *device, struct place *ret)
{
    size_t len;
    int number = split_partition(device, &len);

    return number && is_own_disk(fstab, device, len) && find_numbered(system->disk, number, ret);
}

/* As for other names: where two disks have this serial, one is a copy. */
static bool find_by_id(const struct system *system, const char *device, struct place *ret)
{
    size_t len = strlen(device), found = 0;
    int number = split_link(device, &len);
    auto_free char *name = xstrndup(device, len);

    if (!text_starts(device, BY_ID))
        return false;
    for (size_t i = 0; i < system->disk_count; i++)
        found += disk_has_id(&system->disks[i], name + strlen(BY_ID)) &&
                 find_numbered(&system->disks[i], number, ret);
    return found == 1;
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
    return find_partition(system, fstab, source, ret) || find_by_id(system, source, ret) ||
           find_mapped(system, source, ret);
}

/* ---- putting it there -------------------------------------------------------------------- */

/* Another subvolume is mounted beside what is open of a volume. */
static const struct root *opened_before(const struct system *system, const struct volume *volume)
{
    for (size_t i = 0; i < system->part_count; i++)
        if (system->parts[i].volume == volume)
            return system->parts[i].root;
    return NULL;
}

/* Takes over the directory. */
static void keep_part(struct system *system, char *directory, const struct place *place,
                      const struct root *root)
{
    struct system_part part = {
        .directory = directory, .disk = place->disk, .volume = place->volume, .root = root
    };

    array_push(system->parts, system->part_count, part);
}

static int open_top(const struct place *place, const struct root *before,
                    const struct fstab_entry *entry, enum root_way way, enum root_access access,
                    struct root **ret, struct err *e)
{
    auto_root struct root *by_default = NULL;

    if (before && entry->subvolume)
        return root_open_subvolume(before, entry->subvolume, access, ret, e);
    if (!entry->subvolume_id)
        return root_open_volume(place->disk, place->volume, entry->subvolume, way, access, ret, e);
    if (!before &&
        root_open_volume(place->disk, place->volume, NULL, way, access, &by_default, e) < 0)
        return -1;
    return root_open_subvolume_id(before ? before : by_default, entry->subvolume_id, access, ret,
                                  e);
}

static int open_part(const struct place *place, const struct root *before,
                     const struct fstab_entry *entry, enum root_way way, enum root_access access,
                     struct root **ret, struct err *e)
{
    auto_root struct root *root = NULL;
    struct root_facts facts;

    if (open_top(place, before, entry, way, access, &root, e) < 0)
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
    bool vital = strcmp(entry->directory, "/usr") == 0 || text_is_within(entry->directory, "/etc");
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

/*
 * Systems whose files are put together at boot only: what is on the disk is not what sshd sees.
 * MicroOS, as it was before 2024, has /etc as an overlay; Flatcar that, too, and /usr on a
 * partition that its fstab does not name.
 */
static void note_assembled(struct system *system, const struct root *root,
                           const struct fstab *fstab)
{
    bool flatcar = false;

    for (size_t i = 0; i < system->disk->count; i++)
        flatcar = flatcar || same(system->disk->volumes[i].part_label, "USR-A");
    flatcar = flatcar && is_empty(root, "/usr");
    if (!flatcar && !fstab->etc_overlay)
        return;
    free(system->absent);
    system->absent =
        flatcar
            ? xstrdup("this is Flatcar, or built like it: /usr is the partition USR-A, and /etc "
                      "is laid over a part of it at boot, so this cannot be judged from "
                      "outside; host keys that are gone from /etc/ssh are made at its boot")
            : xasprintf("/etc is an overlay that is put together at boot, and what was changed "
                        "is in %s: this cannot be judged from outside; mend it there by hand",
                        fstab->etc_overlay);
    system->absent_vital = true;
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
 * Of what takes mounting and is not mounted. A /home that is elsewhere does not keep the rest from
 * being mended; but what sshd is made of does, and /var, where the runs are kept.
 */
static void note_apart(struct system *system, const struct root *root,
                       const struct fstab_entry *entry)
{
    static const char *const needed[] = { "/usr", "/etc", "/var" };

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        system->apart = system->apart || text_is_within(entry->directory, needed[i]);
    note_absent(system, root, entry,
                "cannot be used without mounting it (--access=mount, as root)");
}

static void attach(struct system *system, const struct fstab_entry *entry,
                   const struct place *place, enum root_access access, struct root *root)
{
    const struct root *before = opened_before(system, place->volume), *opened;
    auto_root struct root *part = NULL;
    auto_free char *directory = NULL;
    struct err e = { 0 };

    if (before && !entry->subvolume && !entry->subvolume_id)
        return;
    if (open_part(place, before, entry, system->way, access, &part, &e) == 0) {
        opened = part;
        if (root_find(root, entry->directory, &directory, NULL, &e) == 0 &&
            root_attach(root, entry->directory, &part, &e) == 0) {
            keep_part(system, take_ptr(directory), place, opened);
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
    struct place place = { system->disk, system->volume };

    forget_parts(system);
    fstab_inspect(root, &fstab);
    keep_part(system, xstrdup("/"), &place, root);
    for (size_t i = 0; i < fstab.count; i++) {
        const struct fstab_entry *entry = &fstab.entries[i];

        if (strcmp(entry->directory, "/") == 0 || text_is_within(entry->directory, "/boot"))
            continue;
        if (!find_source(system, &fstab, entry->source, &place))
            note_absent(system, root, entry, NULL);
        else if (!root_is_mounted(root) && !root_opens_directly(place.volume->type))
            note_apart(system, root, entry);
        else
            attach(system, entry, &place, access, root);
    }
    note_assembled(system, root, &fstab);
    for (size_t i = 0; i < system->part_count; i++)
        system->parts[i].root = NULL;
}
