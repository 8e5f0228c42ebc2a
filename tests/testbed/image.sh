# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Disk images with a real root file system in them (sourced).
#
#   in_private_ns "$@"      re-runs the calling script in a mount namespace of its
#                           own and with a fresh TMPDIR; everything else needs it
#   image_make IMG LAYOUT   a fresh image, copied from a cached one; LAYOUT is
#                           gpt-{ext4,ext3,ext2,xfs,btrfs}: BIOS boot, /boot, root
#                           gpt-two-ext4: two roots, the second is the larger
#                           mbr-logical-ext4: /boot, root in logical partition 5
#                           bare-ext4, btrfs-at: no partition table
#   image_mount IMG         mounts its root read-write at $MNT
#   image_umount
#   image_loop IMG CMD…     runs CMD with a read-only loop device of the root partition
#   image_fsck IMG          the file system's own checker, read-only
#
# Partitions are loop devices with an offset and a size, or loop mounts: the
# running kernel need not know any partition table. Loop mounts detach
# themselves, so nothing stays behind where a script is killed.

testbed_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$(cd "$testbed_dir/../.." && pwd)/build/testbed}
IMAGE_SIZE=800M

# A mount made below TMPDIR after this is seen by nobody else and ends with the script.
in_private_ns() {
    local dir code=0
    [[ -z ${IN_PRIVATE_NS-} ]] || return 0
    dir=$(mktemp -d)
    "$testbed_dir/private-ns.sh" "$dir" bash "$0" "$@" || code=$?
    rm -rf "$dir"
    exit "$code"
}

# The partition table of each layout, in sfdisk's words; nothing for a bare disk.
layout_table() {
    case $1 in
    gpt-two-*)
        printf '%s\n' 'label: gpt' 'size=390MiB, type=linux' 'type=linux'
        ;;
    gpt-*)
        cat <<-'TABLE'
		label: gpt
		size=1MiB, type=21686148-6449-6E6F-744E-656564454649
		size=64MiB, type=linux
		type=linux
		TABLE
        ;;
    mbr-logical-*)
        cat <<-'TABLE'
		label: dos
		disk1 : size=64MiB, type=83, bootable
		disk2 : type=f
		disk5 : type=83
		TABLE
        ;;
    esac
}

layout_fs() {
    case $1 in
    btrfs-at) echo btrfs ;;
    *) echo "${1##*-}" ;;
    esac
}

# Prints "OFFSET SIZE" in bytes of each partition that can hold a file system.
# A disk without a table is one partition.
image_partitions() {
    local img=$1 table
    if ! table=$(sfdisk -J "$img" 2>/dev/null); then
        echo "0 $(stat -c %s "$img")"
        return
    fi
    jq -r '.partitiontable | .sectorsize as $sector | .partitions[]
        | select(.type | test("^(5|f|85|21686148-.*)$") | not)
        | "\(.start * $sector) \(.size * $sector)"' <<<"$table"
}

# The root is the largest partition of all layouts here.
image_root_partition() {
    image_partitions "$1" | sort -k2,2n | tail -n 1
}

# A loop device stays for a moment where something else looks at it (udev does).
wait_detached() {
    local dev=$1 img=$2 try
    for ((try = 0; try < 100; try++)); do
        losetup -nO NAME -j "$img" | grep -qx "$dev" || return 0
        sleep 0.05
    done
    echo "image: $dev stays attached to $img" >&2
    return 1
}

# partition_loop IMG OFFSET SIZE LOSETUP-OPTION… -- CMD…: runs CMD with the loop device as its last argument.
partition_loop() (
    local img=$1 offset=$2 size=$3 dev
    local -a flags=()
    shift 3
    while [[ $1 != -- ]]; do
        flags+=("$1")
        shift
    done
    shift
    dev=$(losetup --find --show "${flags[@]}" --offset "$offset" --sizelimit "$size" "$img")
    # shellcheck disable=SC2064 # the device's name is known now
    trap "losetup -d $dev; wait_detached $dev '$(realpath "$img")'" EXIT
    "$@" "$dev"
)

image_loop() {
    local img=$1 offset size
    shift
    read -r offset size < <(image_root_partition "$img")
    partition_loop "$img" "$offset" "$size" --read-only -- "$@"
}

make_fs() {
    local fs=$1 dev=$2
    case $fs in
    ext2 | ext3 | ext4) mkfs."$fs" -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$dev" ;;
    xfs) mkfs.xfs -q -f "$dev" ;;
    btrfs) mkfs.btrfs -q -f "$dev" >/dev/null ;;
    *) echo "image: no such file system: $fs" >&2; return 1 ;;
    esac
}

partition_mount() {
    local img=$1 offset=$2 size=$3 where=$4 options=${5-}
    mount -o "loop,offset=$offset,sizelimit=$size${options:+,$options}" "$img" "$where"
}

