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
#include <sys/stat.h>

/* SERVCONF_MAX_DEPTH; and what a configuration made to keep us busy is cut off at. */
enum { DEPTH_MAX = 16, FILES_MAX = 1000, INCLUDES_MAX = 256, CONFIG_MAX = 4 * 1024 * 1024 };

struct reading {
    const struct root *root;
    int openssh;
    struct config *config;
    size_t include_count;
    bool in_match;
    bool in_match_all; /* in a block that holds for everybody */
    bool never;        /* included by a block that does not: no Match in here holds */
    bool too_deep;     /* an Include further down goes deeper than sshd does */
    struct config_bad_include *bad;
    size_t bad_count;
    struct err error; /* kind ERR_NONE: none */
};

static void read_file(struct reading *reading, const char *path, int depth);

static void add_bad(struct reading *reading, size_t file, unsigned line, char *message)
{
    struct config_bad_include bad = { .file = file, .line = line, .message = message };

    array_push(reading->bad, reading->bad_count, bad);
}

/* sshd opens what glob has found: a link that leads nowhere ends it (load_server_config). */
static bool dangles(const struct root *root, const char *path)
{
    return root_find_link(root, path, NULL, NULL, NULL) == 0 && !root_exists(root, path);
}

static void include_file(struct reading *reading, const struct config_bad_include *at,
                         const char *path, int depth)
{
    const bool in_match = reading->in_match, in_match_all = reading->in_match_all;
    const bool never = reading->never;

    reading->never = never || in_match;
    if (dangles(reading->root, path))
        add_bad(reading, at->file, at->line,
                xasprintf("matches %s, a link that leads nowhere", path));
    else
        read_file(reading, path, depth + 1);
    reading->in_match = in_match;
    reading->in_match_all = in_match_all;
    reading->never = never;
}

static void include(struct reading *reading, const struct config_bad_include *at,
                    char *const *patterns, int depth)
{
    if (depth >= DEPTH_MAX) {
        if (!reading->too_deep)
            add_bad(reading, at->file, at->line, xstrdup("goes deeper than sshd follows"));
        reading->too_deep = true;
        return;
    }
    for (; *patterns; patterns++) {
        auto_with(text_list_free) char **matches = NULL;
        auto_free char *pattern =
            **patterns == '/' ? xstrdup(*patterns) : xasprintf("/etc/ssh/%s", *patterns);

        if (reading->include_count++ >= INCLUDES_MAX ||
            root_glob(reading->root, pattern, &matches, NULL) < 0)
            continue;
        for (char **match = matches; *match; match++)
            include_file(reading, at, *match, depth);
    }
}

static void read_line(struct reading *reading, size_t file, unsigned number, const char *line,
                      size_t len, int depth)
{
    struct directive directive = { .line = number };
    const struct config_bad_include at = { .file = file, .line = number };

    config_split(line, len, reading->openssh, &directive);
    if (!directive.keyword)
        return;
    directive.file = xstrdup(reading->config->files[file].path);
    if (strcasecmp(directive.keyword, "Match") == 0) {
        reading->in_match_all = directive_is_match_all(&directive) && !reading->never;
        reading->in_match = !reading->in_match_all;
    }
    directive.in_match = reading->in_match;
    directive.overrides =
        reading->in_match_all && keyword_in_match(directive.keyword, reading->openssh);
    array_push(reading->config->directives, reading->config->count, directive);
    if (strcasecmp(directive.keyword, "Include") == 0)
        include(reading, &at, directive.args, depth);
}

/* A link to /etc/shadow makes no configuration of it, whatever sshd thinks of it. */
static bool is_foreign(const struct root *root, const char *path, const char *real)
{
    struct root_stat stat;

    if (in_store(real))
        return true;
    if (root_find_link(root, path, NULL, &stat, NULL) < 0 || !S_ISLNK(stat.mode))
        return false;
    return !strstr(text_base_name(real), "sshd") && !text_ends(real, ".conf") &&
           !text_ends(real, ".config");
}

static void read_lines(struct reading *reading, size_t file, int depth)
{
    const struct blob text = reading->config->files[file].text;
    const char *at = (const char *)text.data, *end = at + text.len, *next;

    for (unsigned number = 1; at < end; number++, at = next) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        next = newline ? newline + 1 : end;
        read_line(reading, file, number, at, (size_t)((newline ? newline : end) - at), depth);
    }
}

