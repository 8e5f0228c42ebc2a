#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Speed and size as ratios, each against a rival in the same run, in turn, on the
# same bytes. Prints a table; asserts nothing.
#
#   repair   a 2 GiB ext4 image: one key truncated, one lost, all modes 0777;
#            against the hand recipe (losetup, partx, mount, chmod, chown,
#            ssh-keygen -A, umount, losetup -d) that makes the same keys
#   keys     three new host keys, against ssh-keygen -A
#   check    of the broken image: CPU time
#   direct   check and repair without mounting, against the door that mounts
#   scan     64 attached disks with nothing to mount on them, against blkid
#   search   for lost keys (recover.sh)

set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SSHMEND=${SSHMEND:-$repo/sshmend}
RUNS=${RUNS:-20}

# shellcheck source=tests/testbed/image.sh
. "$repo/tests/testbed/image.sh"
# shellcheck source=tests/bench/recover.sh
. "$repo/tests/bench/recover.sh"
IMAGE_SIZE=2G

make_broken() {
    "$testbed_dir/make-root.sh"
    build_base "$work/broken.img" gpt-ext4
    image_mount "$work/broken.img"
    truncate -s 200 "$MNT/etc/ssh/ssh_host_ecdsa_key"
    rm "$MNT/etc/ssh/ssh_host_ed25519_key"
    chmod 0777 "$MNT"/etc/ssh/ssh_host_*
    image_umount
}

# The hand recipe has to be told which key is truncated; then it makes the same two.
by_hand() {
    local dev
    dev=$(losetup --find --show "$1")
    partx --add "$dev"
    mount "${dev}p3" "$work/mnt"
    rm "$work/mnt/etc/ssh/ssh_host_ecdsa_key"
    chmod 600 "$work"/mnt/etc/ssh/ssh_host_*_key
    chmod 644 "$work"/mnt/etc/ssh/ssh_host_*_key.pub
    chown root:root "$work"/mnt/etc/ssh/ssh_host_*
    ssh-keygen -A -f "$work/mnt" >/dev/null
    umount "$work/mnt"
    partx --delete "$dev"
    losetup --detach "$dev"
}

by_sshmend() { "$SSHMEND" repair --quiet --yes --recover=never "$1" || [[ $? == 1 ]]; }

# An empty /etc/ssh on a file system of its own: nothing but keys to make.
keys_by_sshmend() { "$SSHMEND" repair --quiet --yes --recover=never "$1" >/dev/null || [[ $? == 1 ]]; }
keys_by_hand() { ssh-keygen -A -f "$1" >/dev/null; }

# seconds COMMAND…: wall time of one run.
seconds() {
    local start=$EPOCHREALTIME
    "$@" >&2
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

row() { printf '%-34s %9s %9s %7s %9s\n' "$@"; }

# ratio_row NAME OURS-FILE THEIRS-FILE LIMIT
ratio_row() {
    local ours theirs
    ours=$(median <"$2") theirs=$(median <"$3")
    row "$1" "$ours" "$theirs" "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.2f", a / b }')" "$4"
}

bench_repair() {
    local i
    for ((i = 0; i < RUNS; i++)); do
        cp --sparse=always "$work/broken.img" "$work/a.img"
        cp --sparse=always "$work/broken.img" "$work/b.img"
        sync
        seconds by_sshmend "$work/a.img" >>"$work/repair.ours"
        seconds by_hand "$work/b.img" >>"$work/repair.theirs"
    done
    ratio_row 'repair / hand recipe (s)' "$work/repair.ours" "$work/repair.theirs" '<= 1.0'
}

key_tree() {
    rm -rf "$1"
    mkdir -p "$1/etc/ssh" "$1/usr/sbin" "$1/var/lib"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'sshd:x:104:65534::/run/sshd:/usr/sbin/nologin' >"$1/etc/passwd"
    echo 'root:x:0:' >"$1/etc/group"
    printf 'ID=debian\nVERSION_ID=12\n' >"$1/etc/os-release"
    echo 'Port 22' >"$1/etc/ssh/sshd_config"
    printf 'OpenSSH_9.2p1\0' >"$1/usr/sbin/sshd"
}

bench_keys() {
    local i
    mount -t tmpfs -o mode=755 none "$work/mnt"
    for ((i = 0; i < RUNS; i++)); do
        key_tree "$work/mnt/a"
        key_tree "$work/mnt/b"
        seconds keys_by_sshmend "$work/mnt/a" >>"$work/keys.ours"
        seconds keys_by_hand "$work/mnt/b" >>"$work/keys.theirs"
    done
    umount "$work/mnt"
    ratio_row 'three keys / ssh-keygen -A (s)' "$work/keys.ours" "$work/keys.theirs" '<= 0.7'
}

