/* SPDX-License-Identifier: MIT */
/*
 * One line of sshd_config, split as sshd itself does (servconf.c, misc.c): keyword and
 * arguments by blanks or one "=", quotes, comments.
 */
#include "config/config.h"

#include "base/alloc.h"
#include "base/text.h"
#include "hostkey/hostkey.h"

#include <string.h>
#include <strings.h>

/* A backslash makes a blank, a quote or itself plain, since 8.7 (misc.c, argv_split). */
static bool escaped(const char *at, bool modern)
{
    return modern && *at == '\\' && at[1] && strchr(" \"'\\", at[1]);
}

/* One argument off the line; NULL at its end. Before 8.7 a '#' anywhere ends it. */
static char *next_argument(char **line, int openssh, bool *unbalanced)
{
    char *at = *line + strspn(*line, " \t\r\f"), *out, *start;
    bool modern = openssh == 0 || openssh >= OPENSSH(8, 7);
    char quote = '\0';

    if (!*at || *at == '#')
        return NULL;
    start = out = at;
    for (; *at && (quote || !strchr(" \t\r\f", *at)); at++) {
        if (escaped(at, modern))
            *out++ = *++at;
        else if (*at == quote)
            quote = '\0';
        else if (!quote && (*at == '"' || (*at == '\'' && modern)))
            quote = *at;
        else
            *out++ = *at;
    }
    *unbalanced = *unbalanced || quote;
    *line = *at ? at + 1 : at;
    *out = '\0';
    return start;
}

/*
 * strdelim (misc.c): a quote goes, and the keyword ends at the next one; a line without
 * a next one is passed over without a word.
 */
static char *take_quoted(char *start, size_t quote, char **line)
{
    char *end = strchr(start + quote + 1, '"');

    if (!end)
        return NULL;
    memmove(start + quote, start + quote + 1, (size_t)(end - start) - quote - 1);
    end[-1] = '\0';
    *line = end + 1 + strspn(end + 1, " \t\r\f");
    return *start ? start : NULL;
}

/* The keyword ends at a blank or at "="; one "=" between blanks is passed over. */
static char *take_keyword(char **line)
{
    char *start = *line + strspn(*line, " \t\r\f");
    size_t len = strcspn(start, " \t\r\f=\"");
    char *rest = start + len;

    if (!*start || *start == '#')
        return NULL;
    if (*rest == '"')
        return take_quoted(start, len, line);
    if (len == 0)
        return NULL;
    if (*rest) {
        bool equals = *rest == '=';

        *rest++ = '\0';
        rest += strspn(rest, " \t\r\f");
        if (!equals && *rest == '=')
            rest++;
    }
    *line = rest;
    return start;
}

bool config_split(const char *line, size_t len, int openssh, struct directive *ret)
{
    auto_free char *copy = xstrndup(line, len);
    char *rest = copy, *keyword, *argument;
    size_t count = 0;

    if (openssh && openssh < OPENSSH(8, 7))
        copy[strcspn(copy, "#")] = '\0';
    ret->keyword = NULL;
    ret->args = NULL;
    keyword = take_keyword(&rest);
    if (!keyword)
        return true;
    ret->keyword = xstrdup(keyword);
    while ((argument = next_argument(&rest, openssh, &ret->unbalanced))) {
        char *word = xstrdup(argument);

        array_push(ret->args, count, word);
    }
    array_push(ret->args, count, NULL);
    return !ret->unbalanced;
}

bool directive_is_match_all(const struct directive *directive)
{
    return directive->args[0] && strcasecmp(directive->args[0], "all") == 0 && !directive->args[1];
}

void directive_free(struct directive *directive)
{
    free(directive->file);
    free(directive->keyword);
    text_list_free(&directive->args);
}
