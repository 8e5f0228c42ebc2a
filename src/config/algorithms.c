/* SPDX-License-Identifier: MIT */
/* Lists of algorithms: names that a release knows, as its code and its build have them. */
#include "config/tables.h"

#include "base/alloc.h"
#include "base/text.h"

#include <fnmatch.h>
#include <string.h>

static const struct algorithm {
    enum algorithm_class class;
    const char *name;
    int since, removed;     /* the code knows it */
    int offered, withdrawn; /* sshd offers it without being asked */
} algorithms[] = {
#include "config/algorithms.inc"
};

enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

static bool row_known(const struct config_reader *reader, const struct algorithm *row)
{
    int release = reader_release(reader);
    bool in_code = release >= row->since && release < row->removed;

    if (reader->openssh == 0)
        return true;
    if (release >= row->removed || !reader->holds)
        return in_code;
    /* Left out of this build (DSA, FIDO), or put in before its time. */
    return reader->holds(reader->program, row->name);
}

bool config_algorithm_known(const struct config_reader *reader, enum algorithm_class class,
                            const char *name)
{
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (algorithms[i].class == class && strcmp(algorithms[i].name, name) == 0)
            return row_known(reader, &algorithms[i]);
    if (class == ALGORITHM_KEX && text_starts(name, "gss-"))
        return true;
    return reader->openssh > NEWEST && reader->holds && strchr(name, '-') &&
           reader->holds(reader->program, name);
}

/* sshkey_names_valid2: a pattern must fit a name that is known; since 7.0. */
static bool pattern_known(const struct config_reader *reader, enum algorithm_class class,
                          const char *pattern)
{
    if (class != ALGORITHM_HOSTKEY || !strpbrk(pattern, "*?") ||
        reader_release(reader) < OPENSSH(7, 0))
        return false;
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (algorithms[i].class == class && fnmatch(pattern, algorithms[i].name, 0) == 0 &&
            row_known(reader, &algorithms[i]))
            return true;
    return false;
}

/* "+" since 7.0, "-" since 7.5, "^" since 8.1: before that it is part of the first name. */
static char prefix_of(const struct config_reader *reader, const char *list)
{
    static const struct {
        char mark;
        int since;
    } marks[] = { { '+', OPENSSH(7, 0) }, { '-', OPENSSH(7, 5) }, { '^', OPENSSH(8, 1) } };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (*list == marks[i].mark && reader_release(reader) >= marks[i].since)
            return *list;
    return '\0';
}

static bool name_known(const struct config_reader *reader, enum algorithm_class class,
                       const char *name)
{
    return config_algorithm_known(reader, class, name) || pattern_known(reader, class, name);
}

char *algorithms_unknown(const struct config_reader *reader, enum algorithm_class class,
                         const char *list)
{
    char prefix = prefix_of(reader, list);
    auto_free char *copy = xstrdup(list + (prefix != '\0'));
    char *rest = copy, *name;

    if (prefix == '-')
        return NULL; /* names to be taken away are not looked at */
    if (!*copy)
        return xstrdup("");
    /* An empty name ends the list for sshd. */
    while ((name = strsep(&rest, ",")) && *name)
        if (!name_known(reader, class, name))
            return xstrdup(name);
    return NULL;
}

char *algorithms_known(const struct config_reader *reader, enum algorithm_class class,
                       const char *list)
{
    char prefix = prefix_of(reader, list);
    auto_free char *copy = xstrdup(list + (prefix != '\0'));
    char *rest = copy, *name, *kept = NULL;

    while ((name = strsep(&rest, ","))) {
        char *longer;

        if (!name_known(reader, class, name))
            continue;
        longer = kept ? xasprintf("%s,%s", kept, name)
                      : xasprintf("%.*s%s", prefix != '\0', &prefix, name);
        free(kept);
        kept = longer;
    }
    return kept;
}

bool algorithm_list(const struct keyword *row, enum algorithm_class *ret)
{
    static const struct {
        const char *value;
        enum algorithm_class class;
    } lists[] = { { "cipher", ALGORITHM_CIPHER },
                  { "mac", ALGORITHM_MAC },
                  { "kex", ALGORITHM_KEX },
                  { "hostkey", ALGORITHM_HOSTKEY },
                  { "casignature", ALGORITHM_HOSTKEY } };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (strcmp(lists[i].value, row->value) == 0) {
            *ret = lists[i].class;
            return true;
        }
    }
    return false;
}

/* ---- what sshd offers for its host keys ------------------------------------------------ */

static bool by_default(const struct config_reader *reader, const struct algorithm *row)
{
    int release = reader_release(reader);

    return release >= row->offered && release < row->withdrawn && row_known(reader, row);
}

/* kex_assemble_names: added, taken away, moved to the front, or instead of the default. */
static bool offers(const struct config_reader *reader, const struct algorithm *row,
                   const char *spec)
{
    char prefix = spec ? prefix_of(reader, spec) : '+';

    if (!spec)
        return by_default(reader, row);
    if (prefix == '-')
        return by_default(reader, row) && !text_matches_list(spec + 1, row->name);
    if (prefix)
        return by_default(reader, row) ||
               (text_matches_list(spec + 1, row->name) && row_known(reader, row));
    return text_matches_list(spec, row->name) && row_known(reader, row);
}

char **config_hostkey_algorithms(const struct config_reader *reader, const char *spec)
{
    char **names = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ALGORITHMS; i++) {
        char *name;

        if (algorithms[i].class != ALGORITHM_HOSTKEY || !offers(reader, &algorithms[i], spec))
            continue;
        name = xstrdup(algorithms[i].name);
        array_push(names, count, name);
    }
    array_push(names, count, NULL);
    return names;
}
