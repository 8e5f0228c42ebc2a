# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Small disks of every layout (sourced by run.sh). A row of matrix.tsv names its disk: make_ID
# makes it as $DISK, out of what stands here.
#
#   disk SIZE [LABEL]          a new disk; with a table of partitions, sfdisk's lines on stdin
#   put FS OFFSET SIZE TREE [OPTION…]   a file system with a tree in it, at an offset of the disk
#   change OFFSET SIZE COMMAND…         runs COMMAND in a file system of the disk, mounted
#   bytes OFFSET ESCAPES       writes bytes, as printf has them
#   zero OFFSET SIZE           offsets and sizes as numfmt reads them: 1M
#
# Partitions are reached by their offsets: the running kernel need not know any table.

# Trees: $broken, with open host keys and all else that sshd needs; $healthy, of which it was made;
# and what lies on a /boot.
# shellcheck disable=SC2154 # work, repo: run.sh's
make_trees() {
    healthy=$work/healthy broken=$work/broken boot=$work/boot empty=$work/empty
    mkdir "$healthy" "$boot" "$boot/grub" "$empty"
    tree_apply "$healthy" "$repo/tests/fixtures/base" debian.tree
    # What mkfs does not make by itself, and a system has.
    mkdir -p "$healthy"/{boot,data,srv,tmp,usr/local,var/log}
    touch "$healthy/etc/hosts"
    cp -a "$healthy" "$broken"
    chmod 0777 "$broken"/etc/ssh/ssh_host_*
    echo 'linux /vmlinuz root=/dev/vda3' >"$boot/grub/grub.cfg"
    truncate -s 1M "$boot/vmlinuz-6.1.0-test" "$boot/initrd.img-6.1.0-test"
}

number() { numfmt --from=iec "$1"; }

disk() {
    rm -f "$DISK"
    truncate -s "$1" "$DISK"
    [[ $# == 1 ]] || { echo "label: $2" && cat; } | sfdisk -q "$DISK"
}

zero() { dd if=/dev/zero of="$DISK" bs=512 seek=$(($(number "$1") / 512)) count=$(($(number "$2") / 512)) conv=notrunc status=none; }
bytes() { printf '%b' "$2" | dd of="$DISK" bs=1 seek="$(number "$1")" conv=notrunc status=none; }

# --- file systems ---

loop_options() { echo "loop,offset=$(number "$1"),sizelimit=$(number "$2")"; }

change() {
    local at=$work/at code=0 offset=$1 size=$2
    shift 2
    mkdir -p "$at"
    mount -o "$(loop_options "$offset" "$size")${OPTIONS:+,$OPTIONS}" "$DISK" "$at"
    (cd "$at" && "$@") || code=$?
    umount -R "$at"
    return "$code"
}

# put_made OFFSET SIZE COMMAND…: what COMMAND makes of a file, its last argument.
put_made() {
    local offset=$1 size=$2 part=$work/part
    shift 2
    truncate -s "$size" "$part"
    "$@" "$part"
    dd if="$part" of="$DISK" bs=1M seek=$(($(number "$offset") / 1048576)) conv=notrunc,sparse status=none
    rm "$part"
}

# ext is filled by its own mkfs; the others are mounted for it.
put() {
    local fs=$1 offset=$2 size=$3 tree=$4
    shift 4
    case $fs in
    ext*)
        mke2fs -q -F -t "$fs" -m 0 -b 1024 -d "$tree" -E "offset=$(number "$offset"),lazy_itable_init=0" "$@" \
            "$DISK" $(($(number "$size") / 1024))k
        ;;
    *)
        case $fs in
        xfs) put_made "$offset" "$size" mkfs.xfs -q -f "$@" ;;
        btrfs) put_made "$offset" "$size" mkfs.btrfs -q -f "$@" ;;
        esac
        change "$offset" "$size" cp -a "$tree/." .
        ;;
    esac
}

# variant COMMAND…: a copy of the broken tree, changed; its path is $variant.
variant() {
    variant=$work/variant
    rm -rf "$variant"
    cp -a "$broken" "$variant"
    (cd "$variant" && "$@")
}

# With another text in /etc/fstab, from stdin.
with_fstab() { cat >etc/fstab; }

# --- the matrix ---

