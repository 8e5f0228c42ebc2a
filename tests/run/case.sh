#!/bin/bash
# SPDX-License-Identifier: MIT
#
# case.sh FILE CASE: runs one case of a test file in its own process, mount
# namespace and directory, and prints its line. Called by run.sh.

set -euo pipefail

file=$1 name=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

run_case() {
    # shellcheck source=tests/run/lib.sh
    . "$here/lib.sh"
    # shellcheck source=/dev/null
    . "$file"
    cd "$CASE_DIR"
    "case_$name"
}

if [[ ${CASE_INSIDE-} == yes ]]; then
    run_case
    exit 0
fi

CASE_DIR=$(mktemp -d)
export CASE_DIR
# An immutable file in a mounted tree is no concern: mounts end with the namespace.
trap 'rm -rf "$CASE_DIR"' EXIT

# A case called *_alone sees all attached disks, so no other case may run beside it.
lock=--shared
[[ $name != *_alone ]] || lock=--exclusive

result=0
CASE_INSIDE=yes TIME_LIMIT=300 flock "$lock" "${RUN_LOCK:-$0}" \
    "$here/../testbed/private-ns.sh" "$CASE_DIR" bash "$0" "$file" "$name" \
    >"$CASE_DIR.log" 2>&1 </dev/null || result=$?

left=$(losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$CASE_DIR/" || true)
if [[ -n $left ]]; then
    echo "FAILED: still attached after the case: $left" >>"$CASE_DIR.log"
    result=1
fi

if [[ $result == 0 ]]; then
    echo "ok $(basename "$file") $name"
else
    # One write, so that the lines of cases side by side do not mix.
    printf 'FAIL %s %s\n%s\n' "$(basename "$file")" "$name" "$(sed 's/^/    /' "$CASE_DIR.log")"
fi
rm -f "$CASE_DIR.log"
