#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [NAME…]: every breakage of breakages.sh, or those named, on every suite: check names
# it; the broken system refuses as the table says; repair; a real client logs in as root and
# as a user; the host keys are the same, or new, as the table says; undo gives back the tree,
# byte for byte.
#
# Then, on bookworm and trixie, the real cloud-init: cloud.sh.
#
# SUITES, SSHMEND: see testbed/lab.sh

set -uo pipefail
# shellcheck source=tests/testbed/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../testbed/lab.sh"
clouds=()
for suite in "${suites[@]}"; do
    [[ $suite != bookworm && $suite != trixie ]] || clouds+=("$suite+cloud-init")
done
lab_enter "${suites[@]}" "${clouds[@]}"

export TZ=UTC LC_ALL=C
# shellcheck source=tests/suites/breakages.sh
. "$here/breakages.sh"
# shellcheck source=tests/suites/cloud.sh
. "$here/cloud.sh"

# Snapshots make a fresh tree for every case in no time.
make_lab() {
    local suite
    lab_disk 6G mkfs.btrfs -q
    for suite in "${suites[@]}"; do
        btrfs -q subvolume create "$work/lab/$suite"
        lab_unpack "$suite" "$work/lab/$suite"
        snapshot "$suite" "probe-$suite"
        probe "probe-$suite" >"$work/$suite.sound"
        grep -q '^login alice ok' "$work/$suite.sound" || { echo "FAIL $suite: the sound system lets nobody in" && return 1; }
        drop "probe-$suite"
    done
}

snapshot() { btrfs -q subvolume snapshot "$work/lab/$1" "$work/lab/$2"; }
drop() {
    chattr -R -f -i "$work/lab/$1/etc/ssh" 2>/dev/null
    btrfs -q subvolume delete "$work/lab/$1"
}
probe() {
    TMPDIR=$work unshare --net --pid --fork --kill-child --mount --propagation private -- \
        bash "$here/probe.sh" "$work/lab/$1" "$BUILD/client_key" 2>>"$work/probe.log"
}
# The facts about a tree, on a copy: sshd writes logs of its own.
probe_copy() {
    snapshot "$1" "$1-probe" && probe "$1-probe"
    drop "$1-probe"
}

describe() (
    cd "$work/lab/$1" || exit
    find . -path ./var/lib/sshmend -prune -o \( -type f -o -type l \) -printf '%p %y %m %U %G %T@ %l\n' \
        -o -printf '%p %y %m %U %G\n' | sort
    find etc root home -type f -exec b2sum -l 128 {} + | sort -k 2
    find etc root home -exec getfattr -h -d -m - -e hex {} + 2>/dev/null
    find etc/ssh \( -type f -o -type d \) -exec lsattr -d {} + | sort -k 2
)

# How the unit stands: enabled, and not kept from starting.
boots() (
    cd "$work/lab/$1" || exit
    local default
    default=$(readlink etc/systemd/system/default.target)
    [[ $(systemctl --root="$PWD" is-enabled ssh.service 2>/dev/null) == enabled &&
        -L etc/systemd/system/multi-user.target.wants/ssh.service && ! -e etc/ssh/sshd_not_to_be_run &&
        $default != *rescue* && (-s lib/systemd/system/ssh.service || -s etc/systemd/system/ssh.service) ]]
)

complain() { printf '%s on %s: %s\n' "$name" "$suite" "$*"; }

