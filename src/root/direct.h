/* SPDX-License-Identifier: MIT */
/*
 * The door without the kernel, to ext2, ext3 and ext4: a child that is shut in (base/confine.h)
 * reads and writes the volume by libext2fs, and answers what it is asked. Private to root/.
 */
#ifndef ROOT_DIRECT_H
#define ROOT_DIRECT_H

#include "base/confine.h"
#include "root/door.h"
#include "root/message.h"

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
    DIRECT_REQUESTS
};

enum {
    DIRECT_ANSWER_MAX = 64 * 1024 * 1024, /* of a directory; what is read has bounds of its own */
    DIRECT_SPARE = 64 * 1024,             /* beside the content: path, attributes, an error */
};

/*
 * size bytes from offset on, of a descriptor; name and facts.fs are for messages and must outlive
 * the root. For writing, all that is done is one transaction, and reaches the volume by root_close
 * where that is asked for errors; root_drop gives it up.
 */
int direct_open(int fd, uint64_t offset, uint64_t size, const char *name,
                const struct root_facts *facts, enum root_access access, struct root **ret,
                struct err *e) MUST_CHECK;

/* The child's work: it is given one descriptor. */
int direct_serve(const int *fds, size_t count, int out);

#endif
