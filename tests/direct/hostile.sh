# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir comes from the harness
#
# Disks made by somebody who means harm. Whatever is on them: an answer in time, an exit code of the
# contract, not a byte written by check, no child left behind; and where e2fsck found nothing to say
# before a repair, it finds nothing after it.

# shellcheck source=tests/direct/variants.sh
. "$PART_DIR/variants.sh"
CANARY=$WORK/canary
# shellcheck source=tests/fault/hostile-cases.sh
. "$fault_dir/hostile-cases.sh"

SEEDS=${FULL:+1500}
SEEDS=${SEEDS:-60}
TIME_MAX=60

# Exit codes of a command that has neither crashed nor been misused.
answers() {
    local code=0
    timeout --signal=KILL "$TIME_MAX" "$SANITIZED" "$@" >"$HERE/out" 2>"$HERE/err" </dev/null || code=$?
    case $code in
    0 | 1 | 4 | 8) ;;
    *) fail "exit $code: $*: $(tail -c 400 "$HERE/err")" ;;
    esac
    ANSWER=$code
    ! grep -qE 'AddressSanitizer|runtime error' "$HERE/err" || fail "$(head -c 600 "$HERE/err")"
    ! grep -qE 'its reader (ended|did not)' "$HERE/err" || fail "the child ended: $(tail -c 400 "$HERE/err")"
    ! pgrep -f "$HERE/disk.img" >/dev/null || fail 'a child is left'
}

looked_at() {
    answers check --json --access=direct "$HERE/disk.img"
    [[ ! -s $HERE/out ]] || jq -e . "$HERE/out" >/dev/null || fail "not JSON: $(head -c 300 "$HERE/out")"
    cmp -s "$HERE/disk.img" "$HERE/before" || fail 'check has changed the disk'
}

repaired() {
    local sound=no
    ! e2fsck -fn "$HERE/disk.img" >/dev/null 2>&1 || sound=yes
    answers repair --yes --recover=never --access=direct "$HERE/disk.img"
    ((ANSWER != 8)) || cmp -s "$HERE/disk.img" "$HERE/before" || replays "$HERE/before" ||
        fail "refused, and changed: $(tail -c 300 "$HERE/err")"
    [[ $sound == no ]] || expect_fsck_clean "$HERE/disk.img" ext4
}

# Its journal was there to be replayed: that is a change of its own.
replays() { dumpe2fs -h "$1" 2>/dev/null | grep -q needs_recovery; }

hold_against() {
    cp --sparse=always "$HERE/disk.img" "$HERE/before"
    looked_at
    repaired
}

# ---- what a sound file system may hold ------------------------------------------------------

# Those of the fault tests: both doors see the same, whatever it is, in files that are none, are
# endless, or lead into a circle. With "full", in all of them.
TREES='ssh_to_itself key_link_loop key_link_chain fifo_config zero_include socket_key sparse_config
    sparse_passwd names fstab crowd'

# A hundred thousand files, half of them keys by their names.
hostile_crowd() {
    (cd "$MNT/etc/ssh" && perl -e 'for (1 .. 50000) {
        link "ssh_host_rsa_key", "ssh_host_${_}_key" or die; link "ssh_host_rsa_key.pub", "file$_" or die }')
}

judged() { jq -S '[.verdict, .error.kind, (.findings // [] | map([.id, .path, .message]))]' "$HERE/out"; }

hostile_tree() {
    cp --sparse=always "$WORK/ext4.img" "$HERE/disk.img"
    change_image "$HERE/disk.img" "hostile_$1"
    answers check --json --access=mount "$HERE/disk.img"
    judged >"$HERE/mounted"
    answers check --json --access=direct "$HERE/disk.img"
    judged >"$HERE/direct"
    expect_equal_files "$HERE/mounted" "$HERE/direct" 'the doors differ'
    hold_against
}

try_tree() { point "hostile tree: $1" hostile_tree "$1"; }

trees() { [[ $FULL ]] && declare -F | sed -n 's/^declare -f hostile_//p' | grep -vx tree || xargs -n 1 <<<"$TREES"; }

# ---- random damage --------------------------------------------------------------------------

# damage SEED: some bytes, or a block, of where the file system keeps its own things.
damage() {
    awk -v seed="$1" -v used="$2" 'BEGIN {
        srand(seed)
        count = 1 + int(rand() * 12)
        for (i = 0; i < count; i++) {
            at = rand() < 0.3 ? 1024 + int(rand() * 1024) : int(rand() * used)
            printf "%d %d\n", at, int(rand() * 256)
        }
    }' | while read -r at byte; do
        # shellcheck disable=SC2059 # the byte is the format
        printf "\\x$(printf %02x "$byte")" |
            dd of="$HERE/disk.img" bs=1 seek="$at" conv=notrunc status=none
    done
}

