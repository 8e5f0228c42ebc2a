# SPDX-License-Identifier: MIT
# shellcheck shell=dash
#
# What the scripts here share. State is files in /run/rescue, one fact a file:
#   auto target then report keys     the words of the kernel command line, where given
#   problems                         what was wrong with them, a line each
#   notes                            what an operator should know, a line each

export PATH=/usr/sbin:/usr/bin:/sbin:/bin
run=/run/rescue

fact() { cat "$run/$1" 2>/dev/null; }
note() { echo "$*" >>"$run/notes"; }

# The serial line where there is one, else whatever the kernel calls its console.
serial() {
    case " $(cat /sys/class/tty/console/active) " in
    *' ttyS0 '*) echo /dev/ttyS0 ;;
    *) echo /dev/console ;;
    esac
}

# tell WORD…: a line on every console.
tell() {
    local name
    for name in $(cat /sys/class/tty/console/active); do
        echo "$*" >"/dev/$name"
    done
}

# Disks that could hold a system: not memory, loop devices, CDs or empty slots.
disks() {
    local dir size
    for dir in /sys/block/*; do
        case ${dir##*/} in
        loop* | ram* | zram* | sr* | fd* | dm-* | md* | mtd*) continue ;;
        esac
        read -r size <"$dir/size" 2>/dev/null || continue
        [ "$size" = 0 ] || echo "${dir##*/}"
    done
}

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        usleep 100000
    done
}

any_disk() { [ -n "$(disks)" ]; }

# Modules for all hardware that has shown up and was not asked for before. Loading a module waits for
# what it set off, the search for disks too, so that nothing is left to come when no new names appear.
# Not from the files "modalias": a memory card has none. Processors ask for ciphers, which are loaded
# when something is deciphered.
load_modules() {
    : >>"$run/asked"
    while :; do
        find /sys/devices -name uevent -exec sed -n 's/^MODALIAS=//p' {} + 2>/dev/null | grep -v '^cpu:' | sort -u >"$run/seen"
        sort -u "$run/seen" "$run/asked" | cat - "$run/asked" | sort | uniq -u >"$run/new"
        [ -s "$run/new" ] || return 0
        xargs /usr/sbin/modprobe -a -b -q <"$run/new" 2>/dev/null
        cat "$run/seen" "$run/asked" | sort -u >"$run/asked.new"
        mv "$run/asked.new" "$run/asked"
    done
}
