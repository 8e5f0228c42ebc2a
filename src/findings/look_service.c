/* SPDX-License-Identifier: MIT */
/* What sshd needs to be started at boot: its user, its programs, its unit. */
#include "findings/look.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

#define UNIT_DIR "/etc/systemd/system"

/* ---- privilege separation ------------------------------------------------------------- */

void look_privsep_missing(const struct check *check, const struct inspection *facts,
                          struct findings *out)
{
    const char *path = facts->profile->privsep_dir;

    if (!facts->privsep_missing)
        return;
    finding_wish(
        finding_add(
            out, check, path,
            xstrdup("sshd will not come up: its privilege separation directory is missing")),
        (struct wish){ .kind = WISH_DIRECTORY,
                       .path = xstrdup(path),
                       .about = xstrdup("privilege separation directory"),
                       .meta = { .mode = facts->profile->privsep_mode } });
}

static bool id_taken(const struct accounts *accounts, unsigned id)
{
    for (size_t i = 0; i < accounts->user_count; i++)
        if (accounts->users[i].uid == id)
            return true;
    for (size_t i = 0; i < accounts->group_count; i++)
        if (accounts->groups[i].gid == id)
            return true;
    return false;
}

/* The highest free one of the system's range, as useradd --system takes it. */
static unsigned free_id(const struct accounts *accounts)
{
    unsigned id = 999;

    while (id > 100 && id_taken(accounts, id))
        id--;
    return id;
}

/* Each "%u" in a line of a profile becomes the number. */
static char *with_id(const char *line, unsigned id)
{
    char *text = xstrdup(line), *at;

    while ((at = strstr(text, "%u"))) {
        char *longer = xasprintf("%.*s%u%s", (int)(at - text), text, id, at + 2);

        free(text);
        text = longer;
    }
    return text;
}

void look_privsep_user(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    const struct profile *profile = facts->profile;
    const struct text_file *passwd = inspection_text(facts, "/etc/passwd");
    const struct text_file *group = inspection_text(facts, "/etc/group");
    const struct text_file *shadow = inspection_text(facts, "/etc/shadow");
    auto_free char *name = NULL;
    struct finding *finding;
    unsigned id = free_id(&facts->accounts);

    if (!facts->privsep_user_missing)
        return;
    name = xstrndup(profile->privsep_user, strcspn(profile->privsep_user, ":"));
    finding = finding_add(out, check, "/etc/passwd",
                          xasprintf("sshd will not come up: there is no user %s", name));
    /* A passwd without root is no passwd: a line more would not make it one. */
    if (!accounts_user(&facts->accounts, "root"))
        return;
    if (passwd)
        finding_edit(finding, passwd, 0, CONFIG_FIX_REPLACE, with_id(profile->privsep_user, id));
    if (group && profile->privsep_group && !accounts_group(&facts->accounts, name))
        finding_edit(finding, group, 0, CONFIG_FIX_REPLACE, with_id(profile->privsep_group, id));
    if (shadow && !text_line_of(&shadow->text, name))
        finding_edit(finding, shadow, 0, CONFIG_FIX_REPLACE, xasprintf("%s:!:19000::::::", name));
}

/* ---- programs and libraries ----------------------------------------------------------- */

static const char *reinstall(const struct inspection *facts)
{
    return facts->profile->reinstall ? facts->profile->reinstall : "reinstall openssh";
}

void look_sshd_missing(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    if (!facts->sshd.path)
        finding_add(
            out, check, NULL,
            xasprintf("no sshd program is installed; in the booted system: %s", reinstall(facts)));
}

void look_helper_missing(const struct check *check, const struct inspection *facts,
                         struct findings *out)
{
    for (size_t i = 0; i < facts->programs.count; i++) {
        const struct program *program = &facts->programs.items[i];

        if (program->exists || strcmp(program->role, "sftp server") == 0)
            continue;
        finding_add(out, check, program->path,
                    xasprintf("sshd will not come up: its %s is missing; in the booted system: %s",
                              program->role, reinstall(facts)));
    }
}

static char *describe_gap(const struct library_gap *gap)
{
    if (gap->candidate)
        return xasprintf("needs %s: only the link to it is lost", gap->name);
    if (gap->package)
        return xasprintf("needs %s, which is missing or damaged; reinstall the package %s",
                         gap->name, gap->package);
    return xasprintf("needs %s, which is missing or damaged", gap->name);
}

void look_library_missing(const struct check *check, const struct inspection *facts,
                          struct findings *out)
{
    for (size_t i = 0; i < facts->programs.gap_count; i++) {
        const struct library_gap *gap = &facts->programs.gaps[i];
        struct finding *finding;
        const char *file;

        if (gap->uncached)
            continue;
        finding = finding_add(out, check, gap->needed_by, describe_gap(gap));
        if (!gap->candidate)
            continue;
        file = text_base_name(gap->candidate);
        finding_wish(finding,
                     (struct wish){ .kind = WISH_LINK,
                                    .path = xasprintf("%.*s%s", (int)(file - gap->candidate),
                                                      gap->candidate, gap->name),
                                    .about = xstrdup("the link to the library"),
                                    .target = xstrdup(file) });
    }
}

