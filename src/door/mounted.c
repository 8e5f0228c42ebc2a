/* SPDX-License-Identifier: MIT */
/*
 * Every function resolves its path to a descriptor once, looks at what it got,
 * and from there on uses the descriptor alone. Nothing but regular files and
 * directories is ever opened for more than O_PATH.
 */
#include "door/mounted.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"
#include "door/open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

enum { XATTR_MAX = 64 * 1024, NAMES_MAX = 100000 };

int mounted_walk(const struct root *root, const char *path, enum walk_links links, char **ret_path,
                 struct stat *ret_stat)
{
    const struct walk_tree tree = mounted_tree(root);

    return walk_open(&tree, path, links, ret_path, ret_stat);
}

/* What is mounted in a directory tree is somebody else's; what we have opened ourselves is not. */
static bool is_foreign(const struct root *root, const struct stat *here)
{
    struct stat top;

    return !mounted_of(root)->device && fstat(mounted_of(root)->fd, &top) == 0 &&
           top.st_dev != here->st_dev;
}

static void fill_stat(const struct root *root, const struct stat *from, struct root_stat *to)
{
    *to = (struct root_stat){
        .mode = from->st_mode,
        .uid = from->st_uid,
        .gid = from->st_gid,
        .size = (uint64_t)from->st_size,
        .inode = from->st_ino,
        .device = from->st_dev,
        .foreign = is_foreign(root, from),
        .links = (unsigned)from->st_nlink,
        .mtime = from->st_mtim,
    };
}

static int mounted_find(const struct root *root, const char *path, bool follow, char **ret_path,
                        struct root_stat *ret_stat, struct err *e)
{
    auto_free char *canonical = NULL;
    struct stat stat;
    auto_fd int fd = mounted_walk(root, path, follow ? WALK_FOLLOW : WALK_FOLLOW_DIRS,
                                  ret_path ? &canonical : NULL, &stat);

    if (fd < 0)
        return err_errno(e, "%s", path);
    if (ret_stat)
        fill_stat(root, &stat, ret_stat);
    if (ret_path)
        *ret_path = take_ptr(canonical);
    return 0;
}

/* Opens what is pinned by an O_PATH descriptor, and nothing else. */
static int open_pinned(int pin, const struct stat *pinned, const char *path, struct err *e)
{
    auto_fd int fd = -1;
    struct stat opened;
    char link[64];

    if (!S_ISREG(pinned->st_mode) && !S_ISDIR(pinned->st_mode))
        return err_set(e, ERR_REFUSED, "%s is neither a file nor a directory", path);
    snprintf(link, sizeof link, "/proc/self/fd/%d", pin);
    fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &opened) < 0)
        return err_errno(e, "open %s", path);
    if (opened.st_ino != pinned->st_ino || opened.st_dev != pinned->st_dev)
        return err_set(e, ERR_CHANGED, "%s changed while it was opened", path);
    return take_fd(&fd);
}

int mounted_open(const struct root *root, const char *path, enum walk_links links, struct err *e)
{
    struct stat pinned;
    auto_fd int pin = mounted_walk(root, path, links, NULL, &pinned);

    return pin < 0 ? err_errno(e, "%s", path) : open_pinned(pin, &pinned, path, e);
}

static int mounted_read(const struct root *root, const char *path, size_t max, struct blob *ret,
                        struct err *e)
{
    struct stat pinned;
    auto_fd int pin = mounted_walk(root, path, WALK_FOLLOW, NULL, &pinned), fd = -1;

    if (pin < 0)
        return err_errno(e, "%s", path);
    if (door_may_read(path, pinned.st_mode, (uint64_t)pinned.st_size, max, e) < 0)
        return -1;
    fd = open_pinned(pin, &pinned, path, e);
    if (fd < 0)
        return -1;
    return io_read_all(fd, max, ret) < 0 ? err_errno(e, "read %s", path) : 0;
}

static int mounted_read_part(const struct root *root, const char *path, uint64_t offset, size_t len,
                             struct blob *ret, struct err *e)
{
    struct stat pinned;
    auto_fd int pin = mounted_walk(root, path, WALK_FOLLOW, NULL, &pinned), fd = -1;
    auto_blob struct blob bytes = { 0 };

