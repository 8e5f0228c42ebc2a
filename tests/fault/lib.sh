# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from run.sh
#
# What every part of the fault tests uses; sourced by run.sh.
#
#   $WORK      everything is below it; removed at the end
#   $HERE      the worker's own directory: images, logs, its mount point
#   $RELEASE   the program for strace; $SANITIZED: the one with sanitizers
#   $JOBS      how many points are tried at the same time

RELEASE=${RELEASE:-$repo_dir/build/release/sshmend}
SANITIZED=${SANITIZED:-$repo_dir/build/dev/sshmend}
JOBS=${JOBS:-$(nproc)}

# A failure of the program is told from one of the sanitizers by these.
export ASAN_OPTIONS=exitcode=126:abort_on_error=0:detect_leaks=1
export UBSAN_OPTIONS=exitcode=126:print_stacktrace=1
export LC_ALL=C

# --- results ---

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# point NAME COMMAND…: one test; it passed if COMMAND did, under set -e.
point() {
    local name=$1 code=0 errexit=$-
    shift
    set +e
    (
        set -e
        "$@"
    ) >"$HERE/log" 2>&1
    code=$?
    [[ $errexit != *e* ]] || set -e
    if ((code == 0)); then
        printf 'ok %s\n' "$name" >>"$HERE/results"
    else
        printf 'FAILED %s: %s\n' "$name" "$(reason)" | tee -a "$HERE/results"
        clean_up
    fi
}

# The shell's own words on a process that was killed are no reason.
reason() { grep -v ' Killed  ' "$HERE/log" | tail -n 12 | cut -c1-400 | tr '\n' ' '; }

# What a failed test left must not fail the next one.
clean_up() {
    local loop
    umount --quiet "$MNT" || true
    losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$HERE/" |
        while read -r loop _; do
            losetup --detach "$loop" || true
        done || true
}

enter_worker() {
    HERE=$WORK/$1
    MNT=$HERE/mnt
    mkdir -p "$MNT"
}

# in_parallel PART FUNCTION: calls it with the words of each line of its input.
# Workers have mount namespaces of their own: a copy of one, as sshmend makes where
# there is no fsopen, would hold on to the mounts of all the others.
in_parallel() {
    local part=$1 function=$2 worker lines
    local -a workers=()
    lines=$(mktemp -p "$WORK")
    cat >"$lines"
    [[ -s $lines ]] || fail "there is nothing to try for $function"
    for ((worker = 0; worker < JOBS; worker++)); do
        unshare --mount --propagation private \
            bash "$fault_dir/worker.sh" "$part" "$function" "$worker" "$lines" &
        workers+=($!)
    done
    for worker in "${workers[@]}"; do
        wait "$worker" || fail "a worker of $function ended early"
    done
}

# --- images ---

# The smallest root that check calls healthy.
make_tree() {
    local dir=$1 type
    mkdir -p "$dir"/{etc/ssh,usr/sbin,usr/bin,root/.ssh,home,var/lib,run,tmp}
    printf '%s\n' 'root:x:0:0:root:/root:/bin/bash' \
        'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >"$dir/etc/passwd"
    printf '%s\n' 'root:x:0:' 'ssh:x:101:' 'nogroup:x:65534:' >"$dir/etc/group"
    printf '%s\n' 'ID=debian' 'VERSION_ID="12"' \
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"' >"$dir/etc/os-release"
    echo victim >"$dir/etc/hostname"
    printf 'root:*:19000:0:99999:7:::\n' >"$dir/etc/shadow"
    printf 'OpenSSH_9.2p1 Debian-2\0' >"$dir/usr/sbin/sshd"
    printf 'a shell\n' >"$dir/usr/bin/bash"
    ln -s usr/bin "$dir/bin"
    printf '%s\n' 'PermitRootLogin prohibit-password' >"$dir/etc/ssh/sshd_config"
    mkdir -p "$dir"/{usr/lib/systemd/system,etc/systemd/system/multi-user.target.wants}
    printf '%s\n' '[Service]' 'ExecStart=/usr/sbin/sshd -D' >"$dir/usr/lib/systemd/system/ssh.service"
    ln -s /usr/lib/systemd/system/ssh.service "$dir/etc/systemd/system/multi-user.target.wants/"
    for type in rsa ecdsa ed25519; do
        ssh-keygen -q -t "$type" -N '' -C root@victim -f "$dir/etc/ssh/ssh_host_${type}_key"
    done
    cp "$dir/etc/ssh/ssh_host_ed25519_key.pub" "$dir/root/.ssh/authorized_keys"
    chmod 755 "$dir"/usr/{sbin/sshd,bin/bash}
    chmod 700 "$dir"/root{,/.ssh}
    chmod 600 "$dir"/{etc/shadow,root/.ssh/authorized_keys}
}

