/* SPDX-License-Identifier: MIT */
/*
 * Opening, and what is refused: whatever libext2fs, or we, could not keep right while writing.
 */
#include "ext/ext.h"

#include "base/alloc.h"
#include "device/device.h"

#include <errno.h>
#include <et/com_err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- errors -------------------------------------------------------------------------------- */

static int errno_of(errcode_t error)
{
    switch (error) {
    case EXT2_ET_FILE_NOT_FOUND:
        return ENOENT;
    case EXT2_ET_NO_DIRECTORY:
        return ENOTDIR;
    case EXT2_ET_EA_KEY_NOT_FOUND:
        return ENODATA;
    case EXT2_ET_BLOCK_ALLOC_FAIL:
    case EXT2_ET_INODE_ALLOC_FAIL:
    case EXT2_ET_EA_NO_SPACE:
        return ENOSPC;
    case EXT2_ET_NO_MEMORY:
        return ENOMEM;
    case EXT2_ET_RO_FILSYS:
        return EROFS;
    default:
        /* libext2fs's own numbers are far beyond those of errno (EXT2_ET_BASE). */
        return error > 0 && error < EXT2_ET_BASE ? (int)error : 0;
    }
}

static const struct {
    errcode_t error;
    const char *why;
} unreadables[] = {
    { EXT_ENCRYPTED, "it is encrypted" },
    { EXT_CASEFOLDED, "a directory whose names are compared without case is not read" },
    { EXT2_ET_UNSUPP_FEATURE, "it has features that are not known here" },
    { EXT2_ET_RO_UNSUPP_FEATURE, "it has features that are not known here" },
};

int ext_error(errcode_t error, struct err *e, const char *fmt, ...)
{
    char words[sizeof e->text];
    va_list args;

    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    for (size_t i = 0; i < ARRAY_SIZE(unreadables); i++)
        if (error == unreadables[i].error)
            return err_set(e, ERR_UNSUPPORTED, "%s: %s", words, unreadables[i].why);
    errno = errno_of(error);
    if (errno)
        return err_errno(e, "%s", words);
    return err_set(e, ERR_IO, "%s: the file system is damaged: %s", words, error_message(error));
}

/* ---- what is refused ----------------------------------------------------------------------- */

/* What writing keeps right; everything else is refused, by its number where it has no name here. */
enum {
    COMPAT = EXT2_FEATURE_COMPAT_DIR_PREALLOC | EXT3_FEATURE_COMPAT_HAS_JOURNAL |
             EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_RESIZE_INODE |
             EXT2_FEATURE_COMPAT_DIR_INDEX | EXT4_FEATURE_COMPAT_SPARSE_SUPER2 |
             EXT4_FEATURE_COMPAT_FAST_COMMIT | EXT4_FEATURE_COMPAT_STABLE_INODES |
             EXT4_FEATURE_COMPAT_ORPHAN_FILE,
    INCOMPAT = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_RECOVER |
               EXT2_FEATURE_INCOMPAT_META_BG | EXT3_FEATURE_INCOMPAT_EXTENTS |
               EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG |
               EXT4_FEATURE_INCOMPAT_CSUM_SEED | EXT4_FEATURE_INCOMPAT_LARGEDIR |
               EXT4_FEATURE_INCOMPAT_INLINE_DATA | EXT4_FEATURE_INCOMPAT_ENCRYPT |
               EXT4_FEATURE_INCOMPAT_CASEFOLD,
    RO_COMPAT = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
                EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM |
                EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |
                EXT4_FEATURE_RO_COMPAT_BIGALLOC | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM |
                EXT4_FEATURE_RO_COMPAT_VERITY | EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT,
};

static const struct unwritable {
    uint32_t compat, incompat, ro_compat;
    const char *name;
} unwritables[] = {
    { 0, 0, EXT4_FEATURE_RO_COMPAT_QUOTA, "it keeps quotas" },
    { 0, 0, EXT4_FEATURE_RO_COMPAT_PROJECT, "it keeps quotas of projects" },
    { 0, 0, EXT4_FEATURE_RO_COMPAT_READONLY, "it is marked read-only" },
    { 0, EXT4_FEATURE_INCOMPAT_MMP, 0, "it is guarded against being mounted twice (mmp)" },
    { 0, EXT4_FEATURE_INCOMPAT_EA_INODE, 0, "it keeps attributes in inodes (ea_inode)" },
};

