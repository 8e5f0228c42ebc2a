# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Lost keys on the bare disk: which come back, which do not, and who is asked.

types=(rsa ecdsa ed25519)

# What clients know of the machine, by one of its names.
clients_file() {
    local type
    for type in "${types[@]}"; do
        tar -xOf "$BUILD/root.tar" "./etc/ssh/ssh_host_${type}_key.pub" | sed 's/^/web1.example.org /'
    done >"$CASE_DIR/known_hosts"
}

# lose LAYOUT COMMAND…: a sound image whose keys have been on the disk, and then COMMAND.
lose() {
    image_make "$IMG" "$1"
    clients_file
    image_mount "$IMG"
    sync -f "$MNT"
    (cd "$MNT/etc/ssh" && "${@:2}")
    image_umount
    cp --sparse=always "$IMG" "$CASE_DIR/lost.img"
}

expect_untouched() { cmp -s "$IMG" "$CASE_DIR/lost.img" || fail 'the disk was changed'; }

# Every key is the one that clients know, and lets them in.
expect_same_identity() {
    local served type
    expect_exit 0 sshmend check "$IMG"
    served=$(JUDGE_KNOWN_HOSTS=$CASE_DIR/known_hosts judge_login "$IMG") ||
        fail 'a client that knows the machine cannot log in'
    for type in "${types[@]}"; do
        grep -qxF "$(original_fingerprint "$type")" <<<"$served" || fail "the $type key is another one now"
    done
    image_fsck "$IMG" >"$CASE_DIR/fsck" 2>&1 || fail "$(cat "$CASE_DIR/fsck")"
}

expect_new_identity() {
    local served type
    expect_exit 0 sshmend check "$IMG"
    served=$(judge_login "$IMG")
    for type in "${types[@]}"; do
        ! grep -qxF "$(original_fingerprint "$type")" <<<"$served" || fail "the $type key is the old one"
    done
    JUDGE_KNOWN_HOSTS=$CASE_DIR/known_hosts judge_refuses "$IMG" || fail 'a client that knows the machine is not warned'
}

private_keys_deleted() { rm ssh_host_*_key; }
private_keys_emptied() { for key in ssh_host_*_key; do : >"$key"; done; }
all_keys_deleted() { rm ssh_host_*; }
keys_made_anew() {
    local type
    rm ssh_host_*
    for type in "${types[@]}"; do
        ssh-keygen -q -t "$type" -N '' -C root@victim -f "ssh_host_${type}_key"
    done
}

# The .pub that is left says whose key it is: nobody has to be asked.
deleted_and_back() {
    lose "$1" "$2"
    expect_exit 4 sshmend check --json "$IMG"
    expect_untouched
    expect_json '[.keys[].recoverable[0].vouched_by] | unique' "$OUT" '["its .pub"]'
    expect_exit 1 sshmend repair --yes --json "$IMG"
    expect_json '[.keys[].origin] | unique' "$OUT" '["restored"]'
    expect_same_identity
}
case_deleted_ext4() { deleted_and_back gpt-ext4 private_keys_deleted; }
case_deleted_xfs() { deleted_and_back gpt-xfs private_keys_deleted; }
case_deleted_btrfs() { deleted_and_back gpt-btrfs private_keys_deleted; }
case_emptied() { deleted_and_back gpt-ext4 private_keys_emptied; }

case_undo_of_recovered() {
    lose gpt-ext4 private_keys_deleted
    manifest_of_image "$IMG" >"$CASE_DIR/before"
    cp --sparse=always "$CASE_DIR/lost.img" "$IMG"
    expect_exit 1 sshmend recover --yes "$IMG"
    expect_same_identity
    expect_exit 0 sshmend undo "$IMG"
    manifest_of_image "$IMG" >"$CASE_DIR/after"
    expect_same "$CASE_DIR/before" "$CASE_DIR/after"
}

# Nothing is left beside the keys: what clients know is the evidence.
case_clients_vouch() {
    lose gpt-ext4 all_keys_deleted
    expect_exit 1 sshmend recover --yes --known-hosts "$CASE_DIR/known_hosts" "$IMG"
    expect_says "$OUT" 'known_hosts, line 1'
    expect_same_identity
}

case_fingerprints_vouch() {
    local fingerprints
    lose gpt-ext4 all_keys_deleted
    fingerprints=$(for type in "${types[@]}"; do original_fingerprint "$type"; done | paste -sd ,)
    expect_exit 1 sshmend repair --yes --fingerprint "$fingerprints" "$IMG"
    expect_same_identity
}

