/* SPDX-License-Identifier: MIT */
/*
 * From changed blocks in memory to the disk. With a journal all of them are one transaction in it
 * (journal.c). Without one the order is what protects: a power cut leaves nothing worse than
 * e2fsck puts right, and each name leads to what was, or to what is new and whole.
 */
#include "ext/ext.h"

#include "base/alloc.h"

#include <errno.h>
#include <string.h>

enum { SUPERBLOCK = 1024 };

/* ---- what has changed ---------------------------------------------------------------------- */

/* Its numbers of what is free may be as old as the last unmount; e2fsck compares them. */
static void count_free(ext2_filsys fs)
{
    uint64_t clusters = 0;
    uint32_t inodes = 0;

    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        clusters += ext2fs_bg_free_blocks_count(fs, group);
        inodes += ext2fs_bg_free_inodes_count(fs, group);
    }
    ext2fs_free_blocks_count_set(fs->super, clusters * (uint64_t)EXT2FS_CLUSTER_RATIO(fs));
    fs->super->s_free_inodes_count = inodes;
}

/* Written and free again: of no use to anybody, and may have been a key. */
static bool is_free(const struct ext *ext, uint64_t number)
{
    return number >= ext->fs->super->s_first_data_block &&
           number < ext2fs_blocks_count(ext->fs->super) &&
           !ext2fs_test_block_bitmap2(ext->fs->block_map, number);
}

/* Leaves those that are to be written: in use, and not as they are on the disk. */
static errcode_t drop_unchanged(struct ext *ext)
{
    struct ext_volume *volume = ext->volume;
    size_t kept = 0;

    for (size_t i = 0; i < volume->count; i++) {
        struct changed_block *block = &volume->changed[i];
        errcode_t error =
            volume_read(volume, block->number * volume->block, ext->block, volume->block);

        if (error)
            return error;
        if (is_free(ext, block->number) || memcmp(ext->block, block->bytes, volume->block) == 0) {
            explicit_bzero(block->bytes, volume->block);
            free(block->bytes);
        } else {
            volume->changed[kept++] = *block;
        }
    }
    volume->count = kept;
    return 0;
}

static struct changed_block *block_of_super(struct ext_volume *volume)
{
    for (size_t i = 0; i < volume->count; i++)
        if (volume->changed[i].number == SUPERBLOCK / volume->block)
            return &volume->changed[i];
    return NULL;
}

/* ---- without a journal --------------------------------------------------------------------- */

/* In the order of their writing; what comes later leads to what came before. */
enum turn {
    TURN_NEW,   /* blocks nobody leads to yet: contents, new directories */
    TURN_SPACE, /* bitmaps, group descriptors */
    TURN_INODES,
    TURN_NAMES, /* blocks that were in use: directories */
    TURNS
};

static bool was_in_use(const struct ext *ext, uint64_t number)
{
    ext2_filsys fs = ext->fs;
    dgrp_t group = ext2fs_group_of_blk2(fs, number);
    uint64_t bit = (number - ext2fs_group_first_block2(fs, group)) / EXT2FS_CLUSTER_RATIO(fs);
    unsigned char byte = 0xff;

    if (ext2fs_bg_flags_test(fs, group, EXT2_BG_BLOCK_UNINIT) ||
        volume_read(ext->volume, ext2fs_block_bitmap_loc(fs, group) * ext->volume->block + bit / 8,
                    &byte, 1))
        return true;
    return byte >> bit % 8 & 1;
}

static enum turn turn_of(const struct ext *ext, uint64_t number)
{
    ext2_filsys fs = ext->fs;
    bool in_use;

    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        uint64_t table = ext2fs_inode_table_loc(fs, group);

        if (number == ext2fs_block_bitmap_loc(fs, group) ||
            number == ext2fs_inode_bitmap_loc(fs, group))
            return TURN_SPACE;
        if (number >= table && number - table < fs->inode_blocks_per_group)
            return TURN_INODES;
    }
    if (number <= SUPERBLOCK / ext->volume->block + fs->desc_blocks)
        return TURN_SPACE;
    in_use = was_in_use(ext, number);
    return in_use ? TURN_NAMES : TURN_NEW;
}

