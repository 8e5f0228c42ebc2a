/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"
#include "prove/private.h"

#include <string.h>
#include <sys/socket.h>

/* ---- network ---------------------------------------------------------------------------- */

static const struct {
    const char *text, *name, *mac, *words;
    bool dhcp, reachable;
} networks[] = {
    { "", "", "", "", false, true },
    /* ifupdown */
    { "auto lo\niface lo inet loopback\nauto ens3\niface ens3 inet dhcp\n", "ens3", "", "", true,
      true },
    { "iface lo inet loopback\niface eth0 inet static\n address 192.0.2.7\n netmask 255.255.255.0\n"
      " gateway 192.0.2.1\n",
      "eth0", "", ",net=192.0.2.0/24,host=192.0.2.1,dns=192.0.2.2,dhcpstart=192.0.2.7", false,
      true },
    { "iface eth0 inet static\n address 10.9.8.1/16\n#gateway 10.9.0.5\n", "eth0", "",
      ",net=10.9.0.0/16,host=10.9.0.1,dns=10.9.0.2,dhcpstart=10.9.8.1", false, true },
    /* the first interface alone counts */
    { "iface ens3 inet dhcp\niface ens4 inet static\n address 192.0.2.7/24\n", "ens3", "", "", true,
      true },
    { "iface ens3 inet6 static\n address 2001:db8::7/64\n", "", "", "", false, true },
    /* netplan */
    { "network:\n  version: 2\n  ethernets:\n    enp1s0:\n      match:\n"
      "        macaddress: \"52:54:00:aB:cd:ef\"\n      addresses:\n        - 192.0.2.3/26\n"
      "      nameservers:\n        addresses: [192.0.2.50]\n      routes:\n        - to: default\n"
      "          via: 192.0.2.1\n",
      "enp1s0", "52:54:00:aB:cd:ef",
      ",net=192.0.2.0/26,host=192.0.2.1,dns=192.0.2.2,dhcpstart=192.0.2.3", false, true },
    { "network: {}\n    ens5:\n      dhcp4: true\n", "ens5", "", "", true, true },
    { "    ens5:\n      addresses: [192.0.2.2/24]\n      gateway4: 192.0.2.1\n", "ens5", "",
      ",net=192.0.2.0/24,host=192.0.2.1,dns=192.0.2.3,dhcpstart=192.0.2.2", false, true },
    /* networkd */
    { "[Match]\nName=en*\n[Network]\nDHCP=ipv4\n", "", "", "", true, true },
    { "[Match]\nMACAddress=52:54:00:12:34:56\n[Network]\nAddress=192.0.2.7/"
      "25\nGateway=192.0.2.99\n",
      "", "52:54:00:12:34:56",
      ",net=192.0.2.0/25,host=192.0.2.99,dns=192.0.2.1,dhcpstart=192.0.2.7", false, true },
    /* NetworkManager */
    { "[connection]\ninterface-name=ens18\n[ethernet]\nmac-address=52:54:00:12:34:56\n[ipv4]\n"
      "address1=192.0.2.7/24,192.0.2.254\nmethod=manual\n[ipv6]\nmethod=auto\n",
      "ens18", "52:54:00:12:34:56",
      ",net=192.0.2.0/24,host=192.0.2.254,dns=192.0.2.1,dhcpstart=192.0.2.7", false, true },
    /* ifcfg */
    { "DEVICE=\"eth0\"\nBOOTPROTO=none\nIPADDR=192.0.2.7\nPREFIX=24\nGATEWAY=192.0.2.1\n"
      "HWADDR=52:54:00:12:34:56\n",
      "eth0", "52:54:00:12:34:56",
      ",net=192.0.2.0/24,host=192.0.2.1,dns=192.0.2.2,dhcpstart=192.0.2.7", false, true },
    { "DEVICE=eth0\nBOOTPROTO=dhcp\n", "eth0", "", "", true, true },
    /* no network can be made around these */
    { "iface eth0 inet static\n address 192.0.2.7/32\n gateway 172.31.1.1\n", "eth0", "", "", false,
      false },
    { "iface eth0 inet static\n address 192.0.2.7\n", "eth0", "", "", false, false },
    /* a gateway elsewhere is not the host's address */
    { "IPADDR=192.0.2.1\nPREFIX=29\nGATEWAY=198.51.100.1\n", "", "",
      ",net=192.0.2.0/29,host=192.0.2.2,dns=192.0.2.3,dhcpstart=192.0.2.1", false, true },
    /* hostile: nothing of this reaches qemu's words */
    { "DEVICE=eth0,script=/bin/sh\nHWADDR=52:54:00:12:34:56,x=y\nIPADDR=192.0.2.7,hostfwd=tcp::1\n"
      "PREFIX=24,guestfwd=x\n",
      "", "", ",net=192.0.2.0/24,host=192.0.2.1,dns=192.0.2.2,dhcpstart=192.0.2.7", false, true },
    { "IPADDR=999.1.1.1\nIPADDR=1.2.3\nHWADDR=52-54-00-12-34-56\nPREFIX=4294967320\n", "", "", "",
      false, true },
};

