/* SPDX-License-Identifier: MIT */
#include "inspect/libraries.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* More than any sshd needs. */
enum { FILES_MAX = 300, CONF_DEPTH_MAX = 4 };

/* What ld.so(8) of one distribution or another has built in. */
static const char *const library_directories[] = {
    "/lib",   "/usr/lib",   "/lib/x86_64-linux-gnu",  "/usr/lib/x86_64-linux-gnu",
    "/lib64", "/usr/lib64", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
    "/lib32", "/usr/lib32", "/lib/i386-linux-gnu",    "/usr/lib/i386-linux-gnu",
    NULL
};

/* ---- where libraries are -------------------------------------------------------------- */

static void add_directory(const struct root *root, struct directories *directories,
                          const char *path)
{
    auto_free char *real = NULL;
    char *directory;

    if (root_find(root, path, &real, NULL, NULL) < 0)
        return;
    for (size_t i = 0; i < directories->count; i++)
        if (strcmp(directories->items[i], real) == 0)
            return;
    directory = take_ptr(real);
    array_push(directories->items, directories->count, directory);
}

static void directories_free(struct directories *directories)
{
    for (size_t i = 0; i < directories->count; i++)
        free(directories->items[i]);
    free(directories->items);
}

static void read_conf(struct library_search *search, const char *path, int depth)
{
    auto_free char *text = read_text(search->root, path, TEXT_FILE_MAX);
    char *rest = text, *line;

    while (text && depth < CONF_DEPTH_MAX && (line = strsep(&rest, "\n"))) {
        line[strcspn(line, "#")] = '\0';
        line = text_trim(line);
        if (text_starts(line, "include ")) {
            auto_with(text_list_free) char **paths = NULL;
            const char *name = line + strlen("include ");
            auto_free char *pattern = *name == '/' ? xstrdup(name) : xasprintf("/etc/%s", name);

            if (root_glob(search->root, pattern, &paths, NULL) == 0)
                for (char **match = paths; *match; match++)
                    read_conf(search, *match, depth + 1);
        } else if (*line == '/') {
            add_directory(search->root, &search->by_conf, line);
        }
    }
}

static void find_directories(struct library_search *search)
{
    search->cache = ld_cache_read(search->root);
    read_conf(search, "/etc/ld.so.conf", 0);
    for (size_t i = 0; library_directories[i]; i++)
        add_directory(search->root, &search->built_in, library_directories[i]);
}

void binary_free(struct binary *binary)
{
    free(binary->name);
    free(binary->real);
    elf_file_free(&binary->elf);
}

static bool known_binary(const struct library_search *search, const char *real)
{
    for (size_t i = 0; i < search->binary_count; i++)
        if (strcmp(search->binaries[i].real, real) == 0)
            return true;
    return false;
}

/* A library of the right kind at this path. */
static bool library_at(const struct library_search *search, const char *directory, const char *name,
                       struct binary *ret)
{
    auto_free char *path = xasprintf("%s/%s", directory, name);
    auto_with(binary_free) struct binary found = { 0 };
    struct root_stat stat;

    if (root_find(search->root, path, &found.real, &stat, NULL) < 0 ||
        elf_file_read(search->root, found.real, stat.size, &found.elf) < 0 ||
        found.elf.machine != search->first.machine || found.elf.wide != search->first.wide)
        return false;
    *ret = found;
    found = (struct binary){ 0 };
    return true;
}

/* "$ORIGIN/../lib:/opt/lib": where a program itself says. */
static bool library_by_path(const struct library_search *search, const struct binary *asking,
                            const char *name, struct binary *ret)
{
    auto_free char *copy = asking->elf.run_path ? xstrdup(asking->elf.run_path) : NULL;
    auto_free char *origin =
        xstrndup(asking->real, (size_t)(text_base_name(asking->real) - asking->real));
    char *rest = copy, *directory;

    while (copy && (directory = strsep(&rest, ":"))) {
        auto_free char *full = text_starts(directory, "$ORIGIN")
                                   ? xasprintf("%s%s", origin, directory + strlen("$ORIGIN"))
                                   : xstrdup(directory);

        if (library_at(search, full, name, ret))
            return true;
    }
    return false;
}

static bool library_in_cache(const struct library_search *search, const char *name,
                             struct binary *ret)
{
    const char *path;

