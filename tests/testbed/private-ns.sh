#!/bin/bash
# SPDX-License-Identifier: MIT
#
# private-ns.sh DIR COMMAND…: runs COMMAND in mount and process namespaces of
# its own, with DIR as TMPDIR. What it mounts below DIR is seen by nobody
# else, and ends with it; so do the processes it starts.
#
# TIME_LIMIT   in seconds; the command is killed after it (default: 1800)

set -euo pipefail

# In a chroot / need not be a mount point, and cannot be made private then.
# Mounts below it could show up outside and stay there. So DIR becomes a
# private mount by itself, on which all others are made.
if [[ $1 == --inside ]]; then
    dir=$2
    shift 2
    mount --make-rprivate / 2>/dev/null || mount --bind "$dir" "$dir"
    mount --make-private "$dir" 2>/dev/null || true
    exec "$@"
fi

dir=$1
shift

# The one mount that a chroot may have shown outside.
# shellcheck disable=SC2064 # the directory's name is known now
trap "! mountpoint -q '$dir' || umount -R -l '$dir'" EXIT

code=0
IN_PRIVATE_NS=yes TMPDIR=$dir timeout --foreground --signal=KILL "${TIME_LIMIT:-1800}" \
    unshare --pid --fork --kill-child --mount --propagation unchanged --mount-proc -- \
    bash "${BASH_SOURCE[0]}" --inside "$dir" "$@" || code=$?
exit "$code"
