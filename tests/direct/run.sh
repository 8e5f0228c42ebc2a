#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh [full] [PART…]: ext2, ext3 and ext4 without mounting. same: against the door that mounts;
# user: without any rights; journal: what kernels leave in it; cut: a power cut at any moment; killed:
# either side of the door at any moment; hostile: disks made by somebody who means harm; login: the
# judge. "full" tries every moment and many more damages. Ends with the line
# "direct: N passed, M failed".
#
# The harness is that of the fault tests.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FULL=
if [[ ${1-} == full ]]; then
    FULL=yes
    shift
fi
(($# > 0)) || set -- same user journal cut killed hostile login
SUITE=direct PART_DIR=$here FULL=$FULL exec bash "$here/../fault/run.sh" "$@"
