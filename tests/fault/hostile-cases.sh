# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC1003,SC2016 # quotes that do not fit, and words not to be expanded, are the matter here
#
# What a hostile disk may hold: hostile_NAME changes the healthy tree at $MNT,
# damage_NAME the image file itself. $CANARY is a directory of this machine.

KEY=etc/ssh/ssh_host_rsa_key

# --- paths ---

replace_by_link() {
    rm -rf "${MNT:?}/$1"
    ln -s "$2" "$MNT/$1"
}

hostile_ssh_to_root() { replace_by_link etc/ssh /; }
hostile_ssh_to_itself() { replace_by_link etc/ssh /etc/ssh; }
hostile_ssh_far_up() { replace_by_link etc/ssh ../../../../etc/ssh; }
hostile_ssh_to_canary() { replace_by_link etc/ssh "$CANARY"; }
hostile_ssh_up_to_canary() { replace_by_link etc/ssh "../../../../../../../..$CANARY"; }
hostile_etc_to_proc() { replace_by_link etc /proc/self/root/etc; }
hostile_etc_to_canary() { replace_by_link etc "$CANARY"; }
hostile_key_to_shadow() { replace_by_link $KEY /etc/shadow; }
hostile_key_to_passwd() { replace_by_link $KEY ../passwd; }
hostile_public_key_to_shadow() { replace_by_link $KEY.pub /etc/shadow; }
hostile_public_key_to_passwd() { replace_by_link $KEY.pub /etc/passwd; }
hostile_config_to_shadow() { replace_by_link etc/ssh/sshd_config /etc/shadow; }
hostile_authorized_keys_to_shadow() { replace_by_link root/.ssh/authorized_keys /etc/shadow; }
hostile_authorized_keys_to_passwd() {
    replace_by_link root/.ssh/authorized_keys /etc/passwd
    chmod 0666 "$MNT/etc/passwd"
}
hostile_dot_ssh_to_etc() {
    replace_by_link root/.ssh /etc
    ln -s passwd "$MNT/etc/authorized_keys"
}
hostile_home_to_root() { replace_by_link root /; }
hostile_copy_to_shadow() {
    rm "$MNT/$KEY"
    ln -s /etc/shadow "$MNT/$KEY.bak"
}
hostile_key_to_disk() { replace_by_link $KEY /dev/sda; }
hostile_key_to_environ() { replace_by_link $KEY /proc/self/environ; }
hostile_key_to_canary() { replace_by_link $KEY "$CANARY/ssh_host_rsa_key"; }
hostile_key_to_empty_canary() { replace_by_link $KEY "$CANARY/empty_key"; }
hostile_key_to_fd() { replace_by_link $KEY /proc/self/fd/0; }
hostile_public_key_to_canary() { replace_by_link $KEY.pub "$CANARY/ssh_host_rsa_key.pub"; }
hostile_config_to_canary() { replace_by_link etc/ssh/sshd_config "$CANARY/sshd_config"; }
hostile_passwd_to_canary() { replace_by_link etc/passwd "$CANARY/passwd"; }
hostile_group_to_canary() { replace_by_link etc/group "$CANARY/group"; }
hostile_os_release_to_canary() { replace_by_link etc/os-release "$CANARY/os-release"; }
hostile_sshd_to_canary() { replace_by_link usr/sbin/sshd "$CANARY/command"; }
hostile_dot_ssh_to_canary() { replace_by_link root/.ssh "$CANARY"; }
hostile_home_to_canary() { replace_by_link root "$CANARY"; }
hostile_usr_to_canary() { replace_by_link usr "$CANARY"; }
hostile_key_dangling() { replace_by_link $KEY /nowhere/at/all; }
hostile_key_slashes() { replace_by_link $KEY ////etc//./ssh///../shadow/; }

# Where a run is to be written: also nowhere but on the target.
hostile_state_to_canary() {
    hostile_key_open
    ln -s "$CANARY" "$MNT/var/lib/sshmend"
}
hostile_var_to_canary() {
    hostile_key_open
    replace_by_link var "$CANARY"
}
hostile_key_open() { chmod 0777 "$MNT/$KEY"; }

hostile_key_link_loop() {
    replace_by_link $KEY /etc/ssh/other
    replace_by_link etc/ssh/other /$KEY
}

hostile_key_link_chain() {
    local number
    for number in {1..41}; do
        ln -s "link$((number + 1))" "$MNT/etc/ssh/link$number"
    done
    mv "$MNT/$KEY" "$MNT/etc/ssh/link42"
    ln -s link1 "$MNT/$KEY"
}

# The longest that fits into one block.
hostile_key_long_link() {
    replace_by_link $KEY "$(perl -e 'print "/etc/ssh/" . "./" x 500 . "shadow"')"
}

hostile_long_name() {
    local name
    name=$(perl -e 'print "k" x 255')
    cp "$MNT/$KEY" "$MNT/etc/ssh/$name"
    chmod 0666 "$MNT/etc/ssh/$name"
    echo "HostKey /etc/ssh/$name" >>"$MNT/etc/ssh/sshd_config"
}

hostile_long_path() {
    perl -e 'print "HostKey /etc/ssh/" . ("d" x 250 . "/") x 40 . "key\n"' >>"$MNT/etc/ssh/sshd_config"
    perl -e 'my $d = "d" x 250; chdir $ARGV[0]; for (1..20) { mkdir $d; chdir $d; }' "$MNT/etc/ssh"
}

ODD_NAMES=($'a\nb' $'\033]52;c;aGk=\a' ';rm -rf x' '$(touch executed)' '-rf'
    $'\xff\xfe' $'\xe2\x80\xaegnp.exe' '%s%n' 'a\b' '"' "'" '`id`' $'\r')

hostile_names() {
    local name
    mkdir "$MNT/etc/ssh/sshd_config.d"
    sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' "$MNT/etc/ssh/sshd_config"
    for name in "${ODD_NAMES[@]}"; do
        cp "$MNT/$KEY" "$MNT/etc/ssh/ssh_host_${name}_key"
        printf 'Nonsense %s\n' "$name" >"$MNT/etc/ssh/sshd_config.d/$name.conf"
        printf 'HostKey "/etc/ssh/%s"\n' "$name" >>"$MNT/etc/ssh/sshd_config"
        chmod 0666 "$MNT/etc/ssh/ssh_host_${name}_key" "$MNT/etc/ssh/sshd_config.d/$name.conf"
    done
}

hostile_users() {
    local name
    for name in "${ODD_NAMES[@]}"; do
        printf '%s:x:0:0:%s:/home/%s:/bin/%s\n' "$name" "$name" "$name" "$name"
    done >>"$MNT/etc/passwd"
    printf '%s\n' "up:x:1000:1000::/../../..$CANARY:/bin/bash" 'far:x:99999999999999999999:-1:::' \
        '::::::' ':' 'root' >>"$MNT/etc/passwd"
    printf 'AllowUsers up root\nAuthorizedKeysFile %s/%%u /%%%%%%h%%\n' "$CANARY" \
        >>"$MNT/etc/ssh/sshd_config"
}

# --- types ---

replace_by_node() {
    rm -rf "${MNT:?}/$1"
    mknod "$MNT/$1" "${@:2}"
}

hostile_fifo_key() { replace_by_node $KEY p; }
hostile_fifo_public_key() { replace_by_node $KEY.pub p; }
hostile_fifo_config() { replace_by_node etc/ssh/sshd_config p; }
hostile_fifo_passwd() { replace_by_node etc/passwd p; }
hostile_fifo_group() { replace_by_node etc/group p; }
hostile_fifo_os_release() { replace_by_node etc/os-release p; }
hostile_fifo_sshd() { replace_by_node usr/sbin/sshd p; }
hostile_fifo_dot_ssh() { replace_by_node root/.ssh p; }
hostile_fifo_ssh() { replace_by_node etc/ssh p; }
hostile_zero_config() { replace_by_node etc/ssh/sshd_config c 1 5; }
hostile_zero_key() { replace_by_node $KEY c 1 5; }
hostile_zero_passwd() { replace_by_node etc/passwd c 1 5; }
hostile_block_key() { replace_by_node $KEY b 7 0; }
hostile_zero_include() {
    mkdir "$MNT/dev"
    mknod "$MNT/dev/zero" c 1 5
    echo 'Include /dev/zero' >>"$MNT/etc/ssh/sshd_config"
}

hostile_socket_key() {
    rm "$MNT/$KEY"
    (cd "$MNT/etc/ssh" && perl -MSocket -e \
        'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("ssh_host_rsa_key")) or die')
}

hostile_directory_key() {
    rm "$MNT/$KEY"
    mkdir -p "$MNT/$KEY/inside"
}

hostile_file_as_ssh() {
    rm -r "$MNT/etc/ssh"
    echo text >"$MNT/etc/ssh"
}

hostile_sparse_key() { truncate -s 3T "$MNT/$KEY"; }
hostile_sparse_public_key() { truncate -s 3T "$MNT/$KEY.pub"; }
hostile_sparse_config() { truncate -s 5G "$MNT/etc/ssh/sshd_config"; }
hostile_sparse_passwd() { truncate -s 5G "$MNT/etc/passwd"; }
hostile_sparse_os_release() { truncate -s 5G "$MNT/etc/os-release"; }
hostile_sparse_sshd() { truncate -s 5G "$MNT/usr/sbin/sshd"; }
hostile_long_line() {
    perl -e 'print "HostKey /", "x" x 900000, "\n"' >>"$MNT/etc/ssh/sshd_config"
    perl -e 'print "u" x 900000, ":x:0:0::/root:/bin/bash\n"' >>"$MNT/etc/passwd"
}

hostile_encodings() {
    printf '\xef\xbb\xbfPermitRootLogin yes\r\n\0\0HostKey\0/etc\r\n' >"$MNT/etc/ssh/sshd_config"
    iconv -t UTF-16 <"$MNT/etc/passwd" >"$MNT/passwd.new"
    mv "$MNT/passwd.new" "$MNT/etc/passwd"
    sed -i 's/$/\r/' "$MNT/etc/os-release" "$MNT/etc/group" "$MNT/$KEY"
}

hostile_all_empty() {
    find "$MNT/etc" "$MNT/root" -type f ! -name shadow -exec truncate -s 0 {} +
}

hostile_mode_000() {
    find "$MNT" -mindepth 1 ! -name lost+found ! -name shadow ! -type l -exec chmod 000 {} +
}

hostile_special_bits() {
    chmod 6777 "$MNT/$KEY"
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$MNT/$KEY"
    chmod 7777 "$MNT/etc/ssh" "$MNT/root/.ssh"
}

hostile_locked() {
    chmod 0777 "$MNT/$KEY" "$MNT/etc/ssh/sshd_config" "$MNT/root/.ssh"
    rm "$MNT/etc/ssh/ssh_host_ecdsa_key"
    chattr +i "$MNT/$KEY" "$MNT/root/.ssh"
    chattr +a "$MNT/etc/ssh/sshd_config"
    chattr +i "$MNT/etc/ssh"
}

# chmod of the key would open shadow to all, or close it.
hostile_key_is_shadow() {
    rm "$MNT/$KEY"
    ln "$MNT/etc/shadow" "$MNT/$KEY"
}

hostile_public_key_is_shadow() {
    rm "$MNT/$KEY.pub"
    ln "$MNT/etc/shadow" "$MNT/$KEY.pub"
}

hostile_many_files() {
    mkdir "$MNT/etc/ssh/sshd_config.d"
    sed -i '1i Include /etc/ssh/sshd_config.d/*' "$MNT/etc/ssh/sshd_config"
    echo 'UsePAM yes' >"$MNT/etc/ssh/sshd_config.d/0"
    (cd "$MNT/etc/ssh/sshd_config.d" && perl -e 'link "0", $_ or last for 1..20000')
}

# --- configuration ---

configure() { printf '%s\n' "$@" >>"$MNT/etc/ssh/sshd_config"; }

hostile_include_self() { configure 'Include /etc/ssh/sshd_config' 'Include sshd_config'; }

hostile_include_deep() {
    mkdir "$MNT/etc/ssh/deep"
    perl -e 'for (1..1000) { open F, ">$ARGV[0]/$_"; my $n = $_ % 1000 + 1;
        print F "Include /etc/ssh/deep/$n\nInclude /etc/ssh/deep/$_\n"; close F }' "$MNT/etc/ssh/deep"
    configure 'Include /etc/ssh/deep/1'
}

