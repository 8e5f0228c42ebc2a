/* SPDX-License-Identifier: MIT */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"
#include "inspect/carve.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *const account_files[] = { "/etc/passwd", "/etc/group", "/etc/shadow" };

static int require_etc_ssh(const struct root *root, struct err *e)
{
    struct root_stat stat;

    if (root_find(root, "/etc/ssh", NULL, &stat, e) < 0) {
        if (e && e->kind == ERR_NOT_FOUND &&
            root_find_link(root, "/etc/ssh", NULL, NULL, NULL) == 0)
            return err_set(e, ERR_REFUSED, "/etc/ssh is a link that leads to nothing on this disk");
        return err_prefix(e, "this system has no directory of sshd; reinstall openssh-server");
    }
    if (!S_ISDIR(stat.mode))
        return err_set(e, ERR_REFUSED,
                       "/etc/ssh is not a directory; move it away and reinstall "
                       "openssh-server");
    if (stat.foreign)
        return err_set(
            e, ERR_UNSUPPORTED,
            "/etc/ssh is on another file system, mounted there; give that one by itself");
    return 0;
}

/* What a sibling has, where the policy cannot be asked. */
static char *sibling_label(const struct inspection *inspection, const struct mode_rule *rule)
{
    for (size_t i = 0; i < inspection->node_count; i++)
        if (inspection->nodes[i].rule == rule && inspection->nodes[i].label)
            return xstrdup(inspection->nodes[i].label);
    return NULL;
}

/* What a mend may have to make anew; a path that is NULL is passed over. */
static void label_new(const struct labels *labels, struct inspection *inspection)
{
    const struct {
        const char *path;
        mode_t type;
    } wanted[] = {
        { inspection->lost_config.path, S_IFREG },
        { inspection->lost_moduli.path, S_IFREG },
        { inspection->login.pam.stack.path, S_IFREG },
        { inspection->lost_accounts[ACCOUNT_PASSWD].path, S_IFREG },
        { inspection->lost_accounts[ACCOUNT_GROUP].path, S_IFREG },
        { inspection->lost_accounts[ACCOUNT_SHADOW].path, S_IFREG },
        { inspection->service.missing_environment, S_IFREG },
        { inspection->service.enable_path, S_IFLNK },
        { inspection->profile->privsep_dir, S_IFDIR },
        { KEEP_KEYS_FILE, S_IFREG },
    };

    for (size_t i = 0; labels && i < ARRAY_SIZE(wanted); i++) {
        struct path_label new;

        if (!wanted[i].path)
            continue;
        new.label = labels_lookup(labels, wanted[i].path, wanted[i].type);
        new.path = xstrdup(wanted[i].path);
        array_push(inspection->new_labels, inspection->new_label_count, new);
    }
}

const char *inspection_new_label(const struct inspection *inspection, const char *path)
{
    for (size_t i = 0; i < inspection->new_label_count; i++)
        if (strcmp(inspection->new_labels[i].path, path) == 0)
            return inspection->new_labels[i].label;
    return NULL;
}

static void label_inspect(const struct root *root, struct inspection *inspection)
{
    auto_with(labels_close) struct labels *labels = labels_open(root);

    inspection->selinux = labels != NULL;
    for (size_t i = 0; i < inspection->node_count; i++) {
        struct node *node = &inspection->nodes[i];

        if (!node->rule->unlabelled)
            node->expected_label = labels_lookup(labels, node->real, node->stat.mode & S_IFMT);
    }
    for (size_t i = 0; i < inspection->key_count; i++) {
        struct host_key *key = &inspection->keys[i];

        key->label = labels_lookup(labels, key->real, S_IFREG);
        key->pub_label = labels_lookup(labels, key->pub_real, S_IFREG);
        if (!key->label)
            key->label = sibling_label(inspection, &mode_host_key);
        if (!key->pub_label)
            key->pub_label = sibling_label(inspection, &mode_host_key_pub);
    }
    inspection->state_label = labels_lookup(labels, STATE_DIR, S_IFDIR);
    label_new(labels, inspection);
}

/* sshd.c, main: getpwnam of the name it was built with. The first word of the profile's line. */
static bool privsep_user_missing(const struct inspection *inspection)
{
    const char *line = inspection->profile->privsep_user;
    const struct directive *separation = config_find(&inspection->config, "UsePrivilegeSeparation");
    auto_free char *name = line ? xstrndup(line, strcspn(line, ":")) : NULL;
    int openssh = inspection->sshd.version;

    if (separation && strcasecmp(separation->args[0], "no") == 0 && openssh &&
        openssh < OPENSSH(7, 5))
        return false;
    return name && inspection->sshd.path && !accounts_user(&inspection->accounts, name);
}

/* nss-altfiles of image-based systems: the package's users are below /usr/lib. */
static bool in_altfiles(const struct root *root)
{
    auto_free char *text = read_text(root, "/usr/lib/passwd", TEXT_FILE_MAX);

    return text && (text_starts(text, "sshd:") || strstr(text, "\nsshd:"));
}

