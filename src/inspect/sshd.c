/* SPDX-License-Identifier: MIT */
/*
 * Which sshd is installed. The program itself tells, by its strings: a locally
 * built one is common, and the package database knows nothing of it. Patterns of
 * compat.c ("OpenSSH_7.4*,OpenSSH_7.5*") are in there too, and are passed over.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The last one is NixOS's: what /run/current-system leads to after the next boot. */
static const char *const programs[] = { "/usr/sbin/sshd",
                                        "/usr/bin/sshd",
                                        "/usr/local/sbin/sshd",
                                        "/sbin/sshd",
                                        "/nix/var/nix/profiles/system/sw/bin/sshd",
                                        NULL };

/* "OpenSSH_9.2p1 Debian-2+deb12u10" -> 9, 2, and how many bytes the number takes. */
static bool parse_version(const char *text, size_t len, int *ret_number, size_t *ret_len)
{
    int major, minor, used = 0;

    if (sscanf(text, "%2d.%2d%n", &major, &minor, &used) != 2)
        return false;
    /* "6.6.1p1" */
    if ((size_t)used < len && text[used] == '.')
        used += 1 + (int)strspn(text + used + 1, "0123456789");
    if ((size_t)used < len && text[used] == 'p')
        used += 1 + (int)strspn(text + used + 1, "0123456789");
    *ret_number = OPENSSH(major, minor);
    *ret_len = (size_t)used;
    return (size_t)used <= len && (text[used] == '\0' || text[used] == ' ');
}

static void by_strings(const struct blob *program, struct sshd *ret)
{
    static const char prefix[] = "OpenSSH_";
    const char *at = (const char *)program->data, *end = at + program->len;

    while ((at = memmem(at, (size_t)(end - at), prefix, sizeof prefix - 1))) {
        bool starts = at == (const char *)program->data || at[-1] == '\0';
        const char *text = at + sizeof prefix - 1;
        size_t len = strnlen(text, (size_t)(end - text)), used;
        int number;

        /* The longest of the newest: "9.2p1" before "9.2". */
        if (starts && !memchr(text, '*', len) && !memchr(text, ',', len) &&
            parse_version(text, len, &number, &used) &&
            (number > ret->version ||
             (number == ret->version && used > strlen(ret->version_text)))) {
            free(ret->version_text);
            ret->version_text = xstrndup(text, used);
            ret->version = number;
        }
        at = text;
    }
}

static void by_package(const struct root *root, struct sshd *ret)
{
    auto_free char *text = package_version(root);
    size_t used;
    int number;

    if (!text || !parse_version(text, strlen(text), &number, &used))
        return;
    ret->version = number;
    ret->version_text = take_ptr(text);
}

/* The program that was searched before, untouched: not a megabyte is read twice. */
static bool same_program(const struct sshd *earlier, const char *path, const struct root_stat *stat)
{
    return earlier && earlier->path && strcmp(earlier->path, path) == 0 &&
           earlier->stat.inode == stat->inode && earlier->stat.size == stat->size &&
           earlier->stat.mtime.tv_sec == stat->mtime.tv_sec &&
           earlier->stat.mtime.tv_nsec == stat->mtime.tv_nsec;
}

/* A string of its own, with a NUL on both sides. */
static bool holds_string(const struct blob *program, const char *text)
{
    size_t len = strlen(text) + 2;
    auto_blob struct blob wanted = blob_zeroed(len);

    memcpy(wanted.data + 1, text, len - 2);
    return memmem(program->data, program->len, wanted.data, len) != NULL;
}

static void search_program(const struct root *root, const struct profile *profile, struct sshd *ret)
{
    auto_blob struct blob program = { 0 };

    if (root_read(root, ret->path, PROGRAM_MAX, &program, NULL) < 0)
        return;
    by_strings(&program, ret);
    ret->asks_privsep = profile->privsep_dir && holds_string(&program, profile->privsep_dir);
    /* Red Hat's patch asks for the group by this name; a rebuilt upstream sshd does not. */
    ret->group_keys = memmem(program.data, program.len, "ssh_keys", 9) != NULL;
    /* Red Hat's 5.3p1-95 and later, of EL 6: openssh-5.3p1-ecdsa-ecdh.patch. */
    ret->early_ecdsa =
        ret->version < OPENSSH(5, 7) && holds_string(&program, "ecdsa-sha2-nistp256");
    /* Since 7.0 only where it was asked for: configure, --with-ssh1. */
    ret->protocol_1 = holds_string(&program, "SSH PRIVATE KEY FILE FORMAT 1.1\n");
}

void sshd_inspect(const struct root *root, const struct profile *profile,
                  const struct sshd *earlier, struct sshd *ret)
{
    for (size_t i = 0; programs[i] && !ret->path; i++)
        if (root_find(root, programs[i], NULL, &ret->stat, NULL) == 0 && S_ISREG(ret->stat.mode))
            ret->path = xstrdup(programs[i]);
    if (ret->path && same_program(earlier, ret->path, &ret->stat)) {
        ret->version = earlier->version;
        ret->version_text = earlier->version_text ? xstrdup(earlier->version_text) : NULL;
        ret->group_keys = earlier->group_keys;
        ret->asks_privsep = earlier->asks_privsep;
        ret->early_ecdsa = earlier->early_ecdsa;
        ret->protocol_1 = earlier->protocol_1;
        return;
    }
    if (ret->path)
        search_program(root, profile, ret);
    if (!ret->version)
        by_package(root, ret);
    if (!ret->version)
        ret->version = profile->openssh;
}
