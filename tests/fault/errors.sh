# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from run.sh
#
# A failure of every call that changes the disk, once and for good: exit 8 with a
# message, and the tree is as before. Where the disk fails while a run is taken
# back, the next run takes it back.

# LeakSanitizer cannot run under strace; the other sanitizers can.
with_injection() {
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace_inject "$@"
}

# expect_refusal BASE INJECTION COMMAND…: of a fresh copy of BASE, at $HERE/disk.img.
expect_refusal() {
    local base=$1 injection=$2
    shift 2
    expect_injected 8 "$base" changes_something with_injection "$injection" "$@"
    grep -q '^sshmend: .' "$HERE/err" || fail 'it failed without a message'
    expect_nothing_attached
}

changes_something() { [[ -n $(awk -f "$fault_dir/mutations.awk" "$1") ]]; }

failed_repair() {
    local disk=$HERE/disk.img
    expect_refusal "$WORK/ext4.broken" "$1:error=$3:when=$2" \
        "$SANITIZED" repair --yes --recover=never
    expect_all_or_nothing "$disk"
    expect_repair_converges "$disk" "$WORK/ext4"
}

# From the Nth on every call of that name fails, those of the rollback too.
dead_repair() {
    local disk=$HERE/disk.img
    expect_refusal "$WORK/ext4.broken" "$1:error=$3:when=$2+" \
        "$SANITIZED" repair --yes --recover=never
    wholly_old_or_new "$disk" "$WORK/ext4"
    expect_repair_converges "$disk" "$WORK/ext4"
}

failed_undo() {
    local disk=$HERE/disk.img
    expect_refusal "$WORK/ext4.mended" "$1:error=$3:when=$2$4" "$SANITIZED" undo
    wholly_old_or_new "$disk" "$WORK/ext4"
    expect_exit 0,8 "$RELEASE" undo "$disk"
    expect_tree "$disk" "$WORK/ext4.old" 'a second undo did not restore'
    expect_fsck_clean "$disk" ext4
}

try_failed_repair() { point "$3 of $1 $2 in repair" failed_repair "$@"; }
try_dead_repair() { point "$3 of $1 from $2 on in repair" dead_repair "$@"; }
try_failed_undo() { point "$3 of $1 $2 in undo" failed_undo "$@" ''; }
try_dead_undo() { point "$3 of $1 from $2 on in undo" failed_undo "$@" +; }

# --- what cannot be read ---

# Promise: a key that can serve is never replaced. One that cannot be read may serve.
unreadable() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/open.img" "$disk"
    expect_exit 1,4,8 with_injection "$1:error=EIO:when=$2" "$RELEASE" repair --yes --recover=never "$disk"
    grep -q INJECTED "$HERE/strace" || fail "nothing was injected"
    expect_nothing_attached
    tree_of "$disk" >"$HERE/now"
    expect_equal_files <(keys_in "$WORK/ext4.healthy") <(keys_in "$HERE/now") \
        'a key was replaced because of an error'
}

# Path and content of the private keys.
keys_in() { awk -F '\t' '$1 ~ /_key$/ { print $1, $10 }' "$1"; }

open_a_key() { chmod 0777 "$MNT/etc/ssh/ssh_host_rsa_key"; }

make_open() {
    cp --sparse=always "$WORK/ext4.img" "$WORK/open.img"
    tree_of "$WORK/open.img" >"$WORK/ext4.healthy"
    ! cmp -s <(keys_in "$WORK/ext4.old") <(keys_in "$WORK/ext4.new") || fail 'new keys are not seen'
    change_image "$WORK/open.img" open_a_key
}

looks_of_repair() {
    cp --sparse=always "$WORK/open.img" "$HERE/dry.img"
    strace -f -y -o "$HERE/trace" "$RELEASE" repair --yes --recover=never "$HERE/dry.img" >/dev/null 2>&1 || true
    awk -v STEP=9 -f "$fault_dir/reads.awk" "$HERE/trace"
}

try_unreadable() { point "unreadable: $1 $2" unreadable "$@"; }

# --- which calls ---

# Reads "SYSCALL NTH WHAT"; each on the target fails with the next of these errors.
with_errors() {
    awk -v errors="$1" 'BEGIN { count = split(errors, error, ",") }
        $3 == "target" { print $1, $2, error[NR % count + 1] }'
}

of_kind() { grep -E "^($1) "; }

repair_mutations() {
    cp --sparse=always "$WORK/ext4.broken" "$HERE/dry.img"
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 mutations "$SANITIZED" repair --yes --recover=never "$HERE/dry.img"
}

undo_mutations() {
    cp --sparse=always "$WORK/ext4.mended" "$HERE/dry.img"
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 mutations "$SANITIZED" undo "$HERE/dry.img"
}

