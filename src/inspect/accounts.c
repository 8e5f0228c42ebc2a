/* SPDX-License-Identifier: MIT */
/*
 * passwd(5) and group(5) of the target, read as text: NSS is the rescue system's. Where one
 * of them is lost, everything is judged by the copy that would stand in for it.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

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

/* ---- whole, or lost -------------------------------------------------------------------- */

/* What /etc has, in the order of enum account_file. */
static const struct account_kind {
    const char *path;
    const char *root; /* how the line begins that no whole file is without */
    size_t fields;
    void (*add)(struct accounts *accounts, char *line); /* NULL: nothing that we need */
} kinds[ACCOUNT_FILES] = {
    [ACCOUNT_PASSWD] = { "/etc/passwd", "root:", 7, add_user },
    [ACCOUNT_GROUP] = { "/etc/group", "root:", 4, add_group },
    [ACCOUNT_SHADOW] = { "/etc/shadow", "root:", 9, NULL },
};

/* shadow-utils leaves "-", Debian's daily job /var/backups/passwd.bak, people the others. */
static const char *const copies[] = {
    "%s-", "/var/backups/%s.bak", "%s.bak", "%s.backup", "%s.old", "%s.orig", "%s.save", "%s~"
};

static bool has_line(const struct blob *text, const char *begin)
{
    auto_free char *wanted = xasprintf("\n%s", begin);

    return text->data && (strncmp((const char *)text->data, begin, strlen(begin)) == 0 ||
                          strstr((const char *)text->data, wanted));
}

/* Text to the end, a line that ends, and no line that is none of this file. */
static bool whole(const struct account_kind *kind, const struct blob *text)
{
    auto_free char *copy = xstrdup((const char *)text->data);
    char *rest = copy, *line, *fields[9];

    if (strlen(copy) != text->len || text->len == 0 || copy[text->len - 1] != '\n' ||
        !has_line(text, kind->root))
        return false;
    while ((line = strsep(&rest, "\n")))
        if (*line && !strchr("#+-", *line) && !split(line, fields, kind->fields))
            return false;
    return true;
}

/* sshd's own user, where the distribution has one; "" else. */
static char *privsep_line(const struct inspection *inspection, const struct account_kind *kind)
{
    const char *line = inspection->profile->privsep_user;

    if (kind != &kinds[ACCOUNT_PASSWD] || !line)
        return xstrdup("");
    return xstrndup(line, strcspn(line, ":") + 1);
}

/* "%s" is the path beside the file, and its name alone elsewhere. */
static char *copy_path(const char *pattern, const char *path)
{
    const char *what = *pattern == '/' ? text_base_name(path) : path;
    const char *at = strstr(pattern, "%s");

    return xasprintf("%.*s%s%s", (int)(at - pattern), pattern, what, at + 2);
}

static void find_copy(const struct root *root, const struct inspection *inspection,
                      const struct account_kind *kind, struct substitute *ret)
{
    auto_free char *privsep = privsep_line(inspection, kind);
    struct timespec newest = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
        auto_free char *path = copy_path(copies[i], kind->path);
        auto_blob struct blob text = { 0 };
        struct root_stat stat;

        if (root_find(root, path, NULL, &stat, NULL) < 0 ||
            root_read(root, path, TEXT_FILE_MAX, &text, NULL) < 0 || !whole(kind, &text) ||
            !has_line(&text, privsep) || (ret->source && stat.mtime.tv_sec <= newest.tv_sec))
            continue;
        newest = stat.mtime;
        free(ret->source);
        blob_free(&ret->content);
        ret->source = take_ptr(path);
        ret->content = take_blob(text);
    }
}

/* A file that is not there is lost where a copy is; one that is there, where it has no root. */
static int read_kind(const struct root *root, struct inspection *inspection,
                     enum account_file which, struct blob *ret, struct err *e)
{
    const struct account_kind *kind = &kinds[which];
    struct substitute *lost = &inspection->lost_accounts[which];
    struct err why = { 0 };

    if (root_read(root, kind->path, TEXT_FILE_MAX, ret, &why) == 0 && has_line(ret, kind->root))
        return 0;
    if (why.kind == ERR_NONE || why.kind == ERR_NOT_FOUND)
        find_copy(root, inspection, kind, lost);
    if (why.kind == ERR_NONE || lost->source) {
        if (root_find_link(root, kind->path, &lost->path, NULL, NULL) < 0)
            lost->path = xstrdup(kind->path);
        lost->exists = why.kind == ERR_NONE;
        lost->meta = (struct root_meta){ .mode = 0644 };
    } else if (kind->add) {
        if (e)
            *e = why;
        return err_prefix(e, "owners cannot be told without the target's %s", kind->path);
    }
    if (lost->source) {
        blob_free(ret);
        *ret = blob_copy(lost->content.data, lost->content.len);
    }
    return 0;
}

/* As modes.c has it: Debian's group may read it. */
static void expect_shadow(struct inspection *inspection)
{
    const struct group *group = accounts_group(&inspection->accounts, "shadow");

    inspection->lost_accounts[ACCOUNT_SHADOW].meta.mode = group ? 0640 : 0600;
    inspection->lost_accounts[ACCOUNT_SHADOW].meta.gid = group ? group->gid : 0;
}

int accounts_inspect(const struct root *root, struct inspection *inspection, struct err *e)
{
    for (size_t i = 0; i < ACCOUNT_FILES; i++) {
        auto_blob struct blob text = { 0 };
        char *rest, *line;

        if (read_kind(root, inspection, i, &text, e) < 0)
            return -1;
        rest = (char *)text.data;
        while (kinds[i].add && rest && (line = strsep(&rest, "\n")))
            kinds[i].add(&inspection->accounts, line);
    }
    expect_shadow(inspection);
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
