#!/bin/bash
# SPDX-License-Identifier: MIT
#
# replay.sh: every seed, and every file that has once brought a fuzzer down, through the
# same functions, in an ordinary build with sanitizers.
#
# REPLAY   the program (default: build/dev/fuzz-replay)

set -uo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
replay=${REPLAY:-$repo/build/dev/fuzz-replay}
# shellcheck source=tests/fuzz/seeds.sh
. "$repo/tests/fuzz/seeds.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
seeds "$work/seeds"
for target in $("$replay" list); do
    "$replay" replay "$target" "$work/seeds/$target"/* || echo "FAILED $target"
done >"$work/log" 2>"$work/errors"
# A target without a seed has failed: its row in the log says so.
grep '^FAILED' "$work/log" && tail -n 60 "$work/errors"
failed=$(grep -c '^FAILED .*/' "$work/log")
[[ $failed != 0 ]] || failed=$(grep -c '^FAILED' "$work/log")
passed=$(grep -c '^ok ' "$work/log")
echo "fuzz: $passed passed, $failed failed"
((failed == 0 && passed > 0))
