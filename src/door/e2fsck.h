/* SPDX-License-Identifier: MIT */
/*
 * What has to be put right before an ext2, ext3 or ext4 is written to, by e2fsck of this machine.
 * For that moment a block device is not held: e2fsck claims it for itself. Private to door/.
 */
#ifndef DOOR_E2FSCK_H
#define DOOR_E2FSCK_H

#include "device/device.h"

/* fd: the disk, open for writing. Nothing but the journal is touched. */
int replay_journal(struct disk *disk, const struct volume *volume, int fd,
                   struct err *e) MUST_CHECK;
/*
 * From the copy that the volume is read by; the journal is replayed, and what e2fsck mends without
 * asking is mended.
 */
int restore_superblock(struct disk *disk, const struct volume *volume, int fd,
                       struct err *e) MUST_CHECK;
/* The command that does the same by hand. The caller's. */
char *superblock_command(const struct volume *volume) MUST_CHECK;

#endif
