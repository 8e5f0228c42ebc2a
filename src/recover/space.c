/* SPDX-License-Identifier: MIT */
/*
 * In which order a volume is searched: what is not allocated before what is, and
 * in both the block groups around /etc/ssh first, since a file is put near its
 * directory (Orlov allocator, flex_bg). On ext2, ext3 and ext4 the block bitmaps
 * tell; libext2fs finds them, and they are read one at a time.
 *
 * Nothing depends on them being right. What a bitmap calls free is searched
 * first, the rest later; without one all is a single stretch.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <ext2fs/ext2fs.h>
#include <stdio.h>
#include <string.h>

enum {
    DESCRIPTOR = 64,                    /* bytes, at most */
    SUPERBLOCK = 1024,                  /* where it is, and its size */
    DESCRIPTORS_MAX = 24 * 1024 * 1024, /* bytes of group descriptors: they are kept in memory */
    GAP = 64 * 1024,                    /* a read costs as much as reading so much more */
};

/* Groups near the inode, others, and those that have never been used; then what is allocated. */
enum round { ROUND_NEAR, ROUND_USED, ROUND_UNUSED, ROUND_ALLOCATED, ROUND_REST, ROUND_END };

struct space {
    ext2_filsys fs; /* NULL: nothing is known */
    uint64_t volume;
    uint64_t block; /* bytes of a block */
    uint64_t unit;  /* bytes that a bit of a bitmap stands for */
    uint64_t gap;
    dgrp_t near_first, near_end; /* the flex group of the inode */
    enum round round;
    dgrp_t turn;  /* how many groups of this round are done */
    dgrp_t group; /* the one at hand; its bits are loaded */
    bool loaded;
    uint64_t start; /* of the group, in bytes */
    unsigned bits, bit;
    unsigned char *bitmap;
};

/*
 * Sizes that fit the volume, before libext2fs makes room for what the superblock says;
 * and groups that cover all of it, since what no group has would not be searched.
 */
