# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Input that cannot be worked with: a clear sentence that names the thing,
# the right exit code, nothing changed, nothing left mounted or attached.

# refused CODES WORD COMMAND…: fails with one of CODES, says WORD on stderr,
# and leaves the image byte for byte as it was.
refused() {
    local codes=$1 word=$2 before
    shift 2
    before=$(hash_of "$IMG")
    expect_exit "$codes" "$@"
    expect_says "$ERR" "$word"
    [[ $(hash_of "$IMG") == "$before" ]] || fail "the image was changed by: $*"
}

# A finding is a result and goes to stdout; what could not be done goes to stderr.
expect_named() {
    if [[ $EXIT_CODE == 8 ]]; then
        expect_says "$ERR" "$1"
    else
        expect_says "$OUT" "$1"
    fi
}

# refused_repair CODES WORD: check and repair see the trouble and name it, and
# repair leaves every file as it was. A read-write mount may write to the file
# system's own records, so there the tree is compared, not the image.
refused_repair() {
    local codes=$1 word=$2 before
    before=$(hash_of "$IMG")
    expect_exit "$codes" timeout 20 "$SSHMEND" check "$IMG"
    expect_named "$word"
    [[ $(hash_of "$IMG") == "$before" ]] || fail 'check changed the image'
    manifest_of_image "$IMG" >"$CASE_DIR/before"
    expect_exit "$codes" timeout 20 "$SSHMEND" repair --yes "$IMG"
    expect_named "$word"
    manifest_of_image "$IMG" >"$CASE_DIR/after"
    expect_same "$CASE_DIR/before" "$CASE_DIR/after"
}

in_image() {
    image_mount "$IMG"
    "$@" "$MNT"
    image_umount
}

# --- targets ---

case_no_such_target() {
    expect_exit 8 sshmend check "$CASE_DIR/no-such-disk.img"
    expect_says "$ERR" no-such-disk.img
    expect_exit 8 sshmend repair --yes /dev/no-such-disk
    expect_says "$ERR" /dev/no-such-disk
    [[ ! -e $CASE_DIR/no-such-disk.img && ! -e /dev/no-such-disk ]] || fail 'the target was made'
}

case_not_a_disk() {
    mkfifo pipe
    expect_exit 8 timeout 10 "$SSHMEND" check "$CASE_DIR/pipe"
    expect_says "$ERR" pipe
    expect_exit 8 timeout 10 "$SSHMEND" check /dev/zero
    expect_says "$ERR" /dev/zero
}

case_empty_image() {
    : >"$IMG"
    refused 8 disk.img sshmend check "$IMG"
    refused 8 disk.img sshmend repair --yes "$IMG"
}

case_zeroed_image() {
    truncate -s 8M "$IMG"
    refused 8 disk.img sshmend check "$IMG"
    refused 8 disk.img sshmend repair --yes "$IMG"
}

case_truncated_image() {
    broken_image "$IMG" gpt-ext4 modes_777
    truncate -s 400M "$IMG"
    refused 8 disk.img sshmend repair --yes "$IMG"
}

case_truncated_bare_image() {
    broken_image "$IMG" bare-ext4 modes_777
    truncate -s 400M "$IMG"
    refused 8 disk.img sshmend repair --yes "$IMG"
}

case_image_without_root() {
    local offset size
    truncate -s 200M "$IMG"
    printf '%s\n' 'label: gpt' 'size=64MiB, type=linux' 'type=swap' | sfdisk -q "$IMG"
    read -r offset size < <(image_partitions "$IMG" | head -n 1)
    make_partition "$IMG" "$offset" "$size" ext4 fill_boot
    read -r offset size < <(image_partitions "$IMG" | tail -n 1)
    partition_loop "$IMG" "$offset" "$size" -- mkswap -q
    refused 8 disk.img sshmend check "$IMG"
    refused 8 disk.img sshmend repair --yes "$IMG"
}

case_empty_directory() {
    mkdir empty
    expect_exit 8 sshmend check "$CASE_DIR/empty"
    expect_says "$ERR" empty
    expect_exit 8 sshmend repair --yes "$CASE_DIR/empty"
    expect_equal "$(ls -A empty)" ''
}

# --- targets in use ---

attach() {
    DISK=$(losetup --find --show "$@")
    # shellcheck disable=SC2064 # the device's name is known now
    trap "losetup -d $DISK" EXIT
}

case_image_mounted() {
    broken_image "$IMG" gpt-ext4 modes_777
    image_mount "$IMG"
    tree_manifest "$MNT" >before
    expect_exit 8 sshmend repair --yes "$IMG"
    expect_says "$ERR" disk.img
    tree_manifest "$MNT" >after
    expect_same before after
    image_umount
}

# Whoever looks at all loop devices, as udev does, keeps one for a moment that a mount has let go of.
case_image_let_go_of() {
    broken_image "$IMG" bare-ext4 modes_777
    mkdir mnt
    mount -o loop "$IMG" mnt
    exec 5<"$(findmnt -nvo SOURCE mnt)"
    umount mnt
    sleep 0.3 &
    exec 5<&-
    expect_exit 4 sshmend check "$IMG"
    wait
}

