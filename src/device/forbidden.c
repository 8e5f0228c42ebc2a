/* SPDX-License-Identifier: MIT */
/*
 * What the rescue system itself lives on: every block device under its mounts and
 * swaps, what those are made of (slaves of device-mapper and md, the disk of a
 * partition, the disk that holds a loop device's file), and no end in between.
 */
#include "device/private.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

/*
 * qemu locks these bytes of an image it has open (block/file-posix.c): from the first on, one for
 * each thing it does, of which writing, resizing and what is between are the second to the fourth
 * (include/block/block-common.h, BLK_PERM_WRITE); behind them, one for each it lets nobody else do.
 */
enum {
    QEMU_LOCK_FIRST = 100,
    QEMU_LOCK_COUNT = 104,
    QEMU_WRITE_FIRST = 101,
    QEMU_WRITE_COUNT = 3,
};

const char *forbidden_reason(const struct forbidden *forbidden, dev_t device)
{
    for (size_t i = 0; i < forbidden->count; i++)
        if (forbidden->items[i].device == device)
            return forbidden->items[i].reason;
    return NULL;
}

void forbidden_free(struct forbidden *forbidden)
{
    for (size_t i = 0; i < forbidden->count; i++)
        free(forbidden->items[i].reason);
    free(forbidden->items);
    *forbidden = (struct forbidden){ 0 };
}

static void forbid(struct forbidden *forbidden, dev_t device, const char *reason);

static bool parse_device(const char *text, dev_t *ret)
{
    unsigned major_number, minor_number;

    if (!text || sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
        return false;
    *ret = makedev(major_number, minor_number);
    return true;
}

/* The devices named in a folder of sysfs, each with a file "dev". */
static void forbid_folder(struct forbidden *forbidden, const char *folder, const char *reason)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        auto_free char *number = io_host_text("%s/%s/dev", folder, entry->d_name);
        dev_t device;

        if (entry->d_name[0] != '.' && parse_device(number, &device))
            forbid(forbidden, device, reason);
    }
    if (directory)
        closedir(directory);
}

/* The file system of a loop device's file: its disk must not be touched either. */
static void forbid_backing(struct forbidden *forbidden, const char *sysfs, const char *reason)
{
    auto_free char *file = io_host_text("%s/loop/backing_file", sysfs);
    struct stat stat_;

    if (file && stat(file, &stat_) == 0)
        forbid(forbidden, S_ISBLK(stat_.st_mode) ? stat_.st_rdev : stat_.st_dev, reason);
}

static void forbid(struct forbidden *forbidden, dev_t device, const char *reason)
{
    struct forbidden_device item = { .device = device };
    char sysfs[64], slaves[80];
    auto_free char *partition = NULL, *disk = NULL;
    dev_t parent;

    if (forbidden_reason(forbidden, device))
        return;
    item.reason = xstrdup(reason);
    array_push(forbidden->items, forbidden->count, item);
    snprintf(sysfs, sizeof sysfs, "/sys/dev/block/%u:%u", major(device), minor(device));
    snprintf(slaves, sizeof slaves, "%s/slaves", sysfs);
    forbid_folder(forbidden, slaves, reason);
    forbid_backing(forbidden, sysfs, reason);
    partition = io_host_text("%s/partition", sysfs);
    disk = partition ? io_host_text("%s/../dev", sysfs) : NULL;
    if (parse_device(disk, &parent))
        forbid(forbidden, parent, reason);
}

