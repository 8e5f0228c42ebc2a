/* SPDX-License-Identifier: MIT */
#include "inspect/evidence.h"

#include "base/alloc.h"
#include "base/text.h"
#include "inspect/private.h"

#include <ctype.h>
#include <string.h>

/* "SHA256:" and 43 characters of base64 without padding (sshkey.c, fingerprint_b64). */
enum { FINGERPRINT_LEN = 7 + 43, LOG_MAX = 4 * 1024 * 1024 };

/* Of each source: a disk may be made to keep us busy, and what it says last is not used. */
enum { EVIDENCE_MAX = 512, OPERATOR_MAX = 10000 };

bool evidence_vouches(enum evidence_source source)
{
    return source <= EVIDENCE_CERTIFICATE;
}

static void evidence_item_free(struct evidence *item)
{
    free(item->where);
    pubkey_free(&item->pub);
    free(item->names);
    free(item->fingerprint);
    free(item->comment);
}

static bool is_full(const struct evidence_list *list, enum evidence_source source)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].source == source;
    return count >= (source == EVIDENCE_OPERATOR ? OPERATOR_MAX : EVIDENCE_MAX);
}

/* What is in the list from now on; NULL where there is no room. */
static struct evidence *add(struct evidence_list *list, struct evidence evidence)
{
    if (is_full(list, evidence.source)) {
        evidence_item_free(&evidence);
        return NULL;
    }
    array_push(list->items, list->count, evidence);
    return &list->items[list->count - 1];
}

static struct evidence *known(const struct evidence_list *list, const struct pubkey *pub,
                              const char *fingerprint)
{
    for (size_t i = 0; i < list->count; i++) {
        struct evidence *item = &list->items[i];

        if ((pub && item->pub.name && blob_equal(&pub->blob, &item->pub.blob)) ||
            (fingerprint && item->fingerprint && strcmp(fingerprint, item->fingerprint) == 0))
            return item;
    }
    return NULL;
}

bool evidence_knows(const struct evidence_list *list, const struct pubkey *pub)
{
    auto_free char *fingerprint = pubkey_fingerprint(pub);

    return known(list, pub, fingerprint) != NULL;
}

/*
 * What is known already is known better now, where the source is a stronger one. What the list has
 * of this key; NULL: nothing.
 */
static struct evidence *add_pub(struct evidence_list *list, enum evidence_source source,
                                const struct pubkey *pub, char *where)
{
    struct evidence evidence = { .source = source, .where = where };
    struct evidence *before = known(list, pub, NULL);

    if (!before && pubkey_copy(pub, &evidence.pub) == 0)
        return add(list, evidence);
    if (before && source < before->source) {
        free(before->where);
        before->source = source;
        before->where = where;
        return before;
    }
    free(where);
    return before;
}

static void add_fingerprint(struct evidence_list *list, enum evidence_source source,
                            const char *text, char *where)
{
    struct evidence evidence = { .source = source,
                                 .where = where,
                                 .fingerprint = xstrndup(text, FINGERPRINT_LEN) };

    if (!known(list, NULL, evidence.fingerprint)) {
        add(list, evidence);
        return;
    }
    free(where);
    free(evidence.fingerprint);
}

static bool is_fingerprint(const char *text)
{
    size_t len = 7;

    if (!text_starts(text, "SHA256:"))
        return false;
    while (isalnum((unsigned char)text[len]) || text[len] == '+' || text[len] == '/')
        len++;
    return len == FINGERPRINT_LEN;
}

/* ---- given by the operator ------------------------------------------------------------ */

/* What stands behind the names of a line: "ssh-ed25519 AAAA..."; NULL where there is no key. */
static const char *behind_names(const char *line)
{
    const char *at = line + strspn(line, " \t");

    /* A revoked key must not come back, and the key of an authority is no host's. */
    if (!*at || *at == '#' || *at == '@')
        return NULL;
    at += strcspn(at, " \t");
    return at + strspn(at, " \t");
}

static char *names_of(const char *line)
{
    const char *at = line + strspn(line, " \t");

    return xstrndup(at, strcspn(at, " \t"));
}