# What a killed process held open the kernel lets go of by itself, on a busy machine not at once.
released() {
    local try
    for ((try = 0; try < 200; try++)); do
        [[ -n $(losetup --associated "$1") ]] || return 0
        sleep 0.1
    done
    echo "a loop device of $1 is left"
    return 1
}
mount_image() { released "$1" && mount -o loop"${2:+,$2}" "$1" "$MNT"; }

# A moment may pass until the kernel lets go of a mount it has just made.
unmount_image() {
    umount "$MNT" || { sleep 0.2 && umount "$MNT"; }
}

# change_image IMG FUNCTION: FUNCTION changes the tree at $MNT.
change_image() {
    mount_image "$1"
    "$2"
    unmount_image
}

break_tree() {
    local ssh=$MNT/etc/ssh
    : >"$ssh/ssh_host_ed25519_key"
    rm "$ssh/ssh_host_ecdsa_key"
    chmod 0777 "$ssh/ssh_host_rsa_key" "$ssh/ssh_host_rsa_key.pub" "$MNT/root/.ssh"
    setfacl -m u:1000:r "$ssh/ssh_host_rsa_key"
    ln "$ssh/ssh_host_rsa_key.pub" "$MNT/home/shared.pub"
    ln "$ssh/ssh_host_ed25519_key.pub" "$MNT/home/other.pub"
    chmod 0666 "$ssh/sshd_config"
    chown 1000:1000 "$ssh/sshd_config"
    echo 'Nonsense yes' >>"$ssh/sshd_config"
    # A link goes, a link comes with the directory it is in, a file goes.
    ln -s /dev/null "$MNT/etc/systemd/system/ssh.service"
    rm -r "$MNT/etc/systemd/system/multi-user.target.wants"
    : >"$MNT/etc/nologin"
    chattr +i "$ssh/ssh_host_rsa_key" "$ssh/ssh_host_ed25519_key" "$ssh/sshd_config" "$ssh"
}

# ext4 puts right much of what programs do wrong; but not if it is told not to.
without_safety_net() {
    tune2fs -o journal_data_writeback -E mount_opts=noauto_da_alloc "$1" >/dev/null
}

# make_base NAME TYPE SIZE MKFS_OPTION…: $WORK/NAME.img with a healthy system,
# $WORK/NAME.broken with a broken one, and what a repair makes of that.
make_base() {
    local name=$1 type=$2 size=$3 base=$WORK/$1
    shift 3
    truncate -s "$size" "$base.img"
    "mkfs.$type" "$@" "$base.img" >/dev/null
    [[ $name != *-writeback ]] || without_safety_net "$base.img"
    mount_image "$base.img"
    cp -a "$WORK/tree/." "$MNT"
    unmount_image
    cp --sparse=always "$base.img" "$base.broken"
    change_image "$base.broken" break_tree
    tree_of "$base.broken" >"$base.old"
    cp --sparse=always "$base.broken" "$base.mended"
    expect_exit 1 "$RELEASE" repair --yes --recover=never "$base.mended"
    tree_of "$base.mended" >"$base.new"
    expect_exit 0 "$RELEASE" check "$base.mended"
    ! cmp -s "$base.old" "$base.new" || fail "repair changed nothing on $name"
}