# The disk fails at the very end of a repair, and the machine dies while that is
# being taken back.
killed_after_failed_commit() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    expect_exit 137 strace -f -qq -o "$HERE/strace" -e trace="syncfs,$1" \
        -e inject="syncfs:error=EIO:when=$3" -e inject="$1:signal=KILL:when=$2" \
        "$RELEASE" repair --yes --recover=never "$disk"
    expect_nothing_attached
    replayed_copy "$disk"
    expect_fsck_clean "$HERE/seen" ext4
    wholly_old_or_new "$HERE/seen" "$WORK/ext4"
    expect_repair_converges "$disk" "$WORK/ext4"
}

try_killed_after_failed_commit() {
    point "kill at $1 $2 behind EIO of syncfs $3" killed_after_failed_commit "$@"
}

# Those calls of the rollback that a failure just before the commit brings about, as
# "SYSCALL NTH SYNC": SYNC is the last syncfs before COMMITTED is made.
rollback_points() {
    local commit
    commit=$(awk '$1 == "syncfs" { last = $2 } $1 == "openat" { at = last } END { print at }' \
        "$WORK/repair.points")
    cp --sparse=always "$WORK/ext4.broken" "$HERE/dry.img"
    strace -f -y -e trace="$TRACED" -e inject="syncfs:error=EIO:when=$commit" -o "$HERE/trace" \
        "$RELEASE" repair --yes --recover=never "$HERE/dry.img" >/dev/null 2>&1 || true
    awk -f "$fault_dir/mutations.awk" "$HERE/trace" |
        awk -v commit="$commit" '$1 == "syncfs" && $2 == commit { past = 1; next }
            past && $3 == "target" && $1 != "syncfs" { print $1, $2, commit }'
}

# --- without any injection ---

fill_blocks() { dd if=/dev/zero of="$MNT/home/filler" bs=64k 2>/dev/null || true; }

fill_inodes() {
    local number
    mkdir "$MNT/home/filler"
    (cd "$MNT/home/filler" && seq 100000 | xargs touch 2>/dev/null) || true
    number=$(stat -fc %d "$MNT")
    ((number < 3)) || fail "$number inodes are still free"
}

full_disk() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    change_image "$disk" "$1"
    tree_of "$disk" >"$HERE/before"
    expect_exit 8 "$SANITIZED" repair --yes --recover=never "$disk"
    grep -qiE "$2" "$HERE/err" || fail "it does not say why: $(<"$HERE/err")"
    expect_tree "$disk" "$HERE/before" 'changed on a full disk'
    expect_fsck_clean "$disk" ext4
    expect_nothing_attached
}

# A place for the backup that cannot be: found out before anything is made there.
no_backup_dir() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    expect_exit 8 "$SANITIZED" repair --yes --recover=never --backup-dir "$1" "$disk"
    grep -q '^sshmend: .' "$HERE/err" || fail 'no message'
    expect_tree "$disk" "$WORK/ext4.old" 'changed, yet refused'
    expect_nothing_attached
}

read_only_device() {
    local disk=$HERE/disk.img loop
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    loop=$(losetup --find --show --read-only "$disk")
    expect_exit 8 "$SANITIZED" repair --yes --recover=never "$loop"
    losetup --detach "$loop"
    grep -q '^sshmend: .' "$HERE/err" || fail 'no message'
    cmp -s "$WORK/ext4.broken" "$disk" || fail 'a read-only device was changed'
    expect_nothing_attached
}

# The repair is done nevertheless: both bits.
failed_output() {
    local disk=$HERE/disk.img code=0
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    "$SANITIZED" repair --yes --recover=never "$disk" >/dev/full 2>"$HERE/err" || code=$?
    ((code == 9)) || fail "exit $code where stdout cannot be written"
    grep -q '^sshmend: .' "$HERE/err" || fail 'no message'
    expect_exit 0 "$RELEASE" check "$disk"
}

part_errors() {
    repair_mutations >"$WORK/repair.points"
    undo_mutations >"$WORK/undo.points"
    with_errors EIO,ENOSPC,EROFS,EDQUOT <"$WORK/repair.points" | in_parallel errors try_failed_repair
    of_kind 'write|syncfs|fsync|renameat2' <"$WORK/repair.points" | with_errors ENOSPC,EIO |
        in_parallel errors try_failed_repair
    of_kind 'syncfs|renameat2|fchmod|ioctl' <"$WORK/repair.points" | with_errors EIO,EROFS |
        in_parallel errors try_dead_repair
    with_errors EIO,EROFS <"$WORK/undo.points" | in_parallel errors try_failed_undo
    of_kind 'renameat2|unlinkat|syncfs' <"$WORK/undo.points" | with_errors EROFS,EIO |
        in_parallel errors try_dead_undo
    rollback_points | in_parallel errors try_killed_after_failed_commit
    make_open
    looks_of_repair | in_parallel errors try_unreadable
    point 'no blocks are left' full_disk fill_blocks 'no space'
    point 'no inodes are left' full_disk fill_inodes 'inodes|no space'
    point 'a backup directory that is a file' no_backup_dir /etc/passwd
    point 'a backup directory below a file' no_backup_dir /etc/passwd/below
    point 'a read-only device' read_only_device
    point 'stdout is full' failed_output
}
