/* SPDX-License-Identifier: MIT */
/*
 * This side of the door: a function is a request and its answer. What the child says has the
 * worth of what is on the disk; a child that says nothing, or ends, is an error of that disk.
 */
#include "door/direct.h"

#include "base/alloc.h"
#include "base/text.h"
#include "ext/ext.h"

#include <string.h>
#include <sys/stat.h>

/* How long an answer may take; a transaction on a slow disk is the longest. */
enum { ANSWER_SECONDS = 600, NAMES_MAX = 100000 };

/* ---- reading --------------------------------------------------------------------------- */

static int direct_find(const struct root *root, const char *path, bool follow, char **ret_path,
                       struct root_stat *ret_stat, struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    auto_free char *canonical = NULL;
    struct root_stat stat;

    direct_request(&question, DIRECT_FIND, path);
    message_put(&question, follow);
    if (direct_ask(root, &question, DIRECT_SPARE, &answer, e) < 0)
        return -1;
    canonical = message_some_text(&answer);
    stat = message_stat(&answer);
    if (direct_whole(&answer, e) < 0)
        return -1;
    if (ret_stat)
        *ret_stat = stat;
    if (ret_path)
        *ret_path = take_ptr(canonical);
    return 0;
}

/* A question whose answer is bytes. */
static int ask_bytes(const struct root *root, const struct message *question, struct blob *ret,
                     struct err *e)
{
    auto_message struct message answer = { 0 };
    auto_blob struct blob bytes = { 0 };

    if (direct_ask(root, question, DIRECT_SPARE, &answer, e) < 0)
        return -1;
    bytes = message_bytes(&answer);
    if (direct_whole(&answer, e) < 0)
        return -1;
    *ret = take_blob(bytes);
    return 0;
}

/* A stretch of a file, to where it belongs. */
static int read_piece(const struct root *root, const char *path, uint64_t offset,
                      unsigned char *into, size_t len, struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    const unsigned char *bytes;
    size_t got;

    direct_request(&question, DIRECT_READ_PART, path);
    message_put(&question, offset);
    message_put(&question, len);
    if (direct_ask(root, &question, len + DIRECT_SPARE, &answer, e) < 0)
        return -1;
    bytes = message_view(&answer, &got);
    if (direct_whole(&answer, e) < 0)
        return -1;
    if (got != len)
        return direct_distrust(&answer, e);
    memcpy(into, bytes, len);
    return 0;
}

static int read_pieces(const struct root *root, const char *path, uint64_t offset,
                       const struct blob *into, size_t done, struct err *e)
{
    while (done < into->len) {
        size_t some = into->len - done < DIRECT_PIECE ? into->len - done : DIRECT_PIECE;

        if (read_piece(root, path, offset + done, into->data + done, some, e) < 0)
            return -1;
        done += some;
    }
    return 0;
}

/* Piece by piece: what is large is not in memory three times. */
static int direct_read(const struct root *root, const char *path, size_t max, struct blob *ret,
                       struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    auto_blob struct blob bytes = { 0 };
    const unsigned char *first;
    uint64_t size;
    size_t got;

    direct_request(&question, DIRECT_READ, path);
    message_put(&question, max);
    if (direct_ask(root, &question, DIRECT_PIECE + DIRECT_SPARE, &answer, e) < 0)
        return -1;
    size = message_number(&answer);
    first = message_view(&answer, &got);
    if (direct_whole(&answer, e) < 0)
        return -1;
    if (size > max || got > size)
        return direct_distrust(&answer, e);
    bytes = blob_zeroed((size_t)size);
    memcpy(bytes.data, first, got);
    if (read_pieces(root, path, 0, &bytes, got, e) < 0)
        return -1;
    *ret = take_blob(bytes);
    return 0;
}

static int direct_read_part(const struct root *root, const char *path, uint64_t offset, size_t len,
                            struct blob *ret, struct err *e)
{
    auto_blob struct blob bytes = blob_zeroed(len);
    size_t first = len < DIRECT_PIECE ? len : DIRECT_PIECE;

    if (read_piece(root, path, offset, bytes.data, first, e) < 0 ||
        read_pieces(root, path, offset, &bytes, first, e) < 0)
        return -1;
    *ret = take_blob(bytes);
    return 0;
}

static int direct_readlink(const struct root *root, const char *path, char **ret, struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    auto_free char *target = NULL;

    direct_request(&question, DIRECT_READLINK, path);
    if (direct_ask(root, &question, DIRECT_SPARE, &answer, e) < 0)
        return -1;
    target = message_some_text(&answer);
    if (direct_whole(&answer, e) < 0)
        return -1;
    *ret = take_ptr(target);
    return 0;
}

static int direct_list(const struct root *root, const char *path, struct root_entry **ret,
                       struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    struct root_entry *entries, end = { 0 };
    uint64_t count;
    size_t kept = 0;

    direct_request(&question, DIRECT_LIST, path);
    if (direct_ask(root, &question, DIRECT_ANSWER_MAX, &answer, e) < 0)
        return -1;
    entries = NULL;
    count = message_number(&answer);
    for (uint64_t i = 0; i < count && i < NAMES_MAX && !answer.bad; i++) {
        struct root_entry entry = { .name = message_text(&answer) };

        entry.type = (mode_t)message_number(&answer) & S_IFMT;
        if (entry.name)
            array_push(entries, kept, entry);
    }
    array_push(entries, kept, end);
    if (direct_whole(&answer, e) < 0) {
        root_entries_free(&entries);
        return -1;
    }
    *ret = entries;
    return 0;
}

