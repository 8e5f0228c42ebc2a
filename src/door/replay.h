/* SPDX-License-Identifier: MIT */
/* A journal that has to be replayed before its file system is written to. Private to door/. */
#ifndef DOOR_REPLAY_H
#define DOOR_REPLAY_H

#include "device/device.h"

/*
 * By e2fsck of this machine; fd: the disk, open for writing. Nothing but the journal is touched.
 * For that moment a block device is not held: e2fsck claims it for itself.
 */
int replay_journal(struct disk *disk, const struct volume *volume, int fd,
                   struct err *e) MUST_CHECK;

#endif
