/* SPDX-License-Identifier: MIT */
/*
 * The arguments of a keyword, as servconf.c reads them: one row for each way. What
 * only a running system can tell (names of hosts, users) is taken for right.
 */
#include "config/tables.h"

#include "base/alloc.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct value {
    const struct config_reader *reader;
    int release;
    char *const *args;
    size_t count;
};

/* ---- words out of a list -------------------------------------------------------------- */

static const struct enumeration {
    const char *value;
    const char *words; /* blank separated; "WORD@7.0": since that release */
} enumerations[] = {
    { "addressfamily", "inet inet6 any" },
    { "allowtcpforwarding", "yes no remote@6.2 local@6.2 all@6.2" },
    { "allowstreamlocalforwarding", "yes no remote local all" },
    { "compression", "yes no delayed" },
    { "gatewayports", "yes no clientspecified" },
    { "ignorerhosts", "yes no shosts-only@8.2" },
    { "permitrootlogin", "yes no without-password prohibit-password@7.0 forced-commands-only" },
    { "loglevel", "QUIET FATAL ERROR INFO VERBOSE DEBUG DEBUG1 DEBUG2 DEBUG3" },
    { "syslogfacility", "DAEMON USER AUTH AUTHPRIV LOCAL0 LOCAL1 LOCAL2 LOCAL3 LOCAL4 LOCAL5 "
                        "LOCAL6 LOCAL7" },
    { "fingerprinthash", "md5 sha256" },
    { "permittunnel", "yes no point-to-point ethernet" },
    { "useprivilegeseparation", "yes no nosandbox sandbox@5.9" },
    { "flag", "yes no" },
};

static bool since_is_met(const char *word, int release)
{
    const char *at = strchr(word, '@');
    int major, minor;

    return !at || sscanf(at, "@%d.%d", &major, &minor) != 2 || release >= OPENSSH(major, minor);
}

/* Letters count before 7.7 for yes and no, before 5.9 for the others. */
static bool in_words(const struct value *value, const char *words, const char *arg, bool exact)
{
    auto_free char *copy = xstrdup(words);
    char *rest = copy, *word;

    while ((word = strsep(&rest, " "))) {
        bool met = since_is_met(word, value->release);

        word[strcspn(word, "@")] = '\0';
        if (met && (exact ? strcmp(word, arg) : strcasecmp(word, arg)) == 0)
            return true;
    }
    return false;
}

static char *enumeration_fault(const struct value *value, const struct enumeration *row)
{
    bool flag = strcmp(row->value, "flag") == 0;
    bool exact = value->release < (flag ? OPENSSH(7, 7) : OPENSSH(5, 9)) &&
                 strcmp(row->value, "loglevel") != 0 && strcmp(row->value, "syslogfacility") != 0;

    if (in_words(value, row->words, value->args[0], exact))
        return NULL;
    return xasprintf("%s is none of: %s", value->args[0], flag ? "yes, no" : row->words);
}

/* ---- numbers, times, addresses -------------------------------------------------------- */

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* atoi_err since 7.7; before, atoi takes whatever there is. */
static char *int_fault(const struct value *value)
{
    const char *arg = value->args[0];

    if (value->release < OPENSSH(7, 7))
        return isdigit((unsigned char)*arg) || *arg == '-' ? NULL
                                                           : xasprintf("%s is no number", arg);
    return all_digits(arg) && strlen(arg) < 10 ? NULL : xasprintf("%s is no number", arg);
}

static char *int_or_none_fault(const struct value *value)
{
    return strcmp(value->args[0], "none") == 0 ? NULL : int_fault(value);
}

/* convtime (misc.c): digits, each part with an optional unit. */
static bool is_time(const char *text)
{
    if (!*text)
        return false;
    while (*text) {
        size_t digits = strspn(text, "0123456789");

        if (!digits || digits > 9)
            return false;
        text += digits;
        if (*text && !strchr("sSmMhHdDwW", *text++))
            return false;
    }
    return true;
}

static char *time_fault(const struct value *value)
{
    return is_time(value->args[0]) ? NULL : xasprintf("%s is no time", value->args[0]);
}

static char *time_or_none_fault(const struct value *value)
{
    return strcmp(value->args[0], "none") == 0 ? NULL : time_fault(value);
}