# A log of the system tells what its package has made.
case_logs_vouch() {
    local type
    lose gpt-ext4 all_keys_deleted
    image_mount "$IMG"
    mkdir -p "$MNT/var/log/apt"
    for type in "${types[@]}"; do
        tar -xOf "$BUILD/root.tar" "./etc/ssh/ssh_host_${type}_key.pub" | ssh-keygen -lf -
    done | sed 's/^/Creating SSH2 key; this may take some time .../; s/\.\.\./...\n/' >"$MNT/var/log/apt/term.log"
    image_umount
    cp --sparse=always "$IMG" "$CASE_DIR/lost.img"
    expect_exit 4 sshmend repair --yes "$IMG"
    expect_says "$OUT" /var/log/apt/term.log
    expect_untouched
    expect_exit 1 sshmend repair --yes --recover=always "$IMG"
    expect_same_identity
}

# A cloud image has no text logs: its journal tells what cloud-init has made.
case_journal_vouches() {
    local type time=1700000000000000 machine=var/log/journal/3d1219c7c4c5404aaa1f6d2a48adfda4
    lose gpt-ext4 all_keys_deleted
    image_mount "$IMG"
    mkdir -p "$MNT/$machine"
    for type in "${types[@]}"; do
        printf '%s\n' "__REALTIME_TIMESTAMP=$time" __MONOTONIC_TIMESTAMP=1000 \
            _BOOT_ID=00000000000000000000000000000001 SYSLOG_IDENTIFIER=ec2 _UID=0 _COMM=logger \
            "MESSAGE=$(tar -xOf "$BUILD/root.tar" "./etc/ssh/ssh_host_${type}_key.pub" | ssh-keygen -lf -)" ''
        time=$((time + 1000000))
    done | /lib/systemd/systemd-journal-remote -o "$MNT/$machine/system.journal" - 2>/dev/null
    image_umount
    cp --sparse=always "$IMG" "$CASE_DIR/lost.img"
    expect_exit 4 sshmend check --json "$IMG"
    expect_json '[.keys[].recoverable[0].vouched_by] | unique' "$OUT" '["/var/log/journal"]'
    expect_exit 4 sshmend repair --yes "$IMG"
    expect_untouched
    expect_exit 1 sshmend repair --yes --recover=always "$IMG"
    expect_same_identity
}

# Users of it know it by a name of its own, hashed; others' keys are of others.
case_own_name_vouches() {
    lose gpt-ext4 all_keys_deleted
    image_mount "$IMG"
    sed 's/^[^ ]*/victim/' "$CASE_DIR/known_hosts" >"$MNT/root/.ssh/known_hosts"
    ssh-keygen -q -H -f "$MNT/root/.ssh/known_hosts"
    rm "$MNT/root/.ssh/known_hosts.old"
    image_umount
    cp --sparse=always "$IMG" "$CASE_DIR/lost.img"
    expect_exit 4 sshmend repair --yes "$IMG"
    expect_says "$OUT" '/root/.ssh/known_hosts, by its own name'
    expect_untouched
    expect_exit 1 sshmend repair --yes --recover=always "$IMG"
    expect_same_identity
}

# Only the comment says whose they are: without anybody to ask, not a byte is written.
case_nobody_vouches() {
    lose gpt-ext4 all_keys_deleted
    expect_exit 4 sshmend repair --yes "$IMG"
    expect_says "$OUT" --recover=always
    expect_untouched
    expect_exit 4 sshmend recover --yes "$IMG"
    expect_untouched
}

case_always() {
    lose gpt-ext4 all_keys_deleted
    expect_exit 1 sshmend repair --yes --recover=always "$IMG"
    expect_same_identity
}

case_never() {
    lose gpt-ext4 private_keys_deleted
    expect_exit 1 sshmend repair --yes --recover=never "$IMG"
    expect_new_identity
}

# Every key that would serve is told with the one that clients know.
expect_told_of_change() {
    local type
    expect_json '[.findings[] | select(.id == "hostkey-changed") | .outcome] | unique' "$OUT" "[\"$1\"]"
    for type in "${types[@]}"; do
        expect_json "[.keys[].expected_fingerprint] | index(\"$(original_fingerprint "$type")\") != null" "$OUT" true
    done
}

# Keys that serve are left, until somebody who knows better asks for the ones before.
case_previous_identity() {
    local known=(--known-hosts "$CASE_DIR/known_hosts")
    lose gpt-ext4 keys_made_anew
    expect_exit 0 sshmend check "$IMG"
    expect_exit 4 sshmend check --json "${known[@]}" "$IMG"
    expect_told_of_change open
    expect_exit 4 sshmend check "${known[@]}" "$IMG"
    expect_says "$OUT" "as $(original_fingerprint rsa) ("
    expect_says "$OUT" "sshmend recover $IMG"
    expect_exit 4 sshmend repair --yes "${known[@]}" "$IMG"
    expect_says "$OUT" "sshmend recover $IMG"
    expect_untouched
    expect_exit 4 sshmend check --recover=always "${known[@]}" "$IMG"
    expect_says "$OUT" 'can be brought back'
    expect_exit 1 sshmend recover --yes "${known[@]}" "$IMG"
    expect_same_identity
    expect_exit 0 sshmend check "${known[@]}" "$IMG"
    ! grep -q 'clients know' "$OUT" || fail 'what clients know is served, and yet told of'
}

