# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What ext2, ext3 and ext4 may look like: a name, a size, and what mkfs is told. Those of the
# first list are what a power cut is tried on, too.

VARIANTS='
default    16M  -t ext4
small      16M  -t ext4 -b 1024
two        16M  -t ext4 -b 2048
plain      16M  -t ext4 -O ^metadata_csum,^64bit,^extent
ext3       16M  -t ext3
inline     16M  -t ext4 -O inline_data
bigalloc   32M  -t ext4 -O bigalloc -C 16384
fast       16M  -t ext4 -O fast_commit
orphan     16M  -t ext4 -O orphan_file
checksum   16M  -t ext4 -O ^metadata_csum
unjournal  16M  -t ext2
'
MORE_VARIANTS='
metabg     16M  -t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode
inode128   16M  -t ext4 -I 128 -O ^metadata_csum
inode1024  16M  -t ext4 -I 1024 -O inline_data
nojournal  16M  -t ext4 -O ^has_journal
uninit     16M  -t ext4 -O ^metadata_csum,uninit_bg
oldest     16M  -t ext2 -r 0 -O none
'

variants() { grep -E '[a-z]' <<<"$VARIANTS$1"; }

# A directory of hashed names, and one more level of them.
fill_directories() {
    local directory
    for directory in etc/ssh var/lib/sshmend; do
        mkdir -p "$MNT/$directory"
        (cd "$MNT/$directory" && seq -f 'a-file-with-a-name-that-is-long-%05.0f' 400 | xargs touch)
    done
}

# variant NAME: $WORK/NAME.broken and all that make_base makes.
make_variant() {
    local name size options
    read -r name size options < <(variants "$MORE_VARIANTS" | grep "^$1 ")
    [[ $name == "$1" ]] || fail "no variant $1"
    # shellcheck disable=SC2086 # options are words
    make_base "$name" ext4 "$size" -q $options
    [[ $name != checksum ]] || checksum_journal "$WORK/$name".{img,broken,mended}
}

# Of the first kind, one a transaction: what mount -o journal_checksum means where the file system
# itself has none. Every mount would take it back, but for the option in the superblock; and a mount
# that changes nothing, here what no test compares, does not write it.
touch_lost_found() { touch "$MNT/lost+found"; }
checksum_journal() {
    local image
    for image in "$@"; do
        tune2fs -E mount_opts=journal_checksum "$image" >/dev/null
        change_image "$image" touch_lost_found
        dumpe2fs -h "$image" 2>/dev/null | grep -q '^Journal features:.* journal_checksum' ||
            fail "$image has no journal with checksums: $(dumpe2fs -h "$image" 2>/dev/null | grep ^Journal)"
    done
}

# make_apart IMAGE TREE DIRECTORY SIZE FS…: TREE in one partition of 16 MiB, what is in a directory of
# it in another one of this size, which its fstab names; FS: what makes that one of a directory.
APART_OFFSETS='2097152 20971520'
make_apart() {
    local image=$1 tree=$1.tree directory=$3 size=$4 part=$1.part fs
    fs=("${@:5}")
    rm -rf "$tree" "$part.tree"
    cp -a "$2" "$tree"
    mv "$tree$directory" "$part.tree"
    mkdir "$tree$directory"
    echo "LABEL=part $directory auto defaults 0 2" >"$tree/etc/fstab"
    truncate -s "$((22 + size))M" "$image"
    printf 'label: gpt\nstart=2MiB, size=16MiB\nstart=20MiB, size=%sMiB\n' "$size" | sfdisk -q "$image"
    truncate -s 16M "$part.root"
    mkfs.ext4 -q -d "$tree" "$part.root"
    truncate -s "${size}M" "$part"
    "${fs[@]}" "$part.tree" "$part" >/dev/null
    dd if="$part.root" of="$image" bs=1M seek=2 conv=notrunc,sparse status=none
    dd if="$part" of="$image" bs=1M seek=20 conv=notrunc,sparse status=none
    rm -r "$tree" "$part.tree" "$part.root" "$part"
}
apart_as_ext4() { mkfs.ext4 -q -L part -d "$1" "$2"; }
apart_as_xfs() { mkfs.xfs -q -L part "$2"; }

# Both of them, as they are or after what their journals hold. e2fsck opens what it has replayed once
# more, and forgets where in the image that was (1.47.0): so by themselves.
expect_both_sound() {
    local offset part=$HERE/sound.part
    for offset in $APART_OFFSETS; do
        dd if="$1" of="$part" bs=1M skip="$((offset / 1048576))" count=16 conv=sparse status=none
        if [[ ${2-} == replay ]]; then
            e2fsck -E journal_only -p "$part" >"$HERE/fsck" 2>&1 ||
                fail "the journal is not replayed: $(tail -c 500 "$HERE/fsck")"
            dd if="$part" of="$1" bs=1M seek="$((offset / 1048576))" conv=notrunc status=none
        fi
        expect_fsck_clean "$part" ext4
    done
    rm "$part"
}
