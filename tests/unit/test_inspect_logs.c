/* SPDX-License-Identifier: MIT */
/* Logs: when a line was written, and systemd's journal, real ones and broken ones. */
#include "base/confine.h"
#include "inspect/private.h"
#include "unit.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define MACHINE "var/log/journal/3d1219c7c4c5404aaa1f6d2a48adfda4/"
#define REMOTE "/lib/systemd/systemd-journal-remote"

/* ---- times ------------------------------------------------------------------------------- */

enum { WRITTEN = 1767225600 }; /* 2026-01-01 00:00:00 UTC */

static const struct {
    const char *line;
    int64_t time;
} stamps[] = {
    { "2026-01-01T00:00:00.123456+00:00 h sshd[1]: x", WRITTEN },
    { "2026-01-01T00:00:00Z h sshd[1]: x", WRITTEN },
    { "2026-01-01T08:00:00.1+08:00 h sshd[1]: x", WRITTEN },
    { "2025-12-31T18:30:00-0530 h sshd[1]: x", WRITTEN },
    { "2026-01-01 00:00:00,123 - util.py: x", WRITTEN },
    { "Jan  1 00:00:00 h sshd[1]: x", WRITTEN },
    { "Dec 31 23:59:59 h sshd[1]: x", WRITTEN - 1 },
    { "type=AVC msg=audit(1767225600.123:24): avc: x", WRITTEN },
    { "Xan  1 00:00:00 h sshd[1]: x", 0 },
    { "anF  1 00:00:00 h sshd[1]: x", 0 },
    { "sshd: x", 0 },
    { "2026", 0 },
    { "", 0 },
};

START_TEST(time_of_line)
{
    const struct log_clock clock = { .written = WRITTEN };

    ck_assert_int_eq(log_time(stamps[_i].line, &clock), stamps[_i].time);
}
END_TEST

/* A syslog of China's: its last line was written when the file was. */
START_TEST(zone_of_log)
{
    struct log_clock clock = log_clock_of("Jan  1 08:00:03 h cron[1]: x", WRITTEN + 4);

    ck_assert_int_eq(clock.zone, -8 * 3600);
    ck_assert_int_eq(log_time("Jan  1 07:00:00 h sshd[1]: x", &clock), WRITTEN - 3600);
    clock = log_clock_of("Mar  1 08:00:03 h cron[1]: x", WRITTEN);
    ck_assert_int_eq(clock.zone, 0);
}
END_TEST

/* ---- the journal -------------------------------------------------------------------------- */

static char *export_text;
static uint64_t export_time;

static void say_nothing_yet(void)
{
    free(export_text);
    export_text = xstrdup("");
    export_time = UINT64_C(1700000000) * 1000000;
}

/* One entry, a second after the one before. */
static void journal_says(unsigned boot, const char *who, const char *more, const char *message)
{
    char *text = xasprintf("%s__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%llu\n"
                           "_BOOT_ID=%032x\nSYSLOG_IDENTIFIER=%s\n_PID=7\n%s%sMESSAGE=%s\n\n",
                           export_text, (unsigned long long)export_time,
                           (unsigned long long)(export_time - UINT64_C(1600000000000000)), boot,
                           who, more, *more ? "\n" : "", message);

    export_time += 1000000;
    free(export_text);
    export_text = text;
}

/* The journal at a path, of all that was said. */
static void put_journal(const char *path)
{
    auto_free char *from = xasprintf("%s/export", scratch);
    auto_free char *to = xasprintf("%s/%s", scratch, path);
    const char *const argv[] = { REMOTE, "-o", to, from, NULL };

    put_bytes(path, 0640, "", 0);
    ck_assert_int_eq(unlink(to), 0);
    put_text("export", export_text);
    ck_assert_int_eq(run_program(argv, NULL), 0);
}

static struct logs read_logs(void)
{
    auto_root struct root *root = scratch_root(ROOT_READ);
    struct logs logs;

    logs_inspect(root, &logs);
    return logs;
}

static size_t lines_with(const struct logs *logs, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < logs->count; i++)
        count += strstr(logs->lines[i].text, text) != NULL;
    return count;
}

#define auto_logs auto_with(logs_free)

