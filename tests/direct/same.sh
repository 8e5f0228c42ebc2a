# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Both doors say the same of a disk, and make the same of it; each takes back what the other did.

# shellcheck source=tests/direct/variants.sh
. "$PART_DIR/variants.sh"

direct() { "$RELEASE" "$1" --access=direct "${@:2}"; }

# What was new in a run has times, and keys, of its own.
comparable() {
    awk -F '\t' -v OFS='\t' 'NR == FNR { old[$0] = 1; next }
        !($0 in old) { $7 = "" }
        $1 ~ /ssh_host_(ecdsa|ed25519)_key/ { $10 = "" }
        { print }' "$1" "$2"
}

# The disk as it is, by both doors; not a byte of it changes.
same_words() {
    local image=$1 code=$2
    cp --sparse=always "$image" "$HERE/looked"
    expect_exit "$code" "$RELEASE" check --json --access=mount "$HERE/looked"
    jq -S . "$HERE/out" >"$HERE/mounted.json"
    expect_exit "$code" "$SANITIZED" check --json --access=direct "$HERE/looked"
    jq -S . "$HERE/out" >"$HERE/direct.json"
    expect_equal_files "$HERE/mounted.json" "$HERE/direct.json" 'the doors differ'
    expect_exit 0 "$SANITIZED" keys --json --access=direct "$HERE/looked"
    cmp -s "$image" "$HERE/looked" || fail 'looking has changed the disk'
}

is_unjournaled() { ! dumpe2fs -h "$1" 2>/dev/null | grep -q has_journal; }

same_repair() {
    local base=$WORK/$1
    cp --sparse=always "$base.broken" "$HERE/disk.img"
    expect_exit 1 "$SANITIZED" repair --yes --recover=never --access=direct "$HERE/disk.img"
    if is_unjournaled "$base.broken"; then
        grep -q 'has no journal' "$HERE/err" || fail 'nothing is said of the missing journal'
    else
        ! grep -q 'has no journal' "$HERE/err" || fail 'it has a journal'
    fi
    expect_fsck_clean "$HERE/disk.img" ext4
    tree_of "$HERE/disk.img" >"$HERE/now"
    comparable "$base.old" "$base.new" >"$HERE/mounted.tree"
    comparable "$base.old" "$HERE/now" >"$HERE/direct.tree"
    expect_equal_files "$HERE/mounted.tree" "$HERE/direct.tree" 'the repairs differ'
    expect_exit 0 direct check "$HERE/disk.img"
    expect_exit 0 "$RELEASE" check --access=mount "$HERE/disk.img"
    expect_no_debris "$HERE/disk.img"
    keys_are_whole "$HERE/disk.img" < <(printf '/etc/ssh/ssh_host_%s_key\n' rsa ecdsa ed25519)
}

# same_undo BASE REPAIR UNDO: by one door, and back by the other.
same_undo() {
    local base=$WORK/$1
    cp --sparse=always "$base.broken" "$HERE/disk.img"
    expect_exit 1 "$RELEASE" repair --yes --recover=never --access="$2" "$HERE/disk.img"
    expect_exit 0 "$SANITIZED" undo --access="$3" "$HERE/disk.img"
    expect_tree "$HERE/disk.img" "$base.old" "undo did not restore"
    expect_fsck_clean "$HERE/disk.img" ext4
    [[ -z $(own_files "$HERE/disk.img") ]] || fail 'something of the run is left'
    expect_nothing_attached
}

try_variant() {
    point "$1: is made" make_variant "$1"
    point "$1: says the same of a broken disk" same_words "$WORK/$1.broken" 4
    point "$1: says the same of a sound disk" same_words "$WORK/$1.img" 0
    point "$1: repairs the same" same_repair "$1"
    point "$1: undoes its own" same_undo "$1" direct direct
    point "$1: undoes what was mounted" same_undo "$1" mount direct
    point "$1: is undone by mounting" same_undo "$1" direct mount
}

