/* SPDX-License-Identifier: MIT */
/*
 * ChrootDirectory with tokens: a directory for each user, and every directory above it is
 * root's and written by nobody else, or the session ends (session.c, safely_chroot).
 * Without tokens it is one directory, and modes.c has a row for it.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool in_groups(const struct accounts *accounts, const struct user *user, const char *list)
{
    for (size_t i = 0; i < accounts->group_count; i++) {
        const struct group *group = &accounts->groups[i];

        if (text_matches_list(list, group->name) &&
            (group->gid == user->gid || text_matches_list(group->members, user->name)))
            return true;
    }
    return false;
}

/* By name or group alone; what else a Match asks for shows only when somebody connects. */
static bool matches(const struct accounts *accounts, const struct directive *match,
                    const struct user *user)
{
    char *const *args = match->args;

    if (!args[0] || !args[1] || args[2] || strchr(args[1], '!'))
        return false;
    if (strcasecmp(args[0], "User") == 0)
        return text_matches_list(args[1], user->name);
    return strcasecmp(args[0], "Group") == 0 && in_groups(accounts, user, args[1]);
}

/* The first ChrootDirectory that holds for a user; NULL: none, or not to be told. */
static const char *chroot_of(const struct inspection *inspection, const struct user *user)
{
    const struct config *config = &inspection->config;
    const struct directive *match = NULL;

    for (size_t i = 0; i < config->count; i++) {
        const struct directive *line = &config->directives[i];

        if (strcasecmp(line->keyword, "Match") == 0)
            match = line;
        if (strcasecmp(line->keyword, "ChrootDirectory") == 0 && line->args[0] &&
            (!line->in_match || (match && matches(&inspection->accounts, match, user))))
            return line->args[0];
    }
    return NULL;
}

/* What sshd has against one directory; NULL: nothing. */
static char *against(const struct root *root, const char *path)
{
    struct root_stat stat;

    if (root_find(root, path, NULL, &stat, NULL) < 0)
        return xasprintf("%s is not there", path);
    if (!S_ISDIR(stat.mode))
        return xasprintf("%s is not a directory", path);
    if (stat.uid != 0)
        return xasprintf("%s belongs to uid %u", path, stat.uid);
    return stat.mode & 022 ? xasprintf("%s has mode %04o", path, stat.mode & 07777) : NULL;
}

/* From the top, as sshd does. */
static char *against_chain(const struct root *root, const char *path)
{
    char *found = against(root, "/");

    for (const char *slash = strchr(path + 1, '/'); !found && slash;
         slash = strchr(slash + 1, '/')) {
        auto_free char *above = xstrndup(path, (size_t)(slash - path));

        found = against(root, above);
    }
    return found ? found : against(root, path);
}

/* What is not on this disk, as a /home of its own, is not judged. */
static bool on_disk(const struct root *root, const char *path)
{
    auto_free char *above = xstrndup(path, (size_t)(text_base_name(path) - path));

    return root_exists(root, above);
}

void chroots_inspect(const struct root *root, struct inspection *inspection)
{
    struct login *login = &inspection->login;

    for (size_t i = 0; i < login->user_count; i++) {
        struct chroot_fault fault = { .user = login->users[i].user };
        const char *pattern = chroot_of(inspection, fault.user);

        if (!pattern || !strchr(pattern, '%'))
            continue;
        fault.path = authorized_path(pattern, fault.user);
        if (on_disk(root, fault.path))
            fault.why = against_chain(root, fault.path);
        if (fault.why)
            array_push(login->chroots, login->chroot_count, fault);
        else
            free(fault.path);
    }
}