START_TEST(network_files)
{
    struct network network = { 0 };
    auto_free char *qemu = NULL;

    network_learn(&network, networks[_i].text);
    qemu = network_words(&network);
    ck_assert_str_eq(network.name, networks[_i].name);
    ck_assert_str_eq(network.mac, networks[_i].mac);
    ck_assert_int_eq(network.dhcp, networks[_i].dhcp);
    ck_assert_int_eq(network_reachable(&network), networks[_i].reachable);
    ck_assert_str_eq(qemu, networks[_i].words);
}
END_TEST

static const struct {
    const char *name;
    bool pc;
    unsigned bus, number;
} slots[] = {
    { "", false, 0, 3 },       { "eth0", false, 0, 3 },    { "ens18", true, 0, 18 },
    { "ens1", false, 0, 3 },   { "ens160", false, 0, 3 },  { "enp0s5", false, 0, 5 },
    { "enp1s0", false, 1, 0 }, { "enp7s0", false, 7, 0 },  { "enp9s0", false, 0, 3 },
    { "enp3s1", false, 0, 3 }, { "ens3np0", false, 0, 3 }, { "enp0s27", false, 0, 3 },
};

START_TEST(network_slots)
{
    struct slot slot = network_slot(slots[_i].name);

    ck_assert_int_eq(slot.pc, slots[_i].pc);
    ck_assert_uint_eq(slot.bus, slots[_i].bus);
    ck_assert_uint_eq(slot.number, slots[_i].number);
}
END_TEST

/* ---- console ------------------------------------------------------------------------------ */

static const struct {
    const char *bytes, *last, *all; /* all: the lines, joined by | */
} consoles[] = {
    { "", "", "" },
    { "one", "one", "one" },
    { "one\r\n", "one", "one" },
    { "one\r\n\r\n   \ntwo\r\nthr", "thr", "one|two|thr" },
    { "\033[2J\033[1;1HGRUB\033[5;3Hmenu\033[0;31m red\033[0m", "menu red", "GRUB|menu red" },
    { "a\tb\001c\200d\177e\n", "abcde", "abcde" },
    { "\033]0;x\n\033", "0;x", "0;x" },
    { "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n", "14", "4|5|6|7|8|9|10|11|12|13|14" },
};

static char *joined(char **lines)
{
    char *all = xstrdup("");

    for (char **line = lines; *line; line++) {
        char *longer = xasprintf("%s%s%s", all, *all ? "|" : "", *line);

        free(all);
        all = longer;
    }
    return all;
}

/* The same, however it is cut up. */
START_TEST(console_bytes)
{
    size_t len = strlen(consoles[_i].bytes);

    for (size_t cut = 0; cut <= len; cut++) {
        struct console console = { 0 };
        auto_with(text_list_free) char **lines = NULL;
        auto_free char *all = NULL;

        console_feed(&console, consoles[_i].bytes, cut);
        console_feed(&console, consoles[_i].bytes + cut, len - cut);
        lines = console_lines(&console);
        all = joined(lines);
        ck_assert_str_eq(console_last(&console), consoles[_i].last);
        ck_assert_str_eq(all, consoles[_i].all);
    }
}
END_TEST

START_TEST(console_long_line)
{
    struct console console = { 0 };
    char many[1000];

    memset(many, 'x', sizeof many);
    console_feed(&console, many, sizeof many);
    ck_assert_uint_eq(strlen(console_last(&console)), CONSOLE_WIDTH);
}
END_TEST

/* ---- the first line of what answers ------------------------------------------------------ */

