# SPDX-License-Identifier: MIT
#
# awk -F '\t' -f classify.awk OLD NEW NOW: says what of the tree NOW is neither as
# in OLD nor as in NEW; exit 1 if anything is. Of content made anew each time it
# says "generated PATH": the caller judges it.
#
# Fields as state.c prints them. What is published by exchanging names changes as
# a whole; of the rest, whose content stays, each attribute is old or new.

function attributes(line,    field) {
    split(line, field, "\t")
    return field[2] FS field[3] FS field[4] FS field[5]
}

function flags(line,    field) { split(line, field, "\t"); return field[8] }
function xattrs(line,    field) { split(line, field, "\t"); return field[9] }
function content(line,    field) { split(line, field, "\t"); return field[10] }
function mode(line,    field) { split(line, field, "\t"); return field[3] }
function owner(line,    field) { split(line, field, "\t"); return field[2] FS field[4] FS field[5] }

# +i and +a (0x10, 0x20) are off while a file is being changed; nothing else may be.
function flags_known(now, wanted) { return now == wanted || (now == "0" && wanted ~ /^[123]0$/) }

function whole(now, wanted) {
    return wanted != "" && attributes(now) == attributes(wanted) &&
        flags_known(flags(now), flags(wanted)) && xattrs(now) == xattrs(wanted) &&
        content(now) == content(wanted)
}

# The ACL mask is the group's part of the mode: without the ACL it stays there.
function half_way(now, a, b) {
    return a != "" && b != "" && content(a) == content(b) && content(now) == content(a) &&
        (mode(now) == mode(a) || mode(now) == mode(b)) &&
        (owner(now) == owner(a) || owner(now) == owner(b)) &&
        (flags_known(flags(now), flags(a)) || flags_known(flags(now), flags(b))) &&
        (xattrs(now) == xattrs(a) || xattrs(now) == xattrs(b))
}

function generated(now, a, b) {
    return b != "" && $1 ~ /_key(\.pub)?$/ && content(a) != content(b) &&
        attributes(now) == attributes(b) && xattrs(now) == xattrs(b) &&
        flags_known(flags(now), flags(b))
}

FILENAME == ARGV[1] { old[$1] = $0; next }
FILENAME == ARGV[2] { new[$1] = $0; next }

{
    seen[$1] = 1
    if (whole($0, old[$1]) || whole($0, new[$1]) || half_way($0, old[$1], new[$1]))
        next
    if (generated($0, old[$1], new[$1])) {
        print "generated " $1
        next
    }
    print $0 " | old: " old[$1] " | new: " new[$1]
    torn = 1
}

END {
    for (path in old)
        if ((path in new) && !(path in seen)) {
            print path " is gone"
            torn = 1
        }
    exit torn
}
