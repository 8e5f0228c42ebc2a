# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What a target can be, and which of several systems is meant.

# Two roots in one image, the host keys of both broken.
two_broken_roots() {
    local offset size
    image_make "$IMG" gpt-two-ext4
    while read -r offset size; do
        MNT=$(mktemp -d)
        partition_mount "$IMG" "$offset" "$size" "$MNT"
        break_modes_777 "$MNT"
        image_umount
    done < <(image_partitions "$IMG")
}

uuid_of_partition() {
    local offset size
    read -r offset size < <(image_partitions "$IMG" | sed -n "$1p")
    partition_loop "$IMG" "$offset" "$size" --read-only -- blkid -p -o value -s UUID
}

# expect_systems CODE CODE: what check says of the first and of the second root.
expect_systems() {
    expect_exit "$1" sshmend check --system 1 "$IMG"
    expect_exit "$2" sshmend check --system 2 "$IMG"
}

case_two_roots_are_listed() {
    local first second
    two_broken_roots
    first=$(uuid_of_partition 1)
    second=$(uuid_of_partition 2)
    expect_exit 0 sshmend scan --json "$IMG"
    expect_equal "$(jq -r .system.uuid "$OUT")" "$first"$'\n'"$second"
    expect_exit 4 sshmend check --json "$IMG"
    expect_equal "$(jq -r '.system.uuid + " " + .verdict' "$OUT")" "$first broken"$'\n'"$second broken"
}

# Never guessed: with two systems, repair wants to be told which.
case_two_roots_are_not_guessed() {
    local before
    two_broken_roots
    before=$(hash_of "$IMG")
    expect_exit 8 sshmend repair --yes "$IMG"
    expect_says "$ERR" --system
    expect_says "$ERR" 'partition 1'
    expect_says "$ERR" 'partition 2'
    expect_equal "$(hash_of "$IMG")" "$before"
}

case_system_by_number() {
    two_broken_roots
    expect_exit 1 sshmend repair --yes --system 2 "$IMG"
    expect_systems 4 0
}

case_system_by_uuid() {
    two_broken_roots
    expect_exit 1 sshmend repair --yes --system "$(uuid_of_partition 1)" "$IMG"
    expect_systems 0 4
}

case_all_systems() {
    two_broken_roots
    expect_exit 1 sshmend repair --yes --all "$IMG"
    expect_systems 0 0
    judge_login "$IMG" >/dev/null
}

case_no_such_system() {
    two_broken_roots
    expect_exit 8,16 sshmend repair --yes --system 3 "$IMG"
    expect_says "$ERR" 3
    expect_systems 4 4
}

# A disk is attached as /dev/loopN, without partition nodes.
attach() {
    DISK=$(losetup --find --show "$@")
    # shellcheck disable=SC2064 # the device's name is known now
    trap "losetup -d $DISK" EXIT
}

case_whole_disk() {
    broken_image "$IMG" gpt-ext4 mixed
    attach "$IMG"
    expect_exit 4 sshmend check "$DISK"
    expect_exit 1 sshmend repair --yes "$DISK"
    expect_exit 0 sshmend check "$DISK"
    judge_login "$IMG" >/dev/null
}

case_partition_device() {
    local offset size
    broken_image "$IMG" gpt-ext4 mixed
    read -r offset size < <(image_root_partition "$IMG")
    attach --offset "$offset" --sizelimit "$size" "$IMG"
    expect_exit 1 sshmend repair --yes "$DISK"
    judge_login "$IMG" >/dev/null
}

# No loop device has a serial: what is found by one is tested in tests/unit/test_device.c.
case_disk_of_no_such_serial() {
    expect_exit 8 sshmend check --disk-serial d-bp1nowhere
    expect_says "$ERR" 'no disk with the serial d-bp1nowhere'
    expect_exit 8 sshmend undo --disk-serial d-bp1nowhere
    expect_exit 16 sshmend check --disk-serial d-bp1nowhere "$IMG"
}

# What is no text is shown once, not encoded again by the table.
case_label_is_clean() {
    truncate -s 8M "$IMG"
    mkfs.ext4 -q -L $'a\x1b[31m' "$IMG"
    sshmend scan "$IMG" >"$OUT" 2>"$ERR" || true
    grep -qF ' a\x1b[31m' "$OUT" || fail "$(cat -v "$OUT")"
}

# Without a target all attached disks are looked at, and never the running system.
case_no_target_alone() {
    local uuid running
    broken_image "$IMG" gpt-ext4 modes_777
    uuid=$(image_loop "$IMG" blkid -p -o value -s UUID)
    attach "$IMG"
    expect_exit 0 sshmend scan --json
    expect_json "select(.system.uuid == \"$uuid\") | .system.fs" "$OUT" '"ext4"'
    running=$(findmnt -no UUID / || true)
    [[ -z $running ]] || ! grep -qF "$running" "$OUT" || fail 'the running system is offered'
    expect_exit 4 sshmend check --system "$uuid"
    expect_exit 1 sshmend repair --yes --system "$uuid"
    expect_exit 0 sshmend check --system "$uuid"
    judge_login "$IMG" >/dev/null
}

case_directory() {
    broken_image "$IMG" gpt-ext4 mixed
    image_mount "$IMG"
    expect_exit 4 sshmend check "$MNT"
    expect_exit 1 sshmend repair --yes "$MNT"
    expect_exit 0 sshmend repair --yes "$MNT"
    expect_exit 0 sshmend check "$MNT"
    image_umount
    judge_login "$IMG" >/dev/null
}

# --- the running system is never a repair target ---

fake_root() {
    mkdir -p "$1"/{etc/ssh,usr/bin,bin,root}
    cp /etc/os-release "$1/etc/"
    printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'sshd:x:101:65534::/run/sshd:/bin/false' >"$1/etc/passwd"
    printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$1/etc/group"
    ssh-keygen -q -t ed25519 -N '' -f "$1/etc/ssh/ssh_host_ed25519_key"
    chmod 0777 "$1"/etc/ssh/ssh_host_*
}

case_directory_on_the_running_root() {
    local dir
    dir=$(mktemp -d /sshmend-test.XXXXXX)
    # shellcheck disable=SC2064 # the directory's name is known now
    trap "rm -rf $dir" EXIT
    fake_root "$dir"
    tree_manifest "$dir" >before
    expect_exit 8 sshmend repair --yes "$dir"
    expect_says "$ERR" "$dir"
    expect_says "$ERR" running
    tree_manifest "$dir" >after
    expect_same before after
}

# in_read_only_view COMMAND…: / is the host's own, but cannot be
# written to, in case the promise does not hold. A bind mount and a chroot,
# since / need not be a mount point.
in_read_only_view() {
    mkdir -p "$CASE_DIR/view"
    # shellcheck disable=SC2016 # for the inner shell
    unshare --mount --propagation unchanged sh -c '
        mount --rbind / "$0" && mount -o remount,ro,bind "$0" && exec chroot "$0" "$@"' "$CASE_DIR/view" "$@"
}

refuses_running_root() {
    tree_manifest /etc/ssh >before
    expect_exit 8 in_read_only_view "$SSHMEND" repair --yes "$1"
    expect_says "$ERR" running
    tree_manifest /etc/ssh >after
    expect_same before after
}

case_slash() { refuses_running_root /; }

case_slash_by_another_name() {
    ln -s / other-name
    refuses_running_root "$CASE_DIR/other-name/."
}
