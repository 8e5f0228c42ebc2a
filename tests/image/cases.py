# SPDX-License-Identifier: MIT
"""The rescue image, booted and used. Every function whose name starts with case_ is a case; those of
the short run are marked. A case gets a folder of its own, and fails by an exception."""

import hashlib
import json
import os
import re
import shutil
import subprocess

from vm import VM, Failed

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = os.environ["IMAGE"]
ISO = os.path.join(IMAGE, "sshmend-rescue.iso")
OVMF = "/usr/share/OVMF/OVMF_"
MENU = r"^> "
SHORT = set()


def short(case):
    SHORT.add(case.__name__)
    return case


def disk_tool(*words):
    done = subprocess.run(["bash", os.path.join(HERE, "disk.sh"), *words],
                          capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise Failed(f"disk.sh {' '.join(words)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def broken(folder, layout="gpt-ext4"):
    image = os.path.join(folder, "broken.img")
    disk_tool("broken", image, layout)
    return image


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def disk(path, device="virtio-blk-pci", name="d"):
    return ["-drive", f"if=none,id={name},format=raw,file={path}", "-device", f"{device},drive={name}"]


def cd(path=ISO):
    return ["-boot", "d", "-drive", f"if=none,id=cd,format=raw,readonly=on,media=cdrom,file={path}",
            "-device", "ide-cd,drive=cd,bootindex=0"]


def stick(path=ISO):
    return ["-device", "qemu-xhci", "-drive", f"if=none,id=stick,format=raw,snapshot=on,file={path}",
            "-device", "usb-storage,drive=stick,bootindex=0"]


def kernel(words):
    """As PXE and kexec start it."""
    return ["-kernel", os.path.join(IMAGE, "vmlinuz"), "-initrd", os.path.join(IMAGE, "initramfs"),
            "-append", "console=tty0 console=ttyS0,115200 quiet " + words]


def uefi(folder, secure):
    """Firmware with Microsoft's keys and Secure Boot, or without either."""
    kind = ".ms" if secure else ""
    variables = os.path.join(folder, "variables.fd")
    shutil.copy(f"{OVMF}VARS_4M{kind}.fd", variables)
    return ["-global", f"driver=cfi.pflash01,property=secure,value={'on' if secure else 'off'}",
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}CODE_4M{kind}.fd",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]


def edit_boot_entry(vm, words):
    """As a person would: e, to the line that starts with linux, to its end, the words, Ctrl-X."""
    vm.expect("will be executed automatically")
    vm.send("e")
    vm.expect("Ctrl-x")
    vm.send("\x0e\x05 " + words)
    vm.expect(re.escape(words[-10:]))
    vm.send("\x18")


def report(vm, seconds=120):
    """What stands between the markers, and the exit code of the second one."""
    vm.expect("^-----BEGIN SSHMEND REPORT-----$", seconds)
    lines = vm.expect(r"\n((?:.*\n)*?)-----END SSHMEND REPORT exit=(\d+)-----$")
    return [json.loads(line) for line in lines.group(1).splitlines()], int(lines.group(2))


def must(condition, what):
    if not condition:
        raise Failed(what)


def mend_guided(vm):
    vm.expect(MENU)
    vm.send("\r")
    vm.expect(r"Go ahead\? \[y/N\]")
    vm.send("y\n")
    vm.expect("Mended.")
    vm.expect(MENU)
    vm.send("p")
    vm.ends()


def shell(vm, line, pattern):
    """One command in the shell of a console that shows the menu."""
    vm.send("s")
    vm.expect("rescue:~# ")
    vm.send(line + "\n")
    match = vm.expect(pattern)
    vm.expect("rescue:~# ")
    vm.send("exit\n")
    vm.expect(MENU)
    return match


@short
def case_bios_cd_guided(folder):
    image = broken(folder)
    disk_tool("refuses", image)
    with VM(cd() + disk(image)) as vm:
        mend_guided(vm)
    disk_tool("logs-in", image)


@short
def case_secure_boot_cd_auto(folder):
    """Asked for in GRUB's editor; the kernel itself must say that Secure Boot is on."""
    image = broken(folder)
    with VM(uefi(folder, True) + cd() + disk(image), memory=512, machine="q35,smm=on") as vm:
        edit_boot_entry(vm, "sshmend.auto=repair sshmend.then=shell")
        lines, code = report(vm, 200)
        must(code == 1 and lines[0]["verdict"] == "healthy", f"exit code {code}, {lines}")
        vm.expect("Secure Boot on")
        vm.expect(MENU)
        shell(vm, "dmesg | grep -i secureboot", "Secure boot enabled")
        vm.send("p")
        vm.ends()
    disk_tool("logs-in", image)


@short
def case_wrong_values(folder):
    """All are named, nothing is done, and the machine goes down."""
    image = broken(folder)
    before = digest(image)
    with VM(kernel("sshmend.auto=mend sshmend.then=later sshmend.frob=1") + disk(image)) as vm:
        lines, code = report(vm)
        vm.ends()
    must(code == 16 and "'mend' is none of: check repair" in lines[0]["error"]["message"], f"{code} {lines}")
    must(digest(image) == before, "the disk has changed")


@short
def case_no_disk(folder):
    with VM(kernel("sshmend.auto=repair")) as vm:
        lines, code = report(vm)
        vm.ends()
    must(code == 8 and lines[0]["error"]["message"] == "no disk is there", f"{code} {lines}")


@short
def case_little_memory(folder):
    """Too little to unpack the image in: said, and the machine goes down."""
    with VM(kernel("sshmend.auto=check"), memory=128) as vm:
        vm.expect("(?i)memory")
        _, code = report(vm)
        vm.ends()
    must(code == 8, f"exit code {code}")