/* The superblock that is on the disk, with another state: VALID_FS, or not. */
static errcode_t write_state(struct ext *ext, bool valid)
{
    struct ext_volume *volume = ext->volume;
    struct ext2_super_block super;
    errcode_t error = volume_read(volume, SUPERBLOCK, &super, sizeof super);

    if (error)
        return error;
    super.s_state =
        (uint16_t)(valid ? super.s_state | EXT2_VALID_FS : super.s_state & ~EXT2_VALID_FS);
    error = ext2fs_superblock_csum_set(ext->fs, &super);
    if (!error)
        error = volume_write(volume, SUPERBLOCK, &super, sizeof super);
    return error ? error : volume_flush(volume);
}

static errcode_t write_turn(struct ext *ext, const enum turn *turns, enum turn turn)
{
    struct ext_volume *volume = ext->volume;

    for (size_t i = 0; i < volume->count; i++) {
        const struct changed_block *block = &volume->changed[i];
        errcode_t error = turns[i] != turn ? 0
                                           : volume_write(volume, block->number * volume->block,
                                                          block->bytes, volume->block);

        if (error)
            return error;
    }
    return volume_flush(volume);
}

/* The one that is to be written, while not all that it tells of is there. */
static errcode_t mark_unclean(struct ext *ext, struct changed_block *super)
{
    struct ext2_super_block *new_super =
        (struct ext2_super_block *)(super->bytes + SUPERBLOCK % ext->volume->block);

    new_super->s_state &= (uint16_t)~EXT2_VALID_FS;
    return ext2fs_superblock_csum_set(ext->fs, new_super);
}

/* super may be NULL: as it is on the disk. */
static errcode_t write_in_order(struct ext *ext, struct changed_block *super)
{
    auto_free enum turn *turns = xcalloc(ext->volume->count + 1, sizeof *turns);
    errcode_t error;

    /* Before anything is written: what was in use is read from the disk. */
    for (size_t i = 0; i < ext->volume->count; i++)
        turns[i] = turn_of(ext, ext->volume->changed[i].number);
    error = super ? mark_unclean(ext, super) : 0;
    if (!error)
        error = write_state(ext, false);
    for (enum turn turn = TURN_NEW; !error && turn < TURNS; turn++)
        error = write_turn(ext, turns, turn);
    return error ? error : write_state(ext, true);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int write_changed(struct ext *ext, struct err *e)
{
    struct changed_block *super = block_of_super(ext->volume);
    errcode_t error;

    if (ext2fs_has_feature_journal(ext->fs->super))
        return super ? journal_commit(ext, e)
                     : err_set(e, ERR_IO, "the superblock is not among what was changed");
    error = write_in_order(ext, super);
    return error ? ext_error(error, e,
                             "write the changes to the disk; e2fsck -f puts right what "
                             "was written of them")
                 : 0;
}

/* libext2fs writes of the superblock only what differs from how it was written before. */
static errcode_t settle(struct ext *ext)
{
    ext2fs_clear_feature_journal_needs_recovery(ext->fs->super);
    ext_io_settle(ext->volume);
    return volume_read(ext->volume, SUPERBLOCK, ext->fs->orig_super, SUPERBLOCK_SIZE);
}

int ext_commit(struct ext *ext, struct err *e)
{
    ext2_filsys fs = ext->fs;
    errcode_t error;

    if (ext->broken)
        return err_set(e, ERR_IO, "a change could not be made whole; nothing was written");
    if (!(fs->flags & EXT2_FLAG_DIRTY) && ext->volume->count == 0)
        return 0;
    count_free(fs);
    if (ext2fs_has_feature_journal(fs->super))
        ext2fs_set_feature_journal_needs_recovery(fs->super);
    ext2fs_mark_super_dirty(fs);
    error = ext2fs_flush2(fs, EXT2_FLAG_FLUSH_NO_SYNC);
    ext->volume->fixed = true;
    if (!error)
        error = drop_unchanged(ext);
    if (error)
        return ext_error(error, e, "nothing was written: gather the changes");
    if (write_changed(ext, e) < 0)
        return -1;
    error = settle(ext);
    return error ? ext_error(error, e, "all is written: read it again") : 0;
}
