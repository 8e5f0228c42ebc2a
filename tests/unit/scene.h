/* SPDX-License-Identifier: MIT */
/* A healthy system as facts, made of literals: no root, no disk. Tests break it. */
#ifndef UNIT_SCENE_H
#define UNIT_SCENE_H

#include "inspect/inspection.h"
#include "inspect/modes.h"

enum { RSA, ECDSA, ED25519, SCENE_KEYS };
enum {
    NODE_KEY, /* + RSA, … */
    NODE_PUB = NODE_KEY + SCENE_KEYS,
    NODE_CONFIG = NODE_PUB + SCENE_KEYS,
    NODE_MODULI,
    NODE_CLIENT_DIR, /* /etc/ssh/ssh_config.d */
    NODE_PRIVSEP,
    NODE_ETC,
    NODE_HOME,
    NODE_SSH_DIR,
    NODE_AUTHORIZED,
    SCENE_NODES
};

struct scene {
    struct inspection facts;
    struct host_key keys[SCENE_KEYS];
    struct node nodes[SCENE_NODES];
    struct key_copy copies[4];
};

/* Debian with sshd 9.2p1: three sound keys, every mode right. */
void scene_make(struct scene *scene);
void scene_free(struct scene *scene);

/* What is left of a key's private file. */
void scene_lose(struct host_key *key, enum hostkey_verdict verdict);
void scene_remove_key(struct host_key *key);
/* Another key file of tests/unit/keys in a key's place; its .pub says so, too. */
void scene_replace(struct host_key *key, const char *file);
/* One more file that holds what may be a lost key. */
void scene_copy(struct scene *scene, struct host_key *key, const char *path, const char *file);
/* As scene_lose, with a .pub that is gone, too. */
void scene_lose_both(struct host_key *key, enum hostkey_verdict verdict);

void set_mode(struct node *node, mode_t mode);

#define auto_scene __attribute__((cleanup(scene_free)))

#endif
