/* SPDX-License-Identifier: MIT */
/* What the files of prove/ share. */
#ifndef PROVE_PRIVATE_H
#define PROVE_PRIVATE_H

#include "base/spawn.h"
#include "prove/prove.h"

#include <netinet/in.h>

/* ---- network.c: how the system finds its network, as far as its files tell --------------- */

/* The first interface that is configured. Addresses in host byte order; 0: none. */
struct network {
    char name[16]; /* "" where not told */
    char mac[18];  /* "52:54:00:12:34:56"; "" where not told */
    bool dhcp;
    uint32_t address, gateway;
    unsigned prefix; /* 0: not told */
};

/* One file, in the words of ifupdown, netplan, networkd, NetworkManager or ifcfg. */
void network_learn(struct network *network, const char *text);
void network_read(const struct root *root, struct network *ret);
/* qemu's words for a user network that this system takes for its own; "" for DHCP. */
char *network_words(const struct network *network) MUST_CHECK;
/* False for a static address that no user network can have. */
bool network_reachable(const struct network *network);
/* Where a card has to be plugged in to be given its name. */
struct slot {
    bool pc;      /* the older machine, whose slots have numbers */
    unsigned bus; /* behind this many root ports; 0: none */
    unsigned number;
};
struct slot network_slot(const char *name);

/* ---- console.c: the last lines that a machine has written ------------------------------- */

enum { CONSOLE_LINES = 12, CONSOLE_WIDTH = 160 };

struct console {
    char lines[CONSOLE_LINES][CONSOLE_WIDTH + 1]; /* a ring */
    size_t at, count;
    size_t len;  /* of the line at `at`, which is not finished */
    int escaped; /* within a sequence that moves the cursor or sets a colour */
};

void console_feed(struct console *console, const char *bytes, size_t len);
/* The line last written to, "" where there is none. */
const char *console_last(const struct console *console);
/* All of them, oldest first, without blank ones; NULL-terminated. */
char **console_lines(const struct console *console) MUST_CHECK;

/* ---- client.c: asking --------------------------------------------------------------------- */

enum answer { ANSWER_NONE, ANSWER_CLOSED, ANSWER_OTHER, ANSWER_SSH };

/* One connection to the forwarded port, until its first line. */
struct attempt {
    int fd; /* -1: not connected */
    size_t len;
    char line[256];
};

int attempt_start(struct attempt *attempt, in_port_t port, struct err *e) MUST_CHECK;
/* After something can be read: ANSWER_NONE while the line is not complete. */
enum answer attempt_read(struct attempt *attempt);
void attempt_end(struct attempt *attempt);
in_port_t client_free_port(struct err *e) MUST_CHECK;
/* The keys that ssh-keyscan is given, added to those there are. */
int client_keys(in_port_t port, const struct inspection *facts, struct proof *proof,
                struct err *e) MUST_CHECK;
/* ssh-keyscan believes what it is shown; ssh does not. Takes away the keys that it refuses. */
int client_verify(in_port_t port, struct proof *proof, struct err *e) MUST_CHECK;
/* True where this is what ssh says of a signature that the key shown has not made. */
bool client_disbelieves(const char *output);
/* The lines of ssh-keyscan. */
void client_learn(const char *lines, struct proof *proof);

/* ---- boot.c and machine.c: what is booted, on what --------------------------------------- */

enum disk_bus { BUS_VIRTIO, BUS_SATA, BUS_NVME };

struct machine {
    enum prove_boot boot;
    bool kvm;
    enum disk_bus bus;
    bool block_device;
    uint64_t size; /* bytes, of the disk */
    unsigned sector_size;
    const char *firmware; /* UEFI: the program's file */
    char *command_line;   /* PROVE_KERNEL */
    struct network network;
    unsigned guest_port;
    in_port_t host_port;
    int disk, overlay, first, second; /* descriptors; first: of the kernel, or UEFI's variables;
                                         second: of the initrd; -1: none */
};

void machine_free(struct machine *machine);
/* How the disk boots; by_kernel: without its boot loader, whatever there is of it. */
int boot_choose(const struct prove_request *request, const struct root *root, bool by_kernel,
                struct machine *machine, struct err *e) MUST_CHECK;
/* By the first sector, and the kinds of partitions there are. */
enum prove_boot boot_of(const unsigned char sector[512], const struct disk *disk);
/* The bus that the root's name in fstab tells of. */
enum disk_bus boot_bus(const char *fstab);
/* The part of a kernel's name that its initrd has, too; NULL: it is no kernel to boot. */
const char *boot_kernel_version(const char *name);
/* An unlinked file in TMPDIR: it is gone with the last who has it open. */
int boot_scratch(struct err *e) MUST_CHECK;
/* qemu's arguments, NULL-terminated. */
char **machine_arguments(const struct machine *machine) MUST_CHECK;

#define auto_machine auto_with(machine_free)

#endif
