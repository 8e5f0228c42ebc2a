/* SPDX-License-Identifier: MIT */
/* What is booted: the disk's own boot loader, or a kernel out of the root. */
#include "prove/private.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    BOOT_CODE_LEN = 440,
    KERNEL_MAX = 256 * 1024 * 1024,
    INITRD_MAX = 1024 * 1024 * 1024,
    CHUNK = 4 * 1024 * 1024,
    FSTAB_MAX = 64 * 1024,
    SSH_PORT = 22,
};

/* The firmware and its variables as Debian, Fedora, SUSE and Arch name them. */
static const struct firmware {
    const char *code, *variables;
} firmwares[] = {
    { "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd" },
    { "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd" },
    { "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd" },
    { "/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin" },
    { "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd" },
};

/* The initrds of a kernel, by the part that follows "vmlinuz-". */
static const struct {
    const char *before, *after;
} initrds[] = {
    { "initrd.img-", "" }, { "initramfs-", ".img" }, { "initrd-", "" }, { "initramfs-", "" }
};

int boot_scratch(struct err *e)
{
    const char *directory = getenv("TMPDIR");
    auto_free char *path = NULL;
    int fd;

    if (!directory || !*directory)
        directory = "/var/tmp";
    fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    /* A file system without nameless files: it has a name for a moment. */
    path = xasprintf("%s/sshmend-XXXXXX", directory);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_errno(e, "make a temporary file in %s", directory);
    unlink(path);
    return fd;
}

void machine_free(struct machine *machine)
{
    const int descriptors[] = { machine->disk, machine->overlay, machine->first, machine->second };

    for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    free(machine->command_line);
    *machine = (struct machine){ .disk = -1, .overlay = -1, .first = -1, .second = -1 };
}

/* ---- the disk's own boot loader ----------------------------------------------------------- */

static bool has_role(const struct disk *disk, enum volume_role role)
{
    for (size_t i = 0; i < disk->count; i++)
        if (disk->volumes[i].role == role)
            return true;
    return false;
}

enum prove_boot boot_of(const unsigned char sector[512], const struct disk *disk)
{
    bool signature = sector[510] == 0x55 && sector[511] == 0xaa, code = false;
    bool gpt = disk->table && strcmp(disk->table, "gpt") == 0;

    for (size_t i = 0; i < BOOT_CODE_LEN; i++)
        code = code || sector[i];
    code = code && signature && disk->table;
    /* Cloud images can do both. On GPT, code without a partition for the rest of it is a remnant.
     */
    if (code && (!gpt || has_role(disk, VOLUME_BIOS_BOOT)))
        return PROVE_BIOS;
    if (has_role(disk, VOLUME_ESP))
        return PROVE_UEFI;
    return code ? PROVE_BIOS : PROVE_KERNEL;
}

static int copy_host_file(const char *path, int to, struct err *e)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    auto_blob struct blob bytes = { 0 };

    if (fd < 0 || io_read_all(fd, 64 * 1024 * 1024, &bytes) < 0 ||
        io_write_all(to, bytes.data, bytes.len) < 0)
        return err_errno(e, "copy %s", path);
    return 0;
}

static int choose_firmware(struct machine *machine, struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++) {
        if (access(firmwares[i].code, R_OK) < 0 || access(firmwares[i].variables, R_OK) < 0)
            continue;
        machine->firmware = firmwares[i].code;
        machine->first = boot_scratch(e);
        return machine->first < 0 ? -1 : copy_host_file(firmwares[i].variables, machine->first, e);
    }
    return err_set(e, ERR_UNSUPPORTED,
                   "this disk boots by UEFI, and there is no firmware for that: install ovmf "
                   "(edk2-ovmf)");
}

/* ---- a kernel out of the root ------------------------------------------------------------- */

const char *boot_kernel_version(const char *name)
{
    const char *version = name + strlen("vmlinuz-");

    return text_starts(name, "vmlinuz-") && *version && !text_starts(version, "0-rescue") ? version
                                                                                          : NULL;
}

/* The newest in /boot by its version. */
static char *newest_kernel(const struct root *root)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    const char *newest = NULL;

    if (root_list(root, "/boot", &entries, NULL) < 0)
        return NULL;
    for (const struct root_entry *entry = entries; entry->name; entry++) {
        const char *version = boot_kernel_version(entry->name);

        if (version && (!newest || strverscmp(version, newest) > 0))
            newest = version;
    }
    return newest ? xstrdup(newest) : NULL;
}

static int copy_out(const struct root *root, const char *path, uint64_t max, struct err *e)
{
    auto_fd int fd = boot_scratch(e);
    struct root_stat stat;

    if (fd < 0 || root_find(root, path, NULL, &stat, e) < 0)
        return -1;
    if (stat.size > max)
        return err_set(e, ERR_REFUSED, "%s is too large", path);
    for (uint64_t at = 0; at < stat.size;) {
        auto_blob struct blob part = { 0 };
        size_t len = stat.size - at < CHUNK ? (size_t)(stat.size - at) : CHUNK;

        if (root_read_part(root, path, at, len, &part, e) < 0)
            return -1;
        if (io_write_all(fd, part.data, part.len) < 0)
            return err_errno(e, "copy %s to a temporary file", path);
        at += len;
    }
    return take_fd(&fd);
}

