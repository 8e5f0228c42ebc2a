# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# keys prints what ssh-keygen and ssh-keyscan would.

types='rsa ecdsa ed25519'

copy_pubs() {
    local type
    image_mount "$IMG"
    for type in $types; do
        cp "$MNT/etc/ssh/ssh_host_${type}_key.pub" "$CASE_DIR/$type.pub"
    done
    image_umount
}

# for_each_pub COMMAND…: with the path of each .pub as its last argument.
for_each_pub() {
    local type
    for type in $types; do
        "$@" "$CASE_DIR/$type.pub"
    done
}

fresh() {
    image_make "$IMG" gpt-ext4
    copy_pubs
}

case_fingerprints() {
    local type
    fresh
    expect_exit 0 sshmend keys "$IMG"
    for type in $types; do
        expect_says "$OUT" "$(ssh-keygen -lf "$CASE_DIR/$type.pub" | cut -d' ' -f2)"
    done
    expect_exit 0 sshmend keys --json "$IMG"
    expect_equal "$(jq -r '.keys[] | "\(.bits) \(.fingerprint)"' "$OUT" | sort)" \
        "$(for_each_pub ssh-keygen -lf | cut -d' ' -f1,2 | sort)"
    expect_json '[.keys[].state] | unique' "$OUT" '["ok"]'
}

case_known_hosts() {
    fresh
    expect_exit 0 sshmend keys "$IMG" --known-hosts victim.example,192.0.2.7
    expect_equal "$(sort "$OUT")" "$(for_each_pub cut -d' ' -f1,2 | sed 's/^/victim.example,192.0.2.7 /' | sort)"
    ssh-keygen -F 192.0.2.7 -f "$OUT" >/dev/null || fail 'ssh-keygen does not find the name'
}

case_sshfp() {
    fresh
    expect_exit 0 sshmend keys "$IMG" --sshfp victim.example
    expect_equal "$(sort "$OUT")" "$(for_each_pub ssh-keygen -r victim.example -f | sort)"
}

# The same after a repair: what it prints is what sshd serves.
case_as_served() {
    broken_image "$IMG" gpt-ext4 mixed
    expect_exit 1 sshmend repair --yes "$IMG"
    expect_exit 0 sshmend keys --json "$IMG"
    expect_equal "$(jq -r '.keys[].fingerprint' "$OUT" | sort)" "$(judge_login "$IMG")"
}

# No word of a private key is ever shown.
case_no_private_material() {
    local secret
    broken_image "$IMG" gpt-ext4 crlf
    image_mount "$IMG"
    secret=$(sed -n 4p "$MNT/etc/ssh/ssh_host_rsa_key" | tr -d '\r')
    image_umount
    expect_exit 4 sshmend check --verbose "$IMG"
    ! grep -qF "$secret" "$OUT" "$ERR" || fail 'check shows a private key'
    expect_exit 1 sshmend repair --yes --verbose --json "$IMG"
    ! grep -qF "$secret" "$OUT" "$ERR" || fail 'repair shows a private key'
    expect_exit 0 sshmend keys --verbose "$IMG"
    ! grep -qF "$secret" "$OUT" "$ERR" || fail 'keys shows a private key'
}
