/* SPDX-License-Identifier: MIT */
/* Asking what came up: its first line over TCP, its host keys by ssh-keyscan and ssh. */
#include "prove/private.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Its own time limit, -T, comes first. */
enum { SCAN_SECONDS = 120, SCAN_MAX = 64 * 1024, KEYS_MAX = 32 };

static struct sockaddr_in loopback(in_port_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Free now; whoever takes it first has it, so qemu may find it taken after all. */
in_port_t client_free_port(struct err *e)
{
    auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        return ntohs(address.sin_port);
    err_errno(e, "find a free port of the loopback interface");
    return 0;
}

int attempt_start(struct attempt *attempt, in_port_t port, struct err *e)
{
    struct sockaddr_in address = loopback(port);

    *attempt =
        (struct attempt){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) };
    if (attempt->fd < 0)
        return err_errno(e, "make a socket");
    /* What comes of it shows when it is read from. */
    if (connect(attempt->fd, (struct sockaddr *)&address, sizeof address) < 0 &&
        errno != EINPROGRESS)
        attempt_end(attempt);
    return 0;
}

void attempt_end(struct attempt *attempt)
{
    if (attempt->fd >= 0)
        close(attempt->fd);
    attempt->fd = -1;
}

enum answer attempt_read(struct attempt *attempt)
{
    size_t room = sizeof attempt->line - 1 - attempt->len;
    ssize_t n = recv(attempt->fd, attempt->line + attempt->len, room, 0);
    char *end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return ANSWER_NONE;
    if (n <= 0 && attempt->len == 0)
        return ANSWER_CLOSED;
    if (n > 0)
        attempt->len += (size_t)n;
    attempt->line[attempt->len] = '\0';
    end = strpbrk(attempt->line, "\r\n");
    if (!end && n > 0 && attempt->len < sizeof attempt->line - 1)
        return ANSWER_NONE;
    if (end)
        *end = '\0';
    text_clean_in_place(attempt->line);
    return text_starts(attempt->line, "SSH-") ? ANSWER_SSH : ANSWER_OTHER;
}

/* "[127.0.0.1]:2222 ssh-ed25519 AAAA…" */
static void learn_key(char *line, struct proof *proof)
{
    char *space = strchr(line, ' ');
    auto_blob struct blob text = blob_of_text(space ? space + 1 : "");
    struct pubkey pub = { 0 };

    if (*line == '#' || proof->served_count == KEYS_MAX || pubkey_parse(&text, &pub) < 0)
        return;
    if (proof_serves(proof, &pub))
        pubkey_free(&pub);
    else
        array_push(proof->served, proof->served_count, pub);
}

void client_learn(const char *lines, struct proof *proof)
{
    auto_free char *copy = xstrdup(lines);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n")))
        learn_key(line, proof);
}

/* ssh-keyscan's names of types, by how those on the wire begin. */
static const struct {
    const char *wire, *scan;
} scans[] = {
    { "ssh-rsa", "rsa" }, { "ecdsa-", "ecdsa" }, { "ssh-ed25519", "ed25519" }, { "ssh-dss", "dsa" }
};

static int scan(in_port_t port, const char *type, struct proof *proof, struct err *e)
{
    char port_text[8];
    /* Without -t, it asks for all types that it finds fit. */
    const char *const argv[] = { "ssh-keyscan", "-T", "60", "-p", port_text, "127.0.0.1", NULL };
    const char *const typed[] = { "ssh-keyscan", "-T", "60",        "-p", port_text,
                                  "-t",          type, "127.0.0.1", NULL };
    auto_blob struct blob output = { 0 };
    int status;

    snprintf(port_text, sizeof port_text, "%u", port);
    if (spawn_output(&(struct spawn){ .argv = type ? typed : argv }, SCAN_SECONDS, SCAN_MAX,
                     &output, &status, e) < 0)
        return -1;
    client_learn((const char *)output.data, proof);
    return 0;
}

static const char *scan_type(const struct host_key *key)
{
    const char *name = key->type ? key_type_name(key->type) : "";

    for (size_t i = 0; i < ARRAY_SIZE(scans); i++)
        if (text_starts(name, scans[i].wire))
            return scans[i].scan;
    return NULL;
}

