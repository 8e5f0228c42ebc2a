/* SPDX-License-Identifier: MIT */
/*
 * What a disk may hold after a power cut, from a log of all its writes in the
 * format of dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst;
 * qemu's blklogwrites writes it too).
 *
 *   replay LOG                 a line for each moment behind a flush: "ENTRIES WRITES",
 *                              how many entries there are until then, and how many writes
 *                              follow until the next flush
 *   replay LOG IMAGE ENTRIES   puts the first ENTRIES entries into IMAGE
 *   replay LOG IMAGE ENTRIES SEED
 *                              and some of the writes that follow until the next flush:
 *                              what a disk with a write cache may have got to
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC 0x6a736677736872u

enum { FLUSH = 1, FUA = 2, DISCARD = 4, MARK = 8 };

struct super {
    uint64_t magic, version, entries;
    uint32_t sector_size;
} __attribute__((packed));

struct entry {
    uint64_t sector, sectors, flags, data_len;
};

struct log {
    int fd;
    uint64_t entries, at, sector_size;
};

static void read_at(int fd, void *to, size_t len, uint64_t offset)
{
    if (pread(fd, to, len, (off_t)offset) != (ssize_t)len)
        errx(2, "the log ends at %llu", (unsigned long long)offset);
}

static struct log open_log(const char *path)
{
    struct log log = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
    struct super super;

    if (log.fd < 0)
        err(2, "%s", path);
    read_at(log.fd, &super, sizeof super, 0);
    if (le64toh(super.magic) != MAGIC || le64toh(super.version) != 1)
        errx(2, "%s is no log of writes", path);
    log.entries = le64toh(super.entries);
    log.sector_size = le32toh(super.sector_size);
    log.at = log.sector_size;
    return log;
}

static bool has_data(const struct entry *entry)
{
    return !(entry->flags & DISCARD) && entry->sectors > 0;
}

/* The next entry; its data are at *ret_data. */
static struct entry next_entry(struct log *log, uint64_t *ret_data)
{
    struct entry entry;

    read_at(log->fd, &entry, sizeof entry, log->at);
    entry.sector = le64toh(entry.sector);
    entry.sectors = le64toh(entry.sectors);
    entry.flags = le64toh(entry.flags);
    *ret_data = log->at + log->sector_size;
    log->at = *ret_data + (has_data(&entry) ? entry.sectors * log->sector_size : 0);
    return entry;
}

static void put(const struct log *log, int image, const struct entry *entry, uint64_t data)
{
    unsigned char *sector = malloc(log->sector_size);

    if (!sector)
        err(2, "memory");
    for (uint64_t i = 0; has_data(entry) && i < entry->sectors; i++) {
        uint64_t to = (entry->sector + i) * log->sector_size;

        read_at(log->fd, sector, log->sector_size, data + i * log->sector_size);
        if (pwrite(image, sector, log->sector_size, (off_t)to) != (ssize_t)log->sector_size)
            err(2, "write");
    }
    free(sector);
}

static void list(struct log *log)
{
    uint64_t data, since = 0, writes = 0;

    for (uint64_t i = 0; i < log->entries; i++) {
        struct entry entry = next_entry(log, &data);

        if (entry.flags & FLUSH) {
            printf("%llu %llu\n", (unsigned long long)since, (unsigned long long)writes);
            since = i + 1;
            writes = 0;
        }
        writes += has_data(&entry);
    }
    printf("%llu %llu\n", (unsigned long long)since, (unsigned long long)writes);
}

static void replay(struct log *log, int image, uint64_t count, bool more)
{
    uint64_t data;

    if (count > log->entries)
        errx(2, "there are only %llu entries", (unsigned long long)log->entries);
    for (uint64_t i = 0; i < log->entries; i++) {
        struct entry entry = next_entry(log, &data);

        if (i >= count && (!more || (entry.flags & FLUSH)))
            break;
        if (i < count || (entry.flags & FUA) || random() % 2)
            put(log, image, &entry, data);
    }
}

int main(int argc, char **argv)
{
    struct log log;
    int image;

    if (argc != 2 && argc != 4 && argc != 5)
        errx(2, "usage: replay LOG [IMAGE ENTRIES [SEED]]");
    log = open_log(argv[1]);
    if (argc == 2) {
        list(&log);
        return 0;
    }
    image = open(argv[2], O_WRONLY | O_CLOEXEC);
    if (image < 0)
        err(2, "%s", argv[2]);
    srandom(argc == 5 ? (unsigned)atoi(argv[4]) : 0);
    replay(&log, image, strtoull(argv[3], NULL, 10), argc == 5);
    return close(image) == 0 ? 0 : 2;
}
