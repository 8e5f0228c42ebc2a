# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # broken, boot: disks.sh's
#
# Partition tables that no tool would write: large, within one another, wrong (sourced by run.sh).
#
#   gpt OFFSET SECTOR ENTRIES [CLAIMED]  a GPT of so many entries, of which its header claims another
#                              number; on stdin "NUMBER START SIZE" in sectors, for those in use
#   mbr OFFSET TYPE START SIZE…          a boot sector; starts and sizes in sectors

# Its header's checksum, and that of the entries, are right (UEFI 2.10, 5.3.2).
gpt() {
    perl -MCompress::Raw::Zlib -e '
        my ($disk, $offset, $sector, $entries, $claimed) = @ARGV;
        my $table = "\0" x ($entries * 128);
        while (<STDIN>) {
            my ($number, $start, $size) = split;
            substr($table, ($number - 1) * 128, 128) = pack("H32 H32 Q< Q< Q< x72",
                "af3dc60f838472478e793d69d8477de4", sprintf("%032x", $number), $start, $start + $size - 1, 0);
        }
        open(my $file, "+<:raw", $disk) or die;
        my $last = ((-s $file) - $offset) / $sector - 1;
        my $header = sub { pack("a8 V V V V Q< Q< Q< Q< H32 Q< V V V", "EFI PART", 0x10000, 92, $_[0], 0,
            1, $last, 2, $last, "5e1f" x 8, 2, $claimed, 128, crc32($table)) };
        seek($file, $offset + $sector, 0);
        print $file $header->(crc32($header->(0)));
        seek($file, $offset + 2 * $sector, 0);
        print $file $table;' "$DISK" "$(number "$1")" "$2" "$3" "${4:-$3}" &&
        mbr "$1" ee 1 0xffffffff
}

mbr() {
    perl -e '
        my ($disk, $offset, @parts) = @ARGV;
        open(my $file, "+<:raw", $disk) or die;
        for (my $at = 446; @parts; $at += 16) {
            my ($type, $start, $size) = splice(@parts, 0, 3);
            seek($file, $offset + $at, 0);
            print $file pack("x4 H2 x3 V V", $type, map { /^0x/ ? hex : $_ } $start, $size);
        }
        seek($file, $offset + 510, 0);
        print $file "\x55\xaa";' "$DISK" "$(number "$1")" "${@:2}"
}

# One partition that holds a root, as the last of so many.
root_behind() { put ext4 25M 10M "$broken"; }
small_partitions() { seq "$1" | awk '{ print $1, 2560 + 2 * $1, 1 }'; }

make_x01() {
    disk 40M
    { small_partitions 500 && echo 501 51200 20480; } | gpt 0 512 10000
    root_behind
}
make_x02() {
    disk 40M
    { small_partitions 9999 && echo 10000 51200 20480; } | gpt 0 512 10000
    root_behind
}
# Unused entries count for nothing.
make_x03() {
    disk 40M
    echo 10000 51200 20480 | gpt 0 512 10000
    root_behind
}
make_x04() {
    disk 40M
    echo 3 51200 20480 | gpt 0 512 128 0xffffffff
    root_behind
}
# logical COUNT: a chain of so many logical partitions, the last with the root.
logical() {
    disk 40M
    mbr 0 05 4096 70000
    perl -e '
        my ($disk, $count) = @ARGV;
        open(my $file, "+<:raw", $disk) or die;
        for my $i (0 .. $count - 1) {
            my ($at, $last) = (4096 + 2 * $i, $i == $count - 1);
            seek($file, $at * 512 + 446, 0);
            print $file pack("x4 H2 x3 V V", "83", $last ? (51200 - $at, 20480) : (1, 1));
            print $file pack("x4 H2 x3 V V", "05", 2 * $i + 2, 2) unless $last;
            seek($file, $at * 512 + 510, 0);
            print $file "\x55\xaa";
        }' "$DISK" "$1"
    root_behind
}
make_x05() { logical 100; }
make_x06() { logical 10000; }
# Links of the chain that hold nothing.
make_x07() {
    disk 40M
    mbr 0 05 4096 70000 83 51200 20480
    mbr $((4096 * 512)) 83 1 1 05 0 70000
    root_behind
}
make_x08() {
    disk 40M
    mbr 0 83 51200 20480 05 4096 70000
    mbr $((4096 * 512)) 05 2 2
    mbr $((4098 * 512)) 05 4 2
    mbr $((4100 * 512)) 05 2 2
    root_behind
}
# A virtual machine's disk in a partition, of either table in either.
make_x09() {
    disk 40M dos <<<'start=20MiB, size=18MiB, type=83'
    mbr 20M 83 10240 20480
    root_behind
}
make_x10() {
    disk 40M gpt <<<'start=20MiB, size=18MiB, type=linux'
    mbr 20M 83 10240 20480
    root_behind
}
make_x11() {
    local whole=$DISK
    DISK=$whole.inner
    disk 18M gpt <<<'start=5MiB, size=10MiB, type=linux'
    DISK=$whole
    disk 40M dos <<<'start=20MiB, size=18MiB, type=83'
    dd if="$DISK.inner" of="$DISK" bs=1M seek=20 conv=notrunc,sparse status=none
    root_behind
}
# Hybrid: the same partition by either table.
make_x12() {
    disk 40M
    echo 3 51200 20480 | gpt 0 512 128
    mbr 0 83 51200 20480 ee 1 2047
    root_behind
}
# Protective, and nothing behind it.
make_x13() {
    disk 40M
    mbr 0 ee 1 0xffffffff
    root_behind
}
make_x14() {
    disk 40M
    mbr 0 ee 1 0xffffffff
}
# One within the other: both hold the start of the root, or one the middle of it.
make_x15() {
    disk 40M
    mbr 0 83 51200 20480 83 51200 10240 83 60000 20480
    root_behind
}
make_x19() {
    disk 40M
    mbr 0 83 51200 20480 83 51200 20480
    root_behind
}
make_x16() {
    disk 40M
    mbr 0 83 51200 0xfffffff0 83 0xfffffff0 0xfffffff0 83 81919 1
    root_behind
}
make_x17() {
    disk 40M
    printf '%s\n' '1 51200 20480' '2 70000000000 1000' '3 36028797018963900 200' | gpt 0 512 128
    root_behind
}
# Of a disk of 4096-byte sectors.
make_x18() {
    disk 40M
    { seq 499 | awk '{ print $1, 320 + $1, 1 }' && echo 500 6400 2560; } | gpt 0 4096 500
    put ext4 25M 10M "$broken" -b 4096
}
make_x20() { big_sectors; }
# As an enclosure may make of a disk: what was written by one size of sectors is read by another.
make_x21() {
    disk 20M gpt <<<$'start=1MiB, size=4MiB, type=linux\nstart=5MiB, size=10MiB, type=linux'
    put ext4 1M 4M "$boot" -b 4096
    put ext4 5M 10M "$broken" -b 4096
}
# shellcheck disable=SC2034 # run.sh reads it
make_x22() {
    big_sectors
    more=(--access=direct)
}
