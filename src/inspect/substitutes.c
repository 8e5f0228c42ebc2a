/* SPDX-License-Identifier: MIT */
/*
 * What can stand in for a file that is lost: the package's own copy, what a package
 * manager or an administrator has left beside it, else what the distribution ships.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

/* The package managers' own first: they are what the distribution ships. */
static const char *const endings[] = { ".dpkg-dist", ".dpkg-new", ".ucf-dist", ".rpmnew",
                                       ".pacnew",    ".apk-new",  ".dpkg-old", ".ucf-old",
                                       ".rpmsave",   ".rpmorig",  ".pacsave",  ".bak",
                                       ".backup",    ".orig",     ".old",      ".save",
                                       "~",          "-" };

typedef bool sound_fn(const struct blob *text, const void *context);

static bool take(const struct root *root, const char *path, sound_fn *sound, const void *context,
                 struct substitute *ret)
{
    auto_blob struct blob content = { 0 };

    if (root_read(root, path, TEXT_FILE_MAX, &content, NULL) < 0 || !sound(&content, context))
        return false;
    ret->source = xstrdup(path);
    ret->content = take_blob(content);
    return true;
}

void substitute_find(const struct root *root, const char *path, const char *package_copy,
                     const char *default_text, sound_fn *sound, const void *context,
                     struct substitute *ret)
{
    struct root_stat stat;

    *ret = (struct substitute){ .meta = { .mode = 0644 } };
    ret->exists = root_find_link(root, path, NULL, &stat, NULL) == 0;
    /* A link is replaced, never written through: what it leads to may be anything. */
    if (root_find_link(root, path, &ret->path, NULL, NULL) < 0)
        ret->path = xstrdup(path);
    if (package_copy && take(root, package_copy, sound, context, ret))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        auto_free char *copy = xasprintf("%s%s", path, endings[i]);

        if (take(root, copy, sound, context, ret))
            return;
    }
    if (default_text)
        ret->content = blob_of_text(default_text);
}

void substitute_free(struct substitute *substitute)
{
    free(substitute->path);
    free(substitute->source);
    blob_free(&substitute->content);
}

/* ---- sshd_config ---------------------------------------------------------------------- */

/* It loads in this sshd, as far as one file alone can tell. */
static bool sound_config(const struct blob *text, const void *context)
{
    const struct inspection *inspection = context;

    const struct config_reader reader = { .openssh = inspection->sshd.version };

    return !config_destroyed(text, inspection->sshd.version) && config_text_loads(text, &reader);
}

/* ---- moduli --------------------------------------------------------------------------- */

/* moduli(5): seven fields, the first a time of 14 digits, the second the type: 2, a safe prime. */
static bool moduli_line(const char *line, size_t len)
{
    size_t fields = 0;

    if (len < 100 || !isdigit((unsigned char)*line) || len < 17 || memcmp(line + 14, " 2 ", 3) != 0)
        return false;
    for (size_t i = 0; i < len; i++)
        fields += line[i] == ' ';
    return fields == 6;
}

/* dh.c, choose_dh: one line that can be used is enough. */
static bool sound_moduli(const struct blob *text, const void *context)
{
    const char *at = (const char *)text->data, *end = at + text->len;

    (void)context;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;

        if (moduli_line(at, (size_t)(line_end - at)))
            return true;
        at = newline ? newline + 1 : end;
    }
    return false;
}

static void inspect_moduli(const struct root *root, struct inspection *inspection)
{
    static const char path[] = "/etc/ssh/moduli";
    auto_blob struct blob text = { 0 };
    struct err e = { 0 };

    if (root_read(root, path, PROGRAM_MAX, &text, &e) < 0) {
        inspection->moduli_missing = e.kind == ERR_NOT_FOUND;
        return;
    }
    inspection->moduli_damaged = !sound_moduli(&text, NULL);
    if (!inspection->moduli_damaged)
        return;
    substitute_find(root, path, "/usr/etc/ssh/moduli", NULL, sound_moduli, NULL,
                    &inspection->lost_moduli);
    inspection->lost_moduli.meta.mode = inspection->profile->moduli_mode;
}

/* Include is not for every sshd. */
static const char *usual_config(const struct inspection *inspection)
{
    const char *text = inspection->profile->minimal_config;
    int openssh = inspection->sshd.version;

    if (text && openssh && openssh < OPENSSH(8, 2) && text_starts(text, "Include "))
        return strchr(text, '\n') + 1;
    return text;
}

void substitutes_inspect(const struct root *root, struct inspection *inspection)
{
    const struct profile *profile = inspection->profile;

    if (!inspection->config.path || inspection->config.destroyed) {
        substitute_find(root, "/etc/ssh/sshd_config", profile->package_config,
                        usual_config(inspection), sound_config, inspection,
                        &inspection->lost_config);
        inspection->lost_config.meta.mode = profile->config_mode;
    }
    inspect_moduli(root, inspection);
}
