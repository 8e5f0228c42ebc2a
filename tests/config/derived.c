/* SPDX-License-Identifier: MIT */
/*
 * derived TREE: what the inspection makes of the sshd_config in a tree, as `sshd -T` would
 * print it, for the keywords that a decision of the program depends on, and for a few that
 * show which of several values counts.
 */
#include "base/alloc.h"
#include "cli/cli.h"
#include "door/mounted.h"
#include "hostkey/hostkey.h"
#include "inspect/private.h"

#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The program's own table is in src/main.c, which is not linked here. */
const struct command *const commands[] = { NULL };

/*
 * One value each; fallback: where no line says it; word: one of a few, which sshd reads without
 * regard to case (servconf.c, parse_multistate) and prints in its own.
 */
static const struct {
    const char *keyword, *fallback;
    int since;
    bool word;
} single[] = {
    { "strictmodes", "yes", 0, true },          { "usepam", "no", 0, true },
    { "pubkeyauthentication", "yes", 0, true }, { "permitrootlogin", "prohibit-password", 0, true },
    { "hostkeyagent", "none", 0, false },       { "requiredrsasize", "1024", OPENSSH(9, 1), false },
};

static void print_value(const char *keyword, const char *value, bool word)
{
    printf("%s ", keyword);
    for (; *value; value++)
        putchar(word ? tolower((unsigned char)*value) : *value);
    putchar('\n');
}

static void print_single(const struct inspection *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
        const struct directive *said = config_find(&facts->config, single[i].keyword);

        if (facts->sshd.version >= single[i].since)
            print_value(single[i].keyword, said ? said->args[0] : single[i].fallback,
                        single[i].word);
    }
}

static void print_ports(const struct config *config)
{
    if (!config_find(config, "Port"))
        puts("port 22");
    for (size_t i = 0; i < config->count; i++)
        if (!config->directives[i].in_match &&
            strcasecmp(config->directives[i].keyword, "Port") == 0)
            printf("port %s\n", config->directives[i].args[0]);
}

static void print_keys(const struct inspection *facts)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].used)
            printf("hostkey %s\n", facts->keys[i].path);
    for (char **name = facts->config.host_key_algorithms; *name; name++)
        printf("hostkeyalgorithms %s\n", *name);
}

static void print_authorized(const struct inspection *facts)
{
    static const char *const fallback[] = { ".ssh/authorized_keys", ".ssh/authorized_keys2", NULL };
    const struct directive *files = config_find(&facts->config, "AuthorizedKeysFile");
    const char *const *names = files ? (const char *const *)files->args : fallback;

    printf("authorizedkeysfile");
    for (; *names; names++) {
        auto_free char *pattern = authorized_pattern(&facts->accounts, *names);

        printf(" %s", pattern);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    const struct root_facts facts = { .fs = "directory" };
    auto_root struct root *root = NULL;
    auto_inspection struct inspection inspection = { 0 };
    struct err e = { 0 };
    int fd = open(argc > 1 ? argv[1] : "", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        err(1, "usage: derived TREE");
    hostkey_prepare();
    root = mounted_root(fd, &facts, ROOT_READ);
    if (inspect(root, NULL, &inspection, &e) < 0)
        errx(1, "%s", e.text);
    print_single(&inspection);
    print_ports(&inspection.config);
    print_keys(&inspection);
    print_authorized(&inspection);
    return fflush(stdout) != 0;
}
