/* SPDX-License-Identifier: MIT */
/*
 * How a system finds its network. A guest that asks for DHCP is given an address; one that has a
 * static address is given a network around it, and a card with the name and the hardware address
 * that its files ask for.
 */
#include "prove/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FILE_MAX = 64 * 1024, PREFIX_MIN = 8, PREFIX_MAX = 29 };

static const char *const places[] = {
    "/etc/network/interfaces",
    "/etc/network/interfaces.d/*",
    "/etc/netplan/*.yaml",
    "/etc/systemd/network/*.network",
    "/etc/NetworkManager/system-connections/*",
    "/etc/sysconfig/network-scripts/ifcfg-*",
    "/etc/sysconfig/network/ifcfg-*",
};

/* ---- values: each takes the first that makes sense, and leaves the rest ------------------ */

/* "192.0.2.7", "192.0.2.7/24", "192.0.2.7/24,192.0.2.1"; false where it begins with none. */
static bool parse_address(const char *value, uint32_t *ret, unsigned *ret_prefix,
                          const char **ret_rest)
{
    size_t len = strspn(value, "0123456789.");
    char text[16];
    struct in_addr address;
    char *end;

    if (len == 0 || len >= sizeof text)
        return false;
    memcpy(text, value, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    *ret = ntohl(address.s_addr);
    *ret_prefix = value[len] == '/' ? (unsigned)strtoul(value + len + 1, &end, 10) : 0;
    *ret_rest = value[len] == '/' ? end : value + len;
    return true;
}

static void take_address(struct network *network, const char *value)
{
    uint32_t address, gateway;
    unsigned prefix, ignored;
    const char *rest;

    if (network->address || network->dhcp || !parse_address(value, &address, &prefix, &rest) ||
        address >> 24 == 127 || address == 0)
        return;
    network->address = address;
    if (prefix)
        network->prefix = prefix;
    /* NetworkManager has the gateway behind a comma. */
    if (*rest == ',' && parse_address(rest + 1, &gateway, &ignored, &rest) && !network->gateway)
        network->gateway = gateway;
}

/* An item of a list of addresses: those of name servers have no prefix. */
static void take_item(struct network *network, const char *value)
{
    if (strchr(value, '/'))
        take_address(network, value);
}

static void take_prefix(struct network *network, const char *value)
{
    unsigned prefix = (unsigned)strtoul(value, NULL, 10), ignored;
    uint32_t mask;
    const char *rest;

    if (network->prefix)
        return;
    if (strchr(value, '.') && parse_address(value, &mask, &ignored, &rest))
        for (prefix = 0; prefix < 32 && mask >> (31 - prefix) & 1;)
            prefix++;
    network->prefix = prefix;
}

static void take_gateway(struct network *network, const char *value)
{
    uint32_t gateway;
    unsigned ignored;
    const char *rest;

    if (!network->gateway && parse_address(value, &gateway, &ignored, &rest))
        network->gateway = gateway;
}

static void take_mac(struct network *network, const char *value)
{
    if (network->mac[0] || strspn(value, "0123456789abcdefABCDEF:") != sizeof network->mac - 1)
        return;
    for (size_t i = 2; i < sizeof network->mac - 1; i += 3)
        if (value[i] != ':')
            return;
    if (!value[17] || strchr(" \t\"'", value[17]))
        snprintf(network->mac, sizeof network->mac, "%.17s", value);
}

static void take_name(struct network *network, const char *value)
{
    size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789");

    if (network->name[0] || len == 0 || len >= sizeof network->name ||
        strncmp(value, "lo", len) == 0)
        return;
    if (!value[len] || strchr(" \t:\"'", value[len]))
        snprintf(network->name, sizeof network->name, "%.*s", (int)len, value);
}

static void take_dhcp(struct network *network, const char *value)
{
    static const char *const yes[] = { "true", "yes", "ipv4", "both", "dhcp", "dhcp4", "auto" };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (strncasecmp(value, yes[i], strlen(yes[i])) == 0 && !network->address)
            network->dhcp = true;
}

/* "iface ens3 inet dhcp" */
static void take_iface(struct network *network, const char *value)
{
    const char *family = strchr(value, ' ');

    if (!family || text_starts(value, "lo ") || !text_starts(family, " inet "))
        return;
    take_name(network, value);
    take_dhcp(network, family + strlen(" inet "));
}

static const struct word {
    const char *key;
    void (*take)(struct network *network, const char *value);
} words[] = {
    { "iface", take_iface },     { "address", take_address },  { "address1", take_address },
    { "addresses", take_item },  { "-", take_item },           { "ipaddr", take_address },
    { "ipaddr0", take_address }, { "netmask", take_prefix },   { "netmask0", take_prefix },
    { "prefix", take_prefix },   { "prefix0", take_prefix },   { "prefixlen", take_prefix },
    { "gateway", take_gateway }, { "gateway0", take_gateway }, { "gateway4", take_gateway },
    { "via", take_gateway },     { "macaddress", take_mac },   { "mac-address", take_mac },
    { "hwaddr", take_mac },      { "name", take_name },        { "interface-name", take_name },
    { "device", take_name },     { "dhcp", take_dhcp },        { "dhcp4", take_dhcp },
    { "bootproto", take_dhcp },  { "method", take_dhcp },
};

static void learn_line(struct network *network, char *line)
{
    size_t len = strcspn(line, " \t=:");
    const char *value = line + len + strspn(line + len, " \t=:[\"'");

    /* netplan: "ens3:" is the name itself; "ethernets:" is none. */
    if (line[len] == ':' && !*value && text_starts(line, "e") && strcspn(line, "0123456789") < len)
        take_name(network, line);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i].key) == len && strncasecmp(line, words[i].key, len) == 0)
            words[i].take(network, value);
}

