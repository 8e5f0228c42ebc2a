/* SPDX-License-Identifier: MIT */
/*
 * A journal that was not emptied, for reading: which of its blocks the next mount would write over
 * which of the volume's. Nothing is written, and no block is kept: what comes out is a table of
 * where in the log each block stands, which the volume reads by (volume.c).
 *
 * What counts is what fs/jbd2/recovery.c makes of a log: it ends with the last transaction that has
 * a commit. Every number in it may be a lie: the log is passed once at most.
 */
#include "ext/journal.h"

#include "base/alloc.h"

#include <stdlib.h>

enum {
    LOG_MAX = 1024 * 1024,         /* blocks of a log; mke2fs makes a quarter of it at most */
    REVOKES_MAX = 4 * 1024 * 1024, /* blocks that are revoked */

    REVOKE_COUNT = 12, /* in bytes, with what is in front of the first */
    REVOKES = 16,
    COMMIT_CHECKSUM_TYPE = 12,
    COMMIT_CHECKSUM_SIZE = 13,
    CHECKSUM_CRC32 = 1, /* of COMPAT_CHECKSUM */
    CRC32_SIZE = 4,

    FAST_HEAD = 9, /* fs/ext4/fast_commit.h; little-endian */
    FAST_ID_AT = 8,
};

/* A block of the volume, as a transaction has it. */
struct tagged {
    struct log_block block;
    uint32_t id, checksum;
};

struct revoked {
    uint64_t number;
    uint32_t age; /* of its transaction, from the first of the log on */
};

struct recovery {
    struct journal *journal;
    uint32_t start, first_id, id;
    uint32_t passed; /* blocks of the log */
    struct tagged *tagged;
    size_t tagged_count;
    struct revoked *revoked;
    size_t revoked_count;
    uint32_t crc;      /* of the transaction, where COMPAT_CHECKSUM has it */
    uint64_t time;     /* of the last commit */
    bool suspect;      /* a block of this transaction is not what it was when it was written */
    bool bad_revoke;   /* … or makes no sense */
    bool ended;        /* id is that of the first transaction that does not count */
    bool incomplete;   /* what is read is not all that a mount would show, or a mount would fail */
    bool fast_wrapped; /* kernels do not agree on such a log */
};

static void recovery_free(struct recovery *recovery)
{
    free(recovery->tagged);
    free(recovery->revoked);
    free(recovery->journal->block);
}

/* ---- the log ------------------------------------------------------------------------------- */

static uint32_t size_of(const struct recovery *recovery)
{
    return recovery->journal->ext->fs->blocksize;
}

/* Where the next block of the log stands. */
static errcode_t step(struct recovery *recovery, uint64_t *ret)
{
    struct journal *journal = recovery->journal;
    uint32_t block = journal->next;

    if (recovery->passed++ >= journal->end - journal->first)
        return EXT2_ET_CORRUPT_JOURNAL_SB;
    if (++journal->next == journal->end) {
        journal->next = journal->first;
        recovery->fast_wrapped = journal->fast != 0;
    }
    return journal_place(journal, block, ret);
}

static errcode_t read_at(const struct recovery *recovery, uint64_t at, void *block)
{
    return volume_read(recovery->journal->ext->volume, at, block, size_of(recovery));
}

static uint32_t room_of(const struct recovery *recovery)
{
    return size_of(recovery) - (journal_has_checksums(recovery->journal) ? JOURNAL_TAIL : 0);
}

/* Of a block that has its own checksum in it, at an offset. */
static bool holds(const struct recovery *recovery, size_t at)
{
    struct journal *journal = recovery->journal;
    uint32_t said, is;

    if (!journal_has_checksums(journal))
        return true;
    said = journal_get(journal->block + at);
    journal_put(journal->block + at, 0);
    is = ext2fs_crc32c_le(journal->seed, journal->block, size_of(recovery));
    journal_put(journal->block + at, said);
    return said == is;
}

static bool has_crc(const struct recovery *recovery)
{
    return journal_get(recovery->journal->super + JOURNAL_COMPAT_AT) & JOURNAL_COMPAT_CHECKSUM;
}

static void add_crc(struct recovery *recovery, const void *block)
{
    recovery->crc = ext2fs_crc32_be(recovery->crc, block, size_of(recovery));
}

/* ---- its blocks ---------------------------------------------------------------------------- */

static struct tagged read_tag(const struct recovery *recovery, const unsigned char *at,
                              uint32_t *ret_flags)
{
    uint32_t features = recovery->journal->features, flags = journal_get(at + 4);
    struct tagged tag = { .block.number = journal_get(at), .id = recovery->id };

    if (features & JOURNAL_64BIT)
        tag.block.number |= (uint64_t)journal_get(at + 8) << 32;
    if (features & JOURNAL_CSUM_V3) {
        tag.checksum = journal_get(at + 12);
    } else {
        tag.checksum = flags >> 16;
        flags &= 0xffff;
    }
    tag.block.escaped = flags & TAG_ESCAPED;
    *ret_flags = flags;
    return tag;
}

