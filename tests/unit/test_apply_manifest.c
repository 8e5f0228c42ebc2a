/* SPDX-License-Identifier: MIT */
/* A run as text, and back. */
#include "unit.h"

#include "apply/manifest.h"
#include "base/alloc.h"

#include <string.h>
#include <sys/stat.h>

#define ID "20260101T000000Z-0000"

static struct run parsed_as(const struct blob *text, int *ret_result, struct err *e)
{
    struct run run = { .id = xstrdup(ID) };

    *ret_result = manifest_parse(text, &run, e);
    return run;
}

/* ---- round trip -------------------------------------------------------------------------- */

static struct entry_state state_of(const char *digest, const char *label, const char *acl)
{
    return (struct entry_state){ .inode = 0x123456789abcdefull,
                                 .mode = S_IFREG | 04755,
                                 .uid = 4294967294u,
                                 .gid = 74,
                                 .flags = 0x80010,
                                 .digest = digest ? xstrdup(digest) : NULL,
                                 .label = label ? xstrdup(label) : NULL,
                                 .acl = acl ? xstrdup(acl) : NULL };
}

static void check_text(const char *a, const char *b)
{
    if (a)
        ck_assert_str_eq(a, b);
    else
        ck_assert_ptr_null(b);
}

static void check_state(const struct entry_state *a, const struct entry_state *b)
{
    ck_assert_uint_eq(a->inode, b->inode);
    ck_assert_uint_eq(a->mode, b->mode);
    ck_assert_uint_eq(a->uid, b->uid);
    ck_assert_uint_eq(a->gid, b->gid);
    ck_assert_uint_eq(a->flags, b->flags);
    check_text(a->digest, b->digest);
    check_text(a->label, b->label);
    check_text(a->acl, b->acl);
}

static void check_run(const struct run *a, const struct run *b)
{
    size_t made = 0;

    ck_assert_uint_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        ck_assert_int_eq(a->entries[i].kind, b->entries[i].kind);
        ck_assert_str_eq(a->entries[i].path, b->entries[i].path);
        check_text(a->entries[i].folder, b->entries[i].folder);
        ck_assert_int_eq(a->entries[i].existed, b->entries[i].existed);
        check_state(&a->entries[i].old, &b->entries[i].old);
        check_state(&a->entries[i].new, &b->entries[i].new);
    }
    for (; a->made && a->made[made]; made++)
        ck_assert_str_eq(a->made[made], b->made[made]);
    ck_assert_ptr_null(b->made[made]);
}

static const char *const paths[] = {
    "/etc/ssh/ssh_host_rsa_key",
    "/",
    "/with blanks and \"quotes\" and \\ backslashes",
    "/line\nbreak\ttab\x1b[2J\x7f",
    "/caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac",
    "/latin1 caf\xe9",
    "/\xff\xfe\x80",
    "/cut off \xe6\x97",
    "/overlong \xc0\xaf",
    "/{\"hex\":\"2f\"}",
};

START_TEST(round_trip)
{
    auto_run struct run run = { .id = xstrdup(ID) }, back = { 0 };
    auto_blob struct blob text = { 0 };
    struct entry file = { .kind = ENTRY_FILE, .path = xstrdup(paths[_i]), .existed = true };
    struct entry meta = { .kind = ENTRY_META,
                          .path = xstrdup(paths[_i]),
                          .folder = xstrdup(paths[_i]) };
    size_t made = 0;
    struct err e = { 0 };
    int result;
    char *directory;

    file.old = state_of("00ff", "system_u:object_r:etc_t:s0", "0200");
    file.new = state_of("11ee", NULL, NULL);
    meta.new = state_of(NULL, "label \xff\n", NULL);
    array_push(run.entries, run.count, file);
    array_push(run.entries, run.count, meta);
    directory = xstrdup(paths[_i]);
    array_push(run.made, made, directory);
    array_push(run.made, made, NULL);
    text = manifest_text(&run);
    ck_assert_uint_gt(text.len, 0);
    back = parsed_as(&text, &result, &e);
    ck_assert_msg(result == 0, "%s", e.text);
    check_run(&run, &back);
}
END_TEST

/* Plain ASCII: whoever must read it without this program can do so on any terminal. */
START_TEST(text_is_plain)
{
    auto_run struct run run = { .id = xstrdup(ID) };
    auto_blob struct blob text = { 0 };
    struct entry meta = { .kind = ENTRY_META, .path = xstrdup(paths[_i]) };

    array_push(run.entries, run.count, meta);
    text = manifest_text(&run);
    for (size_t i = 0; i < text.len; i++)
        ck_assert(text.data[i] == '\n' || (text.data[i] >= 0x20 && text.data[i] < 0x80));
}
END_TEST

