/* SPDX-License-Identifier: MIT */
/*
 * What sshd has said in the target's own logs: text, rotated ones too, of which only the
 * ends are read, and systemd's journal.
 */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* Later than this is no time: the end of the year 9999. */
#define TIME_MAX INT64_C(253402300799)

enum { TAIL_MAX = 256 * 1024, GZIP_MAX = 16 * 1024 * 1024, LINES_MAX = 400, LINE_KEPT = 1000 };

/* The first three are not what syslog writes, and are there where sshd has no text log. */
enum { SYSLOG_FROM = 3 };

static const char *const logs_read[] = {
    "/var/log/cloud-init.log", "/var/log/audit/audit.log", "/var/log/boot.log", "/var/log/syslog",
    "/var/log/messages",       "/var/log/secure",          "/var/log/auth.log",
};

static bool about_ssh(const char *line)
{
    return strstr(line, "sshd") || strstr(line, "ssh.service") || strstr(line, "ssh_host_") ||
           strstr(line, "/etc/ssh/");
}

static void keep_line(struct logs *logs, const char *source, const char *line, int64_t seconds)
{
    struct log_line kept = { .source = xstrdup(source),
                             .text = xstrndup(line, LINE_KEPT),
                             .time = seconds * 1000000 };

    if (logs->count >= LINES_MAX) {
        free(logs->lines[0].source);
        free(logs->lines[0].text);
        memmove(logs->lines, logs->lines + 1, --logs->count * sizeof *logs->lines);
    }
    array_push(logs->lines, logs->count, kept);
}

/* The last line that is not empty; what follows it is cut off, in place. */
static const char *last_line(char *text)
{
    size_t len = strlen(text);
    const char *newline;

    while (len && text[len - 1] == '\n')
        text[--len] = '\0';
    newline = strrchr(text, '\n');
    return newline ? newline + 1 : text;
}

/* A line that does not tell its time was written with the one before, or when the file was. */
static void keep_lines(struct logs *logs, const char *source, char *text, int64_t written)
{
    const struct log_clock clock = log_clock_of(last_line(text), written);
    char *rest = text, *line;
    int64_t seconds = written;

    while ((line = strsep(&rest, "\n"))) {
        int64_t told = about_ssh(line) ? log_time(line, &clock) : 0;

        seconds = told ? told : seconds;
        if (about_ssh(line))
            keep_line(logs, source, line, seconds);
    }
}

/* gunzip in memory: at most the end of what comes out is kept. */
static char *unpack(const struct blob *packed, size_t most)
{
    z_stream stream = { .next_in = packed->data, .avail_in = (unsigned)packed->len };
    auto_blob struct blob text = blob_zeroed(GZIP_MAX);
    size_t len;

    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return NULL;
    stream.next_out = text.data;
    stream.avail_out = GZIP_MAX;
    (void)inflate(&stream, Z_FINISH);
    len = (size_t)stream.total_out;
    inflateEnd(&stream);
    return xstrndup((const char *)text.data + (len > most ? len - most : 0),
                    len > most ? most : len);
}

char *log_tail(const struct root *root, const char *path, size_t most, int64_t *ret_written)
{
    auto_blob struct blob bytes = { 0 };
    struct root_stat stat;
    uint64_t len;

    if (root_find(root, path, NULL, &stat, NULL) < 0 || !S_ISREG(stat.mode))
        return NULL;
    if (ret_written)
        *ret_written =
            stat.mtime.tv_sec > 0 && stat.mtime.tv_sec < TIME_MAX ? stat.mtime.tv_sec : 0;
    if (text_ends(path, ".gz"))
        return root_read(root, path, GZIP_MAX, &bytes, NULL) < 0 ? NULL : unpack(&bytes, most);
    len = stat.size < most ? stat.size : most;
    if (root_read_part(root, path, stat.size - len, (size_t)len, &bytes, NULL) < 0)
        return NULL;
    /* NUL bytes, as a power cut leaves them, do not end the log. */
    for (size_t i = 0; i < bytes.len; i++)
        if (!bytes.data[i])
            bytes.data[i] = '\n';
    return xstrdup((const char *)bytes.data);
}

static void texts_inspect(const struct root *root, struct logs *ret)
{
    static const char *const endings[] = { ".2.gz", "-[0-9]*.gz", "-[0-9]*[0-9]", ".1", "" };

    for (size_t i = 0; i < ARRAY_SIZE(logs_read); i++) {
        for (size_t n = 0; n < ARRAY_SIZE(endings); n++) {
            auto_free char *pattern = xasprintf("%s%s", logs_read[i], endings[n]);
            auto_with(text_list_free) char **found = NULL;

            if (root_glob(root, pattern, &found, NULL) < 0)
                continue;
            for (char **path = found; *path; path++) {
                int64_t written;
                auto_free char *text = log_tail(root, *path, TAIL_MAX, &written);

                ret->texts = ret->texts || (text && i >= SYSLOG_FROM);
                if (text)
                    keep_lines(ret, *path, text, written);
            }
        }
    }
}

/* By time; lines of one moment, or of a log whose clock is unknown, stay as they are. */
static void sort_lines(struct logs *logs)
{
    for (size_t i = 1; i < logs->count; i++) {
        struct log_line line = logs->lines[i];
        size_t at = i;

        for (; at && logs->lines[at - 1].time > line.time; at--)
            logs->lines[at] = logs->lines[at - 1];
        logs->lines[at] = line;
    }
}

void logs_inspect(const struct root *root, struct logs *ret)
{
    *ret = (struct logs){ 0 };
    texts_inspect(root, ret);
    journal_inspect(root, ret);
    sort_lines(ret);
}

void logs_free(struct logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        free(logs->lines[i].source);
        free(logs->lines[i].text);
    }
    free(logs->lines);
    *logs = (struct logs){ 0 };
}
