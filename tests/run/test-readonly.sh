# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Commands that promise to write nothing leave every byte of the image as it
# was, journal replay included.

# unchanged HASH COMMAND…
unchanged() {
    [[ $(hash_of "$IMG") == "$1" ]] || fail "the image was changed by: ${*:2}"
}

readers_change_nothing() {
    local before command
    before=$(hash_of "$IMG")
    for command in '4 check' '4 repair --dry-run' '0 keys' '0 scan'; do
        # shellcheck disable=SC2086 # the exit code and the command's words
        set -- $command
        expect_exit "$1" sshmend "${@:2}" "$IMG"
        unchanged "$before" "${@:2}"
    done
}

clean_case() {
    broken_image "$IMG" "$1" modes_777
    readers_change_nothing
}

# The image as it was when the power went: copied while mounted, after writes
# that are only in the journal yet. fsync, not sync: btrfs has a log to replay
# only between two of its commits.
dirty_image() {
    broken_image "$CASE_DIR/mounted.img" "$1" modes_777
    image_mount "$CASE_DIR/mounted.img"
    mkdir "$MNT/srv/new"
    echo new >"$MNT/srv/new/file"
    sync "$MNT/srv/new/file" "$MNT/srv/new"
    cp --sparse=always "$CASE_DIR/mounted.img" "$IMG"
    image_umount
    rm "$CASE_DIR/mounted.img"
}

# A plain read-only mount of a dirty file system replays its journal.
plain_mount() {
    mkdir -p "$CASE_DIR/mnt"
    mount -o ro "$1" "$CASE_DIR/mnt"
    umount "$CASE_DIR/mnt"
}
expect_dirty() {
    local offset size copy=$CASE_DIR/copy.img
    cp --sparse=always "$IMG" "$copy"
    read -r offset size < <(image_root_partition "$copy")
    partition_loop "$copy" "$offset" "$size" -- plain_mount
    ! cmp -s "$IMG" "$copy" || fail 'the journal of this image is not dirty'
    rm "$copy"
}

dirty_case() {
    dirty_image "$1"
    expect_dirty
    readers_change_nothing
    expect_exit 4 sshmend check --json "$IMG"
    expect_json '[.findings[] | select(.id | startswith("fs-"))] | length > 0' "$OUT" true
}

case_clean_ext4() { clean_case gpt-ext4; }
case_clean_xfs() { clean_case gpt-xfs; }
case_clean_btrfs() { clean_case gpt-btrfs; }
case_clean_btrfs_at() { clean_case btrfs-at; }
case_dirty_ext4() { dirty_case gpt-ext4; }
case_dirty_xfs() { dirty_case gpt-xfs; }
case_dirty_btrfs() { dirty_case gpt-btrfs; }

# Repairing a dirty file system replays the journal first and loses nothing of it.
case_dirty_ext4_repaired() {
    dirty_image gpt-ext4
    expect_exit 1 sshmend repair --yes "$IMG"
    judge_login "$IMG" >/dev/null
    image_mount "$IMG"
    expect_equal "$(cat "$MNT/srv/new/file")" new
    image_umount
    image_fsck "$IMG" >"$CASE_DIR/fsck" 2>&1 || fail "$(cat "$CASE_DIR/fsck")"
}

# Neither --yes nor a terminal to ask on: nothing is written.
case_no_consent() {
    local before
    broken_image "$IMG" gpt-ext4 modes_777
    before=$(hash_of "$IMG")
    expect_exit 32 setsid --wait "$SSHMEND" repair "$IMG"
    unchanged "$before" repair
    expect_says "$ERR" '--yes'
}

# Nothing is written beside the image either.
case_nothing_beside_the_image() {
    local before
    mkdir image
    broken_image image/disk.img gpt-ext4 mixed
    before=$(ls -lA image)
    expect_exit 4 sshmend check image/disk.img
    expect_exit 4 sshmend repair --dry-run image/disk.img
    expect_equal "$(ls -lA image)" "$before"
}