    if (pin < 0)
        return err_errno(e, "%s", path);
    if (door_may_read_part(path, pinned.st_mode, (uint64_t)pinned.st_size, offset, len, e) < 0)
        return -1;
    fd = open_pinned(pin, &pinned, path, e);
    if (fd < 0)
        return -1;
    bytes = blob_zeroed(len);
    if (io_read_at(fd, bytes.data, len, offset) < 0)
        return err_errno(e, "read %s", path);
    *ret = take_blob(bytes);
    return 0;
}

static int mounted_readlink(const struct root *root, const char *path, char **ret, struct err *e)
{
    auto_fd int fd = mounted_walk(root, path, WALK_FOLLOW_DIRS, NULL, NULL);
    char target[PATH_MAX];
    ssize_t len = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof target);

    if (len < 0)
        return err_errno(e, "read the link %s", path);
    *ret = xstrndup(target, (size_t)len);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct root_entry *)a)->name, ((const struct root_entry *)b)->name);
}

/* XFS without ftype, and some FUSE file systems, do not tell types with the names. */
static mode_t entry_type(int directory_fd, const struct dirent *entry)
{
    struct stat stat;

    if (entry->d_type != DT_UNKNOWN)
        return DTTOIF(entry->d_type);
    if (fstatat(directory_fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return stat.st_mode & S_IFMT;
}

static struct root_entry *read_entries(DIR *directory)
{
    struct root_entry *entries = NULL, end = { 0 };
    struct dirent *entry;
    size_t count = 0;

    while (count < NAMES_MAX && (entry = readdir(directory))) {
        struct root_entry found = { .type = entry_type(dirfd(directory), entry) };

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        found.name = xstrdup(entry->d_name);
        array_push(entries, count, found);
    }
    if (count)
        qsort(entries, count, sizeof *entries, by_name);
    array_push(entries, count, end);
    return entries;
}

static int mounted_list(const struct root *root, const char *path, struct root_entry **ret,
                        struct err *e)
{
    auto_fd int fd = mounted_open(root, path, WALK_FOLLOW, e);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !directory)
        return err_errno(e, "list %s", path);
    if (!directory)
        return -1;
    (void)take_fd(&fd); /* closedir closes it */
    *ret = read_entries(directory);
    closedir(directory);
    return 0;
}

static int read_xattr(int fd, const char *name, const char *path, struct blob *ret, struct err *e)
{
    char value[XATTR_MAX];
    ssize_t len = fgetxattr(fd, name, value, sizeof value);

    if (len < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
        return err_set(e, ERR_NOT_FOUND, "%s has no %s", path, name);
    if (len < 0)
        return err_errno(e, "read %s of %s", name, path);
    *ret = blob_copy(value, (size_t)len);
    return 0;
}

static int mounted_get_xattr(const struct root *root, const char *path, const char *name,
                             struct blob *ret, struct err *e)
{
    auto_fd int fd = mounted_open(root, path, WALK_FOLLOW, e);

    return fd < 0 ? -1 : read_xattr(fd, name, path, ret, e);
}

static int mounted_list_xattrs(const struct root *root, const char *path, char ***ret,
                               struct err *e)
{
    auto_fd int fd = mounted_open(root, path, WALK_FOLLOW, e);
    char names[XATTR_MAX];
    ssize_t len = fd < 0 ? -1 : flistxattr(fd, names, sizeof names);
    char **list = NULL;
    size_t count = 0;

    if (fd < 0)
        return -1;
    if (len < 0 && errno != EOPNOTSUPP)
        return err_errno(e, "list the attributes of %s", path);
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
        char *name = xstrdup(names + at);

        array_push(list, count, name);
    }
    array_push(list, count, NULL);
    *ret = list;
    return 0;
}

static int read_attributes(int fd, const char *path, struct root_attributes *ret, struct err *e)
{
    auto_blob struct blob label = { 0 };
    int flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 && errno != ENOTTY && errno != EOPNOTSUPP)
        return err_errno(e, "read the flags of %s", path);
    ret->flags = (unsigned)flags;
    if (read_xattr(fd, "security.selinux", path, &label, NULL) == 0)
        ret->label = xstrdup((char *)label.data);
    if (read_xattr(fd, "system.posix_acl_access", path, &ret->acl, NULL) < 0)
        ret->acl = (struct blob){ 0 };
    return 0;
}

