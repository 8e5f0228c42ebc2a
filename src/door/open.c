/* SPDX-License-Identifier: MIT */
#include "door/open.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"
#include "door/direct.h"
#include "door/e2fsck.h"
#include "door/loop.h"
#include "door/mount.h"
#include "door/mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* What a superblock says of its own health. */
struct health {
    bool journal_dirty;
    bool errors;
    bool unjournaled; /* ext: it has none */
};

struct fs_type {
    const char *name;
    const char *read_options;  /* nothing is replayed, nothing is written */
    const char *write_options; /* the journal is replayed */
    const char *check_command; /* what mends this file system itself */
    void (*health)(int fd, uint64_t offset, struct health *ret);
    bool tells_by_mounting; /* a dirty log shows only as EROFS of a mount that wants to replay it */
};

/* ext2, 3, 4: s_state, s_feature_compat and s_feature_incompat (fs/ext4/ext4.h). */
static void ext_health(int fd, uint64_t offset, struct health *ret)
{
    enum { SUPERBLOCK = 1024, STATE = 0x3a, COMPAT = 0x5c, INCOMPAT = 0x60 };
    enum { ERROR_FS = 2, HAS_JOURNAL = 4, NEEDS_RECOVERY = 4 };
    unsigned char super[256];

    if (io_read_at(fd, super, sizeof super, offset + SUPERBLOCK) < 0)
        return;
    ret->errors = super[STATE] & ERROR_FS;
    ret->journal_dirty = super[INCOMPAT] & NEEDS_RECOVERY;
    ret->unjournaled = !(super[COMPAT] & HAS_JOURNAL);
}

/* btrfs: a log tree is there (log_root, fs/btrfs/ctree.h). */
static void btrfs_health(int fd, uint64_t offset, struct health *ret)
{
    enum { SUPERBLOCK = 65536, LOG_ROOT = 0x60 };
    unsigned char log_root[8];

    if (io_read_at(fd, log_root, sizeof log_root, offset + SUPERBLOCK + LOG_ROOT) < 0)
        return;
    for (size_t i = 0; i < sizeof log_root; i++)
        ret->journal_dirty = ret->journal_dirty || log_root[i];
}

/*
 * The superblock may ask for a panic: not on this machine. It may also ask for options of
 * the journal that do not go with noload; the defaults stand against them.
 */
#define EXT_ERRORS "errors=remount-ro"

static const struct fs_type fs_types[] = {
    { "ext4", "noload,commit=5,nojournal_checksum," EXT_ERRORS, EXT_ERRORS, "e2fsck -f", ext_health,
      false },
    { "ext3", "noload,commit=5," EXT_ERRORS, EXT_ERRORS, "e2fsck -f", ext_health, false },
    { "ext2", EXT_ERRORS, EXT_ERRORS, "e2fsck -f", ext_health, false },
    { "xfs", "norecovery,nouuid", "nouuid", "xfs_repair", NULL, true },
    { "btrfs", "rescue=nologreplay", "", "btrfs check", btrfs_health, false },
};

static const struct fs_type *fs_type_of(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(fs_types); i++)
        if (strcmp(fs_types[i].name, name) == 0)
            return &fs_types[i];
    return NULL;
}

bool root_can_open(const char *fs_type)
{
    return fs_type_of(fs_type) != NULL;
}

static int mount_volume(const struct fs_type *fs, const char *device, const char *subvolume,
                        enum root_access access, const char *options, struct err *e)
{
    auto_free char *all = NULL;

    /* A name from the disk must not become an option. */
    if (subvolume && strchr(subvolume, ','))
        return err_set(e, ERR_REFUSED, "the subvolume %s has a comma in its name", subvolume);
    all = subvolume ? xasprintf("%s%ssubvol=%s", options, *options ? "," : "", subvolume)
                    : xstrdup(options);

    return mount_hidden(device, fs->name, all, access == ROOT_READ, e);
}

/* On a read-only device a mount that would replay a log fails, and says so. */
static bool log_is_dirty(const struct fs_type *fs, const char *device)
{
    struct err e = { 0 };
    auto_fd int fd = mount_volume(fs, device, NULL, ROOT_READ, fs->write_options, &e);

    return fd < 0 && e.code == EROFS;
}

/*
 * Mounted for writing by a copy of its superblock, an ext4 drops its journal, since the copy does
 * not say that there is something in it; and the first superblock stays as it is.
 */
int root_may_write(const struct volume *volume, struct err *e)
{
    auto_free char *command = volume->backup ? superblock_command(volume) : NULL;

    if (!command)
        return 0;
    return err_set(e, ERR_REFUSED,
                   "the superblock of the ext4 on %s is gone; it is looked at by a copy, and not "
                   "changed; have it put back first with --backup-superblock, or with: %s, on its "
                   "block device",
                   volume->name, command);
}

int root_restore_superblock(struct disk *disk, struct volume *volume, struct err *e)
{
    auto_fd int fd = device_descriptor(disk, true, e);

    if (fd < 0 || restore_superblock(disk, volume, fd, e) < 0)
        return -1;
    volume->backup = 0;
    return 0;
}