# CPU time and peak memory as the system accounts for them.
usage_row() {
    local name=$1 format=$2 limit=$3 out
    shift 3
    out=$({ /usr/bin/time -f "$format" "$@" >/dev/null; } 2>&1 | tail -n 1) || true
    row "$name" "$(awk '{ print $1 + $2 }' <<<"$out")" '' '' "$limit"
}

# One of our own doors against the other.
check_by() { "$SSHMEND" check --quiet --recover=never --access="$1" "$2" || [[ $? == 4 ]]; }
repair_by() { "$SSHMEND" repair --quiet --yes --recover=never --access="$1" "$2" || [[ $? == 1 ]]; }

bench_direct() {
    local i door
    for ((i = 0; i < RUNS; i++)); do
        for door in direct mount; do
            cp --sparse=always "$work/broken.img" "$work/a.img"
            sync
            seconds check_by "$door" "$work/a.img" >>"$work/check.$door"
            seconds repair_by "$door" "$work/a.img" >>"$work/repair.$door"
        done
    done
    ratio_row 'check, direct / mounted (s)' "$work/check.direct" "$work/check.mount" '<= 1.0'
    ratio_row 'repair, direct / mounted (s)' "$work/repair.direct" "$work/repair.mount" '<= 0.5'
}

# What a large disk costs more than a small one: its bitmaps are read for a repair.
bench_large() {
    local size i
    key_tree "$work/tree"
    for size in 1G 100G; do
        truncate -s "$size" "$work/$size.img"
        mkfs.ext4 -q -E lazy_itable_init=1 -d "$work/tree" "$work/$size.img"
        for ((i = 0; i < RUNS; i++)); do
            cp --sparse=always "$work/$size.img" "$work/a.img"
            sync
            seconds repair_by direct "$work/a.img" >>"$work/large.$size"
        done
        [[ $size == 1G ]] || usage_row 'repair, direct, 100 GB: peak (KiB)' '%M 0' '<= 16384' \
            "$SSHMEND" repair --quiet --yes --recover=never --access=direct "$work/$size.img"
    done
    ratio_row 'repair, direct, 100 GB / 1 GB (s)' "$work/large.100G" "$work/large.1G" ''
}

# A table, swap and a FAT: what is left is the probing.
disk_to_probe() {
    truncate -s 32M "$1"
    sfdisk -q "$1" <<<$'label: gpt\nstart=1MiB, size=8MiB, type=swap\nstart=9MiB, size=16MiB, type=linux'
    truncate -s 8M "$1.part"
    mkswap -q "$1.part"
    dd if="$1.part" of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
    rm "$1.part"
    truncate -s 16M "$1.part"
    mkfs.vfat "$1.part" >/dev/null
    dd if="$1.part" of="$1" bs=1M seek=9 conv=notrunc,sparse status=none
    rm "$1.part"
}
scan_all() { "$SSHMEND" scan "$@" >/dev/null 2>&1 || true; }
blkid_all() { blkid -c /dev/null "$@" >/dev/null; }

bench_scan() {
    local i dev disks=() parts=()
    disk_to_probe "$work/disk"
    for ((i = 0; i < 64; i++)); do
        cp --sparse=always "$work/disk" "$work/disk.$i"
        dev=$(losetup --find --show "$work/disk.$i")
        partx --add "$dev"
        disks+=("$dev") parts+=("${dev}p1" "${dev}p2")
    done
    for ((i = 0; i < RUNS; i++)); do
        seconds scan_all "${disks[@]}" >>"$work/scan.ours"
        seconds blkid_all "${disks[@]}" "${parts[@]}" >>"$work/scan.theirs"
    done
    for dev in "${disks[@]}"; do
        partx --delete "$dev"
        losetup --detach "$dev"
    done
    ratio_row 'scan of 64 disks / blkid (s)' "$work/scan.ours" "$work/scan.theirs" '<= 1.5'
}

main() {
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory's name is known now
    trap "umount -q $work/mnt || true; rm -rf $work" EXIT
    mkdir "$work/mnt"
    make_broken
    row 'median of '"$RUNS" ours rival ratio aim
    bench_repair
    bench_keys
    usage_row 'check, CPU (s)' '%U %S' '<= 0.03' "$SSHMEND" check --recover=never "$work/broken.img"
    cp --sparse=always "$work/broken.img" "$work/a.img"
    usage_row 'repair, peak resident (KiB)' '%M 0' '<= 10240' "$SSHMEND" repair --quiet --yes --recover=never "$work/a.img"
    usage_row 'repair, direct, peak (KiB)' '%M 0' '<= 16384' "$SSHMEND" repair --quiet --yes --recover=never \
        --access=direct "$work/broken.img"
    make_broken
    bench_direct
    bench_large
    bench_scan
    bench_recover
}

in_private_ns "$@"
main
