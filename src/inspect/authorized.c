/* SPDX-License-Identifier: MIT */
/* Where a user's authorized keys are, or would be, and what is there now: for authorize. */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* Whom one could have meant. */
static char *login_names(const struct inspection *inspection)
{
    char *names = xstrdup("");

    for (size_t i = 0; i < inspection->login.user_count; i++) {
        char *longer =
            xasprintf("%s%s%s", names, *names ? ", " : "", inspection->login.users[i].user->name);

        free(names);
        names = longer;
    }
    return names;
}

static int find_user(const struct inspection *inspection, const char *name, struct authorized *ret,
                     struct err *e)
{
    auto_free char *names = login_names(inspection);

    ret->user = accounts_user(&inspection->accounts, name);
    return ret->user ? 0
                     : err_set(e, ERR_NOT_FOUND,
                               "there is no user %s on this system; those who log in are: %s", name,
                               names);
}

/* The directory must be there, or be the one that is to be made in the user's own home. */
static int find_directory(const struct root *root, const char *path, const char *home,
                          struct authorized *ret, struct err *e)
{
    const char *name = text_base_name(path);
    auto_free char *directory = xstrndup(path, (size_t)(name - path) - 1);
    auto_free char *real = NULL, *above = NULL;
    struct root_stat stat;

    if (root_find(root, directory, &real, &stat, NULL) == 0) {
        if (!S_ISDIR(stat.mode))
            return err_set(e, ERR_REFUSED, "%s is not a directory", directory);
        ret->path = xasprintf("%s/%s", real, name);
        return 0;
    }
    if (root_find_link(root, directory, NULL, NULL, NULL) == 0)
        return err_set(e, ERR_REFUSED, "%s is a link that leads to nothing on this disk",
                       directory);
    above = text_above(directory);
    if (root_find(root, above, &real, NULL, NULL) < 0 || strcmp(real, home) != 0)
        return err_set(e, ERR_NOT_FOUND, "there is no directory %s on this disk", directory);
    ret->new_directory = xasprintf("%s/%s", real, text_base_name(directory));
    ret->path = xasprintf("%s/%s", ret->new_directory, name);
    return 0;
}

static int read_file(const struct root *root, struct authorized *ret, struct err *e)
{
    struct root_stat stat;

    if (root_find_link(root, ret->path, NULL, &stat, NULL) < 0)
        return 0;
    ret->exists = true;
    if (S_ISLNK(stat.mode) || !S_ISREG(stat.mode))
        return err_set(e, ERR_REFUSED, "%s is %s; move it away first", ret->path,
                       S_ISLNK(stat.mode) ? "a link" : "not a file");
    return root_read(root, ret->path, TEXT_FILE_MAX, &ret->text, e);
}

/* StrictModes looks at them as soon as there are keys in them. */
static int add_home(const struct root *root, struct inspection *inspection,
                    const struct authorized *authorized, const char *home, struct err *e)
{
    auto_free char *directory = text_above(authorized->path);
    bool below = text_starts(directory, home) && directory[strlen(home)] == '/';

    if (node_add(root, inspection, &mode_home, home, authorized->user, e) < 0 ||
        (below && node_add(root, inspection, &mode_ssh_dir, directory, authorized->user, e) < 0))
        return -1;
    keys_tie(inspection); /* the nodes have moved */
    return 0;
}

int authorized_inspect(const struct root *root, struct inspection *inspection, const char *user,
                       struct authorized *ret, struct err *e)
{
    const struct directive *files = config_find(&inspection->config, "AuthorizedKeysFile");
    auto_free char *pattern =
        authorized_pattern(&inspection->accounts, files ? files->args[0] : ".ssh/authorized_keys");
    auto_with(labels_close) struct labels *labels = labels_open(root);
    auto_free char *home = NULL, *path = NULL;

    if (find_user(inspection, user, ret, e) < 0)
        return -1;
    if (strcasecmp(pattern, "none") == 0)
        return err_set(e, ERR_REFUSED, "AuthorizedKeysFile is none: this sshd reads no such file");
    if (root_find(root, ret->user->home, &home, NULL, NULL) < 0)
        return err_set(e, ERR_NOT_FOUND, "the home of %s, %s, is not on this disk", user,
                       ret->user->home);
    path = authorized_path(pattern, ret->user);
    if (find_directory(root, path, home, ret, e) < 0 || read_file(root, ret, e) < 0 ||
        add_home(root, inspection, ret, home, e) < 0)
        return -1;
    ret->label = labels_lookup(labels, ret->path, S_IFREG);
    ret->directory_label =
        ret->new_directory ? labels_lookup(labels, ret->new_directory, S_IFDIR) : NULL;
    return 0;
}

void authorized_free(struct authorized *authorized)
{
    free(authorized->path);
    free(authorized->new_directory);
    free(authorized->label);
    free(authorized->directory_label);
    blob_free(&authorized->text);
    *authorized = (struct authorized){ 0 };
}
