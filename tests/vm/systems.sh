# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Real Debian systems as disk images (sourced): systemd, Debian's kernel, a partition table, a
# boot loader, and the network set up in four ways.
#
#   SYSTEM          TABLE      BOOT LOADER           NETWORK
#   bookworm-ext4   GPT        GRUB, BIOS            ifupdown, a static address
#   bookworm-xfs    DOS        none: kernel, initrd  networkd, DHCP
#   trixie-ext4     GPT, ESP   GRUB, UEFI            networkd, DHCP
#   trixie-xfs      GPT        GRUB, BIOS            networkd, a static address
#
#   ensure_system SYSTEM       $VM_BUILD/SYSTEM.img, .kernel and .initrd, made once
#   system_mount IMG, system_umount    the root of an image, at $MNT

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm_repo=$(cd "$vm_dir/../.." && pwd)
VM_BUILD=${VM_BUILD:-$vm_repo/build/vm}
export BUILD=$VM_BUILD
# shellcheck source=tests/testbed/image.sh
. "$vm_repo/tests/testbed/image.sh"

# shellcheck disable=SC2034 # for run.sh
ALL_SYSTEMS=(bookworm-ext4 bookworm-xfs trixie-ext4 trixie-xfs)
SYSTEM_PACKAGES=systemd-sysv,udev,dbus,ifupdown,iproute2,linux-image-cloud-amd64,initramfs-tools,kmod,zstd
SYSTEM_SIZE=1400M

# The guest's address where it is static, and the user network around it.
system_network() {
    case $1 in
    bookworm-ext4) echo 192.168.77.10 ,net=192.168.77.0/24,host=192.168.77.1,dns=192.168.77.2,dhcpstart=192.168.77.10 ;;
    trixie-xfs) echo 10.1.2.3 ,net=10.1.2.0/24,host=10.1.2.1,dns=10.1.2.2,dhcpstart=10.1.2.3 ;;
    *) echo 10.0.2.15 '' ;;
    esac
}

system_table() {
    case $1 in
    bookworm-xfs) printf '%s\n' 'label: dos' 'type=83' ;;
    trixie-ext4) printf '%s\n' 'label: gpt' 'size=16MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B' 'type=linux' ;;
    *) printf '%s\n' 'label: gpt' 'size=1MiB, type=21686148-6449-6E6F-744E-656564454649' 'type=linux' ;;
    esac
}

# --- what a maintainer of such a system would write ---

networkd() {
    mkdir -p "$1/etc/systemd/network"
    printf '[Match]\nName=en*\n\n[Network]\n%s\n' "$2" >"$1/etc/systemd/network/10-wired.network"
    ln -sf /lib/systemd/system/systemd-networkd.service "$1/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
}

set_network() {
    case $2 in
    bookworm-ext4)
        printf 'auto lo\niface lo inet loopback\n\nauto ens7\niface ens7 inet static\n  address 192.168.77.10/24\n  gateway 192.168.77.1\n' \
            >"$1/etc/network/interfaces"
        ;;
    trixie-xfs) networkd "$1" $'Address=10.1.2.3/24\nGateway=10.1.2.1' ;;
    *) networkd "$1" DHCP=yes ;;
    esac
}