# b NAME WHO IDENTITY FINDING COMMANDS [fine]: one case, for the suite of this job.
b() {
    local name=$1 who=$2 identity=$3 finding=$4 commands=$5 tree code json outcome=ok
    [[ ${6-} != fine ]] || who=fine
    ((++number % jobs == job)) || return 0
    [[ ${#wanted[@]} == 0 || " ${wanted[*]} " == *" $name "* ]] || return 0
    tree=case-$suite-$name
    snapshot "$suite" "$tree"
    # The directory of drop-ins is younger than bullseye's package in some images.
    (cd "$work/lab/$tree" && mkdir -p etc/ssh/sshd_config.d && eval "$commands") >"$work/$tree.log" 2>&1 || {
        complain "cannot be broken that way: $(tail -n 1 "$work/$tree.log")"
        outcome=failed
    }
    [[ $outcome != ok ]] || run_case || outcome=failed
    drop "$tree"
    echo "RESULT $outcome $who $identity $suite $name"
}

run_case() {
    local before=$work/$tree.before ok=true keys
    describe "$tree" >"$before"
    json=$("$SSHMEND" check --json "$work/lab/$tree" 2>&1)
    code=$?
    describe "$tree" | cmp -s - "$before" || { complain "check changed something" && ok=false; }
    if [[ $who == fine ]]; then
        [[ $code == 0 && $(jq -r .verdict <<<"$json") == healthy ]] ||
            { complain "check is not content: exit $code, $(names "$json")" && ok=false; }
        "$SSHMEND" repair --yes --quiet "$work/lab/$tree"
        code=$?
        [[ $code == 0 ]] && describe "$tree" | cmp -s - "$before" || { complain "repair: exit $code, or a change" && ok=false; }
        logs_in "$tree" || ok=false
        $ok
        return
    fi
    [[ $code == 4 ]] || { complain "check: exit $code" && ok=false; }
    jq -e --arg id "$finding" '.findings | any(.id == $id)' <<<"$json" >/dev/null ||
        { complain "check does not name $finding: $(names "$json")" && ok=false; }
    refuses || ok=false
    "$SSHMEND" repair --yes --quiet "$work/lab/$tree" 2>"$work/$tree.repair"
    code=$?
    if [[ $who == left ]]; then
        [[ $code == 4 ]] || { complain "repair: exit $code, although it cannot be mended" && ok=false; }
        $ok
        return
    fi
    [[ $code == 1 ]] || { complain "repair: exit $code, $(cat "$work/$tree.repair") $(names "$("$SSHMEND" check --json "$work/lab/$tree")")" && ok=false; }
    [[ $who != boot ]] || boots "$tree" || { complain "is not started at boot" && ok=false; }
    logs_in "$tree" || ok=false
    keys=$(grep '^key' "$work/$tree.facts")
    if [[ $identity == kept ]]; then
        [[ $keys == "$(grep '^key' "$work/$suite.sound")" ]] || { complain "the host keys are not the same" && ok=false; }
    else
        [[ $keys != "$(grep '^key' "$work/$suite.sound")" ]] || { complain "the host keys are the same" && ok=false; }
    fi
    "$SSHMEND" undo "$work/lab/$tree" --quiet || { complain "undo failed" && ok=false; }
    describe "$tree" | diff "$before" - >"$work/$tree.diff" ||
        { complain "undo left: $(head -n 3 "$work/$tree.diff" | tr '\n' ' ')" && ok=false; }
    $ok
}

names() { jq -r '[.findings[]? | select(.severity != "note") | .id] | unique | join(" ")' <<<"$1"; }

logs_in() {
    probe_copy "$1" >"$work/$tree.facts"
    [[ $(grep -c '^login .* ok' "$work/$tree.facts") == 2 && $(grep -c '^key' "$work/$tree.facts") == 3 ]] ||
        { complain "no login after all: $(tr '\n' ' ' <"$work/$tree.facts")" && return 1; }
}

# The broken system is as broken as the table says.
refuses() {
    local facts=$work/$tree.broken
    if [[ $who == boot ]]; then
        ! boots "$tree" || { complain "is started at boot all the same" && return 1; }
        return
    fi
    probe_copy "$tree" >"$facts"
    case $who in
    all | left) ! grep -q '^login .* ok' "$facts" ;;
    user) grep -q '^login root ok' "$facts" && ! grep -q '^login alice ok' "$facts" ;;
    type) grep -q '^login root ok' "$facts" && (($(grep -c '^key' "$facts") < 3)) ;;
    none) true ;;
    esac || { complain "is not broken for $who: $(tr '\n' ' ' <"$facts")" && return 1; }
}

run_job() {
    local suite number=0
    job=$1
    for suite in "${suites[@]}"; do
        breakages
    done
}

wanted=("$@")
jobs=${JOBS:-$(nproc)}
make_lab || exit 1
for ((job = 0; job < jobs; job++)); do
    run_job "$job" >"$work/job.$job" &
done
wait
for cloud in "${clouds[@]}"; do
    cloud_cases "$cloud" >>"$work/job.cloud" 2>&1
done
cat "$work"/job.* | grep -v '^RESULT'
results=$work/results
cat "$work"/job.* | grep '^RESULT' >"$results"
printf '%-12s %s\n' SUITE 'RECOVERED  FINE  LEFT AS SAID'
for suite in "${suites[@]}"; do
    printf '%-12s %9s %5s %5s\n' "$suite" \
        "$(grep -E "^RESULT ok (all|user|type|none|boot) .* $suite " "$results" | wc -l)" \
        "$(grep -E "^RESULT ok fine .* $suite " "$results" | wc -l)" "$(grep -E "^RESULT ok left .* $suite " "$results" | wc -l)"
done
matching() { grep -cE "$1" "$results"; }
broken='(all|user|type|none|boot)'
echo "suites: recovered $(matching "^RESULT ok $broken ") of $(matching "^RESULT [a-z]+ $broken ");" \
    "identity kept $(matching "^RESULT ok $broken kept ") of $(matching "^RESULT [a-z]+ $broken kept ");" \
    "no false alarm on $(matching '^RESULT ok fine ') of $(matching '^RESULT [a-z]+ fine ')"
echo "suites: cloud-init $(matching '^RESULT ok cloud ') of $(matching '^RESULT [a-z]+ cloud ')"
echo "suites: $(matching '^RESULT ok ') passed, $(matching '^RESULT failed ') failed"
(($(matching '^RESULT failed ') == 0 && $(matching '^RESULT ok ') > 0))
