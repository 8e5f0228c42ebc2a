/* SPDX-License-Identifier: MIT */
/* passwd(5) and group(5) of the target, read as text: NSS is the rescue system's. */
#include "inspect/private.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

const struct user *accounts_user(const struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->user_count; i++)
        if (strcmp(accounts->users[i].name, name) == 0)
            return &accounts->users[i];
    return NULL;
}

const struct group *accounts_group(const struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->group_count; i++)
        if (strcmp(accounts->groups[i].name, name) == 0)
            return &accounts->groups[i];
    return NULL;
}

static bool number(const char *text, unsigned *ret)
{
    char *end;
    unsigned long value;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoul(text, &end, 10);
    *ret = (unsigned)value;
    return *end == '\0' && value < UINT32_MAX;
}

/* Cuts a line into fields, in place; false where there are not exactly that many. */
static bool split(char *line, char **fields, size_t count)
{
    size_t found = 0;
    char *field;

    while ((field = strsep(&line, ":")))
        if (found++ < count)
            fields[found - 1] = field;
    return found == count;
}

static void add_user(struct accounts *accounts, char *line)
{
    char *f[7];
    struct user user = { 0 };

    /* Damaged lines, and NIS's "+", are as little use to us as to login(1). */
    if (!split(line, f, ARRAY_SIZE(f)) || !*f[0] || !number(f[2], &user.uid) ||
        !number(f[3], &user.gid))
        return;
    user.name = xstrdup(f[0]);
    user.home = xstrdup(f[5]);
    user.shell = xstrdup(f[6]);
    array_push(accounts->users, accounts->user_count, user);
}

static void add_group(struct accounts *accounts, char *line)
{
    char *f[4];
    struct group group = { 0 };

    if (!split(line, f, ARRAY_SIZE(f)) || !*f[0] || !number(f[2], &group.gid))
        return;
    group.name = xstrdup(f[0]);
    group.members = xstrdup(f[3]);
    array_push(accounts->groups, accounts->group_count, group);
}

static int each_line(const struct root *root, const char *path, struct accounts *accounts,
                     void (*add)(struct accounts *, char *), struct err *e)
{
    auto_blob struct blob bytes = { 0 };
    char *rest, *line;

    if (root_read(root, path, TEXT_FILE_MAX, &bytes, e) < 0)
        return err_prefix(e, "owners cannot be told without the target's %s", path);
    rest = (char *)bytes.data;
    while ((line = strsep(&rest, "\n")))
        add(accounts, line);
    return 0;
}

int accounts_inspect(const struct root *root, struct accounts *ret, struct err *e)
{
    if (each_line(root, "/etc/passwd", ret, add_user, e) < 0 ||
        each_line(root, "/etc/group", ret, add_group, e) < 0)
        return -1;
    return 0;
}

void accounts_free(struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->user_count; i++) {
        free(accounts->users[i].name);
        free(accounts->users[i].home);
        free(accounts->users[i].shell);
    }
    for (size_t i = 0; i < accounts->group_count; i++) {
        free(accounts->groups[i].name);
        free(accounts->groups[i].members);
    }
    free(accounts->users);
    free(accounts->groups);
    *accounts = (struct accounts){ 0 };
}
