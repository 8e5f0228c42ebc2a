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

/* Without a HostKey line: the types this release looks for, as far as the distribution makes them.
 */
static const struct {
    const char *file;
    int since, until; /* releases of sshd; until: the first that no longer looks */
} defaults[] = {
    { "ssh_host_rsa_key", 0, 0 },
    { "ssh_host_dsa_key", 0, OPENSSH(7, 7) },
    { "ssh_host_ecdsa_key", OPENSSH(5, 7), 0 },
    { "ssh_host_ed25519_key", OPENSSH(6, 5), 0 },
};

static struct host_key *find_key(struct inspection *inspection, const char *path)
{
    for (size_t i = 0; i < inspection->key_count; i++)
        if (strcmp(inspection->keys[i].path, path) == 0)
            return &inspection->keys[i];
    return NULL;
}

static void name_key(struct inspection *inspection, const char *path, bool used, bool configured)
{
    struct host_key key = { .used = used, .configured = configured };

    if (find_key(inspection, path))
        return;
    key.path = xstrdup(path);
    array_push(inspection->keys, inspection->key_count, key);
}

/* "HostKey none" names no key, and still does away with the defaults. */
static bool name_configured(struct inspection *inspection)
{
    const struct config *config = &inspection->config;
    bool any = false;

    for (size_t i = 0; i < config->count; i++) {
        const struct directive *line = &config->directives[i];

        if (line->in_match || strcasecmp(line->keyword, "HostKey") != 0 || !line->args[0])
            continue;
        any = true;
        if (line->args[0][0] == '/')
            name_key(inspection, line->args[0], true, true);
    }
    return any;
}

static void name_defaults(struct inspection *inspection)
{
    int openssh = inspection->sshd.version;

    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        auto_free char *path = xasprintf("/etc/ssh/%s", defaults[i].file);

        if (openssh &&
            (openssh < defaults[i].since || (defaults[i].until && openssh >= defaults[i].until)))
            continue;
        if (text_has_word(inspection->profile->key_types, defaults[i].file))
            name_key(inspection, path, true, false);
    }
}

/* Keys that lie there and are not loaded: judged, and never replaced. */
static void name_leftovers(const struct root *root, struct inspection *inspection)
{
    auto_with(text_list_free) char **names = NULL;

    if (root_glob(root, "/etc/ssh/ssh_host_*_key", &names, NULL) < 0)
        return;
    for (char **name = names; *name; name++)
        name_key(inspection, *name, false, false);
}

static char *describe_odd(const struct root *root, const char *path, mode_t mode)
{
    auto_free char *target = NULL;

    if (!S_ISLNK(mode))
        return xstrdup(S_ISDIR(mode)    ? "is a directory"
                       : S_ISFIFO(mode) ? "is a FIFO"
                       : S_ISSOCK(mode) ? "is a socket"
                                        : "is a device");
    if (root_readlink(root, path, &target, NULL) < 0)
        return xstrdup("is a link that cannot be read");
    return xasprintf("is a link to %s, which leads to nothing on this disk", target);
}

static bool directory_exists(const struct root *root, const char *path)
{
    auto_free char *directory = xstrndup(path, (size_t)(text_base_name(path) - path));

    return root_exists(root, directory);
}

/* Where a key file is, and whether it is a file at all. */
static void locate(const struct root *root, struct host_key *key)
{
    struct root_stat stat;

    if (root_find(root, key->path, &key->real, &stat, NULL) == 0) {
        key->exists = true;
        if (!S_ISREG(stat.mode))
            key->odd = describe_odd(root, key->path, stat.mode);
        else if (stat.size > HOSTKEY_FILE_MAX)
            key->odd = xstrdup("is larger than any key (1 MiB)");
    } else if (root_find_link(root, key->path, NULL, &stat, NULL) == 0) {
        key->exists = true;
        key->odd = describe_odd(root, key->path, stat.mode);
    } else if (!directory_exists(root, key->path)) {
        key->odd = xstrdup("is in a directory that is not on this disk");
    }
}

/* Where a new file of this path goes: its directory, resolved. */
static char *future_path(const struct root *root, const char *path)
{
    const char *name = text_base_name(path);
    auto_free char *directory = xstrndup(path, (size_t)(name - path));
    auto_free char *real = NULL;

    if (root_find(root, directory, &real, NULL, NULL) < 0)
        return xstrdup(path);
    return xasprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
}

