/* SPDX-License-Identifier: MIT */
/* The condition of a Match block (servconf.c, match_cfg_line): its form, not whether it holds. */
#include "config/tables.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static const struct criterion {
    const char *name;
    int since;
    bool alone; /* takes no argument */
} criteria[] = {
    { "user", 0, false },
    { "group", 0, false },
    { "host", 0, false },
    { "address", 0, false },
    { "localaddress", OPENSSH(6, 1), false },
    { "localport", OPENSSH(6, 1), false },
    { "all", OPENSSH(6, 5), true },
    { "rdomain", OPENSSH(7, 7), false },
    { "invalid-user", OPENSSH(9, 9), true },
    { "sessiontype", OPENSSH(10, 0), false },
    { "command", OPENSSH(10, 0), false },
    { "version", OPENSSH(10, 0), false },
};

static const struct criterion *criterion_of(const struct config_reader *reader, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(criteria); i++)
        if (strcasecmp(criteria[i].name, name) == 0 && reader_release(reader) >= criteria[i].since)
            return &criteria[i];
    return NULL;
}

/* addr_pton_cidr: an address, and how much of it counts. */
static bool is_network(char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    char *slash = strchr(text, '/');
    long bits = 0, most;

    if (slash) {
        *slash = '\0';
        if (!slash[1] || slash[1 + strspn(slash + 1, "0123456789")] || strlen(slash + 1) > 3)
            return false;
        bits = strtol(slash + 1, NULL, 10);
    }
    if (inet_pton(AF_INET, text, address) == 1)
        most = 32;
    else if (inet_pton(AF_INET6, text, address) == 1)
        most = 128;
    else
        return false;
    return bits <= most;
}

/* addr_match_list: what has a slash must be a network; all else may be a pattern. */
static bool addresses_fine(const char *list)
{
    auto_free char *copy = xstrdup(list);
    char *rest = copy, *item;

    while ((item = strsep(&rest, ","))) {
        item += *item == '!';
        if (!*item || (strchr(item, '/') && !is_network(item)))
            return false;
    }
    return true;
}

static char *argument_fault(const struct criterion *criterion, const char *argument)
{
    const char *name = criterion->name;

    if (strcmp(name, "address") == 0 || strcmp(name, "localaddress") == 0)
        return addresses_fine(argument) ? NULL : xasprintf("%s is no list of addresses", argument);
    if (strcmp(name, "localport") == 0 && argument[strspn(argument, "0123456789")] != '\0')
        return xasprintf("%s is no port", argument);
    return NULL;
}

char *match_fault(const struct config_reader *reader, const struct directive *directive)
{
    char *const *arg = directive->args;
    /* "user=alice" is one word since 10.1, and two before. */
    if (!*arg)
        return xstrdup("Match names no condition");
    for (; *arg; arg++) {
        auto_free char *name = xstrndup(*arg, strcspn(*arg, "="));
        const struct criterion *criterion = criterion_of(reader, name);
        const char *argument = strchr(*arg, '=');
        char *fault;

        if (!criterion)
            return xasprintf("Match: this sshd knows no condition \"%s\"", name);
        if (criterion->alone) {
            if (strcmp(criterion->name, "all") == 0 && (arg != directive->args || arg[1]))
                return xstrdup("Match all stands with other conditions");
            continue;
        }
        argument = argument ? argument + 1 : *++arg;
        if (!argument || !*argument)
            return xasprintf("Match: nothing follows \"%s\"", name);
        fault = argument_fault(criterion, argument);
        if (fault)
            return fault;
    }
    return NULL;
}
