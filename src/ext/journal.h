/* SPDX-License-Identifier: MIT */
/*
 * What the journal of ext3 and ext4 (jbd2) and its log share. All numbers in it are big-endian
 * (include/linux/jbd2.h). Private to ext/.
 */
#ifndef EXT_JOURNAL_H
#define EXT_JOURNAL_H

#include "ext/ext.h"

#include <endian.h>
#include <string.h>

enum {
    JOURNAL_MAGIC = 0xc03b3998,
    JOURNAL_SUPER = 1024,       /* bytes of its superblock */
    JOURNAL_SEQUENCE_AT = 0x18, /* in that */
    JOURNAL_START_AT = 0x1c,
    JOURNAL_COMPAT_AT = 0x24,
    JOURNAL_UUID_AT = 0x30,
    JOURNAL_UUID = 16,           /* bytes */
    JOURNAL_COMPAT_CHECKSUM = 1, /* features */
    JOURNAL_64BIT = 2,
    JOURNAL_ASYNC = 4,
    JOURNAL_CSUM_V2 = 8,
    JOURNAL_CSUM_V3 = 16,

    TYPE_DESCRIPTOR = 1, /* of blocks of the log */
    TYPE_COMMIT = 2,
    TYPE_REVOKE = 5,
    JOURNAL_HEADER = 12, /* magic, type, sequence */
    JOURNAL_TAIL = 4,    /* of a descriptor with a checksum */
    TAG_ESCAPED = 1,
    TAG_SAME_UUID = 2,
    TAG_LAST = 8,

    COMMIT_CHECKSUM = 16, /* in a commit */
    COMMIT_SECONDS = 48,
    COMMIT_NANOSECONDS = 56,
};

struct journal {
    struct ext *ext;
    struct ext_node node;
    unsigned char super[JOURNAL_SUPER];
    uint32_t features;   /* incompat */
    uint32_t first, end; /* of the log, in blocks of the journal */
    uint32_t fast;       /* blocks behind it for fast commits */
    uint32_t sequence;
    uint32_t seed; /* of checksums */
    uint32_t tag;  /* bytes of one */
    uint32_t next; /* block of the log to be written */
    unsigned char *block;
};

static inline uint32_t journal_get(const unsigned char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static inline void journal_put(unsigned char *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
}

static inline bool journal_has_checksums(const struct journal *journal)
{
    return journal->features & (JOURNAL_CSUM_V2 | JOURNAL_CSUM_V3);
}

/* ---- journal.c ------------------------------------------------------------------------- */

/* Its inode and its superblock, as they are on the disk. */
errcode_t journal_load(struct ext *ext, struct journal *ret) MUST_CHECK;
/* What its superblock says; a word where that is not to be worked with. */
const char *journal_understand(struct journal *journal) MUST_CHECK;
/* Where a block of the journal is on the disk, in bytes. */
errcode_t journal_place(struct journal *journal, uint32_t block, uint64_t *ret) MUST_CHECK;
/* The same, to be written to: only where a journal's block may be. */
errcode_t journal_locate(struct journal *journal, uint32_t block, uint64_t *ret) MUST_CHECK;

/* ---- log.c ----------------------------------------------------------------------------- */

/* How many blocks of the log so many blocks of the file system take. */
size_t log_size(const struct journal *journal, size_t count);
/* All that was changed, as one transaction from the first block of the log on; flushed. */
errcode_t log_write(struct journal *journal) MUST_CHECK;

#endif
