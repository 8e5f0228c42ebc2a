/* SPDX-License-Identifier: MIT */
/* What is wrong with the host keys themselves. */
#include "findings/look.h"

#include "base/alloc.h"

#include <string.h>

/* "RSA", or "host key" where the type cannot be told. */
static const char *label_of(const struct host_key *key)
{
    return key->type ? key_type_label(key->type) : "host";
}

static void add(struct findings *out, const struct check *check, const struct host_key *key,
                char *message)
{
    struct finding *finding = finding_add(out, check, key->path, message);

    finding->key = key;
    finding->node = key->node;
}

/* What is signed by an agent, is not on this disk, or is of a type we do not know may well serve.
 */
static bool may_serve(const struct host_key *key)
{
    bool unknown = key->exists && !key->odd && key->judgement.verdict == HOSTKEY_UNKNOWN_TYPE &&
                   key->judgement.pub.name;

    return key->used && (host_key_serves(key) || key->agent || key->elsewhere || unknown);
}

void look_no_key(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (may_serve(&facts->keys[i]))
            return;
    finding_add(out, check, NULL,
                xstrdup("sshd will not come up: none of its host keys can serve"));
}

void look_elsewhere(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].used && facts->keys[i].elsewhere)
            add(out, check, &facts->keys[i], xstrdup(facts->keys[i].elsewhere));
}

static bool unreadable(const struct host_key *key, enum hostkey_verdict verdict)
{
    return key->used && key->exists && !key->odd && key->judgement.verdict == verdict;
}

void look_not_a_file(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].used && facts->keys[i].odd)
            add(out, check, &facts->keys[i],
                xasprintf("%s; put that right by hand, then run again", facts->keys[i].odd));
}

void look_missing(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];

        if (key->used && !key->exists && !key->agent && !key->elsewhere && key->type_loads)
            add(out, check, key,
                xasprintf("the %s key is missing%s", label_of(key),
                          key->pub_state == PUB_OK ? "; its .pub is still there" : ""));
    }
}

void look_empty(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (unreadable(&facts->keys[i], HOSTKEY_EMPTY))
            add(out, check, &facts->keys[i],
                xasprintf("the %s key is empty: %s", label_of(&facts->keys[i]),
                          facts->keys[i].judgement.why));
}

void look_corrupt(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (unreadable(&facts->keys[i], HOSTKEY_CORRUPT))
            add(out, check, &facts->keys[i],
                xasprintf("the %s key is corrupt: %s", label_of(&facts->keys[i]),
                          facts->keys[i].judgement.why));
}

void look_stops_sshd(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].stops_sshd)
            add(out, check, &facts->keys[i],
                xasprintf("sshd %s will not come up: it ends as it reads the %s key",
                          facts->sshd.version_text ? facts->sshd.version_text : "of this system",
                          label_of(&facts->keys[i])));
}

void look_wrapped(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (unreadable(&facts->keys[i], HOSTKEY_WRAPPED))
            add(out, check, &facts->keys[i],
                xasprintf("the %s key is sound, but sshd cannot read it: %s",
                          label_of(&facts->keys[i]), facts->keys[i].judgement.why));
}

void look_format(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (unreadable(&facts->keys[i], HOSTKEY_SOUND) && !facts->keys[i].format_loads)
            add(out, check, &facts->keys[i],
                xasprintf("the %s key is in a format that sshd %s cannot read",
                          label_of(&facts->keys[i]),
                          facts->sshd.version_text ? facts->sshd.version_text : "of this system"));
}

void look_encrypted(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (unreadable(&facts->keys[i], HOSTKEY_ENCRYPTED))
            add(out, check, &facts->keys[i],
                xasprintf("the %s key is useless to sshd: %s", label_of(&facts->keys[i]),
                          facts->keys[i].judgement.why));
}

void look_short(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (unreadable(&facts->keys[i], HOSTKEY_SOUND) && !facts->keys[i].size_accepted)
            add(out, check, &facts->keys[i],
                xasprintf("the RSA key has only %d bits, which sshd %s refuses",
                          pubkey_bits(&facts->keys[i].judgement.pub),
                          facts->sshd.version_text ? facts->sshd.version_text : "of this system"));
}

