/* SPDX-License-Identifier: MIT */
/*
 * PAM's stack for sshd (pam.conf(5)), as far as it decides whether anybody gets in:
 * is it there, are the stacks it includes, and the modules that must work?
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

enum { DEPTH_MAX = 8, STACKS_MAX = 64 };

/* Where a distribution keeps its own stacks, under those of /etc. */
static const char *const stack_places[] = { "/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d",
                                            NULL };

struct pam_walk {
    const struct root *root;
    struct pam *pam;
    char **module_places; /* directories that hold pam_unix.so; NULL-terminated */
    size_t stacks;
};

static char *read_stack(const struct root *root, const char *name)
{
    for (size_t i = 0; stack_places[i]; i++) {
        auto_free char *path =
            *name == '/' ? xstrdup(name) : xasprintf("%s/%s", stack_places[i], name);
        char *text = read_text(root, path, TEXT_FILE_MAX);

        if (text)
            return text;
    }
    return NULL;
}

static char **module_places(const struct root *root)
{
    static const char *const patterns[] = {
        "/lib/security/pam_unix.so",
        "/lib64/security/pam_unix.so",
        "/usr/lib/security/pam_unix.so",
        "/usr/lib64/security/pam_unix.so",
        "/lib/*-linux-*/security/pam_unix.so",
        "/usr/lib/*-linux-*/security/pam_unix.so", /* Debian's, by architecture */
    };
    char **places = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        auto_with(text_list_free) char **found = NULL;

        if (root_glob(root, patterns[i], &found, NULL) < 0)
            continue;
        for (char **path = found; *path; path++) {
            char *place = xstrndup(*path, strlen(*path) - strlen("/pam_unix.so"));

            array_push(places, count, place);
        }
    }
    array_push(places, count, NULL);
    return places;
}

static bool module_exists(const struct pam_walk *walk, const char *name)
{
    if (*name == '/')
        return root_exists(walk->root, name);
    for (char **place = walk->module_places; *place; place++) {
        auto_free char *path = xasprintf("%s/%s", *place, name);

        if (root_exists(walk->root, path))
            return true;
    }
    return !walk->module_places[0];
}

static void walk_stack(struct pam_walk *walk, const char *name, int depth);

/* "auth [success=1 default=ignore] pam_unix.so …": a control in brackets holds blanks. */
static char *skip_control(char *at)
{
    at += strspn(at, " \t");
    at += *at == '[' ? strcspn(at, "]") : strcspn(at, " \t");
    if (*at == ']')
        at++;
    return at + strspn(at, " \t");
}

static void look_at_line(struct pam_walk *walk, char *line, int depth)
{
    char *type = line + strspn(line, " \t"), *control, *module;
    bool quiet = *type == '-', optional;

    if (!*type || *type == '#')
        return;
    if (*type == '@') { /* Debian's */
        char *name = text_trim(type + strcspn(type, " \t"));

        walk_stack(walk, name, depth + 1);
        return;
    }
    control = type + strcspn(type, " \t");
    control += strspn(control, " \t");
    module = skip_control(control);
    optional = text_starts(control, "optional") || *control == '[';
    module[strcspn(module, " \t#")] = '\0';
    if (text_starts(control, "include") || text_starts(control, "substack"))
        walk_stack(walk, module, depth + 1);
    else if (*module && !quiet && !optional && !walk->pam->missing_module &&
             !module_exists(walk, module))
        walk->pam->missing_module = xstrdup(module);
}

static void walk_stack(struct pam_walk *walk, const char *name, int depth)
{
    auto_free char *text = read_stack(walk->root, name);
    char *rest = text, *line;

    if (depth > DEPTH_MAX || walk->stacks++ >= STACKS_MAX)
        return;
    if (!text && *name && !walk->pam->missing_include)
        walk->pam->missing_include = xstrdup(name);
    while (text && (line = strsep(&rest, "\n")))
        look_at_line(walk, text_trim(line), depth);
}

/* A line that is no comment. */
static bool says_something(const struct blob *text, const void *context)
{
    auto_free char *copy = xstrdup((char *)text->data);
    char *rest = copy, *line;

    (void)context;
    while ((line = strsep(&rest, "\n"))) {
        line = text_trim(line);
        if (*line && *line != '#')
            return true;
    }
    return false;
}

static bool says(const struct root *root, const char *name)
{
    auto_free char *text = read_stack(root, name);
    struct blob bytes = { (unsigned char *)text, text ? strlen(text) : 0 };

    return text && says_something(&bytes, NULL);
}

/* "other" stands in; where there is none, or it denies, nobody gets in. */
static bool others_deny(const struct root *root)
{
    auto_free char *text = read_stack(root, "other");

    return !text || strstr(text, "pam_deny.so");
}

void pam_inspect(const struct root *root, const struct inspection *inspection, struct pam *ret)
{
    const struct directive *use = config_find(&inspection->config, "UsePAM");
    auto_with(text_list_free) char **places = module_places(root);
    struct pam_walk walk = { .root = root, .pam = ret, .module_places = places };

    ret->used = use && strcasecmp(use->args[0], "yes") == 0;
    if (!ret->used)
        return;
    ret->missing = !says(root, "sshd");
    if (!ret->missing) {
        walk_stack(&walk, "sshd", 0);
        return;
    }
    ret->others_deny = others_deny(root);
    substitute_find(root, "/etc/pam.d/sshd", NULL, inspection->profile->pam, says_something, NULL,
                    &ret->stack);
}