static char *initrd_of(const struct root *root, const char *version)
{
    for (size_t i = 0; i < ARRAY_SIZE(initrds); i++) {
        auto_free char *path =
            xasprintf("/boot/%s%s%s", initrds[i].before, version, initrds[i].after);

        if (root_exists(root, path))
            return take_ptr(path);
    }
    return NULL;
}

static int choose_kernel(const struct prove_request *request, const struct root *root,
                         struct machine *machine, struct err *e)
{
    auto_free char *version = newest_kernel(root), *initrd = NULL, *kernel = NULL;
    const struct volume *volume = request->volume;

    if (!version)
        return err_set(e, ERR_NOT_FOUND,
                       "there is nothing to boot: neither a boot loader on the disk, nor a kernel "
                       "in its /boot");
    if (!volume->uuid)
        return err_set(e, ERR_UNSUPPORTED, "%s has no UUID to name the root by", volume->name);
    kernel = xasprintf("/boot/vmlinuz-%s", version);
    machine->first = copy_out(root, kernel, KERNEL_MAX, e);
    if (machine->first < 0)
        return -1;
    initrd = initrd_of(root, version);
    if (initrd && (machine->second = copy_out(root, initrd, INITRD_MAX, e)) < 0)
        return -1;
    machine->command_line =
        xasprintf("root=UUID=%s ro%s%s no_timer_check console=tty0 console=ttyS0%s", volume->uuid,
                  request->subvolume ? " rootflags=subvol=" : "",
                  request->subvolume ? request->subvolume : "",
                  text_starts(machine->network.name, "eth") ? " net.ifnames=0" : "");
    return 0;
}

/* ---- the rest of the machine -------------------------------------------------------------- */

/* An initrd may know no other controller than the one that the root's name tells of. */
enum disk_bus boot_bus(const char *fstab)
{
    auto_free char *copy = xstrdup(fstab);
    char *rest = copy, *line;

    while ((line = strsep(&rest, "\n"))) {
        char device[64], where[64];

        if (sscanf(line, "%63s %63s", device, where) != 2 || strcmp(where, "/") != 0)
            continue;
        if (text_starts(device, "/dev/sd"))
            return BUS_SATA;
        if (text_starts(device, "/dev/nvme"))
            return BUS_NVME;
    }
    return BUS_VIRTIO;
}

/* Emulated is a PC: 62 is its ELF machine, 3 the one of 32 bits (elf.h). */
static int check_processor(const struct root *root, const struct inspection *facts, struct err *e)
{
    const char *program = facts->sshd.path ? facts->sshd.path : "/bin/sh";
    auto_blob struct blob header = { 0 };
    unsigned machine;

    if (root_read_part(root, program, 0, 20, &header, NULL) < 0 ||
        memcmp(header.data, "\177ELF", 4) != 0)
        return 0;
    machine = header.data[18] | (unsigned)header.data[19] << 8;
    if (machine != 62 && machine != 3)
        return err_set(e, ERR_UNSUPPORTED,
                       "this system is for another processor than x86 (ELF machine %u), and cannot "
                       "be booted here",
                       machine);
    return 0;
}

static unsigned configured_port(const struct inspection *facts)
{
    const struct directive *port = config_find(&facts->config, "Port");
    unsigned long number =
        port && port->args && port->args[0] ? strtoul(port->args[0], NULL, 10) : 0;

    return number >= 1 && number <= 65535 ? (unsigned)number : SSH_PORT;
}

int boot_choose(const struct prove_request *request, const struct root *root, bool by_kernel,
                struct machine *machine, struct err *e)
{
    const struct disk *disk = request->disk;
    auto_blob struct blob fstab = { 0 };
    unsigned char sector[512];

    if (check_processor(root, request->facts, e) < 0)
        return -1;
    machine->disk = device_descriptor(disk, false, e);
    if (machine->disk < 0)
        return -1;
    if (io_read_at(machine->disk, sector, sizeof sector, 0) < 0)
        return err_errno(e, "read %s", disk->path);
    machine->boot = by_kernel ? PROVE_KERNEL : boot_of(sector, disk);
    machine->kvm = request->kvm;
    machine->block_device = disk->kind == DISK_BLOCK;
    machine->size = disk->size;
    machine->sector_size = disk->sector_size;
    machine->guest_port = configured_port(request->facts);
    if (root_read(root, "/etc/fstab", FSTAB_MAX, &fstab, NULL) == 0)
        machine->bus = boot_bus((const char *)fstab.data);
    network_read(root, &machine->network);
    if (machine->boot == PROVE_UEFI)
        return choose_firmware(machine, e);
    return machine->boot == PROVE_KERNEL ? choose_kernel(request, root, machine, e) : 0;
}
