# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # work, img, FIND come from run.sh
#
# Disks that lie, break or shrink: nothing is found that is not there, what is there is
# found all the same, and time and memory stay bounded (sourced by run.sh).

wanted=() # options of FIND that want all four old keys

case_bad() {
    local name=$1
    shift
    if ("$@" >"$work/bad.log" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        tail -n 20 "$work/bad.log"
    fi
}

# expect PATTERN COUNT: so many lines of the last search match.
expect() {
    local count
    count=$(grep -cE "$1" "$work/out" || true)
    [[ $count == "$2" ]] || { echo "$count lines match $1, not $2:"; cat "$work/out"; return 1; }
}

search() { timeout 120 "$FIND" "$img" "$@" >"$work/out"; }
noise() { head -c "$1" /dev/urandom; }
old() { cat "$work/old/ssh_host_$1_key"; }

bad_noise() {
    noise 8M >"$img"
    search "${wanted[@]}"
    expect '^(proven|torn|encrypted)' 0
    expect 'end=exhausted' 1
}

bad_headers() {
    yes -- '-----BEGIN OPENSSH PRIVATE KEY-----' | head -n 1000000 >"$img"
    old rsa3072 >>"$img"
    search "${wanted[@]}"
    expect '^proven file .* 2 SHA256' 1
}

bad_dashes() {
    { head -c 8M /dev/zero | tr '\0' -; echo; old ecdsa; } >"$img"
    search "${wanted[@]}"
    expect '^proven' 1
}

# Keys of somebody else, with the right comment: told, never handed out.
bad_planted() {
    rm -rf "$work/kept" && mkdir "$work/kept"
    { noise 99999; cat "$work"/new/*_key; noise 5000; } >"$img"
    search "${wanted[@]}" --keep "$work/kept"
    expect '^proven .* -1 SHA256' 4
    [[ -z $(ls "$work/kept") ]] || { echo 'a key nobody asked for was handed out'; return 1; }
    search --comment root@lost
    expect '^proven .* 0\? SHA256' 4
}

bad_encrypted() {
    ssh-keygen -q -t ed25519 -N secret -f "$work/locked"
    { noise 70001; cat "$work/locked"; noise 5000; } >"$img"
    search --want "$work/locked.pub"
    rm -f "$work/locked" "$work/locked.pub"
    expect '^encrypted file .* 0 SHA256' 1
}

bad_torn() {
    { noise 4096; old rsa4096 | head -c 1500; noise 5000; } >"$img"
    search "${wanted[@]}"
    expect '^torn file .* 3 SHA256' 1
    expect '^proven' 0
}

# The blocks of a key, not in their places.
bad_split() {
    local piece
    old rsa4096 >"$work/key"
    split -b 1024 -d "$work/key" "$work/piece."
    {
        noise 4096
        cat "$work/piece.00"
        noise 8192
        for piece in 02 01; do
            cat "$work/piece.$piece"
            noise 3072
        done
        cat "$work/piece.03"
        noise 5000
    } >"$img"
    search "${wanted[@]}"
    rm -f "$work/key" "$work"/piece.*
    expect '^proven joined .* 4096 3 SHA256' 1
}

bad_wrapped() {
    {
        noise 5000
        old ed25519 | sed 's/^/    /'
        noise 5000
        old ecdsa | sed 's/$/\r/'
        noise 5000
        old rsa3072 | awk '{ printf "%s\\n", $0 }'
        noise 5000
    } >"$img"
    search "${wanted[@]}"
    expect '^proven file' 3
}

bad_packed() {
    mkdir -p "$work/etc"
    cp "$work"/old/* "$work/etc"
    { noise 8192; tar -C "$work" -cz etc; } >"$img"
    truncate -s %4096 "$img"
    search "${wanted[@]}"
    expect '^proven gzip' 4
    { noise 8192; tar -C "$work" -c etc | zstd -q; } >"$img"
    truncate -s %4096 "$img"
    rm -rf "${work:?}/etc"
    search "${wanted[@]}"
    expect '^proven zstd' 4
}

# A few hundred bytes that unpack to a gigabyte, a thousand times.
bad_bombs() {
    local i
    head -c 1G /dev/zero | zstd -q >"$work/bomb"
    head -c 200M /dev/zero | gzip -9 >"$work/bomb.gz"
    truncate -s %4096 "$work/bomb" "$work/bomb.gz"
    for ((i = 0; i < 100; i++)); do
        cat "$work/bomb"
    done >"$img"
    for ((i = 0; i < 20; i++)); do
        cat "$work/bomb.gz"
    done >>"$img"
    old ed25519 >>"$img"
    rm -f "$work/bomb" "$work/bomb.gz"
    search "${wanted[@]}"
    expect '^proven file .* 0 SHA256' 1
}

# Through a loop device, so that it is read, not mapped; reads fail here and there.
bad_sectors() {
    local loop
    { noise 3M; old ed25519; noise 3M; old rsa3072; } >"$img"
    truncate -s 8M "$img"
    loop=$(losetup --find --show --read-only "$img")
    ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/strace" -e trace=pread64 \
        -e inject=pread64:error=EIO:when=4+9 "$FIND" "$loop" "${wanted[@]}" >"$work/out"
    losetup --detach "$loop"
    grep -q INJECTED "$work/strace" || { echo 'nothing was injected'; return 1; }
    expect '^proven file .* [02] SHA256' 2
    expect ' failed=[1-9]' 1
}

# All of it fails: said, and at an end soon.
bad_dead() {
    local loop
    noise 4M >"$img"
    loop=$(losetup --find --show --read-only "$img")
    ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$work/strace" -e trace=pread64 \
        -e inject=pread64:error=EIO:when=20+ "$FIND" "$loop" "${wanted[@]}" >"$work/out"
    losetup --detach "$loop"
    expect ' failed=[1-9]' 1
    expect '^proven' 0
}

# The image is cut while it is mapped: SIGBUS is no end.
bad_shrinking() {
    local pid
    { noise 64M; noise 192M; } >"$img"
    "$FIND" "$img" "${wanted[@]}" --stop-at-first >"$work/out" &
    pid=$!
    while [[ $(ps -o state= -p "$pid") != T ]]; do
        sleep 0.02
    done
    truncate -s 1M "$img"
    kill -CONT "$pid"
    wait "$pid"
    expect ' failed=[1-9]' 1
    expect 'end=exhausted' 1
}

bad_cancel() {
    noise 256M >"$img"
    search "${wanted[@]}" --cancel-after 1
    expect 'end=cancelled' 1
}

# An ext4 whose superblock and bitmaps lie: searched all the same, and nothing crashes.
bad_bitmaps() {
    local i offset
    for ((i = 0; i < 40; i++)); do
        rm -f "$img"
        truncate -s 16M "$img"
        mkfs.ext4 -q -b 1024 "$img"
        old rsa3072 | dd of="$img" bs=1024 seek=9000 conv=notrunc status=none
        for offset in $((1024 + RANDOM % 256)) $((2048 + RANDOM % 1024)) $((1024 + RANDOM % 1024)); do
            noise 4 | dd of="$img" bs=1 seek="$offset" conv=notrunc status=none
        done
        search "${wanted[@]}" --volume 0 0 ext4 12
        expect '^proven file .* 2 SHA256' 1 || return 1
    done
}

# Memory is that of the release build: sanitizers need their own.
bad_memory() {
    truncate -s 0 "$img"
    { noise 300M; old ecdsa; } >"$img"
    "$repo/build/release/find" "$img" "${wanted[@]}" >"$work/out"
    expect '^proven' 1
    (($(sed -n 's/.*peak_kb=//p' "$work/out") <= 65536)) || { cat "$work/out"; return 1; }
}

run_bad() {
    local type name
    for type in "${types[@]}"; do
        wanted+=(--want "$work/old/ssh_host_${type}_key.pub")
    done
    for name in $(declare -F | sed -n 's/^declare -f bad_//p'); do
        case_bad "$name" "bad_$name"
    done
}
