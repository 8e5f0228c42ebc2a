# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The judge of a recovery (sourced, after image.sh): the image's own sshd is
# started as the next boot would, and a real ssh client logs in.
#
#   judge_login IMG [USER…]     0 only if every login works with every host key
#                               type; prints the fingerprints served, sorted
#   judge_refuses IMG [USER…]   0 only if none of the users can log in with any
#   tree_manifest DIR           everything about a tree, to compare before and after:
#                               type, mode, owners, links, size, mtime, content,
#                               link target, xattrs, flags

: "${testbed_dir:?source image.sh first}"

# A client that has met the machine before: JUDGE_KNOWN_HOSTS, see judge-probe.sh.

# sshd must offer all of these, whatever else it has.
JUDGE_TYPES=${JUDGE_TYPES:-ssh-ed25519 ecdsa-sha2-nistp256 rsa-sha2-512}

# Prints what judge-probe.sh saw, one fact per line. All it mounts and starts
# lives in namespaces that end with it; the image is only read.
judge_probe() {
    local img=$1 offset size
    shift
    [[ $# -gt 0 ]] || set -- root alice
    read -r offset size < <(image_root_partition "$img")
    JUDGE_TYPES=$JUDGE_TYPES unshare --net --pid --fork --kill-child --mount --propagation unchanged -- \
        bash "$testbed_dir/judge-probe.sh" "$img" "$offset" "$size" "$BUILD/client_key" "$@"
}

# A probe that could not be made proves nothing, so each verdict asks that it reached its end.
judge_login() {
    local facts
    facts=$(judge_probe "$@") || return 1
    if ! grep -q '^probe done$' <<<"$facts" || grep -q ' failed$' <<<"$facts" || ! grep -q '^login ' <<<"$facts"; then
        printf 'judge: no login on every way into %s:\n%s\n' "$1" "$facts" >&2
        return 1
    fi
    sed -n 's/^key //p' <<<"$facts" | sort
}

judge_refuses() {
    local facts
    facts=$(judge_probe "$@" 2>/dev/null) || return 1
    if ! grep -q '^probe done$' <<<"$facts" || grep -q '^login .* ok$' <<<"$facts"; then
        printf 'judge: %s is not broken:\n%s\n' "$1" "$facts" >&2
        return 1
    fi
}

# The flags that stay put whatever happens beside a file: not e (extents), I (indexed directory), N (inline data).
manifest_flags() {
    local flags path
    find . "${outside[@]}" \( -type f -o -type d \) -print0 |
        xargs -0 -r lsattr -d 2>/dev/null | sed -E 's/^([^ ]*) +/\1 /' |
        while read -r flags path; do
            printf '%s flags %s\n' "$path" "${flags//[-eIN]/}"
        done
}

# getfattr prints a block per file; this makes it a line per attribute.
manifest_xattrs() {
    find . "${outside[@]}" -print0 |
        xargs -0 -r getfattr -h -m - -d -e hex -- 2>/dev/null |
        awk '/^# file: / { path = substr($0, 9) } /=/ && !/^#/ { print "./" path " xattr " $0 }'
}

# A full description of DIR, one fact per line. Left out: the size and times
# of directories, which change with what lies in them for a moment, and the
# tool's own records of past runs.
tree_manifest() (
    local outside=(-path ./var/lib/sshmend -prune -o)
    cd "$1" || exit
    {
        find . "${outside[@]}" -type d -printf '%p %y %m %U %G\n' \
            -o -printf '%p %y %m %U %G %n %s %T@ %l\n'
        find . "${outside[@]}" -type f -print0 | xargs -0 -r b2sum -l 256 -- | sed -E 's/^(\S+) +(.*)/\2 content \1/'
        manifest_xattrs
        manifest_flags
    } | LC_ALL=C sort
)
