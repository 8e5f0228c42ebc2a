/* SPDX-License-Identifier: MIT */
/*
 * chmod -R or chown -R over a whole tree: told by a sample of paths that every
 * distribution has, and whose modes are the same everywhere.
 */
#include "inspect/private.h"

#include "base/alloc.h"

#include <sys/stat.h>

/* mode: what it has on a sound system, as far as that is the same everywhere. */
static const struct {
    const char *path;
    mode_t mode;
} sample[] = {
    { "/etc/passwd", 0644 },
    { "/etc/group", 0644 },
    { "/etc/hosts", 0644 },
    { "/etc/nsswitch.conf", 0644 },
    { "/etc/profile", 0644 },
    { "/etc/fstab", 0644 },
    { "/etc/ld.so.conf", 0644 },
    { "/etc/services", 0644 },
    { "/etc/host.conf", 0644 },
    { "/etc/pam.d", 0755 },
    { "/etc/profile.d", 0755 },
    { "/etc/security", 0755 },
    { "/etc/default", 0755 },
    { "/usr/bin/env", 0755 },
    { "/usr/bin/id", 0755 },
    { "/bin/ls", 0755 },
    { "/bin/cat", 0755 },
    { "/usr/sbin/useradd", 0755 },
    { "/var", 0755 },
    { "/var/log", 0755 },
    { "/var/lib", 0755 },
    { "/usr", 0755 },
    { "/usr/share", 0755 },
    { "/usr/lib", 0755 },
};

/* Setuid everywhere; ping may have a capability instead, and crontab a group. */
static const char *const setuid_programs[] = { "/bin/su", "/usr/bin/sudo", "/usr/bin/passwd" };

static void look_at_setuid(const struct root *root, struct accident *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(setuid_programs); i++) {
        const char *so_far = ret->setuid_lost;
        struct root_stat stat;
        char *longer;

        if (root_find(root, setuid_programs[i], NULL, &stat, NULL) < 0 || !S_ISREG(stat.mode) ||
            (stat.mode & S_ISUID))
            continue;
        longer = xasprintf("%s%s%s", so_far ? so_far : "", so_far ? " " : "", setuid_programs[i]);
        free(ret->setuid_lost);
        ret->setuid_lost = longer;
    }
}

void accident_inspect(const struct root *root, struct accident *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
        struct root_stat stat;

        if (root_find(root, sample[i].path, NULL, &stat, NULL) < 0)
            continue;
        ret->looked_at++;
        ret->open += (stat.mode & 0002) != 0;
        ret->closed += (sample[i].mode & ~stat.mode & 0555) != 0;
        ret->foreign += stat.uid != 0;
    }
    look_at_setuid(root, ret);
}