case_device_mounted() {
    broken_image "$IMG" bare-ext4 modes_777
    attach "$IMG"
    mkdir mnt
    mount "$DISK" mnt
    tree_manifest mnt >before
    expect_exit 8 sshmend repair --yes "$DISK"
    expect_says "$ERR" "$DISK"
    tree_manifest mnt >after
    expect_same before after
    umount mnt
}

# Attached read-write elsewhere: somebody may be about to write to it.
case_image_attached() {
    broken_image "$IMG" gpt-ext4 modes_777
    attach "$IMG"
    refused 8 disk.img sshmend repair --yes "$IMG"
}

case_read_only_device() {
    broken_image "$IMG" gpt-ext4 modes_777
    attach --read-only "$IMG"
    expect_exit 4 sshmend check "$DISK"
    refused 8 "$DISK" sshmend repair --yes "$DISK"
    expect_says "$ERR" read-only
}

# --- roots with something essential gone ---

remove_etc_ssh() { rm -r "$1/etc/ssh"; }
case_no_etc_ssh() {
    image_make "$IMG" gpt-ext4
    in_image remove_etc_ssh
    refused_repair 4,8 /etc/ssh
}

etc_ssh_is_a_file() {
    rm -r "$1/etc/ssh"
    echo 'not a directory' >"$1/etc/ssh"
}
case_etc_ssh_is_a_file() {
    image_make "$IMG" gpt-ext4
    in_image etc_ssh_is_a_file
    refused_repair 4,8 /etc/ssh
}

# An absolute link means a place in the target. The host's directory of that
# name is the bait: neither read nor written.
lay_bait() {
    mkdir "$CASE_DIR/bait"
    ssh-keygen -q -t rsa -N '' -f "$CASE_DIR/bait/ssh_host_rsa_key"
    echo 'Port 2222' >"$CASE_DIR/bait/sshd_config"
    chmod -R 0777 "$CASE_DIR/bait"
}
expect_bait_unread() {
    ! grep -qF "$(ssh-keygen -lf bait/ssh_host_rsa_key.pub | cut -d' ' -f2)" "$OUT" || fail 'the host was read'
}
etc_ssh_leads_out() {
    mv "$1/etc/ssh" "$1/etc/ssh.moved"
    ln -s "$CASE_DIR/bait" "$1/etc/ssh"
}
case_etc_ssh_leads_out() {
    lay_bait
    tree_manifest bait >bait.before
    image_make "$IMG" gpt-ext4
    in_image etc_ssh_leads_out
    refused_repair 4,8 /etc/ssh
    expect_bait_unread
    tree_manifest bait >bait.after
    expect_same bait.before bait.after
}

# The same link where the target does have that place: repaired there.
etc_ssh_links_inside() {
    mkdir -p "$1$CASE_DIR"
    mv "$1/etc/ssh" "$1$CASE_DIR/bait"
    ln -s "$CASE_DIR/bait" "$1/etc/ssh"
    chmod 0777 "$1$CASE_DIR"/bait/ssh_host_*
}
case_etc_ssh_links_inside() {
    lay_bait
    tree_manifest bait >bait.before
    image_make "$IMG" gpt-ext4
    in_image etc_ssh_links_inside
    expect_exit 1 sshmend repair --yes "$IMG"
    judge_login "$IMG" >/dev/null
    tree_manifest bait >bait.after
    expect_same bait.before bait.after
}

# --- keys that are no regular files of a sane size: for a human to look at ---

# Removed and put back by hand, not by a tool: nothing else is repaired either.
not_a_key_file() {
    image_make "$IMG" gpt-ext4
    in_image break_modes_777
    in_image "$1"
    refused_repair 8 ssh_host_rsa_key
}

# The way out of the tree is the way to its top: the host's file is not what is judged.
key_leads_out() {
    ln -sf "../../../../../../../..$CASE_DIR/bait/ssh_host_rsa_key" "$1/etc/ssh/ssh_host_rsa_key"
}
case_key_leads_out() {
    lay_bait
    tree_manifest bait >bait.before
    not_a_key_file key_leads_out
    expect_bait_unread
    tree_manifest bait >bait.after
    expect_same bait.before bait.after
}

# Far larger than any key: not read to its end.
huge_key() { truncate -s 1G "$1/etc/ssh/ssh_host_rsa_key"; }
device_key() {
    rm "$1/etc/ssh/ssh_host_rsa_key"
    mknod "$1/etc/ssh/ssh_host_rsa_key" c 1 5
}
case_key_is_huge() { not_a_key_file huge_key; }
case_key_is_a_device() { not_a_key_file device_key; }
case_key_is_a_directory() { not_a_key_file break_directory; }
case_key_is_a_fifo() { not_a_key_file break_fifo; }
case_key_is_a_link_loop() { not_a_key_file break_link_loop; }

# --- no accounts, no space ---

remove_passwd() {
    break_modes_777 "$1"
    rm "$1"/etc/passwd*
}
case_no_passwd() {
    image_make "$IMG" gpt-ext4
    in_image remove_passwd
    refused_repair 4,8 /etc/passwd
}

