/* SPDX-License-Identifier: MIT */
/*
 * The host keys: which ones this sshd would load (servconf.c, servconf_add_hostkey
 * and fill_default_server_options), which others lie beside them, and what state
 * each is in.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/*
 * Without a HostKey line: the types this release looks for, as far as the distribution makes
 * them, or somebody has.
 */
static const struct {
    const char *file;
    int since, until; /* releases of sshd; until: the first that no longer looks */
} defaults[] = {
    { "ssh_host_key", 0, OPENSSH(7, 4) }, /* of protocol 1 */
    { "ssh_host_rsa_key", 0, 0 },
    { "ssh_host_dsa_key", 0, OPENSSH(7, 7) },
    { "ssh_host_ecdsa_key", OPENSSH(5, 7), 0 },
    { "ssh_host_ed25519_key", OPENSSH(6, 5), 0 },
};

/* More than anybody has; what a configuration made to keep us busy names beyond is left out. */
enum { KEYS_MAX = 32 };

/* servconf.c, sProtocol; both were the default before 5.4, and there is but one since 7.4. */
static bool speaks(const struct inspection *inspection, int protocol)
{
    const struct directive *line = config_find(&inspection->config, "Protocol");
    int openssh = inspection->sshd.version;
    bool one, two;

    if (openssh == 0 || openssh >= OPENSSH(7, 4) ||
        (openssh >= OPENSSH(7, 0) && !inspection->sshd.protocol_1))
        return protocol == 2;
    one = line ? text_has_word(line->args[0], "1") : openssh < OPENSSH(5, 4);
    two = !line || text_has_word(line->args[0], "2");
    return protocol == 1 ? one : two || !one;
}

static bool knows_type(const struct inspection *inspection, const struct key_type *type)
{
    int openssh = inspection->sshd.version;

    if (inspection->fips && type == key_type_named("ssh-ed25519"))
        return false;
    if (inspection->sshd.early_ecdsa && openssh && openssh < OPENSSH(5, 7))
        openssh = OPENSSH(5, 7);
    return key_type_loads(type, openssh);
}

static bool named(const struct inspection *inspection, const char *path)
{
    for (size_t i = 0; i < inspection->key_count; i++)
        if (strcmp(inspection->keys[i].path, path) == 0)
            return true;
    return false;
}

static void name_key(struct inspection *inspection, const char *path, bool used)
{
    struct host_key key = { .used = used };

    if (inspection->key_count >= KEYS_MAX || named(inspection, path))
        return;
    key.path = xstrdup(path);
    array_push(inspection->keys, inspection->key_count, key);
}

/* servconf.c has the same under two names. */
static bool names_key(const struct directive *line)
{
    return strcasecmp(line->keyword, "HostKey") == 0 ||
           strcasecmp(line->keyword, "HostDSAKey") == 0;
}

/*
 * "HostKey none" names no key, and still does away with the defaults. What is relative is so to
 * where sshd is started (servconf.c, derelativise_path): init starts it in /.
 */
static bool name_configured(struct inspection *inspection)
{
    const struct config *config = &inspection->config;
    bool any = false;

    for (size_t i = 0; i < config->count; i++) {
        const struct directive *line = &config->directives[i];

        if (line->in_match || !names_key(line) || !line->args[0])
            continue;
        any = true;
        if (strcasecmp(line->args[0], "none") != 0) {
            auto_free char *path =
                line->args[0][0] == '/' ? xstrdup(line->args[0]) : xasprintf("/%s", line->args[0]);

            name_key(inspection, path, true);
        }
    }
    return any;
}

static void name_defaults(const struct root *root, struct inspection *inspection)
{
    int openssh = inspection->sshd.version;

    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        auto_free char *path = xasprintf("/etc/ssh/%s", defaults[i].file);

        if (openssh &&
            (openssh < defaults[i].since || (defaults[i].until && openssh >= defaults[i].until)))
            continue;
        if ((text_has_word(inspection->profile->key_types, defaults[i].file) ||
             root_exists(root, path)) &&
            speaks(inspection, key_type_protocol(key_type_of_file(defaults[i].file))))
            name_key(inspection, path, true);
    }
}

/* Keys that lie there and are not loaded: judged, and never replaced. */
static void name_leftovers(const struct root *root, struct inspection *inspection)
{
    auto_with(text_list_free) char **names = NULL;

    if (root_glob(root, "/etc/ssh/ssh_host*_key", &names, NULL) < 0)
        return;
    for (char **name = names; *name; name++)
        name_key(inspection, *name, false);
}

