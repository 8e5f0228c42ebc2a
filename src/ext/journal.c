/* SPDX-License-Identifier: MIT */
/*
 * One transaction in the journal of ext3 and ext4 (jbd2), written by us and, after a power cut,
 * replayed by the next mount or by e2fsck. The journal is empty when we begin: nothing has to be
 * revoked, and no block of it is in use.
 *
 *   1. the blocks of the transaction go into the journal (log.c), where nobody looks yet; flush
 *   2. the superblock says that the journal is needed; flush. (An e2fsck that finds a journal with
 *      something in it and a superblock that does not need it would ask.)
 *   3. the journal's own superblock says where the transaction begins; flush. This write, of one
 *      sector, is the commit.
 *   4. the blocks go to their places; flush
 *   5. the journal is empty; flush; the superblock needs it no more; flush
 *
 * The format: fs/jbd2/recovery.c, include/linux/jbd2.h.
 */
#include "ext/journal.h"

#include "base/alloc.h"

#include <errno.h>
#include <sys/stat.h>

enum {
    TYPE_SUPER_V1 = 3,
    TYPE_SUPER_V2 = 4,

    AT_BLOCKSIZE = 0x0c,
    AT_MAXLEN = 0x10,
    AT_FIRST = 0x14,
    AT_ERRNO = 0x20,
    AT_INCOMPAT = 0x28,
    AT_RO_COMPAT = 0x2c,
    AT_CHECKSUM_TYPE = 0x50,
    AT_FAST_BLOCKS = 0x54,
    AT_CHECKSUM = 0xfc,

    INCOMPAT_REVOKE = 1,
    INCOMPAT_FAST = 32,
    CHECKSUM_CRC32C = 4,
    FAST_BLOCKS = 256, /* where AT_FAST_BLOCKS is 0 */

    SUPERBLOCK = 1024, /* the file system's own, where it is */
};

/* ---- opening ------------------------------------------------------------------------------- */

errcode_t journal_place(struct journal *journal, uint32_t block, uint64_t *ret)
{
    ext2_filsys fs = journal->ext->fs;
    blk64_t where = 0;
    int flags = 0;
    errcode_t error = ext2fs_bmap2(fs, journal->node.inode, ext_small(&journal->node), NULL, 0,
                                   block, &flags, &where);

    if (error)
        return error;
    if (where <= fs->super->s_first_data_block || where >= ext2fs_blocks_count(fs->super) ||
        (flags & BMAP_RET_UNINIT))
        return EXT2_ET_CORRUPT_JOURNAL_SB;
    *ret = where * fs->blocksize;
    return 0;
}

errcode_t journal_locate(struct journal *journal, uint32_t block, uint64_t *ret)
{
    ext2_filsys fs = journal->ext->fs;
    uint64_t at, where;
    errcode_t error = journal_place(journal, block, &at);

    if (error)
        return error;
    where = at / fs->blocksize;
    if (!ext2fs_test_block_bitmap2(fs->block_map, where))
        return EXT2_ET_CORRUPT_JOURNAL_SB;
    for (size_t i = 0; i < journal->ext->volume->count; i++)
        if (journal->ext->volume->changed[i].number == where)
            return EXT2_ET_CORRUPT_JOURNAL_SB;
    *ret = at;
    return 0;
}

static uint32_t super_checksum(struct journal *journal)
{
    journal_put(journal->super + AT_CHECKSUM, 0);
    return ext2fs_crc32c_le(~0U, journal->super, JOURNAL_SUPER);
}

static const char *odd_features(const struct journal *journal)
{
    const uint32_t known = INCOMPAT_REVOKE | JOURNAL_64BIT | JOURNAL_ASYNC | JOURNAL_CSUM_V2 |
                           JOURNAL_CSUM_V3 | INCOMPAT_FAST;

    if ((journal->features & ~known) || journal_get(journal->super + AT_RO_COMPAT) ||
        (journal_get(journal->super + JOURNAL_COMPAT_AT) & ~(uint32_t)JOURNAL_COMPAT_CHECKSUM))
        return "it has features that are not known here";
    if (!(journal->features & JOURNAL_64BIT) &&
        ext2fs_blocks_count(journal->ext->fs->super) > UINT32_MAX)
        return "its numbers are too small for this disk until it has been mounted";
    return NULL;
}