START_TEST(journal_lines)
{
    auto_logs struct logs logs = { 0 };

    say_nothing_yet();
    journal_says(1, "cron", "", "sshd is only spoken of");
    journal_says(1, "sshd", "_COMM=sshd", "Could not load host key: /etc/ssh/ssh_host_rsa_key");
    journal_says(1, "systemd", "UNIT=ssh.service", "ssh.service: Failed with result 'exit-code'.");
    journal_says(1, "systemd", "UNIT=cron.service", "cron.service: Failed");
    put_journal(MACHINE "system.journal");
    logs = read_logs();
    ck_assert_ptr_null(logs.journal_unread);
    ck_assert(!logs.texts);
    ck_assert_uint_eq(logs.count, 2);
    ck_assert_str_eq(logs.lines[0].source, JOURNAL_DIR);
    ck_assert_str_eq(logs.lines[0].text, "2023-11-14T22:13:21Z sshd[7]: Could not load host key: "
                                         "/etc/ssh/ssh_host_rsa_key");
    ck_assert_str_eq(logs.lines[1].text, "2023-11-14T22:13:22Z systemd[7]: ssh.service: Failed "
                                         "with result 'exit-code'.");
}
END_TEST

static const char *const compressions[] = { "zstd", "lz4", "xz" };

/* Long fields are packed; a line is bounded whatever comes out. */
START_TEST(journal_packed)
{
    auto_free char *run = xasprintf("a%02000d", 7), *odd = xasprintf("MESSAGE=%s", run);
    auto_logs struct logs logs = { 0 };

    ck_assert_int_eq(setenv("SYSTEMD_JOURNAL_COMPRESS", compressions[_i], 1), 0);
    say_nothing_yet();
    journal_says(1, "sshd", "", run);
    put_journal(MACHINE "system.journal");
    ck_assert_int_eq(unsetenv("SYSTEMD_JOURNAL_COMPRESS"), 0);
    {
        auto_blob struct blob file = file_bytes("%s/" MACHINE "system.journal", scratch);

        ck_assert_ptr_null(memmem(file.data, file.len, odd, strlen(odd)));
    }
    logs = read_logs();
    ck_assert_uint_eq(logs.count, 1);
    ck_assert_ptr_nonnull(strstr(logs.lines[0].text, "sshd[7]: a0000000"));
    ck_assert_uint_le(strlen(logs.lines[0].text), JOURNAL_TEXT_MAX + 32);
}
END_TEST

/* The last lines of the last three boots, and the first: keys are loaded before guests come. */
START_TEST(journal_boots)
{
    auto_logs struct logs logs = { 0 };

    say_nothing_yet();
    for (unsigned boot = 1; boot <= 5; boot++) {
        journal_says(boot, "sshd", "", "the beginning");
        for (int i = 0; i < 300; i++)
            journal_says(boot, "sshd", "", "Failed password for root");
        journal_says(boot, "sshd", "", "the end");
    }
    put_journal(MACHINE "system@1.journal");
    say_nothing_yet();
    export_time += UINT64_C(1000000) * 100000;
    journal_says(6, "sshd", "", "the beginning");
    journal_says(6, "sshd", "", "the end");
    put_journal(MACHINE "system.journal");
    logs = read_logs();
    ck_assert_uint_eq(lines_with(&logs, "the beginning"), 3);
    ck_assert_uint_eq(lines_with(&logs, "the end"), 3);
    ck_assert_uint_eq(logs.count, 2 + 2 * 100);
    for (size_t i = 1; i < logs.count; i++)
        ck_assert_int_lt(logs.lines[i - 1].time, logs.lines[i].time);
    ck_assert_ptr_nonnull(strstr(logs.lines[0].text, "the beginning"));
    ck_assert_ptr_nonnull(strstr(logs.lines[logs.count - 1].text, "the end"));
}
END_TEST

/* What rsyslog has written, too, is told once; the rest stands between. */
START_TEST(journal_and_texts)
{
    auto_logs struct logs logs = { 0 };

    say_nothing_yet();
    journal_says(1, "sshd", "", "the same line");
    journal_says(1, "sshd", "", "only in the journal");
    put_journal(MACHINE "system.journal");
    put_text("var/log/auth.log", "2023-11-14T22:13:20+00:00 h sshd[7]: the same line\n"
                                 "2023-11-14T22:13:29+00:00 h sshd[7]: only in the text\n");
    logs = read_logs();
    ck_assert(logs.texts);
    ck_assert_uint_eq(logs.count, 3);
    ck_assert_ptr_nonnull(strstr(logs.lines[0].text, "h sshd[7]: the same line"));
    ck_assert_ptr_nonnull(strstr(logs.lines[1].text, "only in the journal"));
    ck_assert_ptr_nonnull(strstr(logs.lines[2].text, "only in the text"));
}
END_TEST

