/* SPDX-License-Identifier: MIT */
/*
 * How sshd is started at boot: by systemd, OpenRC, or the links of sysvinit. Which of
 * them it is shows in what is installed; a tree without any is not judged.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define UNITS "/etc/systemd/system"

static const char *const unit_places[] = { UNITS, "/usr/local/lib/systemd/system",
                                           "/usr/lib/systemd/system", "/lib/systemd/system" };
static const char *const unit_names[] = { "ssh", "sshd" };

/* ---- units ---------------------------------------------------------------------------- */

static bool leads_to_null(const struct root *root, const char *path)
{
    auto_free char *target = NULL;

    return root_readlink(root, path, &target, NULL) == 0 && strcmp(target, "/dev/null") == 0;
}

/* systemctl mask makes a link to /dev/null; an empty file does the same. */
static bool is_mask(const struct root *root, const char *path)
{
    struct root_stat stat;

    if (leads_to_null(root, path))
        return true;
    return root_find(root, path, NULL, &stat, NULL) == 0 && S_ISREG(stat.mode) && stat.size == 0;
}

/* The file of a unit, masks and links between units aside; the caller's. */
static char *unit_file(const struct root *root, const char *unit)
{
    for (size_t i = 0; i < ARRAY_SIZE(unit_places); i++) {
        auto_free char *path = xasprintf("%s/%s", unit_places[i], unit);
        struct root_stat stat;

        if (root_find(root, path, NULL, &stat, NULL) == 0 && S_ISREG(stat.mode) && stat.size > 0)
            return take_ptr(path);
    }
    return NULL;
}

/* Something in a .wants or .requires of /etc or of a package; the link may well dangle. */
static bool is_wanted(const struct root *root, const char *unit)
{
    for (size_t i = 0; i < ARRAY_SIZE(unit_places); i++) {
        static const char *const kinds[] = { "wants", "requires" };

        for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
            auto_free char *directories = xasprintf("%s/*.target.%s", unit_places[i], kinds[n]);
            auto_with(text_list_free) char **found = NULL;

            if (root_glob(root, directories, &found, NULL) < 0)
                continue;
            for (char **directory = found; *directory; directory++) {
                auto_free char *path = xasprintf("%s/%s", *directory, unit);

                if (root_find_link(root, path, NULL, NULL, NULL) == 0)
                    return true;
            }
        }
    }
    return false;
}

/* A file outside of what only a running system has. */
static bool on_disk(const char *path)
{
    return *path == '/' && !text_starts(path, "/run/") && !text_starts(path, "/var/run/") &&
           !text_starts(path, "/proc/") && !text_starts(path, "/sys/") &&
           !text_starts(path, "/dev/") && !strpbrk(path, "*?[%$");
}

static void keep(char **place, const char *text)
{
    if (!*place)
        *place = xstrdup(text);
}

/* ConditionPathExists=!/etc/ssh/sshd_not_to_be_run; a "|" makes it one of several. */
static void look_at_condition(const struct root *root, const char *value, struct service *ret)
{
    bool not = *value == '!';
    const char *path = value + not ;

    if (*value != '|' && on_disk(path) && root_exists(root, path) == not )
        keep(&ret->condition, path);
}

/* "-": its absence, or its failure, does not count. */
static void look_at_file(const struct root *root, const char *value, char **place)
{
    auto_free char *path = xstrndup(value, strcspn(value, " \t"));

    if (on_disk(path) && !root_exists(root, path))
        keep(place, path);
}

static void look_at_setting(const struct root *root, const char *name, const char *value,
                            struct service *ret)
{
    if (strcmp(name, "ConditionPathExists") == 0 || strcmp(name, "AssertPathExists") == 0)
        look_at_condition(root, value, ret);
    else if (strcmp(name, "EnvironmentFile") == 0)
        look_at_file(root, value, &ret->missing_environment);
    else if (strcmp(name, "ExecStart") == 0 || strcmp(name, "ExecStartPre") == 0)
        look_at_file(root, value + strspn(value, "@:+!"), &ret->missing_program);
}

static void look_at_unit(const struct root *root, const char *path, struct service *ret)
{
    auto_free char *text = read_text(root, path, TEXT_FILE_MAX);
    char *rest = text, *line;

    while (text && (line = strsep(&rest, "\n"))) {
        char *value = strchr(line, '=');

        line = text_trim(line);
        if (*line == '#' || *line == ';' || !value)
            continue;
        *value++ = '\0';
        value = text_trim(value);
        /* An empty value takes back what was said before. */
        if (!*value && strcmp(line, "ExecStart") == 0) {
            free(ret->missing_program);
            ret->missing_program = NULL;
        }
        look_at_setting(root, text_trim(line), value, ret);
    }
}

static void look_at_dropins(const struct root *root, const char *unit, struct service *ret)
{
    for (size_t i = ARRAY_SIZE(unit_places); i-- > 0;) {
        auto_free char *pattern = xasprintf("%s/%s.d/*.conf", unit_places[i], unit);
        auto_with(text_list_free) char **found = NULL;

        if (root_glob(root, pattern, &found, NULL) == 0)
            for (char **path = found; *path; path++)
                look_at_unit(root, *path, ret);
    }
}

