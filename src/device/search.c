/* SPDX-License-Identifier: MIT */
/*
 * File systems on a disk whose partition table is gone. Partitions begin at a multiple of
 * 1 MiB, or, on disks laid out before 2010, at sector 63; each file system says how long it
 * is, so that the next one is looked for behind it, and what lies in its files is not taken
 * for one.
 */
#include "device/private.h"

#include "base/alloc.h"
#include "base/io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, OLD_START = 63 * 512, BTRFS_SUPER = 65536 };

/* A blank disk must not be read to its end: after so many places without anything, it is blank. */
enum { PLACES_MAX = 16 * 1024 };

static uint64_t big(const unsigned char *bytes, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* s_blocks_count_lo and _hi, s_log_block_size; a copy says in s_block_group_nr that it is one. */
static uint64_t ext_size(const unsigned char *start)
{
    enum {
        SUPER = 1024,
        BLOCKS = 4,
        LOG_SIZE = 0x18,
        MAGIC = 0x38,
        GROUP = 0x5a,
        INCOMPAT = 0x60,
        BLOCKS_HI = 0x150,
        INCOMPAT_64BIT = 0x80,
        LOG_MAX = 6
    };
    const unsigned char *super = start + SUPER;
    uint64_t blocks = little(super + BLOCKS, 4), log_size = little(super + LOG_SIZE, 4);

    if (little(super + MAGIC, 2) != 0xef53 || little(super + GROUP, 2) != 0 || log_size > LOG_MAX)
        return 0;
    if (little(super + INCOMPAT, 4) & INCOMPAT_64BIT)
        blocks |= little(super + BLOCKS_HI, 4) << 32;
    return blocks > UINT64_MAX >> 16 ? 0 : blocks << (10 + log_size);
}

/* sb_blocksize and sb_dblocks (fs/xfs/libxfs/xfs_format.h). */
static uint64_t xfs_size(const unsigned char *start)
{
    uint64_t block = big(start + 4, 4), blocks = big(start + 8, 8);

    if (memcmp(start, "XFSB", 4) != 0 || block > 65536 || blocks > UINT64_MAX >> 16)
        return 0;
    return block * blocks;
}

/* bytenr, magic and total_bytes (fs/btrfs/ctree.h). */
static uint64_t btrfs_size(const unsigned char *super)
{
    if (memcmp(super + 0x40, "_BHRfS_M", 8) != 0 || little(super + 0x30, 8) != BTRFS_SUPER)
        return 0;
    return little(super + 0x70, 8);
}

/* How long the file system is that begins here; 0: none does. */
static uint64_t size_at(int fd, uint64_t at)
{
    unsigned char start[2048], super[128];
    uint64_t size;

    if (io_read_at(fd, start, sizeof start, at) < 0)
        return 0;
    size = ext_size(start);
    if (!size)
        size = xfs_size(start);
    if (!size && io_read_at(fd, super, sizeof super, at + BTRFS_SUPER) == 0)
        size = btrfs_size(super);
    return size;
}

/* Holes of an image hold nothing. */
static uint64_t skip_hole(int fd, const struct disk *disk, uint64_t at)
{
    off_t data = disk->kind == DISK_IMAGE ? lseek(fd, (off_t)at, SEEK_DATA) : (off_t)at;

    if (data < 0)
        return errno == ENXIO ? disk->size : at;
    /* A btrfs has a hole in front of its superblock: the place may lie before the data. */
    return (uint64_t)data < at + 2 * MIB ? at : (uint64_t)data / MIB * MIB;
}

/* The first place at or behind an offset. */
static uint64_t place_from(uint64_t from)
{
    return from <= OLD_START ? OLD_START : (from + MIB - 1) / MIB * MIB;
}

bool search_next(int fd, const struct disk *disk, uint64_t from, struct volume *ret)
{
    uint64_t at = place_from(from);

    for (int places = 0; places < PLACES_MAX && at < disk->size; places++) {
        uint64_t size = size_at(fd, at);

        if (size) {
            *ret = (struct volume){ .offset = at,
                                    .size = size < disk->size - at ? size : disk->size - at };
            ret->path = at % MIB ? xasprintf("at sector %llu", (unsigned long long)at / 512)
                                 : xasprintf("at %llu MiB", (unsigned long long)at / MIB);
            return true;
        }
        at = skip_hole(fd, disk, place_from(at + 1));
    }
    return false;
}

/*
 * The copies of an ext lie at the start of its block groups, of which group 1 always has one; a
 * group has 8 blocks for each byte of its bitmap, which is one block. With blocks of 1 KiB all
 * is one block further on, since the first superblock is in block 1 (fs/ext4/super.c).
 */
uint64_t ext_backup_superblock(int fd, const struct volume *volume)
{
    enum { LOG_SIZE = 0x18, MAGIC = 0x38, GROUP = 0x5a, KIB = 1024, BLOCK_MAX = 4096 };

    for (uint64_t block = KIB, log_size = 0; block <= BLOCK_MAX; block *= 2, log_size++) {
        uint64_t at = block * (block * 8 + (block == KIB));
        unsigned char super[KIB];

        if (at + sizeof super > volume->size ||
            io_read_at(fd, super, sizeof super, volume->offset + at) < 0)
            continue;
        if (little(super + MAGIC, 2) == 0xef53 && little(super + GROUP, 2) == 1 &&
            little(super + LOG_SIZE, 4) == log_size)
            return at / KIB;
    }
    return 0;
}
