/* SPDX-License-Identifier: MIT */
/*
 * What keeps people out of an sshd that is up: nologin(5), hosts_access(5), login
 * shells, files that sshd_config names, and the text of their authorized keys.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { UID_PEOPLE = 1000, UID_PEOPLE_OLD = 500, UID_NOBODY = 65534, USERS_MAX = 1000 };

/* ---- users and shells ----------------------------------------------------------------- */

/* A shell that is there to refuse. */
static bool refuses(const char *shell)
{
    const char *name = text_base_name(shell);

    return strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0 ||
           strcmp(name, "sync") == 0 || strcmp(name, "halt") == 0 || strcmp(name, "shutdown") == 0;
}

static bool is_person(const struct inspection *inspection, const struct user *user)
{
    bool old = inspection->sshd.version && inspection->sshd.version < OPENSSH(6, 0);

    return user->uid >= (old ? UID_PEOPLE_OLD : UID_PEOPLE) && user->uid != UID_NOBODY;
}

/* allowed_user (auth.c): an empty shell is /bin/sh. */
static const char *shell_of(const struct user *user)
{
    return *user->shell ? user->shell : "/bin/sh";
}

/* A shell on another file system, or a /bin that is a link to nowhere here, is not judged. */
static bool shell_missing(const struct root *root, const char *shell)
{
    auto_free char *directory = xstrndup(shell, (size_t)(text_base_name(shell) - shell));

    return *shell == '/' && root_exists(root, directory) && !root_exists(root, shell);
}

static const struct key_file *keys_of(const struct login *login, const struct user *user)
{
    for (size_t i = 0; i < login->key_file_count; i++)
        if (login->key_files[i].user == user)
            return &login->key_files[i];
    return NULL;
}

static void look_at_users(const struct root *root, struct inspection *inspection)
{
    struct login *login = &inspection->login;

    login->spare_shell = root_exists(root, "/bin/bash") ? "/bin/bash"
                         : root_exists(root, "/bin/sh") ? "/bin/sh"
                                                        : NULL;
    for (size_t i = 0; i < inspection->accounts.user_count; i++) {
        const struct user *user = &inspection->accounts.users[i];
        struct login_user found = { .user = user, .has_keys = keys_of(login, user) != NULL };

        if (refuses(user->shell) || login->user_count >= USERS_MAX ||
            (user->uid != 0 && !is_person(inspection, user) && !found.has_keys))
            continue;
        found.shell_missing = shell_missing(root, shell_of(user));
        array_push(login->users, login->user_count, found);
    }
}

/* ---- hosts.allow and hosts.deny ------------------------------------------------------- */

struct rule {
    unsigned line;
    char *daemons, *clients, *option; /* option: what follows a second colon; "" */
};

/* A logical line: "daemons : clients [: option]"; a backslash at the end goes on. */
static bool next_rule(const char **at, const char *end, unsigned *number, char **ret_text,
                      unsigned *ret_line)
{
    auto_free char *text = xstrdup("");
    bool more = true;

    if (*at >= end)
        return false;
    *ret_line = *number;
    while (more && *at < end) {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        auto_free char *part = xstrndup(*at, (size_t)((newline ? newline : end) - *at));
        size_t len = strlen(part);
        char *longer;

        more = len > 0 && part[len - 1] == '\\';
        if (more)
            part[len - 1] = '\0';
        longer = xasprintf("%s%s", text, part);
        free(text);
        text = longer;
        *at = newline ? newline + 1 : end;
        ++*number;
    }
    *ret_text = take_ptr(text);
    return true;
}

static bool split_rule(char *text, struct rule *ret)
{
    char *rest = text_trim(text);

    if (!*rest || *rest == '#')
        return false;
    ret->daemons = strsep(&rest, ":");
    if (!rest)
        return false;
    ret->clients = strsep(&rest, ":");
    ret->option = rest ? text_trim(rest) : text + strlen(text);
    return true;
}

/* A word of a list; a list with exceptions is not one of everybody. */
static bool names(const char *list, const char *const *words)
{
    auto_free char *copy = xstrdup(list);
    char *rest = copy, *word;

    if (strcasestr(list, "EXCEPT"))
        return false;
    while ((word = strsep(&rest, " \t,"))) {
        for (size_t i = 0; words[i]; i++)
            if (strcasecmp(word, words[i]) == 0)
                return true;
    }
    return false;
}