static errcode_t pass_descriptor(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    uint32_t flags = 0, room = room_of(recovery);

    if (!holds(recovery, room))
        recovery->suspect = true;
    if (has_crc(recovery))
        add_crc(recovery, journal->block);
    for (uint32_t at = JOURNAL_HEADER; !(flags & TAG_LAST) && at + journal->tag <= room;) {
        struct tagged tag = read_tag(recovery, journal->block + at, &flags);
        errcode_t error = step(recovery, &tag.block.at);

        if (!error && has_crc(recovery)) {
            error = read_at(recovery, tag.block.at, journal->ext->block);
            add_crc(recovery, journal->ext->block);
        }
        if (error)
            return error;
        array_push(recovery->tagged, recovery->tagged_count, tag);
        at += journal->tag + (flags & TAG_SAME_UUID ? 0 : JOURNAL_UUID);
    }
    return 0;
}

static errcode_t pass_revoke(struct recovery *recovery)
{
    const struct journal *journal = recovery->journal;
    uint32_t width = journal->features & JOURNAL_64BIT ? 8 : 4;
    uint32_t end = journal_get(journal->block + REVOKE_COUNT);

    if (!holds(recovery, room_of(recovery)))
        recovery->suspect = true;
    if (end > room_of(recovery)) {
        recovery->bad_revoke = true;
        return 0;
    }
    for (uint32_t at = REVOKES; at + width <= end; at += width) {
        struct revoked revoked = { .number = journal_get(journal->block + at),
                                   .age = recovery->id - recovery->first_id };

        if (width == 8)
            revoked.number = revoked.number << 32 | journal_get(journal->block + at + 4);
        if (recovery->revoked_count == REVOKES_MAX)
            return EXT2_ET_CORRUPT_JOURNAL_SB;
        array_push(recovery->revoked, recovery->revoked_count, revoked);
    }
    return 0;
}

/* Some that write COMPAT_CHECKSUM leave it out. */
static bool crc_holds(const struct recovery *recovery)
{
    const unsigned char *block = recovery->journal->block;
    uint32_t said = journal_get(block + COMMIT_CHECKSUM);

    return (said == recovery->crc && block[COMMIT_CHECKSUM_TYPE] == CHECKSUM_CRC32 &&
            block[COMMIT_CHECKSUM_SIZE] == CRC32_SIZE) ||
           (said == 0 && block[COMMIT_CHECKSUM_TYPE] == 0 && block[COMMIT_CHECKSUM_SIZE] == 0);
}

/*
 * The end of a transaction. One that does not hold is what was in the log before, where it is
 * older than the one in front of it; else the log is damaged, and no kernel goes on from there,
 * unless commits may reach the disk before what they commit.
 */
static errcode_t pass_commit(struct recovery *recovery)
{
    const struct journal *journal = recovery->journal;
    uint64_t time = (uint64_t)journal_get(journal->block + COMMIT_SECONDS) << 32 |
                    journal_get(journal->block + COMMIT_SECONDS + 4);
    bool sound = holds(recovery, COMMIT_CHECKSUM) && (!has_crc(recovery) || crc_holds(recovery));

    recovery->ended = recovery->suspect || !sound;
    if (recovery->ended && time >= recovery->time) {
        if (recovery->suspect)
            return EXT2_ET_CORRUPT_JOURNAL_SB;
        recovery->incomplete = !(journal->features & JOURNAL_ASYNC);
    }
    if (recovery->ended)
        return 0;
    if (recovery->bad_revoke)
        return EXT2_ET_CORRUPT_JOURNAL_SB;
    recovery->time = time;
    recovery->crc = ~0U;
    recovery->id++;
    return 0;
}

static errcode_t pass_block(struct recovery *recovery)
{
    const unsigned char *block = recovery->journal->block;
    uint64_t at;
    errcode_t error = step(recovery, &at);

    if (!error)
        error = read_at(recovery, at, recovery->journal->block);
    if (error)
        return error;
    if (journal_get(block) == JOURNAL_MAGIC && journal_get(block + 8) == recovery->id)
        switch (journal_get(block + 4)) {
        case TYPE_DESCRIPTOR:
            return pass_descriptor(recovery);
        case TYPE_COMMIT:
            return pass_commit(recovery);
        case TYPE_REVOKE:
            return pass_revoke(recovery);
        default:
            break;
        }
    recovery->ended = true;
    return 0;
}

/* A log that is full of transactions has no block behind them. */
static bool is_passed(const struct recovery *recovery)
{
    const struct journal *journal = recovery->journal;

    return recovery->ended || recovery->passed == journal->end - journal->first;
}

static errcode_t pass_log(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    errcode_t error = 0;

    if (recovery->start < journal->first || recovery->start >= journal->end ||
        journal->end - journal->first > LOG_MAX)
        return EXT2_ET_CORRUPT_JOURNAL_SB;
    journal->next = recovery->start;
    while (!error && !is_passed(recovery))
        error = pass_block(recovery);
    return error;
}

