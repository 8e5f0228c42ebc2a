#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [ID…]: every layout of matrix.tsv, or those named, as a small disk; prints the matrix.
#
# What is expected of a layout:
#   root PATH        scan finds this one system; check finds its host keys open and changes
#                    nothing; repair mends them; check finds nothing more
#   parts PATH       as root; and undo leads back, on every file system of it
#   interrupted PATH as root; a repair that was cut off is taken back on every file system of it
#   image FORMAT PATH      as parts, in an image that qemu-img finds no fault with afterwards
#   based PATH       as image qcow2; what the image stands on, DISK.base and DISK.below, is read and not
#                    changed, and DISK.never, which it names instead, is not opened
#   device SECTOR PATH    as parts, of a block device with sectors of this size
#   regained PATH: KEY    as root; the private key, which was deleted, is the one of before
#   roots PATH, PATH scan finds these systems; repair wants to be told which
#                    these, followed by ": WORDS": check says them
#   refused WORDS    scan and repair say these words, and repair changes nothing
#   looked PATH: WORDS    as root, but repair refuses with these words
#   advised PATH: COMMAND as looked; the command, run on the image as repair says it, leads to an
#                    ext4 that repair mends and e2fsck finds sound
#   restored PATH: FILE   as looked; with --backup-superblock it is repaired: e2fsck finds it sound,
#                    and the file is there, which only the journal told of
# "-" in a column of another tool: not measured.
#
# SSHMEND   the program under test (default: build/dev/sshmend)

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
export SSHMEND=${SSHMEND:-$repo/build/dev/sshmend}

