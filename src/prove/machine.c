/* SPDX-License-Identifier: MIT */
/* The machine, in qemu's words. Descriptors are inherited from 3 on, in a fixed order. */
#include "prove/private.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Slots that no network card is asked to be in. */
enum { SLOT_VGA = 0x1b, SLOT_DISK = 0x1c, SLOT_RNG = 0x1e, SLOT_PORTS = 0x10 };

struct arguments {
    char **items;
    size_t count;
};

static void add(struct arguments *arguments, const char *option, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void add(struct arguments *arguments, const char *option, const char *fmt, ...)
{
    char *copy = xstrdup(option), *value;
    va_list args;

    array_push(arguments->items, arguments->count, copy);
    va_start(args, fmt);
    if (vasprintf(&value, fmt, args) < 0)
        abort();
    va_end(args);
    if (*value)
        array_push(arguments->items, arguments->count, value);
    else
        free(value);
}

static void add_machine(struct arguments *all, const struct machine *machine, bool pc)
{
    /* graphics=off: SeaBIOS, and a boot loader that uses it, write to the serial line. */
    add(all, "-machine", "%s,graphics=off%s", pc ? "pc" : "q35",
        machine->boot == PROVE_UEFI ? ",pflash0=firmware,pflash1=variables" : "");
    add(all, "-accel", "%s", machine->kvm ? "kvm" : "tcg,thread=multi");
    add(all, "-cpu", "%s", machine->kvm ? "host" : "max");
    add(all, "-smp", "2");
    add(all, "-m", "1024");
    add(all, "-nodefaults", "%s", "");
    add(all, "-no-user-config", "%s", "");
    add(all, "-display", "none");
    add(all, "-serial", "stdio");
    add(all, "-monitor", "none");
    /* The guest is hostile: what qemu need not do, it may not. */
    add(all, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    add(all, "-device", "VGA,addr=0x%x", SLOT_VGA);
    add(all, "-object", "rng-random,filename=/dev/urandom,id=random");
    add(all, "-device", "virtio-rng-pci,rng=random,addr=0x%x", SLOT_RNG);
}

/* The target is opened for reading alone, and so is what qemu is told of it. */
static void add_disk(struct arguments *all, const struct machine *machine)
{
    static const char *const devices[] = { [BUS_VIRTIO] = "virtio-blk-pci",
                                           [BUS_SATA] = "ide-hd,bus=sata.0",
                                           [BUS_NVME] = "nvme,serial=sshmend" };
    auto_free char *place =
        machine->bus == BUS_SATA ? xstrdup("") : xasprintf(",addr=0x%x", SLOT_DISK);

    add(all, "-add-fd", "fd=3,set=1");
    add(all, "-add-fd", "fd=4,set=2");
    add(all, "-blockdev", "driver=%s,node-name=target,filename=/dev/fdset/1,read-only=on",
        machine->block_device ? "host_device" : "file");
    add(all, "-blockdev", "driver=raw,node-name=base,file=target,read-only=on");
    add(all, "-blockdev", "driver=file,node-name=scratch,filename=/dev/fdset/2");
    add(all, "-blockdev",
        "driver=qcow2,node-name=disk,file=scratch,backing=base,cache.no-flush=on");
    if (machine->bus == BUS_SATA)
        add(all, "-device", "ich9-ahci,id=sata,addr=0x%x", SLOT_DISK);
    add(all, "-device", "%s,drive=disk,bootindex=1,logical_block_size=%u%s", devices[machine->bus],
        machine->sector_size, place);
}

static void add_network(struct arguments *all, const struct machine *machine,
                        const struct slot *slot)
{
    const struct network *network = &machine->network;
    auto_free char *words = network_words(network), *bus = NULL;

    for (unsigned i = 1; i <= slot->bus; i++)
        add(all, "-device", "pcie-root-port,id=port%u,chassis=%u,addr=0x%x", i, i,
            SLOT_PORTS + i - 1);
    bus = slot->bus ? xasprintf(",bus=port%u", slot->bus) : xasprintf(",addr=0x%x", slot->number);
    add(all, "-netdev", "user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:%u-:%u%s",
        machine->host_port, machine->guest_port, words);
    add(all, "-device", "virtio-net-pci,netdev=net,romfile=%s%s%s", bus,
        network->mac[0] ? ",mac=" : "", network->mac);
}

static void add_boot(struct arguments *all, const struct machine *machine)
{
    if (machine->boot == PROVE_UEFI) {
        add(all, "-add-fd", "fd=5,set=3");
        add(all, "-blockdev",
            "driver=raw,node-name=firmware,read-only=on,file.driver=file,file.filename=%s",
            machine->firmware);
        add(all, "-blockdev",
            "driver=raw,node-name=variables,file.driver=file,file.filename=/dev/fdset/3");
    } else if (machine->boot == PROVE_KERNEL) {
        add(all, "-kernel", "/proc/self/fd/5");
        add(all, "-append", "%s", machine->command_line);
        if (machine->second >= 0)
            add(all, "-initrd", "/proc/self/fd/6");
    }
}

char **machine_arguments(const struct machine *machine)
{
    struct slot slot = network_slot(machine->network.name);
    struct arguments all = { 0 };
    char *name = xstrdup("qemu-system-x86_64"), *end = NULL;

    array_push(all.items, all.count, name);
    add_machine(&all, machine, slot.pc);
    add_boot(&all, machine);
    add_disk(&all, machine);
    add_network(&all, machine, &slot);
    array_push(all.items, all.count, end);
    return all.items;
}
