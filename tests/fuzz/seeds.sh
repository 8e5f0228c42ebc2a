# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What the fuzzers begin with (sourced; $repo is the top of the source tree): the files of
# corpus/, and what is made of other tests' inputs, so that nothing is committed twice.

# take DIR PREFIX FILE…: copies whose names say where they are from.
take() {
    local dir=$1 prefix=$2 file
    mkdir -p "$dir"
    for file in "${@:3}"; do
        cp "$file" "$dir/$prefix-$(basename "$file")"
    done
}

# The smallest programs that the compiler makes, of both kinds: with libraries, and one.
seed_elf() {
    local dir=$1
    mkdir -p "$dir"
    echo 'int main(void) { return 0; }' | "${CC:-cc}" -Os -s -Wl,-z,noseparate-code -Wl,-rpath,/opt/lib \
        -x c -o "$dir/program" -
    echo 'int one;' | "${CC:-cc}" -Os -s -nostdlib -shared -Wl,-z,noseparate-code -x c -o "$dir/library" -
    head -c 500 "$dir/program" >"$dir/cut-short"
}

# The cache of a tree with one library, whole and cut short.
seed_ld_cache() {
    local dir=$1 tree
    tree=$(mktemp -d)
    mkdir -p "$dir" "$tree/etc" "$tree/lib" "$tree/var/cache/ldconfig"
    echo 'int one;' | "${CC:-cc}" -Os -s -nostdlib -shared -Wl,-soname,libc.so.6 -x c -o "$tree/lib/libc.so.6" -
    : >"$tree/etc/ld.so.conf"
    /sbin/ldconfig -r "$tree"
    cp "$tree/etc/ld.so.cache" "$dir/whole"
    head -c 60 "$dir/whole" >"$dir/cut-short"
    rm -r "$tree"
}

# The smallest file systems with and without what protects them, and with what their features change.
seed_ext() {
    local dir=$1 tree options number=0
    tree=$(mktemp -d)
    mkdir -p "$dir" "$tree/etc"
    echo key >"$tree/etc/key"
    echo gone >"$tree/etc/gone"
    ln -s etc "$tree/link"
    setfattr -n user.note -v value "$tree/etc/key"
    while read -r options; do
        number=$((number + 1))
        # shellcheck disable=SC2086 # options are words
        mkfs.ext4 -q -F -b 1024 -N 24 -d "$tree" $options "$dir/$number" 128 >/dev/null
    done <<'END'
-O ^has_journal,^metadata_csum,^64bit,^resize_inode
-O ^has_journal,^resize_inode
-O ^has_journal,^metadata_csum,^64bit,^extent,^resize_inode -I 128
-O ^has_journal,^metadata_csum,inline_data,^resize_inode
-O ^has_journal,^metadata_csum,bigalloc,^resize_inode -C 4096
END
    rm -r "$tree"
}

# seeds DIR: DIR/TARGET/FILE…
seeds() {
    local dir=$1 target keys=${repo:?}/tests/unit/keys
    for target in "$repo"/tests/fuzz/corpus/*/; do
        take "$dir/$(basename "$target")" corpus "$target"*
    done
    take "$dir/hostkey" key "$keys"/*.{v1,pem,pkcs8,encrypted}
    take "$dir/pubkey" key "$keys"/*.pub
    mkdir -p "$dir/configs"
    awk -v N=40 -v OUT="$dir/configs" -f "$repo/tests/config/generate.awk" "$repo/tests/config/pool" \
        "$repo/tests/config/hardened" "$repo/tests/config/match"
    take "$dir/config" generated "$dir"/configs/*
    rm -r "$dir/configs"
    awk -v OUT="$dir/config-split/pool-" '!/^# One line/ && NR % 4 == 0 { printf "%s", $0 >(OUT NR); close(OUT NR) }' \
        "$repo/tests/config/pool"
    seed_elf "$dir/elf"
    seed_ld_cache "$dir/ld.so.cache"
    seed_ext "$dir/ext"
}
