#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What can be checked without running a test: layers, banned calls, style, usage,
# and that man page, completion and docs tell what the program does.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
passed=0 failed=0

# check NAME COMMAND…: one lint; what it prints is what is wrong.
check() {
    local name=$1 out
    shift
    if out=$("$@" 2>&1) && [[ -z $out ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n%s\n' "$name" "$out"
    fi
}

c_files() { git ls-files --cached --others --exclude-standard '*.c' '*.h'; }
shell_files() {
    git ls-files --cached --others --exclude-standard '*.sh' '*.bash' '.ci/run' \
        rescue-image/root/init 'rescue-image/root/usr/lib/rescue/*' 'rescue-image/root/usr/sbin/*'
}
other_files() { git ls-files --cached --others --exclude-standard Makefile '*.py' '*.list' '*.cfg'; }

# Rooms from left to right; a room may include its own headers and those to its left.
rooms=(base hostkey config device root ext door recover inspect prove findings plan apply report cli)

room_index() {
    local i
    for i in "${!rooms[@]}"; do
        [[ ${rooms[i]} == "$1" ]] && echo "$i" && return
    done
    echo "${#rooms[@]}" # main.c
}

layers() {
    local file room include included
    while IFS=: read -r file include; do
        room=$(cut -d / -f 2 <<<"$file")
        included=$(sed 's/.*"\(.*\)\/.*/\1/' <<<"$include")
        (($(room_index "$included") <= $(room_index "$room"))) ||
            echo "$file must not include $include"
    done < <(grep -rHE '^#include "[a-z]+/' src)
}

# A header that says it is private to a room is included by that room alone.
private_headers() {
    local header room
    while read -r header; do
        room=$(cut -d / -f 2 <<<"$header")
        grep -rl "#include \"${header#src/}\"" src | grep -v "^src/$room/" |
            sed "s|$| must not include ${header#src/}|" || true
    done < <(grep -rlE 'Private$|Private to' --include='*.h' src)
}

# only ROOM… PATTERN: nothing outside these rooms may hold it.
only() {
    local pattern=${*: -1} allowed
    allowed=$(printf '%s\n' "${@:1:$#-1}" | sed 's|.*|^src/&/|' | paste -sd '|')
    grep -rnE "$pattern" src | grep -vE "$allowed|^src/main.c" || true
}

libraries() {
    only hostkey '#include <openssl/'
    only device '#include <blkid/'
    only door '#include <libmount/'
    only inspect '#include <selinux/'
    only inspect recover '#include <zlib'
    only recover '#include <zstd'
    only ext recover '#include <(ext2fs/|et/)'
    only inspect '#include <systemd/'
    only report '#include <libsmartcols/'
    only apply report '#include <jansson'
    only cli report '\b(printf|puts|putchar|fputs)\('
}

banned() {
    grep -rnE '\b(system|popen|getpwnam|getpwuid|getgrnam|chdir|sprintf|strcpy|strcat|gets|alloca|setjmp)\(' src || true
}

spdx() {
    { c_files; shell_files; other_files; } | xargs grep -L 'SPDX-License-Identifier: MIT' || true
}

format() { c_files | xargs clang-format --dry-run --Werror; }
shell() { shell_files | xargs shellcheck -x -S warning; }

python() { git ls-files --cached --others --exclude-standard '*.py' | xargs env PYTHONPYCACHEPREFIX=build/pycache python3 -W error -m py_compile; }

with_clang() {
    make -s MODE=dev OUT=build/clang CC=clang build/clang/.sshmend >/dev/null
}

# Where there is no libsystemd, everything else is built, and says so.
without_libsystemd() {
    make -s MODE=dev OUT=build/without HAVE_LIBSYSTEMD=no build/without/.sshmend >/dev/null || return
    build/without/.sshmend --version | grep -q zlib || echo '--version names no libraries'
    build/without/.sshmend --version | grep libsystemd
    ldd build/without/.sshmend | grep libsystemd
    return 0
}

commands() { ./sshmend --help | sed -n 's/^  \([a-z]\+\) .*/\1/p'; }
options_of() { ./sshmend "$1" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u; }

# expect CODE STREAM COMMAND…: exit code, and something on that stream alone.
expect() {
    local code=$1 stream=$2 got=0 out err
    shift 2
    err=$(mktemp)
    out=$("$@" 2>"$err") || got=$?
    [[ $got == "$code" ]] || echo "$*: exit code $got instead of $code"
    case $stream in
    out) [[ -n $out && ! -s $err ]] || echo "$*: says nothing on stdout, or something on stderr" ;;
    err) [[ -z $out && -s $err ]] || echo "$*: says nothing on stderr, or something on stdout" ;;
    esac
    rm -f "$err"
}

usage() {
    local command
    expect 0 out ./sshmend --help
    expect 0 out ./sshmend --version
    expect 16 err ./sshmend </dev/null
    expect 16 err ./sshmend no-such-command
    for command in $(commands); do
        expect 0 out ./sshmend "$command" --help
        expect 0 out ./sshmend "$command" --version
        expect 16 err ./sshmend "$command" --no-such-option
    done
    [[ $(commands | wc -l) -ge 6 ]] || echo 'the usage lists no commands'
}

man_page() {
    local command option
    scdoc <man/sshmend.8.scd >/dev/null || return
    for command in $(commands); do
        grep -q "^\*$command\*" man/sshmend.8.scd || echo "man page: no command $command"
        for option in $(options_of "$command"); do
            grep -q -- "\*$option\*" man/sshmend.8.scd || echo "man page: no option $option"
        done
    done | sort -u
}

# bash completion offers exactly the options that each command takes.
completion() {
    local command
    # shellcheck source=completion/sshmend.bash
    . completion/sshmend.bash
    for command in $(commands); do
        diff <(_sshmend_options "$command" | tr ' ' '\n' | sort) <(options_of "$command") |
            grep '^[<>]' | sed "s/^/completion of $command: /"
    done
    return 0
}

findings_doc() { diff docs/findings.md <(sh docs/make-findings.sh ./sshmend) >/dev/null || echo 'docs/findings.md is out of date: make docs'; }

make -s sshmend >/dev/null || exit 1
check layers layers
check private-headers private_headers
check libraries libraries
check banned-calls banned
check spdx spdx
check format format
check shellcheck shell
check python python
check clang with_clang
check without-libsystemd without_libsystemd
check usage usage
check man-page man_page
check completion completion
check findings-doc findings_doc
echo "lint: $passed passed, $failed failed"
((failed == 0))
