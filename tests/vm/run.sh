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
# shellcheck source=tests/vm/steps.sh
. "$here/steps.sh"
export SSHMEND=${SSHMEND:-$vm_repo/build/release/sshmend}

# Breakages that leave nobody able to log in, though the system boots (without libz, systemd itself
# does not start); which of them CI sees, on which system.
full=(keys-0777 keys-acl keys-immutable keys-empty keys-nul keys-cut-100 keys-crlf keys-encrypted keys-swapped
    keys-all-deleted keys-moved-root keys-mixed keys-configured-elsewhere etc-ssh-777 config-typo config-value-port
    config-ciphers-gone config-misplaced config-no-common-key config-deleted-copies config-include-dangling
    privsep-user sshd-mode pam-deleted hosts-deny-all revoked-keys tree-777 tree-etc-777
    service-disabled service-masked service-unit-deleted service-not-to-be-run service-rescue)
ci=(bookworm-ext4:keys-0777 bookworm-ext4:service-masked
    bookworm-xfs:keys-mixed bookworm-xfs:privsep-user
    trixie-ext4:keys-all-deleted trixie-ext4:pam-deleted trixie-ext4:service-not-to-be-run
    trixie-xfs:tree-777 trixie-xfs:config-ciphers-gone)

if [[ -z ${VM_WORK:-} ]]; then
    [[ $EUID == 0 ]] || { echo 'vm: needs root' >&2; exit 1; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    VM_WORK=$work TIME_LIMIT=${TIME_LIMIT:-14400} bash "$vm_repo/tests/testbed/private-ns.sh" "$work" \
        bash "${BASH_SOURCE[0]}" "$@"
    exit
fi
work=$VM_WORK

# --- one case ---

mend() {
    local code=0
    # What the bare disk still has of lost keys is another test's (tests/run/test-recover.sh).
    "$SSHMEND" repair --yes --recover=never --quiet "$img" 2>"$dir/repair" || code=$?
    [[ $code == 1 ]] || { complain "repair: exit $code, $(cat "$dir/repair")" && return 1; }
    old_known_hosts >"$dir/known"
    [[ ${breakage_identity[$1]} == new ]] || return 0
    # New keys are what clients are told by the operator, and are not the old ones.
    "$SSHMEND" keys "$img" --known-hosts victim >"$dir/new"
    ! cmp -s <(sort "$dir/known") <(sort "$dir/new") || { complain 'the host keys are the same' && return 1; }
    mv "$dir/new" "$dir/known"
}

# Prints "SECONDS-BROKEN SECONDS-MENDED" where all went well.
run_breakage() {
    local name=$1 start broken
    copy_system
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
        copy_system
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
