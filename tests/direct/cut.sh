# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from the harness
#
# A power cut at any moment of a repair without mounting. With a journal a disk is, after what the
# first mount does, wholly as before or wholly as after; without one, no file of it is torn.

# shellcheck source=tests/direct/variants.sh
. "$PART_DIR/variants.sh"
# shellcheck source=tests/fault/powercut.sh
. "$fault_dir/powercut.sh"

# Of the writes between two flushes, so many of the ways in which only some have reached the disk.
SUBSETS=${FULL:+20}
SUBSETS=${SUBSETS:-2}

recorded() {
    local code=0
    record "$1" "$WORK/$1.broken" "$RELEASE" repair --access=direct --yes --recover=never || code=$?
    ((code == 1)) || fail "exit $code: $(<"$HERE/err")"
    check_recording "$1" "$WORK/$1.broken"
    whole_tree "$WORK/$1.disk" >"$WORK/$1.after"
    whole_tree "$WORK/$1.broken" >"$WORK/$1.before"
    ! cmp -s "$WORK/$1.before" "$WORK/$1.after" || fail 'the repair changed nothing'
}

whole_tree() {
    tree_of "$1"
    own_files "$1" | sort
}

# What the superblock and the journal make of it, without the kernel.
replay_by_e2fsck() {
    local code=0
    e2fsck -fy "$1" >"$HERE/fsck" 2>&1 || code=$?
    ((code <= 1)) || fail "e2fsck: $(tail -c 500 "$HERE/fsck")"
    expect_fsck_clean "$1" ext4
}

is_journaled() { dumpe2fs -h "$1" 2>/dev/null | grep -q has_journal; }

wholly_before_or_after() {
    whole_tree "$1" >"$HERE/whole"
    cmp -s "$HERE/whole" "$WORK/$2.before" || cmp -s "$HERE/whole" "$WORK/$2.after" ||
        fail "neither before nor after: $(diff "$HERE/whole" "$WORK/$2.after" | head -n 4)"
}

# looks_as_replayed IMAGE REPLAYED: read through its journal, it is what the replay makes of it; but
# the search for lost keys reads the bare disk, whose bitmaps tell where something was found.
looks_as_replayed() {
    local image
    "$repo_dir/build/dev/through" "$1" "$2" >"$HERE/through" || fail "read otherwise: $(<"$HERE/through")"
    cp --sparse=always "$1" "$HERE/looked"
    for image in "$HERE/looked" "$2"; do
        expect_exit 0,4 "$RELEASE" check --json --access=direct "$image"
        jq -S 'del(.disk) | .findings |= map(select(.id != "fs-journal")) |
            walk(if type == "object" then del(.from) else . end)' "$HERE/out" |
            sed "s,$image,IMAGE,g" >"$HERE/json.$([[ $image == "$2" ]] && echo replayed || echo through)"
    done
    expect_equal_files "$HERE/json.replayed" "$HERE/json.through" 'the findings differ'
    cmp -s "$1" "$HERE/looked" || fail 'looking has changed the disk'
}

# By e2fsck, and by a kernel that mounts it.
cut_journaled() {
    cut_at "$@"
    cp --sparse=always "$HERE/disk.img" "$HERE/fscked.img"
    e2fsck -E journal_only -p "$HERE/fscked.img" >"$HERE/fsck" 2>&1 ||
        fail "the journal is not replayed: $(tail -c 500 "$HERE/fsck")"
    looks_as_replayed "$HERE/disk.img" "$HERE/fscked.img"
    expect_fsck_clean "$HERE/fscked.img" ext4
    wholly_before_or_after "$HERE/fscked.img" "$1"
    replayed_copy "$HERE/disk.img"
    expect_fsck_clean "$HERE/seen" ext4
    wholly_before_or_after "$HERE/seen" "$1"
}

cut_unjournaled() {
    cut_at "$@"
    replay_by_e2fsck "$HERE/disk.img"
    wholly_old_or_new "$HERE/disk.img" "$WORK/$1"
}

# And goes on from there, without mounting.
cut_and_repaired() {
    cut_at "$@"
    expect_exit 0,1 "$RELEASE" repair --access=direct --yes --recover=never "$HERE/disk.img"
    expect_exit 0 "$RELEASE" check --access=direct "$HERE/disk.img"
    expect_fsck_clean "$HERE/disk.img" ext4
}

