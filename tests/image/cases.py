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


def broken_system(folder, system, breakage):
    """One that boots: of those which check-vm boots broken, to see that they refuse everybody."""
    image = os.path.join(folder, "broken.img")
    disk_tool("system", image, system, breakage)
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
    vm.send("\x0e\x0e\x05 " + words)
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
    """The whole story: a system that lets nobody in, one key press, and it boots and lets in."""
    image = broken_system(folder, "bookworm-ext4", "keys-0777")
    with VM(cd() + disk(image)) as vm:
        mend_guided(vm)
    disk_tool("boots", image, "bookworm-ext4")


@short
def case_secure_boot_cd_auto(folder):
    """Asked for in GRUB's editor; the kernel itself must say that Secure Boot is on."""
    image = broken_system(folder, "trixie-xfs", "tree-777")
    with VM(uefi(folder, True) + cd() + disk(image), memory=512, machine="q35,smm=on") as vm:
        edit_boot_entry(vm, "sshmend.auto=repair sshmend.then=shell")
        lines, code = report(vm, 200)
        must(code == 1 and lines[0]["verdict"] == "healthy", f"exit code {code}, {lines}")
        vm.expect("Secure Boot on")
        vm.expect(MENU)
        shell(vm, "dmesg | grep -i secureboot", "Secure boot enabled")
        vm.send("p")
        vm.ends()
    disk_tool("boots", image, "trixie-xfs")


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


def case_scant_memory(folder):
    """Enough to come up with, and less than it should have: said above the menu."""
    del folder
    with VM(kernel(""), memory=200) as vm:
        vm.expect("Too little memory: 1[0-9]+ MiB are free for use")
        vm.expect(MENU)


@short
def case_several_systems(folder):
    """Listed, and none is touched; the partition meant can be named."""
    image = os.path.join(folder, "two.img")
    disk_tool("two", image)
    before = digest(image)
    with VM(kernel("sshmend.auto=repair") + disk(image)) as vm:
        _, code = report(vm)
        vm.ends()
    must(code & 8 or code & 16, f"exit code {code}")
    must(digest(image) == before, "a disk with two systems was changed")
    with VM(kernel("sshmend.auto=repair sshmend.target=/dev/vda2") + disk(image)) as vm:
        lines, code = report(vm)
        vm.ends()
    must(code == 1 and len(lines) == 1 and lines[0]["system"]["device"] == "/dev/vda2", f"{code} {lines}")


def case_uefi_cd_guided(folder):
    image = broken(folder, "gpt-xfs")
    with VM(uefi(folder, False) + cd() + disk(image), memory=512, machine="q35,smm=on") as vm:
        mend_guided(vm)
    must("Secure Boot on" not in vm.output, "Secure Boot cannot be on here")
    disk_tool("logs-in", image)


def case_bios_stick_guided(folder):
    image = broken(folder, "gpt-btrfs")
    with VM(stick() + disk(image)) as vm:
        mend_guided(vm)
    disk_tool("logs-in", image)


def case_secure_boot_stick(folder):
    with VM(uefi(folder, True) + stick(), memory=512, machine="q35,smm=on") as vm:
        vm.expect("Secure Boot on", 200)
        vm.expect(MENU)


def with_words(folder, words):
    """disk.img with sshmend.cfg on its EFI partition, as docs/rescue-image.md tells."""
    copy = os.path.join(folder, "disk.img")
    config = os.path.join(folder, "sshmend.cfg")
    shutil.copy(os.path.join(IMAGE, "disk.img"), copy)
    with open(config, "w", encoding="ascii") as file:
        file.write(f'set words="{words}"\n')
    subprocess.run(["mcopy", "-i", copy + "@@2M", config, "::/sshmend.cfg"], check=True)
    return copy


def case_disk_bios_words(folder):
    image = broken(folder)
    own = with_words(folder, "sshmend.auto=repair sshmend.target=/dev/vdb")
    with VM(disk(own, "virtio-blk-pci,bootindex=0", "own") + disk(image)) as vm:
        lines, code = report(vm)
        vm.ends()
    must(code == 1 and lines[0]["target"] == "/dev/vdb", f"{code} {lines}")
    disk_tool("logs-in", image)


