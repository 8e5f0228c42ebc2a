/* SPDX-License-Identifier: MIT */
/*
 * A disk, booted: in qemu, on an overlay that is thrown away, without any network but one
 * port of the loopback interface. Does its sshd come up, and with which host keys?
 *
 * The one room in which something runs that is on the target, and it runs in an emulator.
 */
#ifndef PROVE_PROVE_H
#define PROVE_PROVE_H

#include "device/device.h"
#include "inspect/inspection.h"

enum prove_boot {
    PROVE_BIOS,   /* the boot loader that the disk's first sector starts */
    PROVE_UEFI,   /* the one in its EFI system partition */
    PROVE_KERNEL, /* none: the newest kernel of the system, with its initrd */
};

enum { PROVE_SECONDS = 300, PROVE_SECONDS_MAX = 86400 };

/* What is to be booted, and how long to wait for it. */
struct prove_request {
    const struct disk *disk; /* held */
    const struct volume *volume;
    const char *subvolume; /* of btrfs; NULL */
    const struct inspection *facts;
    unsigned seconds;
    bool kvm; /* the processor's own virtualization, in place of emulation */
    /* Once a second; console: the last line of it, cleaned. */
    void (*progress)(unsigned seconds, const char *console);
};

struct proof {
    enum prove_boot boot;
    char *notes[3];        /* clauses about how it was booted, and what it served; NULL */
    unsigned seconds;      /* from power on to the answer, or to giving up */
    char *banner;          /* "SSH-2.0-OpenSSH_9.2p1"; NULL: none came */
    struct pubkey *served; /* each key once, and only those that it can sign with */
    size_t served_count;
    char *problem;  /* a clause: why it is not up; NULL where it is */
    char **console; /* its last lines, cleaned, NULL-terminated; NULL where it is up */
};

/*
 * Boots it and asks. That sshd does not come up is no error, but a proof with a problem. The root
 * is read, to know how to boot, before anything is started, and is not kept.
 */
int prove(const struct prove_request *request, struct root **root, struct proof *ret,
          struct err *e) MUST_CHECK;
void proof_free(struct proof *proof);

const char *prove_boot_name(enum prove_boot boot); /* "bios", as it stands in JSON */
bool proof_serves(const struct proof *proof, const struct pubkey *pub);
/* sshd has answered, and served a key. */
bool proof_up(const struct proof *proof);
/* A key that is on the disk and is configured, and was not served. */
bool proof_misses(const struct proof *proof, const struct host_key *key);
/* True where sshd is up and no key is missed. */
bool proof_complete(const struct proof *proof, const struct inspection *facts);
/* True for a key that was served and is not on the disk: made by the boot. */
bool proof_is_new(const struct inspection *facts, const struct pubkey *pub);

#define auto_proof auto_with(proof_free)

#endif
