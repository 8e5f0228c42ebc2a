# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# One more key for a user: the client of these tests is let in by it, and undo takes it back.

client_pub() { echo "$BUILD/client_key.pub"; }

# authorize_cycle USER BREAKAGE: nobody's keys are there, or only somebody else's.
authorize_cycle() {
    local user=$1 breakage=$2
    broken_image "$IMG" gpt-ext4 "$breakage"
    judge_refuses "$IMG" "$user" || fail 'let in before'
    manifest_of_image "$IMG" >"$CASE_DIR/before"
    expect_exit 1 sshmend authorize --yes --user "$user" --key "$(client_pub)" "$IMG"
    judge_login "$IMG" "$user" >/dev/null || fail 'not let in'
    expect_exit 0 sshmend authorize --yes --user "$user" --key "$(client_pub)" "$IMG"
    expect_exit 0 sshmend undo "$IMG"
    manifest_of_image "$IMG" >"$CASE_DIR/after"
    cmp "$CASE_DIR/before" "$CASE_DIR/after" || fail 'undo left something'
}

case_authorize_without_directory() { authorize_cycle alice no_ssh_directory; }
case_authorize_open_home() { authorize_cycle alice open_home_without_keys; }
case_authorize_root() { authorize_cycle root other_keys; }
case_authorize_no_newline() { authorize_cycle alice other_keys; }

case_authorize_by_stdin() {
    broken_image "$IMG" gpt-ext4 no_ssh_directory
    expect_exit 1 sshmend authorize --yes --user alice --key - "$IMG" <"$(client_pub)"
    judge_login "$IMG" alice >/dev/null || fail 'not let in'
}

case_authorize_refuses() {
    local junk=$CASE_DIR/junk
    broken_image "$IMG" gpt-ext4 no_ssh_directory
    hash_of "$IMG" >"$CASE_DIR/before"
    echo 'ssh-ed25519 nonsense' >"$junk"
    expect_exit 8 sshmend authorize --yes --user alice --key "$BUILD/client_key" "$IMG"
    expect_exit 8 sshmend authorize --yes --user alice --key "$junk" "$IMG"
    expect_exit 8 sshmend authorize --yes --user alice --key "$TESTS/unit/keys/rsa1.pub" "$IMG"
    expect_exit 8 sshmend authorize --yes --user nobody-there --key "$(client_pub)" "$IMG"
    expect_exit 8 sshmend authorize --yes --user alice --key /no/such/file "$IMG"
    expect_exit 16 sshmend authorize --yes --user alice "$IMG"
    expect_exit 32 sshmend authorize --user alice --key "$(client_pub)" "$IMG" </dev/null
    [[ $(hash_of "$IMG") == "$(cat "$CASE_DIR/before")" ]] || fail 'the image was changed'
}
