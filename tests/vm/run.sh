#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [all] [NAME…]: real Debian systems, broken, booted, repaired, booted. The broken system
# boots and refuses a real client; `sshmend repair --yes` mends its disk; the mended system boots
# and lets the client in, under its old identity where that is to be kept. The broken boot ends
# by a power cut, so that every repair meets a journal to be replayed.
#
# Without `all`, the part for CI: the most telling ones over all systems. NAMEs are breakages of
# tests/suites/breakages.sh, systems, or cases of prove.sh; they narrow it down.
#
# SSHMEND   the program under test (default: build/release/sshmend)
# JOBS      machines at a time (default: one a processor)

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/vm/systems.sh
. "$here/systems.sh"
# shellcheck source=tests/vm/machine.sh
. "$here/machine.sh"
# shellcheck source=tests/vm/prove.sh
. "$here/prove.sh"
# shellcheck source=tests/suites/breakages.sh
. "$vm_repo/tests/suites/breakages.sh"
export SSHMEND=${SSHMEND:-$vm_repo/build/release/sshmend}

# Breakages that leave nobody able to log in, though the system boots (without libz, systemd itself
# does not start); which of them CI sees, on which system.
full=(keys-0777 keys-acl keys-immutable keys-empty keys-nul keys-cut-100 keys-crlf keys-encrypted keys-swapped
    keys-all-deleted keys-moved-root keys-mixed keys-configured-elsewhere etc-ssh-777 config-typo config-value-port
    config-ciphers-gone config-misplaced config-no-common-key config-deleted-copies config-include-dangling
    privsep-user sshd-mode pam-deleted hosts-deny-all revoked-keys tree-777 tree-etc-777
    service-disabled service-masked service-unit-deleted service-not-to-be-run service-rescue)
ci=(bookworm-ext4:keys-0777 bookworm-ext4:config-typo bookworm-ext4:service-masked
    bookworm-xfs:keys-mixed bookworm-xfs:privsep-user bookworm-xfs:keys-moved-root
    trixie-ext4:keys-all-deleted trixie-ext4:pam-deleted trixie-ext4:service-not-to-be-run
    trixie-xfs:tree-777 trixie-xfs:config-ciphers-gone trixie-xfs:keys-crlf)

