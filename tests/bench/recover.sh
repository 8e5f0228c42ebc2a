# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # work, repo and the rows come from run.sh
#
# The search for lost keys, on an ext4 image of 8 GiB that is 87 % full: two keys
# deleted from /etc/ssh; everything else is what a system has.

FIND=${FIND:-$repo/build/release/find}
RECOVER_SIZE=${RECOVER_SIZE:-8G}
RECOVER_RUNS=${RECOVER_RUNS:-5}

used_percent() { df --output=pcent "$work/mnt" | tail -n 1 | tr -d ' %'; }

# Copies of what is below /usr, until it is as full as it has to be.
fill_recover() {
    local number=0 directory
    while :; do
        for directory in /usr/share /usr/lib /usr/bin /usr/include; do
            (($(used_percent) < 87)) || return 0
            mkdir -p "$work/mnt/$number"
            timeout 300 cp -r "$directory" "$work/mnt/$number/" 2>/dev/null &
            while kill -0 $! 2>/dev/null; do
                (($(used_percent) < 87)) || kill $! 2>/dev/null || true
                sleep 0.2
            done
            wait $! || true
        done
        number=$((number + 1))
    done
}

make_lost() {
    truncate -s "$RECOVER_SIZE" "$work/lost.img"
    mkfs.ext4 -q "$work/lost.img"
    mount -o loop,nodiscard "$work/lost.img" "$work/mnt"
    mkdir -p "$work/mnt/etc/ssh"
    ssh-keygen -q -t ed25519 -N '' -f "$work/lost_a"
    ssh-keygen -q -t rsa -b 3072 -N '' -f "$work/lost_b"
    cp "$work/lost_a" "$work/lost_b" "$work/mnt/etc/ssh"
    fill_recover
    sync -f "$work/mnt"
    rm "$work/mnt/etc/ssh"/lost_*
    lost_inode=$(stat -c %i "$work/mnt/etc/ssh")
    umount "$work/mnt"
    cat "$work/lost.img" >/dev/null
}

# A key that is nowhere: all of the image is searched.
find_nothing() { "$FIND" "$1" --volume 0 0 "$2" "$lost_inode" --fingerprint SHA256:none >/dev/null; }
find_lost() {
    "$FIND" "$1" --volume 0 0 ext4 "$lost_inode" --want "$work/lost_a.pub" --want "$work/lost_b.pub" |
        grep -q end=all-found
}
read_all() { dd if="$1" of=/dev/null bs=1M status=none "${@:2}"; }
# Into a file: with /dev/null for output grep ends at the first line.
by_rg() { rg -a -b -o -F -e '-----BEGIN ' "$1" >"$work/matches"; }
by_grep() { grep -a -b -o -F -e '-----BEGIN ' "$1" >"$work/matches"; }

# versus NAME LIMIT OURS… -- THEIRS…
versus() {
    local name=$1 limit=$2 i ours=() theirs
    shift 2
    while [[ $1 != -- ]]; do
        ours+=("$1")
        shift
    done
    theirs=("${@:2}")
    rm -f "$work/ours" "$work/theirs"
    for ((i = 0; i < RECOVER_RUNS; i++)); do
        seconds "${ours[@]}" >>"$work/ours"
        seconds "${theirs[@]}" >>"$work/theirs"
    done
    ratio_row "$name" "$work/ours" "$work/theirs" "$limit"
}

bench_recover() {
    local loop image=$work/lost.img
    make_lost
    versus 'search all / read by 1 MiB (s)' '<= 1.1' find_nothing "$image" ext4 -- read_all "$image"
    versus 'search all / rg -a -F (s)' '<= 1.0' find_nothing "$image" ext4 -- by_rg "$image"
    versus 'search all / grep -a -F (s)' '<= 0.33' find_nothing "$image" ext4 -- by_grep "$image"
    versus 'all lost keys / read all (s)' '<= 0.3' find_lost "$image" -- read_all "$image"
    loop=$(losetup --find --show --read-only --direct-io=on "$image")
    RECOVER_RUNS=2
    versus 'cold device: all / O_DIRECT (s)' '<= 1.1' find_nothing "$loop" ext4 -- \
        read_all "$loop" iflag=direct
    versus 'cold device: lost / all (s)' '<= 0.3' find_lost "$loop" -- read_all "$loop" iflag=direct
    losetup --detach "$loop"
    usage_row 'search, peak resident (KiB)' '%M 0' '<= 65536' "$FIND" "$image" \
        --volume 0 0 ext4 "$lost_inode" --fingerprint SHA256:none
}
