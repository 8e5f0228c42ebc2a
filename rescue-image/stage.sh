# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What is in the image: programs, libraries, modules, and the files of root/ (sourced by build.sh).
#
# All of it lies in usr/, packed as a squashfs inside the initramfs: what is not used is never
# unpacked, which makes for a quick start and little memory. Only /init, busybox and two modules
# stand beside it.

: "${here:?}" "${repo:?}" "${unpacked:?}" "${squash:?}" "${first:?}"

# find_in PACKAGE PATH: the file, whether or not the release has merged / and /usr. Debian 12 has its
# terminals in /lib/terminfo.
find_in() {
    local path
    for path in "$unpacked/$1"/{"$2","usr/$2","lib/${2#share/}"}; do
        [[ -e $path || -L $path ]] || continue
        realpath -s "$path"
        return
    done
    return 1
}

# stage_file PACKAGE PATH FILE: FILE goes to PATH in usr/.
stage_file() {
    install -D -m "$(stat -Lc %a "$3")" "$3" "$squash/$2"
    use "$1"
}

stage_programs() {
    local package path names name file
    while read -r package path names; do
        file=$(find_in "$package" "$path") || die "$package has no $path"
        stage_file "$package" "$path" "$file"
        for name in $names; do
            mkdir -p "$squash/$(dirname "$name")"
            ln -s "$(realpath -m --relative-to="$squash/$(dirname "$name")" "$squash/$path")" "$squash/$name"
        done
    done < <(rows programs.list)
    stage_busybox
}

