/* SPDX-License-Identifier: MIT */
/*
 * Certificates of the host keys. sshd loads those that HostCertificate names and no
 * others (sshd.c, main, "Load certificates"): a -cert.pub that lies beside a key is
 * the business of ssh and ssh-agent alone.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

/* More than one for each key is nobody's. */
enum { CERTS_MAX = 32 };

/* What a system that runs writes to, so that it must have run at least until then. */
static const char *const clocks[] = {
    "/var/lib/systemd/timesync/clock", "/var/log/journal", "/var/log/wtmp", "/var/log", "/etc",
};

/*
 * Clients judge by their clock, which is nearer to the rescue system's than to anything
 * here; but a rescue system may have lost its own, and then the disk knows better.
 */
static uint64_t latest_time(const struct root *root)
{
    time_t latest = time(NULL);

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        struct root_stat stat;

        if (root_find(root, clocks[i], NULL, &stat, NULL) == 0 && stat.mtime.tv_sec > latest)
            latest = stat.mtime.tv_sec;
    }
    return latest > 0 ? (uint64_t)latest : 0;
}

/* sshkey_load_public: the file itself, then the one with ".pub" behind it. */
static bool read_cert(const struct root *root, const char *path, struct blob *ret)
{
    auto_free char *pub = xasprintf("%s.pub", path);

    return root_read(root, path, HOSTKEY_FILE_MAX, ret, NULL) == 0 ||
           root_read(root, pub, HOSTKEY_FILE_MAX, ret, NULL) == 0;
}

static bool identity_is(const struct host_key *key, const struct blob *blob)
{
    return (key->judgement.pub.name && blob_equal(&key->judgement.pub.blob, blob)) ||
           (key->pub.name && blob_equal(&key->pub.blob, blob));
}

/* A key that is lost still owns its certificate: it may come back. */
static const struct host_key *owner_of(const struct inspection *inspection, const struct blob *blob)
{
    for (size_t i = 0; i < inspection->key_count; i++)
        if (inspection->keys[i].used && identity_is(&inspection->keys[i], blob))
            return &inspection->keys[i];
    return NULL;
}

static void judge(const struct inspection *inspection, const struct blob *text, uint64_t now,
                  struct host_cert *cert)
{
    static const enum host_cert_state states[] = { [HOSTCERT_SOUND] = HOST_CERT_OK,
                                                   [HOSTCERT_DAMAGED] = HOST_CERT_DAMAGED,
                                                   [HOSTCERT_NONE] = HOST_CERT_NONE,
                                                   [HOSTCERT_UNKNOWN] = HOST_CERT_UNKNOWN };
    auto_hostcert struct hostcert parsed;

    cert->state = states[hostcert_parse(text, &parsed)];
    if (cert->state != HOST_CERT_OK)
        return;
    cert->key = owner_of(inspection, &parsed.key);
    if (!cert->key)
        cert->state = HOST_CERT_FOREIGN;
    else if (!parsed.host)
        cert->state = HOST_CERT_USER;
    else if (now >= parsed.valid_before)
        cert->state = HOST_CERT_EXPIRED;
    else if (now < parsed.valid_after)
        cert->state = HOST_CERT_EARLY;
}

static bool directory_exists(const struct root *root, const char *path)
{
    auto_free char *directory = xstrndup(path, (size_t)(text_base_name(path) - path));

    return root_exists(root, directory);
}

static void add_cert(const struct root *root, struct inspection *inspection,
                     const struct directive *line, uint64_t now)
{
    struct host_cert cert = { .directive = line, .path = line->args[0] };
    auto_blob struct blob text = { 0 };

    if (read_cert(root, cert.path, &text))
        judge(inspection, &text, now, &cert);
    else if (directory_exists(root, cert.path))
        cert.state = HOST_CERT_MISSING;
    else
        return; /* on another file system, or made at boot */
    array_push(inspection->certs, inspection->cert_count, cert);
}

void certs_inspect(const struct root *root, struct inspection *inspection)
{
    const struct config *config = &inspection->config;
    uint64_t now = latest_time(root);

    for (size_t i = 0; i < config->count && inspection->cert_count < CERTS_MAX; i++) {
        const struct directive *line = &config->directives[i];

        if (!line->in_match && strcasecmp(line->keyword, "HostCertificate") == 0 && line->args[0] &&
            line->args[0][0] == '/')
            add_cert(root, inspection, line, now);
    }
}