static bool plausible(const struct source *source, const struct ext2_super_block *super)
{
    uint64_t blocks = super->s_blocks_count, groups, block, ratio;
    bool bigalloc = super->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_BIGALLOC;

    if (super->s_magic != EXT2_SUPER_MAGIC || super->s_log_block_size > 6 ||
        super->s_log_cluster_size > 20 || super->s_blocks_per_group < 8 ||
        super->s_desc_size > DESCRIPTOR ||
        super->s_feature_incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
        return false;
    block = 1024ULL << super->s_log_block_size;
    ratio = bigalloc && super->s_log_cluster_size > super->s_log_block_size
                ? 1ULL << (super->s_log_cluster_size - super->s_log_block_size)
                : 1;
    if (super->s_feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT)
        blocks |= (uint64_t)super->s_blocks_count_hi << 32;
    groups = blocks / super->s_blocks_per_group + 1;
    return blocks > 0 && blocks <= source->size / block + 1 &&
           groups * DESCRIPTOR <= DESCRIPTORS_MAX &&
           super->s_blocks_per_group <= block * 8 * ratio &&
           super->s_first_data_block == (block == 1024 && !bigalloc);
}

/* As many groups as it takes; libext2fs has its own ideas of some superblocks. */
static bool covers(const ext2_filsys fs)
{
    uint64_t blocks = ext2fs_blocks_count(fs->super) - fs->super->s_first_data_block;
    uint64_t each = fs->super->s_blocks_per_group;

    return fs->group_desc_count == (blocks + each - 1) / each;
}

static ext2_filsys open_fs(const struct source *source)
{
    struct ext2_super_block super;
    char path[64], options[64];
    ext2_filsys fs = NULL;
    struct source copy = *source;

    if (source_copy(&copy, SUPERBLOCK, &super, sizeof super) != sizeof super ||
        !plausible(source, &super))
        return NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", source->fd);
    snprintf(options, sizeof options, "offset=%llu", (unsigned long long)source->offset);
    if (ext2fs_open2(path, options,
                     EXT2_FLAG_64BITS | EXT2_FLAG_FORCE | EXT2_FLAG_SKIP_MMP |
                         EXT2_FLAG_IGNORE_CSUM_ERRORS,
                     0, 0, unix_io_manager, &fs) != 0)
        return NULL;
    if (covers(fs))
        return fs;
    ext2fs_free(fs);
    return NULL;
}

/* The groups that share their tables with the group of an inode. */
static void find_near(struct space *space, uint64_t inode)
{
    const struct ext2_super_block *super = space->fs->super;
    dgrp_t group, flex = 1;

    if (super->s_feature_incompat & EXT4_FEATURE_INCOMPAT_FLEX_BG &&
        super->s_log_groups_per_flex < 20)
        flex = (dgrp_t)1 << super->s_log_groups_per_flex;
    if (inode == 0 || super->s_inodes_per_group == 0)
        return;
    group = (dgrp_t)((inode - 1) / super->s_inodes_per_group);
    if (group >= space->fs->group_desc_count)
        return;
    space->near_first = group / flex * flex;
    space->near_end = space->near_first + flex;
    if (space->near_end > space->fs->group_desc_count)
        space->near_end = space->fs->group_desc_count;
}

struct space *space_open(const struct source *source, const struct recover_where *where)
{
    struct space *space = xcalloc(1, sizeof *space);
    bool ext = where->fs && strncmp(where->fs, "ext", 3) == 0;

    *space = (struct space){ .volume = source->size,
                             .block = SCAN_SECTOR * 2,
                             .gap = source->maps ? 0 : GAP,
                             .round = ROUND_REST };
    space->fs = ext ? open_fs(source) : NULL;
    if (!space->fs)
        return space;
    space->block = space->fs->blocksize;
    space->unit = space->block * (uint64_t)EXT2FS_CLUSTER_RATIO(space->fs);
    space->bitmap = xcalloc(1, space->fs->blocksize);
    space->round = ROUND_NEAR;
    find_near(space, where->near_inode);
    return space;
}

void space_free(struct space **space)
{
    if (*space && (*space)->fs)
        ext2fs_free((*space)->fs);
    if (*space)
        free((*space)->bitmap);
    free(*space);
    *space = NULL;
}

bool space_is_known(const struct space *space)
{
    return space->fs != NULL;
}

uint64_t space_block(const struct space *space)
{
    return space->block;
}

uint64_t space_bytes(const struct space *space, enum recover_space kind)
{
    uint64_t free_bytes;

    if (!space->fs)
        return kind == RECOVER_SPACE_UNKNOWN ? space->volume : 0;
    free_bytes = ext2fs_free_blocks_count(space->fs->super) * space->block;
    if (free_bytes > space->volume)
        free_bytes = space->volume;
    return kind == RECOVER_UNALLOCATED ? free_bytes : space->volume - free_bytes;
}

/* ---- groups -----------------------------------------------------------------------------------
 */

/* The group whose turn it is: from the near ones on, once around. */
static dgrp_t group_in_turn(const struct space *space)
{
    dgrp_t count = space->fs->group_desc_count;

    return (dgrp_t)(((uint64_t)space->near_first + space->turn) % count);
}

static bool is_near(const struct space *space, dgrp_t group)
{
    return group >= space->near_first && group < space->near_end;
}

static bool is_unused(const struct space *space, dgrp_t group)
{
    return ext2fs_has_group_desc_csum(space->fs) &&
           ext2fs_bg_flags_test(space->fs, group, EXT2_BG_BLOCK_UNINIT);
}

static bool belongs(const struct space *space, dgrp_t group)
{
    switch (space->round) {
    case ROUND_NEAR:
        return is_near(space, group);
    case ROUND_USED:
        return !is_near(space, group) && !is_unused(space, group);
    case ROUND_UNUSED:
        return !is_near(space, group) && is_unused(space, group);
    case ROUND_ALLOCATED:
    case ROUND_REST:
    case ROUND_END:
        break;
    }
    return true;
}

/* Its bits; all clear where there are none, or where they cannot be read. */
static void load(struct space *space, dgrp_t group)
{
    blk64_t where = ext2fs_block_bitmap_loc(space->fs, group);
    blk64_t first = ext2fs_group_first_block2(space->fs, group);
    blk64_t last = ext2fs_group_last_block2(space->fs, group);

    space->group = group;
    space->loaded = true;
    space->start = first * space->block;
    space->bits =
        last < first
            ? 0
            : (unsigned)(((last - first + 1) * space->block + space->unit - 1) / space->unit);
    if (space->bits > space->block * 8)
        space->bits = (unsigned)space->block * 8;
    space->bit = 0;
    memset(space->bitmap, 0, space->block);
    if (is_unused(space, group) || where == 0 || where * space->block >= space->volume)
        return;
    if (io_channel_read_blk64(space->fs->io, where, 1, space->bitmap) != 0)
        memset(space->bitmap, 0, space->block);
}

static bool next_group(struct space *space)
{
    space->loaded = false;
    for (; space->round < ROUND_REST; space->round++, space->turn = 0) {
        while (space->turn < space->fs->group_desc_count) {
            dgrp_t group = group_in_turn(space);

            space->turn++;
            if (belongs(space, group)) {
                load(space, group);
                return true;
            }
        }
    }
    return false;
}

static bool is_allocated(const struct space *space, unsigned bit)
{
    return space->bitmap[bit / 8] >> bit % 8 & 1;
}

/* The next run of bits of one kind in the group at hand; small gaps are part of it. */
static bool next_run(struct space *space, bool allocated, struct stretch *ret)
{
    unsigned first, end, gap = 0;

    while (space->bit < space->bits && is_allocated(space, space->bit) != allocated)
        space->bit++;
    if (space->bit == space->bits)
        return false;
    first = end = space->bit;
    for (; space->bit < space->bits; space->bit++) {
        if (is_allocated(space, space->bit) == allocated) {
            gap = 0;
            end = space->bit + 1;
        } else if (++gap * space->unit > space->gap) {
            break;
        }
    }
    ret->start = space->start + first * space->unit;
    ret->end = space->start + end * space->unit;
    ret->space = allocated ? RECOVER_ALLOCATED : RECOVER_UNALLOCATED;
    if (ret->end > space->volume)
        ret->end = space->volume;
    return true;
}

/* What is behind the file system; or all, where there is none that is understood. */
static bool next_rest(struct space *space, struct stretch *ret)
{
    uint64_t end = 0;

    if (space->round == ROUND_END)
        return false;
    space->round = ROUND_END;
    if (space->fs)
        end = ext2fs_blocks_count(space->fs->super) * space->block;
    *ret = (struct stretch){ end, space->volume, RECOVER_SPACE_UNKNOWN };
    return end < space->volume;
}

bool space_next(struct space *space, struct stretch *ret)
{
    while (space->round < ROUND_REST) {
        if (space->loaded && next_run(space, space->round == ROUND_ALLOCATED, ret)) {
            if (ret->start < ret->end)
                return true;
        } else if (!next_group(space)) {
            break;
        }
    }
    return next_rest(space, ret);
}
