/* SPDX-License-Identifier: MIT */
/* What is wrong with sshd_config and moduli; config/ has judged the lines, here they are found. */
#include "findings/look.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

/* ---- single lines --------------------------------------------------------------------- */

static void add_fault(const struct check *check, struct findings *out,
                      const struct config_text *file, const struct config_fault *fault)
{
    char *message = fault->line ? xasprintf("line %u: %s", fault->line, fault->message)
                                : xstrdup(fault->message);
    struct finding *finding = finding_add(out, check, file->path, message);

    if (fault->fix != CONFIG_FIX_NONE)
        finding_edit_config(finding, file, fault->line, fault->fix,
                            fault->text ? xstrdup(fault->text) : NULL);
}

/* Where sshd ends at once, a fault is fatal; where it starts all the same, it is worth a note. */
static void add_faults(const struct check *check, const struct inspection *facts,
                       struct findings *out, enum config_fault_kind kind, bool fatal)
{
    const struct config *config = &facts->config;

    for (size_t i = 0; i < config->fault_count; i++)
        if (config->faults[i].kind == kind && config->faults[i].fatal == fatal)
            add_fault(check, out, &config->files[config->faults[i].file], &config->faults[i]);
}

#define LOOK_FOR_FAULTS(name, kind)                                                                \
    void name(const struct check *check, const struct inspection *facts, struct findings *out)     \
    {                                                                                              \
        add_faults(check, facts, out, (kind), true);                                               \
    }

LOOK_FOR_FAULTS(look_config_encoding, CONFIG_ENCODING)
LOOK_FOR_FAULTS(look_config_unknown, CONFIG_UNKNOWN)
LOOK_FOR_FAULTS(look_config_value, CONFIG_VALUE)
LOOK_FOR_FAULTS(look_config_algorithm, CONFIG_ALGORITHM)
LOOK_FOR_FAULTS(look_config_misplaced, CONFIG_MISPLACED)
LOOK_FOR_FAULTS(look_config_match, CONFIG_MATCH)
LOOK_FOR_FAULTS(look_config_duplicate, CONFIG_DUPLICATE)
LOOK_FOR_FAULTS(look_config_include, CONFIG_INCLUDE)

void look_config_deprecated(const struct check *check, const struct inspection *facts,
                            struct findings *out)
{
    for (enum config_fault_kind kind = CONFIG_ENCODING; kind < CONFIG_POLICY; kind++)
        add_faults(check, facts, out, kind, false);
}

void look_config_policy(const struct check *check, const struct inspection *facts,
                        struct findings *out)
{
    add_faults(check, facts, out, CONFIG_POLICY, false);
}

/* ---- the file as a whole -------------------------------------------------------------- */

static void add_lost(const struct check *check, const struct inspection *facts,
                     struct findings *out, const char *what)
{
    const struct substitute *lost = &facts->lost_config;
    char *message;

    if (lost->source)
        message = xasprintf("%s; there is a copy: %s", what, lost->source);
    else if (lost->content.data)
        message = xasprintf("%s; the distribution's usual one is known", what);
    else
        message = xstrdup(what);
    finding_wish_substitute(finding_add(out, check, "/etc/ssh/sshd_config", message), lost);
}

void look_config_missing(const struct check *check, const struct inspection *facts,
                         struct findings *out)
{
    if (!facts->config.path)
        add_lost(check, facts, out, "sshd will not come up: it has no configuration");
}

void look_config_empty(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    if (facts->config.path && facts->config.destroyed)
        add_lost(check, facts, out, "nothing in it is a line of a configuration");
}

/* ---- HostKeyAlgorithms ---------------------------------------------------------------- */

/* RSA keys sign with SHA-2 under other names than their own. */
static bool key_signs(const struct host_key *key, const char *algorithm)
{
    const char *name = key->judgement.pub.name;

    if (!name || strstr(algorithm, "-cert-"))
        return false;
    return strcmp(name, algorithm) == 0 ||
           (strcmp(name, "ssh-rsa") == 0 && text_starts(algorithm, "rsa-sha2-"));
}

static bool offered(const struct inspection *facts, const struct host_key *key)
{
    for (char **name = facts->config.host_key_algorithms; *name; name++)
        if (key_signs(key, *name))
            return true;
    return false;
}

/* Only where there are keys that would serve: without any, hostkey-none says it all. */
static bool no_common_key(const struct inspection *facts)
{
    bool sound = false;

    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];

        if (!key->used || (key->type && key_type_protocol(key->type) == 1))
            continue;
        if (key->agent || key->elsewhere || (host_key_sound(key) && offered(facts, key)))
            return false;
        sound = sound || host_key_sound(key);
    }
    return sound;
}

/* What update-crypto-policies writes is not ours to weaken. */
static bool by_policy(const struct directive *list)
{
    return text_starts(list->file, "/etc/crypto-policies/");
}

void look_config_no_common_key(const struct check *check, const struct inspection *facts,
                               struct findings *out)
{
    const struct directive *list = config_find(&facts->config, "HostKeyAlgorithms");

    struct finding *finding;

    if (!list || !facts->config.host_key_algorithms || !no_common_key(facts))
        return;
    finding = finding_add(out, check, list->file,
                          xasprintf("line %u: HostKeyAlgorithms leaves none of the host keys: "
                                    "every connection is refused",
                                    list->line));
    if (!by_policy(list))
        finding_comment_out(finding, facts, list);
}

/* ---- moduli --------------------------------------------------------------------------- */

/* From here on sshd has no fallback for a file without a line it can use (dh.c, choose_dh). */
static bool empty_is_worse(const struct inspection *facts)
{
    return facts->sshd.version == 0 || facts->sshd.version >= OPENSSH(10, 0);
}

void look_moduli_missing(const struct check *check, const struct inspection *facts,
                         struct findings *out)
{
    if (facts->moduli_missing)
        finding_add(out, check, "/etc/ssh/moduli", xstrdup("is missing; sshd uses a fixed group"));
    if (facts->moduli_damaged && !empty_is_worse(facts))
        finding_add(out, check, "/etc/ssh/moduli",
                    xstrdup("holds nothing that sshd can use; it uses a fixed group"));
}

void look_moduli_damaged(const struct check *check, const struct inspection *facts,
                         struct findings *out)
{
    struct finding *finding;

    if (!facts->moduli_damaged || !empty_is_worse(facts))
        return;
    finding = finding_add(out, check, "/etc/ssh/moduli",
                          xstrdup("holds nothing that sshd can use: group exchange fails"));
    if (facts->lost_moduli.content.data)
        finding_wish_substitute(finding, &facts->lost_moduli);
    else
        finding_wish_gone(finding, facts->lost_moduli.path, "sshd uses a fixed group without it");
}
