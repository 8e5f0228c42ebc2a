/* SPDX-License-Identifier: MIT */
/*
 * Wildcards inside the root: glob(7) as sshd's Include uses it, resolved through
 * the root interface, so that no link can lead the search outside.
 */
#include "root/root.h"

#include "base/alloc.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

/* As many files as a configuration may include; more is an attack or a mistake. */
enum { MATCHES_MAX = 1000, COMPONENTS_MAX = 64, ENTRIES_MAX = 20000 };

struct search {
    const struct root *root;
    char *components[COMPONENTS_MAX];
    size_t count;
    char **matches;
    size_t matched;
    size_t entries; /* looked at */
};

static bool has_wildcard(const char *component)
{
    return strpbrk(component, "*?[") != NULL;
}

static void keep(struct search *search, const char *path)
{
    char *copy = xstrdup(path);

    array_push(search->matches, search->matched, copy);
}

/* An entry that may hold what the rest of the pattern asks for; a type of 0 is unknown. */
static bool may_lead_on(const struct root_entry *entry)
{
    return S_ISDIR(entry->type) || S_ISLNK(entry->type) || entry->type == 0;
}

/* listed: the directory is the entry of one, so it is there. */
static void descend(struct search *search, const char *directory, size_t depth, bool listed)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    bool last = depth + 1 == search->count;
    const char *component;

    if (search->matched >= MATCHES_MAX)
        return;
    if (depth == search->count) {
        /* A dangling link is a match too: sshd stumbles over it. */
        if (listed ||
            root_find_link(search->root, *directory ? directory : "/", NULL, NULL, NULL) == 0)
            keep(search, *directory ? directory : "/");
        return;
    }
    component = search->components[depth];
    if (!has_wildcard(component)) {
        auto_free char *path = xasprintf("%s/%s", directory, component);

        descend(search, path, depth + 1, false);
        return;
    }
    if (root_list(search->root, *directory ? directory : "/", &entries, NULL) < 0)
        return;
    for (const struct root_entry *entry = entries; entry->name; entry++) {
        auto_free char *path = xasprintf("%s/%s", directory, entry->name);

        if (search->entries++ >= ENTRIES_MAX)
            return;
        if ((last || may_lead_on(entry)) && fnmatch(component, entry->name, FNM_PERIOD) == 0)
            descend(search, path, depth + 1, true);
    }
}

int root_glob(const struct root *root, const char *pattern, char ***ret, struct err *e)
{
    struct search search = { .root = root };
    auto_free char *copy = xstrdup(pattern);
    char *rest = copy, *component;

    while ((component = strsep(&rest, "/"))) {
        if (!*component)
            continue;
        if (search.count == COMPONENTS_MAX)
            return err_set(e, ERR_REFUSED, "%s has too many components", pattern);
        search.components[search.count++] = component;
    }
    descend(&search, "", 0, false);
    array_push(search.matches, search.matched, NULL);
    *ret = search.matches;
    return 0;
}
