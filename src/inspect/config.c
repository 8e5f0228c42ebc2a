/* SPDX-License-Identifier: MIT */
/*
 * sshd_config as sshd itself splits it (servconf.c, misc.c): one directive a line,
 * keyword and arguments by blanks or one "=", quotes, comments; Include followed
 * inside the root, in place, with the Match state of where it stands. Nothing is
 * judged here.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

/* SERVCONF_MAX_DEPTH; and what a configuration made to keep us busy is cut off at. */
enum { DEPTH_MAX = 16, FILES_MAX = 1000, INCLUDES_MAX = 256, CONFIG_MAX = 4 * 1024 * 1024 };

struct reading {
    const struct root *root;
    int openssh;
    struct config *config;
    size_t file_count, include_count;
    bool in_match;
    struct err error; /* kind ERR_NONE: none */
};

/* A backslash makes a blank, a quote or itself plain, since 8.7 (misc.c, argv_split). */
static bool escaped(const char *at, bool modern)
{
    return modern && *at == '\\' && at[1] && strchr(" \"'\\", at[1]);
}

/* One argument off the line; NULL at its end. Before 8.7 a '#' anywhere ends it. */
static char *next_argument(char **line, int openssh)
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
    *line = *at ? at + 1 : at;
    *out = '\0';
    return start;
}

/* The keyword ends at a blank or at "="; one "=" between blanks is passed over. */
static char *take_keyword(char **line)
{
    char *start = *line + strspn(*line, " \t\r\f");
    size_t len = strcspn(start, " \t\r\f=");
    char *rest = start + len;

    if (!*start || *start == '#' || len == 0)
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

static void read_file(struct reading *reading, const char *path, int depth);

static void include(struct reading *reading, char *const *patterns, int depth)
{
    for (; *patterns; patterns++) {
        auto_with(text_list_free) char **matches = NULL;
        auto_free char *pattern =
            **patterns == '/' ? xstrdup(*patterns) : xasprintf("/etc/ssh/%s", *patterns);

        if (reading->include_count++ >= INCLUDES_MAX ||
            root_glob(reading->root, pattern, &matches, NULL) < 0)
            continue;
        for (char **match = matches; *match; match++) {
            bool in_match = reading->in_match;

            read_file(reading, *match, depth + 1);
            reading->in_match = in_match;
        }
    }
}

static void read_line(struct reading *reading, const char *path, unsigned number, char *line,
                      int depth)
{
    struct directive directive = { .line = number };
    size_t count = 0;
    char *keyword, *argument;

    if (reading->openssh && reading->openssh < OPENSSH(8, 7))
        line[strcspn(line, "#")] = '\0';
    keyword = take_keyword(&line);
    if (!keyword)
        return;
    directive.file = xstrdup(path);
    directive.keyword = xstrdup(keyword);
    while ((argument = next_argument(&line, reading->openssh))) {
        char *copy = xstrdup(argument);

        array_push(directive.args, count, copy);
    }
    array_push(directive.args, count, NULL);
    if (strcasecmp(keyword, "Match") == 0)
        reading->in_match = true;
    directive.in_match = reading->in_match;
    array_push(reading->config->directives, reading->config->count, directive);
    if (strcasecmp(keyword, "Include") == 0)
        include(reading, directive.args, depth);
}

static void read_file(struct reading *reading, const char *path, int depth)
{
    auto_blob struct blob text = { 0 };
    struct err e = { 0 };
    char *rest, *line;
    unsigned number = 0;

    if (depth > DEPTH_MAX || reading->file_count >= FILES_MAX)
        return;
    if (root_read(reading->root, path, CONFIG_MAX, &text, &e) < 0) {
        /* Not there, or a directory that an Include matches, is for the checks to judge. */
        if (e.kind != ERR_NOT_FOUND && (depth == 0 || e.kind != ERR_REFUSED))
            reading->error = e;
        return;
    }
    line = xstrdup(path);
    array_push(reading->config->files, reading->file_count, line);
    rest = (char *)text.data;
    while ((line = strsep(&rest, "\n")))
        read_line(reading, path, ++number, line, depth);
}

int config_inspect(const struct root *root, const struct profile *profile, int openssh,
                   struct config *ret, struct err *e)
{
    struct reading reading = { .root = root, .openssh = openssh, .config = ret };
    const char *const candidates[] = { "/etc/ssh/sshd_config", profile->vendor_config };

    for (size_t i = 0; i < ARRAY_SIZE(candidates) && !ret->path; i++)
        if (candidates[i] && root_exists(root, candidates[i]))
            ret->path = xstrdup(candidates[i]);
    if (ret->path)
        read_file(&reading, ret->path, 0);
    array_push(ret->files, reading.file_count, NULL);
    if (reading.error.kind == ERR_NONE)
        return 0;
    if (e)
        *e = reading.error;
    return err_prefix(e, "the configuration of sshd cannot be read");
}

const struct directive *config_find(const struct config *config, const char *keyword)
{
    for (size_t i = 0; i < config->count; i++)
        if (!config->directives[i].in_match &&
            strcasecmp(config->directives[i].keyword, keyword) == 0 &&
            config->directives[i].args[0])
            return &config->directives[i];
    return NULL;
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        free(config->directives[i].file);
        free(config->directives[i].keyword);
        text_list_free(&config->directives[i].args);
    }
    free(config->directives);
    text_list_free(&config->files);
    free(config->path);
    *config = (struct config){ 0 };
}
