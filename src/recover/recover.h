/* SPDX-License-Identifier: MIT */
/*
 * Private host keys that are lost, looked for on the bare disk.
 *
 * A deleted key is still there until its block is written again, and the first
 * mount, journal replay or new key may do that. So this comes before all of them,
 * reads the disk itself, and never writes to it.
 *
 * What is looked for is said by whoever knows: the engine compares, and neither
 * judges evidence nor decides what is restored. A key is handed out with its
 * secret only where it is wanted and proven (hostkey/); of all others the public
 * part alone is told, since a disk holds the keys of many owners.
 *
 * Memory stays below 64 MB whatever the size of the disk and whatever lies on it.
 */
#ifndef RECOVER_RECOVER_H
#define RECOVER_RECOVER_H

#include "base/blob.h"
#include "base/err.h"
#include "device/device.h"
#include "hostkey/hostkey.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One key that is looked for: by its public part, by its fingerprint, or, where
 * neither is known, by what it must have been. All that is set has to fit.
 */
struct recover_want {
    const struct blob *blob;     /* the SSH wire encoding of the public key, or NULL */
    const char *fingerprint;     /* "SHA256:…", or NULL */
    const struct key_type *type; /* a hint: of this type, or NULL */
    const char *comment;         /* a hint: with this comment ("root@web1"), or NULL */
    bool one_of_many;            /* no remnant is tried for it but those that claim to be it */
};

/* Where on the disk. A file system that is not understood is searched as a whole. */
struct recover_where {
    uint64_t offset, size; /* bytes from the start of the disk; size 0: to its end */
    const char *fs;        /* libblkid's word, as in struct volume; NULL: none */
    uint64_t near_inode;   /* search near this inode (that of /etc/ssh) first; 0: no preference */
};

/* What is going on, for a progress bar. */
enum recover_stage {
    RECOVER_SEARCHING_UNALLOCATED, /* in bytes */
    RECOVER_SEARCHING_ALLOCATED,   /* in bytes; the only stage where no bitmap is understood */
    RECOVER_JOINING,               /* pieces of keys; in bytes */
    RECOVER_REBUILDING,            /* bit errors; in trials */
};

struct recover_progress {
    enum recover_stage stage;
    uint64_t done, total; /* of this stage */
    double rate;          /* a second, since the stage began */
};

/* Called some ten times a second, and at the end of a stage; false cancels the search. */
typedef bool (*recover_progress_fn)(void *context, const struct recover_progress *now);

struct recover_options {
    bool unallocated_only; /* leave allocated space alone, where a bitmap tells it */
    recover_progress_fn progress;
    void *context;
};

enum recover_state {
    RECOVER_PROVEN,       /* sound, and its signature verifies */
    RECOVER_UNKNOWN_TYPE, /* whole, of a type nobody here can prove; the wanted blob to the byte */
    RECOVER_ENCRYPTED,    /* whole, behind a passphrase */
    RECOVER_TORN,         /* what is left does not make a key */
};

/* How it came to be. That a key is openssh-key-v1 or PEM is told by hostkey_format. */
enum recover_way {
    RECOVER_AS_IT_STOOD,
    RECOVER_FROM_ZSTD, /* out of a zstd frame: btrfs, a packed backup */
    RECOVER_FROM_GZIP, /* out of a gzip member */
    RECOVER_FROM_ZLIB, /* out of a zlib stream: btrfs */
    RECOVER_JOINED,    /* from pieces in blocks that do not lie together */
    RECOVER_REBUILT,   /* from what copies that are damaged have left */
};

enum recover_space {
    RECOVER_UNALLOCATED,
    RECOVER_ALLOCATED,
    RECOVER_SPACE_UNKNOWN, /* no bitmap is understood here */
};

struct recover_found {
    enum recover_state state;
    enum recover_way way;
    enum recover_space space;
    uint64_t offset;     /* of its first byte, from the start of the volume */
    int want;            /* index of the wanted key it is; -1: nobody asked for it */
    bool by_hint;        /* it fits that want's type and comment: that is not identity */
    struct pubkey pub;   /* its comment is "" where the format tells none */
    struct hostkey *key; /* PROVEN and wanted only */
    struct blob file;    /* wanted, PROVEN or UNKNOWN_TYPE only: the file, to the byte */
};

enum recover_end {
    RECOVER_ALL_FOUND, /* every wanted key is proven; the rest of the disk was not read */
    RECOVER_EXHAUSTED, /* everything was searched */
    RECOVER_CANCELLED,
};

struct recovery {
    enum recover_end end;
    struct recover_found *found; /* those wanted first, in the order they were found */
    size_t count;
    size_t untold;         /* more keys that nobody asked for than are told */
    uint64_t bytes_read;   /* searched; holes of a sparse image are not */
    uint64_t bytes_failed; /* could not be read, or were gone when an image shrank */
    uint64_t candidates;   /* what looked like a private key */
    uint64_t proven, encrypted, torn;
};

/*
 * Searches a disk that is held. Ends as soon as every want with a blob or a
 * fingerprint has its proven key; a hint is searched for to the end of the
 * unallocated space, or of all where it finds nothing there, since the same
 * comment may stand on several keys. No wants: all keys there are, told.
 *
 * While it runs on an image file, SIGBUS belongs to it. 0, or -1 where the disk
 * cannot be opened; blocks that cannot be read are skipped and counted.
 */
int recover_search(const struct disk *disk, const struct recover_where *where,
                   const struct recover_want *wants, size_t count,
                   const struct recover_options *options, struct recovery *ret,
                   struct err *e) MUST_CHECK;
void recovery_free(struct recovery *recovery);

#define auto_recovery auto_with(recovery_free)

#endif
