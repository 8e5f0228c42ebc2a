# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Debian's packages: got, unpacked, and listed with version and licence (sourced by build.sh).

: "${repo:?}" "${unpacked:?}" "${squash:?}" "${used:?}"

# apt, asked for a system on which nothing is installed: its answer is all that the packages need.
# Only Debian's own archives count, whatever else this host uses.
fresh_apt() {
    apt-get -o Dir::State::status="$OUT/apt/status" -o Dir::Cache::archives="$PACKAGES" \
        -o Dir::Etc::preferences="$OUT/apt/preferences" -o Dir::Etc::preferencesparts=/dev/null \
        -o Debug::NoLocking=1 -o APT::Install-Recommends=0 -o APT::Sandbox::User="$(id -un)" "$@"
}

# Prints the file name of each package, as apt names it.
package_files() {
    fresh_apt -qq --simulate install "${wanted[@]}" |
        sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*\[([a-z0-9]+)\]\).*/\1 \2 \3/p' |
        while read -r name version arch; do
            echo "${name}_${version//:/%3a}_$arch.deb"
        done | sort
}

fetch_packages() {
    mapfile -t wanted < <(rows packages.list | awk '{ print $1 }')
    mkdir -p "$OUT/apt" "$PACKAGES/partial"
    : >"$OUT/apt/status"
    printf 'Package: *\nPin: release o=%s\nPin-Priority: %s\n\n' Debian 500 '*' -1 >"$OUT/apt/preferences"
    package_files >"$OUT/apt/files"
    [[ -s $OUT/apt/files ]] || die 'apt knows none of the packages: apt-get update'
    if ! (cd "$PACKAGES" && xargs ls <"$OUT/apt/files" >/dev/null 2>&1); then
        echo 'rescue-image: getting the packages (once, 130 MB)' >&2
        fresh_apt -qq -y --download-only install "${wanted[@]}" >&2
    fi
}

# Kernels come with a great many modules; unpacked once for each version.
unpack_packages() {
    local file dir
    mkdir -p "$unpacked"
    while read -r file; do
        dir=$unpacked/${file%%_*}
        [[ $(cat "$dir.file" 2>/dev/null) != "$file" ]] || continue
        rm -rf "$dir"
        mkdir "$dir"
        dpkg-deb -x "$PACKAGES/$file" "$dir"
        echo "$file" >"$dir.file"
    done <"$OUT/apt/files"
    forget_packages
}

# What an earlier build had, and this one has not, must not lend it a library.
forget_packages() {
    local dir
    for dir in "$unpacked"/*/; do
        dir=${dir%/}
        cut -d _ -f 1 "$OUT/apt/files" | grep -qxF "${dir##*/}" || rm -rf "$dir" "$dir.file"
    done
}

# use PACKAGE: one of its files is in the image.
use() { echo "$1" >>"$used"; }

used_packages() { sort -u "$used"; }

# A package may keep its documents in another's folder.
copyright_of() {
    local doc=usr/share/doc/$1 file
    [[ ! -L $unpacked/$1/$doc ]] || doc=usr/share/doc/$(readlink "$unpacked/$1/$doc")
    for file in "$unpacked"/*/"$doc/copyright"; do
        [[ ! -e $file ]] || { echo "$file"; return; }
    done
    die "no copyright file of $1"
}

# A licence for each package, from its copyright file: the names that a machine-readable one gives,
# else those of Debian's common licences that it points to.
licence_of() {
    local file names
    file=$(copyright_of "$1")
    names=$(sed -nE 's/^License: *([A-Za-z0-9.+-]+.*)/\1/p' "$file" | sed -E 's/ *,? +(and|or) +/\n/g; s/[,()]//g')
    [[ -n $names ]] || names=$(grep -oE '/usr/share/common-licenses/[A-Za-z0-9.-]+' "$file" | sed -E 's|.*/||; s/\.$//') || true
    [[ -n $names ]] || names='see its copyright file'
    sed -E 's/ +$//' <<<"$names" | sort -u | paste -sd , | sed 's/,/, /g'
}

version_of() { dpkg-deb -f "$PACKAGES/$(cat "$unpacked/$1.file")" Version; }

list_packages() {
    local package
    printf '%s\t%s\t%s\n' PACKAGE VERSION LICENCE
    printf '%s\t%s\t%s\n' sshmend "$(sed -n 's/^VERSION := //p' "$repo/Makefile")" MIT
    for package in $(used_packages); do
        printf '%s\t%s\t%s\n' "$package" "$(version_of "$package")" "$(licence_of "$package")"
    done
}

# The licences themselves, which the image must not travel without.
stage_licences() {
    local package
    install -D -m 644 "$repo/LICENSE" "$squash/share/doc/sshmend/copyright"
    for package in $(used_packages); do
        install -D -m 644 "$(copyright_of "$package")" "$squash/share/doc/$package/copyright"
    done
}
