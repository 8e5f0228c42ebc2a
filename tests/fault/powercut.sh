# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A power cut at any moment of a repair: all writes to the disk are recorded, and
# put into a copy of the old disk as far as each flush, and with some of the
# writes behind it. What a mount makes of that has no torn file, and the next
# run goes on from there.

# Subsets of the writes between two flushes, where there is more than one.
SUBSETS=6

# record NAME BASE COMMAND…: $WORK/NAME.log has what COMMAND, given the image as its
# last argument, writes to a copy of BASE.
record() {
    local name=$1 base=$2 disk=$WORK/$1.disk export=$WORK/$1.export daemon try code=0
    shift 2
    cp --sparse=always "$base" "$disk"
    : >"$export"
    truncate -s 64M "$WORK/$name.log"
    qemu-storage-daemon --blockdev "driver=file,node-name=disk,filename=$disk" \
        --blockdev "driver=file,node-name=log,filename=$WORK/$name.log" \
        --blockdev driver=blklogwrites,node-name=both,file=disk,log=log,log-sector-size=512 \
        --export "type=fuse,id=e,node-name=both,mountpoint=$export,writable=on" &
    daemon=$!
    for ((try = 0; try < 100; try++)); do
        [[ $(stat -c %s "$export") == 0 ]] || break
        sleep 0.05
    done
    "$@" "$export" >"$HERE/out" 2>"$HERE/err" || code=$?
    kill "$daemon"
    wait "$daemon" || true
    return "$code"
}

recorded_repair() {
    local base=$1 code=0
    record "$base" "$WORK/$base.broken" "$RELEASE" repair --yes --recover=never || code=$?
    ((code == 1)) || fail "exit $code: $(<"$HERE/err")"
    check_recording "$base" "$WORK/$base.broken"
}

# From what a repair made to what it was before.
recorded_undo() {
    local code=0
    record ext4-undo "$WORK/ext4.mended" "$RELEASE" undo || code=$?
    ((code == 0)) || fail "exit $code: $(<"$HERE/err")"
    cp --sparse=always "$WORK/ext4.mended" "$WORK/ext4-undo.broken"
    cp "$WORK/ext4.old" "$WORK/ext4-undo.old"
    cp "$WORK/ext4.new" "$WORK/ext4-undo.new"
    check_recording ext4-undo "$WORK/ext4.mended"
}

# All of the log gives the very image that the daemon wrote.
check_recording() {
    local last
    last=$("$WORK/replay" "$WORK/$1.log" | tail -n 1)
    cp --sparse=always "$2" "$HERE/whole.img"
    "$WORK/replay" "$WORK/$1.log" "$HERE/whole.img" $((${last% *} + ${last#* }))
    cmp -s "$HERE/whole.img" "$WORK/$1.disk" || fail 'the recording is not complete'
    ! cmp -s "$2" "$WORK/$1.disk" || fail 'nothing was written'
}

# The moments of a recording: "BASE ENTRIES [SEED]".
moments() {
    local entries writes seed
    "$WORK/replay" "$WORK/$1.log" | while read -r entries writes; do
        echo "$1" "$entries"
        for ((seed = 1; seed <= SUBSETS && writes > 1; seed++)); do
            echo "$1" "$entries" "$seed"
        done
    done
}

cut_at() {
    cp --sparse=always "$WORK/$1.broken" "$HERE/disk.img"
    "$WORK/replay" "$WORK/$1.log" "$HERE/disk.img" "${@:2}"
}

power_cut() {
    local type=${1%%-*}
    cut_at "$@"
    cp --sparse=always "$HERE/disk.img" "$HERE/dirty.img"
    replayed_copy "$HERE/disk.img"
    expect_fsck_clean "$HERE/seen" "$type"
    wholly_old_or_new "$HERE/seen" "$WORK/$1"
    # Where nothing but a flush is new, the repair has been tried already.
    (($# == 2)) || return 0
    expect_exit 0,4,8 "$RELEASE" check "$HERE/disk.img"
    cmp -s "$HERE/disk.img" "$HERE/dirty.img" || fail 'check changed the disk'
    expect_repair_converges "$HERE/disk.img" "$WORK/$1"
}

try_power_cut() { point "power cut: $*" power_cut "$@"; }

# --- the test of the test ---

# The usual way to write a file tears it where ext4 does not come to the rescue.
write_naively() {
    mount_image "$1" noauto_da_alloc
    : >"$MNT/etc/ssh/ssh_host_rsa_key"
    cat "$WORK/other_key" >"$MNT/etc/ssh/ssh_host_rsa_key"
    # A file of somebody else reaches the disk, and the truncation with it.
    touch "$MNT/home/other"
    sync "$MNT/home/other"
    unmount_image
}

naive_control() {
    local entries writes torn=0 sound=0
    cp "$WORK/ext4.img" "$WORK/naive.broken"
    ssh-keygen -q -t rsa -N '' -C new -f "$WORK/other_key"
    record naive "$WORK/naive.broken" write_naively || fail "$(<"$HERE/err")"
    check_recording naive "$WORK/naive.broken"
    tree_of "$WORK/naive.broken" >"$WORK/naive.old"
    tree_of "$WORK/naive.disk" >"$WORK/naive.new"
    cp "$WORK/ext4.img" "$WORK/naive.broken"
    while read -r entries writes; do
        cut_at naive "$entries"
        replayed_copy "$HERE/disk.img"
        if (wholly_old_or_new "$HERE/seen" "$WORK/naive") 2>"$HERE/why"; then
            sound=$((sound + 1))
        else
            grep -q 'torn: .*ssh_host_rsa_key' "$HERE/why" || fail "$(<"$HERE/why")"
            torn=$((torn + 1))
        fi
    done < <("$WORK/replay" "$WORK/naive.log")
    ((torn > 0 && sound > 0)) || fail "$torn moments torn, $sound sound: the test sees nothing"
}

# Two copies of one XFS or btrfs cannot be mounted at the same time: one worker each.
one_by_one() { JOBS=1 WORKER_NAME=$1 in_parallel powercut try_power_cut; }

part_powercut() {
    local base other
    make_base xfs xfs 300M -q
    make_base btrfs btrfs 128M -q
    make_base ext4-writeback ext4 16M -q
    point 'power cut: torn files are seen' naive_control
    for base in ext4 ext4-writeback xfs btrfs; do
        point "power cut: $base is recorded" recorded_repair "$base"
    done
    point 'power cut: undo is recorded' recorded_undo
    for base in ext4 ext4-writeback ext4-undo; do
        moments "$base" | in_parallel powercut try_power_cut
    done
    moments xfs | one_by_one xfs &
    other=$!
    moments btrfs | one_by_one btrfs
    wait "$other"
}
