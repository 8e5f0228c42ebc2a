/* SPDX-License-Identifier: MIT */
/*
 * One transaction in the journal of ext3 and ext4 (jbd2), written by us and, after a power cut,
 * replayed by the next mount or by e2fsck. The journal is empty when we begin: nothing has to be
 * revoked, and no block of it is in use.
 *
 *   1. the blocks of the transaction go into the journal, where nobody looks yet; flush
 *   2. the superblock says that the journal is needed; flush. (An e2fsck that finds a journal with
 *      something in it and a superblock that does not need it would ask.)
 *   3. the journal's own superblock says where the transaction begins; flush. This write, of one
 *      sector, is the commit.
 *   4. the blocks go to their places; flush
 *   5. the journal is empty; flush; the superblock needs it no more; flush
 *
 * The format: fs/jbd2/recovery.c, include/linux/jbd2.h.
 */
#include "root/ext.h"

#include "base/alloc.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    MAGIC = 0xc03b3998,
    TYPE_DESCRIPTOR = 1,
    TYPE_COMMIT = 2,
    TYPE_SUPER_V1 = 3,
    TYPE_SUPER_V2 = 4,

    HEADER = 12, /* magic, type, sequence */
    SUPER_SIZE = 1024,
    AT_BLOCKSIZE = 0x0c,
    AT_MAXLEN = 0x10,
    AT_FIRST = 0x14,
    AT_SEQUENCE = 0x18,
    AT_START = 0x1c,
    AT_ERRNO = 0x20,
    AT_COMPAT = 0x24,
    AT_INCOMPAT = 0x28,
    AT_RO_COMPAT = 0x2c,
    AT_UUID = 0x30,
    AT_CHECKSUM_TYPE = 0x50,
    AT_FAST_BLOCKS = 0x54,
    AT_CHECKSUM = 0xfc,

    COMPAT_CHECKSUM = 1,
    INCOMPAT_REVOKE = 1,
    INCOMPAT_64BIT = 2,
    INCOMPAT_ASYNC = 4,
    INCOMPAT_CSUM_V2 = 8,
    INCOMPAT_CSUM_V3 = 16,
    INCOMPAT_FAST = 32,
    CHECKSUM_CRC32C = 4,
    FAST_BLOCKS = 256, /* where AT_FAST_BLOCKS is 0 */

    TAG_ESCAPED = 1,
    TAG_SAME_UUID = 2,
    TAG_LAST = 8,
    UUID = 16,
    TAIL = 4, /* of a descriptor with a checksum */

    COMMIT_CHECKSUM = 16,
    COMMIT_SECONDS = 48,
    COMMIT_NANOSECONDS = 56,

    SUPERBLOCK = 1024, /* the file system's own, where it is */
};

struct journal {
    struct ext *ext;
    struct ext_node node;
    unsigned char super[SUPER_SIZE];
    uint32_t features;   /* incompat */
    uint32_t first, end; /* of the log, in blocks of the journal */
    uint32_t sequence;
    uint32_t seed; /* of checksums */
    uint32_t tag;  /* bytes of one */
    uint32_t next; /* block of the log to be written */
    unsigned char *block;
};

