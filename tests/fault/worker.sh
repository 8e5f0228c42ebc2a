#!/bin/bash
# SPDX-License-Identifier: MIT
#
# worker.sh PART FUNCTION NUMBER FILE: calls a function of a part with every
# $JOBS-th line of a file. Started by in_parallel.

set -euo pipefail

part=$1 function=$2 worker=$3 lines=$4
fault_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for lib.sh
repo_dir=$(cd "$fault_dir/../.." && pwd)
# shellcheck source=tests/fault/lib.sh
. "$fault_dir/lib.sh"
# shellcheck source=/dev/null
. "${PART_DIR:-$fault_dir}/$part.sh"

enter_worker "${WORKER_NAME:-worker}$worker"
number=0
while read -r -a line <&3; do
    ((number++ % JOBS != worker)) || "$function" "${line[@]}"
done 3<"$lines" </dev/null
