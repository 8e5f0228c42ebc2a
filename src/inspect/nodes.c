/* SPDX-License-Identifier: MIT */
/* The files and directories of the table of expected modes, as they are on this system. */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MODE_BITS = 07777 };

/* True where this sshd loads keys that the group of the profile may read. */
static bool group_keys(const struct inspection *inspection, gid_t *ret_gid)
{
    const struct profile *profile = inspection->profile;
    const struct group *group = accounts_group(&inspection->accounts, profile->key_group);

    if (!(profile->key_mode & 0040) || !inspection->sshd.group_keys || !group)
        return false;
    *ret_gid = group->gid;
    return true;
}

static void expect_key_files(struct inspection *inspection)
{
    gid_t gid;

    inspection->key_meta = (struct root_meta){ .mode = 0600 };
    inspection->pub_meta = (struct root_meta){ .mode = mode_host_key_pub.mode };
    if (group_keys(inspection, &gid)) {
        inspection->key_meta.mode = inspection->profile->key_mode;
        inspection->key_meta.gid = gid;
    }
}

static void expect_key_mode(const struct inspection *inspection, struct node *node)
{
    const struct root_meta *meta = &inspection->key_meta;

    node->mode = meta->mode;
    node->gid = meta->gid;
    if (node->stat.gid == meta->gid)
        node->refused &= ~(meta->mode & 0040);
}

/* A group with one member, the owner: Debian's StrictModes lets it write. */
static bool lonely_group(const struct inspection *inspection, const struct user *owner, gid_t gid)
{
    const struct accounts *accounts = &inspection->accounts;
    bool member = owner->gid == gid;

    for (size_t i = 0; i < accounts->user_count; i++)
        if (accounts->users[i].gid == gid && accounts->users[i].uid != owner->uid)
            return false;
    for (size_t i = 0; i < accounts->group_count; i++) {
        const struct group *group = &accounts->groups[i];

        if (group->gid != gid || !*group->members)
            continue;
        if (strcmp(group->members, owner->name) != 0)
            return false;
        member = true;
    }
    return member;
}

/* Less what is refused; where what is needed is missing, with it and what goes with it. */
static mode_t narrowed(const struct node *node)
{
    mode_t mode = node->stat.mode & MODE_BITS & ~node->rule->refused;

    if ((mode & node->needed) == node->needed)
        return mode;
    mode |= node->needed | node->rule->mode;
    return S_ISDIR(node->stat.mode) ? mode | (mode & 0444) >> 2 : mode;
}

static void expect_mode(const struct inspection *inspection, struct node *node,
                        const struct user *owner)
{
    const struct profile *profile = inspection->profile;
    const struct group *shadow = accounts_group(&inspection->accounts, "shadow");

    if (owner && profile->user_groups && lonely_group(inspection, owner, node->stat.gid))
        node->refused &= ~(mode_t)0020;
    switch (node->rule->source) {
    case MODE_FIXED:
        node->mode = node->rule->mode;
        break;
    case MODE_NARROWED:
        node->mode = narrowed(node);
        break;
    case MODE_KEY:
        expect_key_mode(inspection, node);
        break;
    case MODE_CONFIG:
        node->mode = profile->config_mode;
        break;
    case MODE_MODULI:
        node->mode = profile->moduli_mode;
        break;
    case MODE_SECRET:
        node->mode = node->rule->mode;
        node->gid = shadow ? shadow->gid : 0;
        break;
    case MODE_PRIVSEP:
        node->mode = profile->privsep_mode;
        break;
    }
}

static bool known_node(const struct inspection *inspection, const char *real)
{
    for (size_t i = 0; i < inspection->node_count; i++)
        if (strcmp(inspection->nodes[i].real, real) == 0)
            return true;
    return false;
}

/* sshd reads authorized keys as the user: what root alone can read is no use. */
static bool reachable(const struct node *node, mode_t mode, const struct user *user)
{
    mode_t needed = node->rule->needed;

    if (node->stat.uid == user->uid || user->uid == 0)
        return true;
    return mode & (needed >> (node->stat.gid == user->gid ? 3 : 6));
}

/* Root may own it as long as the user can still read it, now and once its mode is mended. */
static bool root_may_own(const struct node *node, const struct user *user)
{
    bool mended = node_open(node) || node_closed(node);

    return reachable(node, node->stat.mode, user) && (!mended || reachable(node, node->mode, user));
}

