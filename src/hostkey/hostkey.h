/* SPDX-License-Identifier: MIT */
/*
 * One SSH host key: parse it, prove it, compare it, make a new one, write it down.
 *
 * The only room that includes OpenSSL. It knows nothing of disks or of paths.
 *
 * A key counts as good only when it is proven: its structure is whole, its
 * private part belongs to its public part, and a signature made with it
 * verifies. sshd itself is content with less ("sshd -t" passes on a private
 * scalar with a flipped bit), and its clients pay for that.
 *
 * Formats: sshkey.c and PROTOCOL.key of OpenSSH; RFC 4253 6.6, 5656 3.1, 8709 4
 * for public blobs; RFC 4255, 6594, 7479 for SSHFP; authfile.c of 5.3 for protocol 1.
 */
#ifndef HOSTKEY_HOSTKEY_H
#define HOSTKEY_HOSTKEY_H

#include "base/blob.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* An OpenSSH release as a number that compares: OPENSSH(9, 2). */
#define OPENSSH(major, minor) ((major)*100 + (minor))

/* sshd reads no private key file larger than this (MAX_KEY_FILE_SIZE, authfile.c). */
#define HOSTKEY_FILE_MAX (1024 * 1024)

struct key_type;
struct hostkey;

/* The public half, as it stands in a .pub file. */
struct pubkey {
    char *name;       /* on the wire: "ssh-ed25519"; not necessarily a type we know */
    struct blob blob; /* the SSH wire encoding; of "rsa1", which has none, the like of it */
    char *comment;    /* "" where there is none */
};

enum hostkey_verdict {
    HOSTKEY_SOUND,        /* proven */
    HOSTKEY_EMPTY,        /* nothing in it, or nothing but NUL */
    HOSTKEY_CORRUPT,      /* not a key, or its parts do not belong together */
    HOSTKEY_WRAPPED,      /* sound once its text is put right; sshd refuses it as it stands */
    HOSTKEY_ENCRYPTED,    /* needs a passphrase */
    HOSTKEY_UNKNOWN_TYPE, /* well formed, of a type this build does not know */
};

enum hostkey_format {
    HOSTKEY_FORMAT_OPENSSH, /* openssh-key-v1, read by sshd from 6.5 on */
    HOSTKEY_FORMAT_PEM,     /* PKCS#1, SEC1 or traditional DSA, read by every sshd */
    HOSTKEY_FORMAT_PKCS8,   /* read by every sshd but for ed25519, which needs 9.6 */
    HOSTKEY_FORMAT_SSH1,    /* keys of protocol 1, and only they */
};

struct hostkey_judgement {
    enum hostkey_verdict verdict;
    const char *why;       /* what is wrong, a clause; "" where nothing is */
    struct hostkey *key;   /* SOUND and WRAPPED only */
    struct pubkey pub;     /* whenever a public part could be read, even of a corrupt key */
    struct blob rewrapped; /* WRAPPED only: the same key as sshd wants it */
    bool cut_off;          /* of protocol 1, and not whole: sshd before 6.7 ends as it reads it */
};

/*
 * Once, before any thread: libcrypto as it is built, without the rescue system's
 * openssl.cnf, whose engines and providers have no business here.
 */
void hostkey_prepare(void);
/*
 * From now on the secret numbers of keys lie in memory that is neither swapped nor
 * dumped, where the system allows it. May be called again.
 */
void hostkey_lock_memory(void);

/* ---- types ---------------------------------------------------------------------------- */

const struct key_type *key_type_named(const char *wire_name);
/* The type that a default host key of this file name has: "ssh_host_rsa_key". NULL if none. */
const struct key_type *key_type_of_file(const char *base_name);
const char *key_type_name(const struct key_type *type);  /* "ssh-rsa" */
const char *key_type_label(const struct key_type *type); /* "RSA" */
int key_type_protocol(const struct key_type *type);      /* of SSH: 1 or 2 */
/* False where sshd of this version (0: unknown) does not load keys of the type. */
bool key_type_loads(const struct key_type *type, int openssh);
bool key_type_can_generate(const struct key_type *type);
int key_type_default_bits(const struct key_type *type);

/* ---- private keys --------------------------------------------------------------------- */

/* Judges the bytes of a private key file. The caller frees with hostkey_judgement_free. */
void hostkey_judge(const struct blob *file, struct hostkey_judgement *ret);
void hostkey_judgement_copy(const struct hostkey_judgement *from, struct hostkey_judgement *ret);
void hostkey_judgement_free(struct hostkey_judgement *judgement);

/* A new key, proven. Makes use of two processors for RSA. */
int hostkey_generate(const struct key_type *type, int bits, const char *comment,
                     struct hostkey **ret, struct err *e) MUST_CHECK;
/*
 * The bytes of a private key file. Ed25519 is always written as openssh-key-v1, and a
 * key of protocol 1 in that protocol's format.
 */
