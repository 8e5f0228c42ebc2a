#!/bin/bash
# SPDX-License-Identifier: MIT
#
# probe.sh TREE CLIENT-KEY: starts the sshd of a tree as the boot would, and logs in with a
# real client. Run in fresh network, process and mount namespaces; the tree is a copy.
#
# Prints facts: "key TYPE FINGERPRINT" for each key served, "login USER ok|failed".

set -uo pipefail

root=$1 client_key=$2
work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mkdir -m 0755 "$root/run/sshd"
ip link set lo up

if ! timeout 5 chroot "$root" /usr/sbin/sshd -t 2>"$work/log"; then
    sed 's/^/sshd: /' "$work/log" >&2
    exit
fi
# What an operator's own config may say of ports does not matter here.
chroot "$root" /usr/sbin/sshd -D -e 2>"$work/log" &
pid=$!
for ((try = 0; try < 100; try++)); do
    (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
done
ssh-keyscan -T 5 -t rsa,ecdsa,ed25519 127.0.0.1 >"$work/known_hosts" 2>/dev/null
[[ ! -s $work/known_hosts ]] || ssh-keygen -lf "$work/known_hosts" | awk '{ print "key", $4, $2 }' | sort -u
for user in root alice; do
    answer=$(timeout 15 ssh -F none -n -T -i "$client_key" -o IdentitiesOnly=yes -o BatchMode=yes \
        -o PreferredAuthentications=publickey -o ConnectTimeout=10 -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="$work/known_hosts" -o GlobalKnownHostsFile=/dev/null \
        "$user@127.0.0.1" id -un 2>>"$work/client") || true
    if [[ $answer == "$user" ]]; then echo "login $user ok"; else echo "login $user failed"; fi
done
tail -n 5 "$work/log" | sed 's/^/sshd: /' >&2