def case_disk_secure_boot_words(folder):
    image = broken(folder)
    own = with_words(folder, "sshmend.auto=check")
    before = digest(image)
    with VM(uefi(folder, True) + disk(own, "virtio-blk-pci,bootindex=0", "own") + disk(image),
            memory=512, machine="q35,smm=on") as vm:
        lines, code = report(vm, 200)
        vm.ends()
    must(code == 4 and lines[0]["verdict"] == "broken", f"{code} {lines}")
    must(digest(image) == before, "check has changed the disk")


def case_every_controller(folder):
    """The same disk behind each kind of controller that qemu has: found, by the module it needs. Not mptsas:
    its module loads and brings it up, but qemu 7.2 shows it no disk."""
    image = broken(folder)
    os.truncate(image, 1 << 30)  # what an SD card can have
    drive = ["-drive", f"if=none,id=d,format=raw,snapshot=on,file={image}"]
    for controller in (["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=d"],
                       ["-device", "nvme,drive=d,serial=x"],
                       ["-device", "ahci,id=a", "-device", "ide-hd,bus=a.0,drive=d"],
                       ["-device", "piix4-ide,id=p", "-device", "ide-hd,bus=p.0,drive=d"],
                       ["-device", "megasas", "-device", "scsi-hd,drive=d"],
                       ["-device", "pvscsi", "-device", "scsi-hd,drive=d"],
                       ["-device", "lsi53c895a", "-device", "scsi-hd,drive=d"],
                       ["-device", "qemu-xhci", "-device", "usb-storage,drive=d"],
                       ["-device", "usb-ehci", "-device", "usb-storage,drive=d"],
                       ["-device", "sdhci-pci", "-device", "sd-card,drive=d"]):
        with VM(kernel("sshmend.auto=check") + drive + controller) as vm:
            lines, code = report(vm, 240)  # those of USB and of SD cards are slow ones
            vm.ends()
        must(code == 4 and lines[0]["verdict"] == "broken", f"{controller}: {code} {lines}")


def case_logical_volume(folder):
    image = os.path.join(folder, "lvm.img")
    disk_tool("lvm", image)
    with VM(kernel("") + disk(image)) as vm:
        vm.expect(MENU)
        shell(vm, "sshmend repair --yes /dev/rescue-vg/root; echo code $?", "^code 1$")
        shell(vm, "sshmend check /dev/rescue-vg/root; echo code $?", "^code 0$")
        vm.send("p")
        vm.ends()


def case_locked_layers(folder):
    """LUKS and RAID are named with the command that opens them."""
    luks, raid = os.path.join(folder, "luks.img"), os.path.join(folder, "raid.img")
    for path in (luks, raid):
        with open(path, "wb") as file:
            file.truncate(64 << 20)
    subprocess.run(["cryptsetup", "luksFormat", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
                    luks, "-"], input=b"secret", check=True)
    with VM(kernel("") + disk(luks) + disk(raid, name="r")) as vm:
        vm.expect("LUKS: /dev/vda is encrypted: cryptsetup open /dev/vda NAME")
        vm.expect(MENU)
        shell(vm, "mdadm --create /dev/md0 --run --force --level=1 --raid-devices=2 /dev/vdb missing; "
                  "mdadm --stop /dev/md0; /usr/lib/rescue/volumes; cat /run/rescue/notes",
              "RAID: mdadm --assemble --scan opens it")
        shell(vm, "mdadm --assemble --scan --run; cat /proc/mdstat", "md.*active.*raid1")
        shell(vm, "echo -n secret | cryptsetup open --key-file - /dev/vda inside; ls /dev/mapper", "inside")


def case_disk_vanishes(folder):
    """Pulled while the menu is up: the next look says that no disk is there."""
    image = broken(folder)
    with VM(kernel("") + ["-drive", f"if=none,id=d,format=raw,file={image}", "-device", "pcie-root-port,id=hot",
                          "-device", "virtio-blk-pci,drive=d,id=pulled,bus=hot"]) as vm:
        vm.expect("/dev/vda")
        vm.expect(MENU)
        vm.command("device_del pulled")
        shell(vm, "until [ ! -e /dev/vda ]; do usleep 100000; done; echo gone", "^gone$")
        vm.send("\r")
        vm.expect("No disk is there.")
        vm.expect(MENU)


