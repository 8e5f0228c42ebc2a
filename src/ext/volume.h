/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a volume for libext2fs: read from a descriptor, kept for a while, and written
 * nowhere. What is written is kept beside, a block at a time, until a transaction takes it
 * (commit.c). Private to ext/.
 */
#ifndef EXT_VOLUME_H
#define EXT_VOLUME_H

#include "base/err.h"

#include <ext2fs/ext2fs.h>
#include <stdbool.h>
#include <stdint.h>

/* A block that has been written to. */
struct changed_block {
    uint64_t number;
    unsigned char *bytes;
};

/* A block that stands in the log of the journal, where it is newer than in its place. */
struct log_block {
    uint64_t number;
    uint64_t at; /* in bytes */
    uint32_t order;
    bool escaped; /* its beginning, which is that of the journal's own blocks, is left out there */
};

/* What the next mount would replay (recovery.c). */
struct volume_log {
    struct log_block *blocks; /* by number, each once */
    size_t count;
    uint32_t block; /* bytes of one */
};
void volume_log_free(struct volume_log *log);

struct ext_volume {
    int fd;
    uint64_t offset, size;         /* in bytes: nothing outside of it is read or written */
    uint32_t block;                /* bytes; 1024 until the superblock tells */
    const struct volume_log *log;  /* NULL: none; stands over what is in its places */
    bool fixed;                    /* nothing may be written any more */
    struct changed_block *changed; /* by number */
    size_t count;
    struct kept *kept; /* clean blocks, each in the slot of its number */
    size_t slots;
};

/* What ext2fs_open2 is given for a name. */
enum { EXT_IO_NAME = 96 };
void ext_io_name(int fd, uint64_t offset, uint64_t size, const struct volume_log *log,
                 char ret_name[EXT_IO_NAME]);
extern const io_manager ext_io_manager;
/* What was written is on the disk by now, and it may be written to again. */
void ext_io_settle(struct ext_volume *volume);
struct ext_volume *ext_io_volume(io_channel channel);

/* As it is by now, what was written included; nothing of it is kept. */
errcode_t ext_io_read(const struct ext_volume *volume, uint64_t at, void *bytes, size_t len);

/* Past all that has been written: what is on the disk. Whole, inside the volume, or an error. */
errcode_t volume_read(const struct ext_volume *volume, uint64_t at, void *bytes, size_t len);
errcode_t volume_write(const struct ext_volume *volume, uint64_t at, const void *bytes, size_t len);
errcode_t volume_flush(const struct ext_volume *volume);

#endif