static const struct {
    const char *bytes;
    bool closed;
    enum answer answer;
    const char *line;
} answers[] = {
    { "", false, ANSWER_NONE, "" },
    { "", true, ANSWER_CLOSED, "" },
    { "SSH-2.0-Open", false, ANSWER_NONE, "SSH-2.0-Open" },
    { "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", false, ANSWER_SSH, "SSH-2.0-OpenSSH_9.2p1 Debian-2" },
    { "SSH-2.0-x\033[31m\n\001", false, ANSWER_SSH, "SSH-2.0-x?[31m" },
    { "Not allowed at this time\r\n", true, ANSWER_OTHER, "Not allowed at this time" },
    { "220 mail.example.org\n", false, ANSWER_OTHER, "220 mail.example.org" },
};

START_TEST(first_line)
{
    struct attempt attempt = { .fd = -1 };
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    attempt.fd = ends[0];
    ck_assert_int_eq(write(ends[1], answers[_i].bytes, strlen(answers[_i].bytes)),
                     (ssize_t)strlen(answers[_i].bytes));
    if (answers[_i].closed)
        close(ends[1]);
    ck_assert_int_eq(attempt_read(&attempt), answers[_i].answer);
    ck_assert_str_eq(attempt.line, answers[_i].line);
    if (!answers[_i].closed)
        close(ends[1]);
    attempt_end(&attempt);
}
END_TEST

/* Bytes without end are no line, and no more than a line is kept of them. */
START_TEST(first_line_endless)
{
    struct attempt attempt = { .fd = -1 };
    char many[4096];
    int ends[2];

    memset(many, 'x', sizeof many);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    attempt.fd = ends[0];
    ck_assert_int_eq(write(ends[1], many, sizeof many), (ssize_t)sizeof many);
    ck_assert_int_eq(attempt_read(&attempt), ANSWER_OTHER);
    ck_assert_uint_eq(strlen(attempt.line), sizeof attempt.line - 1);
    close(ends[1]);
    attempt_end(&attempt);
}
END_TEST

/* ---- what is booted ------------------------------------------------------------------------ */

static const struct {
    const char *table;
    bool code, esp, bios_boot;
    enum prove_boot boot;
} disks[] = {
    { NULL, false, false, false, PROVE_KERNEL },
    { NULL, true, false, false, PROVE_KERNEL }, /* a file system that begins with something */
    { "dos", true, false, false, PROVE_BIOS },
    { "dos", false, false, false, PROVE_KERNEL },
    { "dos", false, true, false, PROVE_UEFI },
    { "dos", true, true, false, PROVE_BIOS },
    { "gpt", true, false, true, PROVE_BIOS },
    { "gpt", true, true, true, PROVE_BIOS },
    { "gpt", true, true, false, PROVE_UEFI },
    { "gpt", false, true, true, PROVE_UEFI },
    { "gpt", true, false, false, PROVE_BIOS },
    { "gpt", false, false, false, PROVE_KERNEL },
};

START_TEST(boot_kinds)
{
    unsigned char sector[512] = { [510] = 0x55, [511] = 0xaa };
    struct volume volumes[] = { { .role = disks[_i].esp ? VOLUME_ESP : VOLUME_PLAIN },
                                { .role = disks[_i].bios_boot ? VOLUME_BIOS_BOOT : VOLUME_PLAIN } };
    struct disk disk = { .volumes = volumes, .count = 2 };
    auto_free char *table = disks[_i].table ? xstrdup(disks[_i].table) : NULL;

    disk.table = table;
    sector[0] = disks[_i].code ? 0xeb : 0;
    ck_assert_int_eq(boot_of(sector, &disk), disks[_i].boot);
}
END_TEST

static const struct {
    const char *fstab;
    enum disk_bus bus;
} fstabs[] = {
    { "", BUS_VIRTIO },
    { "UUID=1 / ext4 defaults 0 1\n/dev/sdb1 /data ext4 defaults 0 2\n", BUS_VIRTIO },
    { "# /dev/sda1 / ext4\n/dev/vda1 / ext4 defaults 0 1\n", BUS_VIRTIO },
    { "proc /proc proc\n/dev/sda1\t/\text4 defaults 0 1\n", BUS_SATA },
    { "/dev/nvme0n1p1 / xfs defaults 0 0", BUS_NVME },
    { "/dev/mapper/sda1 / xfs defaults 0 0", BUS_VIRTIO },
};

