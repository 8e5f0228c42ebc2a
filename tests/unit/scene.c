/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include "base/alloc.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *file, *path, *pub_path;
} key_rows[SCENE_KEYS] = {
    { "rsa", "/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub" },
    { "ecdsa256", "/etc/ssh/ssh_host_ecdsa_key", "/etc/ssh/ssh_host_ecdsa_key.pub" },
    { "ed25519", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub" },
};

static void judge_file(const char *file, struct hostkey_judgement *ret)
{
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", file);

    hostkey_judge(&bytes, ret);
    ck_assert_int_eq(ret->verdict, HOSTKEY_SOUND);
}

static void fill_key(struct host_key *key, const char *file)
{
    judge_file(file, &key->judgement);
    ck_assert_int_eq(pubkey_copy(&key->judgement.pub, &key->pub), 0);
    key->pub_state = PUB_OK;
    key->type = hostkey_type(key->judgement.key);
}

static const struct mode_rule *rule_for(const char *pattern)
{
    for (size_t i = 0; mode_rules_by_pattern[i]; i++)
        if (strcmp(mode_rules_by_pattern[i]->pattern, pattern) == 0)
            return mode_rules_by_pattern[i];
    ck_abort_msg("no rule for %s", pattern);
}

static struct node node_of(const struct mode_rule *rule, const char *path, mode_t mode)
{
    return (struct node){ .rule = rule,
                          .path = (char *)path,
                          .real = (char *)path,
                          .stat = { .mode = rule->type | mode },
                          .refused = rule->refused,
                          .needed = rule->needed,
                          .mode = mode };
}

static void fill_keys(struct scene *scene)
{
    for (size_t i = 0; i < SCENE_KEYS; i++) {
        auto_free char *file = xasprintf("%s.v1", key_rows[i].file);

        scene->nodes[NODE_KEY + i] = node_of(&mode_host_key, key_rows[i].path, 0600);
        scene->nodes[NODE_PUB + i] = node_of(&mode_host_key_pub, key_rows[i].pub_path, 0644);
        scene->keys[i] = (struct host_key){ .path = (char *)key_rows[i].path,
                                            .real = (char *)key_rows[i].path,
                                            .pub_real = (char *)key_rows[i].pub_path,
                                            .used = true,
                                            .exists = true,
                                            .type_loads = true,
                                            .format_loads = true,
                                            .size_accepted = true,
                                            .node = &scene->nodes[NODE_KEY + i],
                                            .pub_node = &scene->nodes[NODE_PUB + i] };
        fill_key(&scene->keys[i], file);
    }
}

static void fill_nodes(struct node *nodes)
{
    nodes[NODE_CONFIG] = node_of(&mode_config_file, "/etc/ssh/sshd_config", 0644);
    nodes[NODE_MODULI] = node_of(rule_for("/etc/ssh/moduli"), "/etc/ssh/moduli", 0644);
    nodes[NODE_CLIENT_DIR] =
        node_of(rule_for("/etc/ssh/ssh_config.d"), "/etc/ssh/ssh_config.d", 0755);
    nodes[NODE_PRIVSEP] = node_of(&mode_privsep, "/run/sshd", 0755);
    nodes[NODE_ETC] = node_of(rule_for("/etc"), "/etc", 0755);
    nodes[NODE_HOME] = node_of(&mode_home, "/home/alice", 0755);
    nodes[NODE_SSH_DIR] = node_of(&mode_ssh_dir, "/home/alice/.ssh", 0700);
    nodes[NODE_AUTHORIZED] =
        node_of(&mode_authorized_keys, "/home/alice/.ssh/authorized_keys", 0600);
    for (size_t i = NODE_HOME; i <= NODE_AUTHORIZED; i++) {
        nodes[i].uid = nodes[i].stat.uid = 1000;
        nodes[i].gid = nodes[i].stat.gid = 1000;
        nodes[i].root_may_own = true;
    }
}

void scene_make(struct scene *scene)
{
    *scene = (struct scene){ 0 };
    scene->facts = (struct inspection){
        .os = { .id = (char *)"debian",
                .id_like = (char *)"",
                .version_id = (char *)"12",
                .name = (char *)"Debian GNU/Linux 12 (bookworm)",
                .hostname = (char *)"host",
                .machine_id = (char *)"" },
        .fs = { .fs = "ext4", .bytes_free = 1 << 30, .inodes_free = 10000, .block_size = 4096 },
        .sshd = { .path = (char *)"/usr/sbin/sshd",
                  .version_text = (char *)"9.2p1",
                  .version = OPENSSH(9, 2) },
        .config = { .path = (char *)"/etc/ssh/sshd_config" },
        .keys = scene->keys,
        .key_count = SCENE_KEYS,
        .nodes = scene->nodes,
        .node_count = SCENE_NODES,
        .key_meta = { .mode = 0600 },
        .pub_meta = { .mode = 0644 },
    };
    scene->facts.profile = profile_of(&scene->facts.os);
    scene->facts.profile_known = true;
    fill_keys(scene);
    fill_nodes(scene->nodes);
}

void scene_free(struct scene *scene)
{
    for (size_t i = 0; i < SCENE_KEYS; i++) {
        hostkey_judgement_free(&scene->keys[i].judgement);
        pubkey_free(&scene->keys[i].pub);
    }
    for (size_t i = 0; i < ARRAY_SIZE(scene->copies); i++)
        hostkey_judgement_free(&scene->copies[i].judgement);
}

void scene_lose(struct host_key *key, enum hostkey_verdict verdict)
{
    hostkey_judgement_free(&key->judgement);
    key->judgement.verdict = verdict;
    key->judgement.why = "it is broken";
}

void scene_lose_both(struct host_key *key, enum hostkey_verdict verdict)
{
    scene_lose(key, verdict);
    pubkey_free(&key->pub);
    key->pub_state = PUB_MISSING;
    key->pub_node = NULL;
}

void scene_remove_key(struct host_key *key)
{
    scene_lose(key, HOSTKEY_SOUND);
    key->judgement.why = "";
    key->exists = false;
    key->node = NULL;
}

void scene_replace(struct host_key *key, const char *file)
{
    hostkey_judgement_free(&key->judgement);
    pubkey_free(&key->pub);
    fill_key(key, file);
}

void scene_copy(struct scene *scene, struct host_key *key, const char *path, const char *file)
{
    struct key_copy *copy = &scene->copies[key->copy_count++];

    ck_assert_uint_le(key->copy_count, ARRAY_SIZE(scene->copies));
    copy->path = (char *)path;
    judge_file(file, &copy->judgement);
    key->copies = scene->copies;
}

void set_mode(struct node *node, mode_t mode)
{
    node->stat.mode = node->rule->type | mode;
}
