/* SPDX-License-Identifier: MIT */
/*
 * qcow2, VHD and their like, through qemu-storage-daemon's FUSE export: a program that is well
 * kept reads the format, and what comes out is a file like any other raw image.
 *
 * The daemon is in a mount namespace of its own, where it mounts the raw view over the image
 * itself; from here it is seen through /proc. So there is nothing to be cleared away, and whatever
 * ends this process ends the daemon and its mount.
 *
 * An image is as hostile as a disk: one that names another file (a backing file, an extent) could
 * have any file of this machine read, or written.
 */
#include "device/export.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/spawn.h"
#include "device/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

enum {
    INFO_SECONDS = 20,
    INFO_MAX = 1024 * 1024,
    START_TRIES = 200, /* of 50 ms */
    STOP_SECONDS = 30,
    PAUSE_NS = 50 * 1000 * 1000,
};

struct export
{
    struct child daemon;
    int image;
    char *path;
};

/* ---- formats ------------------------------------------------------------------------------ */

/* What people call them, and --format takes in any case; what qemu calls them; how they begin. */
static const struct format {
    const char *name, *driver, *magic;
    uint64_t offset; /* from the end where from_end */
    bool from_end;
} formats[] = {
    { "qcow2", "qcow2", "QFI\xfb", 0, false }, { "VMDK", "vmdk", "KDMV", 0, false },
    { "VHDX", "vhdx", "vhdxfile", 0, false },  { "VDI", "vdi", "\x7f\x10\xda\xbe", 64, false },
    { "VHD", "vpc", "conectix", 512, true },
};

static const struct format *format_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcasecmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

bool image_format_known(const char *name)
{
    return format_named(name) != NULL;
}

static bool begins_like(int fd, uint64_t size, const struct format *format)
{
    size_t len = strlen(format->magic);
    char magic[16];

    if (format->from_end && size < format->offset)
        return false;
    return io_read_at(fd, magic, len, format->from_end ? size - format->offset : format->offset) ==
               0 &&
           memcmp(magic, format->magic, len) == 0;
}

const char *image_format(int fd, uint64_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (begins_like(fd, size, &formats[i]))
            return formats[i].name;
    return NULL;
}

/* ---- what it must not be ------------------------------------------------------------------ */

static int check_programs(struct err *e)
{
    static const char *const programs[] = { "qemu-storage-daemon", "qemu-img" };

    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (!spawn_exists(programs[i]))
            return err_set(e, ERR_UNSUPPORTED,
                           "%s is not installed (package %s); or make a raw image of it on another "
                           "machine: qemu-img convert -O raw",
                           programs[i], i == 0 ? "qemu-system-common" : "qemu-utils");
    return 0;
}

/* A VMDK without a capacity of its own, or one that is a text, is a list of other files. */
static bool is_list_of_files(int fd, const struct format *format)
{
    enum { CAPACITY = 12, CAPACITY_SIZE = 8 };
    unsigned char head[CAPACITY + CAPACITY_SIZE];

    if (strcmp(format->driver, "vmdk") != 0)
        return false;
    if (io_read_at(fd, head, sizeof head, 0) < 0 ||
        memcmp(head, format->magic, strlen(format->magic)) != 0)
        return true;
    for (size_t i = CAPACITY; i < sizeof head; i++)
        if (head[i])
            return false;
    return true;
}

/* What qemu-img says of it; nothing else is opened for that. */
static int check_image(const char *image, int fd, const struct format *format, struct err *e)
{
    static const char *const names[] = { "\"backing-filename\"", "\"data-file\"" };
    const char *const argv[] = {
        "qemu-img", "info", "-U", "-f", format->driver, "--output=json", "/proc/self/fd/3", NULL
    };
    auto_blob struct blob output = { 0 };
    int status;

    if (is_list_of_files(fd, format))
        return err_set(e, ERR_REFUSED, "%s is no VMDK, or one whose content is in other files",
                       image);
    if (spawn_output(&(struct spawn){ .argv = argv, .inherit = &fd, .inherit_count = 1 },
                     INFO_SECONDS, INFO_MAX, &output, &status, e) < 0)
        return -1;
    if (status != 0)
        return err_set(e, ERR_REFUSED, "%s is no image of the format %s", image, format->name);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strstr((const char *)output.data, names[i]))
            return err_set(e, ERR_REFUSED,
                           "%s is only a part: it names another file, which is not opened; make "
                           "one image of both: qemu-img convert -O raw",
                           image);
    return 0;
}

