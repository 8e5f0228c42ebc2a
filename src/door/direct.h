/* SPDX-License-Identifier: MIT */
/*
 * The door without the kernel, to ext2, ext3 and ext4: a child that is shut in (base/confine.h)
 * reads and writes the volume by libext2fs, and answers what it is asked. Private to door/.
 */
#ifndef DOOR_DIRECT_H
#define DOOR_DIRECT_H

#include "base/confine.h"
#include "device/device.h"
#include "door/message.h"
#include "root/door.h"

/* The first number of a request: what of struct root_door is asked for. */
enum direct_request {
    DIRECT_OPEN,
    DIRECT_FIND,
    DIRECT_READ,
    DIRECT_READ_PART,
    DIRECT_READLINK,
    DIRECT_LIST,
    DIRECT_GET_XATTR,
    DIRECT_LIST_XATTRS,
    DIRECT_DESCRIBE,
    DIRECT_FACTS,
    DIRECT_PUT_ABOVE,
    DIRECT_PUT_STOP,
    DIRECT_CREATE,
    DIRECT_MKDIR,
    DIRECT_SYMLINK,
    DIRECT_EXCHANGE,
    DIRECT_RENAME,
    DIRECT_UNLINK,
    DIRECT_SET_MODE,
    DIRECT_SET_OWNER,
    DIRECT_SET_XATTR,
    DIRECT_REMOVE_XATTR,
    DIRECT_SET_FLAGS,
    DIRECT_COMMIT,
    DIRECT_REQUESTS
};

enum {
    DIRECT_ANSWER_MAX = 64 * 1024 * 1024, /* of a directory */
    DIRECT_PIECE = 64 * 1024,             /* of a file, at once */
    DIRECT_SPARE = 64 * 1024,             /* beside it: path, attributes, an error */
};

/* What an answer begins with. */
enum direct_answer {
    DIRECT_DONE,
    DIRECT_FAILED,
    DIRECT_ELSEWHERE, /* and the path to be asked about instead: it is on another file system */
};

/*
 * A volume of the disk behind a descriptor; it and facts.fs must outlive the root. For writing, all
 * that is done is one transaction, and reaches the volume by root_close where that is asked for
 * errors; root_drop gives it up.
 */
int direct_open(int fd, const struct volume *volume, const struct root_facts *facts,
                enum root_access access, struct root **ret, struct err *e) MUST_CHECK;

/* The child's work: it is given one descriptor. */
int direct_serve(const int *fds, size_t count, struct channel *talk);

/* ---- between the two halves of the child's work ---------------------------------------- */

struct ext;

/* Takes what it needs from "in", puts what it has found into "out"; 0, or -1 with *e. */
typedef int serve_request(struct ext *ext, struct message *in, struct message *out, struct err *e);
int serve_malformed(struct err *e);
/* direct_serve_write.c: those from DIRECT_CREATE on, in their order. */
extern serve_request *const direct_changes[];

/* ---- between the halves of this side ----------------------------------------------------- */

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

static inline const struct direct *direct_of(const struct root *root)
{
    return (const struct direct *)root;
}

/* A request: what, and the path it is about. */
void direct_request(struct message *message, enum direct_request what, const char *path);
/* Of whichever file system the path is on. */
int direct_ask(const struct root *root, const struct message *message, size_t max,
               struct message *ret, struct err *e) MUST_CHECK;
/* Of this one, where nothing is answered but that it was done. */
int direct_ask_part(struct part *part, const struct message *question, struct err *e) MUST_CHECK;
/* An answer that does not hold what was asked for is an error, and its child is not asked again. */
int direct_whole(const struct message *answer, struct err *e) MUST_CHECK;
int direct_distrust(const struct message *answer, struct err *e);

/* direct_ask.c */
int direct_commit(struct root *root, struct err *e) MUST_CHECK;
int direct_sync(struct root *root, struct err *e);
int direct_attach(struct root *root, const char *path, struct root **beneath, struct err *e);

/* direct_write.c */

int direct_create(struct root *root, const char *path, const struct blob *content,
                  const struct root_meta *meta, struct err *e);
int direct_mkdir(struct root *root, const char *path, const struct root_meta *meta, struct err *e);
int direct_symlink(struct root *root, const char *path, const char *target,
                   const struct root_meta *meta, struct err *e);
int direct_exchange(struct root *root, const char *a, const char *b, struct err *e);
int direct_rename(struct root *root, const char *from, const char *to, struct err *e);
int direct_unlink(struct root *root, const char *path, bool directory, struct err *e);
int direct_set_mode(struct root *root, const char *path, mode_t mode, struct err *e);
int direct_set_owner(struct root *root, const char *path, uid_t uid, gid_t gid, struct err *e);
int direct_set_xattr(struct root *root, const char *path, const char *name,
                     const struct blob *value, struct err *e);
int direct_remove_xattr(struct root *root, const char *path, const char *name, struct err *e);
int direct_set_flags(struct root *root, const char *path, unsigned flags, struct err *e);

#endif
