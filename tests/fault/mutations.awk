# SPDX-License-Identifier: MIT
#
# From an strace -f -y log of sshmend: every call of the main thread that changes
# the disk or the machine, as "SYSCALL NTH WHAT".

NR == 1 { main_thread = $1 }
$1 != main_thread { next }

# The rest of a call that another thread interrupted.
$2 == "<..." { next }

{
    call = $0
    sub(/^[0-9]+ +/, "", call)
    name = call
    sub(/\(.*/, "", name)
    if (name !~ /^[a-z0-9_]+$/)
        next
    nth[name]++
    what = "target"
    if (name ~ /^open/ && call !~ /O_CREAT/)
        next
    if (call ~ /LOOP_GET_STATUS/)
        next
    if (name == "ioctl") {
        if (call ~ /LOOP_/)
            what = "loop"
        else if (call !~ /SETFLAGS/)
            next
    }
    # Other runs may be in it: that it stays is no failure.
    if (name == "unlinkat" && call ~ /"sshmend", AT_REMOVEDIR/)
        what = "state-directory"
    if (name ~ /^write/ && call ~ /^write[a-z0-9]*\([12][<,]/)
        what = "output"
    if (name ~ /^(fs|mount|umount|move_mount|unshare)/ && name !~ /^(fsync|fsetxattr)/)
        what = "mount"
    print name, nth[name], what
}