# Directories of several blocks, and of hashed names, take and lose names.
large_directories() {
    local base=$WORK/$1
    mount_image "$base.broken"
    chattr -i "$MNT/etc/ssh"
    fill_directories
    lsattr -d "$MNT/etc/ssh" | cut -d' ' -f1 | grep -q I || fail 'not a hashed directory'
    chattr +i "$MNT/etc/ssh"
    unmount_image
    tree_of "$base.broken" >"$base.old"
    cp --sparse=always "$base.broken" "$HERE/disk.img"
    expect_exit 1 "$SANITIZED" repair --yes --recover=never --access=direct "$HERE/disk.img"
    expect_fsck_clean "$HERE/disk.img" ext4
    expect_exit 0 "$RELEASE" check --access=mount "$HERE/disk.img"
    expect_exit 0 "$SANITIZED" undo --access=direct "$HERE/disk.img"
    expect_tree "$HERE/disk.img" "$base.old" 'undo did not restore'
    expect_fsck_clean "$HERE/disk.img" ext4
}

# What a kernel has left in the journal is replayed, after consent, and read around before.
dirty_journal() {
    cp --sparse=always "$WORK/default.broken" "$HERE/disk.img"
    mount_image "$HERE/disk.img"
    echo 'PermitRootLogin no' >>"$MNT/etc/hostname"
    # A file that is open while it has no name any more is an orphan.
    exec 7>"$MNT/home/orphan"
    echo secret >&7
    rm "$MNT/home/orphan"
    sync -f "$MNT"
    cp --sparse=always "$HERE/disk.img" "$HERE/dirty.img"
    exec 7>&-
    unmount_image
    expect_exit 4 direct check --json "$HERE/dirty.img"
    jq -e '[.findings[].id] | index("fs-journal")' "$HERE/out" >/dev/null || fail 'nothing is said of the journal'
    cp --sparse=always "$HERE/dirty.img" "$HERE/looked"
    expect_exit 32 direct repair "$HERE/dirty.img"
    cmp -s "$HERE/dirty.img" "$HERE/looked" || fail 'changed without consent'
    expect_exit 1 "$SANITIZED" repair --yes --recover=never --access=direct "$HERE/dirty.img"
    replayed_copy "$HERE/dirty.img"
    expect_fsck_clean "$HERE/seen" ext4
    mount_image "$HERE/seen" ro
    grep -q PermitRootLogin "$MNT/etc/hostname" || fail 'what was in the journal is lost'
    unmount_image
}

# A block device is claimed while it is looked at and changed, and e2fsck claims it for itself.
dirty_device() {
    local loop code=0
    cp --sparse=always "$WORK/default.broken" "$HERE/disk.img"
    mount_image "$HERE/disk.img"
    touch "$MNT/home/new"
    sync -f "$MNT"
    cp --sparse=always "$HERE/disk.img" "$HERE/dirty.img"
    unmount_image
    dumpe2fs -h "$HERE/dirty.img" 2>/dev/null | grep -q needs_recovery || fail 'the journal is clean'
    loop=$(losetup --find --show "$HERE/dirty.img")
    "$SANITIZED" repair --yes --recover=never --access=direct "$loop" >"$HERE/out" 2>"$HERE/err" || code=$?
    direct check "$loop" >"$HERE/out" 2>>"$HERE/err" || code="$code, then $?"
    losetup --detach "$loop"
    [[ $code == 1 ]] || fail "exit $code: $(<"$HERE/err")"
    expect_fsck_clean "$HERE/dirty.img" ext4
}

# Inside an image with a partition table, behind an offset.
partition() {
    truncate -s 40M "$HERE/disk.img"
    printf 'label: gpt\nstart=4096, size=32768\n' | sfdisk -q "$HERE/disk.img"
    dd if="$WORK/default.broken" of="$HERE/disk.img" bs=512 seek=4096 conv=notrunc status=none
    cp "$HERE/disk.img" "$HERE/before"
    expect_exit 1 "$SANITIZED" repair --yes --recover=never --access=direct "$HERE/disk.img"
    expect_exit 0 "$RELEASE" check --access=mount "$HERE/disk.img"
    # Nothing outside of it.
    cmp -n $((4096 * 512)) "$HERE/disk.img" "$HERE/before" || fail 'written before the partition'
    cmp -i $(((4096 + 32768) * 512)) "$HERE/disk.img" "$HERE/before" || fail 'written behind the partition'
    dd if="$HERE/disk.img" of="$HERE/part.img" bs=512 skip=4096 count=32768 status=none
    expect_fsck_clean "$HERE/part.img" ext4
}