random_damage() {
    cp --sparse=always "$WORK/$1.broken" "$HERE/disk.img"
    damage "$2" "$3"
    hold_against
}

# A journal that holds something is damaged where that stands.
journal_damage() {
    local start
    cp --sparse=always "$WORK/dirty.img" "$HERE/disk.img"
    start=$(($(block_of '<8>' 0) * 1024))
    awk -v seed="$1" 'BEGIN {
        srand(seed)
        for (i = 1 + int(rand() * 8); i > 0; i--)
            printf "%d %d\n", rand() < 0.2 ? int(rand() * 256) : int(rand() * 120) * 1024 + int(rand() * 64), int(rand() * 256)
    }' | while read -r at byte; do
        # shellcheck disable=SC2059 # the byte is the format
        printf "\\x$(printf %02x "$byte")" |
            dd of="$HERE/disk.img" bs=1 seek=$((start + at)) conv=notrunc status=none
    done
    cp --sparse=always "$HERE/disk.img" "$HERE/before"
    looked_at
}

try_journal_damage() { point "a damaged journal: $*" journal_damage "$@"; }

# tune2fs wants it checked since its last mount, which may have been a second later than the last check.
drop_checksums() {
    e2fsck -fy "$HERE/disk.img" >/dev/null 2>&1 || true
    tune2fs -O ^metadata_csum "$HERE/disk.img" >/dev/null 2>&1
}

make_dirty() {
    cp --sparse=always "$WORK/small.broken" "$HERE/disk.img"
    # What is not checked by a checksum can be damaged to the full.
    drop_checksums
    mount_image "$HERE/disk.img"
    touch "$MNT"/home/new-{1..40}
    sync -f "$MNT"
    cp --sparse=always "$HERE/disk.img" "$WORK/dirty.img"
    unmount_image
}

try_damage() { point "damaged: $*" random_damage "$@"; }

# ---- on purpose -----------------------------------------------------------------------------

edit() { debugfs -w -f - "$HERE/disk.img" >"$HERE/debugfs" 2>&1; }
put() { printf "$2" | dd of="$HERE/disk.img" bs=1 seek="$1" conv=notrunc status=none; }
block_of() { debugfs -R "bmap $1 $2" "$HERE/disk.img" 2>/dev/null; }

craft_root_a_file() { edit <<<'sif / mode 0100644'; }
craft_root_a_link() { edit <<<'sif / mode 0120777'; }
craft_root_deleted() { edit <<<'sif / links_count 0'; }
craft_unknown_incompat() { edit <<<'ssv feature_incompat 0x80000242'; }
craft_unknown_ro_compat() { edit <<<'ssv feature_ro_compat 0x8000007b'; }
craft_negative_size() { edit <<<'sif /etc/passwd size 0xffffffffffffffff'; }
craft_huge_directory() { edit <<<'sif /etc size 0x7fffffffffffff'; }
craft_negative_link() { edit <<<'sif /bin size 0xffffffff'; }
craft_extents_beyond_end() { edit <<<'sif /etc/passwd block[5] 0x7fffffff'; }
craft_shared_blocks() { printf 'sif /etc/passwd %s\n' "block[5] $(block_of /etc/ssh/sshd_config 0)" | edit; }
craft_journal_elsewhere() { edit <<<'ssv journal_inum 12'; }
craft_journal_none() { edit <<<'ssv journal_inum 0'; }
craft_journal_in_etc() { edit <<<'sif <8> mode 0040755'; }
craft_many_groups() { edit <<<'ssv blocks_count 0xfffffff0'; }
craft_no_inodes() { edit <<<'ssv inodes_per_group 0'; }
craft_inode_size() { edit <<<'ssv inode_size 0xffff'; }
craft_block_size() { edit <<<'ssv log_block_size 30'; }
craft_bitmaps_in_superblock() { edit <<<'set_bg 0 block_bitmap 1'; }
craft_table_beyond_end() { edit <<<'set_bg 0 inode_table 0x7ffffff0'; }
craft_encrypted_root() { edit <<<'sif /etc flags 0x800'; }
craft_casefolded() { edit <<<'sif /etc flags 0x40000000'; }
craft_inline_without_feature() { edit <<<'sif /etc/passwd flags 0x10000000'; }
craft_rec_len_zero() { put $(($(block_of /etc 0) * 1024 + 4)) '\0\0'; }
craft_rec_len_long() { put $(($(block_of /etc 0) * 1024 + 4)) '\377\177'; }
craft_names_odd() { put $(($(block_of /etc/ssh 0) * 1024 + 32)) '../\0\033[2J\n`id`'; }
craft_entry_loops() { printf 'ln <2> /etc/ssh/loop\n' | edit; }
craft_hashed_cycle() {
    edit <<<'sif /etc/ssh flags 0x1000'
    put $(($(block_of /etc/ssh 0) * 1024 + 24)) '\0\0\0\0\1\10\1\0\377\0\377\0\0\0\0\0'
}

