/* SPDX-License-Identifier: MIT */
/* The writing half of the door through the kernel. */
#include "door/mounted.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/*
 * Nothing that somebody has mounted inside a directory tree is ours: it may be the running
 * system's own. Where we have mounted the root, nobody else can have.
 */
static int refuse_other_device(const struct root *root, int fd, const char *path, struct err *e)
{
    struct stat top, here;

    if (mounted_of(root)->device)
        return 0;
    if (fstat(mounted_of(root)->fd, &top) < 0 || fstat(fd, &here) < 0)
        return err_errno(e, "%s", path);
    if (top.st_dev != here.st_dev)
        return err_set(e, ERR_REFUSED, "%s is on another file system that is mounted there", path);
    return 0;
}

/* What is changed in place. */
static int open_for_change(const struct root *root, const char *path, struct err *e)
{
    auto_fd int fd = mounted_open(root, path, WALK_REFUSE, e);

    if (fd < 0 || refuse_other_device(root, fd, path, e) < 0)
        return -1;
    return take_fd(&fd);
}

/* The parent of a canonical path, opened; *ret_name points into path. */
static int open_parent(const struct root *root, const char *path, const char **ret_name,
                       struct err *e)
{
    const struct walk_tree tree = mounted_tree(root);
    auto_fd int fd = walk_parent(&tree, path, ret_name);

    if (fd < 0)
        return err_errno(e, "%s", path);
    return refuse_other_device(root, fd, path, e) < 0 ? -1 : take_fd(&fd);
}

static int write_label(int fd, const char *path, const char *label, struct err *e)
{
    if (label && fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
        return err_errno(e, "label %s", path);
    return 0;
}

/* What a default ACL of the directory above has given it. */
static int drop_inherited(int fd, const char *path, struct err *e)
{
    static const char *const names[] = { "system.posix_acl_access", "system.posix_acl_default" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (fremovexattr(fd, names[i]) < 0 && errno != ENODATA && errno != EOPNOTSUPP &&
            errno != EACCES)
            return err_errno(e, "remove the inherited ACL of %s", path);
    return 0;
}

static int dress(int fd, const char *path, const struct root_meta *meta, struct err *e)
{
    if (drop_inherited(fd, path, e) < 0)
        return -1;
    if (fchown(fd, meta->uid, meta->gid) < 0 || fchmod(fd, meta->mode & 07777) < 0)
        return err_errno(e, "set mode and owner of %s", path);
    return write_label(fd, path, meta->label, e);
}

/* Metadata before content: nobody may read a key before it has its mode. */
int mounted_create(struct root *root, const char *path, const struct blob *content,
                   const struct root_meta *meta, struct err *e)
{
    const char *name;
    auto_fd int parent = open_parent(root, path, &name, e), fd = -1;

    if (parent < 0)
        return -1;
    fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "create %s", path);
    if (dress(fd, path, meta, e) == 0) {
        if (io_write_all(fd, content->data, content->len) == 0)
            return 0;
        err_errno(e, "write %s", path);
    }
    (void)unlinkat(parent, name, 0);
    return -1;
}

int mounted_mkdir(struct root *root, const char *path, const struct root_meta *meta, struct err *e)
{
    const char *name;
    auto_fd int parent = open_parent(root, path, &name, e), fd = -1;

    if (parent < 0)
        return -1;
    if (mkdirat(parent, name, 0700) < 0)
        return err_errno(e, "create the directory %s", path);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && dress(fd, path, meta, e) == 0)
        return 0;
    if (fd < 0)
        err_errno(e, "open %s", path);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
    return -1;
}

/* By way of its parent's descriptor: there is no descriptor of a link to label it by. */
static int label_link(int parent, const char *name, const char *label)
{
    auto_free char *path = xasprintf("/proc/self/fd/%d/%s", parent, name);

    return label ? lsetxattr(path, "security.selinux", label, strlen(label) + 1, 0) : 0;
}

