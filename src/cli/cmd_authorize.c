/* SPDX-License-Identifier: MIT */
/* A repair that adds a key: the same looks, the same consent, the same transaction. */
#include "cli/cmd_repair.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEYS_MAX = 64 * 1024 };

static char *read_keys(const char *path, struct err *e)
{
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *file = from_stdin ? stdin : fopen(path, "re");
    auto_free char *text = xcalloc(1, KEYS_MAX + 1);
    size_t len;

    if (!file) {
        err_errno(e, "%s", path);
        return NULL;
    }
    len = fread(text, 1, KEYS_MAX, file);
    if (ferror(file))
        err_errno(e, "%s", path);
    else if (!feof(file) && fgetc(file) != EOF)
        err_set(e, ERR_REFUSED, "%s is larger than any file of keys", path);
    if (!from_stdin)
        fclose(file);
    if (e->kind != ERR_NONE)
        return NULL;
    if (strlen(text) != len) {
        err_set(e, ERR_REFUSED, "%s holds bytes that are no text", path);
        return NULL;
    }
    return take_ptr(text);
}

/*
 * A key holds together: its blob names the type that stands before it. Options may come first.
 * One of protocol 1 is none: nobody's client has that any more.
 */
static bool is_key(const char *line)
{
    for (const char *at = line; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL) {
        auto_blob struct blob text = blob_of_text(at);
        auto_pubkey struct pubkey pub = { 0 };

        if (pubkey_parse(&text, &pub) == 0 &&
            (!pubkey_type(&pub) || key_type_protocol(pubkey_type(&pub)) == 2))
            return true;
    }
    return false;
}

/* The lines that hold keys, one below the other; NULL where something else is among them. */
static char *key_lines(const char *text, struct err *e)
{
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line, *lines = xstrdup("");

    if (strstr(text, "PRIVATE KEY")) {
        err_set(e, ERR_REFUSED, "this is a private key; give the .pub that belongs to it");
        free(lines);
        return NULL;
    }
    while ((line = strsep(&rest, "\n"))) {
        char *longer;

        line = text_trim(line);
        if (!*line || *line == '#')
            continue;
        if (!is_key(line)) {
            err_set(e, ERR_REFUSED, "this is no public key: %.60s", line);
            free(lines);
            return NULL;
        }
        longer = xasprintf("%s%s\n", lines, line);
        free(lines);
        lines = longer;
    }
    if (!*lines) {
        err_set(e, ERR_REFUSED, "there is no public key in it");
        free(lines);
        return NULL;
    }
    return lines;
}

static int run(const struct options *options)
{
    struct options with_key = *options;
    struct err e = { 0 };
    auto_free char *text = NULL, *lines = NULL;

    if (!options->user || !options->key) {
        say("authorize needs --user NAME and --key FILE (or -)");
        return EXIT_BAD_USAGE;
    }
    if (strcmp(options->key, "-") == 0 && !options->yes && !options->dry_run) {
        say("with --key - there is nobody to ask: give --yes too, or --dry-run");
        return EXIT_BAD_USAGE;
    }
    text = read_keys(options->key, &e);
    lines = text ? key_lines(text, &e) : NULL;
    if (!lines)
        return say_error(&e);
    with_key.key_lines = lines;
    with_key.only = "login-open,login-owner,login-closed";
    return for_each_system(&with_key, "authorize", true, repair_system);
}

const struct command cmd_authorize = {
    .name = "authorize",
    .arguments = "[OPTION...] --user NAME --key FILE TARGET",
    .summary = "let a public key in for a user, after asking",
    .options = "yes dry-run user key backup-dir backup-superblock",
    .needs_target = true,
    .run = run,
};
