/* SPDX-License-Identifier: MIT */
/* What lies on a disk: partition tables and superblocks, by libblkid. */
#include "device/private.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* blkid_do_safeprobe(3) */
enum { PROBE_FOUND = 0, PROBE_NOTHING = 1, PROBE_AMBIVALENT = -2 };

/* libblkid counts partitions in these, whatever the disk's own sectors are. */
enum { UNIT = 512 };

/* Bytes of a GPT's entries; 128 of them, of 128 bytes, are usual. */
enum { GPT_BYTES_MAX = 16384 * 128 };

static void free_probe(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

static char *value(blkid_probe probe, const char *name)
{
    const char *data;

    return blkid_probe_lookup_value(probe, name, &data, NULL) == 0 ? xstrdup(data) : NULL;
}

static blkid_probe open_probe(int fd, const struct disk *disk, uint64_t offset, uint64_t size)
{
    blkid_probe probe = blkid_new_probe();

    if (probe && blkid_probe_set_device(probe, fd, (blkid_loff_t)offset, (blkid_loff_t)size) == 0) {
        blkid_probe_set_sectorsize(probe, disk->sector_size);
        return probe;
    }
    blkid_free_probe(probe);
    return NULL;
}

/* What one stretch of the disk holds. */
static int probe_volume(int fd, const struct disk *disk, struct volume *volume, struct err *e)
{
    auto_with(free_probe) blkid_probe probe = open_probe(fd, disk, volume->offset, volume->size);
    int result;

    if (!probe)
        return err_errno(e, "probe %s", volume->name);
    blkid_probe_enable_superblocks(probe, 1);
    blkid_probe_set_superblocks_flags(probe,
                                      BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
    errno = 0;
    result = blkid_do_safeprobe(probe);
    volume->ambivalent = result == PROBE_AMBIVALENT;
    if (result == PROBE_FOUND) {
        volume->type = value(probe, "TYPE");
        volume->uuid = value(probe, "UUID");
        volume->label = value(probe, "LABEL");
    }
    if (result == PROBE_NOTHING) {
        const char *type = volume_signature(fd, volume);

        /* ext4 mounts ext2 and ext3, too. */
        volume->backup = type ? 0 : ext_backup_superblock(fd, volume);
        if (type || volume->backup)
            volume->type = xstrdup(type ? type : "ext4");
    }
    if (result < 0 && !volume->ambivalent)
        return err_errno(e, "read %s", volume->name);
    volume->advice = volume_advice(fd, disk, volume);
    return 0;
}

/* How one volume is called by whoever has to find it again. */
static char *volume_name(const struct disk *disk, const struct volume *volume)
{
    size_t len = strlen(disk->path);
    bool nested = strchr(volume->path, ',') != NULL;

    if (volume->whole)
        return xstrdup(disk->path);
    if (disk->kind == DISK_IMAGE || !volume->partition || nested)
        return xasprintf("%s %s", disk->path, volume->path);
    /* The kernel's rule: a "p" between where the disk's name ends with a digit. */
    if (len && disk->path[len - 1] >= '0' && disk->path[len - 1] <= '9')
        return xasprintf("%sp%d", disk->path, volume->partition);
    return xasprintf("%s%d", disk->path, volume->partition);
}

/* UEFI 2.10, 5.3.3; GRUB's manual, "BIOS installation"; 0xef: the ESP on a DOS table. */
static enum volume_role role_of(blkid_partition part)
{
    const char *type = blkid_partition_get_type_string(part);

    if (type && strcasecmp(type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b") == 0)
        return VOLUME_ESP;
    if (type && strcasecmp(type, "21686148-6449-6e6f-744e-656564454649") == 0)
        return VOLUME_BIOS_BOOT;
    return !type && blkid_partition_get_type(part) == 0xef ? VOLUME_ESP : VOLUME_PLAIN;
}

/* Room for one more volume; that there was none is told. */
static bool has_room(struct disk *disk)
{
    disk->more = disk->more || disk->count >= VOLUMES_MAX;
    return disk->count < VOLUMES_MAX;
}

/* Takes over the volume's path. */
static void add_volume(struct disk *disk, struct volume volume)
{
    volume.name = volume_name(disk, &volume);
    array_push(disk->volumes, disk->count, volume);
}

static char *copy_of(const char *text)
{
    return text && *text ? xstrdup(text) : NULL;
}

/* within: the volume that holds the table, or NULL. */
static void add_partitions(blkid_partlist list, const struct volume *within, struct disk *disk)
{
    uint64_t base = within ? within->offset : 0, room = within ? within->size : disk->size;
    auto_free char *prefix = within ? xasprintf("%s, ", within->path) : xstrdup("");
    int count = blkid_partlist_numof_partitions(list);

    for (int i = 0; i < count && has_room(disk); i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        struct volume volume = { .partition = blkid_partition_get_partno(part),
                                 .role = role_of(part),
                                 .offset = (uint64_t)blkid_partition_get_start(part) * UNIT,
                                 .size = (uint64_t)blkid_partition_get_size(part) * UNIT };

        if (blkid_partition_is_extended(part) || volume.offset >= room)
            continue;
        if (volume.size > room - volume.offset)
            volume.size = room - volume.offset; /* the image was cut short */
        volume.offset += base;
        volume.path = xasprintf("%spartition %d", prefix, volume.partition);
        volume.part_uuid = copy_of(blkid_partition_get_uuid(part));
        volume.part_label = copy_of(blkid_partition_get_name(part));
        add_volume(disk, volume);
    }
}

/*
 * UEFI 2.10, 5.3.2. libblkid reads as many entries as a GPT claims, gigabytes of them, and only
 * when it has them all does it see that their checksum is wrong. The copy is in the last sector.
 */
static bool claims_too_much(int fd, const struct disk *disk, uint64_t offset, uint64_t size)
{
    enum { COUNT = 80, LENGTH = 84 };
    const uint64_t places[] = { disk->sector_size, size - disk->sector_size };
    unsigned char header[UNIT];

    for (size_t i = 0; i < ARRAY_SIZE(places) && size > 2 * disk->sector_size; i++)
        if (io_read_at(fd, header, sizeof header, offset + places[i]) == 0 &&
            memcmp(header, "EFI PART", 8) == 0 &&
            little(header + COUNT, 4) * little(header + LENGTH, 4) > GPT_BYTES_MAX)
            return true;
    return false;
}

/*
 * The partitions, by the table at the start or by GPT's backup at the end. A table that is not to
 * be read is none: what is there is found by its superblocks.
 */
static int probe_table(int fd, const struct volume *within, struct disk *disk, struct err *e)
{
    uint64_t offset = within ? within->offset : 0, size = within ? within->size : disk->size;
    auto_with(free_probe) blkid_probe probe = open_probe(fd, disk, offset, size);
    blkid_partlist list;

    if (!probe)
        return err_errno(e, "probe %s", disk->path);
    if (claims_too_much(fd, disk, offset, size))
        return 0;
    blkid_probe_enable_partitions(probe, 1);
    errno = 0;
    list = blkid_probe_get_partitions(probe);
    if (!list || !blkid_partlist_get_table(list))
        return 0;
    if (!within)
        disk->table = xstrdup(blkid_parttable_get_type(blkid_partlist_get_table(list)));
    add_partitions(list, within, disk);
    return 0;
}

/* A protective MBR (UEFI 2.10, 5.2.3): a GPT is, or was, behind it. */
static bool protected_by_mbr(int fd)
{
    enum { TYPES = 446 + 4, ENTRY = 16, ENTRIES = 4, MAGIC = 510, GPT_PROTECTIVE = 0xee };
    unsigned char sector[UNIT];
    bool found = false;

    if (io_read_at(fd, sector, sizeof sector, 0) < 0)
        return false;
    for (int i = 0; i < ENTRIES; i++)
        found = found || sector[TYPES + i * ENTRY] == GPT_PROTECTIVE;
    return found && sector[MAGIC] == 0x55 && sector[MAGIC + 1] == 0xaa;
}

/* An image of a disk with sectors of 4096 bytes has its GPT elsewhere than 512 would have it. */
static int probe_tables(int fd, struct disk *disk, struct err *e)
{
    if (probe_table(fd, NULL, disk, e) < 0)
        return -1;
    if (disk->kind != DISK_IMAGE || disk->table || !protected_by_mbr(fd))
        return 0;
    disk->sector_size = 4096;
    if (probe_table(fd, NULL, disk, e) < 0)
        return -1;
    /* Not there either: it is gone, and 512 is as likely as anything. */
    if (!disk->table)
        disk->sector_size = UNIT;
    return 0;
}

static int probe_volumes(int fd, struct disk *disk, size_t from, struct err *e)
{
    for (size_t i = from; i < disk->count; i++)
        if (probe_volume(fd, disk, &disk->volumes[i], e) < 0)
            return -1;
    return 0;
}

static bool recognised(const struct volume *volume)
{
    return volume->type || volume->ambivalent;
}

/* A partition that was the disk of a virtual machine has a table of its own; one level is enough.
 */
static int probe_nested(int fd, struct disk *disk, struct err *e)
{
    size_t outer = disk->count;

    for (size_t i = 0; i < outer; i++) {
        /* A copy: the array moves while it grows. */
        const struct volume within = disk->volumes[i];

        if (!within.whole && !recognised(&within) && probe_table(fd, &within, disk, e) < 0)
            return -1;
    }
    return probe_volumes(fd, disk, outer, e);
}

/* No table that leads anywhere: what is on the disk is still there. */
static int probe_lost(int fd, struct disk *disk, struct err *e)
{
    size_t known = disk->count;
    uint64_t at = 0;
    struct volume volume;

    /* The blocks of an image that is not raw may be in any order: what begins there, is not whole.
     */
    if (disk->seems)
        return 0;
    for (size_t i = 0; i < known; i++)
        if (recognised(&disk->volumes[i]))
            return 0;
    while (has_room(disk) && search_next(fd, disk, at, &volume)) {
        at = volume.offset + volume.size;
        add_volume(disk, volume);
    }
    disk->searched = disk->count > known;
    return probe_volumes(fd, disk, known, e);
}

int probe_disk(int fd, struct disk *disk, struct err *e)
{
    if (probe_tables(fd, disk, e) < 0)
        return -1;
    /* The disk as a whole: a file system without a table, or with a stale one of DOS. */
    if (!disk->table || strcmp(disk->table, "gpt") != 0)
        add_volume(disk, (struct volume){
                             .path = xstrdup("whole disk"), .whole = true, .size = disk->size });
    if (probe_volumes(fd, disk, 0, e) < 0 || probe_nested(fd, disk, e) < 0)
        return -1;
    return probe_lost(fd, disk, e);
}
