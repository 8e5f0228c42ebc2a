/* SPDX-License-Identifier: MIT */
/*
 * This side of the door: a function is a request and its answer. What the child says has the
 * worth of what is on the disk; a child that says nothing, or ends, is an error of that disk.
 */
#include "door/direct.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* How long an answer may take; a transaction on a slow disk is the longest. */
enum { ANSWER_SECONDS = 600, NAMES_MAX = 100000, PARTS_MAX = 16, HOPS_MAX = 40 };

/* A file system of the tree, and the child that reads it. */
struct part {
    struct confined child;
    char *above; /* what it is mounted on, canonical; "": it is the top */
    const char *name;
    struct root_facts facts;
};

struct direct {
    struct root root;
    struct part *parts; /* the top first */
    size_t count;
    enum root_access access;
};

static const struct direct *direct_of(const struct root *root)
{
    return (const struct direct *)root;
}

/* ---- asking ---------------------------------------------------------------------------- */

void direct_request(struct message *message, enum direct_request what, const char *path)
{
    message_put(message, what);
    message_put_text(message, path);
}

/* The child is of no use any more, and what it did is gone with it. */
static int give_up(struct part *part, int code, struct err *e)
{
    const char *end = confine_end(&part->child);

    return err_set(e, ERR_IO, "the file system on %s could not be read: its reader %s%s",
                   part->name, code == EAGAIN ? "did not answer; " : "ended: ", end);
}

/* Half of a transaction may stand in its places: that is no damage. */
static void blame_journal(const struct part *part, struct err *e)
{
    err_prefix(e, "the journal of %s was not replayed (e2fsck -E journal_only -p does that)",
               part->name);
}

static int fail(const struct part *part, struct message *answer, struct err *e)
{
    struct err said = message_error(answer);

    if (e)
        *e = said;
    if (e && part->facts.journal_dirty && said.kind == ERR_IO)
        blame_journal(part, e);
    return -1;
}

/* *ret_elsewhere: where to ask instead, of a question that was not answered; else NULL. */
static int ask_part(struct part *part, const struct message *message, size_t max,
                    struct message *ret, char **ret_elsewhere, struct err *e)
{
    auto_message struct message answer = { 0 };
    uint64_t kind;

    if (part->child.pid <= 0)
        return err_set(e, ERR_IO, "the reader of the file system on %s has ended", part->name);
    if (message_send(part->child.talk, message) < 0 ||
        message_receive(part->child.talk, max, &answer) < 0)
        return give_up(part, errno, e);
    kind = message_number(&answer);
    if (kind == DIRECT_ELSEWHERE)
        *ret_elsewhere = message_text(&answer);
    if (kind == DIRECT_ELSEWHERE && *ret_elsewhere)
        return 0;
    if (kind != DIRECT_DONE)
        return fail(part, &answer, e);
    *ret = answer;
    answer = (struct message){ 0 };
    return 0;
}

/* The one that a path begins on, as far as its names tell. */
static struct part *part_of(const struct direct *direct, const char *path)
{
    struct part *found = &direct->parts[0];

    for (size_t i = 1; i < direct->count; i++)
        if (text_is_within(path, direct->parts[i].above) &&
            strlen(direct->parts[i].above) > strlen(found->above))
            found = &direct->parts[i];
    return found;
}

/* From one file system to the next as the path leads. */
static int ask_along(const struct direct *direct, const struct message *message, size_t max,
                     struct message *ret, struct err *e)
{
    auto_message struct message again = { 0 };
    auto_free char *path = message_address(message);

    for (int hops = 0; hops < HOPS_MAX; hops++) {
        auto_free char *elsewhere = NULL;

        if (ask_part(part_of(direct, path ? path : "/"), message, max, ret, &elsewhere, e) < 0)
            return -1;
        if (!elsewhere)
            return 0;
        free(path);
        path = take_ptr(elsewhere);
        message_free(&again);
        message_readdress(message, path, &again);
        message = &again;
    }
    errno = ELOOP;
    return err_errno(e, "%s", path);
}

int direct_ask(const struct root *root, const struct message *message, size_t max,
               struct message *ret, struct err *e)
{
    const struct direct *direct = direct_of(root);
    auto_free char *elsewhere = NULL;

    if (direct->count > 1)
        return ask_along(direct, message, max, ret, e);
    if (ask_part(&direct->parts[0], message, max, ret, &elsewhere, e) < 0)
        return -1;
    return elsewhere ? give_up(&direct->parts[0], EPROTO, e) : 0;
}

/* Whoever says what makes no sense is not asked again; which one it was is of no matter. */
static int distrust(const struct root *root, struct err *e)
{
    return give_up(&direct_of(root)->parts[0], EPROTO, e);
}

