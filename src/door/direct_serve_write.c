/* SPDX-License-Identifier: MIT */
/* The changes that the child is asked for. */
#include "door/direct.h"

#include "base/alloc.h"
#include "ext/ext.h"

static struct root_meta take_meta(struct message *in, char **label)
{
    struct root_meta meta = { .mode = (mode_t)message_number(in) };

    meta.uid = (uid_t)message_number(in);
    meta.gid = (gid_t)message_number(in);
    meta.label = *label = message_text(in);
    return meta;
}

static int serve_create(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *label = NULL;
    struct root_meta meta = take_meta(in, &label);
    auto_blob struct blob content = message_bytes(in);

    (void)out;
    return !path || in->bad ? serve_malformed(e) : ext_create(ext, path, &content, &meta, e);
}

static int serve_mkdir(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *label = NULL;
    struct root_meta meta = take_meta(in, &label);

    (void)out;
    return !path || in->bad ? serve_malformed(e) : ext_mkdir(ext, path, &meta, e);
}

static int serve_symlink(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *label = NULL, *target = NULL;
    struct root_meta meta = take_meta(in, &label);

    (void)out;
    target = message_text(in);
    return !path || !target || in->bad ? serve_malformed(e)
                                       : ext_symlink(ext, path, target, &meta, e);
}

static int serve_exchange(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *a = message_text(in), *b = message_text(in);

    (void)out;
    return !a || !b ? serve_malformed(e) : ext_exchange(ext, a, b, e);
}

static int serve_rename(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *from = message_text(in), *to = message_text(in);

    (void)out;
    return !from || !to ? serve_malformed(e) : ext_rename(ext, from, to, e);
}

static int serve_unlink(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);
    bool directory = message_number(in);

    (void)out;
    return !path || in->bad ? serve_malformed(e) : ext_unlink(ext, path, directory, e);
}

static int serve_set_mode(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);
    mode_t mode = (mode_t)message_number(in);

    (void)out;
    return !path || in->bad ? serve_malformed(e) : ext_set_mode(ext, path, mode, e);
}

static int serve_set_owner(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);
    uint64_t uid = message_number(in), gid = message_number(in);

    (void)out;
    return !path || in->bad ? serve_malformed(e)
                            : ext_set_owner(ext, path, (uid_t)uid, (gid_t)gid, e);
}

static int serve_set_xattr(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in), *name = message_text(in);
    auto_blob struct blob value = message_bytes(in);

    (void)out;
    return !path || !name || in->bad ? serve_malformed(e)
                                     : ext_set_xattr(ext, path, name, &value, e);
}

static int serve_remove_xattr(struct ext *ext, struct message *in, struct message *out,
                              struct err *e)
{
    auto_free char *path = message_text(in), *name = message_text(in);

    (void)out;
    return !path || !name ? serve_malformed(e) : ext_remove_xattr(ext, path, name, e);
}

static int serve_set_flags(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    auto_free char *path = message_text(in);
    uint64_t flags = message_number(in);

    (void)out;
    return !path || in->bad ? serve_malformed(e) : ext_set_flags(ext, path, (unsigned)flags, e);
}

static int serve_commit(struct ext *ext, struct message *in, struct message *out, struct err *e)
{
    (void)in;
    (void)out;
    return ext_commit(ext, e);
}

serve_request *const direct_changes[] = {
    [DIRECT_CREATE - DIRECT_CREATE] = serve_create,
    [DIRECT_MKDIR - DIRECT_CREATE] = serve_mkdir,
    [DIRECT_SYMLINK - DIRECT_CREATE] = serve_symlink,
    [DIRECT_EXCHANGE - DIRECT_CREATE] = serve_exchange,
    [DIRECT_RENAME - DIRECT_CREATE] = serve_rename,
    [DIRECT_UNLINK - DIRECT_CREATE] = serve_unlink,
    [DIRECT_SET_MODE - DIRECT_CREATE] = serve_set_mode,
    [DIRECT_SET_OWNER - DIRECT_CREATE] = serve_set_owner,
    [DIRECT_SET_XATTR - DIRECT_CREATE] = serve_set_xattr,
    [DIRECT_REMOVE_XATTR - DIRECT_CREATE] = serve_remove_xattr,
    [DIRECT_SET_FLAGS - DIRECT_CREATE] = serve_set_flags,
    [DIRECT_COMMIT - DIRECT_CREATE] = serve_commit,
};
