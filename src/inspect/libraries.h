/* SPDX-License-Identifier: MIT */
/* The search for what programs need to run, as ld.so(8) would find it. Private to inspect/. */
#ifndef INSPECT_LIBRARIES_H
#define INSPECT_LIBRARIES_H

#include "inspect/private.h"

/* A program, an interpreter or a library that is there, read once. */
struct binary {
    char *name; /* as ld.so(8) looked for it in its directories; NULL: by another way */
    char *real; /* canonical */
    struct elf_file elf;
};

/* Canonical paths of what is there, each once. */
struct directories {
    char **items;
    size_t count;
};

struct library_search {
    const struct root *root;
    struct programs *found;
    struct blob cache; /* ld.so.cache; no data: none, or not one that ld.so(8) takes */
    struct directories built_in, by_conf;
    struct binary *binaries; /* those at the end have not been looked into yet */
    size_t binary_count;
    struct elf_file first; /* class and machine that all must have */
};

/* Takes it over; where it is known already, by another name or way, it goes. */
void libraries_add(struct library_search *search, struct binary *binary);
void binary_free(struct binary *binary);

/* Finds all that the binaries added so far need, and writes down what is missing. */
void libraries_find(struct library_search *search, const char *program);
void libraries_free(struct library_search *search);

#endif