/* There is a private key that the .pub can be derived from, now or once it is rewrapped. */
static bool has_private(const struct host_key *key)
{
    return key->judgement.key && key->size_accepted;
}

void look_pub_missing(const struct check *check, const struct inspection *facts,
                      struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];
        bool missing = key->pub_state == PUB_MISSING;

        if (key->used && has_private(key) && !key->swapped &&
            (missing || key->pub_state == PUB_DAMAGED))
            add(out, check, key,
                xasprintf("the .pub of the %s key is %s", label_of(key),
                          missing ? "missing" : "damaged"));
    }
}

void look_pub_mismatch(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].used && has_private(&facts->keys[i]) &&
            facts->keys[i].pub_state == PUB_FOREIGN)
            add(out, check, &facts->keys[i],
                xasprintf("the .pub of the %s key belongs to another key",
                          label_of(&facts->keys[i])));
}

void look_weak(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];
        int bits = key->judgement.key ? pubkey_bits(&key->judgement.pub) : 0;

        if (key->used && host_key_sound(key) && key->type == key_type_named("ssh-rsa") &&
            bits < 2048)
            add(out, check, key, xasprintf("the RSA key has only %d bits", bits));
    }
}

/* Why this sshd does not load keys of the type. */
static char *why_retired(const struct inspection *facts, const struct host_key *key)
{
    const char *version = facts->sshd.version_text ? facts->sshd.version_text : "of this system";

    if (key->protocol_off)
        return xasprintf("sshd %s has no use for %s keys: it does not speak protocol %d", version,
                         label_of(key), key_type_protocol(key->type));
    if (facts->fips && key->type == key_type_named("ssh-ed25519"))
        return xasprintf("sshd does not load %s keys in FIPS mode (%s)", label_of(key),
                         facts->fips);
    return xasprintf("sshd %s does not load %s keys", version, label_of(key));
}

void look_retired(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];

        if (key->exists && !key->odd && !key->type_loads)
            add(out, check, key, why_retired(facts, key));
    }
}

void look_unknown_type(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];

        if (key->exists && !key->odd && key->judgement.verdict == HOSTKEY_UNKNOWN_TYPE)
            add(out, check, key,
                xasprintf("a key of type %s, which is left alone",
                          key->judgement.pub.name ? key->judgement.pub.name : "unknown"));
    }
}

/* ---- the same key elsewhere ------------------------------------------------------------ */

/* Two snapshots of one machine, or the machine itself. A clone that was given no name is no clone
 * to us. */
static bool same_machine(const struct os *a, const struct os *b)
{
    return strcmp(a->machine_id, b->machine_id) == 0 && strcmp(a->hostname, b->hostname) == 0;
}

static bool peer_has(const struct peer *peer, const struct pubkey *pub)
{
    for (size_t i = 0; i < peer->key_count; i++)
        if (blob_equal(&peer->keys[i].blob, &pub->blob))
            return true;
    return false;
}

/* The first other machine with the same key, and how many there are. */
static const struct peer *first_with(const struct inspection *facts, const struct pubkey *pub,
                                     size_t *ret_count)
{
    const struct peer *first = NULL;

    *ret_count = 0;
    for (size_t i = 0; i < facts->peer_count; i++) {
        const struct peer *peer = &facts->peers[i];

        if (same_machine(&peer->os, &facts->os) || !peer_has(peer, pub))
            continue;
        first = first ? first : peer;
        ++*ret_count;
    }
    return first;
}

void look_shared(const struct check *check, const struct inspection *facts, struct findings *out)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];
        size_t count;
        const struct peer *peer =
            key->used && key->judgement.key ? first_with(facts, &key->judgement.pub, &count) : NULL;

        if (peer && count == 1)
            add(out, check, key, xasprintf("%s has the same %s key", peer->name, label_of(key)));
        else if (peer)
            add(out, check, key,
                xasprintf("%s and %zu more have the same %s key", peer->name, count - 1,
                          label_of(key)));
    }
}