/* a2port (misc.c); names of services are looked up, so only numbers can be told wrong. */
static bool is_port(const char *text)
{
    long port = all_digits(text) && strlen(text) < 7 ? strtol(text, NULL, 10) : 0;

    return (port > 0 && port < 65536) || strcmp(text, "ssh") == 0;
}

static char *port_fault(const struct value *value)
{
    return is_port(value->args[0]) ? NULL : xasprintf("%s is no port", value->args[0]);
}

/* An address, or what may be the name of a host. */
static bool is_host(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    auto_free char *copy = xstrdup(text);
    char *zone = strchr(copy, '%');

    if (zone)
        *zone = '\0';
    if (inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1)
        return true;
    /* Digits and dots alone are an address or nothing. */
    return *copy && copy[strspn(copy, "0123456789.:")] != '\0' &&
           copy[strspn(
               copy, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*")] == '\0';
}

/* "host", "host:port", "[host]:port", "v6address". */
static char *listen_fault(const struct value *value)
{
    auto_free char *copy = xstrdup(value->args[0]);
    char *host = copy, *port = NULL, *colon = strchr(copy, ':');

    if (*copy == '[') {
        char *end = strchr(copy, ']');

        if (!end || (end[1] && end[1] != ':'))
            return xasprintf("%s is no address", value->args[0]);
        host = copy + 1;
        port = end[1] ? end + 2 : NULL;
        *end = '\0';
    } else if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
        port = colon + 1;
    }
    if (!is_host(host))
        return xasprintf("%s is no address", value->args[0]);
    if (port && !is_port(port))
        return xasprintf("%s is no port", port);
    if (value->count > 1 && (value->count != 3 || strcasecmp(value->args[1], "rdomain") != 0))
        return xasprintf("%s does not belong there", value->args[1]);
    return NULL;
}

/* ---- the rest ------------------------------------------------------------------------- */

static char *path_fault(const struct value *value)
{
    return *value->args[0] ? NULL : xstrdup("it names nothing");
}

static char *absolute_fault(const struct value *value)
{
    return *value->args[0] == '/' ? NULL : xasprintf("%s is no absolute path", value->args[0]);
}

static char *command_fault(const struct value *value)
{
    return *value->args[0] == '/' || strcasecmp(value->args[0], "none") == 0
               ? NULL
               : xasprintf("%s is no absolute path", value->args[0]);
}

static char *startups_fault(const struct value *value)
{
    int begin, rate, max, count;

    count = sscanf(value->args[0], "%d:%d:%d", &begin, &rate, &max);
    if (count == 3)
        return begin > max || rate > 100 || rate < 1 || begin < 1
                   ? xasprintf("%s is no such triple", value->args[0])
                   : NULL;
    return count == 1 && begin > 0 ? NULL : xasprintf("%s is no such number", value->args[0]);
}

static bool prefix_length(const char *text, long max)
{
    return strcmp(text, "none") == 0 ||
           (all_digits(text) && strlen(text) < 4 && strtol(text, NULL, 10) <= max);
}

static char *netblock_fault(const struct value *value)
{
    auto_free char *copy = xstrdup(value->args[0]);
    char *second = strchr(copy, ':');

    if (second)
        *second++ = '\0';
    return prefix_length(copy, 32) && (!second || prefix_length(second, 128))
               ? NULL
               : xasprintf("%s is no length of a network", value->args[0]);
}

static char *rekey_fault(const struct value *value)
{
    const char *arg = value->args[0];
    size_t digits = strspn(arg, "0123456789");
    bool unit = digits && (!arg[digits] || (strchr("kKmMgG", arg[digits]) && !arg[digits + 1]));

    if (strcmp(arg, "default") != 0 && strcmp(arg, "none") != 0 && !unit)
        return xasprintf("%s is no size", arg);
    if (value->count > 1 && strcmp(value->args[1], "none") != 0 && !is_time(value->args[1]))
        return xasprintf("%s is no time", value->args[1]);
    return value->count > 2 ? xasprintf("%s does not belong there", value->args[2]) : NULL;
}

static const char ipqos_words[] = "af11 af12 af13 af21 af22 af23 af31 af32 af33 af41 af42 af43 cs0 "
                                  "cs1 cs2 cs3 cs4 cs5 cs6 cs7 ef "
                                  "le@8.6 va@10.1 lowdelay throughput reliability none@7.1";

/* Hexadecimal and octal numbers until 9.7 (strtol), decimal ones since (strtonum). */
static bool is_ipqos(const struct value *value, const char *arg)
{
    char *end;
    long number = strtol(arg, &end, value->release < OPENSSH(9, 8) ? 0 : 10);

    return in_words(value, ipqos_words, arg, false) ||
           (*arg && !*end && number >= 0 && number <= 255);
}

static char *ipqos_fault(const struct value *value)
{
    for (size_t i = 0; i < value->count && i < 2; i++)
        if (!is_ipqos(value, value->args[i]))
            return xasprintf("%s is no quality of service", value->args[i]);
    return value->count > 2 ? xasprintf("%s does not belong there", value->args[2]) : NULL;
}

static char *auth_options_fault(const struct value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (!in_words(value, "none touch-required verify-required", value->args[i], false))
            return xasprintf("%s is no such option", value->args[i]);
    return NULL;
}

static char *mask_fault(const struct value *value)
{
    const char *arg = value->args[0];

    return *arg && arg[strspn(arg, "01234567")] == '\0' && strlen(arg) <= 4
               ? NULL
               : xasprintf("%s is no octal mask", arg);
}

/* Before 8.7 "=" parts arguments like a blank, so that none can hold it. */
static char *names_fault(const struct value *value)
{
    if (value->release < OPENSSH(8, 7))
        return NULL;
    for (size_t i = 0; i < value->count; i++)
        if (!*value->args[i] || strchr(value->args[i], '='))
            return xasprintf("%s is no name of a variable", value->args[i]);
    return NULL;
}

static char *settings_fault(const struct value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (!strchr(value->args[i], '='))
            return xasprintf("%s sets nothing", value->args[i]);
    return NULL;
}

static char *user_environment_fault(const struct value *value)
{
    bool patterns = value->release >= OPENSSH(7, 8);

    return patterns || in_words(value, "yes no", value->args[0], value->release < OPENSSH(7, 7))
               ? NULL
               : xasprintf("%s is neither yes nor no", value->args[0]);
}

static char *subsystem_fault(const struct value *value)
{
    return value->count < 2 ? xstrdup("it names no command") : NULL;
}

static char *protocol_fault(const struct value *value)
{
    auto_free char *copy = xstrdup(value->args[0]);
    char *rest = copy, *number;

    while (value->release < OPENSSH(7, 4) && (number = strsep(&rest, ",")))
        if (strcmp(number, "1") != 0 && strcmp(number, "2") != 0)
            return xasprintf("%s is no protocol", value->args[0]);
    return NULL;
}

/* auth2_methods_valid: comma separated methods, some with a submethod. */
static bool is_method_list(const char *list)
{
    static const char methods[] =
        "none publickey password keyboard-interactive hostbased gssapi-with-mic gssapi-keyex";
    auto_free char *copy = xstrdup(list);
    char *rest = copy, *method;

    while ((method = strsep(&rest, ","))) {
        method[strcspn(method, ":")] = '\0';
        if (!text_has_word(methods, method) || strcmp(method, "none") == 0)
            return false;
    }
    return true;
}

static char *methods_fault(const struct value *value)
{
    bool any = strcmp(value->args[0], "any") == 0;

    for (size_t i = 0; i < value->count; i++)
        if (!(any && i == 0) && (any || !is_method_list(value->args[i])))
            return xasprintf("%s is no list of methods", value->args[i]);
    return NULL;
}

static bool is_forward(const char *arg)
{
    const char *port = strrchr(arg, ':');

    port = port ? port + 1 : arg;
    return strcmp(port, "*") == 0 || is_port(port);
}

static char *forwards_fault(const struct value *value)
{
    bool only = strcmp(value->args[0], "any") == 0 || strcmp(value->args[0], "none") == 0;

    for (size_t i = 0; !only && i < value->count; i++)
        if (!is_forward(value->args[i]))
            return xasprintf("%s names no port", value->args[i]);
    return NULL;
}

static char *timeouts_fault(const struct value *value)
{
    for (size_t i = 0; i < value->count; i++) {
        const char *equals = strchr(value->args[i], '=');

        if (strcmp(value->args[i], "none") == 0 && value->count == 1)
            return NULL;
        if (!equals || (!is_time(equals + 1) && strcmp(equals + 1, "none") != 0))
            return xasprintf("%s is no timeout", value->args[i]);
    }
    return NULL;
}

static char *penalties_fault(const struct value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (!strchr(value->args[i], ':') &&
            !(value->count == 1 && in_words(value, "yes no", value->args[i], false)))
            return xasprintf("%s is no penalty", value->args[i]);
    return NULL;
}

static char *nothing_wrong(const struct value *value)
{
    (void)value;
    return NULL;
}

/* ---- the table ------------------------------------------------------------------------ */

enum { ANY_NUMBER = 1000000 };

static const struct reading {
    const char *value;
    size_t most; /* arguments; more are garbage at the end of the line */
    char *(*fault)(const struct value *value);
} readings[] = {
    { "int", 1, int_fault },
    { "intornone", 1, int_or_none_fault },
    { "time", 1, time_fault },
    { "timeornone", 1, time_or_none_fault },
    { "port", 1, port_fault },
    { "listen", 3, listen_fault },
    { "path", 1, path_fault },
    { "abspath", 1, absolute_fault },
    { "word", 1, path_fault },
    { "words", ANY_NUMBER, nothing_wrong },
    { "line", ANY_NUMBER, nothing_wrong },
    { "version", ANY_NUMBER, nothing_wrong },
    { "command", ANY_NUMBER, command_fault },
    { "acceptenv", ANY_NUMBER, names_fault },
    { "setenv", ANY_NUMBER, settings_fault },
    { "authmethods", ANY_NUMBER, methods_fault },
    { "channeltimeout", ANY_NUMBER, timeouts_fault },
    { "ipqos", ANY_NUMBER, ipqos_fault },
    { "maxstartups", 1, startups_fault },
    { "netblock", 1, netblock_fault },
    { "authoptions", ANY_NUMBER, auth_options_fault },
    { "penalties", ANY_NUMBER, penalties_fault },
    { "permitopen", ANY_NUMBER, forwards_fault },
    { "userenvironment", 1, user_environment_fault },
    { "protocol", 1, protocol_fault },
    { "rekey", ANY_NUMBER, rekey_fault },
    { "mask", 1, mask_fault },
    { "subsystem", ANY_NUMBER, subsystem_fault },
};

static char *list_fault(const struct config_reader *reader, enum algorithm_class class,
                        const char *list, enum config_fault_kind *ret_kind)
{
    auto_free char *unknown = algorithms_unknown(reader, class, list);

    if (!unknown)
        return NULL;
    *ret_kind = CONFIG_ALGORITHM;
    return xasprintf("this sshd knows no algorithm \"%s\"", unknown);
}

static char *single_fault(const struct value *value, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(enumerations); i++)
        if (strcmp(enumerations[i].value, name) == 0)
            return enumeration_fault(value, &enumerations[i]);
    return NULL;
}