# busybox lies outside: it is what mounts usr/. An applet gives way to a real program of its name.
stage_busybox() {
    local file applet
    file=$(find_in busybox-static bin/busybox)
    install -D -m 755 "$file" "$first/first/busybox"
    use busybox-static
    while read -r applet; do
        [[ -e $squash/${applet#usr/} || -e $squash/bin/${applet##*/} || -e $squash/sbin/${applet##*/} ]] ||
            ln -s /first/busybox "$squash/${applet#usr/}"
    done < <("$file" --list-full)
}

stage_sshmend() {
    install -D -m 755 "$SSHMEND" "$squash/sbin/sshmend"
    strip -s "$squash/sbin/sshmend"
    install -D -m 644 "$repo/completion/sshmend.bash" "$squash/share/sshmend/completion.bash"
}

# root/: usr/ goes to the squashfs, the rest beside it.
stage_root() {
    cp -r --no-preserve=timestamps "$here/root/." "$first/"
    cp -r "$first/usr/." "$squash/"
    rm -rf "${first:?}/usr"
    mkdir -p "$first"/{dev,proc,sys,run,tmp,mnt,usr,var/lib,root}
    for name in bin sbin lib lib64; do
        ln -s "usr/$name" "$first/$name"
    done
    chmod -R u=rwX,go=rX "$squash" "$first"
    chmod 700 "$first/root"
    chmod 1777 "$first/tmp"
    echo "$(sed -n 's/^VERSION := //p' "$repo/Makefile")" >"$squash/share/sshmend/version"
}

elf_files() { find "$squash/bin" "$squash/sbin" "$squash/lib" -type f -exec sh -c 'head -c 4 "$1" | grep -q ELF && echo "$1"' sh {} \;; }
needs_of() { readelf -d "$1" 2>/dev/null | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'; }

# library_named SONAME: prints its package and path.
library_named() {
    local dir file
    for dir in lib usr/lib; do
        for file in "$unpacked"/*/"$dir/x86_64-linux-gnu/$1"; do
            [[ -e $file ]] || continue
            file=${file#"$unpacked"/}
            echo "${file%%/*} $unpacked/$file"
            return
        done
    done
    return 1
}

stage_library() {
    local soname=$1 package file
    [[ ! -e $squash/lib/x86_64-linux-gnu/$soname ]] || return 0
    read -r package file < <(library_named "$soname") || die "no package has $soname: packages.list"
    stage_file "$package" "lib/x86_64-linux-gnu/$soname" "$file"
}

# Libraries need libraries: again until nothing new is asked for.
stage_libraries() {
    local soname before=-1 now=0
    while [[ $before != "$now" ]]; do
        before=$now
        while read -r soname; do
            stage_library "$soname"
        done < <(elf_files | while read -r file; do needs_of "$file"; done | sort -u)
        now=$(find "$squash/lib/x86_64-linux-gnu" -name '*.so*' | wc -l)
    done
    mkdir -p "$squash/lib64"
    ln -s ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$squash/lib64/ld-linux-x86-64.so.2"
    stage_library ld-linux-x86-64.so.2
}

kernel_package() { sed -nE 's/^(linux-image-[0-9][^_]*-amd64)_.*/\1/p' "$OUT/apt/files"; }

# module_closure NAME…: the paths of the modules and of all they need, from modules.dep and its
# companions, as modprobe would load them.
module_closure() {
    local name
    for name in "$@"; do
        /sbin/modprobe --dirname "$tree" --set-version "$kernel" --ignore-install --quiet --show-depends "$name" ||
            die "no module $name in $kernel: modules.list"
    done | sed -nE 's/^insmod ([^ ]+).*/\1/p' | sort -u
}

has_module() { /sbin/modprobe --dirname "$tree" --set-version "$kernel" --quiet --show-depends "$1" >/dev/null 2>&1; }

listed_modules() {
    local class name
    while read -r class name _; do
        [[ -z ${1-} || $class == "$1" ]] || continue
        [[ $name != \?* ]] || has_module "${name#\?}" || continue
        echo "${name#\?}"
    done < <(rows modules.list)
}

# The kernel's own compression would keep squashfs from its work; the signature is inside it.
stage_module() {
    local to=$squash/lib/${1#*/lib/}
    to=${to%.xz}
    mkdir -p "$(dirname "$to")"
    case $1 in
    *.xz) xz -dc "$1" >"$to" ;;
    *) cp "$1" "$to" ;;
    esac
}

stage_modules() {
    local package file name
    package=$(kernel_package)
    tree=$unpacked/$package
    [[ ! -d $tree/usr/lib/modules ]] || tree=$tree/usr
    kernel=$(ls "$tree/lib/modules")
    use "$package"
    [[ -e $tree/lib/modules/$kernel/modules.dep ]] || /sbin/depmod -b "$tree" "$kernel" 2>/dev/null
    mapfile -t names < <(listed_modules)
    module_closure "${names[@]}" >"$OUT/modules"
    while read -r file; do
        stage_module "$file"
    done <"$OUT/modules"
    cp "$tree/lib/modules/$kernel"/modules.{builtin,builtin.modinfo,order} "$squash/lib/modules/$kernel/"
    mkdir -p "$first/etc/modprobe.d"
    listed_modules net | sed 's/^/blacklist /' >"$first/etc/modprobe.d/network.conf"
    /sbin/depmod -b "$squash" "$kernel"
    for name in $(listed_modules first); do
        file=$(find "$squash/lib/modules" -name "$name.ko")
        install -m 644 "$file" "$first/first/$name.ko"
    done
    install -m 644 "$(find_in "$package" "boot/vmlinuz-$kernel")" "$OUT/vmlinuz"
}

pack_squashfs() {
    rm -f "$first/usr.squashfs"
    mksquashfs "$squash" "$first/usr.squashfs" -comp zstd -Xcompression-level 22 -b 512K \
        -all-root -no-xattrs -quiet -no-progress >/dev/null
}

# usr.squashfs comes last: where memory runs out while the kernel unpacks, /init is there to say so.
make_initramfs() {
    pack_squashfs
    find "$first" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    (cd "$first" && { find . -mindepth 1 ! -name usr.squashfs | sort; echo ./usr.squashfs; } |
        cpio --quiet --reproducible -o -H newc -R 0:0) >"$OUT/initramfs"
}