static int refuse_unsound(const struct fs_type *fs, const struct volume *volume,
                          enum root_access access, const struct health *health, struct err *e)
{
    if (access == ROOT_WRITE && health->errors)
        return err_set(e, ERR_REFUSED,
                       "the %s on %s says of itself that it has errors; mend it first with: %s",
                       fs->name, volume->name, fs->check_command);
    return 0;
}

/* capabilities(7) has no wrapper in the C library. */
static bool may_mount(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

bool root_opens_directly(const char *fs_type)
{
    return fs_type && text_starts(fs_type, "ext");
}

static int choose_way(const struct fs_type *fs, enum root_way *way, struct err *e)
{
    if (*way == ROOT_WAY_AUTO)
        *way = may_mount() ? ROOT_WAY_MOUNT : ROOT_WAY_DIRECT;
    if (*way == ROOT_WAY_MOUNT || root_opens_directly(fs->name))
        return 0;
    return err_set(e, ERR_UNSUPPORTED,
                   "%s can only be opened by mounting it, as root; without that, ext2, ext3 and "
                   "ext4 can",
                   fs->name);
}

/*
 * An e2fsck that has replayed a journal opens the file system once more, and forgets where in the
 * image it was (1.47.0): what has become of it is for the reader to say.
 */
static int open_directly(struct disk *disk, const struct volume *volume, int backing,
                         struct root_facts *facts, const struct health *health,
                         enum root_access access, struct root **ret, struct err *e)
{
    struct err why = { 0 };
    bool replayed = true;

    facts->one_step = true;
    facts->unjournaled = health->unjournaled;
    if (access == ROOT_WRITE && health->journal_dirty)
        replayed = replay_journal(disk, volume, backing, &why) == 0;
    if (disk->held >= 0 && direct_open(backing, volume, facts, access, ret, e) == 0)
        return 0;
    if (!replayed && e)
        *e = why;
    return replayed ? err_prefix(e, "%s", volume->name) : -1;
}

static int open_mounted(struct disk *disk, const struct volume *volume, int backing,
                        const char *subvolume, const struct root_facts *facts,
                        enum root_access access, struct root **ret, struct err *e)
{
    const struct fs_type *fs = fs_type_of(volume->type);
    bool read_only = access == ROOT_READ;
    struct root_facts known = *facts;
    struct loop loop = { .fd = -1 };
    auto_free char *options = NULL;
    char sb[32] = "";
    auto_fd int loop_fd = -1, fd = -1;

    if (loop_attach(backing, volume->offset, volume->size, disk->sector_size, read_only, &loop, e) <
        0)
        return -1;
    loop_fd = loop.fd;
    if (volume->backup)
        snprintf(sb, sizeof sb, "sb=%llu,", (unsigned long long)volume->backup);
    if (read_only && fs->tells_by_mounting)
        known.journal_dirty = log_is_dirty(fs, loop.path);
    options = xasprintf("%s%s", sb, read_only ? fs->read_options : fs->write_options);
    fd = mount_volume(fs, loop.path, subvolume, access, options, e);
    if (fd < 0)
        return err_prefix(e, "%s", volume->name);
    *ret = mounted_root(take_fd(&fd), &known, access);
    mounted_set_device(*ret, loop.path);
    return 0;
}

/*
 * A superblock may ask every mount for journal_checksum, which Linux does not let go together with
 * noload, and with no option takes back: the other door does not ask.
 */
static bool mount_is_asked_too_much(const struct volume *volume, enum root_access access,
                                    const struct err *e)
{
    return access == ROOT_READ && e->code == EINVAL && root_opens_directly(volume->type);
}

int root_open_volume(struct disk *disk, const struct volume *volume, const char *subvolume,
                     enum root_way way, enum root_access access, struct root **ret, struct err *e)
{
    const struct fs_type *fs = fs_type_of(volume->type);
    bool either = way == ROOT_WAY_AUTO;
    struct root_facts facts = { .by_copy = volume->backup };
    struct health health = { 0 };
    auto_fd int backing = -1;
    struct err why = { 0 };

    if (!fs)
        return err_set(e, ERR_UNSUPPORTED, "%s holds %s, which is not opened", volume->name,
                       volume->type ? volume->type : "nothing known");
    if (choose_way(fs, &way, e) < 0)
        return err_prefix(e, "%s", volume->name);
    backing = device_descriptor(disk, access == ROOT_WRITE, e);
    if (backing < 0)
        return -1;
    if (fs->health && !volume->backup)
        fs->health(backing, volume->offset, &health);
    facts.fs = fs->name;
    facts.journal_dirty = access == ROOT_READ && health.journal_dirty;
    facts.errors = health.errors;
    if ((access == ROOT_WRITE && root_may_write(volume, e) < 0) ||
        refuse_unsound(fs, volume, access, &health, e) < 0)
        return -1;
    if (way == ROOT_WAY_MOUNT &&
        open_mounted(disk, volume, backing, subvolume, &facts, access, ret, &why) == 0)
        return 0;
    if (way == ROOT_WAY_DIRECT || (either && mount_is_asked_too_much(volume, access, &why)))
        return open_directly(disk, volume, backing, &facts, &health, access, ret, e);
    if (e)
        *e = why;
    return -1;
}

/* Once more what is mounted for a root, with options; subvolume may be NULL. */
static int mount_again(const struct root *root, const char *subvolume, const char *option,
                       enum root_access access, struct root **ret, struct err *e)
{
    auto_free char *options = NULL;
    const struct mounted *mounted = mounted_of(root);
    const struct fs_type *fs = root_is_mounted(root) ? fs_type_of(mounted->facts.fs) : NULL;
    const char *own;
    auto_fd int fd = -1;

    if (!fs || !mounted->device || strcmp(fs->name, "btrfs") != 0)
        return err_set(e, ERR_REFUSED, "only btrfs has subvolumes");
    own = access == ROOT_READ ? fs->read_options : fs->write_options;
    options = xasprintf("%s%s%s", own, *own && *option ? "," : "", option);
    fd = mount_volume(fs, mounted->device, subvolume, access, options, e);
    if (fd < 0)
        return -1;
    *ret = mounted_root(take_fd(&fd), &mounted->facts, access);
    mounted_set_device(*ret, mounted->device);
    return 0;
}

int root_open_subvolume(const struct root *root, const char *subvolume, enum root_access access,
                        struct root **ret, struct err *e)
{
    return mount_again(root, subvolume, "", access, ret, e);
}

int root_open_subvolume_id(const struct root *root, uint64_t id, enum root_access access,
                           struct root **ret, struct err *e)
{
    auto_free char *option = xasprintf("subvolid=%llu", (unsigned long long)id);

    return mount_again(root, NULL, option, access, ret, e);
}

int root_open_within(const struct root *root, const char *path, struct root **ret, struct err *e)
{
    const struct mounted *mounted = mounted_of(root);
    struct stat stat;
    auto_fd int fd =
        root_is_mounted(root) ? mounted_open(root, path, WALK_REFUSE, e) : mounted_only(e);

    if (fd < 0)
        return -1;
    if (fstat(fd, &stat) < 0 || !S_ISDIR(stat.st_mode))
        return err_set(e, ERR_REFUSED, "%s is no directory", path);
    *ret = mounted_root(take_fd(&fd), &mounted->facts, mounted->access);
    if (mounted->device)
        mounted_set_device(*ret, mounted->device);
    return 0;
}

int root_attach(struct root *root, const char *path, struct root **beneath, struct err *e)
{
    auto_free char *canonical = NULL;
    struct root_stat stat;

    if (root->door != (*beneath)->door)
        return mounted_only(e);
    if (root_find(root, path, &canonical, &stat, e) < 0)
        return -1;
    if (!S_ISDIR(stat.mode) || strcmp(canonical, "/") == 0)
        return err_set(e, ERR_REFUSED, "%s is no directory to put a file system on", path);
    return root->door->attach(root, canonical, beneath, e);
}

/* The device behind a path, as mountinfo tells it; btrfs numbers each subvolume anew. */
static char *mount_source(dev_t device)
{
    auto_free char *text = io_host_text("/proc/self/mountinfo");
    char *rest = text, *line;

    while (rest && (line = strsep(&rest, "\n"))) {
        unsigned major_number, minor_number;
        char source[512];
        char *tail = strstr(line, " - ");

        if (tail && sscanf(line, "%*d %*d %u:%u", &major_number, &minor_number) == 2 &&
            makedev(major_number, minor_number) == device &&
            sscanf(tail, " - %*s %511s", source) == 1 && source[0] == '/')
            return xstrdup(source);
    }
    return NULL;
}

static bool same_file_system(dev_t a, dev_t b)
{
    auto_free char *a_source = mount_source(a), *b_source = mount_source(b);

    return a == b || (a_source && b_source && strcmp(a_source, b_source) == 0);
}

/* Promise 1: the running system is never a repair target, by whatever path. */
int root_may_change(const char *path, struct err *e)
{
    static const char *const own[] = { "/", "/etc", "/usr", "/var", "/root" };
    struct stat tree, mine;

    if (stat(path, &tree) < 0)
        return err_errno(e, "open %s", path);
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (stat(own[i], &mine) == 0 && same_file_system(mine.st_dev, tree.st_dev))
            return err_set(e, ERR_REFUSED,
                           "%s is on the file system of the running system (%s), which is never "
                           "repaired; attach the broken disk to another machine, or boot a "
                           "rescue image",
                           path, own[i]);
    return 0;
}

int root_open_directory(const char *path, enum root_access access, struct root **ret, struct err *e)
{
    auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct root_facts facts = { .fs = "directory" };

    if (fd < 0)
        return err_errno(e, "open %s", path);
    if (access == ROOT_WRITE && root_may_change(path, e) < 0)
        return -1;
    *ret = mounted_root(take_fd(&fd), &facts, access);
    return 0;
}
