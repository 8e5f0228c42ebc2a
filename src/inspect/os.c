/* SPDX-License-Identifier: MIT */
/* Which system this is: os-release(5), the host name. */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

char *read_text(const struct root *root, const char *path, size_t max)
{
    auto_blob struct blob bytes = { 0 };

    if (root_read(root, path, max, &bytes, NULL) < 0)
        return NULL;
    return xstrdup((char *)bytes.data);
}

/* The value of NAME=value, without its quotes; "" where there is none. Enough of shell for
 * os-release. */
static char *variable(const char *text, const char *name)
{
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line;
    size_t len = strlen(name);

    while ((line = strsep(&rest, "\n"))) {
        char *value;

        line = text_trim(line);
        if (strncmp(line, name, len) != 0 || line[len] != '=')
            continue;
        value = line + len + 1;
        if (*value == '"' || *value == '\'') {
            char quote[2] = { *value++, '\0' };

            value[strcspn(value, quote)] = '\0';
        }
        return xstrdup(value);
    }
    return xstrdup("");
}

static char *hostname(const struct root *root)
{
    auto_free char *text = read_text(root, "/etc/hostname", TEXT_FILE_MAX);
    char *name;

    if (!text)
        return xstrdup("");
    text[strcspn(text, "\n")] = '\0';
    name = text_trim(text);
    /* Only what may be in a host name: it becomes part of a key's comment. */
    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")] = '\0';
    return xstrndup(name, 64);
}

/* 32 digits; an image that has not booted yet has none, or says "uninitialized". */
static char *machine_id(const struct root *root)
{
    auto_free char *text = read_text(root, "/etc/machine-id", TEXT_FILE_MAX);
    size_t len = text ? strspn(text, "0123456789abcdef") : 0;

    return len == 32 ? xstrndup(text, len) : xstrdup("");
}

/* CentOS 6 and older have no os-release: "CentOS release 6.10 (Final)". */
static void by_redhat_release(const struct root *root, struct os *os)
{
    auto_free char *text = read_text(root, "/etc/redhat-release", TEXT_FILE_MAX);
    const char *version = text ? strstr(text, "release ") : NULL;

    if (!version)
        return;
    free(os->id);
    free(os->version_id);
    free(os->name);
    os->id = xstrdup(text_starts(text, "Fedora") ? "fedora" : "rhel");
    version += strlen("release ");
    os->version_id = xstrndup(version, strspn(version, "0123456789."));
    os->name = xstrndup(text, strcspn(text, "\n"));
}

void os_inspect(const struct root *root, struct os *ret)
{
    auto_free char *text = read_text(root, "/etc/os-release", TEXT_FILE_MAX);

    if (!text)
        text = read_text(root, "/usr/lib/os-release", TEXT_FILE_MAX);
    if (!text)
        text = xstrdup("");
    ret->id = variable(text, "ID");
    ret->id_like = variable(text, "ID_LIKE");
    ret->version_id = variable(text, "VERSION_ID");
    ret->name = variable(text, "PRETTY_NAME");
    ret->hostname = hostname(root);
    ret->machine_id = machine_id(root);
    if (!*ret->id)
        by_redhat_release(root, ret);
    if (!*ret->name) {
        free(ret->name);
        ret->name = xstrdup("Linux");
    }
}

void os_free(struct os *os)
{
    free(os->id);
    free(os->id_like);
    free(os->version_id);
    free(os->name);
    free(os->hostname);
    free(os->machine_id);
    *os = (struct os){ 0 };
}
