# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A system, booted (sourced, after systems.sh). What makes a boot cheap under emulation, without
# touching the disk: its own kernel and initrd are given to qemu directly; no VGA; units that no
# login needs are masked on the kernel's command line. systemd, its units and sshd are the disk's
# own. Nothing is shared between two boots but the image file.
#
#   machine_start DIR SYSTEM IMG    DIR: where its console and its process are kept
#   machine_booted DIR              waits for systemd's word that the boot has finished
#   machine_stop DIR
#   machine_login DIR KNOWN-HOSTS USER [OPTION…]    a real client; prints what `id -un` says there
#
# Nothing is left behind: every machine has a time limit, and dies with the shell that started it.

MACHINE_SECONDS=${MACHINE_SECONDS:-240}

# What takes time, and has no part in a login.
masked=(systemd-timesyncd.service systemd-update-utmp.service systemd-journal-catalog-update.service
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
    fstrim.timer systemd-tmpfiles-clean.timer systemd-hwdb-update.service systemd-binfmt.service
    systemd-pstore.service systemd-random-seed.service systemd-udev-settle.service ifupdown-pre.service
    modprobe@drm.service modprobe@configfs.service modprobe@fuse.service sys-kernel-debug.mount
    sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount systemd-logind.service
    getty@tty1.service serial-getty@ttyS0.service
    systemd-networkd-wait-online.service)

kernel_words() {
    local unit root
    root=$(blkid -p -o value -s UUID -O "$2" -S "$3" "$1")
    printf 'root=UUID=%s ro console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check ' "$root"
    printf 'systemd.log_target=console systemd.log_level=info systemd.show_status=0 '
    for unit in "${masked[@]}"; do
        printf 'systemd.mask=%s ' "$unit"
    done
}

# A port that is free now; qemu says so where it is taken after all, and the machine is started anew.
free_port() {
    local port
    while port=$((20000 + RANDOM % 20000)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

machine_start() {
    local dir=$1 system=$2 img=$3 offset size address net port words
    read -r offset size < <(image_root_partition "$img")
    read -r address net < <(system_network "$system")
    words=$(kernel_words "$img" "$offset" "$size")
    port=$(free_port)
    echo "$port" >"$dir/port"
    setpriv --pdeathsig KILL timeout --foreground --signal KILL "$MACHINE_SECONDS" \
        setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 1 -m 512 \
        -machine "$([[ $system == bookworm-ext4 ]] && echo pc || echo q35)" \
        -nodefaults -no-user-config -display none -no-reboot -monitor none -serial "file:$dir/console" \
        -kernel "$VM_BUILD/$system.kernel" -initrd "$VM_BUILD/$system.initrd" -append "$words" \
        -drive "if=none,id=disk,file=$img,format=raw,cache=unsafe" -device virtio-blk-pci,drive=disk \
        -object rng-random,filename=/dev/urandom,id=random -device virtio-rng-pci,rng=random \
        -netdev "user,id=net,restrict=on,ipv6=off$net,hostfwd=tcp:127.0.0.1:$port-$address:22" \
        -device virtio-net-pci,netdev=net,romfile=,addr=0x7 >"$dir/qemu" 2>&1 &
    echo $! >"$dir/pid"
}

machine_runs() { kill -0 "$(cat "$1/pid")" 2>/dev/null; }

# systemd's last word in every boot, into whatever target; a broken system has to get there, too.
machine_booted() {
    local dir=$1
    while machine_runs "$dir"; do
        ! grep -aq 'Startup finished in\|You are in rescue mode' "$dir/console" 2>/dev/null || return 0
        sleep 0.2
    done
    return 1
}

machine_stop() {
    # The machine itself; its time limit ends with it.
    pkill -KILL -P "$(cat "$1/pid")"
    wait "$(cat "$1/pid")" 2>/dev/null
    return 0
}

machine_login() {
    local dir=$1 known=$2 user=$3
    shift 3
    timeout 60 ssh -F none -n -T -p "$(cat "$dir/port")" -i "$VM_BUILD/client_key" -o IdentitiesOnly=yes \
        -o BatchMode=yes -o PreferredAuthentications=publickey -o ConnectTimeout=20 \
        -o HostKeyAlias=victim -o UserKnownHostsFile="$known" -o GlobalKnownHostsFile=/dev/null "$@" \
        "$user@127.0.0.1" id -un
}
