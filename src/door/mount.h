/* SPDX-License-Identifier: MIT */
/* Mounting where nobody sees it. Private to door/. */
#ifndef DOOR_MOUNT_H
#define DOOR_MOUNT_H

#include "base/err.h"

#include <stdbool.h>

/*
 * Mounts a block device and returns a descriptor of its root directory. The mount
 * is in no mount table that anybody else can see, lets nothing on it be executed
 * or used as a device, and goes when the descriptor is closed.
 * options: mount(8)'s, comma separated, "" for none. -1 with *e, whose code is the
 * errno of mount(2).
 */
int mount_hidden(const char *device, const char *type, const char *options, bool read_only,
                 struct err *e) MUST_CHECK;

#endif