static bool is_fast_commit(struct recovery *recovery, uint32_t block)
{
    const unsigned char *bytes = recovery->journal->block;
    uint32_t id;
    uint64_t at;

    if (journal_place(recovery->journal, block, &at) ||
        read_at(recovery, at, recovery->journal->block))
        return true;
    memcpy(&id, bytes + FAST_ID_AT, sizeof id);
    return bytes[0] == FAST_HEAD && bytes[1] == 0 && le32toh(id) == recovery->id;
}

/*
 * What fast commits add to the last transaction is not read here. The kernel leaves out a block
 * between the log and the first of them.
 */
static bool has_fast_commits(struct recovery *recovery)
{
    const struct journal *journal = recovery->journal;

    return journal->fast && (is_fast_commit(recovery, journal->end) ||
                             (journal->fast > 1 && is_fast_commit(recovery, journal->end + 1)));
}

/* ---- what comes of it ---------------------------------------------------------------------- */

static int by_number_and_age(const void *a, const void *b)
{
    const struct revoked *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->age < y->age ? -1 : x->age > y->age;
}

/* In its transaction, or in a later one that counts. */
static bool is_revoked(const struct recovery *recovery, const struct tagged *tag)
{
    size_t low = 0, high = recovery->revoked_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (recovery->revoked[middle].number <= tag->block.number)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && recovery->revoked[low - 1].number == tag->block.number &&
           recovery->revoked[low - 1].age >= tag->id - recovery->first_id;
}

static bool is_sound(const struct recovery *recovery, const struct tagged *tag)
{
    const struct journal *journal = recovery->journal;
    const struct ext_volume *volume = journal->ext->volume;
    unsigned char id[4];
    uint32_t crc;

    if (tag->block.number >= volume->size / size_of(recovery))
        return false;
    if (!journal_has_checksums(journal))
        return true;
    if (read_at(recovery, tag->block.at, journal->ext->block))
        return false;
    journal_put(id, tag->id);
    crc = ext2fs_crc32c_le(journal->seed, id, sizeof id);
    crc = ext2fs_crc32c_le(crc, (unsigned char *)journal->ext->block, size_of(recovery));
    return tag->checksum == (journal->features & JOURNAL_CSUM_V3 ? crc : crc & 0xffff);
}

/* The later of two comes last; where a block stands in the log does not tell. */
static int by_number(const void *a, const void *b)
{
    const struct log_block *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void keep_last(struct volume_log *log)
{
    size_t kept = 0;

    if (log->count)
        qsort(log->blocks, log->count, sizeof *log->blocks, by_number);
    for (size_t i = 0; i < log->count; i++)
        if (i + 1 == log->count || log->blocks[i + 1].number != log->blocks[i].number)
            log->blocks[kept++] = log->blocks[i];
    log->count = kept;
}

static void drop_uncommitted(struct recovery *recovery)
{
    size_t kept = 0;

    while (recovery->tagged_count &&
           recovery->tagged[recovery->tagged_count - 1].id == recovery->id)
        recovery->tagged_count--;
    for (size_t i = 0; i < recovery->revoked_count; i++)
        if (recovery->revoked[i].age < recovery->id - recovery->first_id)
            recovery->revoked[kept++] = recovery->revoked[i];
    recovery->revoked_count = kept;
    if (kept)
        qsort(recovery->revoked, kept, sizeof *recovery->revoked, by_number_and_age);
}

static struct volume_log *make_log(struct recovery *recovery)
{
    struct volume_log *log = xcalloc(1, sizeof *log);

    log->block = size_of(recovery);
    drop_uncommitted(recovery);
    for (size_t i = 0; i < recovery->tagged_count; i++) {
        const struct tagged *tag = &recovery->tagged[i];
        struct log_block block = tag->block;

        block.order = (uint32_t)i;
        if (is_revoked(recovery, tag))
            continue;
        if (is_sound(recovery, tag))
            array_push(log->blocks, log->count, block);
        else
            recovery->incomplete = true;
    }
    keep_last(log);
    return log;
}

enum ext_journal journal_recover(struct ext *ext, struct volume_log **ret)
{
    struct journal journal = { 0 };
    auto_with(recovery_free) struct recovery recovery = { .journal = &journal, .crc = ~0U };

    if (journal_load(ext, &journal) || journal_understand(&journal))
        return EXT_JOURNAL_UNREAD;
    recovery.start = journal_get(journal.super + JOURNAL_START_AT);
    if (recovery.start == 0)
        return EXT_JOURNAL_READ;
    recovery.id = recovery.first_id = journal_get(journal.super + JOURNAL_SEQUENCE_AT);
    journal.block = xcalloc(1, size_of(&recovery));
    if (pass_log(&recovery))
        return EXT_JOURNAL_UNREAD;
    *ret = make_log(&recovery);
    return recovery.incomplete || recovery.fast_wrapped || has_fast_commits(&recovery)
               ? EXT_JOURNAL_UNREAD
               : EXT_JOURNAL_READ;
}

void volume_log_free(struct volume_log *log)
{
    if (log)
        free(log->blocks);
    free(log);
}
