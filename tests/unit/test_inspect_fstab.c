/* SPDX-License-Identifier: MIT */
/* The target's fstab: what is believed of it. */
#include "unit.h"

#include "base/alloc.h"
#include "inspect/inspection.h"

#include <string.h>

/* What is left of one line: "SOURCE DIRECTORY [SUBVOLUME] [#ID]"; NULL: nothing. */
static const struct {
    const char *line, *left;
} lines[] = {
    { "UUID=1-2 /home ext4 defaults 0 2", "UUID=1-2 /home" },
    { "  UUID=\"1-2\"\t/home\text4", "UUID=1-2 /home" },
    { "LABEL=a\\040b /my\\040home xfs rw", "LABEL=a b /my home" },
    { "/dev/vda3 / btrfs rw,subvol=@,noatime 0 0", "/dev/vda3 / @" },
    { "/dev/vda3 / btrfs subvol= 0 0", "/dev/vda3 /" },
    { "/dev/vda3 / btrfs xsubvol=@ 0 0", "/dev/vda3 /" },
    { "/dev/vda3 /home btrfs rw,subvolid=257 0 0", "/dev/vda3 /home #257" },
    { "/dev/vda3 /home btrfs subvolid=0 0 0", "/dev/vda3 /home #5" },
    { "/dev/vda3 /home btrfs subvolid=257,subvol=/@home 0 0", "/dev/vda3 /home /@home" },
    { "/dev/vda3 /home btrfs subvolid=257x 0 0", "/dev/vda3 /home" },
    { "/dev/vda3 /home btrfs subvolid=-1 0 0", "/dev/vda3 /home" },
    { "/dev/sdb1 /data auto defaults", "/dev/sdb1 /data" },
    { "# UUID=1-2 /home ext4 defaults 0 2", NULL },
    { "#UUID=1-2 /home ext4", NULL },
    { "", NULL },
    { "UUID=1-2", NULL },
    { "UUID=1-2 /home", NULL },
    { "UUID=1-2 none swap sw", NULL },
    { "UUID=1-2 home ext4 defaults", NULL },
    { "UUID=1-2 /home ext4 noauto", NULL },
    { "UUID=1-2 /home ext4 rw,_netdev", NULL },
    { "/srv /home ext4 bind", NULL },
    { "server:/home /home nfs rw", NULL },
    { "tmpfs /tmp tmpfs rw", NULL },
    { "UUID=1-2 /home/../etc ext4 rw", NULL },
    { "UUID=1-2 /.. ext4 rw", NULL },
    { "a\\ /b\\0 ext4 \\04", "a\\ /b\\0" },
    { "a\\777 /b\\000c ext4", "a\\777 /b\\000c" },
};

START_TEST(line)
{
    auto_with(fstab_free) struct fstab fstab = { 0 };
    auto_root struct root *root = NULL;
    auto_free char *left = NULL, *id = NULL;

    scratch_make();
    put_text("etc/fstab", lines[_i].line);
    root = scratch_root(ROOT_READ);
    fstab_inspect(root, &fstab);
    if (fstab.count) {
        const struct fstab_entry *entry = &fstab.entries[0];

        id = entry->subvolume_id ? xasprintf(" #%llu", (unsigned long long)entry->subvolume_id)
                                 : xstrdup("");
        left = xasprintf("%s %s%s%s%s", entry->source, entry->directory,
                         entry->subvolume ? " " : "", entry->subvolume ? entry->subvolume : "", id);
    }
    if (lines[_i].left)
        ck_assert_str_eq(left, lines[_i].left);
    else
        ck_assert_uint_eq(fstab.count, 0);
    scratch_remove();
}
END_TEST

/* What is above comes before what is beneath, whatever the order of the lines. */
START_TEST(order)
{
    auto_with(fstab_free) struct fstab fstab = { 0 };
    auto_root struct root *root = NULL;

    scratch_make();
    put_text("etc/fstab", "a /var/log ext4\nb / ext4\nc /var ext4\n");
    root = scratch_root(ROOT_READ);
    fstab_inspect(root, &fstab);
    ck_assert_uint_eq(fstab.count, 3);
    ck_assert_str_eq(fstab.entries[0].source, "b");
    ck_assert_str_eq(fstab.entries[1].source, "c");
    ck_assert_str_eq(fstab.entries[2].source, "a");
    scratch_remove();
}
END_TEST

Suite *suite_inspect_fstab(void)
{
    Suite *suite = suite_create("inspect: fstab");
    TCase *tcase = tcase_create("fstab");

    ADD_TABLE(tcase, line, lines);
    ADD(tcase, order);
    suite_add_tcase(suite, tcase);
    return suite;
}
