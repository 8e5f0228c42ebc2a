/* SPDX-License-Identifier: MIT */
/*
 * The StrictModes chain of everybody who has authorized keys: the file and each
 * directory above it, up to and including the home (misc.c, safe_path).
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* More than anybody's keys; a larger file is not looked into. */
enum { KEYS_FILE_MAX = 1024 * 1024 };

static const char *const default_files[] = { ".ssh/authorized_keys", ".ssh/authorized_keys2",
                                             NULL };

/* "~/x" is of whom sshd runs as, "~name/x" of that user (servconf.c, tilde_expand_filename). */
char *authorized_pattern(const struct accounts *accounts, const char *pattern)
{
    size_t len = strcspn(pattern, "/");
    auto_free char *name = len > 1 ? xstrndup(pattern + 1, len - 1) : xstrdup("root");
    const struct user *user = *pattern == '~' ? accounts_user(accounts, name) : NULL;

    return user ? xasprintf("%s%s", user->home, pattern + len) : xstrdup(pattern);
}

/* %h, %u, %U and %% of AuthorizedKeysFile; what is still relative then, is to the home. */
char *authorized_path(const char *pattern, const struct user *user)
{
    char *path = xstrdup("");

    for (; *pattern; pattern++) {
        char *longer;

        if (*pattern != '%' || !pattern[1])
            longer = xasprintf("%s%c", path, *pattern);
        else if (*++pattern == 'h')
            longer = xasprintf("%s%s", path, user->home);
        else if (*pattern == 'u')
            longer = xasprintf("%s%s", path, user->name);
        else if (*pattern == 'U')
            longer = xasprintf("%s%u", path, user->uid);
        else
            longer = xasprintf("%s%c", path, *pattern);
        free(path);
        path = longer;
    }
    if (*path != '/') {
        char *below_home = xasprintf("%s/%s", user->home, path);

        free(path);
        path = below_home;
    }
    return path;
}

static bool below(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    return strncmp(path, directory, len) == 0 && path[len] == '/';
}

/*
 * Only what lies in the user's own home is ever given to that user: a link out of
 * it, or into the home of somebody else, must not make us give away what is there.
 */
static bool in_own_home(char *const *homes, size_t count, const char *file, const char *home)
{
    for (size_t i = 0; i < count; i++)
        if (homes[i] && below(homes[i], home) && below(file, homes[i]))
            return false;
    return true;
}

/* The directories between the file and the home, and the home itself. */
static int add_chain(const struct root *root, struct inspection *inspection,
                     const struct user *user, const char *file, const char *home, struct err *e)
{
    auto_free char *path = xstrdup(file);
    char *slash;

    while ((slash = strrchr(path, '/')) && slash != path) {
        *slash = '\0';
        if (strcmp(path, home) == 0)
            return node_add(root, inspection, &mode_home, home, user, e);
        if (node_add(root, inspection, &mode_ssh_dir, path, user, e) < 0)
            return -1;
    }
    return 0;
}

/*
 * Keys that the administrator keeps outside the homes: the file and every directory up
 * to the root. No link may be on the way: a user could have laid it.
 */
static int add_outside(const struct root *root, struct inspection *inspection,
                       const struct user *user, const char *file, struct err *e)
{
    auto_free char *path = xstrdup(file);
    char *slash;

    if (node_add(root, inspection, &mode_keys_file, path, user, e) < 0)
        return -1;
    while ((slash = strrchr(path, '/')) && slash != path) {
        *slash = '\0';
        if (node_add(root, inspection, &mode_keys_dir, path, user, e) < 0)
            return -1;
    }
    return 0;
}

/* A line that sshd could take for a key, with options or without: it holds a blob in base64. */
static bool holds_key(const char *line)
{
    const char *blob = strstr(line, "AAAA");

    return blob && (blob == line || blob[-1] == ' ' || blob[-1] == '\t');
}

static void count_lines(struct key_file *keys)
{
    auto_free char *copy = xstrdup((const char *)keys->file->text.data);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        line = text_trim(line);
        if (!*line || *line == '#')
            continue;
        if (holds_key(line))
            keys->keys++;
        else
            keys->bad++;
    }
}

