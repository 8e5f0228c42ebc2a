/* SPDX-License-Identifier: MIT */
/* Text that came from a disk is hostile until it is cleaned. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A copy that no terminal and no JSON parser can stumble over: printable ASCII
 * stays, all else (and the backslash) becomes \xNN. The caller frees it.
 */
char *text_clean(const char *text) MUST_CHECK;
/* The same without room to grow: what is not printable ASCII becomes '?'. */
void text_clean_in_place(char *text);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
/* True where a list of words, separated by blanks, commas or newlines, holds this word. */
bool text_has_word(const char *list, const char *word);
/* A name is one of a list of names and patterns (fnmatch(3)), separated by commas. */
bool text_matches_list(const char *list, const char *name);
/* Cuts blanks and line ends off both ends, in place; returns the new start. */
char *text_trim(char *text);
/* The part behind the last slash. */
const char *text_base_name(const char *path);
/* The part before it, without the slash: "" for what is at the top; the caller's. */
char *text_above(const char *path) MUST_CHECK;
/* A canonical path is a directory, or lies beneath it. */
bool text_is_within(const char *path, const char *directory);
/* A list of texts and all of its items. */
void text_list_free(char ***list);

#endif
