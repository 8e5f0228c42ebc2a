#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [FILE|CASE…]: runs the cases of all test files here, or those of the
# files and the cases named. A case is a function case_NAME in a test-*.sh.
#
# SSHMEND   the program under test (default: build/dev/sshmend)
# JOBS      cases at a time (default: one per processor)

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
export SSHMEND=${SSHMEND:-$repo/build/dev/sshmend}
export BUILD=${BUILD:-$repo/build/testbed}

tools=(/lib/systemd/systemd-journal-remote blkid btrfs btrfstune chattr e2fsck flock getfattr jq losetup lsattr mkfs.btrfs
    mkfs.ext4 mkfs.xfs mkswap mmdebstrap script setfacl setfattr sfdisk ssh ssh-keygen ssh-keygen1 ssh-keyscan unshare
    xfs_admin xfs_repair xxd)

# A missing tool fails the run: a test that does not run proves nothing.
require_tools() {
    local tool missing=()
    for tool in "${tools[@]}"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [[ $EUID == 0 ]] || missing+=("root's rights")
    [[ -x $SSHMEND ]] || missing+=("$SSHMEND")
    [[ ${#missing[@]} == 0 ]] || { echo "run: missing: ${missing[*]}" >&2; return 1; }
}

# Prints "FILE CASE" for each case that the arguments name; all without.
list_cases() {
    local file name
    for file in "$here"/test-*.sh; do
        while read -r name; do
            if [[ $# == 0 || " $* " == *" $(basename "$file") "* || " $* " == *" $name "* ]]; then
                printf '%s %s\n' "$file" "$name"
            fi
        done < <(sed -n 's/^case_\([a-z0-9_]*\)().*/\1/p' "$file")
    done
}

main() {
    local passed failed names=()
    local arg
    for arg in "$@"; do
        names+=("$(basename "$arg")")
    done
    log=$(mktemp)
    RUN_LOCK=$(mktemp)
    export RUN_LOCK
    trap 'rm -f "$log" "$RUN_LOCK"' EXIT
    if require_tools && "$repo/tests/testbed/make-root.sh"; then
        list_cases "${names[@]}" | xargs -r -n 2 -P "${JOBS:-$(nproc)}" "$here/case.sh" | tee "$log"
    fi
    passed=$(grep -c '^ok ' "$log" || true)
    failed=$(grep -c '^FAIL ' "$log" || true)
    echo "run: $passed passed, $failed failed"
    [[ $failed == 0 && $passed -gt 0 ]]
}

main "$@"
