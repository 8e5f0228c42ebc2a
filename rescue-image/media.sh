# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The media: one ISO for CD, stick and virtual media, one disk image for a cloud (sourced by build.sh).
#
# By UEFI the firmware loads shim, shim loads Debian's signed GRUB for CDs, which looks for
# boot/grub/grub.cfg on the medium it came from. By BIOS a GRUB core image reads the same file.

: "${here:?}" "${unpacked:?}"

gpt_esp=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
gpt_bios_boot=21686148-6449-6E6F-744E-656564454649

# These name what is made here, and are random otherwise.
disk_guid=5c6f8f0e-6f0c-4f43-9a58-73736d656e64
bios_guid=5c6f8f0e-6f0c-4f43-9a58-73736d656e01
esp_guid=5c6f8f0e-6f0c-4f43-9a58-73736d656e02
esp_serial=55534d45

# make_fat FILE KIB FOLDER: a FAT file system with that folder in it.
make_fat() {
    rm -f "$1"
    mkfs.vfat -C -i "$esp_serial" --invariant -n SSHMEND "$1" "$2" >/dev/null
    find "$3" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    (cd "$3" && mcopy -i "$1" -s -m -Q * ::/) </dev/null
}

# Room for the files of a folder, in KiB, and for what the file system needs.
fat_size() { echo $(($(du -sk --apparent-size "$1" | cut -f 1) * 102 / 100 + $2)); }

stage_efi() {
    local grub=grub-efi-amd64-signed
    install -D -m 644 "$(find_in shim-signed lib/shim/shimx64.efi.signed)" "$1/EFI/boot/bootx64.efi"
    install -D -m 644 "$(find_in $grub lib/grub/x86_64-efi-signed/gcdx64.efi.signed)" "$1/EFI/boot/grubx64.efi"
}

# grub_core FORMAT PREFIX FILE MODULE…
grub_core() {
    local format=$1 prefix=$2 file=$3
    shift 3
    grub-mkimage -d "$grub_pc" -O "$format" -p "$prefix" -o "$file" \
        biosdisk normal linux configfile search search_fs_uuid serial terminal test echo reboot halt "$@"
}

stage_boot() {
    install -D -m 644 "$here/grub.cfg" "$1/boot/grub/grub.cfg"
    install -m 644 "$OUT/vmlinuz" "$OUT/initramfs" "$1/boot/"
}

# The date of the ISO is the name that GRUB finds it by; a stick's EFI partition points to it.
make_iso() {
    local tree=$OUT/iso esp=$OUT/esp date name
    rm -rf "$tree" "$esp"
    grub_pc=$unpacked/grub-pc-bin/usr/lib/grub/i386-pc
    date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
    name=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%d-%H-%M-%S-00)
    stage_boot "$tree"
    stage_efi "$esp"
    mkdir -p "$esp/boot/grub"
    printf '%s\n' "search --no-floppy --set=root --fs-uuid $name" \
        'set prefix=($root)/boot/grub' 'configfile /boot/grub/grub.cfg' >"$esp/boot/grub/grub.cfg"
    make_fat "$OUT/esp.img" "$(fat_size "$esp" 64)" "$esp"
    grub_core i386-pc-eltorito /boot/grub "$tree/boot/grub/eltorito.img" iso9660 part_gpt
    install -m 644 "$OUT/packages.txt" "$tree/packages.txt"
    find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    xorriso -as mkisofs -quiet -r -J -V SSHMEND -o "$OUT/sshmend-rescue.iso" --modification-date="$date" \
        -b boot/grub/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info \
        --grub2-mbr "$grub_pc/boot_hybrid.img" --mbr-force-bootable -partition_offset 16 \
        -append_partition 2 "$gpt_esp" "$OUT/esp.img" -appended_part_as_gpt --gpt_disk_guid "$disk_guid" \
        -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot "$tree"
}

# poke FILE OFFSET NUMBER: writes NUMBER, eight bytes, least first.
poke() {
    local hex
    hex=$(printf '%016x' "$3" | sed -E 's/(..)(..)(..)(..)(..)(..)(..)(..)/\\x\8\\x\7\\x\6\\x\5\\x\4\\x\3\\x\2\\x\1/')
    printf '%b' "$hex" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# What grub-install would do, on a file: boot.img in the first sector, core.img in a partition of its
# own; each is told where the next one starts (GRUB_BOOT_MACHINE_KERNEL_SECTOR in grub's
# include/grub/i386/pc/boot.h, and the list of blocks at the end of diskboot.img).
install_bios_boot() {
    local image=$1 sector=$2
    grub_core i386-pc '(,gpt2)/boot/grub' "$OUT/core.img" fat part_gpt
    cp "$grub_pc/boot.img" "$OUT/boot.img"
    chmod u+w "$OUT/boot.img"
    poke "$OUT/boot.img" $((0x5c)) "$sector"
    poke "$OUT/core.img" $((0x1f4)) $((sector + 1))
    dd if="$OUT/boot.img" of="$image" bs=440 count=1 conv=notrunc status=none
    dd if="$OUT/core.img" of="$image" bs=512 seek="$sector" conv=notrunc status=none
}

# GPT: 1 MiB for GRUB's core, then the EFI partition with everything, and room for sshmend.cfg.
make_disk() {
    local image=$OUT/disk.img tree=$OUT/disk size
    rm -rf "$tree" "$image"
    stage_boot "$tree"
    stage_efi "$tree"
    install -m 644 "$OUT/packages.txt" "$tree/packages.txt"
    size=$((($(fat_size "$tree" 2048) + 1023) / 1024))
    make_fat "$OUT/esp.img" $((size * 1024)) "$tree"
    truncate -s $((size + 3))M "$image"
    printf '%s\n' 'label: gpt' "label-id: $disk_guid" \
        "start=2048, size=2048, type=$gpt_bios_boot, uuid=$bios_guid" \
        "start=4096, size=$((size * 2048)), type=$gpt_esp, uuid=$esp_guid" | sfdisk -q "$image"
    dd if="$OUT/esp.img" of="$image" bs=1M seek=2 conv=notrunc,sparse status=none
    install_bios_boot "$image" 2048
}