/* A key may stand on many lines: a hash is of one name alone. */
static int add_line(struct evidence_list *list, const struct pubkey *pub, const char *line,
                    const char *file, unsigned number, struct err *e)
{
    struct evidence *item =
        add_pub(list, EVIDENCE_OPERATOR, pub, xasprintf("%s, line %u", file, number));
    auto_free char *names = names_of(line), *before = NULL;

    if (!item)
        return err_set(e, ERR_REFUSED,
                       "%s holds more than %d keys; give those of this machine alone, which "
                       "ssh-keygen -F NAME -f %s finds",
                       file, OPERATOR_MAX, file);
    before = item->names;
    item->names = before ? xasprintf("%s,%s", before, names) : xstrdup(names);
    return 0;
}

int evidence_add_known_hosts(struct evidence_list *list, const char *text, const char *name,
                             struct err *e)
{
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line;
    size_t before = list->count;
    unsigned number = 0;

    while ((line = strsep(&rest, "\n"))) {
        const char *key = behind_names(line);
        auto_blob struct blob bytes = blob_of_text(key ? key : "");
        auto_pubkey struct pubkey pub = { 0 };

        number++;
        if (key && pubkey_parse(&bytes, &pub) == 0 &&
            add_line(list, &pub, line, name, number, e) < 0)
            return -1;
    }
    if (list->count == before)
        return err_set(e, ERR_REFUSED, "%s holds no key of a host", name);
    return 0;
}

int evidence_add_fingerprints(struct evidence_list *list, const char *fingerprints, struct err *e)
{
    auto_free char *copy = xstrdup(fingerprints);
    char *rest = copy, *one;

    while ((one = strsep(&rest, ","))) {
        one = text_trim(one);
        one[strcspn(one, "=")] = '\0';
        if (!is_fingerprint(one) || one[FINGERPRINT_LEN])
            return err_set(e, ERR_USAGE,
                           "this is no fingerprint (SHA256: and 43 characters, as ssh-keygen -l "
                           "shows it): %.60s",
                           one);
        add_fingerprint(list, EVIDENCE_OPERATOR, one, xstrdup("--fingerprint"));
    }
    return 0;
}

/* ---- beside the key ------------------------------------------------------------------- */

static void beside_key(const struct host_key *key, struct evidence_list *list)
{
    if (key->pub_state == PUB_OK)
        add_pub(list, EVIDENCE_PUB, &key->pub, xstrdup("its .pub"));
    if (key->judgement.pub.name)
        add_pub(list, EVIDENCE_PUB, &key->judgement.pub, xstrdup("what is left of it"));
}

/* A certificate outlives the key it is for. */
static void in_certificate(const struct root *root, const struct host_key *key,
                           struct evidence_list *list)
{
    auto_free char *path = xasprintf("%s-cert.pub", key->path);
    auto_free char *text = read_text(root, path, HOSTKEY_FILE_MAX);
    auto_blob struct blob bytes = blob_of_text(text ? text : "");
    auto_hostcert struct hostcert cert = { 0 };
    auto_pubkey struct pubkey pub = { 0 };

    if (hostcert_parse(&bytes, &cert) == HOSTCERT_SOUND && pubkey_of_blob(&cert.key, &pub) == 0)
        add_pub(list, EVIDENCE_CERTIFICATE, &pub, xstrdup("its certificate"));
}

/* ---- in logs -------------------------------------------------------------------------- */

static const char *const log_patterns[] = {
    "/var/log/apt/term.log*",   "/var/log/cloud-init-output.log*",
    "/var/log/cloud-init.log*", "/var/log/installer/*log*",
    "/var/log/anaconda/*",      "/var/log/messages*",
    "/var/log/syslog*",         "/var/log/boot.log*",
    "/root/*-ks.log",
};

/*
 * "256 SHA256:... root@web1 (ED25519)", a line of ssh-keygen -l about a key that root made, or that
 * sshd-keygen of Enterprise Linux did, without a comment: not the keys of users, which sshd logs at
 * every login.
 */
static const char *fingerprint_in(const char *line)
{
    const char *at = strstr(line, "SHA256:");

    return at && is_fingerprint(at) &&
                   (text_starts(at + FINGERPRINT_LEN, " root@") ||
                    text_starts(at + FINGERPRINT_LEN, " no comment ("))
               ? at
               : NULL;
}

/* cloud-init writes whole public keys, too: "ssh-ed25519 AAAA... root@web1". */
static void public_key_in(const char *line, const char *path, struct evidence_list *list)
{
    static const char *const starts[] = { "ssh-rsa AAAA", "ssh-ed25519 AAAA", "ecdsa-sha2-nistp",
                                          "ssh-dss AAAA" };

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        const char *at = strstr(line, starts[i]);
        auto_blob struct blob bytes = blob_of_text(at ? at : "");
        auto_pubkey struct pubkey pub = { 0 };

        if (at && pubkey_parse(&bytes, &pub) == 0 && text_starts(pub.comment, "root@"))
            add_pub(list, EVIDENCE_LOG, &pub, xstrdup(path));
    }
}