/* Octal escapes of /proc/self/mountinfo, in place. */
static void unescape(char *text)
{
    char *out = text;
    unsigned value;

    for (char *in = text; *in; out++) {
        if (*in == '\\' && sscanf(in + 1, "%3o", &value) == 1 && strlen(in) >= 4) {
            *out = (char)value;
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw … - ext3 /dev/root rw": see proc(5). */
static void forbid_mount(struct forbidden *forbidden, char *line)
{
    char numbers[32], target[PATH_MAX], source[PATH_MAX], reason[PATH_MAX + 16];
    char *tail = strstr(line, " - ");
    struct stat source_stat;
    dev_t device;

    if (!tail || sscanf(line, "%*d %*d %31s %*s %4095s", numbers, target) != 2 ||
        !parse_device(numbers, &device))
        return;
    unescape(target);
    snprintf(reason, sizeof reason, "mounted on %s", target);
    if (major(device) != 0)
        forbid(forbidden, device, reason);
    /* btrfs and overlay have no device number of their own: their source names it. */
    else if (sscanf(tail, " - %*s %4095s", source) == 1 && source[0] == '/') {
        unescape(source);
        if (stat(source, &source_stat) == 0 && S_ISBLK(source_stat.st_mode))
            forbid(forbidden, source_stat.st_rdev, reason);
    }
}

static void each_line(struct forbidden *forbidden, const char *file,
                      void (*handle)(struct forbidden *, char *))
{
    auto_free char *text = io_host_text("%s", file);
    char *rest = text, *line;

    while (rest && (line = strsep(&rest, "\n")))
        handle(forbidden, line);
}

static void forbid_swap(struct forbidden *forbidden, char *line)
{
    char path[PATH_MAX];
    struct stat stat_;

    if (sscanf(line, "%4095s", path) != 1 || path[0] != '/')
        return;
    unescape(path);
    if (stat(path, &stat_) == 0)
        forbid(forbidden, S_ISBLK(stat_.st_mode) ? stat_.st_rdev : stat_.st_dev, "used for swap");
}

void forbidden_find(struct forbidden *ret)
{
    *ret = (struct forbidden){ 0 };
    each_line(ret, "/proc/self/mountinfo", forbid_mount);
    each_line(ret, "/proc/swaps", forbid_swap);
}

/* Where the device must not be opened, by the name of its file, as far as that is still right. */
static bool loop_has(const char *name, const char *path, const struct stat *image,
                     bool *ret_leaving)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    auto_free char *file = NULL, *autoclear = NULL;
    struct loop_info64 info;
    struct stat backing;

    if (fd >= 0) {
        if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0 || info.lo_device != image->st_dev ||
            info.lo_inode != image->st_ino)
            return false;
        *ret_leaving = info.lo_flags & LO_FLAGS_AUTOCLEAR;
        return true;
    }
    file = io_host_text("/sys/class/block/%s/loop/backing_file", name);
    if (!file || stat(file, &backing) < 0 || backing.st_dev != image->st_dev ||
        backing.st_ino != image->st_ino)
        return false;
    autoclear = io_host_text("/sys/class/block/%s/loop/autoclear", name);
    *ret_leaving = autoclear && strcmp(autoclear, "1") == 0;
    return true;
}

/*
 * A loop device on this very file; the kernel would let two write to it. Leaving: it goes with
 * whoever has it open, as those of a mount and our own do. Most have no file, and there may be
 * hundreds: /proc/partitions leaves them out (block/genhd.c, show_partition: no capacity).
 */
static char *loop_holder(const struct stat *image, bool *ret_leaving)
{
    auto_free char *text = io_host_text("/proc/partitions");
    char *rest = text, *line, *holder = NULL;

    while (text && !holder && (line = strsep(&rest, "\n"))) {
        const char *name = strstr(line, "loop");
        auto_free char *path = name ? xasprintf("/dev/%s", name) : NULL;

        if (name && loop_has(name, path, image, ret_leaving))
            holder = xasprintf("attached as %s", path);
    }
    return holder;
}

/*
 * Whoever looks at all loop devices, as udev does, and another sshmend, keeps one for a moment that
 * its user has let go of.
 */
static char *lasting_loop_holder(const struct stat *image)
{
    enum { TRIES = 10 };
    static const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    bool leaving = false;
    char *holder = loop_holder(image, &leaving);

    for (int i = 0; holder && leaving && i < TRIES; i++) {
        free(holder);
        nanosleep(&pause, NULL);
        holder = loop_holder(image, &leaving);
    }
    return holder;
}

static char *holder_of(int fd, off_t first, off_t count, const char *clause)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = count
    };
    struct stat stat;

    if (fstat(fd, &stat) == 0) {
        char *holder = lasting_loop_holder(&stat);

        if (holder)
            return holder;
    }
    if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        return xstrdup(clause);
    return NULL;
}

char *image_holder(int fd)
{
    return holder_of(fd, QEMU_LOCK_FIRST, QEMU_LOCK_COUNT, "open in a virtual machine");
}

char *image_writer(int fd)
{
    return holder_of(fd, QEMU_WRITE_FIRST, QEMU_WRITE_COUNT, "written by a virtual machine");
}
