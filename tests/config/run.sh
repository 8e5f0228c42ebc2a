#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh: configurations made by generate.awk and compose.awk, judged by sshmend and by the
# real sshd -t of each suite. Where both refuse one, sshmend mends it, and sshd must load the
# result, but for what is left to a human on purpose: AuthenticationMethods and other lines
# that only restrict. Where both take one, what derived.c says of it is held against sshd -T.
#
# SUITES, SSHMEND: see testbed/lab.sh
# CONFIGS   how many of one line put in (default: 520)
# VALUES    how many of a handful of lines (default: 150)
# DERIVED   tells what sshmend derives (default: build/release/config-derived)

set -uo pipefail
# shellcheck source=tests/testbed/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../testbed/lab.sh"
export DERIVED=${DERIVED:-$repo/build/release/config-derived}
lab_enter "${suites[@]}"

make_lab() {
    local suite tree
    lab_disk 4G mkfs.ext4 -q -F -m 0
    mkdir "$work/configs"
    for suite in "${suites[@]}"; do
        tree=$work/lab/$suite
        mkdir "$tree"
        lab_unpack "$suite" "$tree"
        mkdir -p "$tree/run/sshd" "$tree/etc/ssh/keys"
        mknod -m 666 "$tree/dev/null" c 1 3
        cp -r "$here/include" "$tree/etc/ssh/include"
        cp -p "$tree/etc/ssh/ssh_host_ed25519_key" "$tree/etc/ssh/extra_key"
    done
    awk -v N="${CONFIGS:-520}" -v OUT="$work/configs" -f "$here/generate.awk" "$here/pool" \
        "$work/lab/${suites[1]}/usr/share/openssh/sshd_config" "$here/hardened" "$here/match"
    awk -v N="${VALUES:-150}" -v OUT="$work/configs" -f "$here/compose.awk" "$here/values"
}

real_verdict() { unshare --net chroot "$1" /usr/sbin/sshd -t 2>"$1.said"; }

# What sshd -t cannot see, sshmend does: that no key is left for HostKeyAlgorithms.
our_verdict() {
    "$SSHMEND" check --json "$1" |
        jq -r '[.findings[] | select(.severity == "fatal" and .id != "config-no-common-key") | "\(.id): \(.message)"] | join("; ")'
}

# What sshd -T prints of the keywords that derived.c knows, in the same words: one name of an
# algorithm a line, and the older of the two names of a value as the newer. Keys and algorithms
# of ML-DSA are of no type that this program knows: they are left alone, and not derived.
real_values() {
    unshare --net chroot "$1" /usr/sbin/sshd -T 2>/dev/null | awk -v KEYWORDS="$2" '
        BEGIN { count = split(KEYWORDS, list); for (i = 1; i <= count; i++) wanted[list[i]] = 1 }
        { $1 = tolower($1) } # since 10.3 as sshd_config(5) writes them
        $1 == "authorizedkeysfile" { files = 1 }
        !($1 in wanted) || ($1 == "hostkey" && /mldsa/) { next }
        $1 == "hostkeyalgorithms" { count = split($2, names, ","); for (i = 1; i <= count; i++) if (names[i] !~ /mldsa/) print $1, names[i]; next }
        { print }
        END { if (!files && "authorizedkeysfile" in wanted) print "authorizedkeysfile none" } # nothing since 10.3'
}

values_differ() {
    local tree=$1 ours
    ours=$("$DERIVED" "$tree" | sed 's/without-password$/prohibit-password/' | sort -u)
    [[ -n $ours ]] || { echo "sshmend derives nothing" && return; }
    diff <(real_values "$tree" "$(cut -d ' ' -f 1 <<<"$ours" | sort -u | tr '\n' ' ')" |
        sed 's/without-password$/prohibit-password/; s,//,/,' | sort -u) - <<<"$ours" | grep '^[<>]'
}

judge_one() {
    local tree=$1 suite=$2 number=$3 real=0 ours differ
    cat "$work/configs/$number" >"$tree/etc/ssh/sshd_config"
    real_verdict "$tree" || real=$?
    ours=$(our_verdict "$tree")
    if { ((real == 0)) && [[ -n $ours ]]; } || { ((real != 0)) && [[ -z $ours ]]; }; then
        echo "DISAGREE $suite $number: sshd -t $real: $(head -n 1 "$tree.said"); sshmend: ${ours:-nothing fatal}"
        return
    fi
    echo "AGREE"
    if ((real == 0)); then
        differ=$(values_differ "$tree")
        [[ -z $differ ]] && echo "SAME" || echo "DIFFERENT $suite $number (<: sshd -T, >: sshmend): ${differ//$'\n'/; }"
        return
    fi
    "$SSHMEND" repair --yes --quiet "$tree" 2>/dev/null
    if real_verdict "$tree"; then
        echo "MENDED"
        "$SSHMEND" undo --quiet "$tree" || echo "UNMENDED $suite $number: undo failed"
    elif [[ $(our_verdict "$tree") == *AuthenticationMethods* ]]; then
        echo "LEFT"
    elif [[ $(our_verdict "$tree") == *hostkey-none* ]]; then
        # Said, too: a HostKey that has moved out of a Match may name a key that is not there, which
        # only the next repair makes.
        echo "LEFT"
        "$SSHMEND" undo --quiet "$tree" || echo "UNMENDED $suite $number: undo failed"
    else
        echo "UNMENDED $suite $number: $ours: $(head -n 1 "$tree.said")"
    fi
    rm -rf "$tree/var/lib/sshmend"
}

judge_suite() {
    local number
    for number in $(find "$work/configs" -type f -printf '%f\n' | sort -V); do
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
    grep -E '^(DISAGREE|UNMENDED|DIFFERENT)' "$work/$suite.log"
    echo "config: $suite: $(matching '^AGREE' "$work/$suite.log") of $(matching '^(AGREE|DISAGREE)' "$work/$suite.log") agree with sshd -t," \
        "$(matching '^SAME' "$work/$suite.log") of $(matching '^(SAME|DIFFERENT)' "$work/$suite.log") with sshd -T;" \
        "mended $(matching '^MENDED' "$work/$suite.log"), left to a human $(matching '^LEFT' "$work/$suite.log")"
done
bad=$(matching '^(DISAGREE|UNMENDED|DIFFERENT)' "${logs[@]}")
echo "config: $(matching '^(AGREE|SAME|MENDED|LEFT)' "${logs[@]}") passed, $bad failed"
((bad == 0 && $(matching '^MENDED' "${logs[@]}") > 0 && $(matching '^SAME' "${logs[@]}") > 0))