craft_root_missing() { edit <<<'clri <2>'; }
craft_root_reserved() { edit <<<'freei <2>'; }
craft_etc_missing() { edit <<<'clri /etc'; }
craft_directory_holds_itself() { printf 'ln /etc /etc/ssh/..x\nln /etc/ssh /etc/ssh/itself\n' | edit; }
craft_directory_is_above_itself() { put $(($(block_of /etc/ssh 0) * 1024 + 12)) "$(le32 "$(inode_of /etc/ssh)")"; }
craft_etc_is_root() { edit <<<$'unlink /etc\nln <2> /etc'; }
craft_entry_of_inode_zero() { put $(($(block_of /etc 0) * 1024 + 24)) '\0\0\0\0'; }
craft_entry_of_no_inode() { put $(($(block_of /etc/ssh 0) * 1024 + 24)) '\377\377\377\177'; }
craft_name_longer_than_entry() { put $(($(block_of /etc/ssh 0) * 1024 + 24 + 6)) '\377'; }
craft_bitmap_of_blocks_empty() { zero_block "$(group_says 'Block bitmap at')"; }
craft_bitmap_of_inodes_empty() { zero_block "$(group_says 'Inode bitmap at')"; }
craft_bitmap_without_blocks_of_files() { edit <<<"freeb $(block_of /etc/ssh/sshd_config 0)"; }
craft_table_zeroed() { zero_block "$(($(inode_at /etc/passwd) / 1024))"; }
craft_keys_share_a_block() {
    edit <<<"sif /etc/ssh/ssh_host_ecdsa_key.pub block[5] $(block_of /etc/ssh/ssh_host_rsa_key.pub 0)"
}
craft_file_in_bitmap() { edit <<<"sif /etc/passwd block[5] $(group_says 'Block bitmap at')"; }
craft_directory_in_journal() { edit <<<"sif /etc/ssh block[5] $(block_of '<8>' 2)"; }
craft_extents_of_depth() { put $(($(inode_at /etc/ssh/sshd_config) + 46)) '\5'; }
# An index of extents that leads back to its own block.
craft_extents_in_a_circle() {
    local inode block
    inode=$(inode_at /etc/ssh/sshd_config) block=$(block_of /etc/ssh/sshd_config 0)
    put $((inode + 40)) "\\012\\363\\1\\0\\4\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0$(le32 "$block")\\0\\0\\0\\0"
    put $((block * 1024)) "\\012\\363\\1\\0\\124\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0$(le32 "$block")\\0\\0\\0\\0"
}
craft_checksum_of_superblock() { put $((1024 + 1020)) '\1\2\3\4'; }
craft_checksum_of_descriptors() { edit <<<'set_bg 0 checksum 0x1234'; }
craft_checksum_of_etc() { edit <<<'sif /etc checksum 0x12345678'; }
craft_checksum_of_directory() { put $(($(block_of /etc/ssh 0) * 1024 + 1020)) '\1\2\3\4'; }
craft_attributes_cut() {
    local at
    at=$(attributes_at)
    put $((at + 32)) '\377\177\377\377\377\377\377\377'
}
craft_attributes_no_end() {
    local at
    at=$(attributes_at)
    put $((at + 32)) "$(printf '\\377%.0s' {1..900})"
}
craft_attributes_shared() {
    local at
    at=$(attributes_at)
    edit <<<"sif /etc/passwd file_acl $((at / 1024))"
}
craft_attributes_in_inode() { put $(($(inode_at /etc/ssh/ssh_host_rsa_key) + 160)) '\0\0\2\352\377\7\377\377\377\377\377\377\377\377\377\377'; }
craft_time_of_all() { edit <<<$'sif /etc/passwd mtime 0xffffffff\nsif /etc/passwd ctime_extra 0xffffffff'; }
craft_links_many() { edit <<<'sif /etc/ssh/ssh_host_rsa_key links_count 65535'; }
craft_links_none() { edit <<<'sif /etc/ssh/ssh_host_rsa_key links_count 0'; }
craft_types_confused() { edit <<<$'sif /etc/passwd mode 0060660\nsif /etc/ssh/sshd_config mode 0010644\nsif /etc/ssh/ssh_host_ecdsa_key mode 0170000'; }
craft_passwd_huge() { edit <<<$'sif /etc/passwd size 0x40000000\nsif /etc/ssh/sshd_config size 0x4000000000'; }
craft_first_inode() { edit <<<'ssv first_ino 0xffffffff'; }
craft_blocks_per_group() { edit <<<'ssv blocks_per_group 0xffffffff'; }
craft_descriptor_size() { edit <<<'ssv desc_size 7'; }
craft_inodes_count() { edit <<<'ssv inodes_count 0xffffffff'; }
craft_first_meta_bg() { edit <<<$'feature meta_bg\nssv first_meta_bg 0xffffffff'; }
craft_orphans() { edit <<<'ssv last_orphan 11'; }