/* What is no journal: said, where it is all there is; passed over, where there is a sound one. */
START_TEST(journal_junk)
{
    static const char nuls[65536], header[] = "LPKSHHRH";
    auto_free char *huge = xasprintf("%s/" MACHINE "system@huge.journal", scratch);
    auto_logs struct logs without = { 0 }, with = { 0 };

    put_bytes(MACHINE "system@empty.journal", 0640, "", 0);
    put_bytes(MACHINE "system@nuls.journal~", 0640, nuls, sizeof nuls);
    put_bytes(MACHINE "system@short.journal", 0640, header, sizeof header);
    put_bytes(MACHINE "system@huge.journal", 0640, header, sizeof header);
    ck_assert_int_eq(truncate(huge, INT64_C(1) << 40), 0);
    put_dir(MACHINE "system@folder.journal");
    put_link(MACHINE "system@link.journal", "/nowhere");
    put_text("var/log/cloud-init.log", "2023-11-14 22:13:20,123 - another matter\n");
    without = read_logs();
    ck_assert(!without.texts);
    ck_assert_uint_eq(without.count, 0);
    ck_assert_ptr_nonnull(without.journal_unread);

    say_nothing_yet();
    journal_says(1, "sshd", "", "sound");
    put_journal(MACHINE "system.journal");
    with = read_logs();
    ck_assert_uint_eq(with.count, 1);
    ck_assert_ptr_null(with.journal_unread);
}
END_TEST

/* Cut short and with flipped bits, in the parts that are in use: it comes to an end. */
START_TEST(journal_mutated)
{
    auto_free char *path = xasprintf("%s/" MACHINE "system.journal", scratch);
    struct blob file;
    size_t used, read = 0, step;

    say_nothing_yet();
    for (int i = 0; i < 30; i++)
        journal_says(1, "sshd", "_COMM=sshd", "Could not load host key");
    put_journal(MACHINE "system.journal");
    file = file_bytes("%s", path);
    for (used = file.len; used && !file.data[used - 1];)
        used--;
    step = used / 60;
    for (size_t at = 0; at < used; at += step) {
        auto_logs struct logs cut = { 0 }, flipped = { 0 };
        size_t byte = at < 40 * step ? at / step * 7 : at; /* the header, byte by byte, first */

        put_bytes(MACHINE "system.journal", 0640, file.data, at);
        cut = read_logs();
        ck_assert_uint_eq(cut.count, 0);
        file.data[byte] ^= (unsigned char)(1 << at % 8);
        put_bytes(MACHINE "system.journal", 0640, file.data, file.len);
        flipped = read_logs();
        ck_assert(flipped.count <= 30);
        read += flipped.count > 0;
        file.data[byte] ^= (unsigned char)(1 << at % 8);
    }
    ck_assert_uint_gt(read, 0);
    blob_free(&file);
}
END_TEST

/* ---- host keys that were made ---------------------------------------------------------------- */

#define FINGERPRINT "SHA256:LOsc4Ladlq3PwVU6LZoxC0kwz46YQa0ISSOJWofpelM"

static const struct {
    const char *who, *more, *message;
    bool told;
} makers[] = {
    { "ec2", "_UID=0", "256 " FINGERPRINT " root@web1 (ED25519)", true },
    { "cloud-init", "_UID=0", FINGERPRINT " root@web1", true },
    { "cloud-init", "_UID=0", "ssh-ed25519 AAAAC3Nz root@web1", true },
    { "python3", "_UID=0\n_SYSTEMD_UNIT=cloud-final.service",
      "<14>Nov 24 21:03:44 ec2: 256 " FINGERPRINT " root@web1 (ED25519)", true },
    { "sh", "_UID=0\n_COMM=ssh-keygen", FINGERPRINT " root@web1", true },
    /* Anybody can call himself so. */
    { "ec2", "_UID=1000", "256 " FINGERPRINT " root@web1 (ED25519)", false },
    { "ec2", "", "256 " FINGERPRINT " root@web1 (ED25519)", false },
    { "ec2", "_UID=0", "-----BEGIN SSH HOST KEY FINGERPRINTS-----", false },
    /* The keys of users, and names that guests have made up. */
    { "sshd", "_UID=0\n_COMM=sshd", "Invalid user 256 " FINGERPRINT " root@web1", false },
};