try_cut() {
    if is_journaled "$WORK/$1.broken"; then
        point "cut: $*" cut_journaled "$@"
        (($# > 2)) || point "cut, and repaired: $*" cut_and_repaired "$@"
    else
        point "cut: $*" cut_unjournaled "$@"
    fi
}

# A journal that no kernel has ever seen has no checksums.
make_fresh() {
    mount_image "$WORK/default.broken" ro
    truncate -s 16M "$WORK/fresh.broken"
    mkfs.ext4 -q -d "$MNT" "$WORK/fresh.broken"
    unmount_image
    recorded fresh
}

# From what a repair made to what it was before.
recorded_undo() {
    local code=0
    cp --sparse=always "$WORK/default.disk" "$WORK/undone.broken"
    record undone "$WORK/undone.broken" "$RELEASE" undo --access=direct || code=$?
    ((code == 0)) || fail "exit $code: $(<"$HERE/err")"
    check_recording undone "$WORK/undone.broken"
    whole_tree "$WORK/undone.disk" >"$WORK/undone.after"
    whole_tree "$WORK/undone.broken" >"$WORK/undone.before"
    expect_equal_files "$WORK/undone.after" "$WORK/default.before" 'undo did not restore'
}

make_recorded() {
    point "cut: $1 is made" make_variant "$1"
    point "cut: $1 is recorded" recorded "$1"
}

# Every write by itself, too, not only up to each flush: "BASE ENTRIES [SEED]".
prefixes() {
    local last entries step=${FULL:+1}
    last=$("$WORK/replay" "$WORK/$1.log" | tail -n 1)
    for ((entries = 0; entries <= ${last% *} + ${last#* }; entries += ${step:-3})); do
        echo "$1" "$entries"
    done
}

# The test of the test: without the journal, what is half written is seen.
control() {
    local name entries seen=0
    while read -r name entries; do
        cut_at "$name" "$entries"
        debugfs -w -R 'feature -needs_recovery' "$HERE/disk.img" >"$HERE/fsck" 2>&1
        (expect_fsck_clean "$HERE/disk.img" ext4 && wholly_before_or_after "$HERE/disk.img" "$name") \
            2>/dev/null || seen=$((seen + 1))
    done < <(prefixes default)
    ((seen > 0)) || fail 'half a repair is not seen'
}

# The host keys on one file system, the rest on another: several transactions, and the next repair
# takes up whatever a power cut has left of them.
recorded_apart() {
    local tree=$HERE/half code=0
    cp -a "$WORK/tree" "$tree"
    chmod 0777 "$tree/etc/ssh/ssh_host_rsa_key" "$tree/etc/passwd"
    truncate -s 200 "$tree/etc/ssh/ssh_host_ecdsa_key"
    rm "$tree/etc/ssh/ssh_host_ed25519_key"
    make_apart "$WORK/apart.broken" "$tree" /etc/ssh 16 apart_as_ext4
    record apart "$WORK/apart.broken" "$RELEASE" repair --access=direct --yes --recover=never || code=$?
    ((code == 1)) || fail "exit $code: $(<"$HERE/err")"
    check_recording apart "$WORK/apart.broken"
}

cut_apart() {
    cut_at "$@"
    cp --sparse=always "$HERE/disk.img" "$HERE/fscked.img"
    expect_both_sound "$HERE/fscked.img" replay
    expect_exit 0,1 "$RELEASE" repair --access=direct --yes --recover=never "$HERE/fscked.img"
    expect_both_sound "$HERE/fscked.img"
    expect_exit 0 "$RELEASE" check --access=direct "$HERE/fscked.img"
    (($# > 2)) || cut_and_mounted
}

# The same by a kernel that replays the journals.
cut_and_mounted() {
    expect_exit 0,1 "$RELEASE" repair --access=mount --yes --recover=never "$HERE/disk.img"
    expect_both_sound "$HERE/disk.img"
    expect_exit 0 "$RELEASE" check --access=direct "$HERE/disk.img"
}

try_cut_apart() { point "cut: $*" cut_apart "$@"; }

part_cut() {
    local name
    variants '' | cut -d' ' -f1 | in_parallel cut make_recorded
    point 'cut: half a repair is seen' control
    point 'cut: a journal that is new' make_fresh
    point 'cut: undo is recorded' recorded_undo
    for name in fresh undone $(variants '' | cut -d' ' -f1); do
        { prefixes "$name" && moments "$name" | grep -E ' .* '; } | in_parallel cut try_cut
    done
    point 'cut: /etc/ssh apart is recorded' recorded_apart
    { prefixes apart && moments apart | grep -E ' .* '; } | in_parallel cut try_cut_apart
}