static const char *forbidding_feature(const struct ext2_super_block *super, char *other, size_t len)
{
    uint32_t compat = super->s_feature_compat & ~(uint32_t)COMPAT;
    uint32_t incompat = super->s_feature_incompat & ~(uint32_t)INCOMPAT;
    uint32_t ro_compat = super->s_feature_ro_compat & ~(uint32_t)RO_COMPAT;

    for (size_t i = 0; i < ARRAY_SIZE(unwritables); i++)
        if ((compat & unwritables[i].compat) || (incompat & unwritables[i].incompat) ||
            (ro_compat & unwritables[i].ro_compat))
            return unwritables[i].name;
    if (!compat && !incompat && !ro_compat)
        return NULL;
    snprintf(other, len, "it has features that are not known here (%x, %x, %x)", compat, incompat,
             ro_compat);
    return other;
}

/*
 * Its own word on its health, which allocating from its bitmaps depends on. A journal that is
 * needed, and empty, was replayed by somebody who was stopped before that could be noted.
 */
static const char *forbidding_state(struct ext *ext)
{
    const struct ext2_super_block *super = ext->fs->super;

    if ((super->s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER) && !journal_is_empty(ext))
        return "its journal has to be replayed first";
    if (super->s_state & EXT2_ERROR_FS)
        return "it says of itself that it has errors; mend it first with: e2fsck -f";
    if (!(super->s_state & EXT2_VALID_FS))
        return "it was not unmounted cleanly; mend it first with: e2fsck -f";
    return NULL;
}

static int refuse_features(const struct ext *ext, struct err *e)
{
    char other[96];
    const char *why = forbidding_feature(ext->fs->super, other, sizeof other);

    if (!why)
        return 0;
    return err_set(e, ERR_UNSUPPORTED,
                   "it can be changed only by mounting it (--access=mount, as root): %s", why);
}

static int refuse_state(struct ext *ext, struct err *e)
{
    const char *why = forbidding_state(ext);

    return why ? err_set(e, ERR_REFUSED, "it cannot be changed: %s", why) : 0;
}

/* Beyond that a bit for each block is more than a tree of what is in use (2 TiB of 4096 bytes). */
enum { MAPPED_BLOCKS = 512 * 1024 * 1024 };