# Each file names all files: without a bound the work grows beyond all measure.
hostile_include_all() {
    mkdir "$MNT/etc/ssh/deep"
    perl -e 'for (1..20) { open F, ">$ARGV[0]/$_"; print F "Include /etc/ssh/deep/*\n"; close F }' \
        "$MNT/etc/ssh/deep"
    configure 'Include /etc/ssh/deep/*'
}

hostile_include_globs() {
    configure 'Include /*/*/*/*/*' 'Include /*/../*/../*/../*/../*/../*' 'Include ../../../*' \
        'Include [' 'Include [!' 'Include \' 'Include "' 'Include {a,b}{c,d}' 'Include' \
        "Include $CANARY/*" "Include ../../../../../../..$CANARY/*" 'Include ~root/x' \
        "Include $(printf '*%.0s' {1..200})a"
}

hostile_host_keys() {
    configure 'HostKey /dev/null' 'HostKey relative' 'HostKey none' 'HostKey ~/key' 'HostKey' \
        'HostKey ""' 'HostKey /' 'HostKey /etc' 'HostKey ..' "HostKey $CANARY/ssh_host_rsa_key" \
        'HostKey /etc/shadow' 'HostKey /etc/passwd' 'HostKey /etc/ssh/sshd_config' \
        "HostKey ../../../../../../..$CANARY/empty_key" 'HostCertificate /etc/shadow'
}

hostile_missing_host_keys() {
    configure 'HostKey /new/place/key' 'HostKey /etc/ssh/ssh_host_rsa_key' \
        "HostKey $CANARY/no_such_rsa_key" 'HostKey /root/../../../x_ed25519_key'
}

hostile_host_key_shadow() { configure 'HostKey /etc/shadow' 'HostKey /etc/ssh/ssh_host_rsa_key'; }
hostile_host_key_passwd() { configure 'HostKey /etc/passwd'; }
hostile_host_key_up() { configure 'HostKey /etc/ssh/../group'; }

hostile_many_keys() {
    local number
    for number in {1..300}; do
        configure "HostKey /etc/ssh/number_${number}_key"
    done
}

hostile_directives() {
    local number
    for number in {1..10000}; do
        printf 'Match User u%s Host *,!*\nBanner none\n' "$number"
    done >>"$MNT/etc/ssh/sshd_config"
    sed -i "1i AuthorizedKeysCommand $CANARY/command\nAuthorizedKeysCommandUser root" \
        "$MNT/etc/ssh/sshd_config"
}

hostile_values() {
    configure 'Port 99999' 'Port -1' 'Port 99999999999999999999' 'ListenAddress [::1' \
        'ListenAddress 999.1.1.1:x' 'Ciphers ,,,+,-,^' 'Ciphers' 'MACs *' 'LoginGraceTime 9999999999w' \
        'MaxStartups ::' 'PermitOpen' 'UsePAM perhaps' 'Subsystem' 'Match' 'Match User' 'Match all all' \
        "$(printf 'X%.0s' {1..5000}) yes" '= = =' '"' '\' "'unended" $'Port\t\v22' 'AcceptEnv %s%n'
}

# --- keys ---

# put_key PERL: the key is what the program prints, in OpenSSH's armour. str() makes
# a length-prefixed string.
put_key() {
    perl -MMIME::Base64 -e 'sub str { pack("N", length $_[0]) . $_[0] }
        my $body = eval $ARGV[0]; die $@ if $@;
        print "-----BEGIN OPENSSH PRIVATE KEY-----\n", encode_base64("openssh-key-v1\0$body", "\n"),
            "-----END OPENSSH PRIVATE KEY-----\n"' "$1" >"$MNT/etc/ssh/ssh_host_ed25519_key"
}

PLAIN='str("none") . str("none") . str("") . '

hostile_key_lengths() { put_key 'pack("N", 0xffffffff) . "none"'; }
hostile_key_count() { put_key "$PLAIN pack('N', 0xffffffff) . str('x') x 9"; }
hostile_key_no_keys() { put_key "$PLAIN pack('N', 0) . str('')"; }
hostile_key_check_numbers() {
    put_key "$PLAIN pack('N', 1) . str(str('ssh-ed25519') . str('p' x 32)) .
        str(pack('NN', 1, 2) . str('ssh-ed25519') . str('p' x 32) . str('s' x 64) . str('c'))"
}
hostile_key_padding() {
    put_key "$PLAIN pack('N', 1) . str(str('ssh-ed25519') . str('p' x 32)) .
        str(pack('NN', 1, 1) . str('ssh-ed25519') . str('p' x 32) . str('s' x 64) . str('') . 'zzz')"
}
hostile_key_short_parts() {
    put_key "$PLAIN pack('N', 1) . str(str('ssh-ed25519') . str('p')) .
        str(pack('NN', 1, 1) . str('ssh-ed25519') . str('p') . str('s') . str('') . \"\\1\\2\\3\")"
}
hostile_key_rsa_huge() {
    put_key "my \$n = \"\\0\" . chr(255) x 8192; $PLAIN pack('N', 1) .
        str(str('ssh-rsa') . str(\"\\1\\0\\1\") . str(\$n)) . str(pack('NN', 1, 1) . str('ssh-rsa') .
        str(\$n) . str(\"\\1\\0\\1\") . str(\$n) x 4 . str('') . \"\\1\\2\")"
}
hostile_key_rsa_even() {
    put_key "my \$n = chr(0) . chr(254) x 256; $PLAIN pack('N', 1) .
        str(str('ssh-rsa') . str(\"\\1\\0\\1\") . str(\$n)) . str(pack('NN', 1, 1) . str('ssh-rsa') .
        str(\$n) . str(\"\\1\\0\\1\") . str(\$n) . str(chr(2)) . str(chr(0)) . str('') . str('') .
        \"\\1\\2\")"
}
hostile_key_rsa_tiny() {
    put_key "$PLAIN pack('N', 1) . str(str('ssh-rsa') . str(\"\\3\") . str(\"\\x7f\\x21\")) .
        str(pack('NN', 1, 1) . str('ssh-rsa') . str(\"\\x7f\\x21\") . str(\"\\3\") . str(\"\\5\") .
        str(\"\\1\") . str(\"\\0\") . str(\"\\0\") . str('') . \"\\1\\2\")"
}
hostile_key_ecdsa_point() {
    put_key "$PLAIN pack('N', 1) . str(str('ecdsa-sha2-nistp256') . str('nistp521') . str(\"\\4\")) .
        str(pack('NN', 1, 1) . str('ecdsa-sha2-nistp256') . str('nistp521') . str(\"\\4\") .
        str(\"\\0\" x 70) . str('') . \"\\1\\2\\3\")"
}
hostile_key_rounds() {
    put_key "str('aes256-ctr') . str('bcrypt') . str(str('s' x 16) . pack('N', 0xffffffff)) .
        pack('N', 1) . str(str('ssh-ed25519') . str('p' x 32)) . str('e' x 256)"
}

hostile_key_pem() {
    openssl genrsa -traditional 512 >"$MNT/$KEY" 2>/dev/null
    printf -- '-----BEGIN EC PRIVATE KEY-----\n%s\n-----END EC PRIVATE KEY-----\n' \
        "$(head -c 40 /dev/zero | base64)" >"$MNT/etc/ssh/ssh_host_ecdsa_key"
    printf -- '-----BEGIN PRIVATE KEY-----\nMIIB////////////////////\n' \
        >"$MNT/etc/ssh/ssh_host_ed25519_key"
}

# ASN.1 lengths and nesting beyond what is there.
hostile_key_asn1() {
    perl -MMIME::Base64 -e 'print "-----BEGIN PRIVATE KEY-----\n",
        encode_base64("\x30\x84\xff\xff\xff\xff\x02\x01\x00" . "\x30\x80" x 5000, "\n"),
        "-----END PRIVATE KEY-----\n"' >"$MNT/$KEY"
}

hostile_key_many_armours() {
    perl -e 'print "-----BEGIN OPENSSH PRIVATE KEY-----\n" x 25000' >"$MNT/$KEY"
}

hostile_keys_swapped() {
    mv "$MNT/$KEY.pub" "$MNT/swap"
    mv "$MNT/etc/ssh/ssh_host_ecdsa_key.pub" "$MNT/$KEY.pub"
    mv "$MNT/swap" "$MNT/etc/ssh/ssh_host_ecdsa_key.pub"
}

hostile_key_encrypted() {
    ssh-keygen -q -p -N secret -f "$MNT/$KEY" >/dev/null
}

hostile_key_of_token() {
    printf '%s %s root@victim\n' sk-ssh-ed25519@openssh.com \
        AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA== >"$MNT/etc/ssh/ssh_host_ed25519_key.pub"
    rm "$MNT/etc/ssh/ssh_host_ed25519_key"
}

# Base64 that ends early, of another type than it says, and far too long.
hostile_public_keys() {
    echo 'ssh-rsa AAAA' >"$MNT/$KEY.pub"
    sed -i 's/^ecdsa-sha2-nistp256/ssh-ed25519/' "$MNT/etc/ssh/ssh_host_ecdsa_key.pub"
    perl -e 'print "ssh-ed25519 ", "A" x 700000, "\n"' >"$MNT/etc/ssh/ssh_host_ed25519_key.pub"
}

hostile_planted_copy() {
    rm "$MNT/$KEY" "$MNT/$KEY.pub"
    mkdir -p "$MNT/var/backups" "$MNT/etc/ssh/old"
    ln -s "$CANARY/ssh_host_rsa_key" "$MNT/etc/ssh/ssh_host_rsa_key.bak"
    ln -s "$CANARY/ssh_host_rsa_key" "$MNT/var/backups/ssh_host_rsa_key"
    mknod "$MNT/etc/ssh/old/ssh_host_rsa_key" p
    mknod "$MNT/etc/ssh/ssh_host_rsa_key.old" c 1 5
    ln -s . "$MNT/etc/ssh/old/loop"
}

# --- what the system says it is ---

hostile_os_release() {
    {
        printf 'ID="deb\033[2Jian"\nVERSION_ID="12\\n\\e"\n'
        printf 'PRETTY_NAME="\033]52;c;aGk=\a%s\302\2331m\377\376"\n' $'\xe2\x80\xaenaibeD \xe2\x81\xa6x'
    } >"$MNT/etc/os-release"
    printf 'evil\033]0;title\a\n' >"$MNT/etc/hostname"
    printf 'OpenSSH_9.2p1\033[31m\nOpenSSH_%s\0' "$(printf '9%.0s' {1..500})" >"$MNT/usr/sbin/sshd"
}

# Sources, places and options, plain and as fstab(5) has them; what lies elsewhere is named.
ODD_WORD=$'\033[31m\xff\xe2\x80\xae\xe2\x81\xa6"\'$(id)`id`\\033\\012\\\\'
hostile_fstab() {
    local tag
    for tag in UUID= LABEL= PARTLABEL= /dev/ /dev/disk/by-path/; do
        printf '%s /home ext4 subvol=%s 0 2\n' "$tag$ODD_WORD" "$ODD_WORD"
        printf '%s /home/%s ext4 defaults 0 2\n' "$tag$ODD_WORD" "$ODD_WORD"
    done >"$MNT/etc/fstab"
    rm -r "${MNT:?}/home"
    mkdir "$MNT/home"
}
hostile_fstab_usr() { printf 'LABEL=%s /usr ext4 defaults 0 2\n' "$ODD_WORD" >"$MNT/etc/fstab" && rm -r "${MNT:?}/usr"; }
hostile_fstab_overlay() {
    printf 'overlay /etc overlay upperdir=/%s,lowerdir=/etc 0 0\n' "$ODD_WORD" >"$MNT/etc/fstab"
}
hostile_hosts() {
    printf '127.0.0.1 %s %s\n' "$ODD_WORD" "$ODD_WORD" >"$MNT/etc/hosts"
    printf '%s\n' "$ODD_WORD" >"$MNT/etc/hostname"
    printf '%s\n' "$ODD_WORD" >"$MNT/etc/machine-id"
}

hostile_os_release_long() {
    perl -e 'print "ID=", "d" x 300000, "\nPRETTY_NAME=\"", "x" x 1000000, "\"\n"' \
        >"$MNT/etc/os-release"
}

# --- earlier runs that never were ---

# put_run MANIFEST: an interrupted run with this manifest.
put_run() {
    local run=$MNT/var/lib/sshmend/20260101T000000Z-0000
    hostile_key_open
    mkdir -p "$run"
    printf '%s' "$1" >"$run/MANIFEST"
    echo planted >"$run/0"
}

state_json() {
    printf '{"inode": %s, "mode": %s, "uid": 0, "gid": 0, "flags": 0}' "$1" "$2"
}

# manifest PATH
manifest() {
    printf '{"schema": "sshmend-run/1", "id": "20260101T000000Z-0000", "made": ["%s"], "entries": [' "$1"
    printf '{"kind": "meta", "path": "%s", "existed": true, "old": %s, "new": %s},' "$1" \
        "$(state_json 2 33279)" "$(state_json 2 33279)"
    printf '{"kind": "file", "path": "%s", "existed": false, "old": %s, "new": %s}]}' "$1" \
        "$(state_json 0 0)" "$(state_json 2 33279)"
}

hostile_run_canary() { put_run "$(manifest "$CANARY/ssh_host_rsa_key")"; }
hostile_run_up() { put_run "$(manifest "../../../../../..$CANARY/empty_key")"; }
hostile_run_relative() { put_run "$(manifest relative)"; }
hostile_run_no_path() { put_run "$(manifest '')"; }
hostile_run_root() { put_run "$(manifest /)"; }
hostile_run_odd() { put_run "$(manifest '/\u001b[31m\u202e\n')"; }
hostile_run_garbage() { put_run $'\377\376{{{'; }
hostile_run_empty() { put_run ''; }
hostile_run_types() {
    put_run '{"schema": "sshmend-run/1",
        "entries": [{"kind": 1, "path": {}, "old": [], "new": null}, 7, null]}'
}
hostile_run_nested() { put_run "$(perl -e 'print "[" x 200000')"; }
hostile_run_link() {
    hostile_key_open
    mkdir -p "$MNT/var/lib/sshmend"
    ln -s "$CANARY" "$MNT/var/lib/sshmend/20260101T000000Z-0000"
}
hostile_run_fifo() {
    put_run ''
    replace_by_node var/lib/sshmend/20260101T000000Z-0000/MANIFEST p
}
hostile_run_directory() {
    put_run ''
    mkdir -p "$MNT/var/lib/sshmend/20260101T000000Z-0000/5/inside"
    rm "$MNT/var/lib/sshmend/20260101T000000Z-0000/MANIFEST"
}

# --- the image itself ---

patch_bytes() { printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

damage_empty() { truncate -s 0 "$1"; }
damage_tiny() { truncate -s 700 "$1"; }
damage_cut_off() { truncate -s 5M "$1"; }
damage_qcow2_header() { patch_bytes "$1" 0 'QFI\xfb\0\0\0\3\0\0\0\0\0\0\0\x40\0\0\0\x08/etc/shadow'; }
boot_signature() { patch_bytes "$1" "$2" '\x55\xaa'; }

damage_partition_table() {
    patch_bytes "$1" 446 '\x80\0\0\0\x83\0\0\0\0\0\0\0\xff\xff\xff\xff'
    patch_bytes "$1" 462 '\0\0\0\0\x05\0\0\0\1\0\0\0\xff\xff\xff\xff'
    boot_signature "$1" 510
}

# An extended partition that contains itself.
damage_partition_loop() {
    patch_bytes "$1" 446 '\0\0\0\0\x05\0\0\0\1\0\0\0\0\x70\0\0'
    boot_signature "$1" 510
    patch_bytes "$1" 974 '\0\0\0\0\x05\0\0\0\0\0\0\0\0\x70\0\0'
    boot_signature "$1" 1022
}

damage_gpt_header() {
    patch_bytes "$1" 446 '\0\0\0\0\xee\0\0\0\1\0\0\0\xff\x7f\0\0'
    boot_signature "$1" 510
    patch_bytes "$1" 512 'EFI PART\0\0\1\0\xff\xff\xff\xff'
}

damage_unknown_feature() { patch_bytes "$1" 1123 '\x80'; }
damage_errors_flag() { debugfs -w -R 'ssv state 2' "$1" 2>/dev/null; }
damage_root_is_a_file() { debugfs -w -R 'sif <2> mode 0100644' "$1" 2>/dev/null; }
damage_directory_blocks() {
    local block
    block=$(debugfs -R 'bmap /etc/ssh 0' "$1" 2>/dev/null)
    dd if=/dev/zero of="$1" bs=1024 seek="$block" count=1 conv=notrunc status=none
}
damage_label() { e2label "$1" "\$(reboot)"; }
damage_label_option() { e2label "$1" --option; }
damage_label_control() { patch_bytes "$1" $((1024 + 120)) 'a\nb\033[31m\xff'; }
damage_label_unchecked() {
    debugfs -w -R 'feature -metadata_csum' "$1" >/dev/null 2>&1
    patch_bytes "$1" $((1024 + 120)) 'a\nb\033[31m\xff'
}