# A journal that says it has something, and leads astray when it is replayed.
craft_journal_hostile() {
    local journal=$(($(block_of '<8>' 0) * 1024))
    edit <<<'feature needs_recovery'
    put $((journal + 28)) '\0\0\0\1'
    put $((journal + 1024)) '\300\073\071\230\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\12'
}
craft_journal_in_use() { put $(($(block_of '<8>' 0) * 1024 + 28)) '\0\0\0\1'; }
craft_journal_astray() { edit <<<'sif <8> block[5] 1'; }
craft_attributes_astray() { edit <<<'sif /etc/ssh/ssh_host_rsa_key file_acl 0x7fffffff'; }
craft_attributes_in_superblock() { edit <<<'sif /etc/ssh/ssh_host_rsa_key file_acl 1'; }
craft_extent_header() { put $(($(inode_at /etc) + 42)) '\377\377\377\377\377\177'; }
craft_cut_short() { truncate -s 6M "$HERE/disk.img"; }

# A number as printf has its bytes, least first.
le32() { printf '\\%03o\\%03o\\%03o\\%03o' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
inode_of() { debugfs -R "stat $1" "$HERE/disk.img" 2>/dev/null | sed -n 's/^Inode: *\([0-9]*\).*/\1/p'; }
group_says() { dumpe2fs "$HERE/disk.img" 2>/dev/null | sed -n "s/.*$1 \([0-9]*\).*/\1/p" | head -n 1; }
zero_block() { dd if=/dev/zero of="$HERE/disk.img" bs=1024 seek="$1" count=1 conv=notrunc status=none; }
# Where a key has its attributes, in bytes, once they do not fit into its inode.
attributes_at() {
    local block
    head -c 600 /dev/zero | tr '\0' x >"$HERE/value"
    edit <<<"ea_set -f $HERE/value /etc/ssh/ssh_host_rsa_key user.large"
    block=$(debugfs -R 'stat /etc/ssh/ssh_host_rsa_key' "$HERE/disk.img" 2>/dev/null | sed -n 's/.*File ACL: \([0-9]*\).*/\1/p')
    ((block > 0)) || fail 'there is no block of attributes'
    echo $((block * 1024))
}

# Where the inode of a path stands, in bytes.
inode_at() {
    debugfs -R "imap $1" "$HERE/disk.img" 2>/dev/null |
        sed -n 's/.*located at block \([0-9]*\), offset 0x\([0-9a-f]*\).*/\1 \2/p' |
        while read -r block offset; do echo $((block * 1024 + 16#$offset)); done
}

on_purpose() {
    cp --sparse=always "$WORK/small.broken" "$HERE/disk.img"
    # Without checksums, which would find it all at the first look.
    [[ $2 == checked ]] || drop_checksums
    cp --sparse=always "$HERE/disk.img" "$HERE/sound"
    "craft_$1"
    ! cmp -s "$HERE/disk.img" "$HERE/sound" || fail 'the damage was not done'
    hold_against
}

try_on_purpose() { point "hostile: $*" on_purpose "$@"; }

purposes() { declare -F | sed -n 's/^declare -f craft_//p'; }

make_hostile() {
    local name
    for name in default small plain; do
        point "hostile: $name is made" make_variant "$name"
    done
}

part_hostile() {
    local name seed used
    make_hostile
    trees | in_parallel hostile try_tree
    for name in $(purposes); do
        printf '%s %s\n' "$name" plain "$name" checked
    done | in_parallel hostile try_on_purpose
    for name in default small plain; do
        # Behind its last block in use there is nothing to damage.
        used=$((4 * 1024 * 1024))
        for ((seed = 1; seed <= SEEDS; seed++)); do echo "$name" "$seed" "$used"; done
    done | in_parallel hostile try_damage
    point 'a damaged journal: is made' make_dirty
    for ((seed = 1; seed <= SEEDS; seed++)); do echo "$seed"; done | in_parallel hostile try_journal_damage
}
