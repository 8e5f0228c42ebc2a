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

static void by_strings(struct sshd *ret)
{
    static const char prefix[] = "OpenSSH_";
    const char *at = (const char *)ret->strings.data, *end = at + ret->strings.len;

    while ((at = memmem(at, (size_t)(end - at), prefix, sizeof prefix - 1))) {
        bool starts = at[-1] == '\0';
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

bool sshd_holds(const struct sshd *sshd, const char *text)
{
    size_t len = strlen(text) + 2;
    auto_blob struct blob wanted = blob_zeroed(len);

    memcpy(wanted.data + 1, text, len - 2);
    return sshd->strings.data &&
           memmem(sshd->strings.data, sshd->strings.len, wanted.data, len) != NULL;
}

static bool is_text(unsigned char byte)
{
    return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\t';
}

static bool are_text(const unsigned char *bytes, size_t len)
{
    while (len > 0 && is_text(*bytes)) {
        bytes++;
        len--;
    }
    return len == 0;
}

/*
 * As strings(1) finds them, where a NUL is on both sides, or the file begins or ends. Whatever is
 * asked of the program is in them, and they are a tenth of it.
 */
static struct blob strings_of(const struct blob *program)
{
    enum { STRING_MIN = 4 };
    struct blob found = blob_zeroed(program->len + 2); /* what of it is not used is no memory */
    size_t end = 1, begin = 0;

    for (size_t at = 0; at <= program->len; at++) {
        const unsigned char *text = program->data + begin;
        size_t len = at - begin;

        if (program->data[at])
            continue;
        begin = at + 1;
        if (len < STRING_MIN || !are_text(text, len))
            continue;
        memcpy(found.data + end, text, len);
        end += len + 1;
    }
    found.len = end;
    return found;
}

static void search_program(const struct root *root, const struct profile *profile, struct sshd *ret)
{
    auto_blob struct blob program = { 0 };

    if (root_read(root, ret->path, PROGRAM_MAX, &program, NULL) < 0)
        return;
    ret->strings = strings_of(&program);
    by_strings(ret);
    ret->asks_privsep = profile->privsep_dir && sshd_holds(ret, profile->privsep_dir);
    /* Red Hat's patch asks for the group by this name; a rebuilt upstream sshd does not. */
    ret->group_keys = sshd_holds(ret, "ssh_keys");
    /* Red Hat's 5.3p1-95 and later, of EL 6: openssh-5.3p1-ecdsa-ecdh.patch. */
    ret->early_ecdsa = ret->version < OPENSSH(5, 7) && sshd_holds(ret, "ecdsa-sha2-nistp256");
    /* Since 7.0 only where it was asked for: configure, --with-ssh1. */
    ret->protocol_1 = sshd_holds(ret, "SSH PRIVATE KEY FILE FORMAT 1.1\n");
}

/* What is in a program that was searched before, and is untouched: not a megabyte is read twice. */
static void take_earlier(const struct sshd *earlier, struct sshd *ret)
{
    ret->version = earlier->version;
    ret->version_text = earlier->version_text ? xstrdup(earlier->version_text) : NULL;
    ret->asks_privsep = earlier->asks_privsep;
    ret->group_keys = earlier->group_keys;
    ret->early_ecdsa = earlier->early_ecdsa;
    ret->protocol_1 = earlier->protocol_1;
    if (earlier->strings.data)
        ret->strings = blob_copy(earlier->strings.data, earlier->strings.len);
}

void sshd_inspect(const struct root *root, const struct profile *profile,
                  const struct sshd *earlier, struct sshd *ret)
{
    for (size_t i = 0; programs[i] && !ret->path; i++)
        if (root_find(root, programs[i], NULL, &ret->stat, NULL) == 0 && S_ISREG(ret->stat.mode))
            ret->path = xstrdup(programs[i]);
    if (ret->path && same_program(earlier, ret->path, &ret->stat)) {
        take_earlier(earlier, ret);
        return;
    }
    if (ret->path)
        search_program(root, profile, ret);
    if (!ret->version)
        by_package(root, ret);
    if (!ret->version)
        ret->version = profile->openssh;
}

void sshd_free(struct sshd *sshd)
{
    free(sshd->path);
    free(sshd->version_text);
    blob_free(&sshd->strings);
    *sshd = (struct sshd){ 0 };
}
