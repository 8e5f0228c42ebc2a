/* SPDX-License-Identifier: MIT */
/*
 * What clients may call this machine, as far as its own files tell: its host name, the names and
 * addresses beside that in hosts(5), and the addresses that sshd is to listen on; each also as
 * known_hosts has it for another port than 22.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAMES_MAX = 24, PORTS_MAX = 4 };

/* What every machine calls itself tells nothing of one. */
static bool is_loopback(const char *name)
{
    return strstr(name, "localhost") || text_ends(name, "loopback") || text_starts(name, "127.") ||
           strcmp(name, "::1") == 0;
}

static void add(struct inspection *inspection, const char *name, size_t len)
{
    size_t count = 0;
    auto_free char *lower = xstrndup(name, len);

    for (char *at = lower; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    while (inspection->names[count] && strcmp(inspection->names[count], lower) != 0)
        count++;
    if (*lower && !is_loopback(lower) && count < NAMES_MAX && !inspection->names[count])
        inspection->names[count] = take_ptr(lower);
}

/* "192.0.2.7 web1.example.org web1": all of a line that names this machine. */
static void by_hosts(const struct root *root, struct inspection *inspection)
{
    auto_free char *text = read_text(root, "/etc/hosts", TEXT_FILE_MAX);
    char *rest = text, *line, *word;

    while (text && (line = strsep(&rest, "\n"))) {
        line[strcspn(line, "#")] = '\0';
        if (!text_has_word(line, inspection->os.hostname))
            continue;
        while ((word = strsep(&line, " \t")))
            add(inspection, word, strlen(word));
    }
}

/* "192.0.2.7", "192.0.2.7:22", "[2001:db8::7]:22", "2001:db8::7" (servconf.c, parse_addr). */
static void by_listen_address(struct inspection *inspection, const char *address)
{
    const char *colon = strchr(address, ':');

    if (strspn(address, "0.:[]") == strlen(address) || text_starts(address, "0.0.0.0:"))
        return; /* all of them */
    if (*address == '[')
        add(inspection, address + 1, strcspn(address + 1, "]"));
    else if (colon && !strchr(colon + 1, ':'))
        add(inspection, address, (size_t)(colon - address));
    else
        add(inspection, address, strlen(address));
}

static void with_port(struct inspection *inspection, const char *port)
{
    size_t count = 0;

    if (strcmp(port, "22") == 0)
        return;
    while (inspection->names[count])
        count++;
    for (size_t i = 0; i < count; i++) {
        auto_free char *name = xasprintf("[%s]:%.5s", inspection->names[i], port);

        if (*inspection->names[i] != '[')
            add(inspection, name, strlen(name));
    }
}

void names_inspect(const struct root *root, struct inspection *inspection)
{
    const struct config *config = &inspection->config;
    const char *hostname = inspection->os.hostname;
    size_t ports = 0;

    inspection->names = xcalloc(NAMES_MAX + 1, sizeof *inspection->names);
    add(inspection, hostname, strlen(hostname));
    add(inspection, hostname, strcspn(hostname, "."));
    if (*hostname)
        by_hosts(root, inspection);
    for (size_t i = 0; i < config->count; i++)
        if (strcasecmp(config->directives[i].keyword, "ListenAddress") == 0 &&
            config->directives[i].args[0])
            by_listen_address(inspection, config->directives[i].args[0]);
    for (size_t i = 0; i < config->count && ports < PORTS_MAX; i++)
        if (strcasecmp(config->directives[i].keyword, "Port") == 0 &&
            config->directives[i].args[0]) {
            with_port(inspection, config->directives[i].args[0]);
            ports++;
        }
}

bool names_hold(const struct inspection *inspection, const char *names)
{
    for (char *const *name = inspection->names; name && *name; name++)
        if (known_hosts_names(names, *name))
            return true;
    return false;
}
