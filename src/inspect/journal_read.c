/* SPDX-License-Identifier: MIT */
/*
 * What sshd, and systemd about it, have said in journals: the last lines of the last boots,
 * and the first ones of each, since that is when host keys are loaded, and guessed passwords
 * may have come in by the thousand since. And which host keys were made, as cloud-init tells.
 * Runs in a child that is shut in (confine.c).
 */
#include "inspect/private.h"

#ifdef HAVE_LIBSYSTEMD

#include "base/alloc.h"
#include "base/io.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

const bool journal_readable = true;

enum { BOOTS_MAX = 3, LAST_MAX = 80, FIRST_MAX = 20, NAME_KEPT = 64 };
/* Of what tells of host keys: looked at, newest first, and told. */
enum { KEY_LINES_SEEN = 20000, KEY_LINES_MAX = 256 };

static const char *const about_sshd[] = {
    "_COMM=sshd",
    "_COMM=sshd-session",
    "_COMM=sshd-auth",
    "SYSLOG_IDENTIFIER=sshd",
    "SYSLOG_IDENTIFIER=sshd-session",
    "SYSLOG_IDENTIFIER=sshd-auth",
    "_SYSTEMD_UNIT=ssh.service",
    "_SYSTEMD_UNIT=sshd.service",
    /* what systemd says about them */
    "UNIT=ssh.service",
    "UNIT=sshd.service",
    "UNIT=ssh.socket",
    "UNIT=sshd.socket",
};

/*
 * Who tells the host keys: cloud-init on its standard output as it makes them, and its
 * write-ssh-key-fingerprints at each first boot, which calls itself ec2 wherever it is
 * (cloud-init: config/cc_ssh.py, tools/write-ssh-key-fingerprints). sshd itself tells none.
 */
static const char *const about_keys[] = {
    "SYSLOG_IDENTIFIER=ec2",
    "SYSLOG_IDENTIFIER=cloud-init",
    "_COMM=ssh-keygen",
    "_SYSTEMD_UNIT=cloud-init.service",
    "_SYSTEMD_UNIT=cloud-init-network.service", /* from 24.3 on */
    "_SYSTEMD_UNIT=cloud-init-main.service",    /* likewise */
    "_SYSTEMD_UNIT=cloud-config.service",
    "_SYSTEMD_UNIT=cloud-final.service",
};

/* Any of these, and this one, too (NULL: none). */
static int set_matches(sd_journal *journal, const char *const *any, size_t count, const char *also)
{
    sd_journal_flush_matches(journal);
    for (size_t i = 0; i < count; i++)
        if (sd_journal_add_match(journal, any[i], 0) < 0 || sd_journal_add_disjunction(journal) < 0)
            return -1;
    if (also &&
        (sd_journal_add_conjunction(journal) < 0 || sd_journal_add_match(journal, also, 0) < 0))
        return -1;
    return 0;
}

/* Only about sshd; of one boot, where that is given. */
static int match_sshd(sd_journal *journal, const sd_id128_t *boot)
{
    char boot_match[sizeof "_BOOT_ID=" + SD_ID128_STRING_MAX] = "_BOOT_ID=";

    if (boot)
        sd_id128_to_string(*boot, boot_match + strlen(boot_match));
    return set_matches(journal, about_sshd, ARRAY_SIZE(about_sshd), boot ? boot_match : NULL);
}

