/* SPDX-License-Identifier: MIT */
#include "door/e2fsck.h"

#include "base/alloc.h"
#include "base/spawn.h"
#include "base/text.h"

#include <stdio.h>

enum { SECONDS = 600, SAID_MAX = 4096, FSCK_MENDED = 1 };

/* options: two of them and more, NULL-terminated; what it said is for the error. */
static int run_e2fsck(const struct volume *volume, const char *const *options, int fd,
                      struct err *e)
{
    /* What is inherited first is 3: the very disk that is open, whatever has its name by now. */
    auto_free char *what =
        xasprintf("/proc/self/fd/3?offset=%llu", (unsigned long long)volume->offset);
    const char *argv[8] = { "e2fsck", "-p" };
    const struct spawn spawn = {
        .argv = argv, .inherit = &fd, .inherit_count = 1, .errors_too = true
    };
    auto_blob struct blob said = { 0 };
    size_t count = 2;
    int status;

    for (; *options; options++)
        argv[count++] = *options;
    argv[count] = what;
    if (spawn_output(&spawn, SECONDS, SAID_MAX, &said, &status, e) < 0)
        return -1;
    if (status & ~FSCK_MENDED)
        return err_set(e, ERR_REFUSED, "%s", text_trim((char *)said.data));
    return 0;
}

/* A block device is let go of meanwhile, and held again whatever came of it. */
static int run_on(struct disk *disk, const struct volume *volume, const char *const *options,
                  int fd, struct err *e)
{
    struct err ignored = { 0 };
    int result;

    device_let_go(disk);
    result = run_e2fsck(volume, options, fd, e);
    if (disk->held < 0 && device_hold(disk, true, result == 0 ? e : &ignored) < 0)
        return -1;
    return result;
}

int replay_journal(struct disk *disk, const struct volume *volume, int fd, struct err *e)
{
    static const char *const options[] = { "-E", "journal_only", NULL };

    if (run_on(disk, volume, options, fd, e) < 0)
        return err_prefix(e, "%s: its journal could not be replayed; mend it first with: e2fsck -f",
                          volume->name);
    return 0;
}

char *superblock_command(const struct volume *volume)
{
    return xasprintf("e2fsck -b %llu -B %u", (unsigned long long)backup_block(volume->backup),
                     backup_block_size(volume->backup));
}

int restore_superblock(struct disk *disk, const struct volume *volume, int fd, struct err *e)
{
    auto_free char *block = xasprintf("%llu", (unsigned long long)backup_block(volume->backup));
    auto_free char *bytes = xasprintf("%u", backup_block_size(volume->backup));
    auto_free char *command = superblock_command(volume);
    const char *const options[] = { "-b", block, "-B", bytes, NULL };

    /* One that has replayed a journal inside an image fails to open it again (1.47.0). */
    if (run_on(disk, volume, options, fd, e) < 0 && run_on(disk, volume, options, fd, e) < 0)
        return err_prefix(e, "%s: its superblock could not be put back; mend it first with: %s",
                          volume->name, command);
    return 0;
}
