/* SPDX-License-Identifier: MIT */
/*
 * Whom to ask. A tree may be put together of several file systems, each with a child of its own,
 * so that none sees more than its own. One that a path leads out of says where it leads to.
 */
#include "door/direct.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

enum { PARTS_MAX = 16, HOPS_MAX = 40 };

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

/* No file system may pass off a path of another one as its own: what is found there is changed. */
static bool speaks_of_itself(const struct part *part, const struct message *question,
                             const struct message *answer)
{
    uint64_t what = message_kind(question);
    struct message copy = *answer;
    auto_free char *path = NULL;

    if (what != DIRECT_FIND && what != DIRECT_DESCRIBE)
        return true;
    path = message_text(&copy);
    return path && text_is_within(path, part->above);
}

/* *ret_elsewhere: where to ask instead, of a question that was not answered; else NULL. */
static int ask_part(struct part *part, const struct message *message, size_t max,
                    struct message *ret, char **ret_elsewhere, struct err *e)
{
    auto_message struct message answer = { 0 };
    uint64_t kind;

    if (part->child.pid <= 0)
        return err_set(e, ERR_IO, "the reader of the file system on %s has ended", part->name);
    if (message_send(&part->child.talk, message) < 0 ||
        message_receive(&part->child.talk, max, &answer) < 0)
        return give_up(part, errno, e);
    kind = message_number(&answer);
    if (kind == DIRECT_ELSEWHERE)
        *ret_elsewhere = message_text(&answer);
    if (kind == DIRECT_ELSEWHERE && *ret_elsewhere)
        return 0;
    if (kind != DIRECT_DONE)
        return fail(part, &answer, e);
    if (!speaks_of_itself(part, message, &answer))
        return give_up(part, EPROTO, e);
    *ret = answer;
    ret->from = part;
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
        struct message next = { 0 };
        auto_free char *elsewhere = NULL;

        if (ask_part(part_of(direct, path ? path : "/"), message, max, ret, &elsewhere, e) < 0)
            return -1;
        if (!elsewhere)
            return 0;
        free(path);
        path = take_ptr(elsewhere);
        message_readdress(message, path, &next);
        message_free(&again);
        again = next;
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

int direct_distrust(const struct message *answer, struct err *e)
{
    return give_up(answer->from, EPROTO, e);
}

int direct_whole(const struct message *answer, struct err *e)
{
    return answer->bad || answer->at != answer->bytes.len ? direct_distrust(answer, e) : 0;
}

int direct_ask_part(struct part *part, const struct message *question, struct err *e)
{
    auto_message struct message answer = { 0 };
    auto_free char *elsewhere = NULL;

    if (ask_part(part, question, DIRECT_SPARE, &answer, &elsewhere, e) < 0)
        return -1;
    return elsewhere ? give_up(part, EPROTO, e) : 0;
}

/* The top last, as by mounting: it is where runs are written down. */
int direct_commit(struct root *root, struct err *e)
{
    const struct direct *direct = direct_of(root);
    auto_message struct message question = { 0 };
    int result = 0;

    direct_request(&question, DIRECT_COMMIT, NULL);
    for (size_t i = direct->count; i-- > 0 && result == 0;) {
        struct part *part = &direct->parts[i];

        result = direct_ask_part(part, &question, e);
        /* Behind its commit a transaction is completed by whoever replays it. */
        if (result < 0 && part->child.pid <= 0)
            err_set(e, ERR_IO,
                    "what writes to %s ended before it said that it was done: all of the changes "
                    "are made, or none; check it again",
                    part->name);
    }
    return result;
}

/* One transaction has no order within it that anything depends on; several have. */
int direct_sync(struct root *root, struct err *e)
{
    return direct_of(root)->count > 1 ? direct_commit(root, e) : 0;
}

/* The one above stops where the other begins, which answers for all paths from there on. */
int direct_attach(struct root *root, const char *path, struct root **beneath, struct err *e)
{
    struct direct *direct = (struct direct *)root, *other = (struct direct *)*beneath;
    auto_message struct message stop = { 0 }, above = { 0 };
    struct part *part = part_of(direct, path);

    if (other->count != 1 || direct->count == PARTS_MAX || strcmp(part->above, path) == 0)
        return err_set(e, ERR_REFUSED, "%s cannot be put on %s", other->parts[0].name, path);
    direct_request(&stop, DIRECT_PUT_STOP, path);
    direct_request(&above, DIRECT_PUT_ABOVE, path);
    message_put(&above, direct->count);
    if (direct_ask_part(&other->parts[0], &above, e) < 0 || direct_ask_part(part, &stop, e) < 0)
        return -1;
    free(other->parts[0].above);
    other->parts[0].above = xstrdup(path);
    array_push(direct->parts, direct->count, other->parts[0]);
    free(other->parts);
    free(other);
    *beneath = NULL;
    return 0;
}
