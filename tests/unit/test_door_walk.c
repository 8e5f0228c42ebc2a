/* SPDX-License-Identifier: MIT */
/*
 * The in-root walker against the kernel's own: openat2(2) with RESOLVE_IN_ROOT.
 * Where the two differ on purpose is said at the end.
 */
#include "unit.h"

#include "base/alloc.h"
#include "door/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int root_fd;
static struct walk_tree tree;

static void chain(const char *prefix, int length, const char *end)
{
    for (int i = 0; i < length; i++) {
        auto_free char *name = xasprintf("%s%d", prefix, i);
        auto_free char *next = xasprintf("%s%d", prefix, i + 1);

        put_link(name, i == length - 1 ? end : next);
    }
}

/* What a hostile disk may hold. */
static void make_tree(void)
{
    scratch_make();
    put_text("file", "file");
    put_text("etc/passwd", "passwd");
    put_text("a/b/c/file", "deep");
    put_dir("a/empty");
    put_link("to_file", "file");
    put_link("to_dir", "a/b");
    put_link("to_dir_slash", "a/b/");
    put_link("to_file_slash", "file/");
    put_link("absolute", "/etc/passwd");
    put_link("absolute_dir", "/a/b");
    put_link("outside", "../../../../../../etc/passwd");
    put_link("outside_host", "../../../../../../usr/bin/env");
    put_link("a/up", "../..");
    put_link("a/b/absolute_root", "/");
    put_link("root", "/");
    put_link("here", ".");
    put_link("parent", "..");
    put_link("dangling", "nowhere");
    put_link("dangling_deep", "nowhere/at/all");
    put_link("dangling_absolute", "/nowhere");
    put_link("through_file", "file/x");
    put_link("self", "self");
    put_link("ping", "pong");
    put_link("pong", "ping");
    put_link("a/twice", "/to_dir/../up/to_file");
    chain("ok", 40, "file");
    chain("long", 41, "file");
    chain("dirs", 39, "a");
    root_fd = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(root_fd, 0);
    tree = (struct walk_tree){ .fd = root_fd };
}

static void remove_tree(void)
{
    close(root_fd);
    scratch_remove();
}

/* ---- the oracle ------------------------------------------------------------------------- */

static const struct way {
    enum walk_links links;
    uint64_t flags, resolve;
} ways[] = {
    { WALK_FOLLOW, O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT },
    { WALK_FOLLOW_DIRS, O_PATH | O_CLOEXEC | O_NOFOLLOW, RESOLVE_IN_ROOT },
    { WALK_REFUSE, O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS },
};

/*
 * The kernel says EAGAIN where anybody renames or mounts anything meanwhile; and where that
 * makes it start over, it counts the links of both attempts (fs/namei.c, total_link_count),
 * so that only an ELOOP which stays is one.
 */
static int kernel_open(const char *path, const struct way *way)
{
    struct open_how how = { .flags = way->flags, .resolve = way->resolve };
    int fd, loops = 0;

    do
        fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || (errno == ELOOP && ++loops < 100)));
    return fd;
}

/* The canonical path leads to the same inode, without any link, and is its own canonical path. */
static void check_canonical(const char *path, const char *canonical, const struct stat *expected)
{
    auto_free char *again = NULL;
    auto_fd int fd = walk_open(&tree, canonical, WALK_FOLLOW_DIRS, &again, NULL);
    struct stat is;

    ck_assert_msg(fd >= 0 && fstat(fd, &is) == 0, "%s: %s", path, canonical);
    ck_assert_msg(is.st_ino == expected->st_ino, "%s: %s", path, canonical);
    ck_assert_str_eq(again, canonical);
    ck_assert_int_eq(canonical[0], '/');
    ck_assert_ptr_null(strstr(canonical, "//"));
    ck_assert_ptr_null(strstr(canonical, "/../"));
}

/* Both of our ways: with the kernel's help where there is no link, and by steps alone. */
static int (*const walkers[])(const struct walk_tree *, const char *, enum walk_links, char **,
                              struct stat *) = { walk_open, walk_by_steps };

static void compare_with(size_t walker, const char *path, size_t way)
{
    auto_free char *canonical = NULL;
    auto_fd int kernel = kernel_open(path, &ways[way]), own = -1;
    int kernel_errno = kernel < 0 ? errno : 0;
    struct stat expected, is, told;

    ck_assert_int_ne(kernel_errno, ENOSYS);
    own = walkers[walker](&tree, path, ways[way].links, &canonical, &told);
    if (kernel < 0) {
        ck_assert_msg(own < 0 && errno == kernel_errno, "%.200s, way %zu: %s, kernel: %s", path,
                      way, own < 0 ? strerror(errno) : "found", strerror(kernel_errno));
        ck_assert_ptr_null(canonical);
        return;
    }
    ck_assert_msg(own >= 0, "%.200s, way %zu: %s, kernel: found", path, way, strerror(errno));
    ck_assert(fstat(kernel, &expected) == 0 && fstat(own, &is) == 0);
    ck_assert_msg(expected.st_ino == is.st_ino && expected.st_dev == is.st_dev,
                  "%.200s, way %zu: %s", path, way, canonical);
    ck_assert_msg(told.st_ino == is.st_ino && told.st_mode == is.st_mode, "%.200s, way %zu", path,
                  way);
    check_canonical(path, canonical, &expected);
}