/* The value of a field on one line; false where the entry has none. */
static bool field_text(sd_journal *journal, const char *name, char *ret, size_t size)
{
    size_t len, skip = strlen(name) + 1;
    const void *data;

    if (sd_journal_get_data(journal, name, &data, &len) < 0 || len < skip)
        return false;
    len = len - skip < size - 1 ? len - skip : size - 1;
    memcpy(ret, (const char *)data + skip, len);
    ret[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (!ret[i] || ret[i] == '\n' || ret[i] == '\r')
            ret[i] = ' ';
    return len > 0;
}

/* "1700000000000000 sshd[123]: message": its time, and how syslog would have it. */
static int tell(sd_journal *journal, uint64_t time, int out)
{
    char message[JOURNAL_TEXT_MAX], who[NAME_KEPT], pid[16];
    auto_free char *line = NULL;

    if (!field_text(journal, "MESSAGE", message, sizeof message))
        return 0;
    if (!field_text(journal, "SYSLOG_IDENTIFIER", who, sizeof who) &&
        !field_text(journal, "_COMM", who, sizeof who))
        snprintf(who, sizeof who, "sshd");
    if (!field_text(journal, "SYSLOG_PID", pid, sizeof pid) &&
        !field_text(journal, "_PID", pid, sizeof pid))
        *pid = '\0';
    line = xasprintf("%llu %s%s%s%s: %s\n", (unsigned long long)time, who, *pid ? "[" : "", pid,
                     *pid ? "]" : "", message);
    return io_write_all(out, line, strlen(line));
}

/* Tells one boot; *ret_start is when its first line was written. */
static int tell_boot(sd_journal *journal, const sd_id128_t *boot, int out, uint64_t *ret_start)
{
    uint64_t time, oldest = UINT64_MAX;

    if (match_sshd(journal, boot) < 0 || sd_journal_seek_tail(journal) < 0)
        return -1;
    for (int n = 0; n < LAST_MAX && sd_journal_previous(journal) > 0; n++) {
        if (sd_journal_get_realtime_usec(journal, &oldest) < 0 || tell(journal, oldest, out) < 0)
            return -1;
    }
    *ret_start = oldest;
    if (sd_journal_seek_head(journal) < 0)
        return -1;
    for (int n = 0; n < FIRST_MAX && sd_journal_next(journal) > 0; n++) {
        if (sd_journal_get_realtime_usec(journal, &time) < 0 || time >= oldest)
            break;
        if (time < *ret_start)
            *ret_start = time;
        if (tell(journal, time, out) < 0)
            return -1;
    }
    return 0;
}

/* The boot of the last line before a time; false where there is none, or it was told. */
static bool boot_before(sd_journal *journal, uint64_t time, const sd_id128_t *told, size_t count,
                        sd_id128_t *ret)
{
    uint64_t unused;

    if (match_sshd(journal, NULL) < 0 || sd_journal_seek_realtime_usec(journal, time - 1) < 0 ||
        sd_journal_previous(journal) <= 0 ||
        sd_journal_get_monotonic_usec(journal, &unused, ret) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (sd_id128_equal(told[i], *ret))
            return false;
    return true;
}

/* One file that cannot be opened would fail them all. */
static size_t sound_files(const int *fds, size_t count, int *ret)
{
    size_t sound = 0;

    for (size_t i = 0; i < count; i++) {
        sd_journal *journal;
        int copy = dup(fds[i]);

        if (copy < 0 || sd_journal_open_files_fd(&journal, &copy, 1, 0) < 0)
            continue;
        sd_journal_close(journal);
        ret[sound++] = fds[i];
    }
    return sound;
}

void journal_prepare(void)
{
    /* From 256 on libsystemd opens these when it first needs them, which a child cannot. */
    static const char *const libraries[] = { "libzstd.so.1", "liblz4.so.1", "liblzma.so.5" };

    for (size_t i = 0; i < ARRAY_SIZE(libraries); i++)
        if (!dlopen(libraries[i], RTLD_NOW))
            continue;
}

static sd_journal *open_sound(const int *fds, size_t count)
{
    int sound[JOURNAL_FILES_MAX];
    size_t sounds = sound_files(fds, count, sound);
    sd_journal *journal;

    if (!sounds || sd_journal_open_files_fd(&journal, sound, (unsigned)sounds, 0) < 0)
        return NULL;
    (void)sd_journal_set_data_threshold(journal, JOURNAL_TEXT_MAX);
    return journal; /* the child ends, and with it all of this */
}

/* Only what root's processes have said: the rest of an entry is whatever its sender likes. */
int journal_read_keys(const int *fds, size_t count, int out)
{
    sd_journal *journal = open_sound(fds, count);
    char message[JOURNAL_TEXT_MAX];
    int told = 0;

    if (!journal || set_matches(journal, about_keys, ARRAY_SIZE(about_keys), "_UID=0") < 0 ||
        sd_journal_seek_tail(journal) < 0)
        return -1;
    for (int n = 0; n < KEY_LINES_SEEN && told < KEY_LINES_MAX && sd_journal_previous(journal) > 0;
         n++) {
        auto_free char *line = NULL;

        if (!field_text(journal, "MESSAGE", message, sizeof message) ||
            !(strstr(message, "SHA256:") || strstr(message, " AAAA")))
            continue;
        line = xasprintf("%s\n", message);
        if (io_write_all(out, line, strlen(line)) < 0)
            return -1;
        told++;
    }
    return 0;
}

int journal_read(const int *fds, size_t count, int out)
{
    sd_journal *journal = open_sound(fds, count);
    sd_id128_t boots[BOOTS_MAX];
    uint64_t before = UINT64_MAX;

    if (!journal)
        return -1;
    for (size_t i = 0; i < BOOTS_MAX && boot_before(journal, before, boots, i, &boots[i]); i++)
        if (tell_boot(journal, &boots[i], out, &before) < 0)
            return -1;
    return 0;
}

#else

const bool journal_readable = false;

void journal_prepare(void)
{
}

int journal_read(const int *fds, size_t count, int out)
{
    (void)fds, (void)count, (void)out;
    return -1;
}

int journal_read_keys(const int *fds, size_t count, int out)
{
    return journal_read(fds, count, out);
}

#endif
