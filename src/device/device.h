/* SPDX-License-Identifier: MIT */
/*
 * Which disks, partitions and images are here, and what lies on them, read-only.
 *
 * Nothing is believed that the rescue system says about partitions: its kernel
 * may have no partition parser, and there may be no udev. Offsets come from
 * libblkid's probe of the disk itself.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the partition table says a partition is for, where that matters to a firmware. */
enum volume_role {
    VOLUME_PLAIN,
    VOLUME_ESP,       /* UEFI's boot loaders */
    VOLUME_BIOS_BOOT, /* the rest of a boot loader whose first part is in the first sector */
};

/* A stretch of a disk that holds a file system, or something else with a name. */
struct volume {
    char *name;      /* for people: "/dev/vdb1", "disk.img partition 3" */
    char *path;      /* where on the disk: "partition 3", "whole disk", "at 5 MiB" */
    int partition;   /* as in the partition table; 0: the disk as a whole, or found without one */
    bool whole;      /* the disk as a whole */
    uint64_t offset; /* bytes from the start of the disk */
    uint64_t size;   /* bytes */
    char *type;      /* libblkid's word: "ext4", "LVM2_member", "swap"; NULL: nothing recognised */
    char *uuid;      /* NULL: none */
    char *label;     /* NULL: none */
    enum volume_role role;
    char *part_uuid, *part_label; /* of the partition itself; NULL: none */
    uint64_t
        backup; /* KiB to the copy of an ext superblock, where the first is gone; 0: not used */
    bool ambivalent; /* more than one signature: nothing is guessed */
    char *advice;    /* what it is and what is to be done first, a clause; NULL: nothing to say */
};

/* What mke2fs puts the first copy at (8193, 16384, 32768) tells the size of blocks, in bytes. */
static inline uint32_t backup_block_size(uint64_t backup)
{
    return backup < 16384 ? 1024 : backup < 65536 ? 2048 : 4096;
}

/* More than the kernel has nodes for (DISK_MAX_PARTS, 256); what is behind is not looked at. */
enum { VOLUMES_MAX = 512 };

/* The number of the block that the copy is in. */
static inline uint64_t backup_block(uint64_t backup)
{
    return backup * 1024 / backup_block_size(backup);
}

enum disk_kind {
    DISK_BLOCK,     /* a block device: a whole disk, a partition, a logical volume */
    DISK_IMAGE,     /* a regular file */
    DISK_DIRECTORY, /* a tree somebody has mounted */
};

struct export;

/* What an image file is, as the operator says. */
struct image_source {
    const char *format; /* NULL: raw */
    char *const
        *backing; /* what it stands on, what that stands on, …, up to a NULL; NULL: nothing */
};

struct disk {
    enum disk_kind kind;
    char *path;
    uint64_t size;        /* bytes */
    unsigned sector_size; /* bytes; of partition tables and loop devices */
    char *model, *serial; /* NULL: not told */
    char *mapper;         /* the name of a device-mapper device: "vg-root"; NULL: it is none */
    char *table;          /* "gpt", "dos"; NULL: none */
    struct image_source source;
    const char *seems; /* the one that a raw image begins like; NULL: none */
    bool searched;     /* the volumes were found without a table, by their superblocks */
    bool more;         /* there are more volumes than VOLUMES_MAX */
    bool read_only;
    bool shared;  /* holds a part of a system whose root is on another disk */
    char *in_use; /* who else has it, a clause; NULL: nobody */
    int held;     /* descriptor that holds it for us, or -1 */
    dev_t device; /* of the file or node that was probed: what is held is the same */
    ino_t inode;
    struct export
        *export; /* of an image that is not raw: all of the above is about what it holds */
    struct volume *volumes;
    size_t count;
};

struct disks {
    struct disk *items;
    size_t count;
};

/* One disk, image or directory, named by the operator. */
int device_open(const char *target, struct disk *ret, struct err *e) MUST_CHECK;
/* The same of an image that may be in another format than raw. writable: it may be changed. */
int device_open_image(const char *target, const struct image_source *source, bool writable,
                      struct disk *ret, struct err *e) MUST_CHECK;
/* True for what device_open_image takes: "qcow2", … */
bool image_format_known(const char *name);
/* Every attached disk but those under the rescue system's own mounts and swaps. */
int device_list(struct disks *ret, struct err *e) MUST_CHECK;
/*
 * True where a disk has this serial; cloud providers write their disk's ID there, some without
 * the "d-" in front, and virtio-blk no more than 20 bytes of it.
 */
bool disk_has_serial(const struct disk *disk, const char *wanted);
/*
 * True where udev, on whatever machine and bus, would call the disk so in /dev/disk/by-id: the
 * name begins with the bus and mostly the model, and ends with the serial.
 */
bool disk_has_id(const struct disk *disk, const char *id);
/* The volume with the memory of a system that is asleep, not off; NULL: none. */
const struct volume *disk_hibernated(const struct disk *disk);
void disk_free(struct disk *disk);
void disks_free(struct disks *disks);

/*
 * Holds a disk or image, until disk_free, so that nobody else changes it between two
 * looks: exclusive for block devices, which fails for whatever is mounted or part of
 * something that is; a lock for images, shared by those who only read. ERR_IN_USE says
 * who has it.
 */
int device_hold(struct disk *disk, bool exclusive, struct err *e) MUST_CHECK;
/* So that a program of ours may claim it; until device_hold. */
void device_let_go(struct disk *disk);
/* A descriptor of a disk that is held. */
int device_descriptor(const struct disk *disk, bool writable, struct err *e) MUST_CHECK;

#endif