/* The private file holds a public line, and the .pub a private key. */
static void judge_swapped(struct host_key *key, const struct blob *bytes,
                          const struct blob *pub_bytes)
{
    auto_pubkey struct pubkey pub = { 0 };
    struct hostkey_judgement other;

    if (key->judgement.verdict != HOSTKEY_CORRUPT || key->pub_state != PUB_DAMAGED ||
        pubkey_parse(bytes, &pub) < 0)
        return;
    hostkey_judge(pub_bytes, &other);
    key->swapped = (other.verdict == HOSTKEY_SOUND || other.verdict == HOSTKEY_WRAPPED) &&
                   blob_equal(&other.pub.blob, &pub.blob);
    if (key->swapped) {
        hostkey_judgement_free(&key->judgement);
        key->judgement = other;
        key->judgement.verdict = HOSTKEY_WRAPPED;
        key->judgement.why = "the private key and its .pub have changed places";
        if (!key->judgement.rewrapped.data)
            key->judgement.rewrapped = blob_copy(pub_bytes->data, pub_bytes->len);
    } else {
        hostkey_judgement_free(&other);
    }
}

/* From 9.1 on; Red Hat's 8.7 has it, too (openssh-8.7p1-34.el9). */
static bool knows_required_size(const struct sshd *sshd)
{
    return sshd->version == 0 || sshd->version >= OPENSSH(9, 1) ||
           (sshd->version >= OPENSSH(8, 7) && sshd->group_keys);
}

/* RSA: sshd's own minimum rose with 7.6, and is RequiredRSASize's where it knows that. */
static bool size_accepted(const struct inspection *inspection, const struct host_key *key)
{
    const struct directive *required = config_find(&inspection->config, "RequiredRSASize");
    int openssh = inspection->sshd.version, least = openssh >= OPENSSH(7, 6) ? 1024 : 768;

    if (!key->judgement.key || key->type != key_type_named("ssh-rsa"))
        return true;
    if (required && knows_required_size(&inspection->sshd))
        least = atoi(required->args[0]) > least ? atoi(required->args[0]) : least;
    return pubkey_bits(&key->judgement.pub) >= least;
}

static bool lost(const struct host_key *key)
{
    return key->used && !key->odd && !key->elsewhere && !key->agent &&
           (!key->exists || key->judgement.verdict == HOSTKEY_EMPTY ||
            key->judgement.verdict == HOSTKEY_CORRUPT ||
            key->judgement.verdict == HOSTKEY_ENCRYPTED);
}

/* Proving a key takes libcrypto longer than all else here: it is done beside the rest of a look. */
static void *judge_key(void *argument)
{
    struct key_files *files = argument;

    hostkey_judge(&files->bytes, &files->key->judgement);
    judge_swapped(files->key, &files->bytes, &files->pub_bytes);
    return NULL;
}

/* The same bytes have been proven by an earlier look at the same disk. */
static bool proven_before(const struct inspection *earlier, struct host_key *key)
{
    for (size_t i = 0; earlier && i < earlier->key_count; i++) {
        const struct host_key *before = &earlier->keys[i];

        if (before->digest && strcmp(before->digest, key->digest) == 0 &&
            before->judgement.verdict == HOSTKEY_SOUND) {
            hostkey_judgement_copy(&before->judgement, &key->judgement);
            return true;
        }
    }
    return false;
}

static void prove(struct key_files *files, const struct inspection *earlier)
{
    if (!files->key->digest || proven_before(earlier, files->key))
        return;
    files->threaded = pthread_create(&files->thread, NULL, judge_key, files) == 0;
    if (!files->threaded)
        judge_key(files);
}

static void await(struct key_files *files)
{
    if (files->threaded)
        pthread_join(files->thread, NULL);
    files->threaded = false;
}

void key_proofs_end(struct key_proofs *proofs)
{
    for (size_t i = 0; i < proofs->count; i++) {
        await(&proofs->files[i]);
        key_files_free(&proofs->files[i]);
    }
    free(proofs->files);
    *proofs = (struct key_proofs){ 0 };
}

/* sshd.c, main: what an agent signs with is no key of protocol 1. */
static bool left_to_agent(const struct directive *agent, const struct host_key *key)
{
    const struct key_type *type = key->pub_state == PUB_OK ? pubkey_type(&key->pub) : NULL;

    return agent && strcasecmp(agent->args[0], "none") != 0 && !key->exists &&
           key->pub_state == PUB_OK && (!type || key_type_protocol(type) == 2);
}

