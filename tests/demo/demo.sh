#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Shows the whole job on a real disk image: a Debian or Ubuntu root whose
# sshd nobody can reach any more, looked at, repaired, and logged in to.

set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SSHMEND=${SSHMEND:-$repo/sshmend}

# shellcheck source=tests/testbed/image.sh
. "$repo/tests/testbed/image.sh"
# shellcheck source=tests/testbed/judge.sh
. "$repo/tests/testbed/judge.sh"
# shellcheck source=tests/testbed/breakages.sh
. "$repo/tests/testbed/breakages.sh"

title() { printf '\n=== %s\n' "$*"; }

# step CODE ARGUMENT…: shows and runs sshmend, which must exit with CODE.
step() {
    local expected=$1 code=0
    shift
    printf '\n$ sshmend %s\n' "$*"
    "$SSHMEND" "$@" || code=$?
    echo "(exit code $code)"
    [[ $code == "$expected" ]] || { echo "demo: expected exit code $expected" >&2; exit 1; }
}

break_disk() {
    image_make disk.img gpt-ext4
    image_mount disk.img
    break_mixed "$MNT"
    break_root_home_777 "$MNT"
    ls -l "$MNT"/etc/ssh/ssh_host_*
    image_umount
}

main() {
    local work
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the directory's name is known now
    trap "rm -rf $work" EXIT
    cd "$work"
    title 'A disk (GPT, ext4, openssh-server) with one host key truncated, one lost, and modes 0777'
    break_disk
    title 'Its own sshd, started on a copy, refuses everybody'
    judge_refuses disk.img && echo 'refused'
    title 'What is wrong?'
    step 4 check disk.img
    title 'Repair'
    step 1 repair --yes disk.img
    title 'And now?'
    step 0 check disk.img
    step 0 keys disk.img
    title 'Its own sshd on a copy again: root and alice log in, with every host key type'
    judge_login disk.img 2>/dev/null
}

in_private_ns "$@"
main
