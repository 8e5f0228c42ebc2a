#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [full]: the recovery matrix. Keys of ssh-keygen on real file systems, real
# accidents, and how many of the four the search brings back to the byte. Prints a
# table; fails where a cell is not what it has to be.
#
#   4, 2, 0   has to be exactly that. Two: with inodes of 1 KiB the two short keys lie
#             in their inodes, which the kernel clears. None: the bytes are overwritten,
#             zeroed or discarded, or (XFS) a new file took the very blocks.
#   *         depends on what was written meanwhile; printed, not asserted. XFS frees blocks in
#             the background: a new key, or a discard, finds them free or not, by a race
#
# Then the cases of bad.sh.
#
# FIND   the search alone (default: build/dev/find)

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
FIND=${FIND:-$repo/build/dev/find}

# shellcheck source=tests/testbed/image.sh
. "$repo/tests/testbed/image.sh"
# shellcheck source=tests/recover/bad.sh
. "$here/bad.sh"

types=(ed25519 ecdsa rsa3072 rsa4096)
columns=(ext4 ext4-1k ext4-journal ext4-inline ext3 xfs btrfs btrfs-zstd)

# ACCIDENT, then what has to come back on each file system.
matrix() {
    cat <<'TABLE'
rm                4 4 4 2 4 4 4 4
rm_regenerate     4 4 4 2 4 * 4 4
truncate_0        4 4 4 2 4 4 4 4
truncate_100      0 0 * 0 0 0 4 4
overwrite         4 4 4 2 4 * 4 4
in_place          0 0 * 0 0 0 4 4
rename_over       4 4 4 2 4 * 4 4
reinstall         4 4 4 2 4 * 4 4
discard           0 * * 0 0 * * *
TABLE
    [[ $1 != full ]] || cat <<'TABLE'
five_mounts       4 4 4 2 4 4 * *
remount_new       4 4 4 2 4 0 * *
fill_10           4 4 4 2 * 4 * *
power_cut         4 4 4 2 4 4 4 4
shred             0 0 * 0 0 0 4 4
TABLE
}

make_keys() {
    local set type
    for set in old new; do
        mkdir "$work/$set"
        for type in "${types[@]}"; do
            # shellcheck disable=SC2046 # two words
            ssh-keygen -q $(key_options "$type") -N '' -C root@lost -f "$work/$set/ssh_host_${type}_key"
        done
    done
}

key_options() {
    case $1 in
    rsa*) echo "-t rsa -b ${1#rsa}" ;;
    *) echo "-t $1" ;;
    esac
}

# Without a partition table; discards only where the accident is one.
make_fs() {
    case $1 in
    ext4) truncate -s 96M "$img" && mkfs.ext4 -q -b 4096 "$img" ;;
    ext4-1k) truncate -s 96M "$img" && mkfs.ext4 -q -b 1024 "$img" ;;
    ext4-journal) truncate -s 96M "$img" && mkfs.ext4 -q -b 4096 "$img" ;;
    ext4-inline) truncate -s 96M "$img" && mkfs.ext4 -q -b 4096 -I 1024 -O inline_data "$img" ;;
    ext3) truncate -s 96M "$img" && mkfs.ext3 -q -b 4096 "$img" ;;
    xfs) truncate -s 304M "$img" && mkfs.xfs -q "$img" ;;
    btrfs*) truncate -s 256M "$img" && mkfs.btrfs -q "$img" >/dev/null 2>&1 ;;
    esac
}

mount_fs() {
    local options=${2:-nodiscard}
    case $1 in
    ext4-journal) options+=,data=journal ;;
    btrfs-zstd) options+=,compress-force=zstd ;;
    esac
    mount -o "loop,$options" "$img" "$MNT"
}

make_filler() {
    local i
    mkdir "$work/filler"
    for ((i = 0; i < 40; i++)); do
        head -c $((RANDOM % 9000 + 200)) /dev/urandom | base64 >"$work/filler/$i"
    done
}