void look_library_cache(const struct check *check, const struct inspection *facts,
                        struct findings *out)
{
    for (size_t i = 0; i < facts->programs.gap_count; i++) {
        const struct library_gap *gap = &facts->programs.gaps[i];
        struct finding *finding;

        if (!gap->uncached)
            continue;
        finding = finding_add(out, check, gap->needed_by,
                              xasprintf("needs %s, which /etc/ld.so.cache does not name: it is %s",
                                        gap->name, gap->candidate));
        if (gap->link)
            finding_wish(finding, (struct wish){ .kind = WISH_LINK,
                                                 .path = xstrdup(gap->link),
                                                 .about = xstrdup("a link to the library"),
                                                 .target = xstrdup(gap->candidate) });
    }
}

/* ---- the unit or init script ---------------------------------------------------------- */

/* Nothing is said about a system that is not started by an init we know. */
static const struct service *service_of(const struct inspection *facts)
{
    return facts->service.init != INIT_UNKNOWN && facts->sshd.path ? &facts->service : NULL;
}

static void wish_link(struct finding *finding, const char *path, const char *target,
                      const char *about, bool replaces)
{
    if (path && target)
        finding_wish(finding, (struct wish){ .kind = WISH_LINK,
                                             .path = xstrdup(path),
                                             .about = xstrdup(about),
                                             .target = xstrdup(target),
                                             .replaces = replaces });
}

/* What every sshd and every systemd understand, and no more. */
static char *plain_unit(const struct inspection *facts)
{
    return xasprintf("# Written by sshmend: the package's unit is missing. Remove this file once\n"
                     "# openssh-server is reinstalled.\n"
                     "[Unit]\nDescription=OpenSSH server daemon\nAfter=network.target\n\n"
                     "[Service]\nExecStart=%s -D\nKillMode=process\nRestart=on-failure\n%s\n"
                     "[Install]\nWantedBy=multi-user.target\n",
                     facts->sshd.path,
                     facts->profile->privsep_dir ? "" : "RuntimeDirectory=sshd\n");
}

void look_service_missing(const struct check *check, const struct inspection *facts,
                          struct findings *out)
{
    const struct service *service = service_of(facts);
    const char *unit = facts->profile->unit ? facts->profile->unit : "sshd";
    auto_free char *text = NULL, *path = NULL, *link = NULL;
    struct finding *finding;

    if (!service || service->path || service->mask)
        return;
    finding = finding_add(out, check, NULL,
                          xstrdup("sshd will not be started: its unit or init script is missing"));
    if (service->init != INIT_SYSTEMD)
        return;
    text = plain_unit(facts);
    path = xasprintf(UNIT_DIR "/%s.service", unit);
    link = xasprintf(UNIT_DIR "/multi-user.target.wants/%s.service", unit);
    finding_wish(finding, (struct wish){ .kind = WISH_FILE,
                                         .path = xstrdup(path),
                                         .about = xstrdup("a plain unit for sshd"),
                                         .content = blob_of_text(text),
                                         .meta = { .mode = 0644 } });
    if (!service->enabled)
        wish_link(finding, link, path, "starts sshd at boot", false);
}

void look_service_masked(const struct check *check, const struct inspection *facts,
                         struct findings *out)
{
    const struct service *service = service_of(facts);
    struct finding *finding;

    if (!service || !service->mask)
        return;
    finding = finding_add(out, check, service->mask,
                          xasprintf("%s is masked: it is not started", service->name));
    finding_wish_gone(finding, service->mask, "the mask");
    if (!service->enabled)
        wish_link(finding, service->enable_path, service->enable_target, "starts sshd at boot",
                  false);
}

void look_service_disabled(const struct check *check, const struct inspection *facts,
                           struct findings *out)
{
    const struct service *service = service_of(facts);
    struct finding *finding;

    if (!service || !service->path || service->mask || service->enabled)
        return;
    finding = finding_add(out, check, service->path,
                          xasprintf("%s is not started at boot: nothing wants it", service->name));
    wish_link(finding, service->enable_path, service->enable_target, "starts sshd at boot", false);
}

void look_service_blocked(const struct check *check, const struct inspection *facts,
                          struct findings *out)
{
    const struct service *service = service_of(facts);
    struct finding *finding;

    if (!service || !service->condition)
        return;
    finding = finding_add(out, check, service->condition,
                          xasprintf("keeps %s from being started", service->name));
    if (strcmp(text_base_name(service->condition), "sshd_not_to_be_run") == 0)
        finding_wish_gone(finding, service->condition, "lets sshd start");
}

void look_service_environment(const struct check *check, const struct inspection *facts,
                              struct findings *out)
{
    static const char text[] = "# Made by sshmend: the unit of sshd asks for this file.\n";
    const struct service *service = service_of(facts);

    if (!service || !service->missing_environment)
        return;
    finding_wish(finding_add(out, check, service->missing_environment,
                             xasprintf("%s is not started without it", service->name)),
                 (struct wish){ .kind = WISH_FILE,
                                .path = xstrdup(service->missing_environment),
                                .about = xstrdup("settings for sshd, none so far"),
                                .content = blob_of_text(text),
                                .meta = { .mode = 0640 } });
}

void look_service_program(const struct check *check, const struct inspection *facts,
                          struct findings *out)
{
    const struct service *service = service_of(facts);

    if (service && service->missing_program)
        finding_add(out, check, service->missing_program,
                    xasprintf("%s calls it, and it is not there", service->name));
}

void look_service_target(const struct check *check, const struct inspection *facts,
                         struct findings *out)
{
    const struct service *service = service_of(facts);

    if (!service || !service->odd_default)
        return;
    wish_link(finding_add(out, check, service->odd_default,
                          xstrdup("the system boots into a target without sshd")),
              service->odd_default, "/lib/systemd/system/multi-user.target",
              "boots with all services", true);
}