static void read_file(struct reading *reading, const char *path, int depth)
{
    struct config *config = reading->config;
    struct config_text file = { 0 };
    struct err e = { 0 };
    size_t index = config->file_count;

    if (config->file_count >= FILES_MAX)
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
    file.foreign = is_foreign(reading->root, path, file.real);
    array_push(config->files, config->file_count, file);
    read_lines(reading, index, depth);
}

/* ---- which sshd reads it -------------------------------------------------------------- */

static bool program_holds(const void *context, const char *text)
{
    return sshd_holds(context, text);
}

/* The table of keywords stands in the program, in lower case until 10.3; or it cannot tell. */
static bool can_tell(const struct sshd *sshd)
{
    return sshd_holds(sshd, "permitrootlogin") || sshd_holds(sshd, "PermitRootLogin");
}

static void judge(const struct reading *reading, const struct sshd *sshd, struct config *config)
{
    const struct config_reader reader = { .openssh = sshd->version,
                                          .program = sshd,
                                          .holds = can_tell(sshd) ? program_holds : NULL };
    const struct config_input input = { .reader = &reader,
                                        .texts = config->files,
                                        .text_count = config->file_count,
                                        .directives = config->directives,
                                        .directive_count = config->count,
                                        .bad_includes = reading->bad,
                                        .bad_include_count = reading->bad_count };
    const struct directive *list = config_find(config, "HostKeyAlgorithms");

    config_judge(&input, &config->faults, &config->fault_count);
    config->host_key_algorithms = config_hostkey_algorithms(&reader, list ? list->args[0] : NULL);
    config->destroyed = config->path && config->file_count &&
                        config_destroyed(&config->files[0].text, sshd->version);
}

static void move_to_front(struct config *config, size_t from)
{
    size_t count = config->count - from;
    auto_free struct directive *moved = xcalloc(count, sizeof *moved);

    if (!count)
        return;
    memcpy(moved, config->directives + from, count * sizeof *moved);
    memmove(config->directives + count, config->directives, from * sizeof *moved);
    memcpy(config->directives, moved, count * sizeof *moved);
}

/*
 * Said on the command line, it comes before all that is said in files, and the first value
 * wins. Its numbers of lines are those of its options; it is nothing that could be edited.
 */
static void read_policy(struct reading *reading)
{
    auto_free char *lines = policy_lines(reading->root);
    struct config *config = reading->config;
    struct config_text file = { .foreign = true };
    size_t count = config->count;

    if (!lines || !config->file_count)
        return;
    file.path = xstrdup(POLICY_FILE);
    file.real = xstrdup(POLICY_FILE);
    file.text = blob_of_text(lines);
    array_push(config->files, config->file_count, file);
    reading->in_match = false;
    read_lines(reading, config->file_count - 1, 0);
    move_to_front(config, count);
}

int config_inspect(const struct root *root, const struct profile *profile, const struct sshd *sshd,
                   struct config *ret, struct err *e)
{
    struct reading reading = { .root = root, .openssh = sshd->version, .config = ret };
    const char *const candidates[] = { "/etc/ssh/sshd_config", profile->vendor_config };

    for (size_t i = 0; i < ARRAY_SIZE(candidates) && !ret->path; i++)
        if (candidates[i] && root_exists(root, candidates[i]))
            ret->path = xstrdup(candidates[i]);
    if (ret->path)
        read_file(&reading, ret->path, 0);
    read_policy(&reading);
    if (reading.error.kind == ERR_NONE)
        judge(&reading, sshd, ret);
    for (size_t i = 0; i < reading.bad_count; i++)
        free(reading.bad[i].message);
    free(reading.bad);
    if (reading.error.kind == ERR_NONE)
        return 0;
    if (e)
        *e = reading.error;
    return err_prefix(e, "the configuration of sshd cannot be read");
}

static const struct directive *first(const struct config *config, const char *keyword,
                                     bool overrides)
{
    for (size_t i = 0; i < config->count; i++)
        if (!config->directives[i].in_match && config->directives[i].overrides == overrides &&
            strcasecmp(config->directives[i].keyword, keyword) == 0 &&
            config->directives[i].args[0])
            return &config->directives[i];
    return NULL;
}

/*
 * For each connection sshd reads the file once more (parse_server_match_config), and what a
 * block says that holds then takes the place of what stands outside.
 */
const struct directive *config_find(const struct config *config, const char *keyword)
{
    const struct directive *found = first(config, keyword, true);

    return found ? found : first(config, keyword, false);
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
