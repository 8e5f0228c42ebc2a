# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# SIGKILL at every call of a repair, and of an undo, that changes the disk or the
# machine: what stays is sound, and the next run goes on from there.

KILLED=137

start_killed() {
    local injection=$1
    shift
    expect_exit $KILLED strace_inject "$injection" "$@"
    expect_nothing_attached
}

expect_sound_after_kill() {
    replayed_copy "$1"
    expect_fsck_clean "$HERE/seen" ext4
    wholly_old_or_new "$HERE/seen" "$2"
}

killed_repair() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    start_killed "$1:signal=KILL:when=$2" "$RELEASE" repair --yes --recover=never "$disk"
    expect_sound_after_kill "$disk" "$WORK/ext4"
    expect_repair_converges "$disk" "$WORK/ext4"
}

# Killed a second time, while it rolls the first attempt back.
killed_rollback() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/half.img" "$disk"
    start_killed "$1:signal=KILL:when=$2" "$RELEASE" repair --yes --recover=never "$disk"
    expect_sound_after_kill "$disk" "$WORK/ext4"
    expect_repair_converges "$disk" "$WORK/ext4"
}

killed_undo() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.mended" "$disk"
    start_killed "$1:signal=KILL:when=$2" "$RELEASE" undo "$disk"
    expect_sound_after_kill "$disk" "$WORK/ext4"
    cp --sparse=always "$disk" "$HERE/second.img"
    expect_undo_converges "$disk"
    expect_repair_converges "$HERE/second.img" "$WORK/ext4"
}

# There is nothing left to undo where it was killed behind its last step.
expect_undo_converges() {
    expect_exit 0,8 "$RELEASE" undo "$1"
    expect_tree "$1" "$WORK/ext4.old" "a second undo did not restore"
    expect_fsck_clean "$1" ext4
    expect_nothing_attached
}

# A signal that can be held back: the run is done to its end, or not at all. What
# the exit code tells is the signal, also where it comes while the result is shown.
interrupted_repair() {
    local disk=$HERE/disk.img code=0
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    strace_inject "$1:signal=$3:when=$2" "$RELEASE" repair --yes --recover=never "$disk" \
        >"$HERE/out" 2>"$HERE/err" </dev/null || code=$?
    expect_nothing_attached
    case $code in
    1) is_committed "$disk" || fail 'it says mended, yet the run is not complete' ;;
    32) ;;
    *) fail "exit $code after SIG$3: $(<"$HERE/err")" ;;
    esac
    expect_all_or_nothing "$disk"
}

try_interrupted_repair() { point "SIG$3 in repair at $1 $2" interrupted_repair "$@"; }
try_killed_repair() { point "kill repair at $1 $2" killed_repair "$@"; }
try_killed_rollback() { point "kill rollback at $1 $2" killed_rollback "$@"; }
try_killed_undo() { point "kill undo at $1 $2" killed_undo "$@"; }

# A repair that was killed with about half of its files published.
make_half() {
    local middle
    middle=$(mutations_of_repair | grep '^renameat2 ' | sed -n 5p)
    cp --sparse=always "$WORK/ext4.broken" "$WORK/half.img"
    expect_exit $KILLED strace_inject "renameat2:signal=KILL:when=$(cut -d' ' -f2 <<<"$middle")" \
        "$RELEASE" repair --yes --recover=never "$WORK/half.img"
    expect_nothing_attached
}

mutations_of_repair() {
    cp --sparse=always "$WORK/ext4.broken" "$HERE/dry.img"
    mutations "$RELEASE" repair --yes --recover=never "$HERE/dry.img"
}

mutations_of_undo() {
    cp --sparse=always "$WORK/ext4.mended" "$HERE/dry.img"
    mutations "$RELEASE" undo "$HERE/dry.img"
}

mutations_of_rollback() {
    cp --sparse=always "$WORK/half.img" "$HERE/dry.img"
    mutations "$RELEASE" repair --yes --recover=never "$HERE/dry.img"
}

# What follows the rollback is a repair as above.
only_rollback() {
    awk '{ print } $1 == "mkdirat" { exit }'
}

# The test of the test: a tool that writes in place is seen to tear files.
torn_by_a_naive_tool() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    mount_image "$disk"
    chattr -i "$MNT/etc/ssh" "$MNT/etc/ssh/ssh_host_rsa_key"
    head -c 700 "$WORK/tree/etc/ssh/ssh_host_rsa_key" >"$MNT/etc/ssh/ssh_host_rsa_key"
    head -c 100 "$WORK/tree/etc/ssh/ssh_host_ecdsa_key" >"$MNT/etc/ssh/ssh_host_ecdsa_key"
    chmod 600 "$MNT/etc/ssh/ssh_host_ecdsa_key"
    unmount_image
    if (wholly_old_or_new "$disk" "$WORK/ext4") 2>/dev/null; then
        fail 'a key cut off in its middle was not seen'
    fi
    rm "$HERE/verdict"
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    change_image "$disk" half_a_new_key
    if (wholly_old_or_new "$disk" "$WORK/ext4") 2>/dev/null; then
        fail 'half a new key was not seen'
    fi
}

half_a_new_key() {
    chattr -i "$MNT/etc/ssh"
    head -c 100 "$WORK/tree/etc/ssh/ssh_host_ecdsa_key" >"$MNT/etc/ssh/ssh_host_ecdsa_key"
    chmod 600 "$MNT/etc/ssh/ssh_host_ecdsa_key"
}

part_kill() {
    point 'kill: torn files are seen' torn_by_a_naive_tool
    mutations_of_repair | in_parallel kill try_killed_repair
    mutations_of_undo | in_parallel kill try_killed_undo
    mutations_of_repair | awk 'NR % 3 == 0 { print $1, $2, NR % 2 ? "INT" : "TERM" }' |
        in_parallel kill try_interrupted_repair
    make_half
    mutations_of_rollback | only_rollback | in_parallel kill try_killed_rollback
}