START_TEST(boot_buses)
{
    ck_assert_int_eq(boot_bus(fstabs[_i].fstab), fstabs[_i].bus);
}
END_TEST

static const struct {
    const char *name, *version;
} kernels[] = {
    { "vmlinuz-6.1.0-44-amd64", "6.1.0-44-amd64" },
    { "vmlinuz-linux", "linux" },
    { "vmlinuz", NULL },
    { "vmlinuz-", NULL },
    { "vmlinuz-0-rescue-0123456789abcdef", NULL },
    { "initrd.img-6.1.0-44-amd64", NULL },
};

START_TEST(boot_kernels)
{
    const char *version = boot_kernel_version(kernels[_i].name);

    ck_assert((version == NULL) == (kernels[_i].version == NULL));
    if (version)
        ck_assert_str_eq(version, kernels[_i].version);
}
END_TEST

/* ---- the machine ------------------------------------------------------------------------ */

static char *machine_text(const struct machine *machine)
{
    auto_with(text_list_free) char **arguments = machine_arguments(machine);
    char *all = joined(arguments);

    return all;
}

/* Whatever is booted: the target for reading, one way in, none out, no screen, emulated. */
START_TEST(machine_is_closed)
{
    static const char *const wanted[] = {
        "-accel|tcg,thread=multi",
        "-nodefaults|",
        "-display|none",
        "-no-user-config|",
        "-blockdev|driver=file,node-name=target,filename=/dev/fdset/1,read-only=on|",
        "-blockdev|driver=raw,node-name=base,file=target,read-only=on|",
        "restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:4022-:2200,net=192.0.2.0/24,host=192.0.2.1,",
        "spawn=deny",
        "virtio-net-pci,netdev=net,romfile=,addr=0x12,mac=52:54:00:12:34:56",
    };
    struct machine machine = {
        .sector_size = 512, .guest_port = 2200, .host_port = 4022, .second = -1
    };
    auto_free char *all = NULL;

    network_learn(&machine.network, "DEVICE=ens18\nIPADDR=192.0.2.7\nPREFIX=24\nGATEWAY=192.0.2.1\n"
                                    "HWADDR=52:54:00:12:34:56\n");
    all = machine_text(&machine);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        ck_assert_msg(strstr(all, wanted[i]), "%s is not in %s", wanted[i], all);
    ck_assert(!strstr(all, "-kernel") && !strstr(all, "pflash") && !strstr(all, "kvm"));
}
END_TEST

static char kernel_words[] = "root=UUID=1 ro";

static const struct {
    struct machine machine;
    const char *wanted;
} machines[] = {
    { { .kvm = true }, "-accel|kvm|-cpu|host" },
    { { .block_device = true }, "driver=host_device,node-name=target" },
    { { .sector_size = 4096 }, "logical_block_size=4096" },
    { { .bus = BUS_SATA }, "ide-hd,bus=sata.0" },
    { { .bus = BUS_NVME }, "nvme,serial=sshmend" },
    { { .boot = PROVE_UEFI, .firmware = "/fw" },
      "node-name=firmware,read-only=on,file.driver=file,file.filename=/fw|" },
    { { .boot = PROVE_KERNEL, .command_line = kernel_words, .second = -1 },
      "-kernel|/proc/self/fd/5|-append|root=UUID=1 ro|-add-fd" },
    { { .boot = PROVE_KERNEL, .command_line = kernel_words, .second = 9 },
      "-initrd|/proc/self/fd/6" },
    { { .network.name = "enp2s0" }, "pcie-root-port,id=port2,chassis=2" },
    { { .network.name = "enp2s0" }, "romfile=,bus=port2" },
};

START_TEST(machine_words)
{
    auto_free char *all = machine_text(&machines[_i].machine);

    ck_assert_msg(strstr(all, machines[_i].wanted), "%s is not in %s", machines[_i].wanted, all);
}
END_TEST

/* ---- the proof ---------------------------------------------------------------------------- */

static void load_key(const char *name, bool used, struct host_key *key)
{
    auto_blob struct blob bytes = file_bytes(KEYS_DIR "/%s", name);

    *key = (struct host_key){ .used = used, .exists = true };
    hostkey_judge(&bytes, &key->judgement);
}