static int direct_get_xattr(const struct root *root, const char *path, const char *name,
                            struct blob *ret, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, DIRECT_GET_XATTR, path);
    message_put_text(&question, name);
    return ask_bytes(root, &question, ret, e);
}

static int direct_list_xattrs(const struct root *root, const char *path, char ***ret, struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    auto_with(text_list_free) char **names = NULL;
    size_t kept = 0;
    uint64_t count;

    direct_request(&question, DIRECT_LIST_XATTRS, path);
    if (direct_ask(root, &question, DIRECT_ANSWER_MAX, &answer, e) < 0)
        return -1;
    count = message_number(&answer);
    for (uint64_t i = 0; i < count && i < NAMES_MAX && !answer.bad; i++) {
        char *name = message_text(&answer);

        if (name)
            array_push(names, kept, name);
    }
    array_push(names, kept, NULL);
    if (direct_whole(&answer, e) < 0)
        return -1;
    *ret = take_ptr(names);
    return 0;
}

static int direct_describe(const struct root *root, const char *path, char **ret_path,
                           struct root_stat *ret_stat, struct root_attributes *ret, struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    auto_free char *canonical = NULL;
    struct root_stat stat;

    direct_request(&question, DIRECT_DESCRIBE, path);
    if (direct_ask(root, &question, 4 * DIRECT_SPARE, &answer, e) < 0)
        return -1;
    canonical = message_some_text(&answer);
    stat = message_stat(&answer);
    attributes.flags = (unsigned)message_number(&answer);
    attributes.label = message_text(&answer);
    attributes.acl = message_bytes(&answer);
    if (attributes.acl.len == 0)
        blob_free(&attributes.acl);
    if (direct_whole(&answer, e) < 0)
        return -1;
    if (ret_path)
        *ret_path = take_ptr(canonical);
    *ret_stat = stat;
    *ret = attributes;
    attributes = (struct root_attributes){ 0 };
    return 0;
}

static int direct_facts(const struct root *root, struct root_facts *ret, struct err *e)
{
    auto_message struct message question = { 0 }, answer = { 0 };
    const struct direct *direct = direct_of(root);
    struct root_facts facts = direct->parts[0].facts;

    direct_request(&question, DIRECT_FACTS, NULL);
    if (direct_ask(root, &question, DIRECT_SPARE, &answer, e) < 0)
        return -1;
    facts.bytes_free = message_number(&answer);
    facts.inodes_free = message_number(&answer);
    facts.block_size = (uint32_t)message_number(&answer);
    facts.one_step = direct->count == 1;
    for (size_t i = 1; i < direct->count; i++) {
        facts.journal_dirty = facts.journal_dirty || direct->parts[i].facts.journal_dirty;
        facts.journal_read = facts.journal_read || direct->parts[i].facts.journal_read;
        facts.unjournaled = facts.unjournaled || direct->parts[i].facts.unjournaled;
    }
    if (direct_whole(&answer, e) < 0)
        return -1;
    *ret = facts;
    return 0;
}

/* Nobody who asks for no error means the changes: they are given up, whole. */
static int direct_close(struct root *root, struct err *e)
{
    struct direct *direct = (struct direct *)root;
    int result = direct->access == ROOT_WRITE && e ? direct_commit(root, e) : 0;

    for (size_t i = 0; i < direct->count; i++) {
        (void)confine_end(&direct->parts[i].child);
        free(direct->parts[i].above);
    }
    free(direct->parts);
    free(direct);
    return result;
}

static const struct root_door direct_door = {
    .find = direct_find,
    .read = direct_read,
    .read_part = direct_read_part,
    .readlink = direct_readlink,
    .list = direct_list,
    .get_xattr = direct_get_xattr,
    .list_xattrs = direct_list_xattrs,
    .describe = direct_describe,
    .facts = direct_facts,
    .create = direct_create,
    .mkdir = direct_mkdir,
    .symlink = direct_symlink,
    .exchange = direct_exchange,
    .rename = direct_rename,
    .unlink = direct_unlink,
    .set_mode = direct_set_mode,
    .set_owner = direct_set_owner,
    .set_xattr = direct_set_xattr,
    .remove_xattr = direct_remove_xattr,
    .set_flags = direct_set_flags,
    .sync = direct_sync,
    .attach = direct_attach,
    .close = direct_close,
};

int direct_open(int fd, const struct volume *volume, const struct root_facts *facts,
                enum root_access access, struct root **ret, struct err *e)
{
    struct part part = { .above = xstrdup(""), .name = volume->name, .facts = *facts };
    struct direct *direct = xcalloc(1, sizeof *direct);
    auto_root struct root *root = &direct->root;
    auto_message struct message question = { 0 }, answer = { 0 };
    struct root_facts *known;
    uint64_t journal;

    *direct = (struct direct){ .root = { .door = &direct_door }, .access = access };
    array_push(direct->parts, direct->count, part);
    if (confine_start(direct_serve, &fd, 1, &direct->parts[0].child) < 0 ||
        channel_limit(&direct->parts[0].child.talk, ANSWER_SECONDS) < 0)
        return err_errno(e, "start the reader of %s", volume->name);
    message_put(&question, DIRECT_OPEN);
    message_put(&question, volume->offset);
    message_put(&question, volume->size);
    message_put(&question, volume->backup);
    message_put(&question, access);
    if (direct_ask(root, &question, DIRECT_SPARE, &answer, e) < 0)
        return -1;
    journal = message_number(&answer);
    if (direct_whole(&answer, e) < 0)
        return -1;
    known = &direct->parts[0].facts;
    known->journal_read = known->journal_dirty && journal == EXT_JOURNAL_READ;
    known->journal_dirty = known->journal_dirty && !known->journal_read;
    *ret = take_ptr(root);
    return 0;
}