int client_keys(in_port_t port, const struct inspection *facts, struct proof *proof, struct err *e)
{
    if (scan(port, NULL, proof, e) < 0)
        return -1;
    /* DSA is not asked for unless told; and a slow guest may have dropped one of several. */
    for (size_t i = 0; i < facts->key_count; i++) {
        const char *type = proof_misses(proof, &facts->keys[i]) ? scan_type(&facts->keys[i]) : NULL;

        if (type && scan(port, type, proof, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- can it sign with them? --------------------------------------------------------------- */

/* SSH_ERR_SIGNATURE_INVALID (ssherr.c of OpenSSH); before 6.8, what kexecdhc.c said. */
bool client_disbelieves(const char *output)
{
    return strstr(output, "incorrect signature") || strstr(output, "key_verify failed");
}

/* The key's own algorithm; RSA has several, and which of them sshd has follows from its release. */
static char *algorithms(const struct pubkey *pub)
{
    bool rsa = strcmp(pub->name, "ssh-rsa") == 0;

    return xasprintf("HostKeyAlgorithms=%s%s", rsa ? "rsa-sha2-512,rsa-sha2-256," : "", pub->name);
}

/* An unlinked file that ssh reads as a known_hosts with this one key. */
static int known_hosts(const struct pubkey *pub, struct err *e)
{
    auto_free char *line = pubkey_known_hosts(pub, "victim");
    auto_fd int fd = boot_scratch(e);

    if (fd < 0)
        return -1;
    if (io_write_all(fd, line, strlen(line)) < 0)
        return err_errno(e, "write a file for ssh");
    return take_fd(&fd);
}

/*
 * A handshake with this key alone, and the one try to log in that the client cannot do without:
 * "none", as a user that there is not. ssh closes what it inherits, so it reads our descriptor.
 */
static int handshake(in_port_t port, const struct pubkey *pub, struct blob *ret, struct err *e)
{
    auto_fd int known = known_hosts(pub, e);
    auto_free char *port_text = xasprintf("%u", port), *wanted = algorithms(pub);
    auto_free char *file = xasprintf("UserKnownHostsFile=/proc/%d/fd/%d", (int)getpid(), known);
    const char *const argv[] = { "ssh",
                                 "-F",
                                 "none",
                                 "-n",
                                 "-T",
                                 "-p",
                                 port_text,
                                 "-o",
                                 "BatchMode=yes",
                                 "-o",
                                 "ConnectTimeout=60",
                                 "-o",
                                 "HostKeyAlias=victim",
                                 "-o",
                                 "StrictHostKeyChecking=yes",
                                 "-o",
                                 file,
                                 "-o",
                                 "GlobalKnownHostsFile=/dev/null",
                                 "-o",
                                 wanted,
                                 "-o",
                                 "PreferredAuthentications=none",
                                 "sshmend-prove@127.0.0.1",
                                 "true",
                                 NULL };
    int status;

    if (known < 0)
        return -1;
    return spawn_output(&(struct spawn){ .argv = argv, .errors_too = true }, SCAN_SECONDS, SCAN_MAX,
                        ret, &status, e);
}

static void take_away(struct proof *proof, size_t i)
{
    auto_free char *before = take_ptr(proof->notes[2]);
    const char *type = proof->served[i].name;

    proof->notes[2] = before ? xasprintf("%s; neither for %s", before, type)
                             : xasprintf("sshd shows a host key of type %s that its signatures do "
                                         "not fit, so no client accepts it",
                                         type);
    pubkey_free(&proof->served[i]);
    proof->served[i] = proof->served[--proof->served_count];
}

int client_verify(in_port_t port, struct proof *proof, struct err *e)
{
    for (size_t i = proof->served_count; i-- > 0;) {
        auto_blob struct blob output = { 0 };

        if (handshake(port, &proof->served[i], &output, e) < 0)
            return -1;
        if (client_disbelieves((const char *)output.data))
            take_away(proof, i);
    }
    return 0;
}
