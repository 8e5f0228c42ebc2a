/* SPDX-License-Identifier: MIT */
/* What lies on a disk: partition tables and superblocks, by libblkid. */
#include "device/private.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* blkid_do_safeprobe(3) */
enum { PROBE_FOUND = 0, PROBE_NOTHING = 1, PROBE_AMBIVALENT = -2 };

/* libblkid counts partitions in these, whatever the disk's own sectors are. */
enum { UNIT = 512 };

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

        volume->type = type ? xstrdup(type) : NULL;
    }
    if (result < 0 && !volume->ambivalent)
        return err_errno(e, "read %s", volume->name);
    volume->advice = volume_advice(fd, disk, volume);
    return 0;
}

static char *partition_name(const struct disk *disk, int number)
{
    size_t len = strlen(disk->path);

    if (disk->kind == DISK_IMAGE)
        return xasprintf("%s partition %d", disk->path, number);
    /* The kernel's rule: a "p" between where the disk's name ends with a digit. */
    if (len && disk->path[len - 1] >= '0' && disk->path[len - 1] <= '9')
        return xasprintf("%sp%d", disk->path, number);
    return xasprintf("%s%d", disk->path, number);
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

static void add_volume(struct disk *disk, int number, uint64_t offset, uint64_t size,
                       enum volume_role role)
{
    struct volume volume = { .partition = number, .offset = offset, .size = size, .role = role };

    volume.name = number ? partition_name(disk, number) : xstrdup(disk->path);
    array_push(disk->volumes, disk->count, volume);
}

static void add_partitions(blkid_partlist list, struct disk *disk)
{
    for (int i = 0; i < blkid_partlist_numof_partitions(list); i++) {
        blkid_partition part = blkid_partlist_get_partition(list, i);
        uint64_t offset = (uint64_t)blkid_partition_get_start(part) * UNIT;
        uint64_t size = (uint64_t)blkid_partition_get_size(part) * UNIT;

        if (blkid_partition_is_extended(part) || offset >= disk->size)
            continue;
        if (size > disk->size - offset)
            size = disk->size - offset; /* the image was cut short */
        add_volume(disk, blkid_partition_get_partno(part), offset, size, role_of(part));
    }
}

/* The partitions, by the table at the start or by GPT's backup at the end. */
static int probe_table(int fd, struct disk *disk, struct err *e)
{
    auto_with(free_probe) blkid_probe probe = open_probe(fd, disk, 0, disk->size);
    blkid_partlist list;

    if (!probe)
        return err_errno(e, "probe %s", disk->path);
    blkid_probe_enable_partitions(probe, 1);
    errno = 0;
    list = blkid_probe_get_partitions(probe);
    if (!list || !blkid_partlist_get_table(list))
        return 0;
    disk->table = xstrdup(blkid_parttable_get_type(blkid_partlist_get_table(list)));
    add_partitions(list, disk);
    return 0;
}

/* A 4096-byte sector disk in an image file: its GPT is not where 512 would have it. */
static bool only_protective(const struct disk *disk)
{
    return disk->kind == DISK_IMAGE && disk->sector_size == UNIT && disk->table &&
           strcmp(disk->table, "PMBR") == 0;
}

static void forget_table(struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++)
        free(disk->volumes[i].name);
    free(disk->volumes);
    free(disk->table);
    disk->volumes = NULL;
    disk->table = NULL;
    disk->count = 0;
}

int probe_disk(int fd, struct disk *disk, struct err *e)
{
    if (probe_table(fd, disk, e) < 0)
        return -1;
    if (only_protective(disk)) {
        forget_table(disk);
        disk->sector_size = 4096;
        if (probe_table(fd, disk, e) < 0)
            return -1;
    }
    /* The disk as a whole: a file system without a table, or with a stale one of DOS. */
    if (!disk->table || strcmp(disk->table, "gpt") != 0)
        add_volume(disk, 0, 0, disk->size, VOLUME_PLAIN);
    for (size_t i = 0; i < disk->count; i++)
        if (probe_volume(fd, disk, &disk->volumes[i], e) < 0)
            return -1;
    return 0;
}
