/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool harmless(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\';
}

char *text_clean(const char *text)
{
    char *clean = xcalloc(strlen(text) * 4 + 1, 1);
    char *out = clean;

    for (const unsigned char *in = (const unsigned char *)text; *in; in++) {
        if (harmless(*in))
            *out++ = (char)*in;
        else
            out += snprintf(out, 5, "\\x%02x", *in);
    }
    return clean;
}

void text_clean_in_place(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            *text = '?';
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);

    return len >= tail && strcmp(text + len - tail, suffix) == 0;
}

bool text_has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; *at; at += strspn(at, " \t,\n")) {
        size_t here = strcspn(at, " \t,\n");

        if (here == len && strncmp(at, word, len) == 0)
            return true;
        at += here;
    }
    return false;
}

bool text_matches_list(const char *list, const char *name)
{
    auto_free char *copy = xstrdup(list);
    char *rest = copy, *pattern;

    while ((pattern = strsep(&rest, ",")))
        if (fnmatch(pattern, name, 0) == 0)
            return true;
    return false;
}

char *text_trim(char *text)
{
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        text[--len] = '\0';
    return text;
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *text_above(const char *path)
{
    const char *slash = strrchr(path, '/');

    return xstrndup(path, slash ? (size_t)(slash - path) : 0);
}

bool text_is_within(const char *path, const char *directory)
{
    size_t len = strcmp(directory, "/") == 0 ? 0 : strlen(directory);

    return strncmp(path, directory, len) == 0 && (path[len] == '/' || !path[len]);
}

void text_list_free(char ***list)
{
    for (char **item = *list; item && *item; item++)
        free(*item);
    free(*list);
    *list = NULL;
}