    for (size_t at = 0; (path = ld_cache_find(&search->cache, name, &at));)
        if (*path == '/' && library_at(search, "", path + 1, ret))
            return true;
    return false;
}

static bool library_in(const struct library_search *search, const struct directories *directories,
                       const char *name, struct binary *ret)
{
    for (size_t i = 0; i < directories->count; i++)
        if (library_at(search, directories->items[i], name, ret))
            return true;
    return false;
}

static bool known_name(const struct library_search *search, const char *name)
{
    for (size_t i = 0; i < search->binary_count; i++)
        if (search->binaries[i].name && strcmp(search->binaries[i].name, name) == 0)
            return true;
    return false;
}

/* ---- what is missing ------------------------------------------------------------------ */

static char *candidate_in(const struct library_search *search,
                          const struct directories *directories, const char *name)
{
    for (size_t i = 0; i < directories->count; i++) {
        auto_with(text_list_free) char **paths = NULL;
        auto_free char *pattern = xasprintf("%s/%s.*", directories->items[i], name);

        if (root_glob(search->root, pattern, &paths, NULL) < 0)
            continue;
        for (char **path = paths; *path; path++) {
            auto_with(binary_free) struct binary found = { 0 };

            if (library_at(search, "", *path + 1, &found))
                return take_ptr(found.real);
        }
    }
    return NULL;
}

/* liblz4.so.1.9.4 beside the link liblz4.so.1 that is gone. */
static char *candidate_for(const struct library_search *search, const char *name)
{
    char *found = candidate_in(search, &search->by_conf, name);

    return found ? found : candidate_in(search, &search->built_in, name);
}

static const struct {
    const char *name, *deb, *rpm;
} packages[] = {
    { "libwrap.so", "libwrap0", "tcp_wrappers-libs" },
    { "liblz4.so", "liblz4-1", "lz4-libs" },
    { "libcrypto.so.3", "libssl3", "openssl-libs" },
    { "libcrypto.so.1.1", "libssl1.1", "openssl-libs" },
    { "libcrypto.so", "openssl", "openssl-libs" },
    { "libz.so", "zlib1g", "zlib" },
    { "libcrypt.so.1", "libcrypt1", "libxcrypt" },
    { "libcrypt.so", "libcrypt1", "libxcrypt" },
    { "libpam.so", "libpam0g", "pam" },
    { "libselinux.so", "libselinux1", "libselinux" },
    { "libaudit.so", "libaudit1", "audit-libs" },
    { "libgssapi_krb5.so", "libgssapi-krb5-2", "krb5-libs" },
    { "libkrb5.so", "libkrb5-3", "krb5-libs" },
    { "libkrb5support.so", "libkrb5support0", "krb5-libs" },
    { "libk5crypto.so", "libk5crypto3", "krb5-libs" },
    { "libcom_err.so", "libcom-err2", "libcom_err" },
    { "libsystemd.so", "libsystemd0", "systemd-libs" },
    { "liblzma.so", "liblzma5", "xz-libs" },
    { "libzstd.so", "libzstd1", "libzstd" },
    { "libgcrypt.so", "libgcrypt20", "libgcrypt" },
    { "libgpg-error.so", "libgpg-error0", "libgpg-error" },
    { "libcap.so", "libcap2", "libcap" },
    { "libcap-ng.so", "libcap-ng0", "libcap-ng" },
    { "libkeyutils.so", "libkeyutils1", "keyutils-libs" },
    { "libpcre2-8.so", "libpcre2-8-0", "pcre2" },
    { "libc.so", "libc6", "glibc" },
    { "ld-linux", "libc6", "glibc" },
};

static char *package_of(const struct library_search *search, const char *name)
{
    bool dpkg = root_exists(search->root, "/var/lib/dpkg/status");

    for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
        if (text_starts(name, packages[i].name))
            return xstrdup(dpkg ? packages[i].deb : packages[i].rpm);
    return NULL;
}

static void push_gap(struct library_search *search, const char *name, const char *needed_by,
                     struct library_gap gap)
{
    gap.name = xstrdup(name);
    gap.needed_by = xstrdup(needed_by);
    array_push(search->found->gaps, search->found->gap_count, gap);
}

static bool known_gap(const struct library_search *search, const char *name)
{
    for (size_t i = 0; i < search->found->gap_count; i++)
        if (strcmp(search->found->gaps[i].name, name) == 0)
            return true;
    return false;
}

