/* SPDX-License-Identifier: MIT */
/* The other side of the door: the child that is shut in, one answer for each request. */
#include "root/direct.h"

#include "base/alloc.h"
#include "base/text.h"
#include "root/ext.h"

#include <errno.h>

/* Paths, contents of new files: what comes from our own side. */
enum { REQUEST_MAX = 64 * 1024 * 1024 };

struct service {
    int fd;
    struct ext ext; /* fs is NULL until it is opened */
};

/* Takes what it needs from "in", puts what it has found into "out"; 0, or -1 with *e. */
typedef int serve_request(struct service *service, struct message *in, struct message *out,
                          struct err *e);

static int malformed(struct err *e)
{
    return err_set(e, ERR_REFUSED, "a request that makes no sense");
}

static int serve_open(struct service *service, struct message *in, struct message *out,
                      struct err *e)
{
    uint64_t offset = message_number(in), size = message_number(in);
    enum root_access access = message_number(in) == ROOT_WRITE ? ROOT_WRITE : ROOT_READ;

    (void)out;
    return in->bad ? malformed(e) : ext_open(service->fd, offset, size, access, &service->ext, e);
}

static int serve_find(struct service *service, struct message *in, struct message *out,
                      struct err *e)
{
    auto_free char *path = message_text(in), *canonical = NULL;
    bool follow = message_number(in);
    struct root_stat stat;

    if (!path || in->bad)
        return malformed(e);
    if (ext_find(&service->ext, path, follow, &canonical, &stat, e) < 0)
        return -1;
    message_put_text(out, canonical);
    message_put_stat(out, &stat);
    return 0;
}

static int serve_read(struct service *service, struct message *in, struct message *out,
                      struct err *e)
{
    auto_free char *path = message_text(in);
    auto_blob struct blob bytes = { 0 };
    uint64_t max = message_number(in);

    if (!path || in->bad)
        return malformed(e);
    if (ext_read(&service->ext, path, (size_t)max, &bytes, e) < 0)
        return -1;
    message_put_bytes(out, bytes.data, bytes.len);
    return 0;
}

static int serve_read_part(struct service *service, struct message *in, struct message *out,
                           struct err *e)
{
    auto_free char *path = message_text(in);
    auto_blob struct blob bytes = { 0 };
    uint64_t offset = message_number(in), len = message_number(in);

    if (!path || in->bad)
        return malformed(e);
    if (ext_read_part(&service->ext, path, offset, (size_t)len, &bytes, e) < 0)
        return -1;
    message_put_bytes(out, bytes.data, bytes.len);
    return 0;
}

static int serve_readlink(struct service *service, struct message *in, struct message *out,
                          struct err *e)
{
    auto_free char *path = message_text(in), *target = NULL;

    if (!path)
        return malformed(e);
    if (ext_readlink(&service->ext, path, &target, e) < 0)
        return -1;
    message_put_text(out, target);
    return 0;
}

static int serve_list(struct service *service, struct message *in, struct message *out,
                      struct err *e)
{
    auto_with(root_entries_free) struct root_entry *entries = NULL;
    auto_free char *path = message_text(in);
    size_t count = 0;

    if (!path)
        return malformed(e);
    if (ext_list(&service->ext, path, &entries, e) < 0)
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

static int serve_get_xattr(struct service *service, struct message *in, struct message *out,
                           struct err *e)
{
    auto_free char *path = message_text(in), *name = message_text(in);
    auto_blob struct blob value = { 0 };

    if (!path || !name)
        return malformed(e);
    if (ext_get_xattr(&service->ext, path, name, &value, e) < 0)
        return -1;
    message_put_bytes(out, value.data, value.len);
    return 0;
}

static int serve_list_xattrs(struct service *service, struct message *in, struct message *out,
                             struct err *e)
{
    auto_with(text_list_free) char **names = NULL;
    auto_free char *path = message_text(in);
    size_t count = 0;

    if (!path)
        return malformed(e);
    if (ext_list_xattrs(&service->ext, path, &names, e) < 0)
        return -1;
    while (names[count])
        count++;
    message_put(out, count);
    for (size_t i = 0; i < count; i++)
        message_put_text(out, names[i]);
    return 0;
}

static int serve_describe(struct service *service, struct message *in, struct message *out,
                          struct err *e)
{
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    auto_free char *path = message_text(in), *canonical = NULL;
    struct root_stat stat;

    if (!path)
        return malformed(e);
    if (ext_describe(&service->ext, path, &canonical, &stat, &attributes, e) < 0)
        return -1;
    message_put_text(out, canonical);
    message_put_stat(out, &stat);
    message_put(out, attributes.flags);
    message_put_text(out, attributes.label);
    message_put_bytes(out, attributes.acl.data, attributes.acl.len);
    return 0;
}

static int serve_facts(struct service *service, struct message *in, struct message *out,
                       struct err *e)
{
    struct root_facts facts = { 0 };

    (void)in;
    (void)e;
    ext_facts(&service->ext, &facts);
    message_put(out, facts.bytes_free);
    message_put(out, facts.inodes_free);
    message_put(out, facts.block_size);
    return 0;
}

static serve_request *const requests[DIRECT_REQUESTS] = {
    [DIRECT_OPEN] = serve_open,           [DIRECT_FIND] = serve_find,
    [DIRECT_READ] = serve_read,           [DIRECT_READ_PART] = serve_read_part,
    [DIRECT_READLINK] = serve_readlink,   [DIRECT_LIST] = serve_list,
    [DIRECT_GET_XATTR] = serve_get_xattr, [DIRECT_LIST_XATTRS] = serve_list_xattrs,
    [DIRECT_DESCRIBE] = serve_describe,   [DIRECT_FACTS] = serve_facts,
};

static int serve(struct service *service, struct message *in, struct message *out, struct err *e)
{
    uint64_t what = message_number(in);

    if (in->bad || what >= DIRECT_REQUESTS || (what == DIRECT_OPEN) != !service->ext.fs)
        return malformed(e);
    message_put(out, 0);
    return requests[what](service, in, out, e);
}

static int answer_one(struct service *service, int talk)
{
    auto_message struct message in = { 0 }, out = { 0 }, failure = { 0 };
    struct err e = { 0 };

    if (message_receive(talk, REQUEST_MAX, &in) < 0)
        return -1;
    if (serve(service, &in, &out, &e) == 0)
        return message_send(talk, &out);
    message_put(&failure, 1);
    message_put_error(&failure, &e);
    return message_send(talk, &failure);
}

int direct_serve(const int *fds, size_t count, int out)
{
    struct service service = { .fd = fds[0] };

    if (count != 1)
        return 1;
    while (answer_one(&service, out) == 0)
        ;
    ext_close(&service.ext);
    return 0;
}
