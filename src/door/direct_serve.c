/* SPDX-License-Identifier: MIT */
/* The other side of the door: the child that is shut in, one answer for each request. */
#include "door/direct.h"

#include "base/alloc.h"
#include "base/text.h"
#include "ext/ext.h"

#include <errno.h>

/* Paths, contents of new files: what comes from our own side. */
enum { REQUEST_MAX = 64 * 1024 * 1024 };

int serve_malformed(struct err *e)
{
    return err_set(e, ERR_REFUSED, "a request that makes no sense");
}

static int serve_find(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *canonical = NULL;
    bool follow = message_number(in);
    struct root_stat stat;

    if (!path || in->bad)
        return serve_malformed(e);
    if (ext_find(ext, path, follow, &canonical, &stat, e) < 0)
        return -1;
    message_put_text(out, canonical);
    message_put_stat(out, &stat);
    return 0;
}

/* How long a file is, and its beginning. */
static int serve_read(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);
    auto_blob struct blob bytes = { 0 };
    uint64_t max = message_number(in);
    struct root_stat stat;
    size_t first;

    if (!path || in->bad)
        return serve_malformed(e);
    if (ext_find(ext, path, true, NULL, &stat, e) < 0 ||
        door_may_read(path, stat.mode, stat.size, (size_t)max, e) < 0)
        return -1;
    first = stat.size < DIRECT_PIECE ? (size_t)stat.size : DIRECT_PIECE;
    if (ext_read_part(ext, path, 0, first, &bytes, e) < 0)
        return -1;
    message_put(out, stat.size);
    message_put_bytes(out, bytes.data, bytes.len);
    return 0;
}

static int serve_read_part(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);
    auto_blob struct blob bytes = { 0 };
    uint64_t offset = message_number(in), len = message_number(in);

    if (!path || in->bad || len > DIRECT_PIECE)
        return serve_malformed(e);
    if (ext_read_part(ext, path, offset, (size_t)len, &bytes, e) < 0)
        return -1;
    message_put_bytes(out, bytes.data, bytes.len);
    return 0;
}

static int serve_readlink(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *target = NULL;

    if (!path)
        return serve_malformed(e);
    if (ext_readlink(ext, path, &target, e) < 0)
        return -1;
    message_put_text(out, target);
    return 0;
}

static int serve_list(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    auto_free char *path = message_text(in);
    size_t count = 0;

    if (!path)
        return serve_malformed(e);
    if (ext_list(ext, path, &entries, e) < 0)
        return -1;
    while (entries[count].name)
        count++;
    message_put(out, count);
    for (size_t i = 0; i < count; i++) {
        message_put_text(out, entries[i].name);
        message_put(out, entries[i].type);
    }
    return 0;
}

static int serve_get_xattr(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *name = message_text(in);
    auto_blob struct blob value = { 0 };

    if (!path || !name)
        return serve_malformed(e);
    if (ext_get_xattr(ext, path, name, &value, e) < 0)
        return -1;
    message_put_bytes(out, value.data, value.len);
    return 0;
}

static int serve_list_xattrs(struct ext *ext, struct message *in, struct message *out,
                             struct err *e)
{
    auto_with(text_list_free) char **names = NULL;
    auto_free char *path = message_text(in);
    size_t count = 0;

    if (!path)
        return serve_malformed(e);
    if (ext_list_xattrs(ext, path, &names, e) < 0)
        return -1;
    while (names[count])
        count++;
    message_put(out, count);
    for (size_t i = 0; i < count; i++)
        message_put_text(out, names[i]);
    return 0;
}

static int serve_describe(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    auto_free char *path = message_text(in), *canonical = NULL;
    struct root_stat stat;

    if (!path)
        return serve_malformed(e);
    if (ext_describe(ext, path, &canonical, &stat, &attributes, e) < 0)
        return -1;
    message_put_text(out, canonical);
    message_put_stat(out, &stat);
    message_put(out, attributes.flags);
    message_put_text(out, attributes.label);
    message_put_bytes(out, attributes.acl.data, attributes.acl.len);
    return 0;
}

static int serve_facts(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    struct root_facts facts = { 0 };

    (void)in;
    (void)e;
    ext_facts(ext, &facts);
    message_put(out, facts.bytes_free);
    message_put(out, facts.inodes_free);
    message_put(out, facts.block_size);
    return 0;
}

static int serve_put_above(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);

    (void)out;
    if (!path)
        return serve_malformed(e);
    ext_put_above(ext, path, message_number(in));
    return 0;
}

static int serve_put_stop(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);

    (void)out;
    if (!path)
        return serve_malformed(e);
    ext_put_stop(ext, path);
    return 0;
}

static serve_request *const requests[] = {
    [DIRECT_FIND] = serve_find,
    [DIRECT_READ] = serve_read,
    [DIRECT_READ_PART] = serve_read_part,
    [DIRECT_READLINK] = serve_readlink,
    [DIRECT_LIST] = serve_list,
    [DIRECT_GET_XATTR] = serve_get_xattr,
    [DIRECT_LIST_XATTRS] = serve_list_xattrs,
    [DIRECT_DESCRIBE] = serve_describe,
    [DIRECT_FACTS] = serve_facts,
    [DIRECT_PUT_ABOVE] = serve_put_above,
    [DIRECT_PUT_STOP] = serve_put_stop,
};

static int open_it(int fd, struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    uint64_t offset = message_number(in), size = message_number(in), backup = message_number(in);
    enum root_access access = message_number(in) == ROOT_WRITE ? ROOT_WRITE : ROOT_READ;

    if (in->bad || ext->fs)
        return serve_malformed(e);
    if (ext_open(fd, offset, size, backup, access, ext, e) < 0)
        return -1;
    message_put(out, ext->journal);
    return 0;
}

static int serve(int fd, struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    uint64_t what = message_number(in);

    message_put(out, DIRECT_DONE);
    if (!in->bad && what == DIRECT_OPEN)
        return open_it(fd, ext, in, out, e);
    if (in->bad || what >= DIRECT_REQUESTS || !ext->fs)
        return serve_malformed(e);
    return what < DIRECT_CREATE ? requests[what](ext, in, out, e)
                                : direct_changes[what - DIRECT_CREATE](ext, in, out, e);
}

static void put_failure(struct ext *ext, const struct err *e, struct message *out)
{
    auto_free char *elsewhere = take_ptr(ext->borders.elsewhere);

    message_put(out, elsewhere ? DIRECT_ELSEWHERE : DIRECT_FAILED);
    if (elsewhere)
        message_put_text(out, elsewhere);
    else
        message_put_error(out, e);
}

static int answer_one(int fd, struct ext *ext, struct channel *talk)
{
    auto_message struct message in = { 0 }, out = { 0 }, failure = { 0 };
    struct err e = { 0 };

    if (message_receive(talk, REQUEST_MAX, &in) < 0)
        return -1;
    free(take_ptr(ext->borders.elsewhere));
    if (serve(fd, ext, &in, &out, &e) == 0)
        return message_send(talk, &out);
    put_failure(ext, &e, &failure);
    return message_send(talk, &failure);
}

int direct_serve(const int *fds, size_t count, struct channel *talk)
{
    auto_ext struct ext ext = { 0 };

    if (count != 1)
        return 1;
    while (answer_one(fds[0], &ext, talk) == 0)
        ;
    return 0;
}