def case_disk_appears(folder):
    """Attached late: its module is loaded by the event, and it is mended."""
    image = broken(folder)
    with VM(kernel("") + ["-device", "pcie-root-port,id=hot"]) as vm:
        vm.expect("No disk is there.")
        vm.expect(MENU)
        vm.command(f"drive_add 0 if=none,id=d,format=raw,file={image}\ndevice_add nvme,drive=d,serial=x,bus=hot")
        shell(vm, "until [ -e /dev/nvme0n1p3 ]; do usleep 100000; done; echo there", "^there$")
        vm.send("\r")
        vm.expect(r"Go ahead\? \[y/N\]")
        vm.send("n\n")
        vm.expect(MENU)


def case_no_module(folder):
    """A controller that no module here is for is named, by its number."""
    del folder
    with VM(kernel("") + ["-device", "am53c974"]) as vm:
        vm.expect("No module here for the disk controller 0x1022:0x2020")
        vm.expect(MENU)


def case_wrong_words_guided(folder):
    """Without auto, wrong words are named on the console, and the menu is there."""
    del folder
    with VM(kernel("sshmend.target=sda sshmend.reprot=serial sshmend.authorized_key=ssh-rsa,nonsense")) as vm:
        vm.expect(MENU)
        for word in ("sshmend.target: 'sda' is no device", "sshmend.reprot is unknown",
                     "sshmend.authorized_key: 'ssh-rsa,nonsense' is no public key"):
            must(word in vm.output, f"not said: {word}\n{vm.output}")


def case_report_on_target(folder):
    image = broken(folder)
    with VM(kernel("sshmend.auto=repair sshmend.report=target") + disk(image)) as vm:
        lines, code = report(vm)
        vm.ends()
    must(code == 1 and not lines, f"{code} {lines}")
    written = json.loads(disk_tool("read", image, "var/log/sshmend-report.json"))
    must(written["verdict"] == "healthy", str(written))
    disk_tool("logs-in", image)


def case_remote_help(folder):
    """A client with the key is let in, and sees the fingerprint that the console shows; others are not."""
    keys = {}
    for name in ("good", "other"):
        keys[name] = os.path.join(folder, name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "help@desk", "-f", keys[name]], check=True)
    with open(keys["good"] + ".pub", encoding="ascii") as file:
        word = file.read().strip().replace(" ", ",")
    known = os.path.join(folder, "known_hosts")
    network = ["-netdev", "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:0-:22", "-device", "virtio-net-pci,romfile=,netdev=n"]
    with VM(kernel(f"sshmend.authorized_key={word}") + network) as vm:
        seen = vm.expect(r"ssh root@10\.0\.2\.15, host key (SHA256:\S+)").group(1)
        port = vm.forwarded_port()

        def client(key):
            return subprocess.run(["ssh", "-F", "none", "-p", port, "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                                   "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={known}",
                                   "root@127.0.0.1", "id -un; sshmend --version"],
                                  capture_output=True, text=True, timeout=60, check=False)
        good, other = client(keys["good"]), client(keys["other"])
        must(good.returncode == 0 and good.stdout.startswith("root\nsshmend "), good.stderr)
        must("Permission denied" in other.stderr, other.stdout + other.stderr)
        prints = subprocess.run(["ssh-keygen", "-lf", known], capture_output=True, text=True, check=True).stdout
        must(seen in prints, f"the console shows {seen}, the client got {prints}")


def case_no_sshd_without_key(folder):
    del folder
    with VM(kernel("") + ["-netdev", "user,id=n,restrict=on", "-device", "virtio-net-pci,romfile=,netdev=n"]) as vm:
        vm.expect(MENU)
        shell(vm, "ps | grep -c '[d]ropbear'; ls /sys/class/net | wc -l", "^0\n1$")
        shell(vm, "network", "inet 10.0.2.15/24")
