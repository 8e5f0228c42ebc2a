# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # tables for the caller, and what it sets for a case
#
# What is done to a system, and asked of it (sourced, after machine.sh). Each step is about a case:
# $case, its name; $system; $img, a copy of that system's disk; $dir, a directory of its own. It
# complains, and returns what it is worth.

# shellcheck source=tests/suites/breakages.sh
. "$vm_repo/tests/suites/breakages.sh"

# --- the table of breakages, for one lookup ---

declare -A breakage_identity breakage_commands
b() {
    breakage_identity[$1]=$3
    breakage_commands[$1]=$5
}
breakages

complain() { printf 'FAIL %s: %s\n' "$case" "$*"; }

copy_system() { cp --sparse=always --reflink=auto "$VM_BUILD/$system.img" "$img"; }

# What clients of this system have in known_hosts since it was installed.
old_known_hosts() {
    tar -xOf "$VM_BUILD/${system%-*}.tar" ./etc/ssh/ssh_host_{rsa,ecdsa,ed25519}_key.pub | sed 's/^/victim /'
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
