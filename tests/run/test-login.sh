# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The main job: break a real root, prove it broken, repair it, log in.

every='rsa ecdsa ed25519'

expect_identities() {
    local served=$1 type
    shift
    for type in "$@"; do
        grep -qxF "$(original_fingerprint "$type")" <<<"$served" || fail "the $type key is another one now"
    done
}

# What the breakage did to logins: all of them refused, some, those of one user, or none.
expect_broken() {
    case $1 in
    all) judge_refuses "$IMG" || fail 'not broken' ;;
    some) ! judge_login "$IMG" 2>/dev/null || fail 'not broken' ;;
    none) judge_login "$IMG" >/dev/null || fail 'broken' ;;
    *) judge_refuses "$IMG" "$1" || fail 'not broken' ;;
    esac
}

expect_verdict() {
    case $1 in
    all) expect_json .verdict "$OUT" '"broken"' ;;
    some | root | alice) expect_json .verdict "$OUT" '"degraded"' ;;
    esac
}

# login_cycle LAYOUT BREAKAGE REFUSED KEPT…: KEPT are the key types whose
# identity must survive. REPAIR_OPTIONS: of repair, beside --yes.
login_cycle() {
    local layout=$1 breakage=$2 refused=$3 served
    shift 3
    broken_image "$IMG" "$layout" "$breakage"
    expect_broken "$refused"
    expect_exit 4 sshmend check --json "$IMG"
    expect_verdict "$refused"
    # shellcheck disable=SC2086 # a list of words
    expect_exit 1 sshmend repair --yes ${REPAIR_OPTIONS:-} "$IMG"
    expect_exit 0 sshmend repair --yes --json "$IMG"
    expect_json '[(.changes // [] | length), has("run")]' "$OUT" '[0,false]'
    expect_exit 0 sshmend check --json "$IMG"
    expect_json .verdict "$OUT" '"healthy"'
    served=$(judge_login "$IMG")
    expect_identities "$served" "$@"
    image_fsck "$IMG" >"$CASE_DIR/fsck" 2>&1 || fail "$(cat "$CASE_DIR/fsck")"
}

# in_repaired COMMAND…: runs COMMAND with the repaired root's directory as its last argument.
in_repaired() {
    image_mount "$IMG"
    "$@" "$MNT"
    image_umount
}

# shellcheck disable=SC2086 # a list of words
{
case_ext4_modes_777() { login_cycle gpt-ext4 modes_777 all $every; }
case_ext4_empty() { login_cycle gpt-ext4 empty all $every; }
case_ext4_private_deleted() { login_cycle gpt-ext4 private_deleted all $every; }
case_ext4_all_deleted() { REPAIR_OPTIONS=--recover=never login_cycle gpt-ext4 all_deleted all; }
case_ext4_all_777() { login_cycle gpt-ext4 all_777 all $every; }
case_ext4_owner_and_777() { login_cycle gpt-ext4 owner_and_777 none $every; }
case_ext4_crlf() { login_cycle gpt-ext4 crlf all $every; }
case_ext4_no_final_newline() { login_cycle gpt-ext4 no_final_newline all $every; }
case_ext4_leading_blank() { login_cycle gpt-ext4 leading_blank all $every; }
case_ext4_bom() { login_cycle gpt-ext4 bom all $every; }
case_ext4_swapped() { login_cycle gpt-ext4 swapped all $every; }
case_ext4_pub_missing() { login_cycle gpt-ext4 pub_missing none $every; }
case_ext4_pub_foreign() { login_cycle gpt-ext4 pub_foreign none $every; }
case_ext4_mixed() { login_cycle gpt-ext4 mixed all rsa; }
case_ext4_nul() { login_cycle gpt-ext4 nul all; }
case_ext4_copy_bak() { login_cycle gpt-ext4 copy_bak some $every; }
case_ext4_copy_root() { login_cycle gpt-ext4 copy_root some $every; }
case_ext4_bit_rot() { login_cycle gpt-ext4 bit_rot some rsa ed25519; }
case_ext4_encrypted() { login_cycle gpt-ext4 encrypted all; }
case_ext4_root_home_777() { login_cycle gpt-ext4 root_home_777 root $every; }
case_ext4_alice_owner() { login_cycle gpt-ext4 alice_owner alice $every; }
case_xfs_modes_777() { login_cycle gpt-xfs modes_777 all $every; }
case_xfs_mixed() { login_cycle gpt-xfs mixed all rsa; }
case_xfs_acl() { login_cycle gpt-xfs acl all $every; }
case_btrfs_modes_777() { login_cycle gpt-btrfs modes_777 all $every; }
case_btrfs_mixed() { login_cycle gpt-btrfs mixed all rsa; }
case_btrfs_at_mixed() { login_cycle btrfs-at mixed all rsa; }
case_mbr_logical_mixed() { login_cycle mbr-logical-ext4 mixed all rsa; }
case_bare_ext4_mixed() { login_cycle bare-ext4 mixed all rsa; }
case_ext3_mixed() { login_cycle gpt-ext3 mixed all rsa; }
case_ext2_mixed() { login_cycle gpt-ext2 mixed all rsa; }
}

# root does without the x of a directory, everybody else does not.
expect_directory_mode() {
    expect_equal "$(stat -c %a "$1/etc/ssh")" 755
}
case_ext4_all_600() {
    # shellcheck disable=SC2086
    login_cycle gpt-ext4 all_600 none $every
    in_repaired expect_directory_mode
}

expect_immutable() {
    lsattr -d "$1/etc/ssh/ssh_host_rsa_key" | grep -q '^[^ ]*i' || fail 'the immutable flag was not put back'
}
case_ext4_immutable() {
    # shellcheck disable=SC2086
    login_cycle gpt-ext4 immutable_777 all $every
    in_repaired expect_immutable
}
case_btrfs_immutable() {
    # shellcheck disable=SC2086
    login_cycle gpt-btrfs immutable_777 all $every
    in_repaired expect_immutable
}

expect_no_acl() {
    expect_equal "$(getfattr -h -m posix_acl "$1"/etc/ssh/ssh_host_*_key 2>/dev/null)" ''
}
case_ext4_acl() {
    # shellcheck disable=SC2086
    login_cycle gpt-ext4 acl all $every
    in_repaired expect_no_acl
}

# The other name of a hard-linked key may be anything: it keeps its mode and
# its inode, and the key becomes a file of its own.
expect_unlinked() {
    [[ ! $1/root/other-name -ef $1/etc/ssh/ssh_host_rsa_key ]] || fail 'still one file'
    expect_equal "$(stat -c %a "$1/root/other-name")" 777
    expect_equal "$(stat -c '%a %h' "$1/etc/ssh/ssh_host_rsa_key")" '600 1'
}
case_ext4_hard_link() {
    # shellcheck disable=SC2086
    login_cycle gpt-ext4 hard_link all $every
    in_repaired expect_unlinked
}
