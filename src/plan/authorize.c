/* SPDX-License-Identifier: MIT */
/* One more key for a user: what is there stays, byte for byte, and the new lines follow. */
#include "plan/planning.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* The base64 of a line, which tells keys apart whatever stands before and after it. */
static char *blob_of_line(const char *line)
{
    const char *at = strstr(line, "AAAA");

    return at ? xstrndup(at, strcspn(at, " \t\r\n")) : NULL;
}

static char *missing_lines(const struct authorized *authorized, const char *lines)
{
    const char *there = authorized->text.data ? (const char *)authorized->text.data : "";
    auto_free char *copy = xstrdup(lines);
    char *rest = copy, *line, *wanted = xstrdup("");

    while ((line = strsep(&rest, "\n"))) {
        auto_free char *blob = blob_of_line(line);
        char *longer;

        if (!blob || strstr(there, blob) || strstr(wanted, blob))
            continue;
        longer = xasprintf("%s%s\n", wanted, line);
        free(wanted);
        wanted = longer;
    }
    return wanted;
}

/* The write brings the right mode and owner with it: nothing else is done to the file. */
static void drop_changes_of(struct plan *plan, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->change_count; i++) {
        struct change *change = &plan->changes[i];

        if (strcmp(change->path, path) != 0) {
            plan->changes[kept++] = *change;
            continue;
        }
        free(change->path);
        free(change->about);
    }
    plan->change_count = kept;
}

void plan_authorize(const struct authorized *authorized, const char *lines, struct plan *plan)
{
    auto_free char *wanted = missing_lines(authorized, lines);
    const struct user *user = authorized->user;
    bool ends =
        authorized->text.len == 0 || authorized->text.data[authorized->text.len - 1] == '\n';
    struct change directory = { .kind = CHANGE_MKDIR,
                                .new_key = NO_NEW_KEY,
                                .meta = { 0700, user->uid, user->gid,
                                          authorized->directory_label } };
    struct change file = { .kind = CHANGE_WRITE,
                           .new_key = NO_NEW_KEY,
                           .replaces = authorized->exists,
                           .meta = { 0600, user->uid, user->gid, authorized->label } };
    auto_free char *whole = NULL;

    if (!*wanted)
        return;
    drop_changes_of(plan, authorized->path);
    if (authorized->new_directory) {
        directory.path = xstrdup(authorized->new_directory);
        directory.about = xstrdup("directory of authorized keys");
        array_push(plan->changes, plan->change_count, directory);
    }
    whole = xasprintf("%s%s%s", authorized->text.data ? (char *)authorized->text.data : "",
                      ends ? "" : "\n", wanted);
    file.path = xstrdup(authorized->path);
    file.about = xasprintf("one more key for %s", user->name);
    file.content = blob_of_text(whole);
    array_push(plan->changes, plan->change_count, file);
}
