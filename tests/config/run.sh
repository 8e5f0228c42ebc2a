#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh: configurations made by generate.awk, judged by sshmend and by the real sshd -t of
# each suite. Where both refuse one, sshmend mends it, and sshd must load the result, but for
# what is left to a human on purpose: AuthenticationMethods and other lines that only restrict.
#
# SUITES    the Debian releases (default: bullseye bookworm trixie sid)
# CONFIGS   how many (default: 520)
# SSHMEND   the program under test (default: build/release/sshmend)

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
export SSHMEND=${SSHMEND:-$repo/build/release/sshmend}
export BUILD=${BUILD:-$repo/build/testbed}
read -ra suites <<<"${SUITES:-bullseye bookworm trixie sid}"

if [[ -z ${CONFIG_WORK:-} ]]; then
    "$repo/tests/testbed/make-root.sh" "${suites[@]}" || exit
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    CONFIG_WORK=$work bash "$repo/tests/testbed/private-ns.sh" "$work" bash "${BASH_SOURCE[0]}"
    exit
fi
work=$CONFIG_WORK

# A tree of our own on a file system that is not the running system's.
make_lab() {
    local suite
    truncate -s 4G "$work/lab.img"
    mkfs.ext4 -q -F -m 0 "$work/lab.img"
    mkdir "$work/lab" "$work/configs"
    mount -o loop "$work/lab.img" "$work/lab"
    for suite in "${suites[@]}"; do
        mkdir "$work/lab/$suite"
        tar -C "$work/lab/$suite" -xf "$BUILD/$suite.tar" --exclude='./dev/*'
        mkdir -p "$work/lab/$suite/run/sshd"
        mknod -m 666 "$work/lab/$suite/dev/null" c 1 3
    done
    awk -v N="${CONFIGS:-520}" -v OUT="$work/configs" -f "$here/generate.awk" "$here/pool" \
        "$work/lab/${suites[1]}/usr/share/openssh/sshd_config" "$here/hardened" "$here/match"
}

real_verdict() { unshare --net chroot "$1" /usr/sbin/sshd -t 2>"$1.said"; }

# What sshd -t cannot see, sshmend does: that no key is left for HostKeyAlgorithms.
our_verdict() {
    "$SSHMEND" check --json "$1" |
        jq -r '[.findings[] | select(.severity == "fatal" and .id != "config-no-common-key") | "\(.id): \(.message)"] | join("; ")'
}

judge_one() {
    local tree=$1 suite=$2 number=$3 real=0 ours
    cat "$work/configs/$number" >"$tree/etc/ssh/sshd_config"
    real_verdict "$tree" || real=$?
    ours=$(our_verdict "$tree")
    if { ((real == 0)) && [[ -n $ours ]]; } || { ((real != 0)) && [[ -z $ours ]]; }; then
        echo "DISAGREE $suite $number: sshd -t $real: $(head -n 1 "$tree.said"); sshmend: ${ours:-nothing fatal}"
        return
    fi
    echo "AGREE"
    ((real != 0)) || return 0
    "$SSHMEND" repair --yes --quiet "$tree" 2>/dev/null
    if real_verdict "$tree"; then
        echo "MENDED"
    elif [[ $(our_verdict "$tree") == *AuthenticationMethods* ]]; then
        echo "LEFT"
    else
        echo "UNMENDED $suite $number: $ours: $(head -n 1 "$tree.said")"
    fi
    rm -rf "$tree/var/lib/sshmend"
}

judge_suite() {
    local number
    for number in $(find "$work/configs" -type f -printf '%f\n' | sort -n); do
        judge_one "$work/lab/$1" "$1" "$number"
    done >"$work/$1.log"
}

matching() { cat "${@:2}" | grep -cE "$1"; }

make_lab || exit 1
printf '%s\n' "${suites[@]}" | {
    running=0
    while read -r suite; do
        judge_suite "$suite" &
        ((++running < $(nproc))) || { wait -n && running=$((running - 1)); }
    done
    wait
}
logs=()
for suite in "${suites[@]}"; do
    logs+=("$work/$suite.log")
    grep -E '^(DISAGREE|UNMENDED)' "$work/$suite.log"
    echo "config: $suite: $(matching '^AGREE' "$work/$suite.log") of $(matching '^(AGREE|DISAGREE)' "$work/$suite.log") agree with sshd -t;" \
        "mended $(matching '^MENDED' "$work/$suite.log"), left to a human $(matching '^LEFT' "$work/$suite.log")"
done
bad=$(matching '^(DISAGREE|UNMENDED)' "${logs[@]}")
echo "config: $(matching '^(AGREE|MENDED|LEFT)' "${logs[@]}") passed, $bad failed"
((bad == 0 && $(matching '^MENDED' "${logs[@]}") > 0))
