/* SPDX-License-Identifier: MIT */
/*
 * The door without the kernel: the same answers as the door of a mounted tree on the same tree, and
 * what its child does, done here, where the sanitizers see it.
 */
#include "unit.h"

#include "base/alloc.h"
#include "base/confine.h"
#include "base/text.h"
#include "door/direct.h"
#include "door/open.h"
#include "ext/ext.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IMAGE_SIZE = 8 * 1024 * 1024 };

static char image[128];

/* ---- the same answers ----------------------------------------------------------------- */

static void make_tree(void)
{
    put_text("tree/file", "content");
    put_text("tree/dir/inner", "inner");
    put_bytes("tree/empty", 0640, "", 0);
    put_link("tree/link", "file");
    put_link("tree/dirlink", "dir");
    put_link("tree/dangling", "nowhere");
    put_link("tree/out", "../../../../file");
    put_link("tree/absolute", "/dir/inner");
    put_link("tree/loop", "loop");
    put_link("tree/slashes", "//dir///");
    put_link("tree/a-link-that-is-too-long-for-its-inode",
             "dir/../dir/../dir/../dir/../dir/../dir/../dir/../dir/../file");
    put_link("tree/dir/up", "../file");
    put_link("tree/dir/abs", "/file");
    put_link("tree/dir/round", "/dirlink/inner");
    put_link("tree/dir/here", ".");
    put_link("tree/cross", "/dir/cross");
    put_link("tree/dir/cross", "/cross");
    put_link("tree/link0", "file");
    for (int i = 1; i <= 41; i++) {
        auto_free char *from = xasprintf("tree/link%d", i), *to = xasprintf("link%d", i - 1);

        put_link(from, to);
    }
}

/* Of a directory of the scratch one. */
static void make_image_of(const char *directory, const char *name, const char *options)
{
    auto_free char *tree = xasprintf("%s/%s", scratch, directory),
                   *size = xasprintf("%d", IMAGE_SIZE / 1024);
    const char *const argv[] = { "mkfs.ext4", "-q", "-F", "-O",  options, "-b",
                                 "1024",      "-d", tree, image, size,    NULL };

    snprintf(image, sizeof image, "%s/%s", scratch, name);
    ck_assert_int_eq(run_program(argv, NULL), 0);
}

static void make_image(const char *options)
{
    make_image_of("tree", "image", options);
}

static void setup(void)
{
    scratch_make();
    make_tree();
    make_image("^has_journal");
}

static int fsck(void)
{
    const char *const argv[] = { "e2fsck", "-fn", image, NULL };

    return run_program(argv, NULL);
}