fill() { mkdir -p "$MNT/$1" && head -n "$2" <(printf '%s\n' "$work/filler"/*) | xargs cp -t "$MNT/$1"; }

each_key() {
    local type
    for type in "${types[@]}"; do
        "$@" "$MNT/etc/ssh/ssh_host_${type}_key"
    done
}

put_new() { cp "$work/new/${1##*/}" "$1"; }
overwrite_in_place() { dd if="$work/new/${1##*/}" of="$1" conv=notrunc status=none; }
put_beside() { cp "$work/new/${1##*/}" "$1.tmp" && mv "$1.tmp" "$1"; }

remount() {
    umount "$MNT"
    mount_fs "$fs"
}

accident_rm() { each_key rm; }
accident_rm_regenerate() { each_key rm && each_key put_new; }
accident_truncate_0() { each_key truncate -s 0; }
accident_truncate_100() { each_key truncate -s 100; }
accident_overwrite() { each_key put_new; }
accident_in_place() { each_key overwrite_in_place; }
accident_rename_over() { each_key put_beside; }
accident_reinstall() { rm -r "$MNT/etc/ssh" && mkdir "$MNT/etc/ssh" && each_key put_new; }
accident_discard() { each_key rm && sync && fstrim "$MNT"; }
accident_remount_new() { each_key rm && remount && each_key put_new; }
accident_shred() { each_key shred -u; }
accident_power_cut() { each_key rm && sync -f "$MNT" && cp --sparse=always "$img" "$img.cut"; }
accident_fill_10() {
    each_key rm && remount
    head -c $((($(stat -fc '%a * %S' "$MNT")) / 10)) /dev/urandom >"$MNT/filler"
}
accident_five_mounts() {
    local i
    each_key rm
    for ((i = 0; i < 5; i++)); do
        remount
        date >>"$MNT/log"
    done
}

# How many of the old keys come back to the byte.
recovered() {
    local file count=0 wants=() type
    for type in "${types[@]}"; do
        wants+=(--want "$work/old/ssh_host_${type}_key.pub")
    done
    rm -rf "$work/kept" && mkdir "$work/kept"
    "$FIND" "$img" --volume 0 0 "${fs%%-*}" "$inode" "${wants[@]}" --keep "$work/kept" >"$work/out"
    for type in "${types[@]}"; do
        for file in "$work/kept"/*; do
            if cmp -s "$file" "$work/old/ssh_host_${type}_key"; then
                count=$((count + 1))
                break
            fi
        done
    done
    echo "$count"
}

cell() {
    local accident=$1 inode
    fs=$2
    rm -f "$img" "$img.cut"
    make_fs "$fs"
    mount_fs "$fs"
    mkdir -p "$MNT/etc/ssh"
    fill usr 40
    for type in "${types[@]}"; do
        cp "$work/old/ssh_host_${type}_key" "$MNT/etc/ssh/"
        fill "var/$type" 6
    done
    inode=$(stat -c %i "$MNT/etc/ssh")
    remount
    "accident_$accident"
    umount "$MNT"
    [[ ! -e $img.cut ]] || mv "$img.cut" "$img"
    [[ $accident == rm ]] || { recovered; return; }
    cp --sparse=always "$img" "$img.before"
    recovered
    cmp "$img" "$img.before"
    rm "$img.before"
}

run_matrix() {
    local accident expected i got line
    printf '%-16s' 'recovered of 4'
    printf '%13s' "${columns[@]}"
    echo
    while read -r accident line; do
        read -ra expected <<<"$line"
        printf '%-16s' "$accident"
        for i in "${!columns[@]}"; do
            got=$(cell "$accident" "${columns[i]}")
            if [[ ${expected[i]} == '*' || $got == "${expected[i]}" ]]; then
                passed=$((passed + 1))
                printf '%13s' "$got"
            else
                failed=$((failed + 1))
                printf '%13s' "$got!=${expected[i]}"
            fi
        done
        echo
    done < <(matrix "$1")
}

main() {
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory's name is known now
    trap "umount -q $work/mnt || true; rm -rf $work" EXIT
    MNT=$work/mnt img=$work/disk.img passed=0 failed=0
    mkdir "$MNT"
    make_keys
    make_filler
    run_matrix "${1:-ci}"
    run_bad
    echo "recover: $passed passed, $failed failed"
    [[ $failed == 0 && $passed -gt 0 ]]
}

in_private_ns "$@"
main "$@"
