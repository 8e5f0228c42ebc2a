/* SPDX-License-Identifier: MIT */
/*
 * state DIR: one line for everything below DIR, so that two trees can be compared:
 *
 *   path TAB type TAB mode TAB uid TAB gid TAB links TAB mtime TAB flags TAB xattrs TAB content
 *
 * Links and mtime stand for regular files alone: those of a directory change with
 * what is in it. Nothing but regular files is opened, and no link is followed.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    /* What the file system sets by itself says nothing about the file. */
    OWN_FLAGS = 0x00080000 /* extents */ | FS_INDEX_FL | 0x10000000 /* inline data */,
    HASHED_MAX = 16 * 1024 * 1024,
};

static void print_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte > 0x20 && byte < 0x7f && byte != '\\')
            putchar(byte);
        else
            printf("\\x%02x", byte);
    }
}

/* FNV-1a: nobody here means to deceive. */
static uint64_t hash_of(int fd)
{
    static unsigned char bytes[65536];
    uint64_t hash = 0xcbf29ce484222325u;
    ssize_t len;

    for (size_t done = 0; done < HASHED_MAX; done += (size_t)len) {
        len = read(fd, bytes, sizeof bytes);
        if (len < 0)
            err(2, "read");
        if (len == 0)
            break;
        for (ssize_t i = 0; i < len; i++)
            hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

static void print_xattrs(int fd)
{
    char names[4096], value[4096];
    ssize_t len = flistxattr(fd, names, sizeof names);

    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
        ssize_t size = fgetxattr(fd, names + at, value, sizeof value);

        printf("%s=", names + at);
        print_text(value, size > 0 ? (size_t)size : 0);
        putchar(',');
    }
}

static void print_link(int dir, const char *name)
{
    char target[4096];
    ssize_t len = readlinkat(dir, name, target, sizeof target);

    if (len < 0)
        err(2, "%s", name);
    printf("\t\t\t\t");
    print_text(target, (size_t)len);
}

static void print_opened(int fd, const struct stat *stat)
{
    int flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        flags = 0;
    if (S_ISREG(stat->st_mode))
        printf("%lu\t%lld.%09ld", (unsigned long)stat->st_nlink, (long long)stat->st_mtim.tv_sec,
               stat->st_mtim.tv_nsec);
    else
        printf("\t");
    printf("\t%x\t", (unsigned)flags & ~(unsigned)OWN_FLAGS);
    print_xattrs(fd);
    if (S_ISREG(stat->st_mode))
        printf("\t%lld:%016llx", (long long)stat->st_size, (unsigned long long)hash_of(fd));
    else
        printf("\t");
}

static void walk(int dir, const char *path);

static void print_one(int dir, const char *name, const char *path)
{
    struct stat stat;
    int fd = -1;

    if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        err(2, "%s", path);
    print_text(path, strlen(path));
    printf("\t%o\t%o\t%u\t%u\t", stat.st_mode >> 12, stat.st_mode & 07777u, stat.st_uid,
           stat.st_gid);
    if (S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode)) {
        fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
        if (fd < 0)
            err(2, "%s", path);
        print_opened(fd, &stat);
    } else if (S_ISLNK(stat.st_mode)) {
        print_link(dir, name);
    } else {
        printf("\t\t\t\t%llx", (unsigned long long)stat.st_rdev);
    }
    putchar('\n');
    if (S_ISDIR(stat.st_mode))
        walk(fd, path);
    else if (fd >= 0)
        close(fd);
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void walk(int dir, const char *path)
{
    struct dirent **entries;
    int count = scandirat(dir, ".", &entries, not_dots, alphasort);

    if (count < 0)
        err(2, "%s", path);
    for (int i = 0; i < count; i++) {
        char *below;

        if (asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
            err(2, "memory");
        print_one(dir, entries[i]->d_name, below);
        free(below);
        free(entries[i]);
    }
    free(entries);
    close(dir);
}

int main(int argc, char **argv)
{
    int dir = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (dir < 0)
        err(2, "usage: state DIR");
    walk(dir, "");
    return ferror(stdout) || fflush(stdout) ? 2 : 0;
}