# What is mounted here is seen by nobody else, and ends with this script.
if [[ -z ${LAYOUTS_WORK:-} ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    LAYOUTS_WORK=$work bash "$repo/tests/testbed/private-ns.sh" "$work" bash "${BASH_SOURCE[0]}" "$@"
    exit
fi

work=$LAYOUTS_WORK
export TZ=UTC LC_ALL=C
# shellcheck source=tests/fixtures/tree.sh
. "$repo/tests/fixtures/tree.sh"
# shellcheck source=tests/layouts/disks.sh
. "$here/disks.sh"
# shellcheck source=tests/layouts/tables.sh
. "$here/tables.sh"

# --- what is asked of the program ---

complain() {
    problem=${problem:-$*}
    return 1
}

# says CODE ARGUMENT…: runs the program; its words are in $work/out and $work/err.
says() {
    local expected=$1 code=0
    shift
    "$SSHMEND" "$@" "$DISK" "${more[@]}" >"$work/out" 2>"$work/err" || code=$?
    [[ $code == "$expected" ]] || complain "$1: exit $code instead of $expected: $(head -c 300 "$work/err")"
}

said() { grep -qF -e "$1" "$work/out" "$work/err" || complain "'$1' is not said: $(head -c 300 "$work/err")"; }

paths() { jq -r '.system.path // empty' "$work/out" | paste -sd '+' | sed 's/+/, /g'; }

seal() { b2sum <"$DISK"; }
sealed() { [[ $(seal) == "$1" ]] || complain "$2 changed the disk"; }

finds() {
    says 0 scan --json && [[ $(paths) == "$1" ]] || complain "finds '$(paths)'"
}

open_keys() { jq -e '[.findings[].id] | index("hostkey-open")' "$work/out" >/dev/null || complain 'check does not see the open keys'; }

# Where the expectation goes on behind a colon, check says that, too.
expect_root() {
    local before
    before=$(seal)
    finds "${1%%: *}" && says 4 check --json && open_keys || return
    [[ $1 != *': '* ]] || said "${1#*: }" || return
    sealed "$before" check && says 1 repair --yes && says 0 check
}

# What was in all parts before, and after a repair is undone: nothing of ours is left in any. But a key
# that was made and taken back is in the free space, and would be asked about.
expect_parts() {
    local before
    expect_root "$1" && says 0 undo && says 4 check --json || return
    before=$(jq -c .findings "$work/out")
    says 1 repair --yes --recover=never && says 0 undo && says 4 check --json || return
    [[ $(jq -c .findings "$work/out") == "$before" ]] || complain 'undo left something behind' || return
    says 1 repair --yes --recover=never && says 0 check
}

# A repair that a power cut ended just before it was complete: the next one takes it back first.
expect_interrupted() {
    expect_root "$1" && "cut_$id" && says 1 repair --yes && says 0 check && says 0 undo --list || return
    [[ $(grep -c complete "$work/out") == 1 ]] || complain "runs: $(cat "$work/out")" || return
    says 0 undo && says 4 check --json && said "${1#*: }"
}

# qemu-img check ends with 63 where a format cannot be checked. What a qcow2 stands on is of no matter.
expect_image() {
    local code=0 nothing='' image
    expect_parts "${1#* }" || return
    [[ $1 != qcow2* ]] || nothing='"backing": null, '
    image="json:{\"driver\": \"${1%% *}\", $nothing\"file\": {\"driver\": \"file\", \"filename\": \"$DISK\"}}"
    qemu-img check -q "$image" >"$work/out" 2>&1 || code=$?
    [[ $code == 0 || $code == 63 ]] || complain "qemu-img check: $(cat "$work/out")" || return
    ! pgrep -f "mountpoint=$DISK" >/dev/null || complain 'qemu-storage-daemon is left'
}

seal_bases() { for base in "$DISK".base "$DISK".below; do [[ ! -e $base ]] || stat -c '%n %y %z %s' "$base" && b2sum "$base"; done; }

expect_based() {
    local before base
    before=$(seal_bases 2>/dev/null)
    strace -f -qq -e trace=open,openat,openat2 -o "$work/opened" "$SSHMEND" check "$DISK" "${more[@]}" >"$work/out" 2>&1
    grep -qF "$DISK" "$work/opened" || complain 'nothing is opened' || return
    ! grep -F "$DISK.never" "$work/opened" || complain 'opens what the image names' || return
    expect_image "qcow2 $1" || return
    [[ $(seal_bases 2>/dev/null) == "$before" ]] || complain 'a backing file was changed'
}

# What is attached through it ends before it: else it could not be let go of.
expect_device() {
    local image=$DISK
    DISK=$(losetup --find --show --sector-size "${1%% *}" "$image") || complain 'no loop device' || return
    expect_parts "${1#* }"
    losetup --detach "$DISK"
    DISK=$image
    [[ -z $problem ]]
}

# Its .pub, which is still there, says which one it was; no new key is made in its place.
expect_regained() {
    expect_root "${1%%: *}" && says 0 undo && says 1 repair --yes --json || return
    jq -e --arg key "${1#*: }" '[.keys[] | select(.path == $key) | .restored_from | test("^unallocated")] == [true]' "$work/out" >/dev/null ||
        complain "keys: $(jq -c .keys "$work/out")"
}

expect_roots() {
    local before
    before=$(seal)
    finds "${1%%: *}" && says 4 check || return
    [[ $1 != *': '* ]] || said "${1#*: }" || return
    says 8 repair --yes && said --system && sealed "$before" repair &&
        says 1 repair --yes --all && says 0 check
}

expect_refused() {
    local before
    before=$(seal)
    says 8 repair --yes && said "$1" && sealed "$before" repair || return
    "$SSHMEND" check "$DISK" "${more[@]}" >"$work/out" 2>"$work/err"
    said "$1"
}

expect_looked() {
    local before
    before=$(seal)
    finds "${1%%: *}" && says 4 check --json && open_keys && says 8 repair --yes && said "${1#*: }" &&
        sealed "$before" repair
}

expect_advised() {
    local -a command
    expect_looked "$1" || return
    read -ra command <<<"${1#*: }"
    "${command[@]}" -p "$DISK" >"$work/out" 2>&1
    (($? <= 1)) || complain "${1#*: }: $(head -c 300 "$work/out")" || return
    says 1 repair --yes && says 0 check && e2fsck -fn "$DISK" >"$work/out" 2>&1 ||
        complain "not sound: $(head -c 300 "$work/out")"
}

expect_restored() {
    local before
    expect_looked "${1%%: *}: --backup-superblock" || return
    before=$(seal)
    says 4 repair --dry-run --backup-superblock && sealed "$before" 'a plan' || return
    says 1 repair --yes --backup-superblock && said 'undo does not take that back' && says 0 check || return
    [[ $1 != partition* ]] || dd if="$DISK" of="$DISK.part" bs=1M skip=1 count=28 status=none
    [[ $1 != partition* ]] || mv "$DISK.part" "$DISK"
    e2fsck -fn "$DISK" >"$work/out" 2>&1 || complain "not sound: $(head -c 300 "$work/out")" || return
    debugfs -R "stat ${1#*: }" "$DISK" 2>/dev/null | grep -q 'Type: regular' || complain "${1#*: } is lost"
}

# --- one layout ---

attached() { losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$DISK" | grep -v 'twin'; }

# The kernel detaches a loop device a moment after its last user is gone.
nothing_left() {
    local try
    for ((try = 0; try < 50; try++)); do
        [[ -n $(attached) ]] || return 0
        sleep 0.1
    done
    complain "left attached: $(attached)"
}

run_layout() {
    local id=$1 expectation=$2
    local -a more=() let_go=(true)
    DISK=$work/$id.img problem=
    if ! "make_$id" >"$work/made" 2>&1; then
        complain "the disk cannot be made: $(cat "$work/made")"
    else
        "expect_${expectation%% *}" "${expectation#* }"
    fi
    "${let_go[@]}"
    [[ -n $problem ]] || nothing_left
    ! mountpoint -q "$work/twin" || umount "$work/twin"
    rm -f "$DISK" "$DISK".*
    [[ -z $problem ]]
}

# --- all of them ---

passed=0 failed=0
make_trees || exit
printf '%-5s %-38s %-15s %-11s %s\n' '' LAYOUT 'systemd-dissect' guestfish sshmend
while IFS=$'\t' read -r id layout dissect guestfish expectation; do
    [[ $id != '#'* ]] || continue
    [[ $# == 0 || " $* " == *" $id "* ]] || continue
    if run_layout "$id" "$expectation"; then
        passed=$((passed + 1)) verdict="ok: $expectation"
    else
        failed=$((failed + 1)) verdict="FAIL: $problem"
    fi
    printf '%-5s %-38s %-15s %-11s %s\n' "$id" "$layout" "$dissect" "$guestfish" "$verdict"
done <"$here/matrix.tsv"
echo "layouts: $passed passed, $failed failed"
((failed == 0 && passed > 0))
