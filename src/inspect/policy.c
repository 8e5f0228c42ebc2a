/* SPDX-License-Identifier: MIT */
/*
 * What the system as a whole allows sshd: FIPS mode, and the crypto policy that Enterprise
 * Linux 8 hands to it on the command line (sshd.service of openssh-server-8.0p1-19.el8:
 * EnvironmentFile=-/etc/crypto-policies/back-ends/opensshserver.config, then
 * -/etc/sysconfig/sshd; ExecStart=/usr/sbin/sshd -D $OPTIONS $CRYPTO_POLICY). From 9 on
 * sshd_config includes that file, and it needs no help from here.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static const char *const units[] = { "/etc/systemd/system/sshd.service",
                                     "/usr/lib/systemd/system/sshd.service" };

/* In the order of the unit: the last assignment counts. */
static const char *const environments[] = { POLICY_FILE, "/etc/sysconfig/sshd" };

/* ---- the policy on the command line ---------------------------------------------------- */

static bool unit_hands_it_over(const struct root *root)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        auto_free char *text = read_text(root, units[i], TEXT_FILE_MAX);

        if (text)
            return strstr(text, "$CRYPTO_POLICY") && strstr(text, POLICY_FILE);
    }
    return false;
}

/* The value of CRYPTO_POLICY='…' in a file of systemd.exec(5), EnvironmentFile. */
static void read_environment(const struct root *root, const char *path, char **value)
{
    auto_free char *text = read_text(root, path, TEXT_FILE_MAX);
    char *rest = text, *line;

    while (text && (line = strsep(&rest, "\n"))) {
        char *said = text_trim(line);

        if (!text_starts(said, "CRYPTO_POLICY="))
            continue;
        said += strlen("CRYPTO_POLICY=");
        if (*said == '\'' || *said == '"') {
            said++;
            said[strcspn(said, "'\"")] = '\0';
        }
        free(*value);
        *value = xstrdup(said);
    }
}

/* "-oCiphers=a,b -oMACs=c" as lines of a configuration. */
static char *as_lines(const char *options)
{
    auto_free char *copy = xstrdup(options);
    char *rest = copy, *option, *lines = xstrdup("");

    while ((option = strsep(&rest, " \t"))) {
        char *longer, *equals = strchr(option, '=');

        if (!text_starts(option, "-o") || !equals)
            continue;
        *equals = ' ';
        longer = xasprintf("%s%s\n", lines, option + 2);
        free(lines);
        lines = longer;
    }
    return lines;
}

char *policy_lines(const struct root *root)
{
    auto_free char *value = NULL;

    if (!unit_hands_it_over(root))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(environments); i++)
        read_environment(root, environments[i], &value);
    return value && *value ? as_lines(value) : NULL;
}

/* ---- FIPS mode -------------------------------------------------------------------------- */

/* Where the command line of the kernel is kept; the file of kernel-install, then boot loaders'. */
static const char *const command_lines[] = { "/etc/kernel/cmdline", "/boot/loader/entries/*.conf",
                                             "/boot/grub2/grubenv", "/boot/grub/grubenv",
                                             "/etc/default/grub" };

static bool asks_for_fips(const char *text)
{
    for (const char *at = text; (at = strstr(at, "fips=1")); at++) {
        const char *line = at;

        while (line > text && line[-1] != '\n')
            line--;
        if ((at == text || strchr(" \t\n\"'=", at[-1])) && (!at[6] || strchr(" \t\n\"'", at[6])) &&
            line[strspn(line, " \t")] != '#')
            return true;
    }
    return false;
}

static char *who_asks(const struct root *root, const char *pattern)
{
    auto_with(text_list_free) char **paths = NULL;

    if (root_glob(root, pattern, &paths, NULL) < 0)
        return NULL;
    for (char **path = paths; *path; path++) {
        auto_free char *text = read_text(root, *path, TEXT_FILE_MAX);

        if (text && asks_for_fips(text))
            return xstrdup(*path);
    }
    return NULL;
}

/*
 * The kernel's flag alone does not tell: an sshd that is not patched for FIPS does not look
 * at it. Systems with crypto policies have one that is (openssh-8.7p1-34.el9, sshd.c: "Ed25519
 * keys are not allowed in FIPS mode, skipping"), and sshd-keygen makes no such key there.
 * /etc/system-fips is what dracut-fips leaves where the mode is switched on, until EL 8.
 */
char *policy_fips(const struct root *root)
{
    char *asks = NULL;

    if (root_exists(root, "/etc/system-fips"))
        return xstrdup("/etc/system-fips");
    if (!root_exists(root, "/etc/crypto-policies"))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(command_lines) && !asks; i++)
        asks = who_asks(root, command_lines[i]);
    return asks;
}
