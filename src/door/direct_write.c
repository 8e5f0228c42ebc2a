/* SPDX-License-Identifier: MIT */
/* The writing half of the door without the kernel: all of it is in the child's memory until
 * it is told to commit. */
#include "door/direct.h"

/* A change has no answer but that it was made. */
static int tell(struct root *root, const struct message *question, struct err *e)
{
    auto_message struct message answer = { 0 };

    return direct_ask(root, question, DIRECT_SPARE, &answer, e);
}

/* What one more text is all that has to be said for. */
static int tell_text(struct root *root, enum direct_request what, const char *path,
                     const char *text, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, what, path);
    message_put_text(&question, text);
    return tell(root, &question, e);
}

/* … or one number. */
static int tell_number(struct root *root, enum direct_request what, const char *path,
                       uint64_t number, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, what, path);
    message_put(&question, number);
    return tell(root, &question, e);
}

static void put_meta(struct message *question, const struct root_meta *meta)
{
    message_put(question, meta->mode);
    message_put(question, meta->uid);
    message_put(question, meta->gid);
    message_put_text(question, meta->label);
}

int direct_create(struct root *root, const char *path, const struct blob *content,
                  const struct root_meta *meta, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, DIRECT_CREATE, path);
    put_meta(&question, meta);
    message_put_bytes(&question, content->data, content->len);
    return tell(root, &question, e);
}

int direct_mkdir(struct root *root, const char *path, const struct root_meta *meta, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, DIRECT_MKDIR, path);
    put_meta(&question, meta);
    return tell(root, &question, e);
}

int direct_symlink(struct root *root, const char *path, const char *target,
                   const struct root_meta *meta, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, DIRECT_SYMLINK, path);
    put_meta(&question, meta);
    message_put_text(&question, target);
    return tell(root, &question, e);
}

int direct_exchange(struct root *root, const char *a, const char *b, struct err *e)
{
    return tell_text(root, DIRECT_EXCHANGE, a, b, e);
}

int direct_rename(struct root *root, const char *from, const char *to, struct err *e)
{
    return tell_text(root, DIRECT_RENAME, from, to, e);
}

int direct_unlink(struct root *root, const char *path, bool directory, struct err *e)
{
    return tell_number(root, DIRECT_UNLINK, path, directory, e);
}

int direct_set_mode(struct root *root, const char *path, mode_t mode, struct err *e)
{
    return tell_number(root, DIRECT_SET_MODE, path, mode, e);
}

int direct_set_owner(struct root *root, const char *path, uid_t uid, gid_t gid, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, DIRECT_SET_OWNER, path);
    message_put(&question, uid);
    message_put(&question, gid);
    return tell(root, &question, e);
}

int direct_set_xattr(struct root *root, const char *path, const char *name,
                     const struct blob *value, struct err *e)
{
    auto_message struct message question = { 0 };

    direct_request(&question, DIRECT_SET_XATTR, path);
    message_put_text(&question, name);
    message_put_bytes(&question, value->data, value->len);
    return tell(root, &question, e);
}

int direct_remove_xattr(struct root *root, const char *path, const char *name, struct err *e)
{
    return tell_text(root, DIRECT_REMOVE_XATTR, path, name, e);
}

int direct_set_flags(struct root *root, const char *path, unsigned flags, struct err *e)
{
    return tell_number(root, DIRECT_SET_FLAGS, path, flags, e);
}
