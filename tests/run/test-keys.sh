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

# An image of a CentOS 5 that speaks both protocols.
old_image() {
    # shellcheck source=tests/fixtures/tree.sh
    . "$TESTS/fixtures/tree.sh"
    MNT=$CASE_DIR/old
    mkdir "$MNT"
    truncate -s 32M "$1"
    mkfs.ext4 -q -F "$1"
    mount -o loop "$1" "$MNT"
    tree_apply "$MNT" "$TESTS/fixtures/base" debian.tree
    tree_apply "$MNT" "$TESTS/fixtures/base" el5-protocol1.tree
    umount "$MNT"
}

# The key of protocol 1 as its own clients know it, made anew or not; DNS has no number for it.
case_protocol_1() {
    local img=$CASE_DIR/old.img pub=$TESTS/unit/keys/rsa1.pub
    old_image "$img"
    expect_exit 0 sshmend keys "$img"
    expect_says "$OUT" "$(ssh-keygen1 -lf "$pub" | cut -d' ' -f2)"
    expect_exit 0 sshmend keys "$img" --known-hosts old.example,192.0.2.7
    expect_says "$OUT" "old.example,192.0.2.7 $(cut -d' ' -f1-3 "$pub")"
    expect_equal "$(wc -l <"$OUT")" 3
    expect_says <(ssh-keygen1 -l -F 192.0.2.7 -f "$OUT") RSA1
    expect_exit 0 sshmend keys "$img" --sshfp old.example
    expect_equal "$(wc -l <"$OUT")" 4
    mount -o loop "$img" "$MNT"
    rm "$MNT"/etc/ssh/ssh_host_key*
    umount "$MNT"
    expect_exit 1 sshmend repair --yes "$img"
    mount -o loop,ro "$img" "$MNT"
    expect_equal "$(ssh-keygen1 -yf "$MNT/etc/ssh/ssh_host_key" | cut -d' ' -f1-3)" \
        "$(cut -d' ' -f1-3 "$MNT/etc/ssh/ssh_host_key.pub")"
    expect_equal "$(ssh-keygen1 -lf "$MNT/etc/ssh/ssh_host_key" | cut -d' ' -f1)" 2048
    umount "$MNT"
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

# The operator is told before agreeing, and again afterwards: no repair makes a certificate.
case_certificate_of_a_new_key() {
    local etc
    fresh
    image_mount "$IMG"
    etc=$MNT/etc/ssh
    ssh-keygen -q -t ed25519 -N '' -f "$CASE_DIR/authority"
    ssh-keygen -q -s "$CASE_DIR/authority" -h -I host -n victim.example "$etc/ssh_host_rsa_key.pub"
    sed -i '1i HostCertificate /etc/ssh/ssh_host_rsa_key-cert.pub' "$etc/sshd_config"
    image_umount
    expect_exit 0 sshmend check "$IMG"
    image_mount "$IMG"
    rm "$MNT/etc/ssh/ssh_host_rsa_key"
    image_umount
    expect_exit 4 sshmend repair --dry-run --recover=never "$IMG"
    expect_says "$OUT" 'have the new key signed: /etc/ssh/ssh_host_rsa_key-cert.pub'
    expect_exit 4 sshmend repair --yes --recover=never --json "$IMG"
    expect_json '[.findings[] | select(.outcome == "open") | .id]' "$OUT" '["hostkey-cert-mismatch"]'
}