static struct root *open_image(enum root_access access)
{
    static const struct volume volume = { .name = (char *)"the image", .size = IMAGE_SIZE };
    const struct root_facts facts = { .fs = "ext4" };
    auto_fd int fd = open(image, access == ROOT_WRITE ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
    struct root *root = NULL;
    struct err e = { 0 };

    ck_assert_msg(direct_open(fd, &volume, &facts, access, &root, &e) == 0, "%s", e.text);
    return root;
}

static const char *const paths[] = {
    "/",
    "",
    "//",
    "/.",
    "/..",
    "/../file",
    "/file",
    "/file/",
    "/file/.",
    "/file/..",
    "/file/x",
    "/dir",
    "/dir/",
    "/dir/.",
    "/dir/..",
    "/dir/../dir/inner",
    "/dir/inner",
    "/dir/nothing",
    "/no/thing",
    "/link",
    "/link/",
    "/dirlink",
    "/dirlink/",
    "/dirlink/inner",
    "/dirlink/..",
    "/dirlink/../file",
    "/dangling",
    "/dangling/",
    "/dangling/x",
    "/out",
    "/absolute",
    "/absolute/",
    "/loop",
    "/loop/x",
    "/slashes",
    "/slashes/inner",
    "/a-link-that-is-too-long-for-its-inode",
    "/link38",
    "/link39",
    "/link40",
    "/link41",
    "file",
    "dir/inner",
    "/empty",
    "/dir/up",
    "/dir/up/",
    "/dir/abs",
    "/dir/round",
    "/dir/here",
    "/dir/here/",
    "/dir/here/../file",
    "/dir/../dirlink/up",
    "/dirlink/here/round",
    "/dir/./inner",
    "/dir/inner/..",
    "/dir/nothing/..",
    "/cross",
    "/dir/cross",
};

/* The words of an error may tell how far a path led. */
static void same_finding(const struct root *mounted, const struct root *direct, const char *path,
                         bool follow, bool same_words)
{
    auto_free char *a_path = NULL, *b_path = NULL;
    struct root_stat a = { 0 }, b = { 0 };
    struct err a_e = { 0 }, b_e = { 0 };
    int a_result = follow ? root_find(mounted, path, &a_path, &a, &a_e)
                          : root_find_link(mounted, path, &a_path, &a, &a_e);
    int b_result = follow ? root_find(direct, path, &b_path, &b, &b_e)
                          : root_find_link(direct, path, &b_path, &b, &b_e);

    ck_assert_msg(a_result == b_result, "%s: %s | %s", path, a_e.text, b_e.text);
    ck_assert_int_eq(a_e.kind, b_e.kind);
    ck_assert_int_eq(a_e.code, b_e.code);
    if (same_words)
        ck_assert_str_eq(a_e.text, b_e.text);
    if (a_result < 0)
        return;
    ck_assert_str_eq(a_path, b_path);
    ck_assert_uint_eq(a.mode, b.mode);
    ck_assert_uint_eq(a.uid, b.uid);
    if (!S_ISDIR(a.mode)) {
        ck_assert_uint_eq(a.size, b.size);
        ck_assert_int_eq(a.mtime.tv_sec, b.mtime.tv_sec);
    }
}

static struct root *tree_root(void)
{
    auto_free char *tree = xasprintf("%s/tree", scratch), *back = xstrdup(scratch);
    struct root *root;

    snprintf(scratch, sizeof scratch, "%s", tree);
    root = scratch_root(ROOT_READ);
    snprintf(scratch, sizeof scratch, "%s", back);
    return root;
}

START_TEST(finds_the_same)
{
    auto_root struct root *mounted = tree_root(), *direct = open_image(ROOT_READ);

    same_finding(mounted, direct, paths[_i], true, true);
    same_finding(mounted, direct, paths[_i], false, true);
}
END_TEST

/* ---- a tree of two file systems ---------------------------------------------------------- */

/* /dir is another one. */
static struct root *open_both(enum root_access access)
{
    auto_free char *top = xasprintf("%s/top", scratch), *tree = xasprintf("%s/tree", scratch);
    const char *const copy[] = { "cp", "-a", tree, top, NULL };
    auto_free char *dir = xasprintf("%s/dir", top), *moved = xasprintf("%s/moved", scratch);
    auto_root struct root *beneath = NULL;
    struct root *root;
    struct err e = { 0 };

