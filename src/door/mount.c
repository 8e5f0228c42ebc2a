/* SPDX-License-Identifier: MIT */
/*
 * Two ways, the better one first:
 *
 *   detached  fsopen(2) and fsmount(2), Linux 5.2: never in any mount table
 *   private   libmount in a mount namespace of our own, detached as soon as the
 *             root directory is open
 *
 * Both die with the process, also by SIGKILL.
 */
#include "door/mount.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum { HIDDEN = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME };

static int set_option(int fs, const char *option)
{
    auto_free char *name = xstrdup(option);
    char *value = strchr(name, '=');

    if (!value)
        return fsconfig(fs, FSCONFIG_SET_FLAG, name, NULL, 0);
    *value = '\0';
    return fsconfig(fs, FSCONFIG_SET_STRING, name, value + 1, 0);
}

static int set_options(int fs, const char *options)
{
    auto_free char *copy = xstrdup(options);
    char *rest = copy, *option;

    while ((option = strsep(&rest, ",")))
        if (*option && set_option(fs, option) < 0)
            return -1;
    return 0;
}

/* What the file system driver has to say beyond errno, its last line. */
static int explain(int fs, const char *device, const char *type, struct err *e)
{
    int code = errno;
    char message[256], last[256] = "";
    ssize_t len;

    while ((len = read(fs, message, sizeof message - 1)) > 0) {
        message[len] = '\0';
        memcpy(last, message, (size_t)len + 1);
    }
    errno = code;
    return err_errno(e, "mount the %s on %s%s%s", type, device, *last ? ": " : "",
                     strlen(last) > 2 ? last + 2 : "");
}

static int fsmount_hidden(int fs, bool read_only)
{
    unsigned attributes = HIDDEN | (read_only ? MOUNT_ATTR_RDONLY : 0u);
    auto_fd int fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes | MOUNT_ATTR_NOSYMFOLLOW);

    /* Linux before 5.14 does not know it; the walker follows no link either way. */
    if (fd < 0 && errno == EINVAL)
        fd = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
    /* What fsmount gives is O_PATH, which cannot be synced. */
    return fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int mount_detached(int fs, const char *device, const char *type, const char *options,
                          bool read_only, struct err *e)
{
    int fd;

    if (fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
        (read_only && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0) ||
        set_options(fs, options) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return explain(fs, device, type, e);
    fd = fsmount_hidden(fs, read_only);
    return fd < 0 ? explain(fs, device, type, e) : fd;
}

/* Any directory will do: the mount hides it from nobody but us, and only for a moment. */
static const char hook[] = "/tmp";

static int mount_by_libmount(struct libmnt_context *context, const char *device, const char *type,
                             const char *options, bool read_only, struct err *e)
{
    auto_free char *all = xasprintf("nosuid,nodev,noexec,noatime,%s%s%s", read_only ? "ro" : "rw",
                                    *options ? "," : "", options);
    char reason[256] = "";
    int result;

    mnt_context_disable_helpers(context, 1);
    mnt_context_disable_mtab(context, 1);
    mnt_context_disable_canonicalize(context, 1);
    if (mnt_context_set_source(context, device) || mnt_context_set_target(context, hook) ||
        mnt_context_set_fstype(context, type) || mnt_context_set_options(context, all))
        return err_set(e, ERR_IO, "libmount refuses to mount %s", device);
    result = mnt_context_mount(context);
    if (mnt_context_get_excode(context, result, reason, sizeof reason) == 0)
        return 0;
    errno = mnt_context_get_syscall_errno(context);
    return err_errno(e, "mount the %s on %s: %s", type, device, reason);
}

static int mount_private(const char *device, const char *type, const char *options, bool read_only,
                         struct err *e)
{
    struct libmnt_context *context;
    int fd, result;

    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_errno(e, "make a private mount namespace (this needs root)");
    context = mnt_new_context();
    result = context ? mount_by_libmount(context, device, type, options, read_only, e)
                     : err_set(e, ERR_IO, "libmount has no memory");
    mnt_free_context(context);
    if (result < 0)
        return -1;
    fd = open(hook, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        err_errno(e, "open the root of %s", device);
    (void)umount2(hook, MNT_DETACH);
    return fd;
}

int mount_hidden(const char *device, const char *type, const char *options, bool read_only,
                 struct err *e)
{
    auto_fd int fs = fsopen(type, FSOPEN_CLOEXEC);

    if (fs >= 0)
        return mount_detached(fs, device, type, options, read_only, e);
    if (errno == ENOSYS)
        return mount_private(device, type, options, read_only, e);
    if (errno == ENODEV)
        return err_set(e, ERR_UNSUPPORTED, "this kernel has no driver for %s", type);
    return err_errno(e, "mount the %s on %s", type, device);
}
