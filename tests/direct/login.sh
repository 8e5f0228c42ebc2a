# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # fault_dir and repo_dir come from the harness
#
# The judge: a Debian whose keys are gone is repaired without mounting, its own sshd comes up, and a
# real client logs in.

# shellcheck source=tests/testbed/image.sh
. "$repo_dir/tests/testbed/image.sh"
# shellcheck source=tests/testbed/judge.sh
. "$repo_dir/tests/testbed/judge.sh"
# shellcheck source=tests/testbed/breakages.sh
. "$repo_dir/tests/testbed/breakages.sh"

logs_in() {
    local image=$WORK/debian.img
    "$repo_dir/tests/testbed/make-root.sh"
    image_make "$image" gpt-ext4
    image_mount "$image"
    break_all_deleted "$MNT"
    break_root_home_777 "$MNT"
    image_umount
    judge_refuses "$image" || fail 'it is not broken'
    expect_exit 1 "$SANITIZED" repair --yes --recover=never --access=direct "$image"
    judge_login "$image" >/dev/null || fail 'nobody can log in'
    expect_exit 0 "$RELEASE" undo --access=direct "$image"
    judge_refuses "$image" || fail 'undo has left it repaired'
    image_fsck "$image" >"$HERE/fsck" 2>&1 || fail "$(tail -c 500 "$HERE/fsck")"
}

part_login() { point 'login: repaired without mounting' logs_in; }