START_TEST(journal_of_keys)
{
    auto_root struct root *root = NULL;
    auto_free char *text = NULL, *line = xasprintf("%s\n", makers[_i].message);

    say_nothing_yet();
    journal_says(1, "cron", "_UID=0", FINGERPRINT " root@web1");
    journal_says(1, makers[_i].who, makers[_i].more, makers[_i].message);
    for (int i = 0; i < 300; i++)
        journal_says(2, "cloud-init", "_UID=0", "another matter");
    put_journal(MACHINE "system.journal");
    root = scratch_root(ROOT_READ);
    text = journal_keys(root);
    if (makers[_i].told)
        ck_assert_str_eq(text, line);
    else
        ck_assert_ptr_null(text);
}
END_TEST

/* The newest, and not without end; what is no journal costs only itself. */
START_TEST(journal_of_many_keys)
{
    static const char nuls[65536];
    auto_root struct root *root = NULL;
    auto_free char *text = NULL, *none = NULL;
    size_t lines = 0;

    say_nothing_yet();
    for (int i = 0; i < 600; i++) {
        auto_free char *message = xasprintf("%d " FINGERPRINT " root@web1", i);

        journal_says(1, "ec2", "_UID=0", message);
    }
    put_bytes(MACHINE "system@nuls.journal~", 0640, nuls, sizeof nuls);
    root = scratch_root(ROOT_READ);
    none = journal_keys(root);
    ck_assert_ptr_null(none);
    put_journal(MACHINE "system.journal");
    text = journal_keys(root);
    ck_assert(text && text_starts(text, "599 SHA256:"));
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    ck_assert_uint_eq(lines, 256);
}
END_TEST

/* ---- the child that is shut in ------------------------------------------------------------ */

static int works(const int *fds, size_t count, int out)
{
    char text[4];

    return count == 1 && io_read_at(fds[0], text, 4, 0) == 0 ? io_write_all(out, text, 4) : 1;
}

static int crashes(const int *fds, size_t count, int out)
{
    (void)!write(out, fds, count);
    __builtin_trap();
}

static int spins(const int *fds, size_t count, int out)
{
    for (volatile bool forever = fds != NULL; forever;)
        continue;
    return out + (int)count;
}

static int hoards(const int *fds, size_t count, int out)
{
    void *memory = mmap(NULL, 1024 * 1024 * 1024, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    (void)fds, (void)count, (void)out;
    return memory == MAP_FAILED ? 1 : 0;
}

static int talks(const int *fds, size_t count, int out)
{
    static const char text[4096];

    (void)fds, (void)count;
    for (int i = 0; i < 100; i++)
        if (io_write_all(out, text, sizeof text) < 0)
            return 1;
    return 0;
}

/* 0 where one of these could be done. */
static int escapes(const int *fds, size_t count, int out)
{
    bool out_there = open("/etc/passwd", O_RDONLY) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ||
                     fork() >= 0 || geteuid() == 0 || mkdir("/tmp/sshmend-escaped", 0700) == 0;

    for (int fd = 0; fd < 64; fd++)
        out_there = out_there || (fd != fds[0] && fd != out && fcntl(fd, F_GETFD) >= 0);
    return count && out_there ? 0 : 1;
}

static const struct {
    confined_work *work;
    int result;
} children[] = { { works, 0 },   { crashes, -1 }, { spins, -1 },
                 { hoards, -1 }, { talks, -1 },   { escapes, -1 } };

START_TEST(confined)
{
    auto_blob struct blob said = { 0 };
    auto_fd int memory = memfd_create("test", MFD_CLOEXEC);

    ck_assert_int_eq(io_write_all(memory, "text", 4), 0);
    ck_assert_int_eq(confine(children[_i].work, &memory, 1, 1024, &said), children[_i].result);
    if (children[_i].result == 0)
        ck_assert_str_eq((char *)said.data, "text");
    else
        ck_assert_ptr_null(said.data);
}
END_TEST

Suite *suite_inspect_logs(void)
{
    Suite *suite = suite_create("inspect: logs");
    TCase *tcase = tcase_create("logs");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    tcase_set_timeout(tcase, 300);
    ADD_TABLE(tcase, time_of_line, stamps);
    ADD(tcase, zone_of_log);
    ADD(tcase, journal_lines);
    ADD_TABLE(tcase, journal_packed, compressions);
    ADD(tcase, journal_boots);
    ADD(tcase, journal_and_texts);
    ADD(tcase, journal_junk);
    ADD(tcase, journal_mutated);
    ADD_TABLE(tcase, journal_of_keys, makers);
    ADD(tcase, journal_of_many_keys);
    ADD_TABLE(tcase, confined, children);
    suite_add_tcase(suite, tcase);
    return suite;
}
