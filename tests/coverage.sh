#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which lines of src/ the unit tests, the fixtures and the real disks reach. Runs
# that end by a signal leave no count behind, so the faults are not among them.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find build/cov -name '*.gcda' -delete
export SSHMEND=$PWD/build/cov/sshmend
build/cov/unit-tests | tail -n 1
bash tests/fixtures/run.sh | tail -n 1
bash tests/run/run.sh | tail -n 1
gcovr --root . --filter src/ --object-directory build/cov --sort-percentage --print-summary |
    sed -n '/^File/,$p'
