#!/bin/bash
# SPDX-License-Identifier: MIT
#
# judge-probe.sh IMG OFFSET SIZE CLIENT-KEY USER…
#
# Starts the sshd of a disk image and logs in. Run by judge.sh in fresh
# network, process and mount namespaces; the last process takes all with it.
#
# JUDGE_KNOWN_HOSTS   what the client knows already, of a host called web1.example.org; without it,
#                     whatever keys are offered
#
# Prints facts: "sshd-test ok|failed", "sshd-start ok|failed",
# "key FINGERPRINT", "login USER TYPE ok|failed", and "probe done" at the end.

set -euo pipefail

img=$1 offset=$2 size=$3 client_key=$4
shift 4
users=("$@")
read -ra types <<<"${JUDGE_TYPES:?}"
work=$(mktemp -d)
root=$work/root

# The image is copied into memory: it must not change, and a real read-write
# mount replays its journal as the next boot would.
mount_copy() {
    mount -t tmpfs -o size=4G tmpfs "$work"
    mkdir "$root"
    cp --sparse=always "$img" "$work/disk.img"
    mount -o "loop,offset=$offset,sizelimit=$size" "$work/disk.img" "$root"
    if [[ -d $root/@ ]]; then
        umount "$root"
        mount -o "loop,offset=$offset,sizelimit=$size,subvol=@" "$work/disk.img" "$root"
        mount -t btrfs -o subvol=@home "$(findmnt -nvo SOURCE "$root")" "$root/home"
    fi
}

# What the boot sets up before sshd: /dev, /proc, an empty /run and
# systemd's RuntimeDirectory=sshd.
prepare_run_time() {
    mount --bind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/run"
    mkdir -m 0755 "$root/run/sshd"
    ip link set lo up
}

release() {
    [[ -z ${sshd_pid-} ]] || kill "$sshd_pid" 2>/dev/null || true
    wait
    umount -R "$work" || umount -R -l "$work"
    rmdir "$work"
}

port_open() {
    (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null
}

# ExecStartPre= of the unit is sshd -t; then the daemon itself. sshd hangs on a
# key that is a FIFO, hence the time limit.
start_sshd() {
    local try
    if ! timeout 5 chroot "$root" /usr/sbin/sshd -t 2>"$work/sshd.log"; then
        echo 'sshd-test failed'
        return 1
    fi
    echo 'sshd-test ok'
    chroot "$root" /usr/sbin/sshd -D -e 2>>"$work/sshd.log" &
    sshd_pid=$!
    for ((try = 0; try < 200; try++)); do
        if port_open; then
            echo 'sshd-start ok'
            return 0
        fi
        kill -0 "$sshd_pid" 2>/dev/null || break
        sleep 0.05
    done
    echo 'sshd-start failed'
    return 1
}

collect_keys() {
    ssh-keyscan -T 10 -t rsa,ecdsa,ed25519 127.0.0.1 >"$work/known_hosts" 2>>"$work/client.log" || true
    [[ ! -s "$work/known_hosts" ]] || ssh-keygen -lf "$work/known_hosts" | awk '{ print "key " $2 }' | sort -u
}

# The client checks the host's signature against the key it knows, or the one collected before, so
# a host key that is served but cannot sign is caught. It takes no other, and learns no other.
try_login() {
    local user=$1 type=$2 answer
    answer=$(timeout 20 ssh -F none -n -T -i "$client_key" -o IdentitiesOnly=yes -o BatchMode=yes \
        -o PreferredAuthentications=publickey -o ConnectTimeout=10 -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="${JUDGE_KNOWN_HOSTS:-$work/known_hosts}" -o GlobalKnownHostsFile=/dev/null \
        ${JUDGE_KNOWN_HOSTS:+-o HostKeyAlias=web1.example.org} -o UpdateHostKeys=no \
        -o HostKeyAlgorithms="$type" "$user@127.0.0.1" id -un 2>>"$work/client.log") || true
    if [[ $answer == "$user" ]]; then
        echo "login $user $type ok"
    else
        echo "login $user $type failed"
    fi
}

# Each host key type with the first user. The other users may take any type
# that worked, so that a bad host key is not held against them.
try_logins() {
    local type user line
    local -a good=()
    for type in "${types[@]}"; do
        line=$(try_login "${users[0]}" "$type")
        echo "$line"
        [[ $line != *' ok' ]] || good+=("$type")
    done
    [[ ${#good[@]} -gt 0 ]] || good=("${types[@]}")
    for user in "${users[@]:1}"; do
        try_login "$user" "$(IFS=,; echo "${good[*]}")"
    done
}

trap release EXIT
mount_copy
prepare_run_time
if start_sshd; then
    collect_keys
    try_logins
fi
cat "$work/sshd.log" >&2
[[ ! -s "$work/client.log" ]] || cat "$work/client.log" >&2
echo 'probe done'