/* An answer that does not hold what was asked for. */
static int whole(const struct root *root, const struct message *answer, struct err *e)
{
    return answer->bad || answer->at != answer->bytes.len ? distrust(root, e) : 0;
}

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
    canonical = message_text(&answer);
    stat = message_stat(&answer);
    if (whole(root, &answer, e) < 0 || !canonical)
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
    if (whole(root, &answer, e) < 0)
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
    if (whole(root, &answer, e) < 0 || got != len)
        return distrust(root, e);
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
    if (whole(root, &answer, e) < 0 || size > max || got > size)
        return distrust(root, e);
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
    target = message_text(&answer);
    if (whole(root, &answer, e) < 0 || !target)
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
    if (whole(root, &answer, e) < 0) {
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
    if (whole(root, &answer, e) < 0)
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
    canonical = message_text(&answer);
    stat = message_stat(&answer);
    attributes.flags = (unsigned)message_number(&answer);
    attributes.label = message_text(&answer);
    attributes.acl = message_bytes(&answer);
    if (attributes.acl.len == 0)
        blob_free(&attributes.acl);
    if (whole(root, &answer, e) < 0 || !canonical)
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
        facts.unjournaled = facts.unjournaled || direct->parts[i].facts.unjournaled;
    }
    if (whole(root, &answer, e) < 0)
        return -1;
    *ret = facts;
    return 0;
}

static int ask_about(struct part *part, const struct message *question, struct err *e)
{
    auto_message struct message answer = { 0 };
    auto_free char *elsewhere = NULL;

    if (ask_part(part, question, DIRECT_SPARE, &answer, &elsewhere, e) < 0)
        return -1;
    return elsewhere ? give_up(part, EPROTO, e) : 0;
}

/* The top last, as by mounting: it is where runs are written down. */
static int commit_all(struct root *root, struct err *e)
{
    const struct direct *direct = direct_of(root);
    auto_message struct message question = { 0 };
    int result = 0;

    direct_request(&question, DIRECT_COMMIT, NULL);
    for (size_t i = direct->count; i-- > 0 && result == 0;)
        result = ask_about(&direct->parts[i], &question, e);
    return result;
}

/* One transaction has no order within it that anything depends on; several have. */
static int direct_sync(struct root *root, struct err *e)
{
    return direct_of(root)->count > 1 ? commit_all(root, e) : 0;
}

/* Nobody who asks for no error means the changes: they are given up, whole. */
static int direct_close(struct root *root, struct err *e)
{
    struct direct *direct = (struct direct *)root;
    int result = direct->access == ROOT_WRITE && e ? commit_all(root, e) : 0;

    for (size_t i = 0; i < direct->count; i++) {
        (void)confine_end(&direct->parts[i].child);
        free(direct->parts[i].above);
    }
    free(direct->parts);
    free(direct);
    return result;
}

/* The one above stops where the other begins, which answers for all paths from there on. */
static int direct_attach(struct root *root, const char *path, struct root **beneath, struct err *e)
{
    struct direct *direct = (struct direct *)root, *other = (struct direct *)*beneath;
    auto_message struct message stop = { 0 }, above = { 0 };
    struct part *part = part_of(direct, path);

    if (other->count != 1 || direct->count == PARTS_MAX || strcmp(part->above, path) == 0)
        return err_set(e, ERR_REFUSED, "%s cannot be put on %s", other->parts[0].name, path);
    direct_request(&stop, DIRECT_PUT_STOP, path);
    direct_request(&above, DIRECT_PUT_ABOVE, path);
    message_put(&above, direct->count);
    if (ask_about(&other->parts[0], &above, e) < 0 || ask_about(part, &stop, e) < 0)
        return -1;
    free(other->parts[0].above);
    other->parts[0].above = xstrdup(path);
    array_push(direct->parts, direct->count, other->parts[0]);
    free(other->parts);
    free(other);
    *beneath = NULL;
    return 0;
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
    const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
    struct part part = { .above = xstrdup(""), .name = volume->name, .facts = *facts };
    struct direct *direct = xcalloc(1, sizeof *direct);
    auto_root struct root *root = &direct->root;
    auto_message struct message question = { 0 };

    *direct = (struct direct){ .root = { .door = &direct_door }, .access = access };
    array_push(direct->parts, direct->count, part);
    if (confine_start(direct_serve, &fd, 1, &direct->parts[0].child) < 0 ||
        setsockopt(direct->parts[0].child.talk, SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof patience) < 0)
        return err_errno(e, "start the reader of %s", volume->name);
    message_put(&question, DIRECT_OPEN);
    message_put(&question, volume->offset);
    message_put(&question, volume->size);
    message_put(&question, volume->backup);
    message_put(&question, access);
    if (ask_about(&direct->parts[0], &question, e) < 0)
        return -1;
    *ret = take_ptr(root);
    return 0;
}
