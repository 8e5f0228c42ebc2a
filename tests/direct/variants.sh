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
}