bool in_store(const char *real)
{
    return text_starts(real, "/nix/store/") || text_starts(real, "/gnu/store/");
}

/* What is not there, or is something else than the rule is about, is no error and no node. */
int node_add(const struct root *root, struct inspection *inspection, const struct mode_rule *rule,
             const char *path, const struct user *owner, struct err *e)
{
    struct node node = { .rule = rule, .refused = rule->refused, .needed = rule->needed };
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    struct err why = { 0 };

    if (root_describe(root, path, &node.real, &node.stat, &attributes, &why) < 0) {
        if (why.kind == ERR_NOT_FOUND || why.code == ELOOP || why.code == ENAMETOOLONG)
            return 0;
        if (e)
            *e = why;
        return -1;
    }
    if ((node.stat.mode & S_IFMT) != rule->type || node.stat.foreign || in_store(node.real) ||
        known_node(inspection, node.real)) {
        free(node.real);
        return 0;
    }
    node.path = xstrdup(path);
    if (owner) {
        node.uid = owner->uid;
        node.gid = owner->gid;
    }
    /* A directory that can be listed and not passed has lost its x bits. */
    if (S_ISDIR(node.stat.mode))
        node.needed |= (node.stat.mode & 0444) >> 2;
    expect_mode(inspection, &node, owner);
    node.root_may_own = owner && root_may_own(&node, owner);
    node.acl = attributes.acl.data != NULL;
    node.label = take_ptr(attributes.label);
    node.flags = attributes.flags;
    array_push(inspection->nodes, inspection->node_count, node);
    return 0;
}

static int add_all(const struct root *root, struct inspection *inspection,
                   const struct mode_rule *rule, char *const *paths, struct err *e)
{
    for (; *paths; paths++)
        if (node_add(root, inspection, rule, *paths, NULL, e) < 0)
            return -1;
    return 0;
}