    ck_assert_int_eq(run_program(copy, NULL), 0);
    ck_assert_int_eq(rename(dir, moved), 0);
    ck_assert_int_eq(mkdir(dir, 0755), 0);
    make_image_of("moved", "image2", "^has_journal");
    beneath = open_image(access);
    make_image_of("top", "image", "^has_journal");
    root = open_image(access);
    ck_assert_msg(root_attach(root, "/dirlink", &beneath, &e) == 0, "%s", e.text);
    ck_assert_ptr_null(beneath);
    return root;
}

START_TEST(crosses_the_same)
{
    auto_root struct root *mounted = tree_root(), *direct = open_both(ROOT_READ);

    same_finding(mounted, direct, paths[_i], true, false);
    same_finding(mounted, direct, paths[_i], false, false);
}
END_TEST

START_TEST(crosses_and_reads)
{
    auto_root struct root *direct = open_both(ROOT_READ);
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    auto_blob struct blob bytes = { 0 };
    auto_free char *top = NULL, *path = NULL;
    struct root_stat here, there;
    struct err e = { 0 };

    ck_assert_int_eq(root_read(direct, "/dirlink/round", 100, &bytes, &e), 0);
    ck_assert_str_eq((char *)bytes.data, "inner");
    blob_free(&bytes);
    ck_assert_int_eq(root_read(direct, "/dir/up", 100, &bytes, &e), 0);
    ck_assert_str_eq((char *)bytes.data, "content");
    ck_assert_int_eq(root_list(direct, "/dirlink", &entries, &e), 0);
    ck_assert_str_eq(entries[0].name, "abs");
    ck_assert_int_eq(root_describe(direct, "/dir/abs", &path, &here, &attributes, &e), 0);
    ck_assert_str_eq(path, "/file");
    ck_assert_int_eq(root_find(direct, "/dir/inner", NULL, &there, &e), 0);
    ck_assert_uint_ne(here.device, there.device);
    ck_assert_int_eq(root_top(direct, "/dir/inner", &top, &e), 0);
    ck_assert_str_eq(top, "/dir");
}
END_TEST

/* Each change goes to its own; a name cannot change places between two. */
START_TEST(crosses_and_writes)
{
    auto_root struct root *direct = open_both(ROOT_WRITE);
    const struct root_meta meta = { .mode = 0600 };
    const struct blob content = { .data = (unsigned char *)"new", .len = 3 };
    auto_blob struct blob bytes = { 0 };
    struct root_facts facts;
    struct err e = { 0 };

    ck_assert_int_eq(root_facts(direct, &facts, &e), 0);
    ck_assert(!facts.one_step);
    ck_assert_msg(root_create(direct, "/dir/new", &content, &meta, &e) == 0, "%s", e.text);
    ck_assert_int_eq(root_create(direct, "/new", &content, &meta, &e), 0);
    ck_assert_msg(root_sync(direct, &e) == 0, "%s", e.text);
    ck_assert_int_eq(root_rename(direct, "/dir/new", "/elsewhere", &e), -1);
    ck_assert_int_eq(root_exchange(direct, "/new", "/dir/new", &e), -1);
    ck_assert_int_eq(root_rename(direct, "/dir/new", "/dir/newer", &e), 0);
    ck_assert_int_eq(root_set_mode(direct, "/dir", 0700, &e), 0);
    ck_assert_msg(root_sync(direct, &e) == 0, "%s", e.text);
    ck_assert_int_eq(root_set_mode(direct, "/new", 0640, &e), 0);
    ck_assert_msg(root_close(&direct, &e) == 0, "%s", e.text);
    snprintf(image, sizeof image, "%s/image2", scratch);
    direct = open_image(ROOT_READ);
    ck_assert_int_eq(root_read(direct, "/newer", 100, &bytes, &e), 0);
    ck_assert_str_eq((char *)bytes.data, "new");
    ck_assert(!root_exists(direct, "/new"));
    ck_assert_int_eq(fsck(), 0);
    snprintf(image, sizeof image, "%s/image", scratch);
    ck_assert_int_eq(fsck(), 0);
}
END_TEST

START_TEST(reads_the_same)
{
    auto_root struct root *direct = open_image(ROOT_READ);
    auto_blob struct blob bytes = { 0 }, part = { 0 };
    auto_free char *target = NULL;
    struct err e = { 0 };

    ck_assert_int_eq(root_read(direct, "/dirlink/inner", 100, &bytes, &e), 0);
    ck_assert_str_eq((char *)bytes.data, "inner");
    ck_assert_int_eq(root_read_part(direct, "/file", 3, 4, &part, &e), 0);
    ck_assert_str_eq((char *)part.data, "tent");
    blob_free(&part);
    ck_assert_int_eq(root_read_part(direct, "/file", 3, 5, &part, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_int_eq(root_read(direct, "/file", 6, &part, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_int_eq(root_read(direct, "/dir", 100, &part, &e), -1);
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_int_eq(root_readlink(direct, "/absolute", &target, &e), 0);
    ck_assert_str_eq(target, "/dir/inner");
}
END_TEST

START_TEST(lists_the_same)
{
    auto_root struct root *mounted = tree_root(), *direct = open_image(ROOT_READ);
    auto_with(root_entries_free) struct root_entry *a = NULL, *b = NULL;
    struct err e = { 0 };
    size_t beyond = 0;

    ck_assert_int_eq(root_list(mounted, "/", &a, &e), 0);
    ck_assert_int_eq(root_list(direct, "/", &b, &e), 0);
    for (size_t i = 0; a[i].name; i++) {
        if (strcmp(b[i + beyond].name, "lost+found") == 0)
            beyond++;
        ck_assert_str_eq(a[i].name, b[i + beyond].name);
        ck_assert_uint_eq(a[i].type, b[i + beyond].type);
    }
    ck_assert_int_eq(root_list(direct, "/file", &b, &e), -1);
}
END_TEST

/* What a reader has become that serves whoever made the disk: it has found a file of another one.
 */
static int serve_lie(const int *fds, size_t count, struct channel *talk)
{
    const struct root_stat stat = { .mode = S_IFREG | 0777, .device = 1 };

    (void)fds;
    (void)count;
    for (;;) {
        auto_message struct message in = { 0 }, answer = { 0 };

        if (message_receive(talk, 4096, &in) < 0)
            return 0;
        message_put(&answer, DIRECT_DONE);
        message_put_text(&answer, "/file");
        message_put_stat(&answer, &stat);
        if (message_send(talk, &answer) < 0)
            return 0;
    }
}

static int nonsense; /* 0: nothing but that it is done; 1: a number that is none; 2: more */

static int serve_nonsense(const int *fds, size_t count, struct channel *talk)
{
    auto_message struct message in = { 0 }, answer = { 0 };

    (void)fds;
    (void)count;
    if (message_receive(talk, 4096, &in) < 0)
        return 0;
    message_put(&answer, DIRECT_DONE);
    if (nonsense > 0)
        message_put_text(&answer, nonsense == 1 ? NULL : "target");
    if (nonsense > 1)
        message_put(&answer, 1);
    return message_send(talk, &answer) < 0 || message_receive(talk, 4096, &in) < 0;
}

/* Whoever says what makes no sense is not asked again; the others are. */
START_TEST(nonsense_of_one)
{
    auto_root struct root *direct = open_both(ROOT_READ);
    struct part *part = &direct_of(direct)->parts[1];
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    struct err e = { 0 };

    nonsense = _i;
    (void)confine_end(&part->child);
    ck_assert_int_eq(confine_start(serve_nonsense, NULL, 0, &part->child), 0);
    ck_assert_int_eq(root_list(direct, "/dir", &entries, &e), -1);
    ck_assert_int_eq(e.kind, ERR_IO);
    ck_assert_int_eq(part->child.pid, 0);
    ck_assert_int_eq(root_find(direct, "/file", NULL, NULL, &e), 0);
}
END_TEST

START_TEST(lies_about_another)
{
    auto_root struct root *direct = open_both(ROOT_READ);
    struct part *part = &direct_of(direct)->parts[1];
    struct err e = { 0 };

    (void)confine_end(&part->child);
    ck_assert_int_eq(confine_start(serve_lie, NULL, 0, &part->child), 0);
    ck_assert_int_eq(root_find(direct, "/dir/inner", NULL, NULL, &e), -1);
    ck_assert_int_eq(e.kind, ERR_IO);
    ck_assert_int_eq(part->child.pid, 0);
    ck_assert_int_eq(root_find(direct, "/file", NULL, NULL, &e), 0);
}
END_TEST

/* ---- a child that is gone -------------------------------------------------------------- */

static pid_t only_child(void)
{
    auto_free char *path = xasprintf("/proc/self/task/%d/children", getpid());
    FILE *file = fopen(path, "re");
    int pid = 0;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

START_TEST(child_killed)
{
    auto_root struct root *direct = open_image(ROOT_WRITE);
    struct root_stat stat;
    struct err e = { 0 };

    ck_assert_int_eq(root_find(direct, "/file", NULL, &stat, &e), 0);
    ck_assert_int_eq(kill(only_child(), SIGKILL), 0);
    ck_assert_int_eq(root_find(direct, "/file", NULL, &stat, &e), -1);
    ck_assert_int_eq(e.kind, ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "its reader ended"));
    ck_assert_int_eq(root_find(direct, "/file", NULL, &stat, &e), -1);
    ck_assert_int_eq(root_close(&direct, &e), -1);
}
END_TEST

static int echoes(const int *fds, size_t count, struct channel *talk)
{
    auto_message struct message in = { 0 };

    (void)fds;
    return count == 1 && message_receive(talk, 1024, &in) == 0 ? 0 : 1;
}

/* What is not there answers as what is never there: nothing is shut in but what it was given. */
static int escapes(const int *fds, size_t count, struct channel *talk)
{
    auto_message struct message answer = { 0 };
    bool out_there = open("/etc/passwd", O_RDONLY) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ||
                     fork() >= 0 || geteuid() == 0 || mkdir("/tmp/sshmend-escaped", 0700) == 0;

    for (int fd = 0; fd < 64; fd++)
        out_there = out_there || (fd != fds[0] && fd != talk->fd && fcntl(fd, F_GETFD) >= 0);
    message_put(&answer, out_there);
    return count == 1 ? message_send(talk, &answer) : 1;
}

START_TEST(shut_in)
{
    auto_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    auto_message struct message answer = { 0 };
    struct confined child = { 0 };

    ck_assert_int_eq(confine_start(escapes, &fd, 1, &child), 0);
    ck_assert_int_eq(message_receive(&child.talk, 1024, &answer), 0);
    ck_assert_uint_eq(message_number(&answer), 0);
    (void)confine_end(&child);
    ck_assert_int_eq(confine_start(echoes, &fd, 1, &child), 0);
    (void)confine_end(&child);
    ck_assert_int_eq(child.pid, 0);
}
END_TEST

/* ---- messages -------------------------------------------------------------------------- */

START_TEST(messages)
{
    auto_message struct message sent = { 0 }, got = { 0 };
    auto_free char *text = NULL, *none = NULL, *beyond = NULL;
    auto_blob struct blob bytes = { 0 };
    struct channel ours, theirs;

    ck_assert_int_eq(channel_make(&ours, &theirs), 0);
    message_put(&sent, 42);
    message_put_text(&sent, "text");
    message_put_text(&sent, NULL);
    message_put_bytes(&sent, "\0\1", 2);
    ck_assert_int_eq(message_send(&ours, &sent), 0);
    ck_assert_int_eq(message_receive(&theirs, 1024, &got), 0);
    ck_assert_uint_eq(message_number(&got), 42);
    text = message_text(&got);
    none = message_text(&got);
    bytes = message_bytes(&got);
    ck_assert_str_eq(text, "text");
    ck_assert_ptr_null(none);
    ck_assert(bytes.len == 2 && !got.bad && got.at == got.bytes.len);
    beyond = message_text(&got);
    ck_assert(!beyond && got.bad);
    close(theirs.fd);
    channel_close(&ours);
}
END_TEST

START_TEST(hostile_text)
{
    auto_message struct message message = { 0 };
    auto_free char *text = NULL;
    struct err e;

    message_put_bytes(&message, "a\0b", 3);
    text = message_text(&message);
    ck_assert(!text && message.bad);
    message_free(&message);
    message_put(&message, 77);
    message_put(&message, 1u << 31);
    message_put_text(&message, "a\033[2Jb");
    e = message_error(&message);
    ck_assert_int_eq(e.kind, ERR_IO);
    ck_assert_int_eq(e.code, 0);
    ck_assert_str_eq(e.text, "a?[2Jb");
}
END_TEST

/* ---- the child's work, here ------------------------------------------------------------ */

static const char *const features[] = {
    "^has_journal", "^metadata_csum,^64bit,^extent", "inline_data", "^dir_index,fast_commit",
    "^filetype",
};

static void must(int result, const struct err *e)
{
    ck_assert_msg(result == 0, "%s", e->text);
}

static void change_all(struct ext *ext)
{
    const struct root_meta meta = { .mode = 04640, .uid = 70000, .gid = 65536, .label = "a:b:c" };
    auto_blob struct blob content = blob_zeroed(50000), note = blob_of_text("note");
    struct err e = { 0 };

    memset(content.data, 'x', content.len);
    must(ext_mkdir(ext, "/new", &meta, &e), &e);
    must(ext_create(ext, "/new/file", &content, &meta, &e), &e);
    must(ext_exchange(ext, "/new/file", "/file", &e), &e);
    must(ext_rename(ext, "/dir", "/new/moved", &e), &e);
    must(ext_symlink(ext, "/new/link", "where/ever", &meta, &e), &e);
    must(ext_symlink(ext, "/new/long",
                     "a/link/that/does/not/fit/into/the/inode/and/has/to/have/a/block/of/its/own",
                     &meta, &e),
         &e);
    must(ext_unlink(ext, "/link0", false, &e), &e);
    must(ext_set_mode(ext, "/empty", 0604, &e), &e);
    must(ext_set_owner(ext, "/empty", 5, 6, &e), &e);
    must(ext_set_xattr(ext, "/empty", "user.note", &note, &e), &e);
    must(ext_set_flags(ext, "/empty", EXT2_IMMUTABLE_FL, &e), &e);
    for (int i = 0; i < 200; i++) {
        auto_free char *path = xasprintf("/new/moved/a-name-that-takes-some-room-%d", i);

        must(ext_create(ext, path, &note, &meta, &e), &e);
    }
    for (int i = 0; i < 200; i += 2) {
        auto_free char *path = xasprintf("/new/moved/a-name-that-takes-some-room-%d", i);

        must(ext_unlink(ext, path, false, &e), &e);
    }
}

/* Refused before anything was changed, so that the rest may still be written. */
static void refuse_all(struct ext *ext)
{
    const struct root_meta meta = { .mode = 0600 };
    const struct blob nothing = { .data = (unsigned char *)"" };
    struct err e = { 0 };

    ck_assert_int_eq(ext_create(ext, "/file", &nothing, &meta, &e), -1);
    ck_assert_int_eq(e.code, EEXIST);
    ck_assert_int_eq(ext_create(ext, "/file/x", &nothing, &meta, &e), -1);
    ck_assert_int_eq(e.code, ENOTDIR);
    ck_assert_int_eq(ext_create(ext, "/dirlink/x", &nothing, &meta, &e), -1);
    ck_assert_int_eq(e.code, ELOOP);
    ck_assert_int_eq(ext_mkdir(ext, "/..", &meta, &e), -1);
    ck_assert_int_eq(ext_rename(ext, "/file", "/empty", &e), -1);
    ck_assert_int_eq(e.code, EEXIST);
    ck_assert_int_eq(ext_rename(ext, "/new", "/new/inside", &e), -1);
    ck_assert_int_eq(e.code, EINVAL);
    ck_assert_int_eq(ext_exchange(ext, "/file", "/nowhere", &e), -1);
    ck_assert_int_eq(e.code, ENOENT);
    ck_assert_int_eq(ext_unlink(ext, "/new", true, &e), -1);
    ck_assert_int_eq(e.code, ENOTEMPTY);
    ck_assert_int_eq(ext_unlink(ext, "/new", false, &e), -1);
    ck_assert_int_eq(e.code, EISDIR);
    ck_assert_int_eq(ext_set_mode(ext, "/link", 0600, &e), -1);
    ck_assert(!ext->broken);
}

static void expect_all(struct ext *ext)
{
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    auto_blob struct blob bytes = { 0 };
    auto_free char *path = NULL, *target = NULL;
    struct root_stat stat;
    struct err e = { 0 };

    must(ext_read_part(ext, "/file", 0, 50000, &bytes, &e), &e);
    ck_assert(bytes.data[49999] == 'x');
    must(ext_describe(ext, "/file", &path, &stat, &attributes, &e), &e);
    ck_assert_uint_eq(stat.mode, S_IFREG | 04640);
    ck_assert_uint_eq(stat.uid, 70000);
    ck_assert_uint_eq(stat.gid, 65536);
    ck_assert_str_eq(attributes.label, "a:b:c");
    must(ext_find(ext, "/new/moved/../../new/moved/inner", true, &target, &stat, &e), &e);
    ck_assert_str_eq(target, "/new/moved/inner");
    ck_assert_int_eq(ext_find(ext, "/dir", true, NULL, &stat, &e), -1);
    must(ext_find(ext, "/new/moved/a-name-that-takes-some-room-199", true, NULL, &stat, &e), &e);
    ck_assert_int_eq(
        ext_find(ext, "/new/moved/a-name-that-takes-some-room-198", true, NULL, &stat, &e), -1);
}

static void open_here(enum root_access access, struct ext *ret)
{
    int fd = open(image, O_RDWR | O_CLOEXEC);
    struct err e = { 0 };

    must(ext_open(fd, 0, IMAGE_SIZE, 0, access, ret, &e), &e);
}

static void close_here(struct ext *ext)
{
    int fd = ext->volume->fd;

    ext_close(ext);
    close(fd);
}

START_TEST(changes)
{
    struct ext ext = { 0 };
    struct err e = { 0 };

    make_image(features[_i]);
    open_here(ROOT_WRITE, &ext);
    change_all(&ext);
    refuse_all(&ext);
    expect_all(&ext);
    must(ext_commit(&ext, &e), &e);
    close_here(&ext);
    ck_assert_int_eq(fsck(), 0);
    open_here(ROOT_READ, &ext);
    expect_all(&ext);
    close_here(&ext);
}
END_TEST

/* Without the commit nothing has happened; and a change that was not made whole forbids it. */
START_TEST(given_up)
{
    struct ext ext = { 0 };
    struct root_stat stat;
    struct err e = { 0 };

    make_image(features[0]);
    open_here(ROOT_WRITE, &ext);
    change_all(&ext);
    ck_assert_int_eq(ext_changed(&ext, EIO), EIO);
    ck_assert_int_eq(ext_changed(&ext, 0), 0);
    ck_assert_int_eq(ext_commit(&ext, &e), -1);
    close_here(&ext);
    ck_assert_int_eq(fsck(), 0);
    open_here(ROOT_READ, &ext);
    must(ext_find(&ext, "/dir/inner", true, NULL, &stat, &e), &e);
    ck_assert_int_eq(ext_find(&ext, "/new", true, NULL, &stat, &e), -1);
    close_here(&ext);
}
END_TEST

/* Where a block of a file is on the image, in bytes. */
static off_t place_in_image(ext2_ino_t inode, const char *path, int number)
{
    struct ext_node node = { 0 };
    struct ext ext = { 0 };
    blk64_t block = 0;

    open_here(ROOT_READ, &ext);
    if (path)
        ck_assert_int_eq(ext_walk(&ext, path, WALK_REFUSE, NULL, &node), 0);
    else
        ck_assert_int_eq(ext_load(&ext, inode, &node), 0);
    ck_assert_int_eq(ext2fs_bmap2(ext.fs, node.inode, NULL, NULL, 0, (blk64_t)number, NULL, &block),
                     0);
    close_here(&ext);
    return (off_t)block * 1024;
}

/* As after a power cut behind the commit: the last transaction counts, and nothing is in its place.
 */
static void cut_back(const char *path)
{
    auto_fd int fd = open(image, O_RDWR | O_CLOEXEC);
    unsigned char super[1024], journal[1024], zeros[1024] = { 0 };
    off_t journal_at = place_in_image(EXT2_JOURNAL_INO, NULL, 0);

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pwrite(fd, zeros, sizeof zeros, place_in_image(0, path, i)), sizeof zeros);
    ck_assert_int_eq(pread(fd, journal, sizeof journal, journal_at), sizeof journal);
    ck_assert(journal[0x1b] > 0 && journal[0x1f] == 0);
    journal[0x1b]--;
    journal[0x1f] = 1;
    ck_assert_int_eq(pwrite(fd, journal, sizeof journal, journal_at), sizeof journal);
    ck_assert_int_eq(pread(fd, super, sizeof super, 1024), sizeof super);
    super[0x60] |= EXT3_FEATURE_INCOMPAT_RECOVER;
    ck_assert_int_eq(pwrite(fd, super, sizeof super, 1024), sizeof super);
}

/* Blocks that begin like those of the journal itself go through it, and come back as they were. */
START_TEST(escaped)
{
    const char *const argv[] = { "e2fsck", "-E", "journal_only", "-p", image, NULL };
    const struct root_meta meta = { .mode = 0600 };
    auto_blob struct blob content = blob_zeroed(3 * 1024), bytes = { 0 };
    struct ext ext = { 0 };
    struct err e = { 0 };

    memset(content.data, 'y', content.len);
    memcpy(content.data, "\xc0\x3b\x39\x98", 4);
    memcpy(content.data + 2048, "\xc0\x3b\x39\x98", 4);
    make_image("^metadata_csum");
    open_here(ROOT_WRITE, &ext);
    must(ext_create(&ext, "/magic", &content, &meta, &e), &e);
    must(ext_commit(&ext, &e), &e);
    close_here(&ext);
    cut_back("/magic");
    ck_assert_int_eq(run_program(argv, NULL), 0);
    ck_assert_int_eq(fsck(), 0);
    open_here(ROOT_READ, &ext);
    must(ext_read_part(&ext, "/magic", 0, content.len, &bytes, &e), &e);
    ck_assert(blob_equal(&bytes, &content));
    close_here(&ext);
}
END_TEST

Suite *suite_door_direct(void)
{
    Suite *suite = suite_create("door: direct");
    TCase *tcase = tcase_create("direct");

    tcase_add_checked_fixture(tcase, setup, scratch_remove);
    tcase_set_timeout(tcase, 300);
    ADD_TABLE(tcase, finds_the_same, paths);
    ADD(tcase, reads_the_same);
    ADD_TABLE(tcase, crosses_the_same, paths);
    ADD(tcase, crosses_and_reads);
    ADD(tcase, crosses_and_writes);
    ADD(tcase, lies_about_another);
    tcase_add_loop_test(tcase, nonsense_of_one, 0, 3);
    ADD(tcase, lists_the_same);
    ADD(tcase, child_killed);
    ADD(tcase, shut_in);
    ADD(tcase, messages);
    ADD(tcase, hostile_text);
    ADD_TABLE(tcase, changes, features);
    ADD(tcase, given_up);
    ADD(tcase, escaped);
    suite_add_tcase(suite, tcase);
    return suite;
}