static const struct reading *reading_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(readings); i++)
        if (strcmp(readings[i].value, name) == 0)
            return &readings[i];
    return NULL;
}

/* Lists that are read in a loop: before 8.7 it may run zero times. */
static bool may_be_empty(const struct keyword *row)
{
    return (strcmp(row->value, "words") == 0 && strcasecmp(row->name, "Include") != 0) ||
           strcmp(row->value, "acceptenv") == 0 || strcmp(row->value, "authmethods") == 0;
}

char *value_fault(const struct config_reader *reader, const struct keyword *row,
                  const struct directive *directive, enum config_fault_kind *ret_kind)
{
    struct value value = { .reader = reader,
                           .release = reader_release(reader),
                           .args = directive->args };
    const struct reading *reading = reading_of(row->value);
    enum algorithm_class class;
    char *fault;

    *ret_kind = CONFIG_VALUE;
    if (strcmp(row->value, "any") == 0 || strcmp(row->value, "match") == 0)
        return NULL;
    while (directive->args[value.count])
        value.count++;
    if (value.count == 0 && value.release < OPENSSH(8, 7) && may_be_empty(row))
        return NULL;
    if (value.count == 0 || !*value.args[0])
        return xstrdup("it has no value");
    if (algorithm_list(row, &class))
        fault = list_fault(reader, class, value.args[0], ret_kind);
    else
        fault = reading ? reading->fault(&value) : single_fault(&value, row->value);
    if (fault)
        return fault;
    if (value.count > (reading ? reading->most : 1))
        return xasprintf("\"%s\" at the end of the line does not belong there",
                         value.args[reading ? reading->most : 1]);
    return NULL;
}