# Everything on an image but our own directory, a line each.
tree_of() {
    mount_image "$1" "${2-}"
    "$WORK/state" "$MNT" >"$HERE/tree"
    unmount_image
    # lost+found comes with ext4, and says nothing.
    grep -vE $'^/(var/lib/sshmend|lost\\+found)[/\t]' "$HERE/tree"
}

# Our own directory and what is in it.
own_files() {
    mount_image "$1" "${2-}"
    (cd "$MNT" && find var/lib/sshmend 2>/dev/null) || true
    unmount_image
}

# --- expectations ---

# What this worker's files have attached or mounted.
attached() {
    losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$HERE/" || true
    grep -E "$HERE/|/dev/loop" /proc/self/mountinfo || true
}

# The kernel detaches a loop device a moment after its last user is gone.
expect_nothing_attached() {
    local try left=
    for ((try = 0; try < 100; try++)); do
        left=$(attached)
        [[ -n $left ]] || return 0
        sleep 0.05
    done
    fail "left mounted or attached: $left"
}

# expect_exit CODE[,CODE…] COMMAND…: output in $HERE/out and $HERE/err.
expect_exit() {
    local codes=$1 code=0
    shift
    "$@" >"$HERE/out" 2>"$HERE/err" </dev/null || code=$?
    [[ ,$codes, == *,$code,* ]] ||
        fail "exit $code, expected $codes: ${*:1:9}: $(tail -c 600 "$HERE/err")"
}

expect_equal_files() {
    cmp -s "$1" "$2" || fail "$3: $(diff "$1" "$2" | grep '^[<>]' | cut -c1-150 | head -n 6)"
}

expect_tree() {
    tree_of "$1" >"$HERE/now"
    expect_equal_files "$2" "$HERE/now" "$3"
}

expect_fsck_clean() {
    case $2 in
    ext4) e2fsck -fn "$1" >"$HERE/fsck" 2>&1 || fail "e2fsck: $(head -c 500 "$HERE/fsck")" ;;
    xfs) xfs_repair -n "$1" >"$HERE/fsck" 2>&1 || fail "xfs_repair: $(tail -c 500 "$HERE/fsck")" ;;
    btrfs) btrfs check "$1" >"$HERE/fsck" 2>&1 || fail "btrfs: $(tail -c 500 "$HERE/fsck")" ;;
    esac
}

# What the first mount after a crash does, on a copy: $HERE/seen.
replayed_copy() {
    cp --sparse=always "$1" "$HERE/seen"
    mount_image "$HERE/seen"
    unmount_image
}

# wholly_old_or_new IMG BASE: no file is anything in between.
wholly_old_or_new() {
    local image=$1 base=$2
    tree_of "$image" >"$HERE/now"
    awk -F '\t' -f "$fault_dir/classify.awk" "$base.old" "$base.new" "$HERE/now" >"$HERE/verdict" ||
        fail "torn: $(head -n 4 "$HERE/verdict")"
    keys_are_whole "$image" < <(sed -n 's/^generated //p' "$HERE/verdict")
}