static void in_log(const char *text, const char *path, struct evidence_list *list)
{
    auto_free char *copy = xstrdup(text);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        const char *fingerprint = fingerprint_in(line);

        if (fingerprint)
            add_fingerprint(list, EVIDENCE_LOG, fingerprint, xstrdup(path));
        public_key_in(line, path, list);
    }
}

static void in_logs(const struct root *root, struct evidence_list *list)
{
    for (size_t i = 0; i < ARRAY_SIZE(log_patterns); i++) {
        auto_with(text_list_free) char **paths = NULL;

        if (root_glob(root, log_patterns[i], &paths, NULL) < 0)
            continue;
        for (char **path = paths; *path; path++) {
            auto_free char *text = log_tail(root, *path, LOG_MAX, NULL);

            if (text)
                in_log(text, *path, list);
        }
    }
}

/*
 * A cloud image may have no text logs. Reading a journal takes longer than all the rest, and is
 * for what nothing stronger names.
 */
static void in_journal(const struct root *root, struct evidence_list *list)
{
    auto_free char *text = journal_keys(root);

    if (text)
        in_log(text, JOURNAL_DIR, list);
}

/* ---- in known_hosts ------------------------------------------------------------------- */

/* A user of this system has logged in to it: by name, by address, or as localhost. */
static bool is_own_name(const struct inspection *facts, const char *line)
{
    static const char *const loopback[] = { "localhost", "127.0.0.1", "::1", "127.0.1.1" };
    auto_free char *names = names_of(line);

    for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
        if (known_hosts_names(names, loopback[i]))
            return true;
    return names_hold(facts, names);
}

static void in_known_hosts(const struct root *root, const struct inspection *facts,
                           const char *path, struct evidence_list *list)
{
    auto_free char *text = read_text(root, path, TEXT_FILE_MAX);
    char *rest = text, *line;

    while (text && (line = strsep(&rest, "\n"))) {
        const char *key = behind_names(line);
        auto_blob struct blob bytes = blob_of_text(key ? key : "");
        auto_pubkey struct pubkey pub = { 0 };

        if (!key || pubkey_parse(&bytes, &pub) < 0)
            continue;
        if (is_own_name(facts, line))
            add_pub(list, EVIDENCE_OWN_NAME, &pub, xasprintf("%s, by its own name", path));
        else
            add_pub(list, EVIDENCE_KNOWN_HOSTS, &pub, xstrdup(path));
    }
}

static void in_all_known_hosts(const struct root *root, const struct inspection *facts,
                               struct evidence_list *list)
{
    in_known_hosts(root, facts, "/etc/ssh/ssh_known_hosts", list);
    for (size_t i = 0; i < facts->login.user_count; i++) {
        auto_free char *path = xasprintf("%s/.ssh/known_hosts", facts->login.users[i].user->home);

        in_known_hosts(root, facts, path, list);
    }
}

/* ---- the comment ---------------------------------------------------------------------- */

static void by_comment(const struct inspection *facts, const struct host_key *key,
                       struct evidence_list *list)
{
    struct evidence hint = { .source = EVIDENCE_COMMENT, .type = key->type };

    if (!key->type || !*facts->os.hostname)
        return;
    hint.comment = xasprintf("root@%s", facts->os.hostname);
    hint.where = xasprintf("its comment, %s", hint.comment);
    add(list, hint);
}

void evidence_collect(const struct root *root, const struct inspection *facts,
                      struct evidence_list *ret)
{
    bool unnamed = false;

    if (!any_key_lost(facts))
        return;
    for (size_t i = 0; i < facts->key_count; i++) {
        size_t before = ret->count;

        if (!facts->keys[i].lost)
            continue;
        beside_key(&facts->keys[i], ret);
        in_certificate(root, &facts->keys[i], ret);
        unnamed = unnamed || ret->count == before;
    }
    in_logs(root, ret);
    if (unnamed)
        in_journal(root, ret);
    in_all_known_hosts(root, facts, ret);
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].lost)
            by_comment(facts, &facts->keys[i], ret);
}

void evidence_free(struct evidence_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        evidence_item_free(&list->items[i]);
    free(list->items);
    *list = (struct evidence_list){ 0 };
}