int mounted_symlink(struct root *root, const char *path, const char *target,
                    const struct root_meta *meta, struct err *e)
{
    const char *name;
    auto_fd int parent = open_parent(root, path, &name, e);

    if (parent < 0)
        return -1;
    if (symlinkat(target, parent, name) < 0)
        return err_errno(e, "create the link %s", path);
    if (fchownat(parent, name, meta->uid, meta->gid, AT_SYMLINK_NOFOLLOW) == 0 &&
        label_link(parent, name, meta->label) == 0)
        return 0;
    err_errno(e, "set owner and label of %s", path);
    (void)unlinkat(parent, name, 0);
    return -1;
}

static int rename_flags(struct root *root, const char *a, const char *b, unsigned flags,
                        struct err *e)
{
    const char *a_name, *b_name;
    auto_fd int a_parent = open_parent(root, a, &a_name, e), b_parent = -1;

    if (a_parent < 0)
        return -1;
    b_parent = open_parent(root, b, &b_name, e);
    if (b_parent < 0)
        return -1;
    if (renameat2(a_parent, a_name, b_parent, b_name, flags) < 0)
        return err_errno(e, "%s %s and %s", flags == RENAME_EXCHANGE ? "exchange" : "rename", a, b);
    return 0;
}

int mounted_exchange(struct root *root, const char *a, const char *b, struct err *e)
{
    return rename_flags(root, a, b, RENAME_EXCHANGE, e);
}

int mounted_rename(struct root *root, const char *from, const char *to, struct err *e)
{
    return rename_flags(root, from, to, RENAME_NOREPLACE, e);
}

int mounted_unlink(struct root *root, const char *path, bool directory, struct err *e)
{
    const char *name;
    auto_fd int parent = open_parent(root, path, &name, e);

    if (parent < 0)
        return -1;
    if (unlinkat(parent, name, directory ? AT_REMOVEDIR : 0) < 0)
        return err_errno(e, "remove %s", path);
    return 0;
}

int mounted_set_mode(struct root *root, const char *path, mode_t mode, struct err *e)
{
    auto_fd int fd = open_for_change(root, path, e);

    if (fd < 0)
        return -1;
    return fchmod(fd, mode & 07777) < 0 ? err_errno(e, "change the mode of %s", path) : 0;
}

int mounted_set_owner(struct root *root, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    auto_fd int fd = open_for_change(root, path, e);

    if (fd < 0)
        return -1;
    return fchown(fd, uid, gid) < 0 ? err_errno(e, "change the owner of %s", path) : 0;
}

int mounted_set_xattr(struct root *root, const char *path, const char *name,
                      const struct blob *value, struct err *e)
{
    auto_fd int fd = open_for_change(root, path, e);

    if (fd < 0)
        return -1;
    if (fsetxattr(fd, name, value->data, value->len, 0) < 0)
        return err_errno(e, "set %s of %s", name, path);
    return 0;
}

int mounted_remove_xattr(struct root *root, const char *path, const char *name, struct err *e)
{
    auto_fd int fd = open_for_change(root, path, e);

    if (fd < 0)
        return -1;
    if (fremovexattr(fd, name) < 0 && errno != ENODATA)
        return err_errno(e, "remove %s of %s", name, path);
    return 0;
}

int mounted_set_flags(struct root *root, const char *path, unsigned flags, struct err *e)
{
    auto_fd int fd = open_for_change(root, path, e);
    int value = (int)flags;

    if (fd < 0)
        return -1;
    return ioctl(fd, FS_IOC_SETFLAGS, &value) < 0 ? err_errno(e, "set the flags of %s", path) : 0;
}

/*
 * One flush for all staged files instead of one each. It reports write errors since
 * Linux 5.8; on older kernels the second look is what notices.
 */
int mounted_sync(struct root *root, struct err *e)
{
    const struct mounted *mounted = mounted_of(root);

    for (size_t i = 0; i < mounted->mount_count; i++)
        if (root_sync(mounted->beneath[i], e) < 0)
            return err_prefix(e, "%s", mounted->mounts[i].path);
    return syncfs(mounted->fd) < 0 ? err_errno(e, "write the changes to the disk") : 0;
}