static void compare(const char *path, size_t way)
{
    for (size_t i = 0; i < ARRAY_SIZE(walkers); i++)
        compare_with(i, path, way);
}

/* ---- paths ---------------------------------------------------------------------------------- */

static const char *const paths[] = {
    "/",
    "//",
    ".",
    "..",
    "/..",
    "/../..",
    "./.",
    "/./../.",
    "file",
    "/file",
    "//file",
    "/./file",
    "file/",
    "file/.",
    "file/..",
    "file/x",
    "/file//",
    "nowhere",
    "nowhere/",
    "nowhere/x",
    "nowhere/..",
    "nowhere/../file",
    "a",
    "a/",
    "a//",
    "a/.",
    "a/..",
    "a/b/c/file",
    "a//b///c////file",
    "a/../file",
    "a/b/../../file",
    "../file",
    "../../../../file",
    "a/../../../../file",
    "/a/b/c/../../../../../../file",
    "to_file",
    "to_file/",
    "to_file/.",
    "to_file/..",
    "to_file/x",
    "to_dir",
    "to_dir/",
    "to_dir/.",
    "to_dir/..",
    "to_dir/c/file",
    "to_dir//c",
    "to_dir/../b",
    "to_dir_slash",
    "to_dir_slash/",
    "to_dir_slash/c",
    "to_file_slash",
    "to_file_slash/",
    "absolute",
    "absolute/",
    "absolute_dir",
    "absolute_dir/c/file",
    "absolute_dir/../empty",
    "outside",
    "outside_host",
    "outside_host/",
    "a/up",
    "a/up/file",
    "a/up/../file",
    "a/up/a/up/a/up/file",
    "a/b/absolute_root/file",
    "root",
    "root/",
    "root/root/root/file",
    "here/here/here/file",
    "parent",
    "parent/file",
    "parent/parent/../parent/etc/passwd",
    "dangling",
    "dangling/",
    "dangling/x",
    "dangling_deep",
    "dangling_absolute",
    "through_file",
    "self",
    "self/",
    "self/x",
    "ping",
    "ping/x",
    "a/../self",
    "a/twice",
    "a/twice/",
    "ok0",
    "ok0/",
    "ok1",
    "long0",
    "long0/",
    "long1",
    "long1/",
    "dirs0",
    "dirs0/b",
    "dirs0/b/c/file",
    "dirs0/../to_file",
    "dirs0/../to_dir/../../ok0",
    "a/b/c/file/",
    "a/b/c/file/../file",
    "etc/passwd/passwd",
    "a/empty/..",
    "a/empty/x",
    " ",
    "a ",
    "A",
    "...",
    "a/...",
};

START_TEST(known_path)
{
    for (size_t way = 0; way < ARRAY_SIZE(ways); way++)
        compare(paths[_i], way);
}
END_TEST

/* ---- long ones --------------------------------------------------------------------------- */

static const struct {
    const char *unit, *end;
    size_t total; /* bytes */
} lengths[] = {
    { "./", "file", PATH_MAX - 1 },
    { "./", "file", PATH_MAX },
    { "./", "file", PATH_MAX + 1 },
    { "../", "file", PATH_MAX - 1 },
    { "/", "/file", PATH_MAX - 1 },
    { "/", "/file", 2 * PATH_MAX },
    { "a/../", "file", PATH_MAX - 2 },
    { "a/../", "file", PATH_MAX + 200 },
    { "x", "", 255 },
    { "x", "", 256 },
    { "x", "", PATH_MAX - 1 },
    { "x", "", PATH_MAX },
    { "here/", "file", 5 * 30 + 4 },
    { "here/", "file", 5 * 40 + 4 },
    { "here/", "file", 5 * 41 + 4 },
};

START_TEST(length)
{
    size_t unit = strlen(lengths[_i].unit), end = strlen(lengths[_i].end), at = 0;
    auto_free char *long_path = xcalloc(lengths[_i].total + unit + 1, 1);

    while (at + unit + end <= lengths[_i].total) {
        memcpy(long_path + at, lengths[_i].unit, unit);
        at += unit;
    }
    memset(long_path + at, '/', lengths[_i].total - end - at);
    memcpy(long_path + lengths[_i].total - end, lengths[_i].end, end);
    ck_assert_uint_eq(strlen(long_path), lengths[_i].total);
    for (size_t way = 0; way < ARRAY_SIZE(ways); way++)
        compare(long_path, way);
}
END_TEST

