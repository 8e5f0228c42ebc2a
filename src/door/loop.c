/* SPDX-License-Identifier: MIT */
/*
 * Offsets, never "losetup -P": the running kernel may have no partition parser.
 * A loop device over a read-only descriptor is the guarantee that check writes
 * nothing; autoclear, that nothing stays attached after kill -9.
 */
#include "door/loop.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>

/* Somebody else may take the free number before we do. */
enum { ATTEMPTS = 32 };

/* Kernels before 5.8, in three steps; the first takes "read-only" from the descriptor. */
static int configure_in_steps(int loop_fd, const struct loop_config *config)
{
    if (ioctl(loop_fd, LOOP_SET_FD, (unsigned long)config->fd) < 0)
        return -1;
    if (ioctl(loop_fd, LOOP_SET_STATUS64, &config->info) == 0 &&
        (config->block_size == 512 ||
         ioctl(loop_fd, LOOP_SET_BLOCK_SIZE, (unsigned long)config->block_size) == 0))
        return 0;
    (void)ioctl(loop_fd, LOOP_CLR_FD, 0);
    return -1;
}

static int configure(int loop_fd, const struct loop_config *config)
{
    if (ioctl(loop_fd, LOOP_CONFIGURE, config) == 0)
        return 0;
    if (errno == EINVAL || errno == ENOTTY || errno == ENOSYS)
        return configure_in_steps(loop_fd, config);
    return -1;
}

int loop_attach(int backing_fd, uint64_t offset, uint64_t size, unsigned sector_size,
                bool read_only, struct loop *ret, struct err *e)
{
    struct loop_config config = {
        .fd = (unsigned)backing_fd,
        .block_size = sector_size,
        .info = { .lo_offset = offset,
                  .lo_sizelimit = size,
                  .lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0u) },
    };
    auto_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

    if (control < 0)
        return err_errno(e, "open /dev/loop-control (loop devices need root)");
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        auto_fd int fd = -1;

        if (number < 0)
            return err_errno(e, "find a free loop device");
        snprintf(ret->path, sizeof ret->path, "/dev/loop%d", number);
        fd = open(ret->path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (fd < 0)
            return err_errno(e, "open %s", ret->path);
        if (configure(fd, &config) == 0) {
            ret->fd = take_fd(&fd);
            return 0;
        }
        if (errno != EBUSY)
            return err_errno(e, "attach a loop device");
    }
    return err_set(e, ERR_IN_USE, "no loop device is free");
}
