# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Somebody with an image and no rights at all.

# shellcheck source=tests/direct/variants.sh
. "$PART_DIR/variants.sh"

as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all \
        --ambient-caps -all --no-new-privs "$@"
}

make_images() {
    NOBODYS=$WORK/nobody
    chmod 711 "$WORK"
    install -d -o 65534 -g 65534 "$NOBODYS"
    cp "$WORK/sshmend-sanitized" "$NOBODYS/sshmend"
    cp --sparse=always "$WORK/ext4.broken" "$NOBODYS/disk.img"
    cp "$WORK/tree/etc/ssh/ssh_host_ed25519_key.pub" "$NOBODYS/key.pub"
    chown -R 65534:65534 "$NOBODYS"
}

nobody() { as_nobody "$NOBODYS/sshmend" "$@"; }

# The test of the test: there is nothing left to mount with.
has_no_rights() {
    [[ $(as_nobody sed -n 's/^CapEff:\t//p' /proc/self/status) == 0000000000000000 ]] || fail 'rights are left'
    expect_exit 8 nobody check --access=mount "$NOBODYS/disk.img"
}

whole_way() {
    expect_exit 4 nobody check "$NOBODYS/disk.img"
    expect_exit 0 nobody scan "$NOBODYS/disk.img"
    grep -q 'Debian' "$HERE/out" || fail 'scan names no system'
    expect_exit 1 nobody repair --yes --recover=never "$NOBODYS/disk.img"
    expect_fsck_clean "$NOBODYS/disk.img" ext4
    expect_exit 0 nobody check "$NOBODYS/disk.img"
    expect_exit 0 nobody keys "$NOBODYS/disk.img" --known-hosts victim
    [[ $(wc -l <"$HERE/out") == 3 ]] || fail "keys: $(<"$HERE/out")"
    expect_exit 0 nobody undo --list "$NOBODYS/disk.img"
    expect_exit 0 nobody undo "$NOBODYS/disk.img"
    expect_tree "$NOBODYS/disk.img" "$WORK/ext4.old" 'undo did not restore'
}

lets_in() {
    cp --sparse=always "$WORK/ext4.img" "$NOBODYS/disk.img"
    rm -f "$NOBODYS/new" "$NOBODYS/new.pub"
    ssh-keygen -q -t ed25519 -N '' -f "$NOBODYS/new"
    chown 65534:65534 "$NOBODYS/disk.img" "$NOBODYS/new.pub"
    expect_exit 1 nobody authorize --yes --user root --key "$NOBODYS/new.pub" "$NOBODYS/disk.img"
    mount_image "$NOBODYS/disk.img" ro
    grep -qF "$(cut -d' ' -f2 "$NOBODYS/new.pub")" "$MNT/root/.ssh/authorized_keys" || fail 'the key is not there'
    [[ $(stat -c '%a %u' "$MNT/root/.ssh/authorized_keys") == '600 0' ]] || fail 'not as sshd wants it'
    unmount_image
}

# A deleted key comes back from the bare image.
lost_key() {
    local wanted
    cp --sparse=always "$WORK/ext4.img" "$NOBODYS/disk.img"
    wanted=$(ssh-keygen -lf "$WORK/tree/etc/ssh/ssh_host_ed25519_key.pub" | cut -d' ' -f2)
    mount_image "$NOBODYS/disk.img"
    rm "$MNT/etc/ssh/ssh_host_ed25519_key"
    unmount_image
    chown 65534:65534 "$NOBODYS/disk.img"
    expect_exit 1 nobody recover --yes --fingerprint "$wanted" "$NOBODYS/disk.img"
    mount_image "$NOBODYS/disk.img" ro
    [[ $(ssh-keygen -yf "$MNT/etc/ssh/ssh_host_ed25519_key") == "$(ssh-keygen -yf "$WORK/tree/etc/ssh/ssh_host_ed25519_key")" ]] ||
        fail 'another key'
    unmount_image
    expect_fsck_clean "$NOBODYS/disk.img" ext4
}

# Readable is not writable.
not_his_own() {
    cp --sparse=always "$WORK/ext4.broken" "$NOBODYS/disk.img"
    chown 0:0 "$NOBODYS/disk.img"
    chmod 644 "$NOBODYS/disk.img"
    expect_exit 4 nobody check "$NOBODYS/disk.img"
    expect_exit 8 nobody repair --yes --recover=never "$NOBODYS/disk.img"
    cmp -s "$WORK/ext4.broken" "$NOBODYS/disk.img" || fail 'changed'
}

other_file_system() {
    truncate -s 300M "$NOBODYS/xfs.img"
    mkfs.xfs -q "$NOBODYS/xfs.img"
    chown 65534:65534 "$NOBODYS/xfs.img"
    expect_exit 8 nobody check "$NOBODYS/xfs.img"
    grep -q 'as root' "$HERE/err" || fail "no way out is told: $(<"$HERE/err")"
    rm "$NOBODYS/xfs.img"
}

# A system in a directory takes mounting: said, rather than that there is none.
ostree() {
    mkdir -p "$HERE/top/ostree/deploy/fedora/deploy/0123abcd.0/etc"
    mke2fs -q -F -t ext4 -d "$HERE/top" "$NOBODYS/ostree.img" 8M
    chown 65534:65534 "$NOBODYS/ostree.img"
    expect_exit 8 nobody check "$NOBODYS/ostree.img"
    grep -q 'deployment of ostree: that takes mounting' "$HERE/err" || fail "not said: $(<"$HERE/err")"
    rm -r "$NOBODYS/ostree.img" "$HERE/top"
}

# The host keys on a file system of their own.
parts() {
    local image=$NOBODYS/parts.img tree=$HERE/half
    cp -a "$WORK/tree" "$tree"
    chmod 0777 "$tree/etc/ssh/ssh_host_rsa_key"
    make_apart "$image" "$tree" /etc/ssh 16 apart_as_ext4
    chown 65534:65534 "$image"
    expect_exit 4 nobody check "$image"
    expect_exit 1 nobody repair --yes --recover=never "$image"
    expect_both_sound "$image"
    expect_exit 0 nobody check "$image"
    expect_exit 0 nobody undo "$image"
    expect_exit 4 nobody check "$image"
    expect_both_sound "$image"
    rm -r "$image" "$tree"
}

# Somebody has it attached: an ordinary user sees that, too.
attached_elsewhere() {
    local loop code=0
    cp --sparse=always "$WORK/ext4.broken" "$NOBODYS/disk.img"
    chown 65534:65534 "$NOBODYS/disk.img"
    loop=$(losetup --find --show "$NOBODYS/disk.img")
    nobody repair --yes --recover=never "$NOBODYS/disk.img" >"$HERE/out" 2>"$HERE/err" || code=$?
    losetup --detach "$loop"
    ((code == 8)) && grep -q 'attached as' "$HERE/err" || fail "exit $code: $(<"$HERE/err")"
    cmp -s "$WORK/ext4.broken" "$NOBODYS/disk.img" || fail 'changed'
}

part_user() {
    make_images
    point 'user: has no rights' has_no_rights
    point 'user: check, repair, keys, undo' whole_way
    point 'user: authorize' lets_in
    point 'user: a lost key' lost_key
    point 'user: an image of somebody else' not_his_own
    point 'user: XFS' other_file_system
    point 'user: ostree' ostree
    point 'user: /etc/ssh on a file system of its own' parts
    point 'user: an image that is attached' attached_elsewhere
}
