/* SPDX-License-Identifier: MIT */
/*
 * through IMAGE REPLAYED: reads an ext4 through its journal, block by block, and holds it against
 * the same one after somebody else's replay. Says what became of the journal: empty, read, unread.
 * Exit code 1 where a block differs; what has to differ does not count: the block of the journal's
 * own superblock, and the counts and times that a replay writes anew into the other.
 */
#include "base/alloc.h"
#include "ext/ext.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUPERBLOCK = 1024 };

static void level_super(unsigned char *block, uint64_t number, uint32_t size)
{
    struct ext2_super_block *super = (struct ext2_super_block *)(block + SUPERBLOCK % size);

    if (number != SUPERBLOCK / size)
        return;
    super->s_feature_incompat &= ~(uint32_t)EXT3_FEATURE_INCOMPAT_RECOVER;
    super->s_wtime = super->s_state = super->s_checksum = 0;
    super->s_wtime_hi = super->s_mtime_hi = 0;
    super->s_mtime = super->s_kbytes_written = super->s_mnt_count = 0;
    super->s_free_inodes_count = super->s_free_blocks_count = super->s_free_blocks_hi = 0;
    memset(super->s_last_mounted, 0, sizeof super->s_last_mounted);
}

static int compare(struct ext *ext, int replayed)
{
    uint32_t size = ext->fs->blocksize;
    auto_free unsigned char *ours = xcalloc(1, size), *theirs = xcalloc(1, size);
    blk64_t journal = 0;
    int differ = 0;

    if (ext2fs_bmap2(ext->fs, ext->fs->super->s_journal_inum, NULL, NULL, 0, 0, NULL, &journal))
        return 2;
    for (uint64_t number = 0; number < ext2fs_blocks_count(ext->fs->super); number++) {
        if (io_channel_read_blk64(ext->fs->io, number, 1, ours) ||
            pread(replayed, theirs, size, (off_t)(number * size)) != (ssize_t)size)
            return 2;
        level_super(ours, number, size);
        level_super(theirs, number, size);
        if (number != journal && memcmp(ours, theirs, size) != 0) {
            printf("block %llu differs\n", (unsigned long long)number);
            differ = 1;
        }
    }
    return differ;
}

int main(int argc, char **argv)
{
    static const char *const words[] = { "empty", "read", "unread" };
    int image = argc == 3 ? open(argv[1], O_RDONLY) : -1;
    int replayed = argc == 3 ? open(argv[2], O_RDONLY) : -1, result;
    auto_ext struct ext ext = { 0 };
    struct stat stat;
    struct err e = { 0 };

    if (image < 0 || replayed < 0 || fstat(image, &stat) < 0)
        return 2;
    if (ext_open(image, 0, (uint64_t)stat.st_size, 0, ROOT_READ, &ext, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 2;
    }
    result = compare(&ext, replayed);
    printf("%s %zu\n", words[ext.journal], ext.log ? ext.log->count : 0);
    return result;
}
