#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/findings.md from the table of checks, as the program itself explains it.
set -eu
sshmend=${1:-./sshmend}

echo '# Findings'
echo
echo 'Made by `make docs` from the table in `src/findings/checks.c`; do not edit.'
echo
echo '| ID | severity | mended | what is wrong |'
echo '|---|---|---|---|'
for id in $("$sshmend" explain | cut -d ' ' -f 1); do
    "$sshmend" explain "$id" | awk -v id="$id" '
        NR == 1 { title = substr($0, length(id) + 3) }
        NR == 2 { sub(/^ *severity /, ""); split($0, part, ", mended "); }
        END { printf "| [`%s`](#%s) | %s | %s | %s |\n", id, id, part[1], part[2], title }'
done
for id in $("$sshmend" explain | cut -d ' ' -f 1); do
    printf '\n## %s\n\n' "$id"
    "$sshmend" explain "$id" | sed -e '1s/^[^:]*: //' -e '1s/$/./' -e '2d' -e 's/^  //'
done
