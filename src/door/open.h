/* SPDX-License-Identifier: MIT */
/* From a volume, or a directory, to an opened root. */
#ifndef DOOR_OPEN_H
#define DOOR_OPEN_H

#include "device/device.h"
#include "root/root.h"

/* True where a door opens this type of file system: ext2, ext3, ext4, xfs, btrfs. */
bool root_can_open(const char *fs_type);

/* True where that takes no mounting: ext2, ext3, ext4. */
bool root_opens_directly(const char *fs_type);

/* By which door. */
enum root_way {
    ROOT_WAY_AUTO,   /* mounted where this process may mount, else directly */
    ROOT_WAY_MOUNT,  /* by the kernel */
    ROOT_WAY_DIRECT, /* without it: ext2, ext3 and ext4, as whoever may read, or write, the disk */
};

/*
 * Opens the file system on a volume of a disk that is held; subvolume (btrfs) may be NULL for the
 * default one. What is opened dies with the process: nothing stays mounted or attached, whatever
 * ends it.
 */
int root_open_volume(struct disk *disk, const struct volume *volume, const char *subvolume,
                     enum root_way way, enum root_access access, struct root **ret,
                     struct err *e) MUST_CHECK;

/* ERR_REFUSED where a volume is never opened for writing, whatever it holds. */
int root_may_write(const struct volume *volume, struct err *e) MUST_CHECK;
/*
 * Puts the superblock of an ext4 back that is read by a copy of it, and replays its journal, by
 * e2fsck; from then on it may be written to. Cannot be undone.
 */
int root_restore_superblock(struct disk *disk, struct volume *volume, struct err *e) MUST_CHECK;

/* Another subvolume of a btrfs that is open already: one file system, mounted once more. */
int root_open_subvolume(const struct root *root, const char *subvolume, enum root_access access,
                        struct root **ret, struct err *e) MUST_CHECK;
/* The same, by its number; 5 is the top of the file system. */
int root_open_subvolume_id(const struct root *root, uint64_t id, enum root_access access,
                           struct root **ret, struct err *e) MUST_CHECK;

/* A directory of a root that is open, as a root of its own. */
int root_open_within(const struct root *root, const char *path, struct root **ret,
                     struct err *e) MUST_CHECK;

/* True for one that is mounted: the functions above are for those alone. */
bool root_is_mounted(const struct root *root);

/*
 * Another file system of the same system, at a directory of the root: from now on it is what is
 * found there. Both have come by the same door; without mounting, each is a transaction of its own
 * from now on, and root_sync is what completes them. Takes *beneath over, and leaves NULL there.
 */
int root_attach(struct root *root, const char *path, struct root **beneath,
                struct err *e) MUST_CHECK;

/* ERR_REFUSED where a directory is on a file system of the running system. */
int root_may_change(const char *path, struct err *e) MUST_CHECK;

/* A tree that somebody has mounted. For writing, only where root_may_change. */
int root_open_directory(const char *path, enum root_access access, struct root **ret,
                        struct err *e) MUST_CHECK;

#endif
