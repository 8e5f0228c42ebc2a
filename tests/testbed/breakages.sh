# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Ways to break sshd on a mounted root (sourced). Each break_NAME takes the
# root's directory and breaks it as happens in real life.

host_keys() {
    printf '%s\n' "$1"/etc/ssh/ssh_host_{rsa,ecdsa,ed25519}_key
}

# each_key ROOT COMMAND…: runs COMMAND with each private host key.
each_key() {
    local root=$1 key
    shift
    while read -r key; do
        "$@" "$key"
    done < <(host_keys "$root")
}

# rewrite FILE COMMAND…: replaces the content by what COMMAND makes of it,
# keeping the inode, the mode and the owner.
rewrite() {
    local file=$1 new
    shift
    new=$(mktemp)
    "$@" <"$file" >"$new"
    cat "$new" >"$file"
    rm -f "$new"
}

# --- modes, owners, flags, ACLs ---

break_modes_777() { chmod 0777 "$1"/etc/ssh/ssh_host_*; }
break_all_777() { chmod -R 777 "$1/etc/ssh"; }
break_all_600() { chmod -R 600 "$1/etc/ssh"; }

# sshd looks at the mode of its own files only, so it accepts these.
break_owner_and_777() {
    chown 1000:1000 "$1"/etc/ssh/ssh_host_*
    chmod 0777 "$1"/etc/ssh/ssh_host_*
}

break_immutable_777() {
    break_modes_777 "$1"
    each_key "$1" chattr +i
}

break_acl() { each_key "$1" setfacl -m u:1000:r; }

break_hard_link() {
    ln "$1/etc/ssh/ssh_host_rsa_key" "$1/root/other-name"
    break_modes_777 "$1"
}

# --- content ---

truncate_key() { : >"$1"; }
fill_nul() { rewrite "$1" tr '\0-\377' '\0'; }
add_crlf() { rewrite "$1" sed 's/$/\r/'; }
strip_final_newline() { rewrite "$1" head -c -1; }
prepend() { rewrite "$2" sed "1s/^/$1/"; }
encrypt_key() { ssh-keygen -q -p -P '' -N secret -f "$1" >/dev/null; }

break_empty() { each_key "$1" truncate_key; }
break_nul() { each_key "$1" fill_nul; }
break_crlf() { each_key "$1" add_crlf; }
break_no_final_newline() { each_key "$1" strip_final_newline; }
break_leading_blank() { each_key "$1" prepend '\n'; }
break_bom() { each_key "$1" prepend '\xEF\xBB\xBF'; }
break_encrypted() { each_key "$1" encrypt_key; }

swap_with_pub() {
    mv "$1" "$1.swap"
    mv "$1.pub" "$1"
    mv "$1.swap" "$1.pub"
    chmod 0600 "$1"
    chmod 0644 "$1.pub"
}
break_swapped() { each_key "$1" swap_with_pub; }

# One nibble in the middle of the private scalar. The key still parses, and
# sshd -t is content; what it signs is wrong. The scalar follows the second of
# the two copies of the public point (string of 0x41 bytes, 04 first).
break_bit_rot() {
    local key=$1/etc/ssh/ssh_host_ecdsa_key hex tail at digit
    hex=$(grep -v -- '-----' "$key" | base64 -d | xxd -p | tr -d '\n')
    tail=${hex#*0000004104}
    tail=${tail#*0000004104}
    at=$((${#hex} - ${#tail} + 128 + 8 + 32))
    digit=$(printf '%x' $((0x${hex:at:1} ^ 4)))
    {
        echo '-----BEGIN OPENSSH PRIVATE KEY-----'
        echo "${hex:0:at}$digit${hex:at+1}" | xxd -r -p | base64 -w 70
        echo '-----END OPENSSH PRIVATE KEY-----'
    } >"$key.rotten"
    cat "$key.rotten" >"$key"
    rm "$key.rotten"
}

# --- missing, misplaced, something else ---

break_private_deleted() { each_key "$1" rm; }
break_all_deleted() { rm "$1"/etc/ssh/ssh_host_*; }
break_pub_missing() { rm "$1"/etc/ssh/ssh_host_*.pub; }

break_pub_foreign() {
    local dir
    dir=$(mktemp -d)
    ssh-keygen -q -t rsa -b 3072 -N '' -f "$dir/key"
    cat "$dir/key.pub" >"$1/etc/ssh/ssh_host_rsa_key.pub"
    rm -r "$dir"
}

# The usual half-failed rescue: a truncated key, a lost one, and modes.
break_mixed() {
    truncate -s 200 "$1/etc/ssh/ssh_host_ecdsa_key"
    rm "$1/etc/ssh/ssh_host_ed25519_key"
    break_modes_777 "$1"
}

# A private key lost from its place, and a copy of it elsewhere on the disk.
move_key_to() {
    local root=$1 place=$2
    mv "$root/etc/ssh/ssh_host_ed25519_key" "$root$place"
}
break_copy_bak() { move_key_to "$1" /etc/ssh/ssh_host_ed25519_key.bak; }
break_copy_root() { move_key_to "$1" /root/ssh_host_ed25519_key; }

replace_by_directory() {
    rm "$1"
    mkdir "$1"
    echo 'not a key' >"$1/leftover"
}
replace_by_fifo() {
    rm "$1"
    mkfifo "$1"
}
replace_by_link_loop() {
    ln -sf "$(basename "$1")" "$1"
}
break_directory() { each_key "$1" replace_by_directory; }
break_fifo() { each_key "$1" replace_by_fifo; }
break_link_loop() { each_key "$1" replace_by_link_loop; }

# --- logins (StrictModes) ---

break_root_home_777() { chmod 0777 "$1/root" "$1/root/.ssh" "$1/root/.ssh/authorized_keys"; }
break_alice_owner() { chown -R 1001:1001 "$1/home/alice"; }

# --- keys of users ---

break_no_ssh_directory() { rm -r "$1/home/alice/.ssh"; }
break_open_home_without_keys() {
    rm -r "$1/home/alice/.ssh"
    chmod 777 "$1/home/alice"
}
# Somebody else's key, and no newline at the end.
break_other_keys() {
    local home
    for home in root home/alice; do
        printf 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBaSkmhd8qHq67VyoI9g7GqGUuRrh+5PMvTjne7lFizw other' \
            >"$1/$home/.ssh/authorized_keys"
    done
}
