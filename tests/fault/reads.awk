# SPDX-License-Identifier: MIT
#
# From an strace -f -y log of sshmend: the calls of the main thread that look at
# what it has mounted, as "SYSCALL NTH". Of the many that look up a name, every
# STEPth; -v STEP=N.

NR == 1 { main_thread = $1 }
$1 != main_thread || $2 == "<..." { next }

{
    name = $2
    sub(/\(.*/, "", name)
    nth[name]++
}

name == "fsmount" { mounted = 1 }
!mounted || /"\/(proc|sys|dev)\// { next }
name ~ /^(read|pread64|readlinkat|getdents64|fgetxattr)$/ { print name, nth[name] }
name ~ /^(openat|newfstatat|fstatat64)$/ && ++lookups % STEP == 0 { print name, nth[name] }