/* The target that default.target of /etc leads to has no services in it. */
static void look_at_default(const struct root *root, struct service *ret)
{
    static const char *const without[] = { "rescue.target",   "emergency.target", "halt.target",
                                           "poweroff.target", "sysinit.target",   "basic.target" };
    auto_free char *target = NULL;

    if (root_readlink(root, UNITS "/default.target", &target, NULL) < 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(without); i++)
        if (strcmp(text_base_name(target), without[i]) == 0)
            keep(&ret->odd_default, UNITS "/default.target");
}

static bool look_at_name(const struct root *root, const char *name, struct service *ret)
{
    auto_free char *unit = xasprintf("%s.service", name), *socket = xasprintf("%s.socket", name);
    auto_free char *path = unit_file(root, unit), *mask = xasprintf(UNITS "/%s", unit);
    bool socket_there;
    auto_free char *socket_path = unit_file(root, socket);

    if (is_mask(root, mask))
        keep(&ret->mask, mask);
    socket_there = socket_path && is_wanted(root, socket);
    ret->by_socket = ret->by_socket || socket_there;
    ret->enabled = ret->enabled || socket_there || is_wanted(root, unit);
    if (!path)
        return false;
    free(ret->name);
    ret->name = take_ptr(unit);
    ret->path = take_ptr(path);
    look_at_unit(root, ret->path, ret);
    look_at_dropins(root, ret->name, ret);
    ret->enable_path = xasprintf(UNITS "/multi-user.target.wants/%s", ret->name);
    ret->enable_target = xstrdup(ret->path);
    return true;
}

/* The alias of a unit that is there under its other name may be masked without harm. */
static void forget_alias_mask(struct service *ret)
{
    if (ret->mask && ret->name && strcmp(text_base_name(ret->mask), ret->name) != 0) {
        free(ret->mask);
        ret->mask = NULL;
    }
}

static bool any_matches(const struct root *root, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_with(text_list_free) char **found = NULL;

        if (root_glob(root, patterns[i], &found, NULL) == 0 && *found)
            return true;
    }
    return false;
}

static void find_script(const struct root *root, struct service *ret)
{
    static const char *const scripts[] = { "/etc/init.d/sshd", "/etc/init.d/ssh",
                                           "/etc/rc.d/init.d/sshd", "/etc/rc.d/sshd" };

    for (size_t i = 0; i < ARRAY_SIZE(scripts) && !ret->path; i++)
        if (root_exists(root, scripts[i]))
            ret->path = xstrdup(scripts[i]);
    ret->name = xstrdup(ret->path ? text_base_name(ret->path) : "sshd");
}

static void look_at_script(const struct root *root, struct service *ret)
{
    static const char *const links[] = { "/etc/rc[2345].d/S[0-9][0-9]ssh*",
                                         "/etc/rc.d/rc[2345].d/S[0-9][0-9]ssh*" };

    if (!any_matches(root, links, ARRAY_SIZE(links)))
        return;
    free(ret->name);
    find_script(root, ret);
    ret->enabled = ret->enabled || ret->path;
}

static void look_at_systemd(const struct root *root, struct service *ret)
{
    ret->init = INIT_SYSTEMD;
    for (size_t i = 0; i < ARRAY_SIZE(unit_names) && !ret->path; i++)
        look_at_name(root, unit_names[i], ret);
    forget_alias_mask(ret);
    /* systemd makes a unit of an init script that has no unit (systemd-sysv-generator). */
    if (!ret->path && !ret->mask)
        look_at_script(root, ret);
    look_at_default(root, ret);
    if (!ret->name)
        ret->name = xstrdup("sshd.service");
}

/* ---- OpenRC and sysvinit -------------------------------------------------------------- */

static void look_at_openrc(const struct root *root, struct service *ret)
{
    static const char *const links[] = { "/etc/runlevels/default/sshd",
                                         "/etc/runlevels/boot/sshd" };

    ret->init = INIT_OPENRC;
    find_script(root, ret);
    ret->enabled = any_matches(root, links, ARRAY_SIZE(links));
    ret->enable_path = xstrdup(links[0]);
    ret->enable_target = ret->path ? xstrdup(ret->path) : NULL;
}