static const struct key_type *type_of(const struct host_key *key)
{
    if (key->judgement.key)
        return hostkey_type(key->judgement.key);
    if (key->judgement.verdict == HOSTKEY_UNKNOWN_TYPE)
        return NULL;
    if (key->judgement.pub.name && pubkey_type(&key->judgement.pub))
        return pubkey_type(&key->judgement.pub);
    if (key->pub.name && pubkey_type(&key->pub))
        return pubkey_type(&key->pub);
    return key_type_of_file(text_base_name(key->path));
}

/* sshd before 6.7 loads what HostKey names, of a protocol it does not speak as well, and ends. */
static bool stops_sshd(const struct inspection *inspection, const struct host_key *key)
{
    int openssh = inspection->sshd.version;

    return key->used && key->judgement.cut_off && openssh && openssh < OPENSSH(6, 7);
}

/* What follows for this sshd from what the files hold. */
static void conclude(const struct inspection *inspection, struct host_key *key)
{
    int openssh = inspection->sshd.version;
    bool known;

    if (key->judgement.key && key->pub_state == PUB_OK &&
        !blob_equal(&key->pub.blob, &key->judgement.pub.blob))
        key->pub_state = PUB_FOREIGN;
    key->type = type_of(key);
    key->stops_sshd = stops_sshd(inspection, key);
    known = !key->type || knows_type(inspection, key->type);
    key->protocol_off =
        key->type && known && !key->stops_sshd && !speaks(inspection, key_type_protocol(key->type));
    key->type_loads = known && !key->protocol_off;
    key->used = key->used && key->type_loads;
    key->format_loads = !key->judgement.key || hostkey_format_loads(key->judgement.key, openssh);
    key->size_accepted = size_accepted(inspection, key);
    key->lost = lost(key);
}

/* The same file under two names is loaded once, and mended once. */
static void drop_duplicate(struct inspection *inspection, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(inspection->keys[i].real, inspection->keys[index].real) == 0)
            inspection->keys[index].used = false;
}

int keys_begin(const struct root *root, const struct inspection *earlier,
               struct inspection *inspection, struct key_proofs *ret, struct err *e)
{
    auto_with(key_proofs_end) struct key_proofs proofs = { 0 };

    if (!name_configured(inspection))
        name_defaults(root, inspection);
    name_leftovers(root, inspection);
    proofs.files = xcalloc(inspection->key_count, sizeof *proofs.files);
    for (size_t i = 0; i < inspection->key_count; i++) {
        proofs.files[proofs.count++].key = &inspection->keys[i];
        if (key_files_read(root, &proofs.files[i], e) < 0)
            return -1;
        drop_duplicate(inspection, i);
        prove(&proofs.files[i], earlier);
    }
    *ret = proofs;
    proofs = (struct key_proofs){ 0 };
    return 0;
}

void keys_finish(const struct root *root, struct key_proofs *proofs, struct inspection *inspection)
{
    const struct directive *agent = config_find(&inspection->config, "HostKeyAgent");

    key_proofs_end(proofs);
    for (size_t i = 0; i < inspection->key_count; i++) {
        inspection->keys[i].agent = left_to_agent(agent, &inspection->keys[i]);
        conclude(inspection, &inspection->keys[i]);
    }
    copies_inspect(root, inspection);
}

void keys_tie(struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->key_count; i++) {
        struct host_key *key = &inspection->keys[i];

        for (size_t n = 0; n < inspection->node_count; n++) {
            const struct node *node = &inspection->nodes[n];

            if (node->rule == &mode_host_key && strcmp(node->real, key->real) == 0)
                key->node = node;
            if (node->rule == &mode_host_key_pub && key->pub_real &&
                strcmp(node->real, key->pub_real) == 0)
                key->pub_node = node;
        }
    }
}

bool host_key_sound(const struct host_key *key)
{
    return key->exists && !key->odd && !key->elsewhere && key->judgement.verdict == HOSTKEY_SOUND &&
           key->type_loads && key->format_loads && key->size_accepted;
}

bool host_key_serves(const struct host_key *key)
{
    /* The mode is looked at only where root owns the file. */
    return host_key_sound(key) && key->node && (key->node->stat.uid != 0 || !node_open(key->node));
}

bool any_key_lost(const struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->key_count; i++)
        if (inspection->keys[i].lost)
            return true;
    return false;
}

void host_key_free(struct host_key *key)
{
    hostkey_judgement_free(&key->judgement);
    pubkey_free(&key->pub);
    for (size_t i = 0; i < key->copy_count; i++) {
        hostkey_judgement_free(&key->copies[i].judgement);
        free(key->copies[i].path);
        free(key->copies[i].vouched_by);
    }
    free(key->copies);
    free(key->path);
    free(key->real);
    free(key->odd);
    free(key->elsewhere);
    free(key->digest);
    free(key->pub_real);
    free(key->label);
    free(key->pub_label);
}