/* A key that holds together, with options before it or without. */
static bool is_key(const char *line)
{
    for (const char *at = line; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL) {
        auto_blob struct blob text = blob_of_text(at);
        auto_pubkey struct pubkey pub = { 0 };

        if (pubkey_parse(&text, &pub) == 0)
            return true;
    }
    return false;
}

static bool any_key(const struct blob *text)
{
    auto_free char *copy = xstrdup((const char *)text->data);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        line = text_trim(line);
        if (*line != '#' && is_key(line))
            return true;
    }
    return false;
}

/* Only what is nothing but a file of keys is worth writing anew. */
static void look_for_utf16(struct key_file *keys)
{
    auto_blob struct blob text = { 0 };

    if (utf16_to_utf8(&keys->file->text, &text) && any_key(&text))
        keys->utf8 = take_blob(text);
}

static void look_at_keys(const struct root *root, struct inspection *inspection,
                         const struct user *user, const char *real)
{
    struct key_file keys = { .user = user,
                             .file = text_file_add(root, inspection, real, KEYS_FILE_MAX) };
    struct login *login = &inspection->login;
    const struct blob *text;

    if (!keys.file)
        return;
    text = &keys.file->text;
    keys.bom = text->len >= 3 && memcmp(text->data, "\xEF\xBB\xBF", 3) == 0;
    keys.foreign = memchr(text->data, '\0', text->len) != NULL;
    count_lines(&keys);
    if (keys.foreign)
        look_for_utf16(&keys);
    array_push(login->key_files, login->key_file_count, keys);
}

/* homes: of all users; the user's own is there. */
static int add_user(const struct root *root, struct inspection *inspection, size_t index,
                    char *const *homes, const char *const *patterns, struct err *e)
{
    const struct user *user = &inspection->accounts.users[index];
    const char *home = homes[index];

    for (; *patterns; patterns++) {
        auto_free char *pattern = authorized_pattern(&inspection->accounts, *patterns);
        auto_free char *path = authorized_path(pattern, user), *real = NULL;
        struct root_stat stat;

        if (strcasecmp(pattern, "none") == 0 || root_find(root, path, &real, &stat, NULL) < 0 ||
            !S_ISREG(stat.mode))
            continue;
        if (!below(real, home)) {
            if (*pattern == '/' && strcmp(real, path) == 0 &&
                add_outside(root, inspection, user, real, e) < 0)
                return -1;
            continue;
        }
        if (!in_own_home(homes, inspection->accounts.user_count, real, home))
            continue;
        /* A second name may be somebody else's file: its owner stays. */
        if (stat.links > 1 && stat.uid != user->uid)
            continue;
        look_at_keys(root, inspection, user, real);
        if (node_add(root, inspection, &mode_authorized_keys, real, user, e) < 0 ||
            add_chain(root, inspection, user, real, home, e) < 0)
            return -1;
    }
    return 0;
}

/* Where the home of each user is in truth, in their order; NULL where it is not on this disk. */
static char **find_homes(const struct root *root, const struct accounts *accounts)
{
    char **homes = xcalloc(accounts->user_count + 1, sizeof *homes);

    for (size_t i = 0; i < accounts->user_count; i++)
        if (*accounts->users[i].home != '/' ||
            root_find(root, accounts->users[i].home, &homes[i], NULL, NULL) < 0)
            homes[i] = NULL;
    return homes;
}

int login_inspect(const struct root *root, struct inspection *inspection, struct err *e)
{
    const struct directive *strict = config_find(&inspection->config, "StrictModes");
    const struct directive *files = config_find(&inspection->config, "AuthorizedKeysFile");
    const char *const *patterns = files ? (const char *const *)files->args : default_files;
    const struct accounts *accounts = &inspection->accounts;
    char **homes;
    int result = 0;

    if (strict && strcasecmp(strict->args[0], "no") == 0)
        return 0;
    homes = find_homes(root, accounts);
    for (size_t i = 0; i < accounts->user_count && result == 0; i++)
        if (homes[i])
            result = add_user(root, inspection, i, homes, patterns, e);
    for (size_t i = 0; i < accounts->user_count; i++)
        free(homes[i]);
    free(homes);
    return result;
}
