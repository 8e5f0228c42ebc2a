# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from the harness
#
# SIGKILL for either side of the door: the one that asks, and the child that reads and writes. The
# other one ends by itself; and the disk is, after what the first mount does, wholly as before or
# wholly as after.

# Every write; without "full", some of them.
STEP=${FULL:+1}

REPAIR=(repair --access=direct --yes --recover=never)

# calls_of CALL: how often a repair makes them, with all of its processes.
calls_of() {
    start_with
    expect_exit 1 strace -f -qq -o "$HERE/strace" -e trace="$1" "$RELEASE" "${REPAIR[@]}" "$HERE/disk.img"
    grep -c "$1(" "$HERE/strace"
}

# Until the last one is through with dying.
expect_no_process() {
    local try
    for ((try = 0; try < 200; try++)); do
        pgrep -f "$HERE/disk.img" >/dev/null || return 0
        sleep 0.05
    done
    fail "left running: $(pgrep -af "$HERE/disk.img")"
}

start_with() { cp --sparse=always "$WORK/ext4.broken" "$HERE/disk.img"; }

# Questions take no system call that could be counted: a moment of the time that a repair takes.
killed_asking() {
    local repair
    start_with
    "$RELEASE" "${REPAIR[@]}" "$HERE/disk.img" >"$HERE/out" 2>"$HERE/err" </dev/null &
    repair=$!
    sleep "$1"
    kill -KILL "$repair" 2>/dev/null || true
    wait "$repair" || true
    expect_no_process
    expect_whole_or_untouched
}

expect_whole_or_untouched() {
    replayed_copy "$HERE/disk.img"
    expect_fsck_clean "$HERE/seen" ext4
    expect_all_or_nothing "$HERE/seen"
}

# The child alone writes. Its writes go to the journal first, of which a repair cut off says nothing.
killed_child() {
    start_with
    expect_exit 8 strace -f -qq -o "$HERE/strace" -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
        "$RELEASE" "${REPAIR[@]}" "$HERE/disk.img"
    grep -q 'all of the changes are made, or none' "$HERE/err" || fail "not said: $(<"$HERE/err")"
    expect_no_process
    expect_whole_or_untouched
}

# Slow writes, so that there is something to interrupt: begun when the disk is no longer what it was.
killed_while_writing() {
    local strace try
    start_with
    strace -f -qq -o "$HERE/strace" -e trace=pwrite64 -e inject=pwrite64:delay_enter=20ms \
        "$RELEASE" "${REPAIR[@]}" "$HERE/disk.img" >"$HERE/out" 2>"$HERE/err" </dev/null &
    strace=$!
    for ((try = 0; try < 3000; try++)); do
        cmp -s "$HERE/disk.img" "$WORK/ext4.broken" || break
        sleep 0.005
    done
    sleep "$1"
    kill -KILL "$(pgrep -o -f "^$RELEASE .*$HERE/disk.img")"
    wait "$strace" || true
    expect_no_process
    ! cmp -s "$HERE/disk.img" "$WORK/ext4.broken" || fail 'it was not writing yet'
    expect_whole_or_untouched
}

try_asking() { point "killed: after $1 s" killed_asking "$@"; }
try_child() { point "killed: the child at $*" killed_child "$@"; }
try_while_writing() { point "killed: while it writes, $1 s" killed_while_writing "$@"; }

# times_within MICROSECONDS [COUNT]: spread over that time, in seconds.
times_within() { awk -v time="$1" -v count="${2:-20}" 'BEGIN {
    for (i = 0; i < count; i++) printf "%.6f\n", time * i / count / 1e6 }'; }

# every STEP TOTAL: and the last three, where the transaction begins and ends.
every() { seq 1 "$1" "$2" && seq $(($2 - 2)) "$2"; }

part_killed() {
    local writes flushes start time
    writes=$(calls_of pwrite64)
    flushes=$(calls_of fdatasync)
    start_with
    start=$EPOCHREALTIME
    expect_exit 1 "$RELEASE" "${REPAIR[@]}" "$HERE/disk.img"
    time=$((${EPOCHREALTIME/./} - ${start/./}))
    times_within "$time" "${FULL:+200}" | in_parallel killed try_asking
    {
        every "${STEP:-$((writes / 8))}" "$writes" | sed 's/^/pwrite64 /'
        seq "$flushes" | sed 's/^/fdatasync /'
    } | in_parallel killed try_child
    seq 0 "$([[ $FULL ]] && echo 0.05 || echo 0.2)" 1 | in_parallel killed try_while_writing
}
