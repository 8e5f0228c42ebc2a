/* SPDX-License-Identifier: MIT */
/*
 * find TARGET [--volume OFFSET SIZE FS INODE] [--want FILE.pub | --fingerprint TEXT |
 *      --comment TEXT]… [--unallocated] [--keep DIR] [--cancel-after N]
 *      [--stop-at-first]
 *
 * The search alone, for tests and the bench: prints one line for each key it tells
 * ("STATE WAY SPACE OFFSET WANT FINGERPRINT COMMENT"), then the counters. --keep
 * writes the files of wanted keys to DIR/NUMBER, which nothing but a test does;
 * --stop-at-first stops the process when progress is first told, until SIGCONT.
 */
#include "base/alloc.h"
#include "base/io.h"
#include "recover/recover.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char *const states[] = { "proven", "unknown-type", "encrypted", "torn" };
static const char *const ways[] = { "file", "zstd", "gzip", "zlib", "joined", "rebuilt" };
static const char *const spaces[] = { "unallocated", "allocated", "unknown" };
static const char *const ends[] = { "all-found", "exhausted", "cancelled" };

enum { WANTS_MAX = 64 };
static unsigned cancel_after;
static bool stop_at_first;

static bool on_progress(void *context, const struct recover_progress *now)
{
    unsigned *calls = context;

    if (now->done > now->total)
        errx(1, "progress beyond its end");
    if (stop_at_first && *calls == 0)
        raise(SIGSTOP);
    return ++*calls != cancel_after;
}

static struct recover_want want_file(const char *path, struct pubkey *pub)
{
    auto_blob struct blob text = { 0 };
    auto_fd int fd = open(path, O_RDONLY);

    if (fd < 0 || io_read_all(fd, 1024 * 1024, &text) < 0 || pubkey_parse(&text, pub) < 0)
        errx(1, "%s is no public key", path);
    return (struct recover_want){ .blob = &pub->blob };
}

static void keep(const char *directory, size_t number, const struct blob *file)
{
    auto_free char *path = xasprintf("%s/%zu", directory, number);
    auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || io_write_all(fd, file->data, file->len) < 0)
        err(1, "%s", path);
}

static void tell(const struct recover_found *found)
{
    auto_free char *fingerprint = pubkey_fingerprint(&found->pub);

    printf("%s %s %s %llu %d%s %s %s\n", states[found->state], ways[found->way],
           spaces[found->space], (unsigned long long)found->offset, found->want,
           found->by_hint ? "?" : "", fingerprint, found->pub.comment);
}

int main(int argc, char **argv)
{
    struct recover_want wants[WANTS_MAX] = { 0 };
    struct pubkey pubs[WANTS_MAX] = { 0 };
    struct recover_where where = { 0 };
    struct recover_options options = { .progress = on_progress };
    struct recovery recovery;
    struct disk disk;
    struct err e;
    struct rusage usage;
    const char *directory = NULL;
    size_t count = 0;
    unsigned calls = 0;

    hostkey_prepare();
    options.context = &calls;
    for (int i = 2; i < argc && count < ARRAY_SIZE(wants); i++) {
        if (strcmp(argv[i], "--volume") == 0 && i + 4 < argc) {
            where = (struct recover_where){ strtoull(argv[i + 1], NULL, 0),
                                            strtoull(argv[i + 2], NULL, 0), argv[i + 3],
                                            strtoull(argv[i + 4], NULL, 0) };
            i += 4;
        } else if (strcmp(argv[i], "--want") == 0) {
            wants[count] = want_file(argv[++i], &pubs[count]);
            count++;
        } else if (strcmp(argv[i], "--fingerprint") == 0) {
            wants[count++].fingerprint = argv[++i];
        } else if (strcmp(argv[i], "--comment") == 0) {
            wants[count++].comment = argv[++i];
        } else if (strcmp(argv[i], "--unallocated") == 0) {
            options.unallocated_only = true;
        } else if (strcmp(argv[i], "--stop-at-first") == 0) {
            stop_at_first = true;
        } else if (strcmp(argv[i], "--keep") == 0) {
            directory = argv[++i];
        } else if (strcmp(argv[i], "--cancel-after") == 0) {
            cancel_after = (unsigned)atoi(argv[++i]);
        } else {
            errx(2, "%s?", argv[i]);
        }
    }
    if (argc < 2 || device_open(argv[1], &disk, &e) < 0 || device_hold(&disk, false, &e) < 0 ||
        recover_search(&disk, &where, wants, count, &options, &recovery, &e) < 0)
        errx(1, "%s", argc < 2 ? "usage" : e.text);
    for (size_t i = 0; i < recovery.count; i++) {
        tell(&recovery.found[i]);
        if (directory && recovery.found[i].file.data)
            keep(directory, i, &recovery.found[i].file);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("end=%s read=%llu failed=%llu candidates=%llu proven=%llu encrypted=%llu torn=%llu "
           "untold=%zu peak_kb=%ld\n",
           ends[recovery.end], (unsigned long long)recovery.bytes_read,
           (unsigned long long)recovery.bytes_failed, (unsigned long long)recovery.candidates,
           (unsigned long long)recovery.proven, (unsigned long long)recovery.encrypted,
           (unsigned long long)recovery.torn, recovery.untold, usage.ru_maxrss);
    recovery_free(&recovery);
    disk_free(&disk);
    for (size_t i = 0; i < count; i++)
        pubkey_free(&pubs[i]);
    return 0;
}
