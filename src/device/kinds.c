/* SPDX-License-Identifier: MIT */
/* What is no file system of ours: what it is, and what the operator has to do about it first. */
#include "device/private.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/*
 * In a text, @ stands for the volume, and " %" for the name of its group or pool, which goes with
 * its space where it is not known.
 */
static const struct kind {
    const char *type; /* libblkid's word */
    const char *what;
    const char *how; /* NULL: no system can be on it */
    bool by_device;  /* what opens it wants a block device, not an image file */
} kinds[] = {
    { "LVM2_member", "LVM", "vgchange -ay %; then name the logical volume (lvs lists them)", true },
    { "crypto_LUKS", "encrypted (LUKS)",
      "cryptsetup open @ NAME; then name /dev/mapper/NAME, or the volume in it", true },
    { "linux_raid_member", "part of a RAID (md)",
      "mdadm --assemble --scan, with all its disks attached; then name the array", true },
    { "isw_raid_member", "part of a RAID (Intel)",
      "mdadm --assemble --scan, with all its disks attached; then name the array", true },
    { "ddf_raid_member", "part of a RAID (DDF)",
      "mdadm --assemble --scan, with all its disks attached; then name the array", true },
    { "zfs_member", "ZFS", "zpool import -f -R /mnt %, on a system that has ZFS; then name /mnt",
      true },
    { "bcache", "bcache",
      "echo @ > /sys/fs/bcache/register, with its cache attached; then name /dev/bcache0", true },
    { "drbd", "a replica (DRBD)", "drbdadm up its resource; then name the device of DRBD", true },
    { "bcachefs", "bcachefs", "mount it; then name the directory", false },
    { "f2fs", "f2fs", "mount it; then name the directory", false },
    { "jfs", "jfs", "mount it; then name the directory", false },
    { "nilfs2", "nilfs2", "mount it; then name the directory", false },
    { "reiserfs", "reiserfs", "mount it; then name the directory", false },
    { "squashfs", "squashfs: read-only for good, nothing on it is ever changed", NULL, false },
    { "erofs", "erofs: read-only for good, nothing on it is ever changed", NULL, false },
    { "BitLocker", "encrypted (BitLocker): Windows", NULL, false },
    { "swsuspend", "swap, with a hibernated system in it", NULL, false },
};

/* What may stand in a command that the operator is told to run. */
static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-";

/* How much of a text is such a name; one that begins with a dash would be an option. */
static size_t name_len(const char *text)
{
    return *text == '-' ? 0 : strspn(text, name_letters);
}

static const struct kind *kind_of(const char *type)
{
    for (size_t i = 0; type && i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

/* ---- the group of a physical volume ----------------------------------------------------
 *
 * lib/format_text/layout.h of LVM2: a label in one of the first four sectors leads to the
 * header of the volume, which lists data areas up to an empty one, then metadata areas. A
 * metadata area says where its text begins, and the text begins with the name of the group.
 */

enum { SECTOR = 512, LABEL_SECTORS = 4, AREAS_MAX = 16, NAME_MAX_ = 127 };

static int read_within(int fd, const struct volume *volume, void *bytes, size_t len, uint64_t at)
{
    if (at > volume->size || len > volume->size - at)
        return -1;
    return io_read_at(fd, bytes, len, volume->offset + at);
}

/* Where the first metadata area is, by the header of the volume; 0: nowhere. */
static uint64_t metadata_area(const unsigned char *sector)
{
    enum { HEADER_AT = 20, UUID_AND_SIZE = 40, AREA = 16 };
    uint64_t header = little(sector + HEADER_AT, 4);
    const unsigned char *end = sector + SECTOR, *area;
    bool data = true;

    if (header > SECTOR - UUID_AND_SIZE)
        return 0;
    for (area = sector + header + UUID_AND_SIZE; area + AREA <= end; area += AREA) {
        uint64_t offset = little(area, 8);

        if (!data || offset == 0) {
            if (!data)
                return offset;
            data = false;
        }
    }
    return 0;
}

static char *group_at(int fd, const struct volume *volume, uint64_t area)
{
    enum { START = 24, TEXT_OFFSET = 40, HEADER = 64 };
    unsigned char header[HEADER];
    char text[NAME_MAX_ + 1] = "";
    size_t len;

    if (read_within(fd, volume, header, sizeof header, area) < 0 ||
        memcmp(header + 4, " LVM2 x[5A%r0N*>", 16) != 0 ||
        read_within(fd, volume, text, NAME_MAX_,
                    little(header + START, 8) + little(header + TEXT_OFFSET, 8)) < 0)
        return NULL;
    len = name_len(text);
    return len && text[len] == ' ' ? xstrndup(text, len) : NULL;
}

static char *group_name(int fd, const struct volume *volume)
{
    unsigned char sector[SECTOR];

    for (uint64_t i = 0; i < LABEL_SECTORS; i++)
        if (read_within(fd, volume, sector, sizeof sector, i * SECTOR) == 0 &&
            memcmp(sector, "LABELONE", 8) == 0)
            return group_at(fd, volume, metadata_area(sector));
    return NULL;
}

/* ---- the advice ------------------------------------------------------------------------ */

static char *fill_in(const char *text, const char *volume, const char *group)
{
    size_t size = strlen(text) * (1 + strlen(volume) + strlen(group)) + 1;
    auto_free char *filled = xcalloc(size, 1);
    char *end = filled;

    for (; *text; text++) {
        if (*text == '@')
            end = stpcpy(end, volume);
        else if (*text == '%')
            end = stpcpy(end - (*group == '\0'), group);
        else
            *end++ = *text;
    }
    return take_ptr(filled);
}

char *volume_advice(int fd, const struct disk *disk, const struct volume *volume)
{
    const struct kind *kind = kind_of(volume->type);
    bool image = kind && kind->by_device && disk->kind == DISK_IMAGE;
    auto_free char *group = NULL, *how = NULL;

    if (!kind)
        return NULL;
    if (!kind->how)
        return xstrdup(kind->what);
    if (strcmp(kind->type, "LVM2_member") == 0)
        group = group_name(fd, volume);
    else if (volume->label && name_len(volume->label) == strlen(volume->label))
        group = xstrdup(volume->label);
    how = fill_in(kind->how, image ? "its loop device" : volume->name, group ? group : "");
    if (image)
        return xasprintf("%s; open it with: losetup -fP --show %s; %s", kind->what, disk->path,
                         how);
    return xasprintf("%s; open it with: %s", kind->what, how);
}

const struct volume *disk_hibernated(const struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++)
        if (disk->volumes[i].type && strcmp(disk->volumes[i].type, "swsuspend") == 0)
            return &disk->volumes[i];
    return NULL;
}

/* ---- what an older libblkid does not know ------------------------------------------------ */

/* BCHFS_MAGIC, in the superblock at sector 8 (fs/bcachefs/bcachefs_format.h); libblkid 2.39. */
static const struct signature {
    const char *type;
    uint64_t offset;
    unsigned char magic[16];
} signatures[] = {
    { "bcachefs",
      4096 + 24,
      { 0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7,
        0xef } },
};

const char *volume_signature(int fd, const struct volume *volume)
{
    unsigned char magic[sizeof signatures[0].magic];

    for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
        if (read_within(fd, volume, magic, sizeof magic, signatures[i].offset) == 0 &&
            memcmp(magic, signatures[i].magic, sizeof magic) == 0)
            return signatures[i].type;
    return NULL;
}
