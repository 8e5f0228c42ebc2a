#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [PART…]: kill, errors, fallback, hostile, powercut; all by default.
# Needs root, loop devices and the programs built. Ends with the line
# "fault: N passed, M failed".

set -euo pipefail

fault_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo_dir=$(cd "$fault_dir/../.." && pwd)
parts=(kill errors fallback hostile powercut)
(($# == 0)) || parts=("$@")
# Another suite may keep its parts elsewhere.
SUITE=${SUITE:-fault}
PART_DIR=${PART_DIR:-$fault_dir}
export SUITE PART_DIR

# Mounts and processes end with the namespace, whatever happens in it.
if [[ ${FAULT_INSIDE-} != yes ]]; then
    # Every state is written out with fsync: memory makes that fast.
    root=/dev/shm
    [[ -w $root ]] || root=${TMPDIR:-/tmp}
    WORK=$(mktemp -d -p "$root" sshmend-fault.XXXXXX)
    export WORK
    trap 'rm -rf "$WORK"' EXIT
    code=0
    FAULT_INSIDE=yes "$fault_dir/../testbed/private-ns.sh" "$WORK" \
        bash "$0" "${parts[@]}" || code=$?
    exit "$code"
fi

# shellcheck source=tests/fault/lib.sh
. "$fault_dir/lib.sh"
for part in "${parts[@]}"; do
    # shellcheck source=/dev/null
    . "$PART_DIR/$part.sh"
done

# Copies of the programs: whoever builds meanwhile does not change the test.
prepare() {
    local tool
    enter_worker main
    cp "$RELEASE" "$WORK/sshmend"
    cp "$SANITIZED" "$WORK/sshmend-sanitized"
    export RELEASE=$WORK/sshmend SANITIZED=$WORK/sshmend-sanitized JOBS
    for tool in state replay; do
        "${CC:-cc}" -D_GNU_SOURCE -O2 -Wall -Wextra -o "$WORK/$tool" "$fault_dir/$tool.c"
    done
    make_tree "$WORK/tree"
    make_base ext4 ext4 16M -q
}

count() { cat "$WORK"/*/results 2>/dev/null | grep -c "^$1 " || true; }

# A part that ends early has failed, whatever it had passed until then. (An "if"
# or "||" would switch errexit off inside.)
run_part() {
    local part=$1 start=$SECONDS code passed failed
    passed=$(count ok)
    failed=$(count FAILED)
    set +e
    (
        set -e
        "part_$part"
    )
    code=$?
    set -e
    ((code == 0)) || echo "FAILED $part: it ended early" | tee -a "$HERE/results"
    printf '%s: %d passed, %d failed, %d s\n' "$part" $(($(count ok) - passed)) \
        $(($(count FAILED) - failed)) $((SECONDS - start))
}

prepare
for part in "${parts[@]}"; do
    run_part "$part"
done

passed=$(count ok)
failed=$(count FAILED)
printf '%s: %d passed, %d failed\n' "$SUITE" "$passed" "$failed"
((passed > 0 && failed == 0))