/* ---- many, by chance that is always the same ------------------------------------------------ */

static unsigned chance(unsigned *state, unsigned below)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 16) % below;
}

static char *random_path(unsigned *state)
{
    static const char *const words[] = { "a",       "b",    "c",      "file",         "..",
                                         ".",       "",     "..",     "to_dir",       "a/up",
                                         "root",    "here", "parent", "absolute_dir", "nowhere",
                                         "self",    "ok30", "dirs20", "to_file",      "empty",
                                         "dangling" };
    char *path = xstrdup(chance(state, 2) ? "/" : "");

    for (unsigned left = 1 + chance(state, 8); left > 0; left--) {
        char *longer = xasprintf("%s%s%s", path, words[chance(state, ARRAY_SIZE(words))],
                                 left > 1 || chance(state, 3) == 0 ? "/" : "");

        free(path);
        path = longer;
    }
    return path;
}

START_TEST(many)
{
    unsigned state = (unsigned)_i;
    size_t found = 0, compared = 0;

    for (int i = 0; i < 2000; i++) {
        auto_free char *random = random_path(&state);
        auto_fd int fd = -1;

        if (!*random)
            continue;
        for (size_t way = 0; way < ARRAY_SIZE(ways); way++)
            compare(random, way);
        fd = kernel_open(random, &ways[0]);
        found += fd >= 0;
        compared++;
    }
    /* Both answers are common, or this says little. */
    ck_assert_uint_gt(found, compared / 20);
    ck_assert_uint_lt(found, compared - compared / 20);
}
END_TEST

/* ---- where we differ on purpose ----------------------------------------------------------------
 */