/* ---- the daemon --------------------------------------------------------------------------- */

static int start_daemon(struct export *export, const char *image, const char *driver, bool writable,
                        struct err *e)
{
    auto_free char *file = xasprintf("driver=file,node-name=file,filename=/proc/self/fd/3,"
                                     "locking=off,read-only=%s",
                                     writable ? "off" : "on");
    auto_free char *node = xasprintf("driver=%s,node-name=disk,file=file,read-only=%s", driver,
                                     writable ? "off" : "on");
    /* A comma within is written twice (qemu's own rule). */
    auto_free char *place = xcalloc(2 * strlen(image) + 1, 1);
    auto_free char *view = NULL;
    const char *const argv[] = { "unshare",    "--mount",  "--propagation",
                                 "private",    "--",       "qemu-storage-daemon",
                                 "--blockdev", file,       "--blockdev",
                                 node,         "--export", NULL,
                                 NULL };
    const char *words[ARRAY_SIZE(argv)];
    char *out = place;

    for (const char *in = image; *in; in++) {
        *out++ = *in;
        if (*in == ',')
            *out++ = ',';
    }
    view = xasprintf("type=fuse,id=view,node-name=disk,mountpoint=%s,writable=%s", place,
                     writable ? "on" : "off");
    memcpy(words, argv, sizeof argv);
    words[ARRAY_SIZE(argv) - 2] = view;
    return spawn_start(
        &(struct spawn){
            .argv = words, .inherit = &export->image, .inherit_count = 1, .errors_too = true },
        &export->daemon, e);
}

/* Its last words, where it has ended. */
static bool has_ended(struct export *export, char *words, size_t size)
{
    struct pollfd wait = { .fd = export->daemon.out, .events = POLLIN };
    ssize_t n;

    if (poll(&wait, 1, 0) <= 0)
        return false;
    n = read(export->daemon.out, words, size - 1);
    words[n > 0 ? n : 0] = '\0';
    return true;
}

/* The file at the image's path in the daemon's namespace is another one once it is mounted. */
static int wait_for_view(struct export *export, const char *image, struct err *e)
{
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    struct stat own, view;
    char words[512];

    if (fstat(export->image, &own) < 0)
        return err_errno(e, "look at %s", image);
    for (int i = 0; i < START_TRIES; i++) {
        if (stat(export->path, &view) == 0 && view.st_dev != own.st_dev)
            return 0;
        if (has_ended(export, words, sizeof words))
            return err_set(e, ERR_UNSUPPORTED, "qemu-storage-daemon cannot show %s: %s", image,
                           *words ? words : "it has ended");
        nanosleep(&pause, NULL);
    }
    return err_set(e, ERR_UNSUPPORTED, "qemu-storage-daemon does not show %s", image);
}

int export_start(const char *image, const char *format, bool writable, struct export **ret,
                 struct err *e)
{
    auto_export struct export *export = xcalloc(1, sizeof *export);
    auto_free char *absolute = realpath(image, NULL);
    const struct format *known = format_named(format);

    export->daemon.out = -1;
    export->image = absolute ? open(absolute, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC) : -1;
    if (export->image < 0)
        return err_errno(e, "open %s", image);
    if (geteuid() != 0)
        return err_set(e, ERR_UNSUPPORTED, "--format=%s takes root's rights", format);
    if (check_programs(e) < 0 || check_image(image, export->image, known, e) < 0 ||
        start_daemon(export, absolute, known->driver, writable, e) < 0)
        return -1;
    export->path = xasprintf("/proc/%d/root%s", (int)export->daemon.pid, absolute);
    if (wait_for_view(export, image, e) < 0)
        return -1;
    *ret = take_ptr(export);
    return 0;
}

const char *export_path(const struct export *export)
{
    return export->path;
}

int export_image(const struct export *export)
{
    return export->image;
}

void export_stop(struct export **export)
{
    if (!*export)
        return;
    spawn_finish(&(*export)->daemon, STOP_SECONDS); /* it writes what it still has in memory */
    if ((*export)->image >= 0)
        close((*export)->image);
    free((*export)->path);
    free(*export);
    *export = NULL;
}
