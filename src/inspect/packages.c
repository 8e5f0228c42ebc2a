/* SPDX-License-Identifier: MIT */
/*
 * Which release of OpenSSH the package database says is installed. No library of a package
 * manager is asked: each database is text, names of folders, or holds what is looked for as
 * a string in one piece.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

enum { RPM_MAX = 512 * 1024 * 1024, PART = 1024 * 1024, OVERLAP = 256, WORD_MAX = 64 };

/* "1:9.2p1-2+deb12u10", "9.7_p1-r4" -> "9.2p1", "9.7p1" */
static char *upstream(const char *version)
{
    const char *colon = strchr(version, ':');
    char *text, *to;

    if (colon && colon - version < 4)
        version = colon + 1; /* the epoch */
    text = to = xstrndup(version, strcspn(version, "-\n"));
    for (const char *from = text; *from; from++)
        if (*from != '_')
            *to++ = *from;
    *to = '\0';
    return text;
}

static void keep_newer(char **kept, char *version)
{
    if (*kept && strverscmp(*kept, version) >= 0) {
        free(version);
        return;
    }
    free(*kept);
    *kept = version;
}

/* A paragraph that begins with, or has, a line of the name; then one of the version. */
static char *by_paragraph(const struct root *root, const char *path, const char *name,
                          const char *label)
{
    auto_free char *text = read_text(root, path, PROGRAM_MAX);
    auto_free char *database = xasprintf("\n%s", text ? text : "");
    char *paragraph = strstr(database, name), *end, *version;

    if (!paragraph)
        return NULL;
    end = strstr(paragraph, "\n\n");
    if (end)
        *end = '\0';
    version = strstr(paragraph, label);
    return version ? upstream(version + strlen(label)) : NULL;
}

static char *by_dpkg(const struct root *root, const char *path)
{
    return by_paragraph(root, path, "\nPackage: openssh-server\n", "\nVersion: ");
}

static char *by_apk(const struct root *root, const char *path)
{
    char *version = by_paragraph(root, path, "\nP:openssh-server\n", "\nV:");

    return version ? version : by_paragraph(root, path, "\nP:openssh\n", "\nV:");
}

/* pacman's and portage's databases are folders: openssh-9.8p1-1, openssh-9.8_p1. */
static char *by_folder(const struct root *root, const char *pattern)
{
    auto_with(text_list_free) char **found = NULL;
    char *version = NULL;

    if (root_glob(root, pattern, &found, NULL) < 0)
        return NULL;
    for (char **path = found; *path; path++)
        keep_newer(&version, upstream(text_base_name(*path) + strlen("openssh-")));
    return version;
}

/* A version or a release and its NUL, in this many bytes; NULL where it is none. */
static const char *word_end(const char *word, const char *end)
{
    size_t max = (size_t)(end - word), len = strnlen(word, max < WORD_MAX ? max : WORD_MAX);

    if (len == max || len == WORD_MAX || !len ||
        strspn(word, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._+~^") != len)
        return NULL;
    return word + len + 1;
}

/* The newest of the part: what an upgrade has replaced may still stand in free pages. */
static void search_headers(const struct blob *part, const char *name, size_t name_len,
                           char **version)
{
    const char *at = (const char *)part->data, *end = at + part->len;

    while ((at = memmem(at, (size_t)(end - at), name, name_len))) {
        const char *release;

        at += name_len;
        release = word_end(at, end);
        if (release && *at >= '0' && *at <= '9' && word_end(release, end))
            keep_newer(version, xstrdup(at));
    }
}

/*
 * All three of rpm's databases hold a package's header as one blob. Its data is in the order
 * of tags (rpm, lib/header.c and include/rpm/rpmtag.h): HEADERI18NTABLE, which is "C", then
 * NAME, VERSION and RELEASE, each with its NUL. Names in dependencies have no "C" before them.
 * Only sqlite cuts a blob into pages anywhere (one in a hundred is cut just there, and not
 * found); ndb's are in one piece, and Berkeley DB's first page holds more than an index and this.
 */
static char *by_rpm(const struct root *root, const char *path)
{
    static const char server[] = "C\0openssh-server", whole[] = "C\0openssh";
    auto_free char *of_server = NULL, *of_whole = NULL;
    struct root_stat stat;
    uint64_t size;

    if (root_find(root, path, NULL, &stat, NULL) < 0 || !S_ISREG(stat.mode))
        return NULL;
    size = stat.size < RPM_MAX ? stat.size : RPM_MAX;
    for (uint64_t at = 0; at < size; at += PART - OVERLAP) {
        auto_blob struct blob part = { 0 };
        uint64_t left = size - at;

        if (root_read_part(root, path, at, left < PART ? (size_t)left : PART, &part, NULL) < 0)
            break;
        search_headers(&part, server, sizeof server, &of_server);
        search_headers(&part, whole, sizeof whole, &of_whole);
    }
    return of_server ? take_ptr(of_server) : take_ptr(of_whole);
}

static const struct {
    const char *path;
    char *(*version)(const struct root *root, const char *path);
} databases[] = {
    { "/var/lib/dpkg/status", by_dpkg },
    { "/usr/lib/sysimage/rpm/rpmdb.sqlite", by_rpm },
    { "/usr/lib/sysimage/rpm/Packages.db", by_rpm },
    { "/usr/lib/sysimage/rpm/Packages", by_rpm },
    { "/var/lib/rpm/rpmdb.sqlite", by_rpm },
    { "/var/lib/rpm/Packages.db", by_rpm },
    { "/var/lib/rpm/Packages", by_rpm },
    { "/lib/apk/db/installed", by_apk },
    { "/usr/lib/apk/db/installed", by_apk },
    { "/var/lib/pacman/local/openssh-[0-9]*", by_folder },
    { "/var/db/pkg/net-misc/openssh-[0-9]*", by_folder },
};

char *package_version(const struct root *root)
{
    char *version = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(databases) && !version; i++)
        version = databases[i].version(root, databases[i].path);
    return version;
}
