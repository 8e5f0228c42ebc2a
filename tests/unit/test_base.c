/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/alloc.h"
#include "base/io.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* ---- text ------------------------------------------------------------------------------- */

static const struct {
    const char *text, *clean, *in_place;
} cleanings[] = {
    { "", "", "" },
    { "plain /etc/ssh ~", "plain /etc/ssh ~", "plain /etc/ssh ~" },
    { "a\nb\tc\r", "a\\x0ab\\x09c\\x0d", "a?b?c?" },
    { "\x1b[31mred", "\\x1b[31mred", "?[31mred" },
    { "caf\xc3\xa9", "caf\\xc3\\xa9", "caf??" },
    { "\x7f\x80\xff", "\\x7f\\x80\\xff", "???" },
    { "back\\slash", "back\\x5cslash", "back\\slash" },
};

START_TEST(clean)
{
    auto_free char *copy = text_clean(cleanings[_i].text);
    auto_free char *in_place = xstrdup(cleanings[_i].text);

    text_clean_in_place(in_place);
    ck_assert_str_eq(copy, cleanings[_i].clean);
    ck_assert_str_eq(in_place, cleanings[_i].in_place);
}
END_TEST

/* Two texts that differ stay different: the backslash itself is written out, too. */
START_TEST(clean_is_unambiguous)
{
    auto_free char *escape = text_clean("\n"), *spelled = text_clean("\\x0a");

    ck_assert_str_ne(escape, spelled);
}
END_TEST

static const struct {
    const char *list, *word;
    bool has;
} words[] = {
    { "", "a", false },
    { "a", "a", true },
    { "rhel centos", "centos", true },
    { "rhel centos", "cent", false },
    { "rhel centos", "os", false },
    { "rhel centos", "rhel centos", false },
    { "one,two\nthree\tfour", "two", true },
    { "one,two\nthree\tfour", "three", true },
    { "one,two\nthree\tfour", "four", true },
    { ",,one,,", "one", true },
    { ",,one,,", "two", false },
    { "hostkey-open", "hostkey", false },
};

START_TEST(has_word)
{
    ck_assert_int_eq(text_has_word(words[_i].list, words[_i].word), words[_i].has);
}
END_TEST

START_TEST(starts_and_ends)
{
    ck_assert(text_starts("sshd_config", "sshd") && text_starts("a", "") && text_starts("a", "a"));
    ck_assert(!text_starts("ssh", "sshd") && !text_starts("", "a"));
    ck_assert(text_ends("key.pub", ".pub") && text_ends("a", "") && text_ends(".pub", ".pub"));
    ck_assert(!text_ends("pub", ".pub") && !text_ends("key.pub.bak", ".pub"));
}
END_TEST

static const struct {
    const char *text, *trimmed;
} trims[] = {
    { "", "" },          { " \t\r\n", "" }, { "a", "a" },
    { "  a b ", "a b" }, { "a\r\n", "a" },  { "\fa\v", "a" },
};

START_TEST(trim)
{
    auto_free char *text = xstrdup(trims[_i].text);

    ck_assert_str_eq(text_trim(text), trims[_i].trimmed);
}
END_TEST

static const struct {
    const char *path, *directory;
    bool within;
} places[] = {
    { "/etc/ssh", "/etc", true }, { "/etc", "/etc", true },      { "/etcetera", "/etc", false },
    { "/", "/etc", false },       { "/etc", "/etc/ssh", false }, { "/etc", "/", true },
    { "/", "/", true },
};

START_TEST(within)
{
    ck_assert_int_eq(text_is_within(places[_i].path, places[_i].directory), places[_i].within);
}
END_TEST

START_TEST(above)
{
    auto_free char *deep = text_above("/etc/ssh/x"), *top = text_above("/etc");
    auto_free char *none = text_above("name");

    ck_assert_str_eq(deep, "/etc/ssh");
    ck_assert_str_eq(top, "");
    ck_assert_str_eq(none, "");
}
END_TEST