/* Three keys on the disk, of which sshd is to serve two; served, by the lines of ssh-keyscan. */
static const struct {
    const char *served; /* their names */
    bool misses_rsa, misses_ed25519, complete;
    size_t count, new_ones;
} proofs[] = {
    { "", true, true, false, 0, 0 },
    { "rsa ed25519", false, false, true, 2, 0 },
    { "ed25519 rsa ed25519", false, false, true, 2, 0 },
    { "rsa", false, true, false, 1, 0 },
    { "ecdsa384", true, true, false, 1, 1 },
    { "rsa ecdsa384 ed25519", false, false, true, 3, 1 },
    { "rsa ed25519 ecdsa256", false, false, true, 3, 0 },
};

static void serve(const char *names, struct proof *proof)
{
    auto_free char *copy = xstrdup(names), *lines = xstrdup("# 127.0.0.1:22 SSH-2.0-x\nnonsense\n");
    char *rest = copy, *name;

    while ((name = strsep(&rest, " "))) {
        auto_blob struct blob pub = { 0 };
        char *longer;

        if (!*name)
            continue;
        pub = file_bytes(KEYS_DIR "/%s.pub", name);
        longer = xasprintf("%s[127.0.0.1]:4022 %s\n", lines, (const char *)pub.data);
        free(lines);
        lines = longer;
    }
    client_learn(lines, proof);
}

START_TEST(proof_against_disk)
{
    struct host_key keys[3];
    struct inspection facts = { .keys = keys, .key_count = ARRAY_SIZE(keys) };
    auto_proof struct proof proof = { 0 };
    size_t new_ones = 0;

    load_key("rsa.v1", true, &keys[0]);
    load_key("ed25519.v1", true, &keys[1]);
    load_key("ecdsa256.v1", false, &keys[2]);
    serve(proofs[_i].served, &proof);
    for (size_t i = 0; i < proof.served_count; i++)
        new_ones += proof_is_new(&facts, &proof.served[i]);
    ck_assert_uint_eq(proof.served_count, proofs[_i].count);
    ck_assert_uint_eq(new_ones, proofs[_i].new_ones);
    ck_assert_int_eq(proof_misses(&proof, &keys[0]), proofs[_i].misses_rsa);
    ck_assert_int_eq(proof_misses(&proof, &keys[1]), proofs[_i].misses_ed25519);
    ck_assert(!proof_misses(&proof, &keys[2]));
    ck_assert_int_eq(proof_complete(&proof, &facts), proofs[_i].complete);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        hostkey_judgement_free(&keys[i].judgement);
}
END_TEST

/* What ssh of OpenSSH 9.2 says, or said before. */
static const struct {
    const char *output;
    bool disbelieved;
} handshakes[] = {
    { "sshmend-prove@127.0.0.1: Permission denied (publickey,password).\r\n", false },
    { "ssh_dispatch_run_fatal: Connection to 127.0.0.1 port 22: incorrect signature\r\n", true },
    { "key_verify failed for server_host_key\r\n", true },
    { "kex_exchange_identification: read: Connection reset by peer\r\n", false },
    { "Unable to negotiate with 127.0.0.1 port 22: no matching host key type found.\r\n", false },
    { "", false },
};

START_TEST(handshake_words)
{
    ck_assert_int_eq(client_disbelieves(handshakes[_i].output), handshakes[_i].disbelieved);
}
END_TEST

Suite *suite_prove(void)
{
    Suite *suite = suite_create("prove");
    TCase *tcase = tcase_create("prove");

    ADD_TABLE(tcase, network_files, networks);
    ADD_TABLE(tcase, network_slots, slots);
    ADD_TABLE(tcase, console_bytes, consoles);
    ADD(tcase, console_long_line);
    ADD_TABLE(tcase, first_line, answers);
    ADD(tcase, first_line_endless);
    ADD_TABLE(tcase, boot_kinds, disks);
    ADD_TABLE(tcase, boot_buses, fstabs);
    ADD_TABLE(tcase, boot_kernels, kernels);
    ADD(tcase, machine_is_closed);
    ADD_TABLE(tcase, machine_words, machines);
    ADD_TABLE(tcase, proof_against_disk, proofs);
    ADD_TABLE(tcase, handshake_words, handshakes);
    suite_add_tcase(suite, tcase);
    return suite;
}
