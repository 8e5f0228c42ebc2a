/* SPDX-License-Identifier: MIT */
/* The door through the kernel: a root that is mounted, held by a descriptor. Private to root/. */
#ifndef ROOT_MOUNTED_H
#define ROOT_MOUNTED_H

#include "root/root.h"

/* Takes over fd, a directory; facts.fs must outlive the root. */
struct root *mounted_root(int fd, const struct root_facts *facts, enum root_access access);

#endif