static uint32_t get32(const unsigned char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static void put32(unsigned char *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static bool has_checksums(const struct journal *journal)
{
    return journal->features & (INCOMPAT_CSUM_V2 | INCOMPAT_CSUM_V3);
}

/* ---- opening --------------------------------------------------------------------------- */

/* Where a block of the journal is on the disk; only where a journal's block may be. */
static errcode_t locate(struct journal *journal, uint32_t block, uint64_t *ret)
{
    ext2_filsys fs = journal->ext->fs;
    blk64_t where = 0;
    int flags = 0;
    errcode_t error = ext2fs_bmap2(fs, journal->node.inode, ext_small(&journal->node), NULL, 0,
                                   block, &flags, &where);

    if (error)
        return error;
    if (where <= fs->super->s_first_data_block || where >= ext2fs_blocks_count(fs->super) ||
        (flags & BMAP_RET_UNINIT) || !ext2fs_test_block_bitmap2(fs->block_map, where))
        return EXT2_ET_CORRUPT_JOURNAL_SB;
    for (size_t i = 0; i < journal->ext->volume->count; i++)
        if (journal->ext->volume->changed[i].number == where)
            return EXT2_ET_CORRUPT_JOURNAL_SB;
    *ret = where * fs->blocksize;
    return 0;
}

static uint32_t super_checksum(struct journal *journal)
{
    put32(journal->super + AT_CHECKSUM, 0);
    return ext2fs_crc32c_le(~0U, journal->super, SUPER_SIZE);
}

static const char *odd_features(const struct journal *journal)
{
    const uint32_t known = INCOMPAT_REVOKE | INCOMPAT_64BIT | INCOMPAT_ASYNC | INCOMPAT_CSUM_V2 |
                           INCOMPAT_CSUM_V3 | INCOMPAT_FAST;

    if ((journal->features & ~known) || get32(journal->super + AT_RO_COMPAT) ||
        (get32(journal->super + AT_COMPAT) & ~(uint32_t)COMPAT_CHECKSUM))
        return "it has features that are not known here";
    if (!(journal->features & INCOMPAT_64BIT) &&
        ext2fs_blocks_count(journal->ext->fs->super) > UINT32_MAX)
        return "its numbers are too small for this disk until it has been mounted";
    return NULL;
}

static uint32_t tag_size(uint32_t features)
{
    if (features & INCOMPAT_CSUM_V3)
        return 16;
    return (features & INCOMPAT_64BIT ? 12 : 8) + (features & INCOMPAT_CSUM_V2 ? 2 : 0);
}

/* What its superblock says; a word where that is not to be worked with. */
static const char *understand(struct journal *journal)
{
    const unsigned char *super = journal->super;
    uint32_t type = get32(super + 4), len = get32(super + AT_MAXLEN), fast = 0, checksum;

    if (get32(super) != MAGIC || (type != TYPE_SUPER_V1 && type != TYPE_SUPER_V2) ||
        get32(super + AT_BLOCKSIZE) != journal->ext->fs->blocksize)
        return "it is none";
    if (get32(super + AT_START) != 0)
        return "it is not empty";
    if (get32(super + AT_ERRNO) != 0)
        return "it notes an error; mend it with: e2fsck -f";
    if (type == TYPE_SUPER_V2)
        journal->features = get32(super + AT_INCOMPAT);
    if (type == TYPE_SUPER_V2 && odd_features(journal))
        return odd_features(journal);
    if (journal->features & INCOMPAT_FAST)
        fast = get32(super + AT_FAST_BLOCKS) ? get32(super + AT_FAST_BLOCKS) : FAST_BLOCKS;
    journal->first = get32(super + AT_FIRST);
    journal->end = len > fast ? len - fast : 0;
    journal->sequence = get32(super + AT_SEQUENCE) + 1;
    journal->tag = tag_size(journal->features);
    journal->seed = ext2fs_crc32c_le(~0U, super + AT_UUID, UUID);
    if (journal->first == 0 || journal->first >= journal->end)
        return "its size makes no sense";
    checksum = get32(super + AT_CHECKSUM);
    if (has_checksums(journal) &&
        (super[AT_CHECKSUM_TYPE] != CHECKSUM_CRC32C || super_checksum(journal) != checksum))
        return "its checksum is wrong";
    return NULL;
}

static int open_journal(struct ext *ext, struct journal *ret, struct err *e)
{
    const struct ext2_super_block *super = ext->fs->super;
    struct journal journal = { .ext = ext };
    errcode_t error = super->s_journal_inum ? ext_load(ext, super->s_journal_inum, &journal.node)
                                            : EXT2_ET_UNSUPP_FEATURE;
    const char *why;
    uint64_t at;

    if (!super->s_journal_inum)
        return err_set(e, ERR_UNSUPPORTED,
                       "nothing was written: its journal is on another device; mount it instead "
                       "(--access=mount, as root)");
    if (!error && !S_ISREG(journal.node.body.i_mode))
        error = EXT2_ET_CORRUPT_JOURNAL_SB;
    if (!error)
        error = locate(&journal, 0, &at);
    if (!error)
        error = volume_read(ext->volume, at, journal.super, SUPER_SIZE);
    if (error)
        return ext_error(error, e, "nothing was written: open the journal");
    why = understand(&journal);
    if (why)
        return err_set(e, ERR_REFUSED, "nothing was written: the journal cannot be used: %s", why);
    *ret = journal;
    return 0;
}

/* ---- blocks of the log ----------------------------------------------------------------- */

static void begin_block(struct journal *journal, uint32_t type)
{
    memset(journal->block, 0, journal->ext->fs->blocksize);
    put32(journal->block, MAGIC);
    put32(journal->block + 4, type);
    put32(journal->block + 8, journal->sequence);
}

static errcode_t append(struct journal *journal, const void *bytes)
{
    uint64_t at;
    errcode_t error = journal->next < journal->end ? locate(journal, journal->next, &at) : ENOSPC;

    journal->next++;
    return error ? error
                 : volume_write(journal->ext->volume, at, bytes, journal->ext->fs->blocksize);
}

/* How many blocks one descriptor can tell of. */
static size_t descriptor_room(const struct journal *journal)
{
    return (journal->ext->fs->blocksize - HEADER - UUID - (has_checksums(journal) ? TAIL : 0)) /
           journal->tag;
}

/* A block that begins like the journal's own is told apart by a flag, and has no beginning there.
 */
static bool needs_escape(const struct changed_block *block)
{
    return get32(block->bytes) == MAGIC;
}

/* Of the block as it stands in the log. */
static uint32_t tag_checksum(const struct journal *journal, const struct changed_block *block)
{
    unsigned char sequence[4], start[4] = { 0 };
    uint32_t crc;

    put32(sequence, journal->sequence);
    crc = ext2fs_crc32c_le(journal->seed, sequence, sizeof sequence);
    crc = ext2fs_crc32c_le(crc, needs_escape(block) ? start : block->bytes, sizeof start);
    return ext2fs_crc32c_le(crc, block->bytes + sizeof start,
                            journal->ext->fs->blocksize - sizeof start);
}

static void put_tag(const struct journal *journal, unsigned char *at,
                    const struct changed_block *block, uint32_t flags)
{
    uint32_t checksum = has_checksums(journal) ? tag_checksum(journal, block) : 0;

    flags |= needs_escape(block) ? TAG_ESCAPED : 0;
    put32(at, (uint32_t)block->number);
    if (journal->features & INCOMPAT_CSUM_V3) {
        put32(at + 4, flags);
        put32(at + 8, (uint32_t)(block->number >> 32));
        put32(at + 12, checksum);
        return;
    }
    put32(at + 4, (journal->features & INCOMPAT_CSUM_V2 ? checksum << 16 : 0) | flags);
    if (journal->features & INCOMPAT_64BIT)
        put32(at + 8, (uint32_t)(block->number >> 32));
}

static errcode_t append_descriptor(struct journal *journal, const struct changed_block *blocks,
                                   size_t count)
{
    uint32_t size = journal->ext->fs->blocksize;
    unsigned char *at = journal->block + HEADER;

    begin_block(journal, TYPE_DESCRIPTOR);
    for (size_t i = 0; i < count; i++) {
        uint32_t flags = (i ? TAG_SAME_UUID : 0) | (i + 1 == count ? TAG_LAST : 0);

        put_tag(journal, at, &blocks[i], flags);
        at += journal->tag;
        if (i == 0) {
            memcpy(at, journal->super + AT_UUID, UUID);
            at += UUID;
        }
    }
    if (has_checksums(journal))
        put32(journal->block + size - TAIL, ext2fs_crc32c_le(journal->seed, journal->block, size));
    return append(journal, journal->block);
}

static errcode_t append_data(struct journal *journal, const struct changed_block *block)
{
    if (!needs_escape(block))
        return append(journal, block->bytes);
    memcpy(journal->block, block->bytes, journal->ext->fs->blocksize);
    put32(journal->block, 0);
    return append(journal, journal->block);
}

static errcode_t append_commit(struct journal *journal)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    begin_block(journal, TYPE_COMMIT);
    put32(journal->block + COMMIT_SECONDS, (uint32_t)((uint64_t)now.tv_sec >> 32));
    put32(journal->block + COMMIT_SECONDS + 4, (uint32_t)now.tv_sec);
    put32(journal->block + COMMIT_NANOSECONDS, (uint32_t)now.tv_nsec);
    if (has_checksums(journal))
        put32(journal->block + COMMIT_CHECKSUM,
              ext2fs_crc32c_le(journal->seed, journal->block, journal->ext->fs->blocksize));
    return append(journal, journal->block);
}

static errcode_t write_log(struct journal *journal)
{
    const struct ext_volume *volume = journal->ext->volume;
    size_t room = descriptor_room(journal);
    errcode_t error = 0;

    journal->next = journal->first;
    for (size_t at = 0; !error && at < volume->count; at += room) {
        size_t count = volume->count - at < room ? volume->count - at : room;

        error = append_descriptor(journal, volume->changed + at, count);
        for (size_t i = 0; !error && i < count; i++)
            error = append_data(journal, &volume->changed[at + i]);
    }
    if (!error)
        error = append_commit(journal);
    return error ? error : volume_flush(volume);
}

/* ---- superblocks ----------------------------------------------------------------------- */

static errcode_t write_journal_super(struct journal *journal, uint32_t start, uint32_t sequence)
{
    uint64_t at;
    errcode_t error = locate(journal, 0, &at);

    if (error)
        return error;
    put32(journal->super + AT_START, start);
    put32(journal->super + AT_SEQUENCE, sequence);
    if (has_checksums(journal))
        put32(journal->super + AT_CHECKSUM, super_checksum(journal));
    error = volume_write(journal->ext->volume, at, journal->super, SUPER_SIZE);
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

/* ---- the transaction ------------------------------------------------------------------- */

static int refuse_too_large(const struct journal *journal, struct err *e)
{
    size_t count = journal->ext->volume->count, room = descriptor_room(journal);
    size_t needed = count + (count + room - 1) / room + 1;

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
    errcode_t error = write_log(journal);

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
