/* SPDX-License-Identifier: MIT */
/* A part of a disk or image as a block device. Private to door/. */
#ifndef DOOR_LOOP_H
#define DOOR_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop {
    int fd;        /* holds it; once this and the mount are gone, so is the loop device */
    char path[32]; /* /dev/loopN */
};

/* Attaches size bytes from offset on, of an open disk or image. */
int loop_attach(int backing_fd, uint64_t offset, uint64_t size, unsigned sector_size,
                bool read_only, struct loop *ret, struct err *e) MUST_CHECK;

#endif
