/* SPDX-License-Identifier: MIT */
/* A plan in words. */
#include "plan/plan.h"

#include "base/alloc.h"

static const char *const origin_names[] = { NULL, "kept", "restored", "generated" };

static const char *const kind_names[] = {
    [CHANGE_WRITE] = "write",     [CHANGE_DROP_ACL] = "removexattr", [CHANGE_MODE] = "chmod",
    [CHANGE_OWNER] = "chown",     [CHANGE_LABEL] = "setxattr",       [CHANGE_MKDIR] = "mkdir",
    [CHANGE_SYMLINK] = "symlink", [CHANGE_REMOVE] = "remove",
};

const char *key_origin_name(enum key_origin origin)
{
    return origin_names[origin];
}

const char *change_kind_name(enum change_kind kind)
{
    return kind_names[kind];
}

char *change_from(const struct change *change)
{
    switch (change->kind) {
    case CHANGE_MODE:
        return xasprintf("%04o", change->was.mode & 07777);
    case CHANGE_OWNER:
        return xasprintf("%u:%u", change->was.uid, change->was.gid);
    case CHANGE_LABEL:
        return change->was_label ? xstrdup(change->was_label) : NULL;
    case CHANGE_DROP_ACL:
        return xstrdup("access control list");
    case CHANGE_WRITE:
    case CHANGE_MKDIR:
    case CHANGE_SYMLINK:
    case CHANGE_REMOVE:
        break;
    }
    return NULL;
}

char *change_to(const struct change *change)
{
    switch (change->kind) {
    case CHANGE_MODE:
        return xasprintf("%04o", change->mode);
    case CHANGE_OWNER:
        return xasprintf("%u:%u", change->uid, change->gid);
    case CHANGE_LABEL:
        return xstrdup(change->label);
    case CHANGE_WRITE:
        return xstrdup(change->about);
    case CHANGE_MKDIR:
        return xasprintf("%04o", change->meta.mode);
    case CHANGE_SYMLINK:
        return xstrdup(change->target);
    case CHANGE_DROP_ACL:
    case CHANGE_REMOVE:
        break;
    }
    return NULL;
}
