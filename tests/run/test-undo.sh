# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# undo puts back exactly what a repair changed.

# What a key may carry beside its content.
add_attributes() {
    local key=$1/etc/ssh/ssh_host_rsa_key
    setfattr -n user.note -v 'kept by the operator' "$key"
    setfacl -m u:1000:r "$1/etc/ssh/ssh_host_ecdsa_key"
    touch -d '2020-02-02 02:02:02.123456789' "$key" "$1/etc/ssh/ssh_host_ecdsa_key"
    chattr +i "$key"
}

broken_in_many_ways() {
    image_make "$IMG" "$1"
    image_mount "$IMG"
    break_hard_link "$MNT"
    break_root_home_777 "$MNT"
    break_alice_owner "$MNT"
    truncate -s 200 "$MNT/etc/ssh/ssh_host_ed25519_key"
    chown 1000:1000 "$MNT/etc/ssh/ssh_host_ecdsa_key.pub"
    add_attributes "$MNT"
    image_umount
}

undo_restores() {
    local before
    before=$CASE_DIR/before
    manifest_of_image "$IMG" >"$before"
    # New keys: those on the bare disk are test-recover.sh's.
    expect_exit 1 sshmend repair --yes --recover=never "$IMG"
    judge_login "$IMG" >/dev/null
    expect_exit 0 sshmend undo "$IMG"
    manifest_of_image "$IMG" >"$CASE_DIR/after"
    expect_same "$before" "$CASE_DIR/after"
    expect_exit 4 sshmend check "$IMG"
    image_fsck "$IMG" >"$CASE_DIR/fsck" 2>&1 || fail "$(cat "$CASE_DIR/fsck")"
}

one_breakage() {
    broken_image "$IMG" gpt-ext4 "$1"
    undo_restores
}

case_many_ext4() {
    broken_in_many_ways gpt-ext4
    undo_restores
    image_mount "$IMG"
    [[ $MNT/root/other-name -ef $MNT/etc/ssh/ssh_host_rsa_key ]] || fail 'the hard link was not restored'
    image_umount
}
case_many_xfs() { broken_in_many_ways gpt-xfs && undo_restores; }
case_many_btrfs() { broken_in_many_ways gpt-btrfs && undo_restores; }
case_all_deleted() { one_breakage all_deleted; }
case_swapped() { one_breakage swapped; }
case_all_600() { one_breakage all_600; }

# Repaired, undone, repaired again: the second repair is as good as the first.
case_again() {
    broken_image "$IMG" gpt-ext4 mixed
    undo_restores
    expect_exit 1 sshmend repair --yes "$IMG"
    expect_exit 0 sshmend check "$IMG"
    judge_login "$IMG" >/dev/null
}

case_list_and_run() {
    local run
    broken_image "$IMG" gpt-ext4 mixed
    expect_exit 1 sshmend repair --yes --json "$IMG"
    run=$(jq -r .run "$OUT")
    expect_exit 0 sshmend undo --list "$IMG"
    expect_says "$OUT" "$run"
    expect_exit 8,16 sshmend undo --run no-such-run "$IMG"
    expect_says "$ERR" no-such-run
    expect_exit 0 sshmend undo --run "$run" "$IMG"
    expect_exit 4 sshmend check "$IMG"
}

case_nothing_to_undo() {
    image_make "$IMG" gpt-ext4
    expect_exit 8 sshmend undo "$IMG"
    [[ -s $ERR ]] || fail 'no word about it'
}

# What was changed since the repair is the operator's: undo names it and leaves all as it is.
undo_refuses_after() {
    local path=$1
    shift
    broken_image "$IMG" gpt-ext4 mixed
    expect_exit 1 sshmend repair --yes "$IMG"
    image_mount "$IMG"
    "$@" "$MNT$path"
    image_umount
    manifest_of_image "$IMG" >"$CASE_DIR/before"
    expect_exit 8 sshmend undo "$IMG"
    expect_says "$ERR" "$path"
    manifest_of_image "$IMG" >"$CASE_DIR/after"
    expect_same "$CASE_DIR/before" "$CASE_DIR/after"
}
append_line() { echo >>"$1"; }
case_changed_content() { undo_refuses_after /etc/ssh/ssh_host_ecdsa_key append_line; }
case_changed_mode() { undo_refuses_after /etc/ssh/ssh_host_rsa_key chmod 0400; }
case_deleted_since() { undo_refuses_after /etc/ssh/ssh_host_ecdsa_key rm; }

# What somebody has attached to a configuration file goes with it when a line of it is mended.
case_edited_text_keeps_attributes() {
    local config=etc/ssh/sshd_config attributes
    image_make "$IMG" gpt-ext4
    image_mount "$IMG"
    echo 'NoSuchOption yes' >>"$MNT/$config"
    setfacl -m u:1000:r "$MNT/$config"
    setfattr -n user.note -v 'kept by the operator' "$MNT/$config"
    attributes=$(getfacl -cn "$MNT/$config" && getfattr -n user.note --only-values "$MNT/$config")
    image_umount
    manifest_of_image "$IMG" >"$CASE_DIR/before"
    expect_exit 1 sshmend repair --yes "$IMG"
    image_mount "$IMG"
    ! grep -q '^NoSuchOption' "$MNT/$config" || fail 'the line is still there'
    [[ $(getfacl -cn "$MNT/$config" && getfattr -n user.note --only-values "$MNT/$config") == "$attributes" ]] ||
        fail "it has lost what was attached to it: $(getfacl -cn "$MNT/$config")"
    image_umount
    expect_exit 0 sshmend undo "$IMG"
    manifest_of_image "$IMG" >"$CASE_DIR/after"
    expect_same "$CASE_DIR/before" "$CASE_DIR/after"
}
