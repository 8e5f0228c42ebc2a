#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [TARGET…]: libFuzzer on each target, or those named, from its seeds and from what
# earlier runs have found (build/fuzz/found). A file that brings one down is kept in
# build/fuzz/crashes; it belongs into corpus/TARGET with the fix.
#
# FUZZ_SECONDS   for each target (default: 30)
# FUZZER         the program (default: build/fuzz/fuzzer)

set -uo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export FUZZER=${FUZZER:-$repo/build/fuzz/fuzzer} FUZZ_SECONDS=${FUZZ_SECONDS:-30} FUZZ=$repo/build/fuzz
# shellcheck source=tests/fuzz/seeds.sh
. "$repo/tests/fuzz/seeds.sh"

# Words that a mutation would not come upon by itself.
dictionary() {
    awk -F '\t' '!/^#/ && $1 != "keyword" && $1 != "class" { print "\"" (FILENAME ~ /keywords/ ? $1 : $2) "\"" }' \
        "$repo"/src/config/data/*.tsv
    printf '"%s"\n' '#@ /etc/ssh/' '#> /etc/ssh/' Match Include all User ssh_deletekeys ExecStart= required include
}

fuzz_one() {
    local target=$1
    mkdir -p "$FUZZ/found/$target" "$FUZZ/crashes" "$FUZZ/logs"
    if FUZZ_TARGET=$target "$FUZZER" -max_total_time="$FUZZ_SECONDS" -timeout=20 -rss_limit_mb=3000 \
        -dict="$FUZZ/dictionary" -artifact_prefix="$FUZZ/crashes/$target-" -print_final_stats=1 \
        "$FUZZ/found/$target" "$FUZZ/seeds/$target" >"$FUZZ/logs/$target" 2>&1; then
        echo "ok $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$FUZZ/logs/$target") runs"
    else
        echo "FAILED $target: $FUZZ/logs/$target"
    fi
}
export -f fuzz_one

rm -rf "$FUZZ/seeds"
seeds "$FUZZ/seeds"
dictionary >"$FUZZ/dictionary"
targets=("$@")
((${#targets[@]} > 0)) || mapfile -t targets < <("$repo/build/dev/fuzz-replay" list)
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one "$1"' fuzz_one {} | tee "$FUZZ/summary"
passed=$(grep -c '^ok ' "$FUZZ/summary")
failed=$(grep -c '^FAILED ' "$FUZZ/summary")
echo "fuzz: $passed passed, $failed failed"
((failed == 0 && passed > 0))
