# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # lists for run.sh, and what it sets for a case
#
# `sshmend prove` (sourced by run.sh): each case has $img, a copy of $system's disk, and a
# directory $dir of its own; it complains, and returns what it is worth.

prove_ci=(bookworm-ext4:prove_sound trixie-ext4:prove_sound trixie-xfs:prove_broken bookworm-xfs:prove_killed
    bookworm-xfs:prove_refused)
prove_full=("${prove_ci[@]}" bookworm-xfs:prove_sound trixie-xfs:prove_sound bookworm-ext4:prove_one_key
    bookworm-xfs:prove_false_key trixie-ext4:prove_regenerated bookworm-xfs:prove_bare trixie-ext4:prove_no_fallback bookworm-ext4:prove_device)

declare -A boots_by=([bookworm-ext4]=bios [bookworm-xfs]=kernel [trixie-ext4]=uefi [trixie-xfs]=bios)

# prove_run CODE ARGUMENT…: its exit code; not a byte of the disk is changed, and nothing is left.
prove_run() {
    local expected=$1 code=0 before
    shift
    before=$(b2sum <"$img")
    mkdir -p "$dir/tmp"
    TMPDIR=$dir/tmp "$SSHMEND" prove --json "$@" >"$dir/out" 2>"$dir/err" || code=$?
    [[ $(b2sum <"$img") == "$before" ]] || { complain 'prove has changed the disk' && return 1; }
    [[ -z $(ls -A "$dir/tmp") ]] || { complain "prove has left $(ls -A "$dir/tmp")" && return 1; }
    [[ $code == "$expected" ]] || { complain "exit $code: $(head -c 2000 "$dir/out" "$dir/err")" && return 1; }
}

# said FILTER: of the JSON; true where jq says so.
said() { jq -e "$1" "$dir/out" >/dev/null || { complain "not so: $1: $(head -c 2000 "$dir/out")" && return 1; }; }

in_system() {
    system_mount "$img"
    (cd "$MNT" && eval "$1") >"$dir/break" 2>&1 || { complain "$(tail -n 1 "$dir/break")" && return 1; }
    system_umount
}

# Its own boot loader, or kernel; its own network, static or not.
prove_sound() {
    prove_run 0 "$img" && said ".boot == \"${boots_by[$system]}\"" && said '.banner | startswith("SSH-2.0-OpenSSH_")' &&
        said '[.keys[] | .served] == [true, true, true]' && said '.seconds > 0' && said 'has("problem") | not'
}

prove_broken() {
    in_system 'echo "PermitRootLogn yes" >>etc/ssh/sshd_config' && prove_run 4 --timeout 100 "$img" &&
        said '[.keys[] | .served] == [false, false, false]' && said '.problem | test("nothing serves SSH on port 22")' &&
        said '(.console | length) > 0' && said 'has("banner") | not' || return
    "$SSHMEND" repair --yes --recover=never --quiet "$img"
    prove_run 0 "$img" && said '[.keys[] | .served] == [true, true, true]'
}

prove_one_key() {
    in_system 'chmod 666 etc/ssh/ssh_host_ecdsa_key' && prove_run 4 "$img" &&
        said '[.keys[] | select(.served) | .type] == ["ssh-rsa", "ssh-ed25519"]' && said 'has("problem") | not'
}

# An Ed25519 key whose seed is not that of its public half: sshd loads it and shows it, ssh-keyscan
# believes it, and no client lets it pass.
falsify_key() {
    local key=$1 bytes offset
    bytes=$(sed '1d;$d' "$key" | base64 -d | xxd -p | tr -d '\n')
    # The last string but the comment: 64 bytes, seed and public half.
    offset=$(awk -v text="$bytes" 'BEGIN { print match(text, /00000040/) + 8 }')
    bytes=${bytes:0:offset-1}$(printf '%02x' $((0x${bytes:offset-1:2} ^ 1)))${bytes:offset+1}
    { echo '-----BEGIN OPENSSH PRIVATE KEY-----'; xxd -r -p <<<"$bytes" | base64 -w 70; echo '-----END OPENSSH PRIVATE KEY-----'; } >"$key.new"
    cat "$key.new" >"$key"
    rm "$key.new"
}
prove_false_key() {
    in_system 'falsify_key etc/ssh/ssh_host_ed25519_key' && prove_run 4 "$img" &&
        said '[.keys[] | select(.served) | .type] == ["ssh-rsa", "ecdsa-sha2-nistp256"]' &&
        said '[.notes[] | test("of type ssh-ed25519 that its signatures do not fit")] | any'
}

