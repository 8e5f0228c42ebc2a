# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from run.sh
#
# Disks made by somebody who means harm: each hostile_NAME of hostile-cases.sh
# turns a healthy tree into such a one. No command crashes, hangs, breaks its
# JSON, lets a control character through, or touches anything of this machine.

# shellcheck source=tests/fault/hostile-cases.sh
. "$fault_dir/hostile-cases.sh"

CANARY=$WORK/canary
TIME_MAX=120

# --- the canary: files of this machine that links on the disk point at ---

# Their modes ask for repair, their content for being believed; strictatime shows reading.
make_canary() {
    mkdir -p "$CANARY"
    mount -t tmpfs -o strictatime,mode=755 none "$CANARY"
    cp "$WORK/tree/etc/ssh/"* "$WORK/tree/etc/"{passwd,group,shadow,os-release} "$CANARY"
    : >"$CANARY/empty_key"
    printf '#!/bin/sh\ntouch %s/executed\n' "$CANARY" >"$CANARY/command"
    chmod 0777 "$CANARY"/*
    touch -a -d @0 "$CANARY"/*
    look_at_canary >"$WORK/canary.state"
}

look_at_canary() {
    "$WORK/state" "$CANARY"
    stat -c '%n %y %z' "$CANARY"
    stat -c '%n %x %y %z' "$CANARY"/*
}

expect_canary_untouched() {
    look_at_canary >"$HERE/canary"
    expect_equal_files "$WORK/canary.state" "$HERE/canary" 'this machine was touched'
}

# Each is seen: a read, a new mode, a new file.
canary_control() {
    local deed
    for deed in 'cat ssh_host_rsa_key' 'chmod 0600 empty_key' 'touch new'; do
        (cd "$CANARY" && $deed >/dev/null)
        if (expect_canary_untouched) 2>/dev/null; then
            fail "'$deed' was not seen"
        fi
        look_at_canary >"$WORK/canary.state"
    done
    rm "$CANARY/new"
    look_at_canary >"$WORK/canary.state"
}

# --- one command on it ---

# Bytes that would do something to a terminal: C0 but newline and tab, DEL, C1,
# and the marks that change the direction of text.
UNCLEAN='[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]'

expect_clean() {
    if grep -qaP "$UNCLEAN" "$1"; then
        fail "raw control characters in: $(grep -aP "$UNCLEAN" "$1" | head -n 2 | cat -v)"
    fi
    iconv -f UTF-8 -t UTF-8 "$1" >/dev/null 2>&1 ||
        fail "not UTF-8: $(head -c 300 "$1" | cat -v)"
}

clean_control() {
    local text
    for text in 'a\033[31mb' 'a\rb' 'a\302\233b' 'a\342\200\256b' 'a\377b'; do
        # shellcheck disable=SC2059 # the escapes are meant
        printf "$text" >"$HERE/unclean"
        if (expect_clean "$HERE/unclean") 2>/dev/null; then
            fail "$text was not seen"
        fi
    done
}

expect_json_lines() {
    jq -es 'all(.[]; .schema == "sshmend/1")' "$HERE/out" >/dev/null 2>"$HERE/jq" ||
        fail "not JSON: $(head -c 300 "$HERE/out" | cat -v) $(<"$HERE/jq")"
}

expect_no_report() {
    if grep -qE 'Sanitizer|runtime error:' "$HERE/err"; then
        fail "sanitizer: $(grep -E 'Sanitizer|runtime error:| #[0-5] ' "$HERE/err" | head -n 8)"
    fi
}

# brave COMMAND…: it ends, in time, with an exit code of its own.
brave() {
    expect_exit 0,1,4,8 timeout --signal=KILL "$TIME_MAX" "$SANITIZED" "$@"
    expect_no_report
    expect_clean "$HERE/out"
    expect_clean "$HERE/err"
    [[ " $* " != *' --json '* ]] || expect_json_lines
}

brave_looks() {
    brave scan "$1"
    brave check "$1"
    brave check --json --verbose "$1"
    brave keys "$1"
    brave repair --dry-run --strict "$1"
}

brave_repairs() {
    brave repair --yes --recover=never --json "$1"
    brave repair --yes --recover=never --strict --verbose "$1"
    brave check "$1"
}

brave_undos() {
    brave undo --list --json "$1"
    brave undo "$1"
}

# --- images ---

hostile_image() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.img" "$disk"
    change_image "$disk" "hostile_$1"
    accounts_of "$disk" >"$HERE/accounts.old"
    brave_looks "$disk"
    brave_repairs "$disk"
    accounts_of "$disk" >"$HERE/accounts.new"
    expect_accounts_sound
    brave_undos "$disk"
    expect_canary_untouched
    expect_nothing_attached
    expect_fsck_clean "$disk" ext4
}

# "PATH MODE CONTENT" of what no mending of sshd may replace, close or open.
accounts_of() {
    tree_of "$1" ro >"$HERE/now"
    awk -F '\t' '$1 ~ /^\/etc\/(shadow|passwd|group)$/ { print $1, $3, $10 }' "$HERE/now"
}

# A disk may say that its key is its shadow file, by a link or by a HostKey line.
expect_accounts_sound() {
    local path mode content now
    while read -r path mode content; do
        now=$(grep "^$path " "$HERE/accounts.new") || fail "$path is gone"
        [[ ${now##* } == "$content" ]] || fail "$path was replaced"
        now=${now#* }
        now=${now% *}
        [[ $path != */shadow ]] || (((8#$now & ~8#$mode & 8#77) == 0)) ||
            fail "$path was opened: $mode became $now"
        [[ $path == */shadow ]] || (((8#$mode & ~8#$now & 8#444) == 0)) ||
            fail "$path was closed: $mode became $now"
    done <"$HERE/accounts.old"
}

# Each is seen.
accounts_control() {
    local line
    printf '%s\n' '/etc/shadow 640 5:a' '/etc/passwd 644 5:b' >"$HERE/accounts.old"
    cp "$HERE/accounts.old" "$HERE/accounts.new"
    expect_accounts_sound
    for line in '/etc/shadow 644 5:a' '/etc/shadow 640 5:c' '/etc/passwd 600 5:b'; do
        sed "s|^${line%% *} .*|$line|" "$HERE/accounts.old" >"$HERE/accounts.new"
        if (expect_accounts_sound) 2>/dev/null; then
            fail "$line was not seen"
        fi
    done
}

# The image itself is what is wrong: nothing to compare afterwards.
hostile_disk() {
    local disk=$HERE/disk.img
    cp --sparse=always "$WORK/ext4.img" "$disk"
    "damage_$1" "$disk"
    brave_looks "$disk"
    brave_repairs "$disk"
    brave_undos "$disk"
    expect_canary_untouched
    expect_nothing_attached
}

# What sshd cannot read, or never ends to, is not fine.
not_healthy() {
    cp --sparse=always "$WORK/ext4.img" "$HERE/disk.img"
    change_image "$HERE/disk.img" "hostile_$1"
    expect_exit 4,8 "$SANITIZED" check "$HERE/disk.img"
}

terminal() {
    local disk=$HERE/disk.img code=0
    cp --sparse=always "$WORK/ext4.img" "$disk"
    change_image "$disk" hostile_os_release
    NO_COLOR=1 TERM=xterm timeout --signal=KILL "$TIME_MAX" \
        script -qec "'$SANITIZED' check '$disk'" "$HERE/typescript" </dev/null >/dev/null || code=$?
    ((code == 0 || code == 4)) || fail "exit $code"
    # What script adds itself: its own two lines, and the terminal's carriage returns.
    sed -e '/^Script /d' -e 's/\r$//' "$HERE/typescript" >"$HERE/out"
    grep -q 'disk.img' "$HERE/out" || fail 'it said nothing'
    expect_clean "$HERE/out"
}

# Of what the operator names, and of a subvolume.
odd_image_name() {
    local disk=$HERE/$ODD_WORD.img
    disk=${disk//[$'\n']/}
    cp --sparse=always "$WORK/ext4.broken" "$disk"
    brave_looks "$disk"
    brave_repairs "$disk"
    brave_undos "$disk"
    rm "$disk"
    expect_nothing_attached
}

fill_odd_subvolume() {
    local name
    for name in plain "$ODD_WORD"$'\n' '-o'; do
        btrfs -q subvolume create "$MNT/./$name"
        cp -a "$WORK/tree/." "$MNT/./$name"
        chmod 0777 "$MNT/./$name/$KEY"
    done
}
odd_subvolumes() {
    local disk=$HERE/disk.img
    rm -f "$disk"
    truncate -s 120M "$disk"
    mkfs.btrfs -q "$disk" >/dev/null
    change_image "$disk" fill_odd_subvolume
    brave_looks "$disk"
    [[ $("$SANITIZED" scan --json "$disk" | wc -l) == 3 ]] || fail 'not all systems are listed'
    brave repair --yes --recover=never --all --json "$disk"
    expect_exit 0 "$SANITIZED" check "$disk"
    expect_nothing_attached
    expect_fsck_clean "$disk" btrfs
}

same_uuid_twice() {
    cp --sparse=always "$WORK/ext4.img" "$HERE/disk.img"
    cp --sparse=always "$WORK/ext4.broken" "$HERE/twin.img"
    brave check --json "$HERE/disk.img" "$HERE/twin.img"
    [[ $(wc -l <"$HERE/out") == 2 ]] || fail 'not one line a system'
    [[ $(jq -s 'map(.verdict) | join(" ")' "$HERE/out") == '"healthy broken"' ]] ||
        fail "$(jq -c .verdict "$HERE/out")"
}

# Options in the superblock that do not go with leaving the journal alone.
mount_options() {
    cp --sparse=always "$WORK/ext4.img" "$HERE/disk.img"
    tune2fs -E mount_opts="$1" "$HERE/disk.img" >/dev/null
    expect_exit 0 "$SANITIZED" check "$HERE/disk.img"
}

attached_elsewhere() {
    local loop
    cp --sparse=always "$WORK/ext4.broken" "$HERE/disk.img"
    loop=$(losetup --find --show "$HERE/disk.img")
    mount "$loop" "$MNT"
    expect_exit 8 "$SANITIZED" repair --yes --recover=never "$HERE/disk.img"
    expect_exit 8 "$SANITIZED" repair --yes --recover=never "$loop"
    umount "$MNT"
    losetup --detach "$loop"
    expect_tree "$HERE/disk.img" "$WORK/ext4.old" 'changed though in use'
}

# --- mounted trees ---

fresh_tree() {
    rm -rf "$HERE/root"
    cp -a "$WORK/tree" "$HERE/root"
}

# C4 13: what is checked and what is used may be two things.
swapped_links() {
    local key=$HERE/root/etc/ssh/ssh_host_rsa_key swapper round
    fresh_tree
    chmod 0777 "$key"
    ln -s "$CANARY/ssh_host_rsa_key" "$key.link"
    perl -e 'while (1) { rename $ARGV[0], "$ARGV[0].x"; rename "$ARGV[0].link", $ARGV[0];
        rename $ARGV[0], "$ARGV[0].link"; rename "$ARGV[0].x", $ARGV[0]; }' "$key" &
    swapper=$!
    for ((round = 0; round < 8; round++)); do
        brave repair --yes --recover=never "$HERE/root"
        chmod 0777 "$HERE/root/etc/ssh/ssh_host_ecdsa_key"
    done
    kill "$swapper"
    wait "$swapper" || true
    expect_canary_untouched
}

# C4 33: another file system of this machine, mounted inside the tree.
mount_inside() {
    fresh_tree
    mount --bind "$CANARY" "$HERE/root/home"
    echo 'HostKey /home/ssh_host_rsa_key' >>"$HERE/root/etc/ssh/sshd_config"
    brave check "$HERE/root"
    umount "$HERE/root/home"
}

running_system() {
    expect_exit 8 "$SANITIZED" repair --yes --recover=never /
    expect_exit 8 "$SANITIZED" repair --yes --recover=never /etc/..
    mkdir -p "$HERE/bind"
    mount --bind / "$HERE/bind"
    expect_exit 8 "$SANITIZED" repair --yes --recover=never "$HERE/bind"
    umount "$HERE/bind"
}

# --- random damage ---

FUZZED=(etc/ssh/sshd_config etc/passwd etc/group etc/os-release usr/sbin/sshd
    etc/ssh/ssh_host_{rsa,ecdsa,ed25519}_key{,.pub} root/.ssh/authorized_keys)

# mutate FILE SEED: cut off somewhere, or some bytes are others.
mutate() {
    perl -e '
        my ($file, $seed) = @ARGV;
        srand($seed);
        open(my $in, "<:raw", $file) or die; local $/; my $text = <$in>; close $in;
        if ($seed % 3 == 0) { $text = substr($text, 0, int(rand(length $text))); }
        elsif ($seed % 3 == 1) { substr($text, int(rand(length $text)), 1) ^= chr(1 << int(rand(8)))
            for 0 .. int(rand(3)); }
        else { substr($text, int(rand(length $text)), 1 + int(rand(16))) =
            join "", map { chr(int(rand(256))) } 1 .. int(rand(40)); }
        open(my $out, ">:raw", $file) or die; print $out $text; close $out;' "$1" "$2"
}

mutated_file() {
    fresh_tree
    cp "$WORK/long_config" "$HERE/root/etc/ssh/sshd_config"
    mutate "$HERE/root/$1" "$2"
    cp "$HERE/root/$1" "$HERE/mutated"
    brave check --json --verbose "$HERE/root"
    brave repair --yes --recover=never "$HERE/root"
    # A parser that reads past its end, or never, does so on the second look too.
    brave keys "$HERE/root"
}

mutations_of_files() {
    local file seed
    for file in "${FUZZED[@]}"; do
        for seed in {1..9}; do
            echo "$file" "$seed"
        done
    done
}

make_long_config() {
    cat >"$WORK/long_config" <<'END'
# A comment
Include /etc/ssh/sshd_config.d/*.conf
Port 22
ListenAddress 0.0.0.0
HostKey /etc/ssh/ssh_host_rsa_key
HostKey "/etc/ssh/ssh_host_ecdsa_key"
HostKey = /etc/ssh/ssh_host_ed25519_key
Ciphers aes128-ctr,aes256-gcm@openssh.com
KexAlgorithms +diffie-hellman-group14-sha256
PermitRootLogin prohibit-password
AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2
StrictModes yes
UsePAM yes
Subsystem sftp /usr/lib/openssh/sftp-server
Match User root Address 192.0.2.0/24
    PasswordAuthentication no
END
}

try_image() { point "hostile: $1" hostile_image "$1"; }
try_disk() { point "hostile disk: $1" hostile_disk "$1"; }
try_mutated() { point "mutated: $1 $2" mutated_file "$@"; }

# hostile_NAME and damage_NAME, without their prefixes.
names_of() { compgen -A function "$1" | sed "s/^$1//"; }

part_hostile() {
    local option name
    make_canary
    make_long_config
    point 'hostile: the canary sees' canary_control
    point 'hostile: unclean output is seen' clean_control
    point 'hostile: damage to accounts is seen' accounts_control
    names_of hostile_ | grep -vxE 'image|disk' | in_parallel hostile try_image
    names_of damage_ | in_parallel hostile try_disk
    for name in fifo_config zero_config sparse_config key_to_canary fifo_key ssh_to_canary; do
        point "hostile: $name is not healthy" not_healthy "$name"
    done
    point 'hostile: on a terminal' terminal
    point 'hostile: an odd name of an image' odd_image_name
    point 'hostile: odd names of subvolumes' odd_subvolumes
    point 'hostile: two disks of one UUID' same_uuid_twice
    point 'hostile: a disk that is mounted' attached_elsewhere
    for option in commit=1 data=writeback nodelalloc; do
        point "hostile: mount option $option" mount_options "$option"
    done
    point 'hostile: a link swapped during the run' swapped_links
    point 'hostile: a mount inside a tree' mount_inside
    point 'hostile: the running system' running_system
    mutations_of_files | in_parallel hostile try_mutated
    umount "$CANARY"
}
