/* SPDX-License-Identifier: MIT */
/*
 * The files of sshd's configuration: Include is followed inside the root, in place, with
 * the Match state of where it stands. What the lines mean, config/ knows.
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
    size_t include_count;
    bool in_match;
    struct err error; /* kind ERR_NONE: none */
};

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

static void read_line(struct reading *reading, const char *path, unsigned number, const char *line,
                      size_t len, int depth)
{
    struct directive directive = { .line = number };

    config_split(line, len, reading->openssh, &directive);
    if (!directive.keyword)
        return;
    directive.file = xstrdup(path);
    if (strcasecmp(directive.keyword, "Match") == 0)
        reading->in_match = true;
    directive.in_match = reading->in_match;
    array_push(reading->config->directives, reading->config->count, directive);
    if (strcasecmp(directive.keyword, "Include") == 0)
        include(reading, directive.args, depth);
}

static void read_file(struct reading *reading, const char *path, int depth)
{
    struct config *config = reading->config;
    struct config_text file = { 0 };
    struct err e = { 0 };
    const char *at, *end;
    unsigned number = 0;

    if (depth > DEPTH_MAX || config->file_count >= FILES_MAX)
        return;
    if (root_find(reading->root, path, &file.real, NULL, &e) < 0 ||
        root_read(reading->root, path, CONFIG_MAX, &file.text, &e) < 0) {
        free(file.real);
        /* Not there, or a directory that an Include matches, is for the checks to judge. */
        if (e.kind != ERR_NOT_FOUND && (depth == 0 || e.kind != ERR_REFUSED))
            reading->error = e;
        return;
    }
    file.path = xstrdup(path);
    array_push(config->files, config->file_count, file);
    at = (const char *)file.text.data;
    end = at + file.text.len;
    for (const char *next; at < end; at = next) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        next = newline ? newline + 1 : end;
        read_line(reading, path, ++number, at, (size_t)((newline ? newline : end) - at), depth);
    }
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
    for (size_t i = 0; i < config->count; i++)
        directive_free(&config->directives[i]);
    for (size_t i = 0; i < config->file_count; i++) {
        free(config->files[i].path);
        free(config->files[i].real);
        blob_free(&config->files[i].text);
    }
    for (size_t i = 0; i < config->fault_count; i++)
        config_fault_free(&config->faults[i]);
    free(config->directives);
    free(config->files);
    free(config->faults);
    text_list_free(&config->host_key_algorithms);
    free(config->path);
    *config = (struct config){ 0 };
}
