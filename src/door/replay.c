/* SPDX-License-Identifier: MIT */
#include "door/replay.h"

#include "base/alloc.h"
#include "base/spawn.h"
#include "base/text.h"

#include <stdio.h>

enum { SECONDS = 600, SAID_MAX = 4096, FSCK_MENDED = 1 };

static int run_e2fsck(const struct volume *volume, int fd, struct err *e)
{
    /* What is inherited first is 3: the very disk that is open, whatever has its name by now. */
    auto_free char *what =
        xasprintf("/proc/self/fd/3?offset=%llu", (unsigned long long)volume->offset);
    const char *const argv[] = { "e2fsck", "-E", "journal_only", "-p", what, NULL };
    const struct spawn spawn = {
        .argv = argv, .inherit = &fd, .inherit_count = 1, .errors_too = true
    };
    auto_blob struct blob said = { 0 };
    int status;

    if (spawn_output(&spawn, SECONDS, SAID_MAX, &said, &status, e) < 0)
        return err_prefix(e, "%s: its journal has to be replayed first", volume->name);
    if (status & ~FSCK_MENDED)
        return err_set(e, ERR_REFUSED,
                       "%s: its journal could not be replayed; mend it first with: e2fsck -f (%s)",
                       volume->name, text_trim((char *)said.data));
    return 0;
}

int replay_journal(struct disk *disk, const struct volume *volume, int fd, struct err *e)
{
    struct err ignored = { 0 };
    int result;

    device_let_go(disk);
    result = run_e2fsck(volume, fd, e);
    if (disk->held < 0 && device_hold(disk, true, result == 0 ? e : &ignored) < 0)
        return -1;
    return result;
}
