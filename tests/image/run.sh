#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [--full] [CASE…]: the rescue image, built twice and booted. Without --full what CI runs.
#
# IMAGE   the folder of the image (default: build/rescue-image)

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
export IMAGE=${IMAGE:-$repo/build/rescue-image}
made=(vmlinuz initramfs sshmend-rescue.iso disk.img packages.txt)
tools=(cryptsetup git jq losetup lvcreate mcopy mmdebstrap python3 qemu-system-x86_64 sfdisk ssh ssh-keygen unshare xorriso)

require_tools() {
    local tool missing=()
    for tool in "${tools[@]}"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [[ $EUID == 0 ]] || missing+=("root's rights")
    [[ -e /usr/share/OVMF/OVMF_VARS_4M.ms.fd ]] || missing+=('ovmf')
    [[ ${#missing[@]} == 0 ]] || { echo "image: missing: ${missing[*]}" >&2; return 1; }
}

digests() { (cd "$1" && sha256sum "${made[@]}"); }

# From the same packages, in another folder, by another mask and language: the same bytes.
build_again() {
    local copy
    copy=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder's name is known now
    trap "rm -rf $copy" RETURN
    git -C "$repo" ls-files -z --cached --others --exclude-standard | (cd "$repo" && xargs -0 cp --parents -t "$copy")
    (
        umask 077
        export LC_ALL=C.UTF-8 TZ=Asia/Kolkata SOURCE_DATE_EPOCH
        SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repo" log -1 --format=%ct)}
        make -s -C "$copy" -j2 build/release/sshmend
        PACKAGES=$IMAGE/packages bash "$copy/rescue-image/build.sh"
    ) >"$IMAGE/second-build.log" 2>&1 || { cat "$IMAGE/second-build.log"; return 1; }
    diff <(digests "$IMAGE") <(digests "$copy/build/rescue-image")
}

# 40 MB with the kernel of Debian 12; that of Debian 13 alone is 4 MB larger.
fits() {
    local size
    size=$(($(stat -c %s "$IMAGE/sshmend-rescue.iso") - $(stat -c %s "$IMAGE/vmlinuz")))
    ((size <= 32 * 1000 * 1000)) || { echo "$size bytes without the kernel"; return 1; }
}

# Every package of the image has a version and a licence.
licences() { awk -F '\t' 'NF != 3 || $2 == "" || $3 == "" { bad = 1; print } END { exit bad || NR < 40 }' "$IMAGE/packages.txt"; }

passed=0 failed=0
check() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "ok $name"
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n%s\n' "$name" "$out"
    fi
}

main() {
    local log counts
    if require_tools && "$repo/tests/testbed/make-root.sh"; then
        { check built_twice build_again; check fits fits; check licences licences; }
        log=$(mktemp)
        python3 "$here/run.py" "$@" | tee "$log" | grep -v '^cases: ' || true
        counts=$(sed -n 's/^cases: //p' "$log")
        rm -f "$log"
        read -r more less <<<"${counts:-0 1}"
        passed=$((passed + more)) failed=$((failed + less))
    fi
    echo "image: $passed passed, $failed failed"
    ((failed == 0 && passed > 0))
}

main "$@"