static int mounted_describe(const struct root *root, const char *path, char **ret_path,
                            struct root_stat *ret_stat, struct root_attributes *ret, struct err *e)
{
    auto_free char *canonical = NULL;
    struct root_attributes attributes = { 0 };
    struct stat stat;
    auto_fd int pin = mounted_walk(root, path, WALK_FOLLOW, &canonical, &stat);
    auto_fd int fd = -1;

    if (pin < 0)
        return err_errno(e, "%s", path);
    if (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode)) {
        fd = open_pinned(pin, &stat, path, e);
        if (fd < 0 || read_attributes(fd, path, &attributes, e) < 0)
            return -1;
    }
    if (ret_path)
        *ret_path = take_ptr(canonical);
    fill_stat(root, &stat, ret_stat);
    *ret = attributes;
    return 0;
}

static int mounted_facts(const struct root *root, struct root_facts *ret, struct err *e)
{
    struct statvfs space;

    if (fstatvfs(mounted_of(root)->fd, &space) < 0)
        return err_errno(e, "read the free space");
    *ret = mounted_of(root)->facts;
    for (size_t i = 0; i < mounted_of(root)->mount_count; i++)
        ret->journal_dirty =
            ret->journal_dirty || mounted_of(mounted_of(root)->beneath[i])->facts.journal_dirty;
    ret->read_only = mounted_of(root)->access == ROOT_WRITE && (space.f_flag & ST_RDONLY);
    ret->block_size = (uint32_t)space.f_frsize;
    /* Not f_bfree: the reserve is there for the system itself. */
    ret->bytes_free = (uint64_t)space.f_bavail * space.f_frsize;
    ret->inodes_free = space.f_files ? space.f_favail : UINT64_MAX;
    return 0;
}

static int mounted_close(struct root *root, struct err *e)
{
    struct mounted *mounted = (struct mounted *)root;
    int result = mounted->access == ROOT_WRITE ? mounted_sync(root, e) : 0;

    for (size_t i = mounted->mount_count; i-- > 0;) {
        root_drop(&mounted->beneath[i]);
        free(mounted->mounts[i].path);
    }
    free(mounted->beneath);
    free(mounted->mounts);
    free(mounted->device);
    close(mounted->fd);
    free(mounted);
    return result;
}

static int mounted_attach(struct root *root, const char *path, struct root **beneath, struct err *e)
{
    struct mounted *mounted = (struct mounted *)root;
    struct walk_mount mount = { .path = xstrdup(path), .fd = mounted_of(*beneath)->fd };
    size_t count = mounted->mount_count;

    (void)e;
    array_push(mounted->mounts, count, mount);
    array_push(mounted->beneath, mounted->mount_count, *beneath);
    *beneath = NULL;
    return 0;
}

static const struct root_door mounted_door = {
    .find = mounted_find,
    .read = mounted_read,
    .read_part = mounted_read_part,
    .readlink = mounted_readlink,
    .list = mounted_list,
    .get_xattr = mounted_get_xattr,
    .list_xattrs = mounted_list_xattrs,
    .describe = mounted_describe,
    .facts = mounted_facts,
    .create = mounted_create,
    .mkdir = mounted_mkdir,
    .symlink = mounted_symlink,
    .exchange = mounted_exchange,
    .rename = mounted_rename,
    .unlink = mounted_unlink,
    .set_mode = mounted_set_mode,
    .set_owner = mounted_set_owner,
    .set_xattr = mounted_set_xattr,
    .remove_xattr = mounted_remove_xattr,
    .set_flags = mounted_set_flags,
    .sync = mounted_sync,
    .attach = mounted_attach,
    .close = mounted_close,
};

struct root *mounted_root(int fd, const struct root_facts *facts, enum root_access access)
{
    struct mounted *mounted = xcalloc(1, sizeof *mounted);

    *mounted = (struct mounted){
        .root = { .door = &mounted_door }, .fd = fd, .access = access, .facts = *facts
    };
    return &mounted->root;
}

bool root_is_mounted(const struct root *root)
{
    return root->door == &mounted_door;
}

void mounted_set_device(struct root *root, const char *device)
{
    ((struct mounted *)root)->device = xstrdup(device);
}

int mounted_only(struct err *e)
{
    return err_set(e, ERR_UNSUPPORTED,
                   "that takes mounting, which root does by itself (--access=mount)");
}