static uint32_t tag_size(uint32_t features)
{
    if (features & JOURNAL_CSUM_V3)
        return 16;
    return (features & JOURNAL_64BIT ? 12 : 8) + (features & JOURNAL_CSUM_V2 ? 2 : 0);
}

const char *journal_understand(struct journal *journal)
{
    const unsigned char *super = journal->super;
    uint32_t type = journal_get(super + 4), len = journal_get(super + AT_MAXLEN), checksum;

    if (journal_get(super) != JOURNAL_MAGIC || (type != TYPE_SUPER_V1 && type != TYPE_SUPER_V2) ||
        journal_get(super + AT_BLOCKSIZE) != journal->ext->fs->blocksize)
        return "it is none";
    if (type == TYPE_SUPER_V2)
        journal->features = journal_get(super + AT_INCOMPAT);
    if (type == TYPE_SUPER_V2 && odd_features(journal))
        return odd_features(journal);
    if (journal->features & INCOMPAT_FAST)
        journal->fast =
            journal_get(super + AT_FAST_BLOCKS) ? journal_get(super + AT_FAST_BLOCKS) : FAST_BLOCKS;
    journal->first = journal_get(super + AT_FIRST);
    journal->end = len > journal->fast ? len - journal->fast : 0;
    journal->sequence = journal_get(super + JOURNAL_SEQUENCE_AT) + 1;
    journal->tag = tag_size(journal->features);
    journal->seed = ext2fs_crc32c_le(~0U, super + JOURNAL_UUID_AT, JOURNAL_UUID);
    if (journal->first == 0 || journal->first >= journal->end)
        return "its size makes no sense";
    checksum = journal_get(super + AT_CHECKSUM);
    if (journal_has_checksums(journal) &&
        (super[AT_CHECKSUM_TYPE] != CHECKSUM_CRC32C || super_checksum(journal) != checksum))
        return "its checksum is wrong";
    return NULL;
}

errcode_t journal_load(struct ext *ext, struct journal *ret)
{
    struct journal journal = { .ext = ext };
    uint32_t inode = ext->fs->super->s_journal_inum;
    errcode_t error = inode ? ext_load(ext, inode, &journal.node) : EXT2_ET_UNSUPP_FEATURE;
    uint64_t at;

    if (!error && !S_ISREG(journal.node.body.i_mode))
        error = EXT2_ET_CORRUPT_JOURNAL_SB;
    if (!error)
        error = journal_place(&journal, 0, &at);
    if (!error)
        error = volume_read(ext->volume, at, journal.super, JOURNAL_SUPER);
    if (!error)
        *ret = journal;
    return error;
}

/* What nothing may be written behind. */
static const char *forbidding_super(const struct journal *journal)
{
    if (journal_get(journal->super + JOURNAL_START_AT) != 0)
        return "it is not empty";
    if (journal_get(journal->super + AT_ERRNO) != 0)
        return "it notes an error; mend it with: e2fsck -f";
    return NULL;
}

static int open_journal(struct ext *ext, struct journal *ret, struct err *e)
{
    struct journal journal = { 0 };
    errcode_t error = journal_load(ext, &journal);
    const char *why;
    uint64_t at;

    if (!ext->fs->super->s_journal_inum)
        return err_set(e, ERR_UNSUPPORTED,
                       "nothing was written: its journal is on another device; mount it instead "
                       "(--access=mount, as root)");
    if (!error)
        error = journal_locate(&journal, 0, &at);
    if (error)
        return ext_error(error, e, "nothing was written: open the journal");
    why = journal_understand(&journal);
    if (!why)
        why = forbidding_super(&journal);
    if (why)
        return err_set(e, ERR_REFUSED, "nothing was written: the journal cannot be used: %s", why);
    *ret = journal;
    return 0;
}

