#!/bin/bash
# SPDX-License-Identifier: MIT
#
# build.sh: makes the rescue image from Debian packages and this tree's sshmend.
#
# OUT                 where it goes (default: build/rescue-image)
# PACKAGES            where the .deb files are kept (default: $OUT/packages)
# SSHMEND             the program that goes in (default: build/release/sshmend)
# SOURCE_DATE_EPOCH   the date of all that is made (default: that of the last commit)
#
# The same packages, program and date give the same bytes, whatever the folder, the user and the day.
# Nothing of a package is run but its busybox, to tell its applets; no rights are needed.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/.." && pwd)
mkdir -p "${OUT:=$repo/build/rescue-image}"
OUT=$(cd "$OUT" && pwd)
PACKAGES=${PACKAGES:-$OUT/packages}
SSHMEND=${SSHMEND:-$repo/build/release/sshmend}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$repo" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
umask 022

unpacked=$OUT/unpacked   # a folder for each package
squash=$OUT/usr          # becomes usr.squashfs
first=$OUT/initramfs.d   # becomes the initramfs, with usr.squashfs in it
used=$OUT/used           # the packages that gave a file

# Rows of a table, without comments.
rows() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/$1"; }

die() { echo "rescue-image: $*" >&2; exit 1; }

# shellcheck source=rescue-image/packages.sh
. "$here/packages.sh"
# shellcheck source=rescue-image/stage.sh
. "$here/stage.sh"
# shellcheck source=rescue-image/media.sh
. "$here/media.sh"

main() {
    local package
    command -v apt-get >/dev/null || die 'needs apt-get: build on Debian 12 or 13'
    rm -rf "$squash" "$first" "$used"
    mkdir -p "$squash" "$first"
    fetch_packages
    unpack_packages
    stage_programs
    stage_sshmend
    stage_root
    stage_libraries
    stage_modules
    for package in shim-signed grub-efi-amd64-signed grub-pc-bin; do
        use "$package"
    done
    list_packages >"$OUT/packages.txt"
    install -m 644 "$OUT/packages.txt" "$squash/share/sshmend/packages.txt"
    stage_licences
    make_initramfs
    make_iso
    make_disk
    (cd "$OUT" && ls -l vmlinuz initramfs sshmend-rescue.iso disk.img && sha256sum sshmend-rescue.iso)
}

main
