/* SPDX-License-Identifier: MIT */
/* Disks, images and directories: those attached, and the one the operator names. */
#include "device/export.h"
#include "device/private.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void volume_free(struct volume *volume)
{
    free(volume->name);
    free(volume->path);
    free(volume->type);
    free(volume->uuid);
    free(volume->label);
    free(volume->part_uuid);
    free(volume->part_label);
    free(volume->advice);
}

void disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++)
        volume_free(&disk->volumes[i]);
    free(disk->volumes);
    free(disk->path);
    free(disk->model);
    free(disk->serial);
    free(disk->mapper);
    free(disk->table);
    free(disk->in_use);
    if (disk->held >= 0)
        close(disk->held);
    export_stop(&disk->export);
    *disk = (struct disk){ .held = -1 };
}

void disks_free(struct disks *disks)
{
    for (size_t i = 0; i < disks->count; i++)
        disk_free(&disks->items[i]);
    free(disks->items);
    *disks = (struct disks){ 0 };
}

/* A text of sysfs with content, trimmed; the first of two places. */
static char *sysfs_text(dev_t device, const char *first, const char *second)
{
    const char *const names[] = { first, second };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        auto_free char *text =
            io_host_text("/sys/dev/block/%u:%u/%s", major(device), minor(device), names[i]);
        char *trimmed = text ? text_trim(text) : NULL;

        if (trimmed && *trimmed)
            return xstrdup(trimmed);
    }
    return NULL;
}

static int fill_block(int fd, const struct stat *stat, struct disk *disk, struct err *e)
{
    int sector_size = 512, read_only = 0;
    struct forbidden forbidden;
    const char *reason;

    disk->kind = DISK_BLOCK;
    if (ioctl(fd, BLKGETSIZE64, &disk->size) < 0)
        return err_errno(e, "read the size of %s", disk->path);
    if (ioctl(fd, BLKSSZGET, &sector_size) == 0)
        disk->sector_size = (unsigned)sector_size;
    disk->read_only = ioctl(fd, BLKROGET, &read_only) == 0 && read_only;
    disk->model = sysfs_text(stat->st_rdev, "device/model", "../device/model");
    /* virtio-blk has the serial beside the disk, SCSI and NVMe with the device. */
    disk->serial = sysfs_text(stat->st_rdev, "serial", "device/serial");
    disk->mapper = sysfs_text(stat->st_rdev, "dm/name", "dm/name");
    forbidden_find(&forbidden);
    reason = forbidden_reason(&forbidden, stat->st_rdev);
    disk->in_use = reason ? xstrdup(reason) : NULL;
    forbidden_free(&forbidden);
    return 0;
}

static int fill_image(int fd, const struct stat *stat, struct disk *disk, struct err *e)
{
    disk->kind = DISK_IMAGE;
    disk->size = (uint64_t)stat->st_size;
    disk->read_only = access(disk->path, W_OK) < 0;
    disk->in_use = image_holder(disk->export ? export_image(disk->export) : fd);
    if (disk->size == 0)
        return err_set(e, ERR_NOT_FOUND, "%s is empty", disk->path);
    return 0;
}

/* Where it is opened. */
static const char *place_of(const struct disk *disk)
{
    return disk->export ? export_path(disk->export) : disk->path;
}

