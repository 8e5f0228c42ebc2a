/* SPDX-License-Identifier: MIT */
/* Which disk is meant by a provider's ID. */
#include "unit.h"

#include "base/alloc.h"
#include "device/private.h"

static const struct {
    const char *serial, *wanted;
    bool same;
} serials[] = {
    { "bp1abcdef0123456789x", "bp1abcdef0123456789x", true },
    { "bp1abcdef0123456789x", "d-bp1abcdef0123456789x", true },
    { "bp1abcdef0123456789x", "d-bp1abcdef0123456789xyz", true }, /* cut off by virtio-blk */
    { "bp1abcdef0123456789x", "bp1abcdef0123456789", false },
    { "bp1abcdef0123456789", "bp1abcdef0123456789x", false },
    { "d-bp1", "d-bp1", true },
    { "d-bp1", "bp1", false },
    { "bp1", "d-bp2", false },
    { "bp1", "d-", false },
    { NULL, "bp1", false },
};

START_TEST(serial)
{
    const struct disk disk = { .serial = (char *)serials[_i].serial };

    ck_assert_int_eq(disk_has_serial(&disk, serials[_i].wanted), serials[_i].same);
}
END_TEST

/* Names as 60-persistent-storage.rules of systemd 252 makes them. */
static const struct {
    const char *serial, *id;
    bool same;
} ids[] = {
    { "bp1abcdef0123456789x", "virtio-bp1abcdef0123456789x", true },
    { "QM00001", "ata-QEMU_HARDDISK_QM00001", true },
    { "S4-EV_1", "nvme-Model_S4-EV_1", true },
    { "QM0000", "ata-QEMU_HARDDISK_QM00001", false },
    { "M00001", "ata-QEMU_HARDDISK_QM00001", false },
    { "bp1", "bp1", false },
    { "bp1", "virtio-", false },
    { NULL, "virtio-bp1", false },
};

START_TEST(id)
{
    const struct disk disk = { .serial = (char *)ids[_i].serial };

    ck_assert_int_eq(disk_has_id(&disk, ids[_i].id), ids[_i].same);
}
END_TEST

/* What a label may put into a command that the operator is told to run. */
static const struct {
    const char *label, *command;
} pools[] = {
    { "tank", "/mnt tank, on" }, { "rpool-1", "/mnt rpool-1, on" },
    { NULL, "/mnt, on" },        { "-F", "/mnt, on" },
    { "--", "/mnt, on" },        { "tank; reboot", "/mnt, on" },
    { "$(reboot)", "/mnt, on" },
};

START_TEST(pool_in_command)
{
    const struct disk disk = { .kind = DISK_BLOCK };
    struct volume volume = { .name = (char *)"/dev/sdb1", .type = (char *)"zfs_member" };
    auto_free char *advice = NULL;

    volume.label = (char *)pools[_i].label;
    advice = volume_advice(-1, &disk, &volume);
    ck_assert_msg(strstr(advice, pools[_i].command) != NULL, "%s", advice);
}
END_TEST

Suite *suite_device(void)
{
    Suite *suite = suite_create("device");
    TCase *tcase = tcase_create("device");

    ADD_TABLE(tcase, serial, serials);
    ADD_TABLE(tcase, id, ids);
    ADD_TABLE(tcase, pool_in_command, pools);
    suite_add_tcase(suite, tcase);
    return suite;
}