remove_group() {
    break_modes_777 "$1"
    rm "$1"/etc/group*
}
case_no_group() {
    image_make "$IMG" gpt-ext4
    in_image remove_group
    refused_repair 4,8 /etc/group
}

# Not one block left: found out before the first change.
fill() {
    break_empty "$1"
    dd if=/dev/zero of="$1/var/big" bs=1M status=none 2>/dev/null || true
    dd if=/dev/zero of="$1/var/rest" bs=1k status=none 2>/dev/null || true
    sync -f "$1"
}
case_file_system_full() {
    image_make "$IMG" gpt-ext4
    in_image fill
    manifest_of_image "$IMG" >before
    expect_exit 8 sshmend repair --yes "$IMG"
    expect_says "$ERR" space
    manifest_of_image "$IMG" >after
    expect_same before after
    image_fsck "$IMG" >fsck 2>&1 || fail "$(cat fsck)"
}

# --- usage ---

usage_error() {
    expect_exit 16 "$@"
    [[ -s $ERR ]] || fail "no word on stderr: $*"
    [[ ! -s $OUT ]] || fail "stdout is not for errors: $*"
}

case_usage() {
    usage_error sshmend
    usage_error sshmend frobnicate
    usage_error sshmend check --no-such-option
    usage_error sshmend repair --keys=purple /dev/null
    usage_error sshmend repair --only
    usage_error sshmend check --color=purple
    expect_exit 0 sshmend --help
    expect_exit 0 sshmend --version
    expect_exit 0 sshmend repair --help
}

# These two need a target; on their own they would look at all attached disks.
case_target_required_alone() {
    usage_error sshmend keys
    usage_error sshmend undo
}

case_stdout_full() {
    image_make "$IMG" gpt-ext4
    # shellcheck disable=SC2016 # for the inner shell
    expect_exit 8 sh -c '"$0" check --json "$1" >/dev/full' "$SSHMEND" "$IMG"
    [[ -s $ERR ]] || fail 'no word on stderr'
}

# --- killed and interrupted ---

# Killed at any moment: nothing stays mounted or attached, and the next run
# finishes or rolls back and then repairs.
kill_repair_after() {
    local pid
    "$SSHMEND" repair --yes "$1" >"$OUT" 2>"$ERR" &
    pid=$!
    sleep "$2"
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

case_killed() {
    local delay before
    broken_image "$CASE_DIR/broken.img" gpt-ext4 mixed root_home_777
    before=$(attached)
    for delay in 0.02 0.1 0.2 0.3 0.4 0.5 0.7 0.9 1.2; do
        cp --sparse=always broken.img "$IMG"
        kill_repair_after "$IMG" "$delay"
        expect_attached "$before"
        expect_exit 0,1 sshmend repair --yes "$IMG"
        expect_exit 0 sshmend check "$IMG"
        judge_login "$IMG" >/dev/null
        image_fsck "$IMG" >fsck 2>&1 || fail "after $delay s: $(cat fsck)"
    done
}

case_killed_check() {
    local delay before
    broken_image "$IMG" gpt-ext4 mixed
    before=$(attached)
    for delay in 0.005 0.01 0.02 0.03 0.05 0.08; do
        "$SSHMEND" check "$IMG" >"$OUT" 2>"$ERR" &
        sleep "$delay"
        kill -KILL $! 2>/dev/null || true
        wait $! 2>/dev/null || true
        expect_attached "$before"
    done
}

case_interrupt_at_prompt() {
    broken_image "$IMG" gpt-ext4 modes_777
    local before
    before=$(hash_of "$IMG")
    expect_exit 32 at_prompt '\003'
    expect_equal "$(hash_of "$IMG")" "$before"
}

case_no_at_prompt() {
    broken_image "$IMG" gpt-ext4 modes_777
    local before
    before=$(hash_of "$IMG")
    expect_exit 32 at_prompt 'n\n'
    expect_equal "$(hash_of "$IMG")" "$before"
}

case_yes_at_prompt() {
    broken_image "$IMG" gpt-ext4 modes_777
    expect_exit 1 at_prompt 'y\n'
    expect_exit 0 sshmend check "$IMG"
    judge_login "$IMG" >/dev/null
}

# Interrupted in the middle of the work: cancelled as a whole or finished as a whole.
case_interrupted() {
    local delay pid code
    broken_image "$CASE_DIR/broken.img" gpt-ext4 mixed
    for delay in 0.05 0.2 0.4 0.6; do
        cp --sparse=always broken.img "$IMG"
        # A background job of a script ignores SIGINT; setsid and env give it back.
        env --default-signal=INT "$SSHMEND" repair --yes "$IMG" >"$OUT" 2>"$ERR" &
        pid=$!
        sleep "$delay"
        kill -INT "$pid" 2>/dev/null || true
        code=0
        wait "$pid" || code=$?
        [[ $code == 1 || $code == 32 || $code == 33 ]] || { show_streams; fail "exit $code after SIGINT at $delay s"; }
        expect_exit 0,1 sshmend repair --yes "$IMG"
        expect_exit 0 sshmend check "$IMG"
    done
}
