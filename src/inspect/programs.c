/* SPDX-License-Identifier: MIT */
/* What sshd needs to run: its helpers, and every library of theirs. Nothing of it is run. */
#include "inspect/libraries.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

static const struct helper {
    const char *name, *keyword, *role;
    int since;
} helpers[] = {
    { "sshd-session", "SshdSessionPath", "session helper", OPENSSH(9, 8) },
    { "sshd-auth", "SshdAuthPath", "authentication helper", OPENSSH(10, 0) },
};

/* The absolute path in the program's own strings that ends with "/NAME". */
static char *path_in_program(const struct sshd *sshd, const char *name)
{
    auto_free char *wanted = xasprintf("/%s", name);
    const char *at = (const char *)sshd->strings.data, *end = at + sshd->strings.len;
    size_t len = strlen(wanted) + 1; /* with its NUL */

    while ((at = memmem(at, (size_t)(end - at), wanted, len))) {
        const char *begin = at;

        while (begin[-1])
            begin--;
        if (*begin == '/')
            return xstrdup(begin);
        at++;
    }
    return NULL;
}

static void add_program(struct library_search *search, char *path, const char *role)
{
    struct program program = { .path = path, .role = role };
    auto_with(binary_free) struct binary found = { 0 };
    struct root_stat stat;

    program.exists = root_find(search->root, path, &found.real, &stat, NULL) == 0 &&
                     S_ISREG(stat.mode) && stat.size;
    if (program.exists) {
        /* What is no ELF file needs nothing that can be told. */
        if (elf_file_read(search->root, found.real, stat.size, &found.elf) < 0)
            found.elf = (struct elf_file){ 0 };
        libraries_add(search, &found);
    }
    array_push(search->found->items, search->found->count, program);
}

static void add_helpers(struct library_search *search, const struct inspection *inspection)
{
    for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
        const struct directive *said = config_find(&inspection->config, helpers[i].keyword);
        char *path;

        if (inspection->sshd.version < helpers[i].since)
            continue;
        path = said ? xstrdup(said->args[0]) : path_in_program(&inspection->sshd, helpers[i].name);
        if (path)
            add_program(search, path, helpers[i].role);
    }
}

static bool needs_wrappers(const struct elf_file *elf)
{
    for (char **name = elf->needed; name && *name; name++)
        if (text_starts(*name, "libwrap.so"))
            return true;
    return false;
}

/* Hands over the paths of all that was found. */
static void take_files(struct library_search *search)
{
    struct programs *found = search->found;
    size_t count = 0;

    for (size_t i = 0; i < search->binary_count; i++) {
        char *real = take_ptr(search->binaries[i].real);

        array_push(found->files, count, real);
    }
    array_push(found->files, count, NULL);
}

void programs_inspect(const struct root *root, struct inspection *inspection)
{
    struct library_search search = { .root = root, .found = &inspection->programs };
    const char *sshd = inspection->sshd.path;

    if (!inspection->sshd.strings.data ||
        elf_file_read(root, sshd, inspection->sshd.stat.size, &search.first) < 0)
        return;
    inspection->programs.judged = true;
    add_program(&search, xstrdup(sshd), "sshd");
    add_helpers(&search, inspection);
    for (size_t i = 0; i < search.binary_count; i++)
        inspection->programs.wrappers =
            inspection->programs.wrappers || needs_wrappers(&search.binaries[i].elf);
    libraries_find(&search, sshd);
    take_files(&search);
    libraries_free(&search);
}

void programs_free(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++)
        free(programs->items[i].path);
    for (size_t i = 0; i < programs->gap_count; i++) {
        free(programs->gaps[i].name);
        free(programs->gaps[i].needed_by);
        free(programs->gaps[i].package);
        free(programs->gaps[i].candidate);
        free(programs->gaps[i].link);
    }
    free(programs->items);
    free(programs->gaps);
    text_list_free(&programs->files);
    *programs = (struct programs){ 0 };
}
