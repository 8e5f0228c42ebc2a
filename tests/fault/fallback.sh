# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from run.sh
#
# What older kernels need: mounts in a private namespace where there is no
# fsopen(2), loop devices set up in steps where there is no LOOP_CONFIGURE.

without_fsopen() {
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f --seccomp-bpf -qq -o "$HERE/strace" \
        -e trace=fsopen,mount,umount2 -e inject=fsopen:error=ENOSYS "$@"
}

expect_mounted_by_libmount() {
    grep -q 'INJECTED' "$HERE/strace" || fail 'fsopen was not even tried'
    grep -q '"ext4", MS_' "$HERE/strace" || fail 'mount(2) was not used'
}

private_namespace() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    grep -v "$HERE" /proc/self/mountinfo | sort >"$HERE/mounts"
    expect_exit 4 without_fsopen "$SANITIZED" check "$disk"
    expect_mounted_by_libmount
    cmp -s "$WORK/ext4.broken" "$disk" || fail 'check changed the image'
    expect_exit 1 without_fsopen "$SANITIZED" repair --yes --recover=never "$disk"
    expect_mounted_by_libmount
    expect_exit 0 without_fsopen "$SANITIZED" check "$disk"
    expect_nothing_attached
    wholly_old_or_new "$disk" "$WORK/ext4"
    expect_exit 0 without_fsopen "$SANITIZED" undo "$disk"
    expect_tree "$disk" "$WORK/ext4.old" 'undo did not restore'
    expect_nothing_attached
    grep -v "$HERE" /proc/self/mountinfo | sort | cmp -s - "$HERE/mounts" ||
        fail 'the mounts of the caller are not what they were'
}

# A journal that is not replayed must stay so here too.
private_namespace_dirty() {
    local disk=$HERE/disk.img before
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    mount_image "$disk"
    touch "$MNT/home/"{1..50}
    sync -f "$MNT"
    cp --sparse=always "$disk" "$HERE/dirty.img"
    unmount_image
    dumpe2fs -h "$HERE/dirty.img" 2>/dev/null | grep -q needs_recovery || fail 'it is not dirty'
    before=$(b2sum <"$HERE/dirty.img")
    expect_exit 4 without_fsopen "$SANITIZED" check "$HERE/dirty.img"
    expect_mounted_by_libmount
    [[ $(b2sum <"$HERE/dirty.img") == "$before" ]] || fail 'check changed an image with a journal'
    expect_nothing_attached
}

killed_in_namespace() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    expect_exit 137 strace -f -qq -o "$HERE/strace" -e trace="fsopen,$1" \
        -e inject=fsopen:error=ENOSYS -e inject="$1:signal=KILL:when=$2" \
        "$RELEASE" repair --yes --recover=never "$disk"
    expect_nothing_attached
    replayed_copy "$disk"
    expect_fsck_clean "$HERE/seen" ext4
    wholly_old_or_new "$HERE/seen" "$WORK/ext4"
    expect_repair_converges "$disk" "$WORK/ext4"
}

try_killed_in_namespace() { point "kill without fsopen at $1 $2" killed_in_namespace "$@"; }

namespace_mutations() {
    cp --sparse=always "$WORK/ext4.broken" "$HERE/dry.img"
    strace -f -y -o "$HERE/trace" -e trace="$TRACED" -e inject=fsopen:error=ENOSYS \
        "$RELEASE" repair --yes --recover=never "$HERE/dry.img" >/dev/null 2>&1 || true
    awk -f "$fault_dir/mutations.awk" "$HERE/trace"
}

# --- loop devices ---

# The ordinals of LOOP_CONFIGURE among all ioctl calls.
loop_configures() {
    cp --sparse=always "$WORK/ext4.$1" "$HERE/dry.img"
    strace -f -o "$HERE/trace" -e trace=ioctl "$RELEASE" "${@:2}" "$HERE/dry.img" \
        >/dev/null 2>&1 || true
    awk '{ if (/ioctl\(/) n++; if (/LOOP_CONFIGURE/) { print n; found = 1 } } END { exit !found }' \
        "$HERE/trace"
}

configures_loop() { grep -q LOOP_CONFIGURE "$1"; }

loop_in_steps() {
    local code=$1 base=$2 nth=$3 disk=$HERE/disk.img
    shift 3
    expect_injected "$code" "$WORK/ext4.$base" configures_loop \
        strace_inject "ioctl:error=EINVAL:when=$nth" "$RELEASE" "$@"
    grep -q 'LOOP_SET_FD' "$HERE/strace" || fail 'LOOP_SET_FD was not used'
    expect_nothing_attached
    [[ $1 != check ]] || cmp -s "$WORK/ext4.$base" "$disk" || fail 'check changed the image'
    wholly_old_or_new "$disk" "$WORK/ext4"
}

# Any other error is one: no second way, and a message.
loop_refused() {
    expect_injected 8 "$WORK/ext4.broken" configures_loop \
        strace_inject "ioctl:error=EIO:when=$1" "$RELEASE" check
    grep -q '^sshmend: .' "$HERE/err" || fail 'no message'
    expect_nothing_attached
}

part_fallback() {
    local nth ordinals
    point 'check, repair and undo without fsopen' private_namespace
    point 'check without fsopen on a dirty journal' private_namespace_dirty
    # Every third of the calls on the target; the part on SIGKILL has them all.
    namespace_mutations | awk '$3 != "target" || NR % 3 == 0' |
        in_parallel fallback try_killed_in_namespace
    ordinals=$(loop_configures broken check)
    for nth in $ordinals; do
        point "no LOOP_CONFIGURE, check ($nth)" loop_in_steps 4 broken "$nth" check
        point "LOOP_CONFIGURE refused ($nth)" loop_refused "$nth"
    done
    ordinals=$(loop_configures broken repair --yes --recover=never)
    for nth in $ordinals; do
        point "no LOOP_CONFIGURE, repair ($nth)" loop_in_steps 1 broken "$nth" repair --yes --recover=never
    done
    ordinals=$(loop_configures mended undo)
    for nth in $ordinals; do
        point "no LOOP_CONFIGURE, undo ($nth)" loop_in_steps 0 mended "$nth" undo
    done
}