/* The kernel says ENOENT to an empty path; here it is the root, so that a parent may be "". */
START_TEST(empty_path)
{
    auto_free char *canonical = NULL;
    auto_fd int fd = walk_open(&tree, "", WALK_REFUSE, &canonical, NULL);

    ck_assert_int_ge(fd, 0);
    ck_assert_str_eq(canonical, "/");
    ck_assert_int_eq(kernel_open("", &ways[0]), -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* A link and what is left behind it must fit into PATH_MAX together; the kernel never joins them.
 */
START_TEST(long_link)
{
    auto_free char *target = xcalloc(3001, 1), *rest = xcalloc(2001, 1), *joined = NULL;
    auto_fd int kernel = -1;

    memset(target, '/', 3000);
    for (size_t i = 0; i < 2000; i++)
        rest[i] = "/."[i % 2];
    memcpy(target + 2999, "a", 1);
    put_link("long_link", target);
    joined = xasprintf("long_link%s/b", rest);
    kernel = kernel_open(joined, &ways[0]);
    ck_assert_int_ge(kernel, 0);
    ck_assert_int_eq(walk_open(&tree, joined, WALK_FOLLOW, NULL, NULL), -1);
    ck_assert_int_eq(errno, ENAMETOOLONG);
    compare("long_link/b", 0);
}
END_TEST

/* ---- the parent of what is to be written
 * ---------------------------------------------------------- */

static const struct {
    const char *path, *name;
    int code;
} parents[] = {
    { "/file", "file", 0 },        { "/a/b/new", "new", 0 },        { "/new", "new", 0 },
    { "/to_dir/c", "c", ELOOP },   { "/root/file", "file", ELOOP }, { "/a/up/file", "file", ELOOP },
    { "/nowhere/x", "x", ENOENT }, { "/file/x", "x", 0 },           { "/a/to/x", "x", ENOENT },
};

START_TEST(parent)
{
    const char *name = NULL;
    auto_fd int fd = walk_parent(&tree, parents[_i].path, &name);

    if (parents[_i].code) {
        ck_assert_int_eq(fd, -1);
        ck_assert_int_eq(errno, parents[_i].code);
    } else {
        ck_assert_int_ge(fd, 0);
        ck_assert_str_eq(name, parents[_i].name);
    }
}
END_TEST

/* ---- other file systems beneath the root ------------------------------------------------------
 */

/* other/ stands in for a file system at /a/empty, other/inner for one at /a/empty/log. */
static void put_beneath(void)
{
    static const char *const at[] = { "/a/empty", "/a/empty/log" };
    static const char *const from[] = { "other", "inner" };
    static struct walk_mount mounts[ARRAY_SIZE(at)];

    put_text("a/empty/hidden", "beneath");
    put_text("other/user/file", "user");
    put_text("other/log/hidden", "beneath");
    put_text("inner/file", "inner");
    put_link("other/absolute", "/etc/passwd");
    put_link("other/up", "../b/c");
    put_link("other/far_up", "../../../../../file");
    put_link("other/user/log", "/a/empty/log/file");
    put_link("to_other", "a/empty");
    put_link("to_user", "/a/../to_other/user/");
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        mounts[i] = (struct walk_mount){ .path = (char *)at[i] };
        mounts[i].fd = openat(root_fd, from[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(mounts[i].fd, 0);
    }
    tree.mounts = mounts;
    tree.count = ARRAY_SIZE(mounts);
}

static const struct {
    const char *path, *canonical; /* NULL: not to be reached, with this code */
    const char *same;             /* what it is, by its place without the mounts */
    int code;
} crossings[] = {
    { "/a/empty", "/a/empty", "/other", 0 },
    { "/a/empty/", "/a/empty", "/other", 0 },
    { "/a/empty/.", "/a/empty", "/other", 0 },
    { "/a/empty/..", "/a", "/a", 0 },
    { "/a/empty/user/../..", "/a", "/a", 0 },
    { "/a/empty/hidden", NULL, NULL, ENOENT },
    { "/a/empty/user/file", "/a/empty/user/file", "/other/user/file", 0 },
    { "/a/empty/user/file/", NULL, NULL, ENOTDIR },
    { "/a/empty/user/file/.", NULL, NULL, ENOTDIR },
    { "/a/./empty//user/file", "/a/empty/user/file", "/other/user/file", 0 },
    { "/a/emptyish", NULL, NULL, ENOENT },
    { "/a/empty/absolute", "/etc/passwd", "/etc/passwd", 0 },
    { "/a/empty/up/file", "/a/b/c/file", "/a/b/c/file", 0 },
    { "/a/empty/far_up", "/file", "/file", 0 },
    { "/to_other", "/a/empty", "/other", 0 },
    { "/to_other/user/file", "/a/empty/user/file", "/other/user/file", 0 },
    { "/to_user/file", "/a/empty/user/file", "/other/user/file", 0 },
    { "/a/empty/log/hidden", NULL, NULL, ENOENT },
    { "/a/empty/log/file", "/a/empty/log/file", "/inner/file", 0 },
    { "/to_user/log", "/a/empty/log/file", "/inner/file", 0 },
    { "/a/empty/log/../user", "/a/empty/user", "/other/user", 0 },
    { "/a/b/c/file", "/a/b/c/file", "/a/b/c/file", 0 },
};

START_TEST(crossing)
{
    const struct walk_tree plain = { .fd = root_fd };

    put_beneath();
    for (size_t i = 0; i < ARRAY_SIZE(walkers); i++) {
        auto_free char *canonical = NULL;
        struct stat is, expected;
        auto_fd int fd = walkers[i](&tree, crossings[_i].path, WALK_FOLLOW, &canonical, &is);
        auto_fd int same = -1;

        if (!crossings[_i].canonical) {
            ck_assert_int_eq(fd, -1);
            ck_assert_int_eq(errno, crossings[_i].code);
            continue;
        }
        ck_assert_msg(fd >= 0, "%s: %s", crossings[_i].path, strerror(errno));
        ck_assert_str_eq(canonical, crossings[_i].canonical);
        same = walk_open(&plain, crossings[_i].same, WALK_REFUSE, NULL, &expected);
        ck_assert_int_ge(same, 0);
        ck_assert_uint_eq(is.st_ino, expected.st_ino);
        ck_assert_uint_eq(is.st_mode, expected.st_mode);
    }
}
END_TEST

/* Nothing is left open, whatever the answer was. */
START_TEST(no_descriptor_leaks)
{
    int before = dup(root_fd), after;

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        auto_free char *canonical = NULL;
        auto_fd int fd = walk_open(&tree, paths[i], WALK_FOLLOW, &canonical, NULL);

        (void)fd;
    }
    after = dup(root_fd);
    ck_assert_int_eq(after, before + 1);
    close(before);
    close(after);
}
END_TEST

Suite *suite_door_walk(void)
{
    Suite *suite = suite_create("root: walk");
    TCase *tcase = tcase_create("walk");

    tcase_add_checked_fixture(tcase, make_tree, remove_tree);
    tcase_set_timeout(tcase, 600);
    ADD_TABLE(tcase, known_path, paths);
    ADD_TABLE(tcase, length, lengths);
    tcase_add_loop_test(tcase, many, 1, 6);
    ADD(tcase, empty_path);
    ADD(tcase, long_link);
    ADD_TABLE(tcase, parent, parents);
    ADD_TABLE(tcase, crossing, crossings);
    ADD(tcase, no_descriptor_leaks);
    suite_add_tcase(suite, tcase);
    return suite;
}