# One partition of 10 MiB with a root whose fstab is stdin.
root_with_fstab() {
    variant with_fstab
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$variant"
}

# /boot, and a root behind it.
boot_and_root() {
    disk 20M "$1" <<<"$2"
    put ext4 1M 4M "$boot"
    put ext4 "${3:-5M}" 10M "${4:-$broken}"
}
gpt_boot_and_root() { boot_and_root gpt $'start=1MiB, size=4MiB, type=linux\nstart=5MiB, size=10MiB, type=linux'; }

make_m01() {
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709'
    put ext4 1M 10M "$broken"
}
make_m02() {
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$broken"
}
make_m03() { gpt_boot_and_root; }
make_m04() {
    disk 12M dos <<<'start=1MiB, size=10MiB, type=83, bootable'
    put ext4 1M 10M "$broken"
}
make_m05() {
    disk 12M dos <<<'start=1MiB, size=10MiB, type=83'
    put ext4 1M 10M "$broken"
}
make_m06() { boot_and_root dos $'start=1MiB, size=4MiB, type=83, bootable\nstart=5MiB, size=10MiB, type=83'; }
make_m07() {
    boot_and_root dos "$(printf '%s\n' 'disk1 : start=1MiB, size=4MiB, type=83, bootable' \
        'disk2 : start=5MiB, size=13MiB, type=f' 'disk5 : start=6MiB, size=10MiB, type=83')" 6M
}
make_m08() {
    disk 10M
    put ext4 0 10M "$broken"
}
make_m09() {
    disk 24M gpt <<<$'start=1MiB, size=10MiB, type=linux\nstart=11MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$broken"
    put ext4 11M 10M "$broken"
}
make_m10() {
    variant rm -f etc/fstab etc/hosts
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$variant"
}
make_m11() { root_with_fstab <<<'UUID=5e1f0000-0000-4000-8000-000000000001 /boot ext4 defaults 0 2'; }
make_m12() { root_with_fstab <<<'/dev/nvme0n1p3 / ext4 defaults 0 1'; }
make_m12b() { root_with_fstab <<<'UUID=5e1f0000-0000-4000-8000-000000000002 / ext4 defaults 0 1'; }
make_m12c() { root_with_fstab <<<'/dev/sdb1 / ext4 defaults 0 1'; }
make_m12d() { root_with_fstab <<<$'LABEL=gone / ext4 defaults 0 1\n/dev/sdz9 /data ext4 defaults 0 2'; }
make_m12e() { root_with_fstab </dev/null; }
make_m12f() { root_with_fstab < <(printf 'one\ntwo words\n\001\377 / \n/dev/x /../../etc ext4\n\\040 \\999 \\\n'); }

