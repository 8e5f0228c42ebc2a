# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # repo_dir comes from the harness
#
# Journals that kernels and debugfs have left behind, read through without a replay: each block as
# e2fsck's replay leaves it, and each file as a kernel shows it.

# shellcheck source=tests/direct/variants.sh
. "$PART_DIR/variants.sh"

# replayed IMAGE: a copy, $HERE/fscked.img.
replayed() {
    cp --sparse=always "$1" "$HERE/fscked.img"
    e2fsck -E journal_only -p "$HERE/fscked.img" >"$HERE/fsck" 2>&1 ||
        fail "the journal is not replayed: $(tail -c 500 "$HERE/fsck")"
}

# through IMAGE WORD: what has become of the journal; all blocks are as replayed.
through() {
    sha1sum <"$1" >"$HERE/before"
    "$repo_dir/build/dev/through" "$1" "$HERE/fscked.img" >"$HERE/through" ||
        fail "read otherwise: $(<"$HERE/through")"
    grep -q "^$2 " "$HERE/through" || fail "not $2: $(<"$HERE/through")"
    # The test of the test: the journal held something.
    ! grep -q ' 0$' "$HERE/through" || fail 'nothing was in the journal'
    sha1sum <"$1" | cmp -s - "$HERE/before" || fail 'changed'
}

# Files whose blocks begin as those of the journal do, many of them, and some that go again.
fill_journal() {
    local i
    for ((i = 1; i <= $1; i++)); do
        mkdir -p "$MNT/d$i"
        { printf '\300\073\071\230' && head -c 9000 /dev/urandom; } >"$MNT/d$i/file"
        ((i % 4)) || sync -f "$MNT"
        ((i % 5)) || { rm -r "$MNT/d$((i - 3))" && sync "$MNT/d$i/file"; }
    done
    ln "$MNT/d$1/file" "$MNT/link"
    sync "$MNT/link"
}

files_of() { (cd "$1" && find . -type f -exec sha1sum {} + | sort); }

# by_kernel NAME OPTIONS COUNT WORD [MKFS…]
by_kernel() {
    local name=$1 options=$2 count=$3 word=$4
    truncate -s 48M "$HERE/disk.img"
    mkfs.ext4 -q "${@:5}" "$HERE/disk.img"
    mount_image "$HERE/disk.img" "$options"
    fill_journal "$count"
    cp --sparse=always "$HERE/disk.img" "$HERE/dirty.img"
    unmount_image
    replayed "$HERE/dirty.img"
    if [[ $word == read ]]; then
        through "$HERE/dirty.img" read
        cp "$HERE/dirty.img" "$HERE/kernel.img"
        mount_image "$HERE/kernel.img"
        files_of "$MNT" >"$HERE/kernel.files"
        unmount_image
        mount_image "$HERE/fscked.img" ro
        files_of "$MNT" >"$HERE/fscked.files"
        unmount_image
        expect_equal_files "$HERE/kernel.files" "$HERE/fscked.files" "the kernel differs: $name"
    else
        "$repo_dir/build/dev/through" "$HERE/dirty.img" "$HERE/fscked.img" >"$HERE/through" &&
            fail 'fast commits are seen, which are not read'
        grep -q "^$word " "$HERE/through" || fail "not $word: $(tail -n 1 "$HERE/through")"
    fi
    rm "$HERE"/*.img
}

# A log of 1024 blocks that goes on at its beginning.
round_its_end() {
    local count i start blocks wrapped=0
    for count in 50 90; do
        truncate -s 48M "$HERE/disk.img"
        mkfs.ext4 -q -b 1024 -J size=1 "$HERE/disk.img"
        mount_image "$HERE/disk.img" data=journal
        for ((i = 1; i <= count; i++)); do
            head -c 20000 /dev/urandom >"$MNT/file$i"
            sync "$MNT/file$i"
        done
        cp --sparse=always "$HERE/disk.img" "$HERE/dirty.img"
        unmount_image
        replayed "$HERE/dirty.img"
        through "$HERE/dirty.img" read
        start=$(dumpe2fs -h "$HERE/dirty.img" 2>/dev/null | sed -n 's/^Journal start: *//p')
        blocks=$(sed -n 's/^read //p' "$HERE/through")
        ((start + blocks <= 1024)) || wrapped=$((wrapped + 1))
        rm "$HERE"/*.img
    done
    ((wrapped > 0)) || fail 'no log went round its end'
}

# by_debugfs WORD CHECKSUMS MKFS…: blocks, escaped ones, revoked ones, and some that are back.
by_debugfs() {
    local block=4096 first=6000
    [[ "$*" != *'-b 1024'* ]] || block=1024 first=20000
    truncate -s 32M "$HERE/disk.img"
    mkfs.ext4 -q "${@:3}" "$HERE/disk.img"
    head -c $((block * 4)) /dev/urandom >"$HERE/plain"
    { printf '\300\073\071\230' && tail -c +5 "$HERE/plain"; } >"$HERE/escaped"
    cat >"$HERE/journal" <<END
jo $2
jw -b $first,$((first + 1)),$((first + 2)),$((first + 3)) $HERE/plain
jw -b $((first + 1)),$((first + 2)),$((first + 5)),$((first + 6)) $HERE/escaped
jw -r $first,$((first + 5))
jw -b $first,$((first + 8)),$((first + 9)),$((first + 10)) $HERE/escaped
jc
END
    debugfs -w -f "$HERE/journal" "$HERE/disk.img" >"$HERE/debugfs" 2>&1
    replayed "$HERE/disk.img"
    through "$HERE/disk.img" "$1"
    rm "$HERE/disk.img"
}

part_journal() {
    local mode sums
    for mode in defaults data=journal journal_async_commit,data=writeback; do
        point "journal: a kernel's, $mode" by_kernel default "$mode" 40 read
        point "journal: a kernel's of 1 KiB, $mode" by_kernel small "$mode" 40 read -b 1024
        point "journal: a kernel's of 4 KiB, $mode" by_kernel large "$mode" 40 read -b 4096
        point "journal: a kernel's without checksums, $mode" by_kernel plain "$mode" 40 read \
            -O '^metadata_csum,^64bit,^extent'
    done
    point 'journal: a kernel'\''s, first kind of checksums' by_kernel v1 journal_checksum 40 read \
        -O '^metadata_csum'
    point 'journal: round its end' round_its_end
    point 'journal: with inline data' by_kernel inline defaults 40 read -O inline_data
    point 'journal: with an orphan file' by_kernel orphan defaults 40 read -O orphan_file
    point 'journal: fast commits' by_kernel fast defaults 40 unread -O fast_commit
    for sums in '' '-c -v 2' '-c -v 3'; do
        point "journal: debugfs $sums" by_debugfs read "$sums" -b 1024 -O 64bit,metadata_csum
        point "journal: debugfs $sums of 4 KiB" by_debugfs read "$sums" -b 4096
    done
    point 'journal: debugfs without 64bit' by_debugfs read '' -b 1024 -O '^64bit,^metadata_csum'
    # Its transactions do not hold by the first kind of checksums, as e2fsck finds, too.
    point 'journal: debugfs, a damaged log' by_debugfs unread -c -b 1024 -O '^64bit,^metadata_csum'
}
