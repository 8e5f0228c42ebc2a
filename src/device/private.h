/* SPDX-License-Identifier: MIT */
/* What the files of device/ share. */
#ifndef DEVICE_PRIVATE_H
#define DEVICE_PRIVATE_H

#include "device/device.h"

#include <sys/types.h>

/* Fills table and volumes of a disk from what is on it, through an open descriptor. */
int probe_disk(int fd, struct disk *disk, struct err *e) MUST_CHECK;

/*
 * The next file system at or behind an offset, by its superblock at one of the places where
 * partitions begin: its path, offset and size. False where there is none for a long way.
 */
bool search_next(int fd, const struct disk *disk, uint64_t from, struct volume *ret);

/* A number as file systems of little-endian machines have it. */
static inline uint64_t little(const unsigned char *bytes, size_t len)
{
    uint64_t value = 0;

    while (len-- > 0)
        value = value << 8 | bytes[len];
    return value;
}

/* The format that an image file seems to have; NULL: raw, as far as can be seen. */
const char *image_format(int fd, uint64_t size);
/*
 * Where the first block group of an ext whose superblock is gone has its copy, in the unit of the
 * mount option sb=, 1 KiB; 0: there is none.
 */
uint64_t ext_backup_superblock(int fd, const struct volume *volume);

/* For volume.advice. */
char *volume_advice(int fd, const struct disk *disk, const struct volume *volume);
/* The type of what libblkid has not recognised, or NULL. */
const char *volume_signature(int fd, const struct volume *volume);

/* Block devices under the mounts, swaps and loop images of the rescue system, with all below them.
 */
struct forbidden {
    struct forbidden_device {
        dev_t device;
        char *reason; /* a clause: "mounted on /" */
    } * items;
    size_t count;
};
void forbidden_find(struct forbidden *ret);
const char *forbidden_reason(const struct forbidden *forbidden, dev_t device);
void forbidden_free(struct forbidden *forbidden);

/* Who has this image file open as a disk: a clause to be freed, or NULL. */
char *image_holder(int fd);
/* The same for a file that is only read, which virtual machines that only read it may share. */
char *image_writer(int fd);

#endif
