# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the system's own journal has said about a finding.

machine=var/log/journal/3d1219c7c4c5404aaa1f6d2a48adfda4

# journal_of FILE LINE…: a journal in which sshd says these.
journal_of() {
    local file=$1 line time=1700000000000000
    shift
    for line in "$@"; do
        printf '%s\n' "__REALTIME_TIMESTAMP=$time" __MONOTONIC_TIMESTAMP=1000 \
            _BOOT_ID=00000000000000000000000000000001 SYSLOG_IDENTIFIER=sshd _PID=7 \
            "MESSAGE=$line" ''
        time=$((time + 1000000))
    done | /lib/systemd/systemd-journal-remote -o "$file" - 2>/dev/null
}

too_open="Permissions 0777 for '/etc/ssh/ssh_host_rsa_key' are too open."

with_journal() {
    mkdir -p "$1/$machine"
    journal_of "$1/$machine/system.journal" 'Server listening on 0.0.0.0 port 22.' "$too_open"
}
with_junk() {
    mkdir -p "$1/$machine"
    rm -f "$1/$machine"/*
    truncate -s 8M "$1/$machine/system.journal"
    head -c 70000 /dev/urandom >"$1/$machine/system@1.journal~"
}
with_text() {
    echo "Nov 24 21:03:44 h sshd[7]: $too_open" >"$1/var/log/auth.log"
}

change() {
    image_mount "$IMG"
    "$1" "$MNT"
    image_umount
}

evidence='.findings[] | select(.id == "hostkey-open" and .path == "/etc/ssh/ssh_host_rsa_key") | .evidence'

case_journal_is_evidence() {
    local before
    broken_image "$IMG" gpt-ext4 modes_777
    change with_journal
    before=$(hash_of "$IMG")
    expect_exit 4 sshmend check --json "$IMG"
    expect_json "$evidence" "$OUT" "[\"/var/log/journal: 2023-11-14T22:13:21Z sshd[7]: $too_open\"]"
    [[ ! -s $ERR ]] || fail "$(cat "$ERR")"
    expect_exit 4 sshmend check "$IMG"
    expect_says "$OUT" "sshd[7]: $too_open"
    [[ $(hash_of "$IMG") == "$before" ]] || fail 'check changed the image'
}

# That a journal was not read is said where it is all there is, or where everything is.
case_journal_is_junk() {
    broken_image "$IMG" gpt-ext4 modes_777
    change with_junk
    expect_exit 4 sshmend check "$IMG"
    expect_says "$ERR" 'the journal of systemd was not read'
    expect_exit 4 sshmend check --quiet "$IMG"
    [[ ! -s $ERR ]] || fail "$(cat "$ERR")"
    change with_text
    expect_exit 4 sshmend check --json "$IMG"
    expect_json "$evidence | length" "$OUT" 1
    [[ ! -s $ERR ]] || fail "$(cat "$ERR")"
    expect_exit 4 sshmend check --verbose "$IMG"
    expect_says "$ERR" 'the journal of systemd was not read'
}

case_journal_of_a_healthy_system() {
    image_make "$IMG" gpt-ext4
    change with_junk
    expect_exit 0 sshmend check --verbose "$IMG"
    [[ ! -s $ERR ]] || fail "$(cat "$ERR")"
}