# Keys that the boot makes are not on the disk, and are told apart.
prove_regenerated() {
    in_system 'rm etc/ssh/ssh_host_*; mkdir etc/systemd/system/ssh.service.d
        printf "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\n" >etc/systemd/system/ssh.service.d/keys.conf' &&
        prove_run 0 "$img" && said '[.keys[] | select(.origin == "generated") | .served] == [true, true, true]' &&
        said '[.keys[] | select(.served | not) | .state] | unique == ["missing"]'
}

# A file system without a partition table, and without anything that boots it.
prove_bare() {
    local offset size
    read -r offset size < <(image_root_partition "$img")
    dd if="$img" of="$dir/bare.img" bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$size" conv=sparse status=none
    mv "$dir/bare.img" "$img"
    prove_run 0 "$img" && said '.boot == "kernel"' && said '.notes[0] | test("booted directly")'
}

# A boot loader that only the lost machine's NVRAM knew of.
prove_no_fallback() {
    mren -i "$img@@1M" ::/EFI/BOOT ::/EFI/debian && prove_run 0 "$img" && said '.boot == "kernel"' &&
        said '.notes[0] | test("no boot loader at EFI/BOOT")'
}

# A block device, held against others while it is looked at.
prove_device() {
    local loop code=0
    loop=$(losetup --find --show "$img")
    prove_run 0 "$loop" || code=1
    losetup -d "$loop"
    return $code
}

# Whatever ends the program ends the machine, and its overlay.
prove_killed() {
    local before pid qemu try
    before=$(b2sum <"$img")
    mkdir "$dir/tmp"
    TMPDIR=$dir/tmp "$SSHMEND" prove "$img" >"$dir/out" 2>&1 &
    pid=$!
    for ((try = 0; try < 300; try++)); do
        qemu=$(pgrep -P "$pid" qemu-system) && break
        sleep 0.1
    done
    [[ -n $qemu ]] || { complain "no machine was started: $(cat "$dir/out")" && return 1; }
    sleep 5
    kill -0 "$qemu" || { complain 'the machine has ended by itself' && return 1; }
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    for ((try = 0; try < 100; try++)); do
        kill -0 "$qemu" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$qemu" 2>/dev/null || { complain 'the machine has outlived sshmend' && return 1; }
    [[ -z $(ls -A "$dir/tmp") ]] || { complain "an overlay is left: $(ls -A "$dir/tmp")" && return 1; }
    [[ $(b2sum <"$img") == "$before" ]] || { complain 'the disk was changed' && return 1; }
}

# What cannot be booted, and why.
prove_refused() {
    local loop code=0
    system_mount "$img"
    "$SSHMEND" prove "$MNT" >"$dir/out" 2>&1
    [[ $? == 8 ]] && grep -q 'a directory cannot be booted' "$dir/out" || { complain "a directory: $(cat "$dir/out")" && code=1; }
    system_umount
    loop=$(losetup --find --show --offset 1048576 "$img")
    mkdir "$dir/mnt"
    mount -o nouuid "$loop" "$dir/mnt"
    "$SSHMEND" prove "$loop" >"$dir/out" 2>&1
    [[ $? == 8 ]] && grep -q 'in use\|mounted' "$dir/out" || { complain "in use: $(cat "$dir/out")" && code=1; }
    umount "$dir/mnt"
    losetup -d "$loop"
    unshare --mount bash -c 'mount --bind /dev/null /usr/bin/qemu-system-x86_64; exec "$@"' sh "$SSHMEND" prove "$img" >"$dir/out" 2>&1
    [[ $? == 8 ]] && grep -q 'package qemu-system-x86' "$dir/out" || { complain "no qemu: $(cat "$dir/out")" && code=1; }
    "$SSHMEND" prove --timeout 0 "$img" >"$dir/out" 2>&1
    [[ $? == 16 ]] || { complain "--timeout 0: $(cat "$dir/out")" && code=1; }
    return $code
}