void network_learn(struct network *network, const char *text)
{
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        line = text_trim(line);
        if (*line && *line != '#' && *line != ';')
            learn_line(network, line);
    }
}

/* The name itself may be the hardware address: enx525400123456. */
static void mac_of_name(struct network *network)
{
    const char *digits = network->name + 3;

    if (network->mac[0] || !text_starts(network->name, "enx") ||
        strspn(digits, "0123456789abcdef") != 12)
        return;
    snprintf(network->mac, sizeof network->mac, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", digits, digits + 2,
             digits + 4, digits + 6, digits + 8, digits + 10);
}

void network_read(const struct root *root, struct network *ret)
{
    struct network network = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        auto_with(text_list_free) char **paths = NULL;

        if (root_glob(root, places[i], &paths, NULL) < 0)
            continue;
        for (char **path = paths; *path; path++) {
            auto_blob struct blob text = { 0 };

            if (!text_ends(*path, "/ifcfg-lo") &&
                root_read(root, *path, FILE_MAX, &text, NULL) == 0)
                network_learn(&network, (const char *)text.data);
        }
    }
    mac_of_name(&network);
    *ret = network;
}

/* ---- what qemu is told -------------------------------------------------------------------- */

bool network_reachable(const struct network *network)
{
    return !network->address || (network->prefix >= PREFIX_MIN && network->prefix <= PREFIX_MAX);
}

static void dotted(uint32_t address, char text[INET_ADDRSTRLEN])
{
    struct in_addr in = { .s_addr = htonl(address) };

    inet_ntop(AF_INET, &in, text, INET_ADDRSTRLEN);
}

/* One of the network that is none of these two. */
static uint32_t free_address(uint32_t net, uint32_t a, uint32_t b)
{
    uint32_t address = net + 1;

    while (address == a || address == b)
        address++;
    return address;
}

char *network_words(const struct network *network)
{
    uint32_t mask, net, host, dns;
    char texts[4][INET_ADDRSTRLEN];

    if (!network->address || !network_reachable(network))
        return xstrdup("");
    mask = UINT32_MAX << (32 - network->prefix);
    net = network->address & mask;
    host = network->gateway;
    if ((host & mask) != net || host == network->address)
        host = free_address(net, network->address, 0);
    dns = free_address(net, network->address, host);
    dotted(net, texts[0]);
    dotted(host, texts[1]);
    dotted(dns, texts[2]);
    dotted(network->address, texts[3]);
    return xasprintf(",net=%s/%u,host=%s,dns=%s,dhcpstart=%s", texts[0], network->prefix, texts[1],
                     texts[2], texts[3]);
}

/* systemd.net-naming-scheme(7): ensN by the slot that the firmware numbers, enpBsN by the bus. */
struct slot network_slot(const char *name)
{
    struct slot slot = { .number = 3 };
    unsigned bus, number;
    char rest;

    if (sscanf(name, "ens%u%c", &number, &rest) == 1 && number >= 3 && number <= 26) {
        slot.pc = true;
        slot.number = number;
    } else if (sscanf(name, "enp%us%u%c", &bus, &number, &rest) == 2) {
        if (bus == 0 && number >= 2 && number <= 26)
            slot.number = number;
        else if (bus >= 1 && bus <= 8 && number == 0)
            slot = (struct slot){ .bus = bus };
    }
    return slot;
}