/* The texts that a mend may change by the line; most are not needed at all. */
static void read_texts(const struct root *root, struct inspection *inspection)
{
    bool needed = inspection->privsep_user_missing;

    for (size_t i = 0; i < inspection->login.user_count; i++)
        needed = needed || inspection->login.users[i].shell_missing;
    if (!needed)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(account_files); i++)
        if (!text_file_add(root, inspection, account_files[i], TEXT_FILE_MAX))
            continue;
}

/* What sshd, and a login, need beside the keys. */
static int rest_inspect(const struct root *root, struct inspection *facts, struct err *e)
{
    programs_inspect(root, facts);
    service_inspect(root, &facts->service);
    cloud_inspect(root, &facts->cloud);
    access_inspect(root, facts);
    substitutes_inspect(root, facts);
    accident_inspect(root, &facts->accident);
    facts->privsep_missing = facts->profile->privsep_dir && facts->sshd.asks_privsep &&
                             !root_exists(root, facts->profile->privsep_dir);
    facts->privsep_user_missing = privsep_user_missing(facts) && !in_altfiles(root);
    read_texts(root, facts);
    return nodes_of_programs(root, facts, e);
}

/* A run of our own without its mark: it ended before its last change, or before its first. */
static char *unfinished_run(const struct root *root)
{
    static const char *const patterns[] = { STATE_DIR "/[0-9]*T[0-9]*Z-*",
                                            STATE_DIR_ROOT "/[0-9]*T[0-9]*Z-*" };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        auto_with(text_list_free) char **folders = NULL;

        if (root_glob(root, patterns[i], &folders, NULL) < 0)
            continue;
        for (char **folder = folders; *folder; folder++) {
            auto_free char *committed = xasprintf("%s/COMMITTED", *folder);

            if (!root_exists(root, committed))
                return xstrdup(text_base_name(*folder));
        }
    }
    return NULL;
}

int inspect(const struct root *root, const struct inspection *earlier, struct inspection *ret,
            struct err *e)
{
    auto_inspection struct inspection facts = { 0 };
    auto_with(key_proofs_end) struct key_proofs proofs = { 0 };

    os_inspect(root, &facts.os);
    facts.profile = profile_of(&facts.os);
    facts.profile_known = *facts.profile->ids != '\0';
    if (root_facts(root, &facts.fs, e) < 0 || require_etc_ssh(root, e) < 0 ||
        accounts_inspect(root, &facts, e) < 0)
        return -1;
    sshd_inspect(root, facts.profile, earlier ? &earlier->sshd : NULL, &facts.sshd);
    facts.fips = policy_fips(root);
    if (config_inspect(root, facts.profile, &facts.sshd, &facts.config, e) < 0 ||
        keys_begin(root, earlier, &facts, &proofs, e) < 0 || nodes_inspect(root, &facts, e) < 0 ||
        login_inspect(root, &facts, e) < 0 || rest_inspect(root, &facts, e) < 0)
        return -1;
    keys_finish(root, &proofs, &facts);
    certs_inspect(root, &facts);
    names_inspect(root, &facts);
    keys_tie(&facts);
    if (earlier)
        carve_keep(earlier, &facts);
    label_inspect(root, &facts);
    facts.unfinished = unfinished_run(root);
    *ret = facts;
    facts = (struct inspection){ 0 };
    return 0;
}

void inspection_free(struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->key_count; i++)
        host_key_free(&inspection->keys[i]);
    for (size_t i = 0; i < inspection->node_count; i++)
        node_free(&inspection->nodes[i]);
    for (size_t i = 0; i < inspection->text_count; i++) {
        text_file_free(inspection->texts[i]);
        free(inspection->texts[i]);
    }
    free(inspection->texts);
    programs_free(&inspection->programs);
    service_free(&inspection->service);
    cloud_free(&inspection->cloud);
    login_free(&inspection->login);
    carving_free(&inspection->carving);
    substitute_free(&inspection->lost_config);
    substitute_free(&inspection->lost_moduli);
    for (size_t i = 0; i < ACCOUNT_FILES; i++)
        substitute_free(&inspection->lost_accounts[i]);
    for (size_t i = 0; i < inspection->new_label_count; i++) {
        free(inspection->new_labels[i].path);
        free(inspection->new_labels[i].label);
    }
    free(inspection->new_labels);
    free(inspection->accident.setuid_lost);
    free(inspection->certs);
    free(inspection->keys);
    free(inspection->nodes);
    os_free(&inspection->os);
    accounts_free(&inspection->accounts);
    config_free(&inspection->config);
    sshd_free(&inspection->sshd);
    free(inspection->fips);
    free(inspection->state_label);
    free(inspection->unfinished);
    text_list_free(&inspection->names);
    *inspection = (struct inspection){ 0 };
}