static const char *const sshd_words[] = { "ALL", "sshd", "sshd-session", NULL };
static const char *const everybody[] = { "ALL", "0.0.0.0/0", "0.0.0.0/0.0.0.0", NULL };

static bool allows(const struct rule *rule)
{
    return !text_starts(rule->option, "deny") && !text_starts(rule->option, "DENY");
}

/* Both files in their order: the first rule that names a stranger decides. */
static void look_at_rules(const struct text_file *file, bool deny_file, struct login *login,
                          bool *some_allowed, bool *all_allowed)
{
    const char *at = (const char *)file->text.data, *end = at + file->text.len;
    unsigned number = 1, line;
    char *raw;

    while (!*all_allowed && next_rule(&at, end, &number, &raw, &line)) {
        auto_free char *text = raw;
        struct rule rule;
        bool allow;

        if (!split_rule(text, &rule) || !names(rule.daemons, sshd_words))
            continue;
        allow = allows(&rule) && !(deny_file && strcasecmp(rule.option, "allow") != 0);
        if (!allow && names(rule.clients, everybody)) {
            struct denial denial = { .file = file, .line = line, .some_allowed = *some_allowed };

            array_push(login->denials, login->denial_count, denial);
        }
        *some_allowed = *some_allowed || allow;
        *all_allowed = allow && names(rule.clients, everybody);
    }
}

static void look_at_wrappers(const struct root *root, struct inspection *inspection)
{
    static const char *const paths[] = { "/etc/hosts.allow", "/etc/hosts.deny" };
    bool some_allowed = false, all_allowed = false;

    for (size_t i = 0; inspection->programs.wrappers && i < ARRAY_SIZE(paths); i++) {
        const struct text_file *file = text_file_add(root, inspection, paths[i], TEXT_FILE_MAX);

        if (file)
            look_at_rules(file, i == 1, &inspection->login, &some_allowed, &all_allowed);
    }
}

/* ---- files that sshd_config names ----------------------------------------------------- */

static const char *const naming[] = {
    "RevokedKeys",     "TrustedUserCAKeys",           "Banner", "AuthorizedKeysCommand",
    "ChrootDirectory", "AuthorizedPrincipalsCommand", NULL
};

static bool names_file(const struct directive *directive)
{
    for (size_t i = 0; naming[i]; i++)
        if (strcasecmp(directive->keyword, naming[i]) == 0)
            return directive->args[0] && directive->args[0][0] == '/' &&
                   !strchr(directive->args[0], '%');
    return false;
}

static void look_at_named(const struct root *root, struct inspection *inspection)
{
    const struct config *config = &inspection->config;

    for (size_t i = 0; i < config->count; i++) {
        const struct directive *directive = &config->directives[i];
        struct named_file named = { .directive = directive };
        auto_blob struct blob bytes = { 0 };

        if (!names_file(directive))
            continue;
        named.path = xstrdup(directive->args[0]);
        named.missing = !root_exists(root, named.path);
        named.unusable = !named.missing && strcasecmp(directive->keyword, "RevokedKeys") == 0 &&
                         root_read(root, named.path, PROGRAM_MAX, &bytes, NULL) < 0;
        array_push(inspection->login.named, inspection->login.named_count, named);
    }
}

void access_inspect(const struct root *root, struct inspection *inspection)
{
    /* Where it is a link, the link goes, and what it leads to stays. */
    if (!root_exists(root, "/etc/nologin") ||
        root_find_link(root, "/etc/nologin", &inspection->login.nologin, NULL, NULL) < 0)
        inspection->login.nologin = NULL;
    look_at_users(root, inspection);
    look_at_wrappers(root, inspection);
    look_at_named(root, inspection);
    chroots_inspect(root, inspection);
    pam_inspect(root, inspection, &inspection->login.pam);
}

void login_free(struct login *login)
{
    for (size_t i = 0; i < login->named_count; i++)
        free(login->named[i].path);
    for (size_t i = 0; i < login->key_file_count; i++)
        blob_free(&login->key_files[i].utf8);
    for (size_t i = 0; i < login->chroot_count; i++) {
        free(login->chroots[i].path);
        free(login->chroots[i].why);
    }
    free(login->chroots);
    free(login->nologin);
    free(login->users);
    free(login->key_files);
    free(login->denials);
    free(login->named);
    free(login->pam.missing_include);
    free(login->pam.missing_module);
    substitute_free(&login->pam.stack);
    *login = (struct login){ 0 };
}