grub_menu() {
    local root=$1 uuid=$2 version
    version=$(basename "$(ls "$root"/boot/vmlinuz-*)")
    version=${version#vmlinuz-}
    mkdir -p "$root/boot/grub"
    cat >"$root/boot/grub/grub.cfg" <<MENU
serial --unit=0 --speed=115200
terminal_output console serial
search --no-floppy --fs-uuid --set=root $uuid
linux /boot/vmlinuz-$version root=UUID=$uuid ro console=ttyS0 quiet
initrd /boot/initrd.img-$version
boot
MENU
}

fill_system() {
    local system=$1 dev=$2 fs=${1##*-} uuid MNT
    make_fs "$fs" "$dev" || return
    MNT=$(mktemp -d)
    mount "$dev" "$MNT" || return
    tar -x --numeric-owner --xattrs --xattrs-include='*' -p -C "$MNT" -f "$VM_BUILD/${system%-*}.tar" || return
    uuid=$(blkid -p -o value -s UUID "$dev")
    echo "UUID=$uuid / $fs defaults 0 1" >"$MNT/etc/fstab"
    set_network "$MNT" "$system"
    grub_menu "$MNT" "$uuid"
    cp "$MNT"/boot/vmlinuz-* "$VM_BUILD/$system.kernel.new" &&
        cp "$MNT"/boot/initrd.img-* "$VM_BUILD/$system.initrd.new" && umount "$MNT" || return
    rmdir "$MNT"
}

# --- boot loaders, written as grub-install would, without a kernel that knows partitions ---

# le NUMBER BYTES: little endian, on stdout
le() {
    local i
    for ((i = 0; i < $2; i++)); do
        printf "\\x$(printf '%02x' $((($1 >> (8 * i)) & 255)))"
    done
}
put_at() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# boot.img finds its second stage by a sector number, that one the rest of itself by a list.
grub_bios() {
    local img=$1 core=$1.core start=2048 sectors
    grub-mkimage -O i386-pc -o "$core" -p '(hd0,gpt2)/boot/grub' \
        biosdisk part_gpt ext2 xfs normal linux search search_fs_uuid serial terminal
    sectors=$((($(stat -c %s "$core") + 511) / 512))
    ((sectors < 2048)) || return
    le $((start + 1)) 8 | put_at "$core" $((0x1f4))
    le $((sectors - 1)) 2 | put_at "$core" $((0x1fc))
    head -c 440 /usr/lib/grub/i386-pc/boot.img | put_at "$img" 0
    le "$start" 8 | put_at "$img" $((0x5c))
    dd if="$core" of="$img" bs=512 seek="$start" conv=notrunc status=none
    rm "$core"
}

grub_uefi() {
    local img=$1 work
    work=$(mktemp -d)
    grub-mkimage -O x86_64-efi -o "$work/bootx64.efi" -p '(hd0,gpt2)/boot/grub' \
        part_gpt ext2 normal linux search search_fs_uuid serial terminal
    truncate -s 16M "$work/esp"
    mkfs.vfat "$work/esp" >/dev/null
    mmd -i "$work/esp" ::/EFI ::/EFI/BOOT
    mcopy -i "$work/esp" "$work/bootx64.efi" ::/EFI/BOOT/BOOTX64.EFI
    dd if="$work/esp" of="$img" bs=1M seek=1 conv=notrunc status=none
    rm -r "$work"
}

make_system() {
    local system=$1 img=$VM_BUILD/$1.img.new offset size
    truncate -s "$SYSTEM_SIZE" "$img"
    system_table "$system" | sfdisk -q "$img"
    case $system in
    bookworm-ext4 | trixie-xfs) grub_bios "$img" ;;
    trixie-ext4) grub_uefi "$img" ;;
    esac || return
    read -r offset size < <(image_root_partition "$img")
    partition_loop "$img" "$offset" "$size" -- fill_system "$system" || return
    mv "$VM_BUILD/$system.kernel.new" "$VM_BUILD/$system.kernel"
    mv "$VM_BUILD/$system.initrd.new" "$VM_BUILD/$system.initrd"
    mv "$img" "$VM_BUILD/$system.img"
}

ensure_system() {
    local system=$1 base=$VM_BUILD/$1.img
    MORE_PACKAGES=$SYSTEM_PACKAGES "$testbed_dir/make-root.sh" "${system%-*}" || return
    (
        flock 8
        [[ -s $base && ! $VM_BUILD/${system%-*}.tar -nt $base && ! $vm_dir/systems.sh -nt $base ]] || make_system "$system"
    ) 8>"$VM_BUILD/.$system.lock"
}

# --- an image at work ---

system_mount() {
    local offset size
    read -r offset size < <(image_root_partition "$1")
    MNT=$(mktemp -d)
    partition_mount "$1" "$offset" "$size" "$MNT" "$([[ $1 != *xfs* ]] || echo nouuid)"
}
system_umount() { image_umount; }