# A copy taken while the journal is not empty.
touch_and_copy() {
    touch data/new
    sync data/new
    cp "$DISK" "$DISK.copy"
}
make_m13() {
    make_m02
    change 1M 10M touch_and_copy
    mv "$DISK.copy" "$DISK"
}
# What its superblock asks of every mount does not go with looking at it without its journal.
make_m13b() {
    disk 10M
    put ext4 0 10M "$broken"
    tune2fs -E mount_opts=journal_checksum "$DISK"
}
make_m13c() {
    make_m13b
    change 0 10M touch_and_copy
    mv "$DISK.copy" "$DISK"
}
# Of 28 MiB, so that there is a second block group, which holds a copy of the superblock.
make_m14() {
    disk 30M gpt <<<'start=1MiB, size=28MiB, type=linux'
    put ext4 1M 28M "$broken"
    zero 1025K 1024
}
fill_subvolumes() {
    btrfs -q subvolume create @
    btrfs -q subvolume create @home
    cp -a "$broken/." @/
    cp -a "$broken/home/." @home/
    rm -rf @/home/alice
    printf 'LABEL=btr %s btrfs subvol=%s 0 0\n' / @ /home @home >@/etc/fstab
}
make_m15() {
    disk 120M
    put btrfs 0 120M "$empty" -L btr
    change 0 120M fill_subvolumes
}
make_m16() {
    gpt_boot_and_root
    zero 512 512
}
make_m17() {
    gpt_boot_and_root
    zero 0 17K
    zero 20463K 17K
}
make_m18() {
    variant eval 'mv usr ../usr && mkdir usr && echo "UUID=5e1f0000-0000-4000-8000-000000000018 /usr ext4 defaults 0 2" >etc/fstab'
    disk 20M gpt <<<$'start=1MiB, size=8MiB, type=linux\nstart=9MiB, size=10MiB, type=linux'
    put ext4 1M 8M "$work/usr" -U 5e1f0000-0000-4000-8000-000000000018
    put ext4 9M 10M "$variant"
    rm -r "${work:?}/usr"
}
make_m19() {
    variant eval 'rm -r etc/ssh && ln -s /proc/self/cwd/../../etc/ssh etc/ssh'
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$variant"
}
make_m21() {
    disk 302M gpt <<<'start=1MiB, size=300MiB, type=linux'
    put xfs 1M 300M "$broken"
}
make_m21b() {
    make_m21
    cp --sparse=always "$DISK" "$DISK.twin"
    mkdir -p "$work/twin"
    mount -o "$(loop_options 1M 300M),nouuid" "$DISK.twin" "$work/twin"
}
make_m22() {
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=linux'
    put ext3 1M 10M "$broken"
}
# with_loop OFFSET SIZE COMMAND…: the loop device is its last argument.
with_loop() {
    local loop code=0 offset=$1 size=$2
    shift 2
    loop=$(losetup -f --show -o "$(number "$offset")" --sizelimit "$(number "$size")" "$DISK")
    "$@" "$loop" >/dev/null 2>&1 || code=$?
    losetup -d "$loop"
    return "$code"
}
# The tools see this device alone, and keep no backup of theirs on this machine.
make_group() {
    pvcreate -y --devices "$2" "$2"
    vgcreate --devices "$2" --config 'backup { backup = 0 archive = 0 }' "$1" "$2"
}
make_m23() {
    disk 32M gpt <<<'start=1MiB, size=30MiB, type=lvm'
    with_loop 1M 30M make_group debian-vg
}
format_luks() { echo secret | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$1" -; }
make_m24() {
    disk 20M gpt <<<'start=1MiB, size=18MiB, type=linux'
    put_made 1M 18M format_luks
}
# mdp_superblock_1 (md_p.h) of one half of a RAID1 called "host:0", 4 KiB behind the start of its partition.
make_m25() {
    disk 20M gpt <<<'start=1MiB, size=18MiB, type=raid'
    put ext4 2M 17M "$broken"
    bytes 1052672 '\xfc\x4e\x2b\xa9\x01\0\0\0\0\0\0\0\0\0\0\0ABCDEFGHIJKLMNOPhost:0'
    bytes 1052760 '\x01\0\0\0'
    bytes 1052780 '\x02\0\0\0'
    bytes 1052800 '\0\x08\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\x08\0\0\0\0\0\0\0'
}

# --- what is no file system of ours, or is asleep ---

make_r01() {
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=swap'
    put_made 1M 10M mkswap
}
# kernel/power/swap.c, HIBERNATE_SIG: it takes the place of the signature of the swap.
make_r02() {
    disk 24M gpt <<<$'start=1MiB, size=10MiB, type=swap\nstart=11MiB, size=10MiB, type=linux'
    put_made 1M 10M mkswap
    bytes $((1048576 + 4086)) S1SUSPEND
    put ext4 11M 10M "$broken"
}
# Uberblocks of ZFS (UBERBLOCK_MAGIC), in the first of its labels.
make_r03() {
    local i
    disk 70M
    for ((i = 0; i < 8; i++)); do
        bytes $((131072 + i * 1024)) '\x0c\xb1\xba\0\0\0\0\0'
    done
}
make_r04() {
    disk 10M
    bytes 4120 '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef'
}
# A boot sector that leads to the metadata.
make_r05() {
    disk 10M
    bytes 0 '\xeb\x58\x90-FVE-FS-\0\x02'
    bytes 176 '\0\x10\0\0\0\0\0\0'
    bytes 4096 '-FVE-FS-\x40\0\x02\0'
}
make_r06() { disk 10M; }
# An ext4, and the superblock of a btrfs that was there before.
make_r07() {
    disk 120M
    put_made 0 120M mkfs.btrfs -q
    dd if="$DISK" of="$DISK.super" bs=4K skip=16 count=1 status=none
    zero 0 1M
    put ext4 0 10M "$broken"
    dd if="$DISK.super" of="$DISK" bs=4K seek=16 conv=notrunc status=none
}

# --- tables that are damaged, moved, or not where one looks first ---

# grow SIZE: as a provider does, who knows nothing of the backup table at the end.
grow() { truncate -s "$1" "$DISK"; }

make_t01() {
    gpt_boot_and_root
    grow 40M
}
make_t02() {
    make_t01
    zero 512 512
}
# The first sector alone: with it goes what says that there is a GPT.
make_t03() {
    gpt_boot_and_root
    zero 0 512
}
make_t04() {
    disk 12M gpt <<<'start=1MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$broken"
    truncate -s 8M "$DISK"
}
# sfdisk knows sectors of 4096 bytes of devices alone.
big_sectors() {
    local loop code=0
    disk 20M
    loop=$(losetup -f --show --sector-size 4096 "$DISK")
    printf '%s\n' 'label: gpt' 'start=256, size=1024, type=linux' 'start=1280, size=2560, type=linux' |
        sfdisk -q "$loop" || code=$?
    losetup -d "$loop"
    put ext4 1M 4M "$boot" -b 4096
    put ext4 5M 10M "$broken" -b 4096
    return "$code"
}
make_t05() { big_sectors; }
make_t06() {
    big_sectors
    zero 4096 4096
}
# A partition that was the disk of a virtual machine.
make_t07() {
    local whole=$DISK
    DISK=$whole.inner
    gpt_boot_and_root
    DISK=$whole
    disk 24M gpt <<<'start=1MiB, size=22MiB, type=linux'
    dd if="$DISK.inner" of="$DISK" bs=1M seek=1 conv=notrunc,sparse status=none
}
# An empty table over what was there; and an old one, from sector 63 on.
make_t08() {
    gpt_boot_and_root
    sfdisk -q --wipe never "$DISK" <<<'label: dos'
}
make_t09() {
    disk 12M
    put ext4 32256 10M "$broken"
}
make_t10() {
    disk 320M gpt <<<$'start=1MiB, size=4MiB, type=linux\nstart=5MiB, size=120MiB, type=linux'
    put ext4 1M 4M "$boot"
    put btrfs 5M 120M "$empty" -L btr
    change 5M 120M fill_subvolumes
    zero 0 17K
    zero 327663K 17K
}

# --- systems of several file systems ---

part_id=5e1f0000-0000-4000-8000-0000000000aa

# apart DIRECTORY SOURCE: the broken tree as $variant, with one directory of it moved out to $apart,
# which fstab has as SOURCE.
apart() {
    variant true
    apart=$work/apart
    rm -rf "$apart"
    mv "$variant$1" "$apart"
    mkdir "$variant$1"
    echo "${2:-UUID=$part_id} $1 ext4 defaults 0 2" >>"$variant/etc/fstab"
}
# two_parts [SOURCE-OPTION…]: $apart first, the root behind it.
two_parts() {
    disk 24M gpt <<<$'start=1MiB, size=10MiB, type=linux, name="the part", uuid=5E1F0000-0000-4000-8000-0000000000BB\nstart=11MiB, size=10MiB, type=linux'
    put ext4 1M 10M "$apart" "$@"
    put ext4 11M 10M "$variant"
}
# What is wrong on the other file system alone is mended there.
open_home() { chmod 0777 "$apart/alice" "$apart/alice/.ssh"; }

make_s01() {
    apart /var
    two_parts -U "$part_id"
}
make_s02() {
    apart /home LABEL=home
    open_home
    two_parts -L home
}
make_s03() {
    apart /home PARTUUID=5e1f0000-0000-4000-8000-0000000000bb
    open_home
    two_parts
}
make_s04() {
    apart /home 'PARTLABEL=the\040part'
    open_home
    two_parts
}
make_s05() {
    apart /home /dev/nvme0n1p1
    echo '/dev/nvme0n1p2 / ext4 defaults 0 1' >>"$variant/etc/fstab"
    open_home
    two_parts
}
# Files are exchanged there, too, and a whole key is made.
make_s06() {
    apart /etc/ssh
    rm "$apart/ssh_host_ecdsa_key" "$apart/ssh_host_ecdsa_key.pub" "$apart/ssh_host_ed25519_key.pub"
    two_parts -U "$part_id"
}
make_s07() {
    apart /usr
    disk 12M
    put ext4 0 10M "$variant"
}
make_s08() {
    apart /home
    disk 12M
    put ext4 0 10M "$variant"
}
make_s09() {
    make_s08
    open_home
    # shellcheck disable=SC2034 # run.sh names it, too
    more=("$DISK.more")
    DISK=$DISK.more
    disk 12M
    put ext4 0 10M "$apart" -U "$part_id"
    DISK=${DISK%.more}
}
make_s10() {
    variant true
    echo "UUID=$part_id /srv ext4 defaults 0 2" >"$variant/etc/fstab"
    disk 12M
    put ext4 0 10M "$variant"
}
# /home is another system's root: an fstab must not lead into it.
make_s11() {
    make_m09
    apart /home LABEL=other
    rm -rf "$apart"
    put ext4 1M 10M "$variant"
    put ext4 11M 10M "$healthy" -L other
}
fill_home() {
    btrfs -q subvolume create @
    btrfs -q subvolume create @home
    cp -a "$variant/." @/
    cp -a "$apart/." @home/
}
make_s12() {
    apart /home LABEL=btr
    open_home
    echo 'LABEL=btr /home btrfs subvol=/@home 0 0' >"$variant/etc/fstab"
    disk 120M
    put btrfs 0 120M "$empty" -L btr
    change 0 120M fill_home
}
make_s13() { make_s06; }
# Looked for where it was, it comes back.
make_s14() {
    apart /etc/ssh
    two_parts -U "$part_id"
    change 1M 10M rm ssh_host_ecdsa_key
}
make_s15() {
    make_s12
    change 0 120M fill_numbered
}
# By its number; the fstab of the root that was made for s12 is changed in place.
fill_numbered() {
    local number
    number=$(btrfs inspect-internal rootid @home)
    echo "LABEL=btr /home btrfs subvolid=$number 0 0" >@/etc/fstab
}
# Where the disk was plugged in, and what its serial was: an image has neither; the root has both.
make_s16() {
    apart /home /dev/disk/by-path/pci-0000:00:05.0-part1
    echo '/dev/disk/by-path/pci-0000:00:05.0-part2 / ext4 defaults 0 1' >>"$variant/etc/fstab"
    open_home
    two_parts
}
make_s17() {
    apart /home /dev/disk/by-id/virtio-bp1abcdef0123456789x-part1
    echo '/dev/disk/by-id/virtio-bp1abcdef0123456789x-part2 / ext4 defaults 0 1' >>"$variant/etc/fstab"
    open_home
    two_parts
}
# Plugged in somewhere else than the root: on another disk, which is not here.
make_s18() {
    apart /home /dev/disk/by-path/pci-0000:00:06.0-part1
    echo '/dev/disk/by-path/pci-0000:00:05.0-part2 / ext4 defaults 0 1' >>"$variant/etc/fstab"
    open_home
    two_parts
}
make_s19() {
    apart /usr
    sed -i '/ \/usr /d' "$variant/etc/fstab"
    disk 24M gpt <<<$'start=1MiB, size=10MiB, type=linux, name="USR-A"\nstart=11MiB, size=10MiB, type=linux, name="ROOT"'
    put ext4 1M 10M "$apart"
    put ext4 11M 10M "$variant"
}
make_s20() {
    variant true
    echo 'overlay /etc overlay defaults,upperdir=/sysroot/var/lib/overlay/1/etc,lowerdir=/sysroot/etc 0 0' >>"$variant/etc/fstab"
    disk 12M
    put ext4 0 10M "$variant"
}
make_s21() {
    variant true
    rm -rf "$work/writable"
    mkdir -p "$work/writable/system-data/var/lib/snapd"
    mv "$variant/etc" "$work/writable/system-data/etc"
    disk 12M
    put ext4 0 10M "$work/writable" -L ubuntu-data
}
cut_s13() { change 11M 10M eval 'rm var/lib/sshmend/*/COMMITTED'; }

# The same without mounting.
# shellcheck disable=SC2034
directly() {
    "make_$1"
    more+=(--access=direct)
}
make_s01d() { directly s01; }
make_s02d() { directly s02; }
make_s06d() { directly s06; }
make_s09d() { directly s09; }
make_s13d() { directly s13; }
cut_s13d() { cut_s13; }
make_s14d() { directly s14; }
make_m13d() { directly m13; }

# --- btrfs, and systems in directories ---

# subvolumes NAME…: a btrfs of subvolumes, each with the broken tree and an fstab that calls the
# root $called.
fill_with() {
    local name
    for name in "$@"; do
        mkdir -p "$(dirname "$name")"
        btrfs -q subvolume create "$name"
        cp -a "$broken/." "$name/"
        [[ -z $called ]] || echo "LABEL=btr / btrfs subvol=$called 0 0" >"$name/etc/fstab"
    done
}
subvolumes() {
    disk 120M
    put btrfs 0 120M "$empty" -L btr
    change 0 120M fill_with "$@"
}
set_default() { btrfs subvolume set-default "$1"; }

make_b01() {
    called=/@ subvolumes @ @home
    change 0 120M set_default @
}
make_b02() { called='' subvolumes debian-sid; }
make_b03() { called=@ subvolumes @ @before-upgrade timeshift; }
# What openSUSE boots is itself called a snapshot; the others are none.
make_b04() {
    called='' subvolumes @/.snapshots/1/snapshot @/.snapshots/2/snapshot
    change 0 120M set_default @/.snapshots/2/snapshot
}
make_b05() { called='' subvolumes @ root; }
make_b06() {
    make_b01
    cp --sparse=always "$DISK" "$DISK.twin"
    mkdir -p "$work/twin"
    mount -o loop "$DISK.twin" "$work/twin"
}
# A comma in the name of a subvolume must not become an option of the mount.
make_b07() { called='' subvolumes @ 'rw,@'; }

deployment=ostree/deploy/fedora/deploy/0123abcd.0
make_o01() {
    variant true
    mkdir -p "$work/sysroot/$(dirname "$deployment")" "$work/sysroot/boot" "$work/sysroot/ostree/repo"
    mv "$variant/var" "$work/sysroot/ostree/deploy/fedora/var"
    mkdir "$variant/var"
    mv "$variant" "$work/sysroot/$deployment"
    touch "$work/sysroot/$deployment.origin"
    disk 20M gpt <<<$'start=1MiB, size=4MiB, type=linux\nstart=5MiB, size=10MiB, type=linux'
    put ext4 1M 4M "$boot"
    put ext4 5M 10M "$work/sysroot"
    rm -rf "${work:?}/sysroot"
}
make_m14b() {
    disk 140M
    put ext4 0 140M "$broken" -b 4096
    zero 1K 1K
}

# The copy of the superblock does not know that there is something in the journal.
make_m14c() {
    disk 140M
    put ext4 0 140M "$broken" -b 4096
    change 0 140M touch_and_copy
    mv "$DISK.copy" "$DISK"
    zero 1K 1K
}

make_m14d() {
    disk 30M gpt <<<'start=1MiB, size=28MiB, type=linux'
    put ext4 1M 28M "$broken"
    change 1M 28M touch_and_copy
    mv "$DISK.copy" "$DISK"
    zero 1025K 1024
}

# --- images that are not raw, or only look so ---

make_i01() {
    make_m02
    bytes 0 'QFI\xfb\0\0\0\x03'
}
convert_to() {
    qemu-img convert -O "$@" "$DISK" "$DISK.new"
    mv "$DISK.new" "$DISK"
}
converted() {
    make_m02
    convert_to "$@"
}
make_i02() { converted qcow2; }
make_i03() { converted vmdk; }
make_i04() { converted vdi; }
make_i05() { converted vhdx; }
make_i06() { converted vpc; }
# What it is, is said; more, of run.sh: the arguments behind the disk.
# shellcheck disable=SC2034 # run.sh reads it
as() {
    converted "${2:-$1}"
    more=("--format=$1")
}
make_i07() { as qcow2; }
make_i08() { as vmdk; }
make_i09() { as vdi; }
make_i10() { as vhdx; }
make_i11() { as vhd vpc; }
# An image that has its content from another file would have it from any file of this machine.
# shellcheck disable=SC2034
make_i12() {
    make_m02
    mv "$DISK" "$DISK.base"
    qemu-img create -q -f qcow2 -F raw -b "$DISK.base" "$DISK"
    more=(--format=qcow2)
}
# over FORMAT NAME: the disk becomes a qcow2 that stands on what it was, says what that is and calls it
# NAME; the operator names it.
# shellcheck disable=SC2034
over() {
    mv "$DISK" "$DISK.base"
    qemu-img create -q -f qcow2 -u -F "$1" -b "$2" "$DISK" "$(qemu-img info --output=json -f "$1" "$DISK.base" | jq '.["virtual-size"]')"
    more=(--format=qcow2 "--backing=$DISK.base")
}
make_i16() {
    make_m02
    over raw "$DISK.base"
}
make_i17() {
    make_i16
    mv "$DISK.base" "$DISK.below"
    qemu-img rebase -u -F raw -b "$DISK.below" "$DISK"
    over qcow2 "$DISK.base"
    more+=("--backing=$DISK.below")
}
make_i18() {
    make_m02
    over raw /where/it/was.img
}
# A name that leads to something else than what the operator says, and is never opened.
make_i19() {
    make_m02
    touch "$DISK.never"
    over raw "$DISK.never"
}
# shellcheck disable=SC2034
make_i20() {
    make_m02
    convert_to qcow2
    more=(--format=qcow2 "--backing=$DISK.base")
}
make_i21() {
    make_i01
    over raw "$DISK.base"
}
make_i22() {
    make_m02
    mv "$DISK" "$DISK.raw"
    qemu-img convert -O qcow2 "$DISK.raw" "$DISK"
    over qcow2 "$DISK.base"
    mv "$DISK.raw" "$DISK.base"
}
# held_by_machine ON|OFF: DISK.base is open in a virtual machine, to be read only or written, until
# run.sh runs $let_go.
# shellcheck disable=SC2034
held_by_machine() {
    local try
    qemu-storage-daemon --pidfile "$DISK.pid" --blockdev "driver=file,node-name=base,filename=$DISK.base,read-only=$1" \
        --nbd-server "addr.type=unix,addr.path=$DISK.socket" \
        --export "type=nbd,id=view,node-name=base,writable=$([[ $1 == on ]] && echo off || echo on)" &
    let_go=(kill "$!")
    for ((try = 0; try < 100; try++)); do
        [[ ! -s $DISK.pid ]] || return 0
        sleep 0.1
    done
    return 1
}
make_i23() {
    make_i16
    held_by_machine off
}
make_i24() {
    make_i16
    held_by_machine on
}
# shellcheck disable=SC2034
make_i25() {
    make_i16
    let_go=(losetup -d "$(losetup -f --show "$DISK.base")")
}
# It names another file only once qemu-img has looked at it.
# shellcheck disable=SC2034
make_i27() {
    local real name=(-u -f qcow2 -F raw -b "$DISK.never" "$DISK")
    real=$(command -v qemu-img)
    converted qcow2
    touch "$DISK.never"
    qemu-img rebase "${name[@]}"
    cp "$real" "$DISK.real"
    cat >"$DISK.liar" <<END
#!/bin/sh
[ "\$1" = info ] || exec $DISK.real "\$@"
$DISK.real rebase -u -f qcow2 -b '' $DISK
$DISK.real "\$@"
code=\$?
$DISK.real rebase ${name[@]}
exit \$code
END
    chmod 0755 "$DISK.liar"
    mount --bind "$DISK.liar" "$real"
    let_go=(umount "$real")
    more=(--format=qcow2)
}
# A differencing VHD, as far as its footers say: type 4 instead of 3, and a checksum less by one.
# shellcheck disable=SC2034
make_i26() {
    local at sum
    make_m02
    convert_to vpc
    for at in 0 $(($(stat -c %s "$DISK") - 512)); do
        bytes $((at + 63)) '\x04'
        sum=$(od -An -tu4 --endian=big -j $((at + 64)) -N 4 "$DISK")
        bytes $((at + 64)) "$(printf '%08x' $((sum - 1)) | sed 's/../\\x&/g')"
    done
    more=(--format=vhd)
}
# shellcheck disable=SC2034
make_i13() {
    make_m02
    convert_to vmdk -o subformat=monolithicFlat
    more=(--format=vmdk)
}
# shellcheck disable=SC2034
make_i14() {
    make_m02
    more=(--format=qcow2)
}
# shellcheck disable=SC2034
make_i15() {
    make_m17
    convert_to qcow2
    more=(--format=qcow2)
}