# A part of a system on a file system of its own: repaired, and taken back, and sound.
apart() {
    local image=$HERE/apart.img
    make_apart "$image" "$WORK/half" "$1" 16 apart_as_ext4
    same_words "$image" 4
    mv "$HERE/mounted.json" "$HERE/first.json"
    expect_exit 1 "$SANITIZED" repair --yes --recover=never --access=direct "$image"
    expect_both_sound "$image"
    expect_exit 0 "$RELEASE" check --access=mount "$image"
    expect_exit 0 direct check "$image"
    expect_exit 0 "$SANITIZED" undo --access="$2" "$image"
    expect_both_sound "$image"
    same_words "$image" 4
    expect_equal_files "$HERE/first.json" "$HERE/direct.json" 'undo did not restore'
    rm "$image"
}

# What takes mounting is not mounted: refused where it matters.
apart_xfs() {
    local image=$HERE/apart.img
    make_apart "$image" "$WORK/half" "$1" 300 apart_as_xfs
    cp --sparse=always "$image" "$HERE/before"
    expect_exit 4 "$SANITIZED" check --access=direct "$image"
    expect_exit "$2" "$SANITIZED" repair --yes --recover=never --access=direct "$image"
    [[ $2 != 8 ]] || cmp -s "$image" "$HERE/before" || fail 'refused, and changed'
    [[ $2 != 8 ]] || grep -q 'access=mount' "$HERE/err" || fail "no way out is told: $(<"$HERE/err")"
    rm "$image" "$HERE/before"
}

# unreadable FLAG WORDS: /etc/ssh with this flag.
unreadable() {
    cp --sparse=always "$WORK/default.broken" "$HERE/disk.img"
    debugfs -w -R "sif /etc/ssh flags $(($1 | 0x80000))" "$HERE/disk.img" 2>/dev/null
    cp "$HERE/disk.img" "$HERE/before"
    expect_exit 8 direct keys "$HERE/disk.img"
    grep -q "$2" "$HERE/err" || fail "$(<"$HERE/err")"
    cmp -s "$HERE/disk.img" "$HERE/before" || fail 'changed'
}

# A superblock that is gone is read by its copy, as by mounting; nothing is written.
superblock_gone() {
    truncate -s 64M "$HERE/gone.img"
    mkfs.ext4 -q -b 1024 -d "$WORK/half" "$HERE/gone.img"
    dd if=/dev/zero of="$HERE/gone.img" bs=1024 seek=1 count=1 conv=notrunc status=none
    cp "$HERE/gone.img" "$HERE/before"
    expect_exit 4 "$RELEASE" check --json --access=mount "$HERE/gone.img"
    jq -S . "$HERE/out" >"$HERE/mounted.json"
    expect_exit 4 "$SANITIZED" check --json --access=direct "$HERE/gone.img"
    jq -S . "$HERE/out" >"$HERE/direct.json"
    expect_equal_files "$HERE/mounted.json" "$HERE/direct.json" 'the doors differ'
    expect_exit 8 direct repair --yes --recover=never "$HERE/gone.img"
    cmp -s "$HERE/gone.img" "$HERE/before" || fail 'changed'
    rm "$HERE/gone.img"
}

# refused_for_writing OPTION…: a file system that is read, and not changed.
refused_for_writing() {
    truncate -s 16M "$HERE/refused.img"
    mkfs.ext4 -q "$@" -d "$WORK/half" "$HERE/refused.img" >/dev/null
    expect_exit 4 direct check "$HERE/refused.img"
    cp "$HERE/refused.img" "$HERE/before"
    expect_exit 8 direct repair --yes --recover=never "$HERE/refused.img"
    cmp -s "$HERE/refused.img" "$HERE/before" || fail 'refused, and changed'
    grep -q 'access=mount' "$HERE/err" || fail "no way out is told: $(<"$HERE/err")"
    rm "$HERE/refused.img"
}