/* Descriptors whose checksum is wrong may lead anywhere; and what they lead to is checked, too. */
static int prepare_writing(struct ext *ext, struct err *e)
{
    errcode_t error;

    if (ext2fs_blocks_count(ext->fs->super) > MAPPED_BLOCKS)
        ext->fs->default_bitmap_type = EXT2FS_BMAP64_RBTREE;
    error = ext2fs_check_desc(ext->fs);
    for (dgrp_t group = 0; !error && group < ext->fs->group_desc_count; group++)
        if (!ext2fs_group_desc_csum_verify(ext->fs, group))
            error = EXT2_ET_GDESC_BAD_BLOCK_MAP;
    if (!error)
        error = ext2fs_read_bitmaps(ext->fs);
    return error ? ext_error(error, e, "read what is free") : 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* Every walk begins with the same few directories. */
enum { INODES_KEPT = 128 };

/* As the kernel: nothing whose end is missing. */
static errcode_t check_size(const struct ext *ext, uint64_t size)
{
    uint64_t blocks = ext2fs_blocks_count(ext->fs->super);

    return blocks > size / ext->fs->blocksize ? EXT2_ET_CORRUPT_SUPERBLOCK : 0;
}

static errcode_t open_by(const char *name, uint64_t backup, int flags, ext2_filsys *ret)
{
    return ext2fs_open(name, flags, (int)backup_block(backup),
                       backup ? backup_block_size(backup) : 0, ext_io_manager, ret);
}

static errcode_t open_through(int fd, uint64_t offset, uint64_t size, uint64_t backup, int flags,
                              const struct volume_log *log, struct ext *ret)
{
    auto_ext struct ext ext = { 0 };
    char name[EXT_IO_NAME];
    errcode_t error;

    ext_io_name(fd, offset, size, log, name);
    error = open_by(name, backup, flags, &ext.fs);
    if (!error)
        error = check_size(&ext, size);
    if (error)
        return error;
    ext.volume = ext_io_volume(ext.fs->io);
    ext.block = xcalloc(1, ext.fs->blocksize);
    error = ext2fs_create_inode_cache(ext.fs, INODES_KEPT);
    if (error)
        return error;
    *ret = ext;
    ext = (struct ext){ 0 };
    return 0;
}

/* Once more, where the journal has something in it: even the superblock may be in there. */
static void read_through_journal(int fd, uint64_t offset, uint64_t size, int flags, struct ext *ext)
{
    auto_ext struct ext newer = { 0 };
    struct volume_log *log = NULL;
    enum ext_journal journal = journal_recover(ext, &log);

    if (log && open_through(fd, offset, size, 0, flags, log, &newer)) {
        volume_log_free(log);
        log = NULL;
        journal = EXT_JOURNAL_UNREAD;
    }
    if (log) {
        struct ext older = *ext;

        *ext = newer;
        newer = older;
    }
    ext->log = log;
    ext->journal = journal;
}

int ext_open(int fd, uint64_t offset, uint64_t size, uint64_t backup, enum root_access access,
             struct ext *ret, struct err *e)
{
    int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | (access == ROOT_WRITE ? EXT2_FLAG_RW : 0);
    auto_ext struct ext ext = { 0 };
    errcode_t error;

    initialize_ext2_error_table();
    error = open_through(fd, offset, size, backup, flags, NULL, &ext);
    if (error)
        return ext_error(error, e, "open it");
    if (access == ROOT_READ && !backup && ext2fs_has_feature_journal_needs_recovery(ext.fs->super))
        read_through_journal(fd, offset, size, flags, &ext);
    if (access == ROOT_WRITE && backup)
        return err_set(e, ERR_REFUSED, "it is read by a copy of its superblock, and not changed");
    if (access == ROOT_WRITE &&
        (refuse_features(&ext, e) < 0 || prepare_writing(&ext, e) < 0 || refuse_state(&ext, e) < 0))
        return -1;
    *ret = ext;
    ext = (struct ext){ 0 };
    return 0;
}

/* Without ext2fs_close, which would write. */
void ext_close(struct ext *ext)
{
    ext_index_forget(ext);
    ext_borders_free(&ext->borders);
    if (ext->fs)
        ext2fs_free(ext->fs);
    volume_log_free(ext->log);
    free(ext->block);
    *ext = (struct ext){ 0 };
}

/* ---- facts --------------------------------------------------------------------------------- */

/* What the kernel keeps back for itself beside root's reserve (ext4_calculate_resv_clusters). */
static uint64_t kernel_reserve(const struct ext2_super_block *super, uint64_t clusters)
{
    enum { RESERVED_MAX = 4096 };

    if (!(super->s_feature_incompat & EXT3_FEATURE_INCOMPAT_EXTENTS))
        return 0;
    return clusters / 50 < RESERVED_MAX ? clusters / 50 : RESERVED_MAX;
}

/* The superblock's own numbers are as of the last unmount: the groups' are what counts. */
void ext_facts(const struct ext *ext, struct root_facts *ret)
{
    ext2_filsys fs = ext->fs;
    uint64_t ratio = (uint64_t)EXT2FS_CLUSTER_RATIO(fs), blocks = 0, inodes = 0, reserved;

    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        blocks += ext2fs_bg_free_blocks_count(fs, group) * ratio;
        inodes += ext2fs_bg_free_inodes_count(fs, group);
    }
    reserved = ext2fs_r_blocks_count(fs->super) +
               kernel_reserve(fs->super, ext2fs_blocks_count(fs->super) / ratio) * ratio;
    ret->block_size = fs->blocksize;
    ret->bytes_free = blocks > reserved ? (blocks - reserved) * fs->blocksize : 0;
    ret->inodes_free = inodes;
}