static void add_gap(struct library_search *search, const char *name, const char *needed_by)
{
    if (!known_gap(search, name))
        push_gap(search, name, needed_by,
                 (struct library_gap){ .package = package_of(search, name),
                                       .candidate = candidate_for(search, name) });
}

/* ld.so(8) itself stands where it looks first: "/usr/lib64/"; NULL: there is no such place. */
static char *first_directory(const struct library_search *search)
{
    const char *name = search->first.interpreter ? text_base_name(search->first.interpreter) : "";

    for (size_t i = 0; i < search->binary_count; i++) {
        const struct binary *binary = &search->binaries[i];

        if (binary->name && strcmp(binary->name, name) == 0)
            return xstrndup(binary->real, (size_t)(text_base_name(binary->real) - binary->real));
    }
    return search->built_in.count ? xasprintf("%s/", search->built_in.items[0]) : NULL;
}

/* Only ld.so.conf knows of it, which ldconfig(8) reads and ld.so(8) never does. */
static void add_uncached(struct library_search *search, const char *name, const char *needed_by,
                         const char *real)
{
    auto_free char *directory = first_directory(search);

    push_gap(search, name, needed_by,
             (struct library_gap){ .candidate = xstrdup(real),
                                   .uncached = true,
                                   .link = directory ? xasprintf("%s%s", directory, name) : NULL });
}

/* ---- the walk ------------------------------------------------------------------------- */

void libraries_add(struct library_search *search, struct binary *binary)
{
    if (search->binary_count >= FILES_MAX || known_binary(search, binary->real))
        return;
    array_push(search->binaries, search->binary_count, *binary);
    *binary = (struct binary){ 0 };
}

/* As ld.so(8) looks: its cache, then what it has built in. musl's has no cache, but a file. */
static bool library_by_name(struct library_search *search, const struct binary *asking,
                            const char *name, struct binary *ret)
{
    const char *interpreter = search->first.interpreter;
    bool musl = interpreter && strstr(interpreter, "musl");

    if (library_in_cache(search, name, ret) || library_in(search, &search->built_in, name, ret))
        return true;
    if (!library_in(search, &search->by_conf, name, ret))
        return false;
    if (!musl)
        add_uncached(search, name, asking->real, ret->real);
    return true;
}

static void look_for(struct library_search *search, const struct binary *asking, const char *name)
{
    auto_with(binary_free) struct binary found = { 0 };
    bool path = strchr(name, '/');

    if (path ? library_at(search, "", name + (*name == '/'), &found)
             : library_by_path(search, asking, name, &found)) {
        libraries_add(search, &found);
        return;
    }
    /* Most libraries are asked for by many: what was found by its name stays found. */
    if (!path && known_name(search, name))
        return;
    if (path || !library_by_name(search, asking, name, &found)) {
        add_gap(search, name, asking->real);
        return;
    }
    found.name = xstrdup(name);
    libraries_add(search, &found);
}

static void look_into(struct library_search *search, size_t index)
{
    size_t count = 0;

    /* The array moves as it grows. */
    for (; search->binaries[index].elf.needed && search->binaries[index].elf.needed[count];
         count++) {
        const struct binary asking = search->binaries[index];

        look_for(search, &asking, asking.elf.needed[count]);
    }
}

static void look_at_interpreter(struct library_search *search, const char *program)
{
    auto_with(binary_free) struct binary found = { 0 };
    struct root_stat stat;

    if (!search->first.interpreter)
        return;
    if (root_find(search->root, search->first.interpreter, &found.real, &stat, NULL) == 0 &&
        elf_file_read(search->root, found.real, stat.size, &found.elf) == 0) {
        /* Libraries ask for it, too; it is loaded by then. */
        found.name = xstrdup(text_base_name(search->first.interpreter));
        libraries_add(search, &found);
    } else
        add_gap(search, text_base_name(search->first.interpreter), program);
}

void libraries_find(struct library_search *search, const char *program)
{
    find_directories(search);
    look_at_interpreter(search, program);
    for (size_t i = 0; i < search->binary_count; i++)
        look_into(search, i);
}

void libraries_free(struct library_search *search)
{
    for (size_t i = 0; i < search->binary_count; i++)
        binary_free(&search->binaries[i]);
    free(search->binaries);
    directories_free(&search->built_in);
    directories_free(&search->by_conf);
    blob_free(&search->cache);
    elf_file_free(&search->first);
}