START_TEST(base_name)
{
    ck_assert_str_eq(text_base_name("/etc/ssh/ssh_host_rsa_key"), "ssh_host_rsa_key");
    ck_assert_str_eq(text_base_name("name"), "name");
    ck_assert_str_eq(text_base_name("/"), "");
}
END_TEST

/* ---- blob ------------------------------------------------------------------------------- */

START_TEST(hex_round_trip)
{
    unsigned char all[256];
    auto_blob struct blob from = { 0 }, back = { 0 };
    auto_free char *hex = NULL;

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)i;
    from = blob_copy(all, (size_t)_i);
    hex = blob_to_hex(&from);
    ck_assert_uint_eq(strlen(hex), 2 * (size_t)_i);
    ck_assert(blob_from_hex(hex, &back));
    ck_assert(blob_equal(&from, &back));
    ck_assert_int_eq(back.data[back.len], 0);
}
END_TEST

static const char *const not_hex[] = { "0", "abc", "0g", "AB", "a b ", "0x", "--", "ff\n" };

START_TEST(hex_refused)
{
    struct blob back = { 0 };

    ck_assert(!blob_from_hex(not_hex[_i], &back));
    ck_assert_ptr_null(back.data);
}
END_TEST

START_TEST(blob_comparison)
{
    auto_blob struct blob a = blob_of_text("abc"), b = blob_of_text("abd"), c = blob_of_text("ab");
    auto_blob struct blob copy = blob_copy(a.data, a.len), zero = blob_zeroed(0);
    const struct blob none = { 0 };

    ck_assert(blob_equal(&a, &copy) && blob_equal(&zero, &none));
    ck_assert(!blob_equal(&a, &b) && !blob_equal(&a, &c) && !blob_equal(&a, &none));
}
END_TEST

/* ---- arrays ----------------------------------------------------------------------------- */

START_TEST(array_grows)
{
    size_t *numbers = NULL, count = 0;

    for (size_t i = 0; i < 1000; i++)
        array_push(numbers, count, i * i);
    ck_assert_uint_eq(count, 1000);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(numbers[i], i * i);
    free(numbers);
}
END_TEST

/* ---- errors ----------------------------------------------------------------------------- */

static const struct {
    int code;
    enum err_kind kind;
    const char *name;
} kinds[] = {
    { ENOENT, ERR_NOT_FOUND, "not-found" },
    { ENOTDIR, ERR_NOT_FOUND, "not-found" },
    { EBUSY, ERR_IN_USE, "in-use" },
    { EROFS, ERR_READ_ONLY, "read-only" },
    { ENOSPC, ERR_NO_SPACE, "no-space" },
    { EDQUOT, ERR_NO_SPACE, "no-space" },
    { EOPNOTSUPP, ERR_UNSUPPORTED, "unsupported" },
    { EIO, ERR_IO, "io" },
    { EACCES, ERR_IO, "io" },
};

START_TEST(errno_kinds)
{
    struct err e = { 0 };
    auto_free char *expected = xasprintf("open a?b: %s", strerror(kinds[_i].code));

    errno = kinds[_i].code;
    ck_assert_int_eq(err_errno(&e, "open %s", "a\nb"), -1);
    ck_assert_int_eq(e.kind, kinds[_i].kind);
    ck_assert_int_eq(e.code, kinds[_i].code);
    ck_assert_str_eq(e.text, expected);
    ck_assert_str_eq(err_kind_name(e.kind), kinds[_i].name);
}
END_TEST

START_TEST(errors_travel)
{
    struct err e = { 0 };

    ck_assert_int_eq(err_set(&e, ERR_REFUSED, "%s is too large", "\x1b[2J"), -1);
    ck_assert_str_eq(e.text, "?[2J is too large");
    ck_assert_int_eq(err_prefix(&e, "disk %d", 3), -1);
    ck_assert_str_eq(e.text, "disk 3: ?[2J is too large");
    ck_assert_int_eq(e.kind, ERR_REFUSED);
    ck_assert_int_eq(e.code, 0);
    ck_assert_int_eq(err_set(NULL, ERR_IO, "nobody listens"), -1);
}
END_TEST