case_previous_identity_always() {
    lose gpt-ext4 keys_made_anew
    expect_exit 4 sshmend repair --yes --recover=always --skip hostkey-changed --known-hosts known_hosts "$IMG"
    expect_untouched
    expect_exit 1 sshmend repair --yes --recover=always --json --known-hosts known_hosts "$IMG"
    expect_json '[.findings[] | select(.id == "hostkey-changed") | .outcome] | unique' "$OUT" '["mended"]'
    expect_same_identity
}

# By fingerprint alone, nobody knows of which type it is until it is found.
case_previous_identity_by_fingerprint() {
    local known=(--fingerprint "$(original_fingerprint ed25519)")
    lose gpt-ext4 keys_made_anew
    expect_exit 4 sshmend check --json "${known[@]}" "$IMG"
    expect_json '[.findings[] | select(.id == "hostkey-changed") | .path]' "$OUT" '[null]'
    expect_exit 1 sshmend recover --yes "${known[@]}" "$IMG"
    expect_exit 0 sshmend check --json "${known[@]}" "$IMG"
    expect_json "[.keys[].fingerprint] | index(\"$(original_fingerprint ed25519)\") != null" "$OUT" true
}

# Asked, and agreed to: the offer, and then the plan.
case_previous_identity_offered() {
    lose gpt-ext4 keys_made_anew
    expect_exit 4 at_prompt '\n' --known-hosts known_hosts
    expect_untouched
    rm keyboard
    expect_exit 1 at_prompt 'y\ny\n' --known-hosts known_hosts
    grep -q 'becomes the one of before' typescript || fail "$(cat typescript)"
    expect_same_identity
}

# What is not on the disk any more is said to be so.
case_previous_identity_gone() {
    shredded() {
        shred ssh_host_*
        sync -f .
        keys_made_anew
    }
    lose gpt-ext4 shredded
    expect_exit 4 sshmend recover --yes --known-hosts known_hosts "$IMG"
    expect_says "$OUT" 'was not found'
    expect_untouched
    expect_exit 4 sshmend check --recover=always --known-hosts known_hosts "$IMG"
    expect_says "$OUT" 'was not found on the disk'
}

# A key with the right comment that somebody has planted is not the one whose .pub is there.
case_planted() {
    planted() {
        ssh-keygen -q -t ed25519 -N '' -C root@victim -f planted
        shred -u ssh_host_ed25519_key
        sync -f .
        rm planted planted.pub
    }
    lose gpt-ext4 planted
    expect_exit 1 sshmend repair --yes --json "$IMG"
    expect_json '[.keys[] | select(.type == "ssh-ed25519") | .origin]' "$OUT" '["generated"]'
    judge_login "$IMG" >/dev/null
}

case_revoked_line() {
    lose gpt-ext4 all_keys_deleted
    sed -i 's/^/@revoked /' "$CASE_DIR/known_hosts"
    expect_exit 8 sshmend recover --yes --known-hosts "$CASE_DIR/known_hosts" "$IMG"
    expect_says "$ERR" 'no key of a host'
    expect_untouched
}

case_listed() {
    lose gpt-ext4 all_keys_deleted
    expect_exit 0 sshmend recover --list "$IMG"
    expect_says "$OUT" "$(original_fingerprint ed25519)"
    ! grep -q 'PRIVATE' "$OUT" || fail 'it shows more than public parts'
    expect_untouched
}

case_recover_refuses() {
    image_make "$IMG" gpt-ext4
    mkdir "$CASE_DIR/tree"
    mkdir -p "$CASE_DIR/tree/etc/ssh" "$CASE_DIR/tree/usr"
    : >"$CASE_DIR/tree/etc/passwd"
    expect_exit 8 sshmend recover --list "$CASE_DIR/tree"
    expect_says "$ERR" 'cannot be searched'
    expect_exit 16 sshmend recover --list --fingerprint SHA256:short "$IMG"
    expect_exit 8 sshmend recover --list --known-hosts "$CASE_DIR/none" "$IMG"
    expect_exit 16 sshmend repair --yes --recover=perhaps "$IMG"
}

# A healthy disk is not searched, and recover has nothing to do there.
case_nothing_lost() {
    lose gpt-ext4 true
    expect_exit 0 sshmend recover --yes "$IMG"
    expect_says "$OUT" 'No host key is lost'
    expect_untouched
}
