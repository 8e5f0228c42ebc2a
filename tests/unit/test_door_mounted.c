/* SPDX-License-Identifier: MIT */
/* The interface of a root, through the door of a mounted tree. */
#include "unit.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static struct root *root;

static void setup(void)
{
    scratch_make();
    put_text("file", "content");
    put_text("dir/inner", "inner");
    put_link("link", "file");
    put_link("dirlink", "dir");
    put_link("dangling", "nowhere");
    root = scratch_root(ROOT_WRITE);
}

static void teardown(void)
{
    struct err e;

    ck_assert_int_eq(root_close(&root, &e), 0);
    scratch_remove();
}

static struct stat stat_of(const char *path)
{
    auto_free char *full = xasprintf("%s/%s", scratch, path);
    struct stat stat;

    ck_assert_msg(lstat(full, &stat) == 0, "%s: %s", full, strerror(errno));
    return stat;
}

static bool is_there(const char *path)
{
    auto_free char *full = xasprintf("%s/%s", scratch, path);
    struct stat stat;

    return lstat(full, &stat) == 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void put_odd(void)
{
    auto_free char *fifo = xasprintf("%s/fifo", scratch), *device = xasprintf("%s/device", scratch);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", scratch);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    /* The one device that everybody may make; it opens no driver. */
    ck_assert_int_eq(mknod(device, S_IFCHR | 0600, 0), 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    put_link("to_fifo", "fifo");
}

static const struct {
    const char *path;
    size_t max;
    const char *content; /* NULL: refused */
    enum err_kind kind;
} reads[] = {
    { "/file", 7, "content", ERR_NONE },       { "/file", 1000, "content", ERR_NONE },
    { "/file", 6, NULL, ERR_REFUSED },         { "/file", 0, NULL, ERR_REFUSED },
    { "/link", 7, "content", ERR_NONE },       { "/dirlink/inner", 7, "inner", ERR_NONE },
    { "/../../file", 7, "content", ERR_NONE }, { "/dir", 100, NULL, ERR_REFUSED },
    { "/dirlink", 100, NULL, ERR_REFUSED },    { "/fifo", 100, NULL, ERR_REFUSED },
    { "/to_fifo", 100, NULL, ERR_REFUSED },    { "/device", 100, NULL, ERR_REFUSED },
    { "/socket", 100, NULL, ERR_REFUSED },     { "/dangling", 100, NULL, ERR_NOT_FOUND },
    { "/nowhere", 100, NULL, ERR_NOT_FOUND },  { "/file/x", 100, NULL, ERR_NOT_FOUND },
};

START_TEST(read_bounds)
{
    auto_blob struct blob bytes = { 0 };
    struct err e = { 0 };

    put_odd();
    ck_assert_int_eq(root_read(root, reads[_i].path, reads[_i].max, &bytes, &e),
                     reads[_i].content ? 0 : -1);
    ck_assert_int_eq(e.kind, reads[_i].kind);
    if (reads[_i].content)
        ck_assert_str_eq((char *)bytes.data, reads[_i].content);
    else
        ck_assert_ptr_null(bytes.data);
}
END_TEST

/* A file that is larger than memory, but for its holes, is refused by its size alone. */
START_TEST(huge_file)
{
    auto_free char *full = xasprintf("%s/huge", scratch);
    auto_blob struct blob bytes = { 0 };
    struct err e = { 0 };

    put_text("huge", "x");
    ck_assert_int_eq(truncate(full, (off_t)1 << 40), 0);
    ck_assert_int_eq(root_read(root, "/huge", 1024 * 1024, &bytes, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
}
END_TEST

START_TEST(find)
{
    auto_free char *path = NULL, *link = NULL;
    struct root_stat at_path, at_link;
    struct err e;

    ck_assert_int_eq(root_find(root, "/dirlink/../link", &path, &at_path, &e), 0);
    ck_assert_str_eq(path, "/file");
    ck_assert(S_ISREG(at_path.mode));
    ck_assert_uint_eq(at_path.size, 7);
    ck_assert_uint_eq(at_path.inode, stat_of("file").st_ino);
    ck_assert_int_eq(root_find_link(root, "/dirlink/../link", &link, &at_link, &e), 0);
    ck_assert_str_eq(link, "/link");
    ck_assert(S_ISLNK(at_link.mode));
    ck_assert_int_eq(root_find(root, "/dangling", NULL, NULL, &e), -1);
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
    ck_assert_int_eq(root_find_link(root, "/dangling", NULL, NULL, &e), 0);
}
END_TEST

START_TEST(list)
{
    static const struct {
        const char *name;
        mode_t type;
    } expected[] = { { "dangling", S_IFLNK }, { "device", S_IFCHR },  { "dir", S_IFDIR },
                     { "dirlink", S_IFLNK },  { "fifo", S_IFIFO },    { "file", S_IFREG },
                     { "link", S_IFLNK },     { "socket", S_IFSOCK }, { "to_fifo", S_IFLNK } };
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    struct err e;

    put_odd();
    ck_assert_int_eq(root_list(root, "/", &entries, &e), 0);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        ck_assert_str_eq(entries[i].name, expected[i].name);
        ck_assert_uint_eq(entries[i].type & S_IFMT, expected[i].type);
    }
    ck_assert_ptr_null(entries[ARRAY_SIZE(expected)].name);
}
END_TEST

START_TEST(list_refused)
{
    static const char *const paths[] = { "/file", "/link", "/fifo", "/nowhere" };
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    struct err e;

    put_odd();
    ck_assert_int_eq(root_list(root, paths[_i], &entries, &e), -1);
    ck_assert_ptr_null(entries);
}
END_TEST

START_TEST(read_link)
{
    auto_free char *target = NULL, *none = NULL;
    struct err e;

    ck_assert_int_eq(root_readlink(root, "/dangling", &target, &e), 0);
    ck_assert_str_eq(target, "nowhere");
    ck_assert_int_eq(root_readlink(root, "/file", &none, &e), -1);
    ck_assert_ptr_null(none);
}
END_TEST

/* ---- wildcards ------------------------------------------------------------------------------- */

static const struct {
    const char *pattern;
    const char *matches; /* space separated, in order */
} globs[] = {
    { "/etc/ssh/*.conf", "/etc/ssh/10.conf /etc/ssh/2.conf /etc/ssh/B.conf /etc/ssh/a.conf" },
    { "/etc/ssh/[0-9]*.conf", "/etc/ssh/10.conf /etc/ssh/2.conf" },
    { "/etc/ssh/?.conf", "/etc/ssh/2.conf /etc/ssh/B.conf /etc/ssh/a.conf" },
    { "/etc/*/a.conf", "/etc/alias/a.conf /etc/ssh/a.conf" },
    { "/etc/ssh/a.conf", "/etc/ssh/a.conf" },
    { "/etc//ssh///a.conf", "/etc/ssh/a.conf" },
    { "/etc/ssh/.*", "/etc/ssh/.hidden.conf" },
    { "/etc/ssh/none*", "" },
    { "/etc/none/*", "" },
    { "/etc/ssh/a.conf/*", "" },
    { "/*/ssh/nowhere", "/etc/ssh/nowhere" },
    { "/etc/out/*", "" },
    { "/", "/" },
};

START_TEST(glob)
{
    auto_with(text_list_free) char **matches = NULL;
    auto_free char *joined = xstrdup("");
    struct err e;

    put_text("etc/ssh/2.conf", "");
    put_text("etc/ssh/10.conf", "");
    put_text("etc/ssh/a.conf", "");
    put_text("etc/ssh/B.conf", "");
    put_text("etc/ssh/.hidden.conf", "");
    put_link("etc/ssh/nowhere", "/nowhere");
    put_link("etc/alias", "/etc/ssh");
    put_link("etc/out", "../../../../../../../usr/share");
    ck_assert_int_eq(root_glob(root, globs[_i].pattern, &matches, &e), 0);
    for (char **match = matches; *match; match++) {
        char *longer = xasprintf("%s%s%s", joined, *joined ? " " : "", *match);

        free(joined);
        joined = longer;
    }
    ck_assert_str_eq(joined, globs[_i].matches);
}
END_TEST

START_TEST(glob_is_bounded)
{
    auto_with(text_list_free) char **matches = NULL, **none = NULL;
    auto_free char *deep = xcalloc(2 * 100 + 1, 1);
    struct err e;
    size_t count = 0;

    for (int i = 0; i < 1100; i++) {
        auto_free char *path = xasprintf("many/%d", i);

        put_text(path, "");
    }
    ck_assert_int_eq(root_glob(root, "/many/*", &matches, &e), 0);
    for (char **match = matches; *match; match++)
        count++;
    ck_assert_uint_eq(count, 1000);
    for (int i = 0; i < 100; i++)
        memcpy(deep + (ptrdiff_t)2 * i, "/*", 2);
    ck_assert_int_eq(root_glob(root, deep, &none, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
}
END_TEST

/* ---- is it a system? ------------------------------------------------------------------------- */

static const struct {
    const char *paths[4];
    bool is;
} systems[] = {
    { { "etc/passwd", "usr/bin/env" }, true },
    { { "etc/os-release", "usr/bin/env" }, true },
    { { "etc/passwd", "bin/sh" }, true },
    { { "etc/passwd" }, false },
    { { "usr/bin/env" }, false },
    { { "etc/fstab", "usr/bin/env" }, false },
    { { "vmlinuz", "grub/grub.cfg" }, false },
    { { "etc/passwd", "usr" }, false }, /* a file */
};

START_TEST(is_linux)
{
    for (size_t i = 0; i < 4 && systems[_i].paths[i]; i++)
        put_text(systems[_i].paths[i], "");
    ck_assert_int_eq(root_is_linux(root), systems[_i].is);
}
END_TEST

/* ---- writing --------------------------------------------------------------------------------- */

/* Every way to change something, by a path. */
static int do_create(const char *path, struct err *e)
{
    auto_blob struct blob content = blob_of_text("new");
    const struct root_meta meta = { .mode = 0640, .uid = getuid(), .gid = getgid() };

    return root_create(root, path, &content, &meta, e);
}

static int do_mkdir(const char *path, struct err *e)
{
    const struct root_meta meta = { .mode = 0750, .uid = getuid(), .gid = getgid() };

    return root_mkdir(root, path, &meta, e);
}

static int do_exchange(const char *path, struct err *e)
{
    return root_exchange(root, path, "/other", e);
}

static int do_exchange_back(const char *path, struct err *e)
{
    return root_exchange(root, "/other", path, e);
}

static int do_rename_from(const char *path, struct err *e)
{
    return root_rename(root, path, "/renamed", e);
}

static int do_rename_to(const char *path, struct err *e)
{
    return root_rename(root, "/other", path, e);
}

static int do_unlink(const char *path, struct err *e)
{
    return root_unlink(root, path, e);
}

static int do_mode(const char *path, struct err *e)
{
    return root_set_mode(root, path, 0600, e);
}

static int do_owner(const char *path, struct err *e)
{
    return root_set_owner(root, path, getuid(), getgid(), e);
}

static int do_set_xattr(const char *path, struct err *e)
{
    auto_blob struct blob value = blob_of_text("value");

    return root_set_xattr(root, path, "user.test", &value, e);
}

static int do_remove_xattr(const char *path, struct err *e)
{
    return root_remove_xattr(root, path, "user.test", e);
}

static const struct write {
    const char *name;
    int (*write)(const char *path, struct err *e);
    const char *plain;    /* a path for which it works */
    bool follows_nothing; /* a link at the end of the path is refused */
} writes[] = {
    { "create", do_create, "/dir/new", true },
    { "mkdir", do_mkdir, "/dir/new", true },
    { "exchange", do_exchange, "/dir/inner", false },
    { "exchange back", do_exchange_back, "/dir/inner", false },
    { "rename from", do_rename_from, "/dir/inner", false },
    { "rename to", do_rename_to, "/dir/new", true },
    { "unlink", do_unlink, "/dir/inner", false },
    { "mode", do_mode, "/dir/inner", true },
    { "owner", do_owner, "/dir/inner", true },
    { "set xattr", do_set_xattr, "/dir/inner", true },
    { "remove xattr", do_remove_xattr, "/dir/inner", true },
};

START_TEST(write_works)
{
    struct err e = { 0 };

    put_text("other", "other");
    ck_assert_msg(writes[_i].write(writes[_i].plain, &e) == 0, "%s: %s", writes[_i].name, e.text);
}
END_TEST

/* The same file by way of a linked directory, or of "..", is another path: refused, and intact. */
START_TEST(write_refuses_links_on_the_way)
{
    auto_free char *linked = xasprintf("/dirlink/%s", text_base_name(writes[_i].plain));
    struct stat before = stat_of("dir/inner"), after;
    struct err e = { 0 };

    put_text("other", "other");
    ck_assert_msg(writes[_i].write(linked, &e) == -1, "%s", writes[_i].name);
    after = stat_of("dir/inner");
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_uint_eq(before.st_mode, after.st_mode);
    ck_assert_int_eq(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
    ck_assert(!is_there("dir/new") && !is_there("renamed"));
    ck_assert_str_ne(e.text, "");
}
END_TEST

/* Where the path ends in a link, what it points at stays as it is. */
START_TEST(write_refuses_links_at_the_end)
{
    struct stat before = stat_of("file"), after;
    struct err e = { 0 };
    int result;

    put_text("other", "other");
    result = writes[_i].write("/link", &e);
    after = stat_of("file");
    ck_assert_int_eq(result == -1, writes[_i].follows_nothing);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_uint_eq(before.st_mode, after.st_mode);
    ck_assert_int_eq(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
    ck_assert(!is_there("nowhere"));
}
END_TEST

START_TEST(create_never_writes_through_a_link)
{
    struct err e;

    ck_assert_int_eq(do_create("/dangling", &e), -1);
    ck_assert(!is_there("nowhere"));
    ck_assert_int_eq(do_create("/file", &e), -1);
    ck_assert_int_eq(stat_of("file").st_size, 7);
}
END_TEST

START_TEST(rename_never_replaces)
{
    struct err e;

    ck_assert_int_eq(root_rename(root, "/file", "/dir/inner", &e), -1);
    ck_assert_int_eq(stat_of("file").st_size, 7);
    ck_assert_int_eq(stat_of("dir/inner").st_size, 5);
}
END_TEST

/* Metadata before content: nobody's umask has a say. */
START_TEST(create_sets_the_mode)
{
    auto_blob struct blob content = blob_of_text("new"), back = { 0 };
    const struct root_meta meta = { .mode = 0666, .uid = getuid(), .gid = getgid() };
    struct err e;

    umask(077);
    ck_assert_int_eq(root_create(root, "/new", &content, &meta, &e), 0);
    ck_assert_uint_eq(stat_of("new").st_mode, S_IFREG | 0666);
    ck_assert_int_eq(root_read(root, "/new", 100, &back, &e), 0);
    ck_assert(blob_equal(&content, &back));
    ck_assert_int_eq(do_mkdir("/newdir", &e), 0);
    ck_assert_uint_eq(stat_of("newdir").st_mode, S_IFDIR | 0750);
}
END_TEST

/* A FIFO is never opened, not even to change its mode. */
START_TEST(write_refuses_odd_files)
{
    static const char *const paths[] = { "/fifo", "/device", "/socket" };
    struct err e = { 0 };

    put_odd();
    ck_assert_int_eq(root_set_mode(root, paths[_i], 0666, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_uint_ne(stat_of(paths[_i] + 1).st_mode & 0777, 0666);
}
END_TEST

START_TEST(exchanged)
{
    auto_blob struct blob file = { 0 }, inner = { 0 };
    struct err e;

    ck_assert_int_eq(root_exchange(root, "/file", "/dir/inner", &e), 0);
    ck_assert_int_eq(root_read(root, "/file", 100, &file, &e), 0);
    ck_assert_int_eq(root_read(root, "/dir/inner", 100, &inner, &e), 0);
    ck_assert_str_eq((char *)file.data, "inner");
    ck_assert_str_eq((char *)inner.data, "content");
    ck_assert_int_eq(root_exchange(root, "/file", "/nowhere", &e), -1);
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
}
END_TEST

Suite *suite_door_mounted(void)
{
    Suite *suite = suite_create("root: mounted");
    TCase *tcase = tcase_create("mounted");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    ADD_TABLE(tcase, read_bounds, reads);
    ADD(tcase, huge_file);
    ADD(tcase, find);
    ADD(tcase, list);
    tcase_add_loop_test(tcase, list_refused, 0, 4);
    ADD(tcase, read_link);
    ADD_TABLE(tcase, glob, globs);
    ADD(tcase, glob_is_bounded);
    ADD_TABLE(tcase, is_linux, systems);
    ADD_TABLE(tcase, write_works, writes);
    ADD_TABLE(tcase, write_refuses_links_on_the_way, writes);
    ADD_TABLE(tcase, write_refuses_links_at_the_end, writes);
    ADD(tcase, create_never_writes_through_a_link);
    ADD(tcase, rename_never_replaces);
    ADD(tcase, create_sets_the_mode);
    tcase_add_loop_test(tcase, write_refuses_odd_files, 0, 3);
    ADD(tcase, exchanged);
    suite_add_tcase(suite, tcase);
    return suite;
}
