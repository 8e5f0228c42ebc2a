# SPDX-License-Identifier: MIT
"""From the start of the kernel to the prompt, against a busybox and nothing else with the same kernel:
processor time of the emulation, which other load on the machine does not change much, and the clock."""

import os
import statistics
import subprocess
import tempfile

from cases import IMAGE, MENU, disk
from vm import VM

ROUNDS = 3
TICKS = os.sysconf("SC_CLK_TCK")


def empty_initramfs(folder):
    os.makedirs(os.path.join(folder, "tree/bin"))
    busybox = os.path.join(folder, "tree/bin/busybox")
    subprocess.run(["cp", os.path.join(IMAGE, "initramfs.d/first/busybox"), busybox], check=True)
    init = os.path.join(folder, "tree/init")
    with open(init, "w", encoding="ascii") as file:
        file.write("#!/bin/busybox sh\necho '> '\nexec /bin/busybox sleep 1000\n")
    os.chmod(init, 0o755)
    path = os.path.join(folder, "empty.cpio")
    subprocess.run(f"cd {folder}/tree && find . | cpio --quiet -o -H newc >{path}", shell=True, check=True)
    return path


def seconds(initramfs, more=()):
    with VM(["-kernel", os.path.join(IMAGE, "vmlinuz"), "-initrd", initramfs,
             "-append", "console=ttyS0,115200 quiet", *more]) as vm:
        vm.expect(MENU)
        with open(f"/proc/{vm.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS, vm.seconds()


def main():
    with tempfile.TemporaryDirectory() as folder:
        empty, image = empty_initramfs(folder), os.path.join(IMAGE, "initramfs")
        a_disk = ["-snapshot"] + disk(os.path.join(IMAGE, "disk.img"))
        runs = [(seconds(empty), seconds(image), seconds(image, a_disk)) for _ in range(ROUNDS)]
    for kind, name in enumerate(("processor", "clock")):
        base, bare, one = (statistics.median(run[which][kind] for run in runs) for which in range(3))
        print(f"kernel to prompt, {name}: empty 1 ({base:.1f} s), no disk {bare / base:.2f}, one disk {one / base:.2f}")
    for name in ("sshmend-rescue.iso", "vmlinuz", "initramfs", "disk.img"):
        print(f"{name}: {os.path.getsize(os.path.join(IMAGE, name)) / 1e6:.1f} MB")


main()
