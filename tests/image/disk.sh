#!/bin/bash
# SPDX-License-Identifier: MIT
#
# disk.sh broken IMG LAYOUT   a disk whose sshd refuses everybody
# disk.sh system IMG SYSTEM BREAKAGE    a system of tests/vm that boots, broken as check-vm breaks it
# disk.sh boots IMG SYSTEM    0 where it boots, and a client that knew it before is let in
# disk.sh two IMG             two systems on it, broken alike
# disk.sh lvm IMG             its root in a plain logical volume
# disk.sh logs-in IMG         0 where its own sshd lets a real client in, with every key
# disk.sh refuses IMG
# disk.sh read IMG PATH       a file of its root

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# shellcheck source=tests/testbed/image.sh
. "$here/../testbed/image.sh"
# shellcheck source=tests/testbed/judge.sh
. "$here/../testbed/judge.sh"
# shellcheck source=tests/testbed/breakages.sh
. "$here/../testbed/breakages.sh"

make_broken() {
    image_make "$1" "$2"
    image_mount "$1"
    break_mixed "$MNT"
    break_root_home_777 "$MNT"
    image_umount
}

break_partition() {
    local img=$1 offset=$2 size=$3
    MNT=$(mktemp -d)
    partition_mount "$img" "$offset" "$size" "$MNT"
    break_mixed "$MNT"
    image_umount
}

make_two() {
    local offset size
    image_make "$1" gpt-two-ext4
    while read -r offset size; do
        break_partition "$1" "$offset" "$size"
    done < <(image_partitions "$1")
}

# No device-mapper is needed to lay out a volume, and where it starts is known: the first extent. What
# is put there is the root partition of another disk.
make_lvm() {
    local plain=$1.plain offset size dev extent=$((4 << 20))
    make_broken "$plain" gpt-ext4
    read -r offset size < <(image_root_partition "$plain")
    truncate -s $((size + (16 << 20))) "$1"
    dev=$(losetup --find --show "$1")
    # shellcheck disable=SC2064 # the device's name is known now
    trap "losetup -d $dev; rm -f $plain" EXIT
    pvcreate -q --dataalignment 1m "$dev"
    vgcreate -q -s "$extent"b rescue-vg "$dev"
    lvcreate -q --driverloaded n -an -Zn -Wn -l $(((size + extent - 1) / extent)) -n root rescue-vg
    dd if="$plain" of="$dev" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$size" seek=1 conv=notrunc status=none
}

read_file() {
    image_mount "$1"
    cat "$MNT/$2"
    image_umount
}

# of_system IMG SYSTEM COMMAND…: steps of tests/vm, which return what they are worth
of_system() {
    local img=$1 system=$2 case=$2 dir
    shift 2
    # shellcheck source=tests/vm/systems.sh
    . "$here/../vm/systems.sh"
    # shellcheck source=tests/vm/machine.sh
    . "$here/../vm/machine.sh"
    # shellcheck source=tests/vm/steps.sh
    . "$here/../vm/steps.sh"
    dir=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory's name is known now
    trap "rm -rf $dir" EXIT
    "$@"
}

make_system_broken() { ensure_system "$system" && copy_system && break_system "$1"; }

boots() {
    old_known_hosts >"$dir/known"
    boot_mended "$dir/known"
}

in_private_ns "$@"
case $1 in
system) of_system "$2" "$3" make_system_broken "$4" || exit ;;
boots) of_system "$2" "$3" boots || exit ;;
broken) make_broken "$2" "$3" ;;
two) make_two "$2" ;;
lvm) make_lvm "$2" ;;
logs-in) judge_login "$2" >/dev/null ;;
refuses) judge_refuses "$2" ;;
read) read_file "$2" "$3" ;;
*) exit 2 ;;
esac 2>&1
