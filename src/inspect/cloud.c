/* SPDX-License-Identifier: MIT */
/*
 * cloud-init, and guest agents: will they delete or make host keys at the next boot?
 * cc_ssh.py deletes them once for every instance, unless ssh_deletekeys says no.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

/* What stands behind a key and its colon; NULL where another key begins here. */
static const char *behind_key(const char *at, const char *key)
{
    size_t len = strlen(key);
    char quote = *at == '"' || *at == '\'' ? *at++ : '\0';

    if (strncmp(at, key, len) != 0)
        return NULL;
    at += len;
    if (quote && *at++ != quote)
        return NULL;
    at += strspn(at, " ");
    return *at == ':' ? at + 1 : NULL;
}

/* util.py, translate_bool: what is not one of these words is no, and so is nothing at all. */
static bool is_true(const char *value, size_t len)
{
    static const char *const words[] = { "true", "yes", "on", "1" };
    auto_free char *copy = xstrndup(value, len);
    char *word = text_trim(copy);

    if (*word == '"' || *word == '\'') {
        const char quote[] = { *word++, '\0' };

        word[strcspn(word, quote)] = '\0';
        word = text_trim(word);
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(word, words[i]) == 0)
            return true;
    return false;
}

/* {key: value, "key": value}, on one line or many: JSON is YAML, too. */
static bool flow_value(const char *at, const char *key, bool *ret)
{
    bool found = false, begins = false; /* an entry of the outermost one begins here */
    int depth = 0;

    for (; *at; at++) {
        const char *value;

        if (*at == '{' || *at == '[')
            begins = ++depth == 1;
        else if (*at == '}' || *at == ']')
            depth--;
        else if (*at == ',')
            begins = depth == 1;
        else if (!strchr(" \t\r\n", *at)) {
            value = begins ? behind_key(at, key) : NULL;
            begins = false;
            if (value) {
                *ret = is_true(value, strcspn(value, ",}\n"));
                found = true;
            }
        }
    }
    return found;
}

/* What is set at the top level of a cloud-config; the rest of YAML is of no interest here. */
static bool top_level_value(const char *text, const char *key, bool *ret)
{
    bool found = false;

    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        const char *value = behind_key(line, key);

        if (*line == '{')
            return flow_value(line, key, ret);
        if (value) {
            *ret = is_true(value, strcspn(value, "#\n"));
            found = true;
        }
        line += len + (line[len] != '\0');
    }
    return found;
}

/* cloud.cfg first, then the drop-ins by name: the last one wins. */
static void merge_settings(const struct root *root, struct cloud *ret)
{
    static const char *const patterns[] = { "/etc/cloud/cloud.cfg",
                                            "/etc/cloud/cloud.cfg.d/*.cfg" };

    ret->deletes_keys = true;
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        auto_with(text_list_free) char **paths = NULL;

        if (root_glob(root, patterns[i], &paths, NULL) < 0)
            continue;
        for (char **path = paths; *path; path++) {
            auto_free char *text = read_text(root, *path, TEXT_FILE_MAX);

            if (!text || !top_level_value(text, "ssh_deletekeys", &ret->deletes_keys))
                continue;
            free(ret->set_by);
            ret->set_by = xstrdup(*path);
        }
    }
}

/* Agents that make host keys of their own, and what shows that they are there and may. */
static const struct {
    const char *name, *path;
} agents[] = {
    { "google-guest-agent", "/usr/bin/google_guest_agent" },
    { "waagent", "/etc/waagent.conf" },
};

/* waagent.conf: Provisioning.RegenerateSshHostKeyPair=y; Google's: set_host_keys, by default. */
static bool agent_makes_keys(const struct root *root, size_t index)
{
    auto_free char *text = NULL;

    if (!root_exists(root, agents[index].path))
        return false;
    if (index == 0) {
        text = read_text(root, "/etc/default/instance_configs.cfg", TEXT_FILE_MAX);
        return !text || !strstr(text, "set_host_keys = false");
    }
    text = read_text(root, agents[index].path, TEXT_FILE_MAX);
    return text && strstr(text, "\nProvisioning.RegenerateSshHostKeyPair=y");
}

void cloud_inspect(const struct root *root, struct cloud *ret)
{
    ret->present = root_exists(root, "/etc/cloud/cloud.cfg");
    ret->disabled = root_exists(root, "/etc/cloud/cloud-init.disabled");
    ret->instance_known = root_exists(root, "/var/lib/cloud/data/instance-id") ||
                          root_exists(root, "/var/lib/cloud/instance");
    if (ret->present)
        merge_settings(root, ret);
    for (size_t i = 0; i < ARRAY_SIZE(agents) && !ret->agent; i++)
        if (agent_makes_keys(root, i))
            ret->agent = xstrdup(agents[i].name);
}

void cloud_free(struct cloud *cloud)
{
    free(cloud->set_by);
    free(cloud->agent);
    *cloud = (struct cloud){ 0 };
}