static int fill_disk(struct disk *disk, struct err *e)
{
    auto_fd int fd = open(place_of(disk), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat stat;
    int result;

    if (fd < 0 || fstat(fd, &stat) < 0)
        return err_errno(e, "open %s", disk->path);
    disk->sector_size = 512;
    disk->device = stat.st_dev;
    disk->inode = stat.st_ino;
    if (S_ISDIR(stat.st_mode)) {
        disk->kind = DISK_DIRECTORY;
        return 0;
    }
    if (S_ISBLK(stat.st_mode))
        result = fill_block(fd, &stat, disk, e);
    else if (S_ISREG(stat.st_mode))
        result = fill_image(fd, &stat, disk, e);
    else
        return err_set(e, ERR_REFUSED, "%s is neither a disk, nor an image file, nor a directory",
                       disk->path);
    if (result < 0)
        return -1;
    disk->seems = disk->kind == DISK_IMAGE && !disk->export ? image_format(fd, disk->size) : NULL;
    return probe_disk(fd, disk, e);
}

int device_open_image(const char *target, const struct image_source *source, bool writable,
                      struct disk *ret, struct err *e)
{
    auto_with(
        disk_free) struct disk disk = { .path = xstrdup(target), .source = *source, .held = -1 };

    if ((source->format && export_start(target, source, writable, &disk.export, e) < 0) ||
        fill_disk(&disk, e) < 0)
        return -1;
    *ret = disk;
    disk = (struct disk){ .held = -1 };
    return 0;
}

int device_open(const char *target, struct disk *ret, struct err *e)
{
    const struct image_source raw = { 0 };

    return device_open_image(target, &raw, false, ret, e);
}

static bool same_serial(const char *serial, const char *wanted)
{
    enum { VIRTIO_BLK_ID_BYTES = 20 }; /* include/uapi/linux/virtio_blk.h */

    return strcmp(serial, wanted) == 0 || (strlen(serial) == VIRTIO_BLK_ID_BYTES &&
                                           strncmp(serial, wanted, VIRTIO_BLK_ID_BYTES) == 0);
}

bool disk_has_serial(const struct disk *disk, const char *wanted)
{
    if (!disk->serial)
        return false;
    return same_serial(disk->serial, wanted) ||
           (text_starts(wanted, "d-") && same_serial(disk->serial, wanted + 2));
}

bool disk_has_id(const struct disk *disk, const char *id)
{
    while ((id = strpbrk(id, "-_")))
        if (disk_has_serial(disk, ++id))
            return true;
    return false;
}

/* Partitions come with their disk; RAM disks and empty drives hold no system. */
static bool worth_listing(const char *name)
{
    auto_free char *size = io_host_text("/sys/class/block/%s/size", name);
    auto_free char *partition = io_host_text("/sys/class/block/%s/partition", name);

    return name[0] != '.' && !partition && size && strcmp(size, "0") != 0 &&
           !text_starts(name, "ram") && !text_starts(name, "zram");
}

static int by_path(const void *a, const void *b)
{
    return strverscmp(((const struct disk *)a)->path, ((const struct disk *)b)->path);
}

int device_list(struct disks *ret, struct err *e)
{
    auto_with(disks_free) struct disks disks = { 0 };
    DIR *directory = opendir("/sys/class/block");
    struct dirent *entry;

    if (!directory)
        return err_errno(e, "list the disks in /sys/class/block");
    while ((entry = readdir(directory))) {
        auto_free char *path = xasprintf("/dev/%s", entry->d_name);
        struct disk disk = { 0 };

        /* A drive that cannot be read (no medium, a dying disk) is no reason to hide the others. */
        if (!worth_listing(entry->d_name) || device_open(path, &disk, NULL) < 0)
            continue;
        if (disk.in_use)
            disk_free(&disk);
        else
            array_push(disks.items, disks.count, disk);
    }
    closedir(directory);
    if (disks.count)
        qsort(disks.items, disks.count, sizeof *disks.items, by_path);
    *ret = disks;
    disks = (struct disks){ 0 };
    return 0;
}

int device_hold(struct disk *disk, bool exclusive, struct err *e)
{
    auto_fd int fd = -1;
    struct stat stat;

    if (disk->in_use)
        return err_set(e, ERR_IN_USE, "%s is %s", disk->path, disk->in_use);
    /* For a block device O_EXCL is a claim; it sees every holder in every namespace. */
    fd = open(place_of(disk), O_RDONLY | O_CLOEXEC | (disk->kind == DISK_BLOCK ? O_EXCL : 0));
    if (fd < 0 && errno == EBUSY)
        return err_set(e, ERR_IN_USE,
                       "%s is in use: mounted, or part of a RAID, LVM or LUKS device", disk->path);
    if (fd < 0)
        return err_errno(e, "open %s", disk->path);
    if (fstat(fd, &stat) < 0 || stat.st_dev != disk->device || stat.st_ino != disk->inode)
        return err_set(e, ERR_CHANGED, "%s is no longer the file it was", disk->path);
    if (disk->kind == DISK_IMAGE && flock(disk->export ? export_image(disk->export) : fd,
                                          (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0)
        return err_set(e, ERR_IN_USE, "%s is in use: another program has locked it", disk->path);
    disk->held = take_fd(&fd);
    return 0;
}

void device_let_go(struct disk *disk)
{
    if (disk->kind != DISK_BLOCK || disk->held < 0)
        return; /* nobody minds a lock */
    close(disk->held);
    disk->held = -1;
}

int device_descriptor(const struct disk *disk, bool writable, struct err *e)
{
    char link[64];
    int fd;

    if (writable && disk->read_only)
        return err_set(e, ERR_READ_ONLY, "%s is read-only", disk->path);
    /* The very file that is held, whatever has its name by now. */
    snprintf(link, sizeof link, "/proc/self/fd/%d", disk->held);
    fd = open(link, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    return fd < 0 ? err_errno(e, "open %s", disk->path) : fd;
}
