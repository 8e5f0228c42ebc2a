/* SPDX-License-Identifier: MIT */
/*
 * A root that is in memory alone: no fuzzer touches a disk.
 *
 * One text describes a small tree. What it begins with is the file that is asked about; a
 * line "#@ /path" begins another file, "#> /path target" makes a link. The first of a name
 * is the one that is there. Directories are there as soon as something is in them.
 */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "base/blob.h"
#include "root/root.h"

/* The tree that a text describes; its first part becomes the file at path. */
struct root *memory_tree(const struct blob *text, const char *path) MUST_CHECK;
/* One file alone, whatever it holds. */
struct root *memory_file(const struct blob *content, const char *path) MUST_CHECK;

#endif
