# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What every test file uses (sourced by case.sh before it).
#
#   $CASE_DIR   the case's own directory, removed afterwards
#   $IMG        where its disk image goes, by convention
#   $TESTS      the folder of all tests
#   $OUT, $ERR  stdout and stderr of the last expect_exit, $EXIT_CODE what it returned

run_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo_dir=$(cd "$run_dir/../.." && pwd)
SSHMEND=${SSHMEND:-$repo_dir/build/dev/sshmend}
# shellcheck disable=SC2034 # for the test files
TESTS=$repo_dir/tests

# shellcheck source=tests/testbed/image.sh
. "$repo_dir/tests/testbed/image.sh"
# shellcheck source=tests/testbed/judge.sh
. "$repo_dir/tests/testbed/judge.sh"
# shellcheck source=tests/testbed/breakages.sh
. "$repo_dir/tests/testbed/breakages.sh"

CASE_DIR=${CASE_DIR:-}
# shellcheck disable=SC2034 # for the test files
IMG=$CASE_DIR/disk.img
OUT=$CASE_DIR/out
ERR=$CASE_DIR/err

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

sshmend() { "$SSHMEND" "$@"; }

# --- images ---

# broken_image IMG LAYOUT BREAKAGE…
broken_image() {
    local img=$1 layout=$2
    shift 2
    image_make "$img" "$layout"
    break_image "$img" "$@"
}

break_image() {
    local img=$1 breakage
    shift
    image_mount "$img"
    for breakage in "$@"; do
        "break_$breakage" "$MNT"
    done
    image_umount
}

# BLAKE2: half of SHA-256's time where the processor has no instructions for it.
hash_of() { b2sum <"$1"; }

manifest_of_image() {
    image_mount "$1"
    tree_manifest "$MNT"
    image_umount
}

# The fingerprint the root was installed with; TYPE is rsa, ecdsa or ed25519.
original_fingerprint() {
    tar -xOf "$BUILD/root.tar" "./etc/ssh/ssh_host_$1_key.pub" | ssh-keygen -lf - | cut -d' ' -f2
}

# --- a terminal ---

# at_prompt ANSWER [OPTION…]: runs repair on a terminal of its own, waits for its question, types
# ANSWER; the exit code is repair's.
at_prompt() {
    local answer=$1
    shift
    mkfifo keyboard
    type_answer "$answer" >keyboard &
    script -q -e -f -E never -c "exec $SSHMEND repair $* $IMG" typescript <keyboard
}

type_answer() {
    local try
    for ((try = 0; try < 300; try++)); do
        ! grep -q '?' typescript 2>/dev/null || break
        sleep 0.1
    done
    sleep 0.3
    printf '%b' "$1"
    # The terminal stays for as long as the program may want to say something.
    sleep 10
}

# --- expectations ---

# The loop devices of this case's files, and the mounts of a loop device or of
# anything of this case. Other cases run at the same time.
attached() {
    {
        losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$CASE_DIR" || true
        grep -E "$CASE_DIR/|/dev/loop" /proc/self/mountinfo | cut -d' ' -f5- || true
    } | sort
}

# The kernel detaches a loop device a moment after its last user is gone.
expect_attached() {
    local before=$1 try new
    for ((try = 0; try < 50; try++)); do
        new=$(comm -13 <(echo "$before") <(attached))
        [[ -n $new ]] || return 0
        sleep 0.1
    done
    fail "left mounted or attached: $new"
}

show_streams() {
    printf -- '--- stdout\n%s\n--- stderr\n%s\n' "$(tail -c 4000 "$OUT")" "$(tail -c 8000 "$ERR")" >&2
}

# expect_exit CODE[,CODE…] COMMAND…: its exit code is one of these, and it
# leaves nothing mounted or attached.
expect_exit() {
    local codes=$1 before
    shift
    before=$(attached)
    EXIT_CODE=0
    "$@" >"$OUT" 2>"$ERR" || EXIT_CODE=$?
    if [[ ,$codes, != *,$EXIT_CODE,* ]]; then
        show_streams
        fail "exit $EXIT_CODE, expected $codes: $*"
    fi
    expect_attached "$before"
}

# expect_json FILTER FILE VALUE: jq's compact output equals VALUE.
expect_json() {
    local got
    got=$(jq -c "$1" "$2") || fail "not JSON: $(cat "$2")"
    [[ $got == "$3" ]] || fail "$1 is $got, expected $3, in: $(cat "$2")"
}

# expect_says FILE TEXT: FILE has TEXT in it, upper or lower case.
expect_says() {
    grep -qiF -e "$2" "$1" || { show_streams; fail "'$2' is not said"; }
}

expect_equal() {
    [[ $1 == "$2" ]] || fail "$(diff <(echo "$1") <(echo "$2"))"
}

# expect_same FILE FILE
expect_same() {
    cmp -s "$1" "$2" || fail "$(diff "$1" "$2" | head -n 40)"
}