if [[ -z ${VM_WORK:-} ]]; then
    [[ $EUID == 0 ]] || { echo 'vm: needs root' >&2; exit 1; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    VM_WORK=$work TIME_LIMIT=${TIME_LIMIT:-14400} bash "$vm_repo/tests/testbed/private-ns.sh" "$work" \
        bash "${BASH_SOURCE[0]}" "$@"
    exit
fi
work=$VM_WORK

# --- the table of breakages, for one lookup ---

declare -A breakage_identity breakage_commands
b() {
    breakage_identity[$1]=$3
    breakage_commands[$1]=$5
}
breakages

# --- one case ---

complain() { printf 'FAIL %s: %s\n' "$case" "$*"; }

# What clients of this system have in known_hosts since it was installed.
old_known_hosts() {
    tar -xOf "$VM_BUILD/${1%-*}.tar" ./etc/ssh/ssh_host_{rsa,ecdsa,ed25519}_key.pub | sed 's/^/victim /'
}

break_system() {
    system_mount "$img"
    # bullseye's directory of drop-ins may be missing; here it never is.
    (cd "$MNT" && eval "${breakage_commands[$1]}") >"$dir/break" 2>&1 || { complain "cannot be broken: $(tail -n 1 "$dir/break")" && return 1; }
    system_umount
}

# The broken system boots to its end, and refuses root and a user.
boot_broken() {
    local user code=0
    rm -f "$dir/console"
    machine_start "$dir" "$system" "$img"
    if machine_booted "$dir"; then
        for user in root alice; do
            ! machine_login "$dir" /dev/null "$user" -o StrictHostKeyChecking=no -o ConnectTimeout=8 >"$dir/answer" 2>&1 ||
                { complain "is not broken: $user logs in" && code=1; }
        done
    else
        complain "the broken system does not boot: $(tail -n 3 "$dir/console" "$dir/qemu" | tr '\n' ' ')"
        code=1
    fi
    machine_stop "$dir"
    return $code
}

# Again and again until it lets root in, or the machine's time is over; then alice, at once.
boot_mended() {
    local known=$1 code=1 answer
    rm -f "$dir/console"
    machine_start "$dir" "$system" "$img"
    while machine_runs "$dir"; do
        answer=$(machine_login "$dir" "$known" root -o StrictHostKeyChecking=yes 2>"$dir/client") && [[ $answer == root ]] && code=0 && break
        sleep 0.5
    done
    if ((code != 0)); then
        complain "no login after all: $(tail -n 1 "$dir/client") $(tail -n 2 "$dir/console" | tr '\n' ' ')"
    elif ! answer=$(machine_login "$dir" "$known" alice -o StrictHostKeyChecking=yes 2>"$dir/client") || [[ $answer != alice ]]; then
        complain "alice cannot log in: $(tail -n 1 "$dir/client")"
        code=1
    fi
    machine_stop "$dir"
    return $code
}

mend() {
    local code=0
    # What the bare disk still has of lost keys is another test's (tests/run/test-recover.sh).
    "$SSHMEND" repair --yes --recover=never --quiet "$img" 2>"$dir/repair" || code=$?
    [[ $code == 1 ]] || { complain "repair: exit $code, $(cat "$dir/repair")" && return 1; }
    old_known_hosts "$system" >"$dir/known"
    [[ ${breakage_identity[$1]} == new ]] || return 0
    # New keys are what clients are told by the operator, and are not the old ones.
    "$SSHMEND" keys "$img" --known-hosts victim >"$dir/new"
    ! cmp -s <(sort "$dir/known") <(sort "$dir/new") || { complain 'the host keys are the same' && return 1; }
    mv "$dir/new" "$dir/known"
}

# Prints "SECONDS-BROKEN SECONDS-MENDED" where all went well.
run_breakage() {
    local name=$1 start broken
    cp --sparse=always --reflink=auto "$VM_BUILD/$system.img" "$img"
    break_system "$name" || return
    start=$SECONDS
    boot_broken || return
    broken=$((SECONDS - start))
    mend "$name" || return
    start=$SECONDS
    boot_mended "$dir/known" || return
    echo "SECONDS $name $system $broken $((SECONDS - start))"
}

# run_case SYSTEM NAME: a breakage, or a case of prove.sh
run_case() {
    local system=$1 name=$2 case="$2 on $1" dir img result=failed
    dir=$(mktemp -d "$work/case.XXXXXX")
    img=$dir/disk.img
    if [[ $name == prove_* ]]; then
        cp --sparse=always --reflink=auto "$VM_BUILD/$system.img" "$img"
        "$name" && result=passed
    else
        run_breakage "$name" && result=passed
    fi
    echo "RESULT $result $name $system"
    rm -rf "$dir"
}

# --- all of them, side by side ---

list_cases() {
    local system name
    if [[ $part == ci ]]; then
        printf '%s\n' "${prove_ci[@]}" "${ci[@]}"
        return
    fi
    printf '%s\n' "${prove_full[@]}"
    for name in "${full[@]}"; do
        for system in "${ALL_SYSTEMS[@]}"; do
            echo "$system:$name"
        done
    done
}

chosen() {
    local wanted
    [[ ${#names[@]} -gt 0 ]] || return 0
    for wanted in "${names[@]}"; do
        [[ $1 != *"$wanted"* ]] || return 0
    done
    return 1
}

# The next case is whoever's is free: lines are taken from one list, under a lock.
next_case() {
    exec 7>"$work/lock"
    flock 7
    head -n 1 "$work/cases"
    sed -i 1d "$work/cases"
    exec 7>&-
}
lane() {
    local next
    while next=$(next_case) && [[ -n $next ]]; do
        run_case "${next%%:*}" "${next#*:}"
    done
}

table() {
    local name system
    printf '\n%-26s' BREAKAGE
    printf '%15s' "${ALL_SYSTEMS[@]}"
    printf '\n'
    while read -r name; do
        printf '%-26s' "$name"
        for system in "${ALL_SYSTEMS[@]}"; do
            printf '%15s' "$(awk -v n="$name" -v s="$system" '$1 == "SECONDS" && $2 == n && $3 == s { print $4 " / " $5 }' "$results")"
        done
        printf '\n'
    done < <(awk '$1 == "SECONDS" { print $2 }' "$results" | sort -u)
    echo 'seconds until the broken one has booted and refused / until the mended one lets in'
}

part=ci
names=()
for argument in "$@"; do
    if [[ $argument == all ]]; then part=all; else names+=("$argument"); fi
done
while read -r line; do
    chosen "$line" && echo "$line"
done < <(list_cases) >"$work/cases"
while read -r system; do
    ensure_system "$system" || exit 1
done < <(cut -d: -f1 "$work/cases" | sort -u)
results=$work/results
total=$(wc -l <"$work/cases")
for ((i = 0; i < ${JOBS:-$(nproc)}; i++)); do
    lane &
done | tee "$results" | grep --line-buffered -v '^SECONDS'
wait
table
passed=$(grep -c '^RESULT passed' "$results")
echo "vm: $passed passed, $((total - passed)) failed"
((passed == total && total > 0))