# The journal is too small for what has to be done.
refuse_small_journal() {
    truncate -s 16M "$HERE/refused.img"
    mkfs.ext4 -q -b 1024 -d "$WORK/half" "$HERE/refused.img"
    local journal
    journal=$(debugfs -R 'bmap <8> 0' "$HERE/refused.img" 2>/dev/null)
    # s_maxlen, big-endian: eight blocks; without a checksum as long as nothing has mounted it.
    printf '\0\0\0\010' | dd of="$HERE/refused.img" bs=1 seek=$((journal * 1024 + 16)) conv=notrunc status=none
    cp "$HERE/refused.img" "$HERE/before"
    expect_exit 8 direct repair --yes --recover=never "$HERE/refused.img"
    cmp -s "$HERE/refused.img" "$HERE/before" || fail 'refused, and changed'
    grep -q 'nothing was written' "$HERE/err" || fail "$(<"$HERE/err")"
}

# More blocks than 32 bits can number; its journal learns that by its first mount.
huge() {
    local image=$HERE/huge.img loop
    truncate -s 20T "$image"
    mkfs.ext4 -q -N 200000 -O 64bit,^resize_inode -J size=64 -E lazy_itable_init=1,lazy_journal_init=1 \
        -d "$WORK/half" "$image"
    cp --sparse=always "$image" "$HERE/before"
    expect_exit 8 direct repair --yes --recover=never "$image"
    grep -q 'until it has been mounted' "$HERE/err" || fail "$(<"$HERE/err")"
    cmp -n 100000000 "$image" "$HERE/before" || fail 'refused, and changed'
    loop=$(losetup --find --show "$image")
    mkdir -p "$HERE/huge"
    mount "$loop" "$HERE/huge"
    touch "$HERE/huge/home/x"
    umount "$HERE/huge"
    losetup --detach "$loop"
    expect_exit 1 direct repair --yes --recover=never "$image"
    expect_exit 0 direct check "$image"
    expect_fsck_clean "$image" ext4
    expect_exit 0 direct undo "$image"
    expect_exit 4 direct check "$image"
    expect_fsck_clean "$image" ext4
    rm "$image" "$HERE/before"
}

other_file_systems() {
    truncate -s 300M "$HERE/other.img"
    mkfs.xfs -q "$HERE/other.img"
    expect_exit 8 direct check "$HERE/other.img"
    grep -q 'only be opened by mounting it, as root' "$HERE/err" || fail "$(<"$HERE/err")"
    rm "$HERE/other.img"
}

make_half_broken() {
    cp -a "$WORK/tree" "$WORK/half"
    chmod 0777 "$WORK/half/etc/ssh/ssh_host_rsa_key"
}

part_same() {
    # Linux 6.18 does not mount it without loading the journal (EINVAL), nojournal_checksum or not.
    variants "$MORE_VARIANTS" | cut -d' ' -f1 | grep -vx checksum | in_parallel same try_variant
    point 'large: is made' make_variant small
    point 'large: directories' large_directories small
    point 'dirty journal' dirty_journal
    point 'dirty journal of a device' dirty_device
    point 'a partition' partition
    make_half_broken
    point 'a directory that is encrypted' unreadable 0x800 'it is encrypted'
    point 'a directory without case' unreadable 0x40000000 'compared without case'
    point 'a superblock that is gone' superblock_gone
    point 'parts: /var' apart /var direct
    point 'parts: /etc/ssh' apart /etc/ssh direct
    point 'parts: /etc/ssh, taken back by mounting' apart /etc/ssh mount
    point 'parts: /home' apart /home direct
    point 'parts: /var is an xfs' apart_xfs /var 8
    point 'parts: /home is an xfs' apart_xfs /home 1
    point 'more blocks than 32 bits' huge
    point 'refused: quota' refused_for_writing -O quota
    point 'refused: mmp' refused_for_writing -O mmp
    point 'refused: ea_inode' refused_for_writing -O ea_inode
    point 'refused: a journal too small' refuse_small_journal
    point 'refused: other file systems' other_file_systems
}