static void read_pub(const struct root *root, struct host_key *key, struct blob *ret_bytes)
{
    auto_free char *path = xasprintf("%s.pub", key->path);
    struct root_stat stat;
    struct err e;

    key->pub_state = PUB_MISSING;
    if (root_find(root, path, &key->pub_real, &stat, &e) < 0) {
        if (root_find_link(root, path, NULL, NULL, NULL) == 0)
            key->pub_state = PUB_ODD;
        key->pub_real = future_path(root, path);
        return;
    }
    key->pub_state = S_ISREG(stat.mode) ? PUB_DAMAGED : PUB_ODD;
    if (root_read(root, path, HOSTKEY_FILE_MAX, ret_bytes, NULL) == 0 &&
        pubkey_parse(ret_bytes, &key->pub) == 0)
        key->pub_state = PUB_OK;
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

/* RSA: sshd's own minimum rose with 7.6, and is RequiredRSASize's from 9.1 on. */
static bool size_accepted(const struct inspection *inspection, const struct host_key *key)
{
    const struct directive *required = config_find(&inspection->config, "RequiredRSASize");
    int openssh = inspection->sshd.version, least = openssh >= OPENSSH(7, 6) ? 1024 : 768;

    if (!key->judgement.key || key->type != key_type_named("ssh-rsa"))
        return true;
    if (required && (openssh == 0 || openssh >= OPENSSH(9, 1)))
        least = atoi(required->args[0]) > least ? atoi(required->args[0]) : least;
    return pubkey_bits(&key->judgement.pub) >= least;
}

static bool lost(const struct host_key *key)
{
    return key->used && !key->odd &&
           (!key->exists || key->judgement.verdict == HOSTKEY_EMPTY ||
            key->judgement.verdict == HOSTKEY_CORRUPT ||
            key->judgement.verdict == HOSTKEY_ENCRYPTED);
}

/* One key while it is looked at: what its two files hold. */
struct look {
    struct host_key *key;
    struct blob bytes, pub_bytes;
    pthread_t thread;
    bool threaded;
};

static void look_free(struct look *look)
{
    blob_free(&look->bytes);
    blob_free(&look->pub_bytes);
}

static int read_key(const struct root *root, struct look *look, struct err *e)
{
    struct host_key *key = look->key;

    locate(root, key);
    read_pub(root, key, &look->pub_bytes);
    if (!key->real)
        key->real = future_path(root, key->path);
    key->judgement.why = "";
    if (!key->exists || key->odd)
        return 0;
    if (root_read(root, key->path, HOSTKEY_FILE_MAX, &look->bytes, e) < 0)
        return -1;
    key->digest = digest_hex(&look->bytes);
    return 0;
}

/* Proving a key takes libcrypto longer than everything else here, so they are proven side by side.
 */
static void *judge_key(void *argument)
{
    struct look *look = argument;

    hostkey_judge(&look->bytes, &look->key->judgement);
    judge_swapped(look->key, &look->bytes, &look->pub_bytes);
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

static void judge_all(struct look *looks, size_t count, const struct inspection *earlier)
{
    for (size_t i = 0; i < count; i++) {
        if (!looks[i].key->digest || proven_before(earlier, looks[i].key))
            continue;
        looks[i].threaded = pthread_create(&looks[i].thread, NULL, judge_key, &looks[i]) == 0;
        if (!looks[i].threaded)
            judge_key(&looks[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (looks[i].threaded)
            pthread_join(looks[i].thread, NULL);
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

/* What follows for this sshd from what the files hold. */
static void conclude(const struct inspection *inspection, struct host_key *key)
{
    int openssh = inspection->sshd.version;

    if (key->judgement.key && key->pub_state == PUB_OK &&
        !blob_equal(&key->pub.blob, &key->judgement.pub.blob))
        key->pub_state = PUB_FOREIGN;
    key->type = type_of(key);
    key->type_loads = !key->type || key_type_loads(key->type, openssh);
    key->format_loads = !key->judgement.key || hostkey_format_loads(key->judgement.key, openssh);
    key->size_accepted = size_accepted(inspection, key);
    key->lost = lost(key);
}

int keys_inspect(const struct root *root, const struct inspection *earlier,
                 struct inspection *inspection, struct err *e)
{
    auto_free struct look *looks = NULL;
    int result = 0;

    if (!name_configured(inspection))
        name_defaults(inspection);
    name_leftovers(root, inspection);
    looks = xcalloc(inspection->key_count, sizeof *looks);
    for (size_t i = 0; i < inspection->key_count && result == 0; i++) {
        looks[i].key = &inspection->keys[i];
        result = read_key(root, &looks[i], e);
    }
    if (result == 0)
        judge_all(looks, inspection->key_count, earlier);
    for (size_t i = 0; i < inspection->key_count; i++) {
        look_free(&looks[i]);
        conclude(inspection, &inspection->keys[i]);
    }
    if (result == 0)
        copies_inspect(root, inspection);
    return result;
}

void keys_tie(struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->key_count; i++) {
        struct host_key *key = &inspection->keys[i];

        for (size_t n = 0; n < inspection->node_count; n++) {
            const struct node *node = &inspection->nodes[n];

            if (node->rule == &mode_host_key && strcmp(node->path, key->path) == 0)
                key->node = node;
            if (node->rule == &mode_host_key_pub && strcmp(node->real, key->pub_real) == 0)
                key->pub_node = node;
        }
    }
}

bool host_key_sound(const struct host_key *key)
{
    return key->exists && !key->odd && key->judgement.verdict == HOSTKEY_SOUND && key->type_loads &&
           key->format_loads && key->size_accepted;
}

bool host_key_serves(const struct host_key *key)
{
    /* The mode is looked at only where root owns the file. */
    return host_key_sound(key) && key->node && (key->node->stat.uid != 0 || !node_open(key->node));
}

void host_key_free(struct host_key *key)
{
    hostkey_judgement_free(&key->judgement);
    pubkey_free(&key->pub);
    for (size_t i = 0; i < key->copy_count; i++) {
        hostkey_judgement_free(&key->copies[i].judgement);
        free(key->copies[i].path);
    }
    free(key->copies);
    free(key->path);
    free(key->real);
    free(key->odd);
    free(key->digest);
    free(key->pub_real);
    free(key->label);
    free(key->pub_label);
}