static void look_at_sysv(const struct root *root, struct service *ret)
{
    static const char *const links[] = { "/etc/rc[2345].d/S[0-9][0-9]ssh*",
                                         "/etc/rc.d/rc[2345].d/S[0-9][0-9]ssh*",
                                         "/etc/init.d/rc[2345].d/S[0-9][0-9]ssh*",
                                         "/etc/init/ssh.conf" };
    /* SUSE has them beside the scripts, and /etc/rc.d is a link to that. */
    bool suse = root_exists(root, "/etc/init.d/rc3.d"),
         redhat = root_exists(root, "/etc/rc.d/rc3.d");

    ret->init = INIT_SYSV;
    find_script(root, ret);
    if (!ret->path && root_exists(root, "/etc/init/ssh.conf"))
        ret->path = xstrdup("/etc/init/ssh.conf");
    ret->enabled = any_matches(root, links, ARRAY_SIZE(links));
    ret->enable_path = xasprintf("%s/S55%s",
                                 suse     ? "/etc/init.d/rc3.d"
                                 : redhat ? "/etc/rc.d/rc3.d"
                                          : "/etc/rc2.d",
                                 ret->name);
    ret->enable_target = xasprintf(suse ? "../%s" : "../init.d/%s", ret->name);
    if (root_exists(root, "/etc/ssh/sshd_not_to_be_run"))
        keep(&ret->condition, "/etc/ssh/sshd_not_to_be_run");
}

/* ---- who makes keys at boot ----------------------------------------------------------- */

static const struct {
    const char *path, *words; /* words: that must stand in it; NULL: none */
} generators[] = {
    { "/usr/lib/systemd/system/sshd-keygen.target", NULL },
    { "/usr/lib/systemd/system/sshd-keygen.service", NULL },
    { "/lib/systemd/system/sshd-keygen.service", NULL },
    { "/usr/lib/systemd/system/sshdgenkeys.service", NULL },
    { "/usr/lib/systemd/system/sshd.service", "sshd-gen-keys-start" },
    { "/usr/lib/systemd/system/sshd.service", "ssh-keygen -A" },
    { "/etc/init.d/sshd", "ssh-keygen" },
    { "/etc/rc.d/init.d/sshd", "KEYGEN" },
};

static void find_generator(const struct root *root, struct service *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(generators) && !ret->generator; i++) {
        auto_free char *text = read_text(root, generators[i].path, TEXT_FILE_MAX);

        if (text && (!generators[i].words || strstr(text, generators[i].words)))
            ret->generator = xstrdup(generators[i].path);
    }
}

static bool says(const struct root *root, const char *path, const char *what)
{
    auto_free char *text = read_text(root, path, TEXT_FILE_MAX);
    auto_free char *lines = xasprintf("\n%s", text ? text : "");
    auto_free char *line = xasprintf("\n%s", what);

    return strstr(lines, line) != NULL;
}

/* cloud-init's drop-in, and the switches that the distributions have for it. */
static void look_whether_off(const struct root *root, struct service *ret)
{
    static const char dropin[] = UNITS "/sshd-keygen@.service.d/"
                                       "disable-sshd-keygen-if-cloud-init-active.conf";
    static const char *const switches[][2] = { { "/etc/sysconfig/sshd",
                                                 "AUTOCREATE_SERVER_KEYS=NO" },
                                               { "/etc/sysconfig/ssh", "SSHD_AUTO_KEYGEN=no" },
                                               { "/etc/conf.d/sshd", "sshd_disable_keygen=yes" } };

    if (!ret->generator)
        return;
    if (root_exists(root, dropin) && !root_exists(root, "/etc/cloud/cloud-init.disabled"))
        keep(&ret->generator_off, "cloud-init is active, and keeps it from running");
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
        if (says(root, switches[i][0], switches[i][1]))
            keep(&ret->generator_off, "it is switched off in /etc");
    if (says(root, ret->generator, "ConditionFirstBoot=yes") &&
        root_exists(root, "/etc/machine-id"))
        keep(&ret->generator_off, "it runs at the first boot only");
}

/* ---- which init ----------------------------------------------------------------------- */

static bool any_exists(const struct root *root, const char *const *paths)
{
    for (; *paths; paths++)
        if (root_exists(root, *paths))
            return true;
    return false;
}

void service_inspect(const struct root *root, struct service *ret)
{
    static const char *const systemd[] = { "/lib/systemd/systemd",
                                           "/usr/lib/systemd/systemd",
                                           "/usr/lib/systemd/system/sshd.service",
                                           "/usr/lib/systemd/system/ssh.service",
                                           "/lib/systemd/system/ssh.service",
                                           "/lib/systemd/system/sshd.service",
                                           UNITS "/multi-user.target.wants",
                                           NULL };
    static const char *const openrc[] = { "/sbin/openrc", "/etc/runlevels", NULL };
    static const char *const sysv[] = { "/etc/inittab", "/etc/rc.d/rc3.d", "/etc/init.d/rc3.d",
                                        "/etc/init/ssh.conf", NULL };

    if (any_exists(root, systemd))
        look_at_systemd(root, ret);
    else if (any_exists(root, openrc))
        look_at_openrc(root, ret);
    else if (any_exists(root, sysv))
        look_at_sysv(root, ret);
    find_generator(root, ret);
    look_whether_off(root, ret);
}

void service_free(struct service *service)
{
    free(service->name);
    free(service->path);
    free(service->mask);
    free(service->enable_path);
    free(service->enable_target);
    free(service->condition);
    free(service->missing_environment);
    free(service->missing_program);
    free(service->odd_default);
    free(service->generator);
    free(service->generator_off);
    *service = (struct service){ 0 };
}
