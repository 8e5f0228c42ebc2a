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
    JOURNAL_SUPER = 1024,   /* bytes of its superblock */
    JOURNAL_UUID_AT = 0x30, /* in that */
    JOURNAL_UUID = 16,      /* bytes */
    JOURNAL_64BIT = 2,      /* features */
    JOURNAL_CSUM_V2 = 8,
    JOURNAL_CSUM_V3 = 16,
};

struct journal {
    struct ext *ext;
    struct ext_node node;
    unsigned char super[JOURNAL_SUPER];
    uint32_t features;   /* incompat */
    uint32_t first, end; /* of the log, in blocks of the journal */
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

/* Where a block of the journal is on the disk; only where a journal's block may be. */
errcode_t journal_locate(struct journal *journal, uint32_t block, uint64_t *ret) MUST_CHECK;

/* ---- log.c ----------------------------------------------------------------------------- */

/* How many blocks of the log so many blocks of the file system take. */
size_t log_size(const struct journal *journal, size_t count);
/* All that was changed, as one transaction from the first block of the log on; flushed. */
errcode_t log_write(struct journal *journal) MUST_CHECK;

#endif
