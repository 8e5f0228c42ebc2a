/* SPDX-License-Identifier: MIT */
/*
 * The blocks of one transaction in the log: descriptors, each in front of the blocks that it tells
 * of, and a commit (fs/jbd2/commit.c; what has to fit: fs/jbd2/recovery.c).
 */
#include "ext/journal.h"

#include <errno.h>
#include <time.h>

static void begin_block(struct journal *journal, uint32_t type)
{
    memset(journal->block, 0, journal->ext->fs->blocksize);
    journal_put(journal->block, JOURNAL_MAGIC);
    journal_put(journal->block + 4, type);
    journal_put(journal->block + 8, journal->sequence);
}

static errcode_t append(struct journal *journal, const void *bytes)
{
    uint64_t at;
    errcode_t error =
        journal->next < journal->end ? journal_locate(journal, journal->next, &at) : ENOSPC;

    journal->next++;
    return error ? error
                 : volume_write(journal->ext->volume, at, bytes, journal->ext->fs->blocksize);
}

/* How many blocks one descriptor can tell of. */
static size_t descriptor_room(const struct journal *journal)
{
    return (journal->ext->fs->blocksize - JOURNAL_HEADER - JOURNAL_UUID -
            (journal_has_checksums(journal) ? JOURNAL_TAIL : 0)) /
           journal->tag;
}

size_t log_size(const struct journal *journal, size_t count)
{
    size_t room = descriptor_room(journal);

    return count + (count + room - 1) / room + 1;
}

/* A block that begins like the journal's own is told apart by a flag, and has no beginning there.
 */
static bool needs_escape(const struct changed_block *block)
{
    return journal_get(block->bytes) == JOURNAL_MAGIC;
}

/* Of the block as it stands in the log. */
static uint32_t tag_checksum(const struct journal *journal, const struct changed_block *block)
{
    unsigned char sequence[4], start[4] = { 0 };
    uint32_t crc;

    journal_put(sequence, journal->sequence);
    crc = ext2fs_crc32c_le(journal->seed, sequence, sizeof sequence);
    crc = ext2fs_crc32c_le(crc, needs_escape(block) ? start : block->bytes, sizeof start);
    return ext2fs_crc32c_le(crc, block->bytes + sizeof start,
                            journal->ext->fs->blocksize - sizeof start);
}

static void put_tag(const struct journal *journal, unsigned char *at,
                    const struct changed_block *block, uint32_t flags)
{
    uint32_t checksum = journal_has_checksums(journal) ? tag_checksum(journal, block) : 0;

    flags |= needs_escape(block) ? TAG_ESCAPED : 0;
    journal_put(at, (uint32_t)block->number);
    if (journal->features & JOURNAL_CSUM_V3) {
        journal_put(at + 4, flags);
        journal_put(at + 8, (uint32_t)(block->number >> 32));
        journal_put(at + 12, checksum);
        return;
    }
    journal_put(at + 4, (journal->features & JOURNAL_CSUM_V2 ? checksum << 16 : 0) | flags);
    if (journal->features & JOURNAL_64BIT)
        journal_put(at + 8, (uint32_t)(block->number >> 32));
}

static errcode_t append_descriptor(struct journal *journal, const struct changed_block *blocks,
                                   size_t count)
{
    uint32_t size = journal->ext->fs->blocksize;
    unsigned char *at = journal->block + JOURNAL_HEADER;

    begin_block(journal, TYPE_DESCRIPTOR);
    for (size_t i = 0; i < count; i++) {
        uint32_t flags = (i ? TAG_SAME_UUID : 0) | (i + 1 == count ? TAG_LAST : 0);

        put_tag(journal, at, &blocks[i], flags);
        at += journal->tag;
        if (i == 0) {
            memcpy(at, journal->super + JOURNAL_UUID_AT, JOURNAL_UUID);
            at += JOURNAL_UUID;
        }
    }
    if (journal_has_checksums(journal))
        journal_put(journal->block + size - JOURNAL_TAIL,
                    ext2fs_crc32c_le(journal->seed, journal->block, size));
    return append(journal, journal->block);
}

static errcode_t append_data(struct journal *journal, const struct changed_block *block)
{
    if (!needs_escape(block))
        return append(journal, block->bytes);
    memcpy(journal->block, block->bytes, journal->ext->fs->blocksize);
    journal_put(journal->block, 0);
    return append(journal, journal->block);
}

static errcode_t append_commit(struct journal *journal)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    begin_block(journal, TYPE_COMMIT);
    journal_put(journal->block + COMMIT_SECONDS, (uint32_t)((uint64_t)now.tv_sec >> 32));
    journal_put(journal->block + COMMIT_SECONDS + 4, (uint32_t)now.tv_sec);
    journal_put(journal->block + COMMIT_NANOSECONDS, (uint32_t)now.tv_nsec);
    if (journal_has_checksums(journal))
        journal_put(journal->block + COMMIT_CHECKSUM,
                    ext2fs_crc32c_le(journal->seed, journal->block, journal->ext->fs->blocksize));
    return append(journal, journal->block);
}

errcode_t log_write(struct journal *journal)
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
