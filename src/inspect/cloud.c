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

/* What is set at the top level of a cloud-config; the rest of YAML is of no interest here. */
static bool top_level_value(const char *text, const char *key, bool *ret)
{
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line;
    size_t len = strlen(key);
    bool found = false;

    while ((line = strsep(&rest, "\n"))) {
        char *value;

        if (strncmp(line, key, len) != 0 || line[len + strspn(line + len, " ")] != ':')
            continue;
        value = strchr(line, ':') + 1;
        value[strcspn(value, "#")] = '\0';
        value = text_trim(value);
        value += *value == '"' || *value == '\'';
        *ret = strncasecmp(value, "false", 5) != 0 && strncasecmp(value, "no", 2) != 0 &&
               strncasecmp(value, "off", 3) != 0 && strcmp(value, "0") != 0;
        found = true;
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