static int add_patterns(const struct root *root, struct inspection *inspection, struct err *e)
{
    for (size_t i = 0; mode_rules_by_pattern[i]; i++) {
        const struct mode_rule *rule = mode_rules_by_pattern[i];
        auto_with(text_list_free) char **paths = NULL;
        int result = 0;

        if (!strpbrk(rule->pattern, "*?["))
            result = node_add(root, inspection, rule, rule->pattern, NULL, e);
        else if ((result = root_glob(root, rule->pattern, &paths, e)) == 0)
            result = add_all(root, inspection, rule, paths, e);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int add_keys(const struct root *root, struct inspection *inspection, struct err *e)
{
    for (size_t i = 0; i < inspection->key_count; i++) {
        const struct host_key *key = &inspection->keys[i];

        if (key->odd || key->elsewhere)
            continue;
        if (node_add(root, inspection, &mode_host_key, key->path, NULL, e) < 0)
            return -1;
        if (!key->pub_link &&
            node_add(root, inspection, &mode_host_key_pub, key->pub_real, NULL, e) < 0)
            return -1;
    }
    return 0;
}

/* The first file is the main one; what it includes comes behind. */
static int add_config(const struct root *root, struct inspection *inspection, struct err *e)
{
    const struct mode_rule *rule = &mode_config_file;
    const struct config *config = &inspection->config;
    struct root_stat stat;

    if (!config->file_count)
        return 0;
    /* What a link leads to need not be a configuration at all. */
    if (root_find_link(root, config->files[0].path, NULL, &stat, NULL) == 0 && S_ISLNK(stat.mode))
        rule = &mode_config_dropin;
    for (size_t i = 0; i < config->file_count; i++)
        if (node_add(root, inspection, i == 0 ? rule : &mode_config_dropin, config->files[i].path,
                     NULL, e) < 0)
            return -1;
    return 0;
}

int nodes_inspect(const struct root *root, struct inspection *inspection, struct err *e)
{
    const char *privsep = inspection->profile->privsep_dir;

    expect_key_files(inspection);
    if (add_keys(root, inspection, e) < 0 || add_patterns(root, inspection, e) < 0 ||
        add_config(root, inspection, e) < 0)
        return -1;
    return privsep ? node_add(root, inspection, &mode_privsep, privsep, NULL, e) : 0;
}

/* Every directory above a file: whoever may write one of them may replace the file. */
static int add_directories(const struct root *root, struct inspection *inspection,
                           const struct mode_rule *rule, const char *file, struct err *e)
{
    auto_free char *path = xstrdup(file);
    char *slash;

    while ((slash = strrchr(path, '/')) && slash != path) {
        *slash = '\0';
        /* Those above one that is known have been gone through with it. */
        if (known_node(inspection, path))
            return 0;
        if (node_add(root, inspection, rule, path, NULL, e) < 0)
            return -1;
    }
    return 0;
}

/* The program interpreter, ld-linux-x86-64.so.2 or ld-musl-x86_64.so.1, is run, not mapped. */
static bool is_library(const char *path)
{
    return (strstr(path, ".so.") || text_ends(path, ".so")) &&
           !text_starts(text_base_name(path), "ld");
}

static int add_named(const struct root *root, struct inspection *inspection, struct err *e)
{
    for (size_t i = 0; i < inspection->login.named_count; i++) {
        const struct named_file *named = &inspection->login.named[i];
        const char *keyword = named->directive->keyword;

        if (named->missing)
            continue;
        if ((strcasecmp(keyword, "AuthorizedKeysCommand") == 0 ||
             strcasecmp(keyword, "AuthorizedPrincipalsCommand") == 0) &&
            (node_add(root, inspection, &mode_command, named->path, NULL, e) < 0 ||
             add_directories(root, inspection, &mode_command_directory, named->path, e) < 0))
            return -1;
        if (strcasecmp(keyword, "ChrootDirectory") == 0 &&
            (node_add(root, inspection, &mode_chroot, named->path, NULL, e) < 0 ||
             add_directories(root, inspection, &mode_chroot, named->path, e) < 0))
            return -1;
    }
    return 0;
}

static int add_shells(const struct root *root, struct inspection *inspection, struct err *e)
{
    for (size_t i = 0; i < inspection->login.user_count; i++) {
        const struct login_user *who = &inspection->login.users[i];
        const char *shell = *who->user->shell ? who->user->shell : "/bin/sh";

        if (who->shell_missing)
            continue;
        if (node_add(root, inspection, &mode_shell, shell, NULL, e) < 0 ||
            add_directories(root, inspection, &mode_system_directory, shell, e) < 0)
            return -1;
    }
    return 0;
}

int nodes_of_programs(const struct root *root, struct inspection *inspection, struct err *e)
{
    const struct programs *programs = &inspection->programs;

    if (inspection->sshd.path &&
        (node_add(root, inspection, &mode_program, inspection->sshd.path, NULL, e) < 0 ||
         add_directories(root, inspection, &mode_system_directory, inspection->sshd.path, e) < 0))
        return -1;
    for (char **file = programs->files; file && *file; file++) {
        const struct mode_rule *rule = is_library(*file) ? &mode_library : &mode_program;

        if (node_add(root, inspection, rule, *file, NULL, e) < 0 ||
            add_directories(root, inspection, &mode_system_directory, *file, e) < 0)
            return -1;
    }
    if (add_named(root, inspection, e) < 0)
        return -1;
    return add_shells(root, inspection, e);
}

bool node_open(const struct node *node)
{
    return node->stat.mode & node->refused;
}

bool node_closed(const struct node *node)
{
    return (node->stat.mode & node->needed) != node->needed;
}

bool node_owner_wrong(const struct node *node)
{
    return node->stat.uid != node->uid && !(node->root_may_own && node->stat.uid == 0);
}

/* The type of a context: "system_u:object_r:sshd_key_t:s0". */
static const char *label_type(const char *label)
{
    for (int colons = 0; label && colons < 2; colons++) {
        label = strchr(label, ':');
        label = label ? label + 1 : NULL;
    }
    return label ? label : "";
}

/* User, role and level differ between ways of labelling, and no rule for sshd looks at them. */
bool node_label_wrong(const struct node *node)
{
    const char *is = label_type(node->label), *expected = label_type(node->expected_label);
    size_t len = strcspn(expected, ":");

    return node->expected_label && (strcspn(is, ":") != len || strncmp(is, expected, len) != 0);
}

void node_free(struct node *node)
{
    free(node->path);
    free(node->real);
    free(node->label);
    free(node->expected_label);
}
