#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the root file system that every test image is filled with: a minimal
# Debian or Ubuntu of the host's own release, with openssh-server installed
# and configured by its real maintainer scripts.
#
# make-root.sh [SUITE[+PACKAGE]…]: those releases of Debian instead, with a package more,
# as $BUILD/SUITE.tar and $BUILD/SUITE+PACKAGE.tar; one at a time for each processor.
#
# MORE_PACKAGES   beyond openssh-server, comma separated
#
# Result: $BUILD/root.tar and the client key pair $BUILD/client_key{,.pub},
# which root and alice accept. Made once; made anew when this script, the
# release or the client key changes.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=${BUILD:-$here/../../build/testbed}
MORE_PACKAGES=${MORE_PACKAGES:-}

host_suite() {
    # shellcheck source=/dev/null
    (. /etc/os-release && echo "${VERSION_CODENAME:?this host names no release}")
}

# The host's own package sources, those of its own release only: a third
# party's repository has no place in the test root.
host_sources() {
    local suite=$1 file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        if [[ -f $file ]] && grep -Eq "^(deb |Suites:).*\b$suite\b" "$file" &&
            grep -Eq '^(deb |Components:).*\bmain\b' "$file"; then
            printf '%s\n' "$file"
        fi
    done
}

# Runs inside mmdebstrap's customize hook, as root, with the new root in $1.
customize() {
    local root=$1 home owner
    # These two would be the host's own.
    install -m 0644 <(echo victim) "$root/etc/hostname"
    install -m 0644 /dev/null "$root/etc/resolv.conf"
    chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash alice
    for home in root:0 home/alice:1000; do
        owner=${home#*:}
        home=$root/${home%:*}
        install -d -m 0700 -o "$owner" -g "$owner" "$home/.ssh"
        install -m 0600 -o "$owner" -g "$owner" "$BUILD/client_key.pub" "$home/.ssh/authorized_keys"
    done
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/*
}

build_tar() {
    local suite=${1%%+*} out=$2 package=
    local -a sources
    [[ $1 != *+* ]] || package=,${1#*+}
    if [[ $suite == "$(host_suite)" ]]; then
        mapfile -t sources < <(host_sources "$suite")
    else
        mapfile -t sources < <(mirror_source "$suite")
    fi
    [[ ${#sources[@]} -gt 0 ]] || { echo "make-root: no package source of $suite in /etc/apt" >&2; return 1; }
    # The host keys' comment is root@HOSTNAME, so the name is set first, in a
    # UTS namespace of our own.
    export BUILD
    # shellcheck disable=SC2016 # $1 is for the hook's shell
    unshare --uts sh -c 'hostname victim && exec "$@"' sh \
        mmdebstrap --quiet --variant=minbase --format=tar \
        --include="openssh-server,passwd$package${MORE_PACKAGES:+,$MORE_PACKAGES}" \
        --aptopt='Acquire::Languages "none"' \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/i18n/*' \
        --dpkgopt='path-exclude=/usr/share/zoneinfo/*' \
        --customize-hook="$(printf '%q' "$here/make-root.sh") --customize \"\$1\"" \
        "$suite" "$out" "${sources[@]}"
}

make_client_key() {
    [[ -s $BUILD/client_key ]] || ssh-keygen -q -t ed25519 -N '' -C client@test -f "$BUILD/client_key"
}

# Another release from the mirror that this host uses; one that is no longer updated, too.
mirror_source() {
    local mirror
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
        grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1) || true
    echo "deb ${mirror:?this host uses no mirror of Debian} $1 main"
}

# make_suite SUITE FILE: nothing is done where it is there already.
make_suite() {
    local suite=$1 out=$2 id
    id=$(cat "$here/make-root.sh" "$BUILD/client_key.pub" <(echo "$suite $MORE_PACKAGES") | sha256sum | cut -d' ' -f1)
    if [[ -s $out && $(cat "$out.id" 2>/dev/null) == "$id" ]]; then
        return 0
    fi
    echo "make-root: installing a $suite root with openssh-server (once, about a minute)" >&2
    rm -f "$out.id"
    build_tar "$suite" "$out.new"
    mv "$out.new" "$out"
    echo "$id" >"$out.id"
}

main() {
    local suite failed=0 pid pids=()
    mkdir -p "$BUILD"
    BUILD=$(cd "$BUILD" && pwd)
    # Tests run side by side: the first one builds, the others wait.
    exec 9>"$BUILD/.lock"
    flock 9
    make_client_key
    if (($# == 0)); then
        suite=$(host_suite)
        make_suite "$suite" "$BUILD/$suite.tar"
        ln -f "$BUILD/$suite.tar" "$BUILD/root.tar"
    fi
    for suite in "$@"; do
        # What runs, not what has been started: bash forgets those that are done with.
        while (($(jobs -pr | wc -l) >= $(nproc))); do sleep 0.2; done
        make_suite "$suite" "$BUILD/$suite.tar" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || failed=1
    done
    return "$failed"
}

if [[ ${1-} == --customize ]]; then
    customize "$2"
else
    main "$@"
fi