START_TEST(empty_run)
{
    auto_run struct run run = { .id = xstrdup(ID) }, back = { 0 };
    auto_blob struct blob text = manifest_text(&run);
    struct err e = { 0 };
    int result;

    back = parsed_as(&text, &result, &e);
    ck_assert_msg(result == 0, "%s", e.text);
    check_run(&run, &back);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------------
 */

#define STATE                                                                                      \
    "{\"inode\":1,\"mode\":33152,\"uid\":0,\"gid\":0,\"flags\":0,"                                 \
    "\"sha256\":null,\"label\":null,\"acl\":null}"
#define ENTRY(path, old) ENTRY_OF("\"meta\"", path, old)
#define ENTRY_OF(kind, path, old)                                                                  \
    "{\"kind\":" kind ",\"path\":" path ",\"existed\":true,\"directory_flags\":0,\"old\":" old     \
    ",\"new\":" STATE "}"
#define MANIFEST(made, entries)                                                                    \
    "{\"schema\":\"sshmend-run/1\",\"run\":\"" ID "\",\"made\":" made ",\"entries\":" entries "}"  \
    "\n"

static const struct {
    const char *text;
    enum err_kind kind;
} manifests[] = {
    { MANIFEST("[]", "[]"), ERR_NONE },
    { MANIFEST("[]", "[" ENTRY("\"/a\"", STATE) "]"), ERR_NONE },
    { MANIFEST("[\"/var/lib/sshmend\"]", "[" ENTRY("{\"hex\":\"2fff\"}", STATE) "]"), ERR_NONE },
    { MANIFEST("[]", "[]") "\n", ERR_NONE },
    /* The last byte written is a newline: without it, the run never got to change anything. */
    { "", ERR_NOT_FOUND },
    { "{}", ERR_NOT_FOUND },
    { "\n", ERR_NOT_FOUND },
    { "{}\n", ERR_REFUSED },
    { "[]\n", ERR_REFUSED },
    { "null\n", ERR_REFUSED },
    { "not JSON\n", ERR_REFUSED },
    { MANIFEST("[]", "[]") "x\n", ERR_REFUSED },
    { "{\"schema\":\"sshmend-run/2\",\"made\":[],\"entries\":[]}\n", ERR_REFUSED },
    { "{\"schema\":1,\"made\":[],\"entries\":[]}\n", ERR_REFUSED },
    { "{\"schema\":\"sshmend-run/1\",\"made\":[]}\n", ERR_REFUSED },
    { "{\"schema\":\"sshmend-run/1\",\"entries\":[]}\n", ERR_REFUSED },
    { MANIFEST("{}", "[]"), ERR_REFUSED },
    { MANIFEST("[]", "{}"), ERR_REFUSED },
    { MANIFEST("[1]", "[]"), ERR_REFUSED },
    { MANIFEST("[null]", "[]"), ERR_REFUSED },
    { MANIFEST("[]", "[1]"), ERR_REFUSED },
    { MANIFEST("[]", "[{}]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("\"a\"", STATE) "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("\"\"", STATE) "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("null", STATE) "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("{\"hex\":\"2g\"}", STATE) "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("{\"hex\":\"2\"}", STATE) "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY_OF("\"link\"", "\"/a\"", STATE) "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY_OF("1", "\"/a\"", STATE) "]"), ERR_REFUSED },
    /* Without it, undo would set mode 0 and give the file to root. */
    { MANIFEST("[]", "[" ENTRY("\"/a\"", "null") "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("\"/a\"", "{}") "]"), ERR_REFUSED },
    { MANIFEST("[]", "[" ENTRY("\"/a\"", "{\"mode\":\"0600\"}") "]"), ERR_REFUSED },
};

START_TEST(damaged)
{
    auto_blob struct blob text = blob_of_text(manifests[_i].text);
    auto_run struct run run = { 0 };
    struct err e = { 0 };
    int result;

    run = parsed_as(&text, &result, &e);
    ck_assert_msg(result == (manifests[_i].kind ? -1 : 0), "%s", manifests[_i].text);
    ck_assert_msg(e.kind == manifests[_i].kind, "%s: %s", manifests[_i].text, e.text);
    if (manifests[_i].kind)
        ck_assert_ptr_nonnull(strstr(e.text, ID));
}
END_TEST

/* Torn anywhere, as by a power cut, it says that nothing had been changed yet. */
START_TEST(torn)
{
    auto_run struct run run = { .id = xstrdup(ID) };
    auto_blob struct blob whole = { 0 };
    struct entry file = { .kind = ENTRY_FILE, .path = xstrdup("/etc/ssh/ssh_host_rsa_key") };

    file.new = state_of("00ff", NULL, NULL);
    array_push(run.entries, run.count, file);
    whole = manifest_text(&run);
    for (size_t len = 0; len < whole.len; len++) {
        auto_blob struct blob text = blob_copy(whole.data, len);
        auto_run struct run back = { 0 };
        struct err e = { 0 };
        int result;

        back = parsed_as(&text, &result, &e);
        ck_assert_int_eq(result, -1);
        ck_assert_msg(e.kind == ERR_NOT_FOUND, "%zu of %zu bytes: %s", len, whole.len, e.text);
    }
}
END_TEST

/* A file whose blocks never reached the disk has its length, and nothing in it. */
START_TEST(never_written)
{
    auto_blob struct blob text = blob_zeroed(1000);
    auto_run struct run run = { 0 };
    struct err e = { 0 };
    int result;

    run = parsed_as(&text, &result, &e);
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
}
END_TEST

Suite *suite_apply_manifest(void)
{
    Suite *suite = suite_create("apply: manifest");
    TCase *tcase = tcase_create("manifest");

    ADD_TABLE(tcase, round_trip, paths);
    ADD_TABLE(tcase, text_is_plain, paths);
    ADD(tcase, empty_run);
    ADD_TABLE(tcase, damaged, manifests);
    ADD(tcase, torn);
    ADD(tcase, never_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