unpack_root() {
    tar -x --numeric-owner --xattrs --xattrs-include='*' -p -C "$1" -f "$BUILD/root.tar"
}

# What a /boot of its own holds: a kernel and a boot loader, no root.
fill_boot() {
    mkdir -p "$1/grub"
    echo 'linux /vmlinuz root=LABEL=root' >"$1/grub/grub.cfg"
    truncate -s 4M "$1/vmlinuz-6.1.0-test-amd64" "$1/initrd.img-6.1.0-test-amd64"
}

# The layout of Debian's and Ubuntu's installers: @ is the root, @home its
# /home, and the default subvolume stays the top level.
fill_btrfs_at() {
    btrfs -q subvolume create "$1/@"
    btrfs -q subvolume create "$1/@home"
    unpack_root "$1/@"
    cp -a "$1/@/home/." "$1/@home/"
    rm -rf "$1/@/home/alice"
    local uuid
    uuid=$(findmnt -no UUID "$1")
    printf 'UUID=%s %s btrfs subvol=%s 0 0\n' "$uuid" / @ "$uuid" /home @home >"$1/@/etc/fstab"
}

make_partition() {
    local img=$1 offset=$2 size=$3 fs=$4 fill=$5 dir
    partition_loop "$img" "$offset" "$size" -- make_fs "$fs"
    dir=$(mktemp -d)
    partition_mount "$img" "$offset" "$size" "$dir"
    "$fill" "$dir"
    umount "$dir"
    rmdir "$dir"
}

build_base() {
    local img=$1 layout=$2 table fs offset size
    fs=$(layout_fs "$layout")
    rm -f "$img"
    truncate -s "$IMAGE_SIZE" "$img"
    table=$(layout_table "$layout")
    [[ -z $table ]] || sfdisk -q "$img" <<<"$table"
    read -r offset size < <(image_root_partition "$img")
    make_partition "$img" "$offset" "$size" "$fs" "$([[ $layout == btrfs-at ]] && echo fill_btrfs_at || echo unpack_root)"
    if [[ -n $table ]]; then
        read -r offset size < <(image_partitions "$img" | head -n 1)
        make_partition "$img" "$offset" "$size" ext4 "$([[ $layout == gpt-two-* ]] && echo unpack_root || echo fill_boot)"
    fi
    fallocate --dig-holes "$img"
}

# Builds the cached image in a private namespace and one at a time.
ensure_base() {
    local layout=$1 base
    base=$BUILD/$layout.img
    "$testbed_dir/make-root.sh"
    (
        flock 8
        if [[ ! -s $base || $BUILD/root.tar -nt $base || $testbed_dir/image.sh -nt $base ]]; then
            build_base "$base.new" "$layout"
            mv "$base.new" "$base"
        fi
    ) 8>"$BUILD/.$layout.lock"
}

# XFS and btrfs refuse to mount two file systems of one UUID, and tests run side by side.
new_uuid() {
    local fs=$1 dev=$2
    case $fs in
    xfs) xfs_admin -U generate "$dev" >/dev/null ;;
    btrfs) btrfstune -f -u "$dev" >/dev/null ;;
    esac
}

image_make() {
    local img=$1 layout=$2 fs offset size
    ensure_base "$layout"
    cp --sparse=always --reflink=auto "$BUILD/$layout.img" "$img"
    fs=$(layout_fs "$layout")
    if [[ $fs == xfs || $fs == btrfs ]]; then
        read -r offset size < <(image_root_partition "$img")
        partition_loop "$img" "$offset" "$size" -- new_uuid "$fs"
    fi
}

# btrfs: where there is a subvolume @, it is the root, and @home belongs on it.
image_mount() {
    local img=$1 offset size
    read -r offset size < <(image_root_partition "$img")
    MNT=$(mktemp -d)
    partition_mount "$img" "$offset" "$size" "$MNT"
    [[ -d $MNT/@ ]] || return 0
    umount "$MNT"
    partition_mount "$img" "$offset" "$size" "$MNT" subvol=@
    mount -t btrfs -o subvol=@home "$(findmnt -nvo SOURCE "$MNT")" "$MNT/home"
}

image_umount() {
    local dev img
    dev=$(findmnt -nvo SOURCE "$MNT")
    img=$(losetup -nO BACK-FILE "$dev")
    umount -R "$MNT"
    rmdir "$MNT"
    wait_detached "$dev" "$img"
}

fsck_device() {
    local fs
    fs=$(blkid -p -o value -s TYPE "$1")
    case $fs in
    ext*) e2fsck -fn "$1" ;;
    xfs) xfs_repair -n "$1" ;;
    btrfs) btrfs check --readonly "$1" ;;
    *) echo "image: no checker for '$fs'" >&2; return 1 ;;
    esac
}

image_fsck() {
    image_loop "$1" fsck_device
}
