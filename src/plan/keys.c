/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a host key, the first that works, its identity kept as long as
 * possible: written anew as it is, a proven copy put back, a new one made.
 */
#include "plan/planning.h"

#include "base/alloc.h"

#include <string.h>

/* A write makes the file anew, with the right mode, owner and label. */
static void push_write(struct planning *planning, const struct host_key *key, bool public_half,
                       struct blob content, int new_key, char *about)
{
    const struct inspection *facts = planning->facts;
    const struct node *node = public_half ? key->pub_node : key->node;
    struct change change = {
        .kind = CHANGE_WRITE,
        .path = xstrdup(public_half ? key->pub_real : key->real),
        .about = about,
        .content = content,
        .new_key = new_key,
        .public_half = public_half,
        .replaces = public_half ? key->pub_state != PUB_MISSING : key->exists,
        .meta = public_half ? facts->pub_meta : facts->key_meta,
    };

    /* A directory in the place of a .pub harms nobody: it stays. */
    if (public_half && key->pub_state == PUB_ODD) {
        free(change.path);
        free(about);
        blob_free(&content);
        return;
    }
    change.meta.label = public_half ? key->pub_label : key->label;
    if (node)
        planning->written[node - facts->nodes] = true;
    plan_push(planning, change);
}

static const char *label_of(const struct host_key *key)
{
    return key->type ? key_type_label(key->type) : "host";
}

static struct blob pub_text(const struct pubkey *pub)
{
    auto_free char *text = pubkey_file_text(pub);

    return blob_of_text(text);
}

static void push_pub(struct planning *planning, const struct host_key *key,
                     const struct pubkey *pub)
{
    push_write(planning, key, true, pub_text(pub), NO_NEW_KEY,
               xasprintf("the .pub, derived from the %s key", label_of(key)));
}

/* As it stands where this sshd reads it, else as PEM, which every sshd reads. */
static int serialise(const struct planning *planning, const struct hostkey *key, struct blob *ret,
                     struct err *e)
{
    int openssh = planning->facts->sshd.version;
    bool keep = hostkey_format(key) == HOSTKEY_FORMAT_OPENSSH && hostkey_format_loads(key, openssh);

    return hostkey_serialise(key, keep ? HOSTKEY_FORMAT_OPENSSH : HOSTKEY_FORMAT_PEM, ret, e);
}

static int rewrap(struct planning *planning, const struct host_key *key, struct key_fate *fate,
                  struct err *e)
{
    const struct blob *rewrapped = &key->judgement.rewrapped;
    struct blob content;

    if (rewrapped->data && key->format_loads)
        content = blob_copy(rewrapped->data, rewrapped->len);
    else if (serialise(planning, key->judgement.key, &content, e) < 0)
        return -1;
    fate->origin = ORIGIN_KEPT;
    push_write(planning, key, false, content, NO_NEW_KEY,
               xasprintf("the same %s key, as sshd wants it", label_of(key)));
    if (key->swapped || planning->pubs[key - planning->facts->keys])
        push_pub(planning, key, &key->judgement.pub);
    return 0;
}

static int restore(struct planning *planning, const struct host_key *key,
                   const struct key_copy *copy, struct key_fate *fate, struct err *e)
{
    struct blob content;

    if (serialise(planning, copy->judgement.key, &content, e) < 0)
        return -1;
    fate->origin = ORIGIN_RESTORED;
    fate->guessed = !copy->vouched_by && plan_identity(key) == NULL;
    push_write(planning, key, false, content, NO_NEW_KEY,
               xasprintf("the %s key, from %s", label_of(key), copy->path));
    if (key->pub_state != PUB_OK || !blob_equal(&key->pub.blob, &copy->judgement.pub.blob))
        push_pub(planning, key, &copy->judgement.pub);
    return 0;
}

/* As long as this sshd asks for. */
static int new_bits(const struct inspection *facts, const struct host_key *key)
{
    const struct directive *required = config_find(&facts->config, "RequiredRSASize");
    int bits = key_type_default_bits(key->type);
    int least = required && key->type == key_type_named("ssh-rsa") ? atoi(required->args[0]) : 0;

    return least > bits && least <= 16384 ? (least + 1023) / 1024 * 1024 : bits;
}

/* A certificate is for one key: it never fits another. */
static const char *cert_of(const struct inspection *facts, const struct host_key *key)
{
    for (size_t i = 0; i < facts->cert_count; i++)
        if (facts->certs[i].key == key)
            return facts->certs[i].path;
    return NULL;
}

static void generate(struct planning *planning, const struct host_key *key, struct key_fate *fate)
{
    const struct inspection *facts = planning->facts;
    struct plan *plan = &planning->plan;
    bool old = facts->sshd.version && facts->sshd.version < OPENSSH(6, 5);
    struct new_key made = {
        .type = key->type,
        .bits = new_bits(facts, key),
        .format = old ? HOSTKEY_FORMAT_PEM : HOSTKEY_FORMAT_OPENSSH,
        .comment = *facts->os.hostname ? xasprintf("root@%s", facts->os.hostname) : xstrdup(""),
    };
    int index = (int)plan->new_key_count;

    array_push(plan->new_keys, plan->new_key_count, made);
    fate->origin = ORIGIN_GENERATED;
    fate->new_key = index;
    fate->lost_cert = cert_of(facts, key);
    push_write(planning, key, false, (struct blob){ 0 }, index,
               xasprintf("a new %s %d key", label_of(key), made.bits));
    push_write(planning, key, true, (struct blob){ 0 }, index,
               xasprintf("the .pub of the new %s key", label_of(key)));
}

/*
 * Found on the bare disk, and nothing but the disk vouches for it: not without somebody who
 * has seen that. Nor is a new one made, since writing it may destroy what was found.
 */
static bool held_back(const struct plan_options *options, const struct key_copy *copy)
{
    return copy->carved && !evidence_vouches(copy->source) && !options->trust_disk;
}

int plan_key(struct planning *planning, size_t index, struct err *e)
{
    const struct host_key *key = &planning->facts->keys[index];
    struct key_fate *fate = &planning->plan.fates[index];
    const struct pubkey *identity = plan_identity(key);

    fate->new_key = NO_NEW_KEY;
    fate->origin = key->judgement.key ? ORIGIN_KEPT : ORIGIN_NONE;
    fate->old_fingerprint = identity ? pubkey_fingerprint(identity) : NULL;
    switch (planning->keys[index]) {
    case TASK_NONE:
        return 0;
    case TASK_PUB:
        push_pub(planning, key, &key->judgement.pub);
        return 0;
    case TASK_REWRAP:
        return rewrap(planning, key, fate, e);
    case TASK_RESTORE:
    case TASK_REPLACE:
        fate->copy = plan_copy(key);
        fate->held = fate->copy && held_back(planning->options, fate->copy);
        if (fate->held)
            return 0;
        if (fate->copy)
            return restore(planning, key, fate->copy, fate, e);
        if (planning->keys[index] == TASK_RESTORE)
            return 0;
        break;
    case TASK_RENEW:
        break;
    }
    if (!key->type || !key->type_loads || !key_type_can_generate(key->type))
        return 0;
    generate(planning, key, fate);
    return 0;
}