int hostkey_serialise(const struct hostkey *key, enum hostkey_format format, struct blob *ret,
                      struct err *e) MUST_CHECK;
void hostkey_free(struct hostkey **key);

const struct key_type *hostkey_type(const struct hostkey *key);
const struct pubkey *hostkey_pub(const struct hostkey *key);
enum hostkey_format hostkey_format(const struct hostkey *key);
/* False where sshd of this version (0: unknown) cannot read the format the key stands in. */
bool hostkey_format_loads(const struct hostkey *key, int openssh);

/* ---- what is left of private keys ------------------------------------------------------ */

/*
 * The public part that a private key file claims to have, with its comment where it
 * tells one, even of a file that is torn, damaged ('?' for a character that cannot be)
 * or encrypted. Cheap, and proves nothing. 0, or -1 and *ret has no name.
 */
int hostkey_claim(const struct blob *file, struct pubkey *ret);

/* Called now and then while bit errors are searched for; false ends it. */
typedef bool (*hostkey_trial)(void *context, uint64_t done, uint64_t total);
/*
 * One key from damaged copies of it, or from pieces: RSA from the numbers that agree
 * (n and p; p and q; d, n and e), Ed25519 and ECDSA from a secret that is whole, or
 * has up to two bit errors, in the bytes or in the characters. What comes out is
 * proven, and is the wanted public key; wanted NULL: the one the copies claim. 0 or -1.
 */
int hostkey_rebuild(const struct blob *copies, size_t count, const struct pubkey *wanted,
                    hostkey_trial trial, void *context, struct hostkey **ret) MUST_CHECK;

/* ---- public keys ---------------------------------------------------------------------- */

/* The first key of a .pub file; 0, or -1 where there is none that holds together. */
int pubkey_parse(const struct blob *file, struct pubkey *ret) MUST_CHECK;
/* The key of a wire blob that at least names its type; 0 or -1. */
int pubkey_of_blob(const struct blob *blob, struct pubkey *ret) MUST_CHECK;
int pubkey_copy(const struct pubkey *pub, struct pubkey *ret);
void pubkey_free(struct pubkey *pub);
/* NULL where the type is unknown. */
const struct key_type *pubkey_type(const struct pubkey *pub);
/* The size ssh-keygen -l shows; 0 where the type is unknown. */
int pubkey_bits(const struct pubkey *pub);
/* "RSA" where the type is known, else the name on the wire. */
const char *pubkey_label(const struct pubkey *pub);
/* "SHA256:…" as ssh-keygen -l shows it. The caller frees each of these texts. */
char *pubkey_fingerprint(const struct pubkey *pub) MUST_CHECK;
/* "ssh-ed25519 AAAA… comment\n", "2048 65537 2817… comment\n": the whole of a .pub file. */
char *pubkey_file_text(const struct pubkey *pub) MUST_CHECK;
/* "host,host ssh-ed25519 AAAA…", "host,host 2048 65537 2817…": a line for known_hosts. */
char *pubkey_known_hosts(const struct pubkey *pub, const char *hosts) MUST_CHECK;
/* Two SSHFP records, SHA-1 and SHA-256, each with its newline; "" for types without a number. */
char *pubkey_sshfp(const struct pubkey *pub, const char *host) MUST_CHECK;

/* ---- known_hosts ---------------------------------------------------------------------- */

/*
 * The first word of a line of known_hosts ("web1,192.0.2.7", "[web1]:2222", "|1|salt|hash") names
 * this host, in lower case, by no pattern. With a port that is not 22: "[web1]:2222".
 */
bool known_hosts_names(const char *names, const char *host);
bool known_hosts_hashed(const char *names);

/* ---- certificates --------------------------------------------------------------------- */

enum hostcert_verdict {
    HOSTCERT_SOUND,   /* its structure is whole; whether its authority has signed it is not asked */
    HOSTCERT_DAMAGED, /* nothing that holds together */
    HOSTCERT_NONE,    /* a plain public key */
    HOSTCERT_UNKNOWN, /* of a type, or a format, that this build does not know */
};

struct hostcert {
    struct blob key; /* the key it is for, as the blob of a plain public key */
    bool host;       /* for a host; else for a user, and no client takes it from a host */
    uint64_t valid_after, valid_before; /* seconds since 1970; UINT64_MAX: for ever */
};

/* The first line of a -cert.pub file. ret: HOSTCERT_SOUND only; freed with hostcert_free. */
enum hostcert_verdict hostcert_parse(const struct blob *file, struct hostcert *ret);
void hostcert_free(struct hostcert *cert);

/* ---- digests -------------------------------------------------------------------------- */

/* SHA-256 of some bytes as 64 hexadecimal digits. */
char *digest_hex(const struct blob *bytes) MUST_CHECK;

#define auto_hostkey auto_with(hostkey_free)
#define auto_pubkey auto_with(pubkey_free)
#define auto_hostcert auto_with(hostcert_free)

#endif