# Keys are made anew each time: their content is judged instead of compared.
keys_are_whole() {
    local -a paths
    local path
    mapfile -t paths
    ((${#paths[@]})) || return 0
    mount_image "$1" ro
    for path in "${paths[@]}"; do
        if [[ $path == *.pub ]]; then
            ssh-keygen -lf "$MNT$path" >/dev/null || echo "$path"
        else
            ssh-keygen -yP '' -f "$MNT$path" >/dev/null || echo "$path"
        fi
    done >"$HERE/torn" 2>&1
    unmount_image
    [[ ! -s $HERE/torn ]] || fail "torn: $(<"$HERE/torn")"
}

# Every run there is is complete, but for what the state directory itself is.
expect_no_debris() {
    local files runs
    files=$(own_files "$1")
    runs=$(grep -cE '^var/lib/sshmend/[^/]+$' <<<"$files" || true)
    ((runs == $(grep -cE '^var/lib/sshmend/[^/]+/COMMITTED$' <<<"$files" || true))) ||
        fail "left of an interrupted run, among: $(grep -E "^var/lib/sshmend/[^/]+$" <<<"$files")"
}

# A repair after an interruption mends the disk, and its undo takes it all back.
expect_repair_converges() {
    local image=$1 base=$2
    expect_exit 0,1 "$RELEASE" repair --yes --recover=never "$image"
    expect_exit 0 "$RELEASE" check "$image"
    expect_no_debris "$image"
    wholly_old_or_new "$image" "$base"
    expect_exit 0 "$RELEASE" undo "$image"
    expect_tree "$image" "$base.old" "undo did not restore"
    expect_fsck_clean "$image" "$(blkid -o value -s TYPE "$image")"
    expect_nothing_attached
}

is_committed() {
    own_files "$1" | grep -q '/COMMITTED$'
}

# Nothing of the run is left; an error behind the commit leaves all of it.
expect_all_or_nothing() {
    local disk=$1
    if is_committed "$disk"; then
        wholly_old_or_new "$disk" "$WORK/ext4"
        expect_exit 0 "$RELEASE" check "$disk"
    else
        expect_tree "$disk" "$WORK/ext4.old" "changed in spite of the error"
        [[ -z $(own_files "$disk") ]] || fail "left behind: $(own_files "$disk")"
    fi
}

# --- strace ---

# mutations PROGRAM ARGUMENT…: which calls change the disk or the machine, as
# "SYSCALL NTH WHAT". NTH counts the calls of that name, as strace's when= does,
# in the main thread alone: others only make keys.
mutations() {
    strace -f -y -s 64 -e trace="$TRACED" -o "$HERE/trace" "$@" >/dev/null 2>&1 || true
    awk -f "$fault_dir/mutations.awk" "$HERE/trace"
}

TRACED=open,openat,mkdirat,mknodat,symlinkat,linkat,unlinkat,renameat,renameat2,write,pwrite64,writev
TRACED+=,ftruncate,fallocate,fchmod,fchmodat,fchown,fchownat,fsetxattr,fremovexattr,setxattr
TRACED+=,utimensat,fsync,fdatasync,syncfs,sync,ioctl
TRACED+=,fsopen,fsconfig,fsmount,fspick,mount_setattr,move_mount,mount,umount2,unshare

# strace_inject INJECTION COMMAND…
strace_inject() {
    local injection=$1 follow=(--follow-forks --seccomp-bpf)
    shift
    # With it strace stops the program too early for a signal to get through.
    [[ $injection != *:signal=* ]] || follow=(--follow-forks)
    strace "${follow[@]}" -qq -o "$HERE/strace" -e trace="${injection%%:*}" \
        -e inject="$injection" "$@"
}

# expect_injected CODE BASE IS_MEANT COMMAND…: of a fresh copy of BASE, at
# $HERE/disk.img. Other loop devices come and go, and each is asked for its file: with
# one more, what fails is an earlier call than the one meant. IS_MEANT is given a file
# with the call that failed, and says whether that is the one; else all is done again.
expect_injected() {
    local code=$1 base=$2 is_meant=$3 got try
    shift 3
    for ((try = 0; try < 20; try++)); do
        cp --sparse=always "$base" "$HERE/disk.img"
        got=0
        "$@" "$HERE/disk.img" >"$HERE/out" 2>"$HERE/err" </dev/null || got=$?
        grep -m 1 INJECTED "$HERE/strace" >"$HERE/injected" || fail 'nothing was injected'
        if "$is_meant" "$HERE/injected"; then
            ((got == code)) || fail "exit $got, expected $code: ${*:1:9}: $(tail -c 600 "$HERE/err")"
            return 0
        fi
    done
    fail "in $try runs another call failed than the one meant: $(<"$HERE/injected")"
}