/* However long the words from the disk are, the sentence ends inside its buffer. */
START_TEST(errors_are_bounded)
{
    struct err e = { 0 };
    char word[2 * sizeof e.text];

    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    errno = ENOENT;
    err_errno(&e, "%s", word);
    err_prefix(&e, "%s", word);
    ck_assert_uint_lt(strlen(e.text), sizeof e.text);
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
}
END_TEST

/* ---- io --------------------------------------------------------------------------------- */

enum { CHUNK = 16 * 1024 };

static const struct {
    size_t len, max;
    bool fits;
} reads[] = {
    { 0, 0, true },
    { 1, 0, false },
    { 1, 1, true },
    { 100, 99, false },
    { CHUNK - 1, CHUNK, true },
    { CHUNK, CHUNK, true },
    { CHUNK + 1, CHUNK, false },
    { CHUNK + 1, 10 * CHUNK, true },
    { 5 * CHUNK, 5 * CHUNK, true },
    { 5 * CHUNK, 5 * CHUNK - 1, false },
};

START_TEST(read_all_bounds)
{
    auto_blob struct blob content = blob_zeroed(reads[_i].len), back = { 0 };
    auto_free char *path = xasprintf("%s/file", scratch);
    auto_fd int fd = -1;

    for (size_t i = 0; i < content.len; i++)
        content.data[i] = (unsigned char)(i * 7 + i / 256);
    put_bytes("file", 0600, content.data, content.len);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    if (!reads[_i].fits) {
        ck_assert_int_eq(io_read_all(fd, reads[_i].max, &back), -1);
        ck_assert_int_eq(errno, EFBIG);
        ck_assert_ptr_null(back.data);
        return;
    }
    ck_assert_int_eq(io_read_all(fd, reads[_i].max, &back), 0);
    ck_assert(blob_equal(&content, &back));
    ck_assert_int_eq(back.data[back.len], 0);
}
END_TEST

START_TEST(read_at)
{
    auto_free char *path = xasprintf("%s/file", scratch);
    auto_fd int fd = -1;
    char bytes[4] = "";

    put_text("file", "0123456789");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(io_read_at(fd, bytes, 3, 7), 0);
    ck_assert_str_eq(bytes, "789");
    ck_assert_int_eq(io_read_at(fd, bytes, 3, 8), -1);
    ck_assert_int_eq(errno, EIO);
    ck_assert_int_eq(io_read_at(-1, bytes, 3, 0), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(host_text)
{
    auto_free char *text = NULL, *missing = io_host_text("%s/none", scratch);

    put_text("file", "one\ntwo\n");
    text = io_host_text("%s/%s", scratch, "file");
    ck_assert_str_eq(text, "one\ntwo");
    ck_assert_ptr_null(missing);
}
END_TEST

Suite *suite_base(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = tcase_create("base");

    tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
    ADD_TABLE(tcase, clean, cleanings);
    ADD(tcase, clean_is_unambiguous);
    ADD_TABLE(tcase, has_word, words);
    ADD(tcase, starts_and_ends);
    ADD_TABLE(tcase, trim, trims);
    ADD(tcase, base_name);
    ADD_TABLE(tcase, within, places);
    ADD(tcase, above);
    tcase_add_loop_test(tcase, hex_round_trip, 0, 257);
    ADD_TABLE(tcase, hex_refused, not_hex);
    ADD(tcase, blob_comparison);
    ADD(tcase, array_grows);
    ADD_TABLE(tcase, errno_kinds, kinds);
    ADD(tcase, errors_travel);
    ADD(tcase, errors_are_bounded);
    ADD_TABLE(tcase, read_all_bounds, reads);
    ADD(tcase, read_at);
    ADD(tcase, host_text);
    suite_add_tcase(suite, tcase);
    return suite;
}
