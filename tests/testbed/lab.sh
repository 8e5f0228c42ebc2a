# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the tests over several releases of Debian have in common (sourced first of all).
#
# SUITES    the Debian releases (default: bullseye bookworm trixie sid)
# SSHMEND   the program under test (default: build/release/sshmend)
#
# Sets $here, the directory of the script, $repo, and $suites; lab_enter sets $work.

here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
export SSHMEND=${SSHMEND:-$repo/build/release/sshmend}
export BUILD=${BUILD:-$repo/build/testbed}
# shellcheck disable=SC2034 # for the script
read -ra suites <<<"${SUITES:-bullseye bookworm trixie sid}"
lab_script=${BASH_SOURCE[1]} lab_arguments=("$@")

# lab_enter TREE…: makes the trees as make-root.sh names them, and begins the script anew in
# namespaces of its own, where $work is a directory that goes with them.
lab_enter() {
    work=${LAB_WORK:-}
    [[ -z $work ]] || return 0
    "$repo/tests/testbed/make-root.sh" "$@" || exit
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    LAB_WORK=$work bash "$repo/tests/testbed/private-ns.sh" "$work" bash "$lab_script" "${lab_arguments[@]}"
    exit
}

# lab_disk SIZE MKFS…: mounted at $work/lab, a file system that is not the running system's.
lab_disk() {
    truncate -s "$1" "$work/lab.img"
    "${@:2}" "$work/lab.img" >/dev/null 2>&1
    mkdir "$work/lab"
    mount -o loop "$work/lab.img" "$work/lab"
}

# lab_unpack TREE DIR
lab_unpack() { tar -C "$2" -xf "$BUILD/$1.tar" --exclude='./dev/*'; }