/* ---- what clients know ----------------------------------------------------------------- */

static const char *whether_found(const struct inspection *facts, bool found)
{
    if (found)
        return "; the key that they know is still on the disk";
    return facts->carving.done ? "; the key that they know was not found on the disk" : "";
}

/* "SHA256:… (RSA), SHA256:… (ED25519)" */
static char *served(const struct inspection *facts)
{
    char *list = xstrdup("");

    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];
        auto_free char *before = NULL, *one = NULL;

        if (!key->used || !key->judgement.key)
            continue;
        before = list;
        one = pubkey_fingerprint(&key->judgement.pub);
        list = xasprintf("%s%s%s (%s)", before, *before ? ", " : "", one, label_of(key));
    }
    return list;
}

void look_changed(const struct check *check, const struct inspection *facts, struct findings *out)
{
    const struct evidence *unmatched = fingerprint_unmatched(facts);

    for (size_t i = 0; i < facts->key_count; i++) {
        const struct host_key *key = &facts->keys[i];
        struct expectation known = { 0 };
        auto_free char *own = NULL, *theirs = NULL;

        if (!key_expected(facts, key, &known))
            continue;
        theirs = known.fingerprint;
        own = pubkey_fingerprint(&key->judgement.pub);
        add(out, check, key,
            xasprintf("clients know the %s key of this machine as %s (%s); it would serve %s%s",
                      label_of(key), theirs, known.where, own,
                      whether_found(facts, known.copy != NULL)));
    }
    if (unmatched) {
        auto_free char *list = served(facts);

        finding_add(out, check, NULL,
                    xasprintf("clients know this machine by %s (%s); it would serve %s%s",
                              unmatched->fingerprint, unmatched->where, list,
                              whether_found(facts, false)));
    }
}

/* ---- certificates --------------------------------------------------------------------- */

/* What sshd, or a client, has against it; NULL: nothing, or nothing that lasts. */
static const char *against(enum host_cert_state state)
{
    static const char *const clauses[] = {
        [HOST_CERT_MISSING] = "is not there",
        [HOST_CERT_DAMAGED] = "is damaged",
        [HOST_CERT_NONE] = "holds a public key, and no certificate",
        [HOST_CERT_FOREIGN] = "belongs to none of the host keys",
        [HOST_CERT_USER] = "is one of a user, which clients take from no host",
        [HOST_CERT_UNKNOWN] = NULL,
    };

    return clauses[state];
}

void look_cert_mismatch(const struct check *check, const struct inspection *facts,
                        struct findings *out)
{
    for (size_t i = 0; i < facts->cert_count; i++)
        if (against(facts->certs[i].state))
            finding_add(out, check, facts->certs[i].path,
                        xasprintf("the certificate %s", against(facts->certs[i].state)));
}

void look_cert_expired(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    for (size_t i = 0; i < facts->cert_count; i++) {
        const struct host_cert *cert = &facts->certs[i];

        if (cert->state == HOST_CERT_EXPIRED || cert->state == HOST_CERT_EARLY)
            finding_add(
                out, check, cert->path,
                xasprintf("the certificate of the %s key %s", label_of(cert->key),
                          cert->state == HOST_CERT_EARLY ? "is not valid yet" : "has expired"));
    }
}

const char *host_key_state(const struct host_key *key)
{
    static const char *const names[] = {
        [HOSTKEY_SOUND] = "ok",
        [HOSTKEY_EMPTY] = "empty",
        [HOSTKEY_CORRUPT] = "corrupt",
        [HOSTKEY_WRAPPED] = "corrupt",
        [HOSTKEY_ENCRYPTED] = "encrypted",
        [HOSTKEY_UNKNOWN_TYPE] = "unknown-type",
    };

    if (!key->exists)
        return "missing";
    if (key->odd || key->elsewhere)
        return "refused";
    if (key->judgement.verdict != HOSTKEY_SOUND)
        return names[key->judgement.verdict];
    if (!host_key_serves(key))
        return "refused";
    return key->pub_state == PUB_FOREIGN ? "mismatched" : "ok";
}