bool journal_is_empty(struct ext *ext)
{
    struct journal journal;

    return open_journal(ext, &journal, NULL) == 0;
}

/* ---- superblocks --------------------------------------------------------------------------- */

static errcode_t write_journal_super(struct journal *journal, uint32_t start, uint32_t sequence)
{
    uint64_t at;
    errcode_t error = journal_locate(journal, 0, &at);

    if (error)
        return error;
    journal_put(journal->super + JOURNAL_START_AT, start);
    journal_put(journal->super + JOURNAL_SEQUENCE_AT, sequence);
    if (journal_has_checksums(journal))
        journal_put(journal->super + AT_CHECKSUM, super_checksum(journal));
    error = volume_write(journal->ext->volume, at, journal->super, JOURNAL_SUPER);
    return error ? error : volume_flush(journal->ext->volume);
}

/* The superblock as it is on the disk, but for this. */
static errcode_t write_need(struct journal *journal, bool needed)
{
    const struct ext_volume *volume = journal->ext->volume;
    struct ext2_super_block super;
    errcode_t error = volume_read(volume, SUPERBLOCK, &super, sizeof super);

    if (error)
        return error;
    if (needed)
        ext2fs_set_feature_journal_needs_recovery(&super);
    else
        ext2fs_clear_feature_journal_needs_recovery(&super);
    error = ext2fs_superblock_csum_set(journal->ext->fs, &super);
    if (!error)
        error = volume_write(volume, SUPERBLOCK, &super, sizeof super);
    return error ? error : volume_flush(volume);
}

static errcode_t write_places(const struct ext_volume *volume)
{
    for (size_t i = 0; i < volume->count; i++) {
        const struct changed_block *block = &volume->changed[i];
        errcode_t error =
            volume_write(volume, block->number * volume->block, block->bytes, volume->block);

        if (error)
            return error;
    }
    return volume_flush(volume);
}

/* ---- the transaction ----------------------------------------------------------------------- */

static int refuse_too_large(const struct journal *journal, struct err *e)
{
    size_t needed = log_size(journal, journal->ext->volume->count);

    return needed > journal->end - journal->first
               ? err_set(
                     e, ERR_NO_SPACE,
                     "nothing was written: the journal has %u blocks, and the changes need %zu; "
                     "mount it instead (--access=mount, as root)",
                     journal->end - journal->first, needed)
               : 0;
}

/* Up to the commit: an error here, and the disk is as it was. */
static int before_commit(struct journal *journal, struct err *e)
{
    errcode_t error = log_write(journal);

    if (!error)
        error = write_need(journal, true);
    if (!error)
        return 0;
    (void)write_need(journal, false);
    return ext_error(error, e, "nothing was changed: write the journal");
}

/* From the commit on: the changes are on the disk, if only in the journal. */
static errcode_t after_commit(struct journal *journal)
{
    errcode_t error = write_places(journal->ext->volume);

    if (!error)
        error = write_journal_super(journal, 0, journal->sequence + 1);
    return error ? error : write_need(journal, false);
}

int journal_commit(struct ext *ext, struct err *e)
{
    struct journal journal;
    auto_free unsigned char *block = xcalloc(1, ext->fs->blocksize);
    errcode_t error;

    if (open_journal(ext, &journal, e) < 0)
        return -1;
    journal.block = block;
    if (refuse_too_large(&journal, e) < 0 || before_commit(&journal, e) < 0)
        return -1;
    error = write_journal_super(&journal, journal.first, journal.sequence);
    if (error)
        return ext_error(error, e,
                         "it is not known whether the changes are on the disk: "
                         "write the journal");
    error = after_commit(&journal);
    return error ? ext_error(error, e,
                             "the changes are in the journal, and the next mount or "
                             "repair completes them: write them to their places")
                 : 0;
}
