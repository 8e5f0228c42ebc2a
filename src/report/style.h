/* SPDX-License-Identifier: MIT */
/* Words, colours and tables the reports share. Private to report/. */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

#include "report/report.h"

#include <libsmartcols/libsmartcols.h>

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_BOLD, TONE_DIM };

/* The escape sequence that starts a tone, or "" where colours are off; tone_end ends it. */
const char *tone_start(const struct report_style *style, enum tone tone);
const char *tone_end(const struct report_style *style);

struct libscols_table *table_new(const char *const *columns);
/* Cells are cleaned; NULL leaves one empty. */
void table_row(struct libscols_table *table, const char *const *cells);
/* Prints, indented, and frees. */
void table_print(struct libscols_table *table, const char *indent);

/* A text from a disk, cleaned, on stdout. */
void put_clean(const char *text);
/* The table of host keys; notes, one for each key or NULL, stand in for its state. */
void put_keys(const struct inspection *facts, const char *const *notes);
/* Which system a report is about. */
void put_header(const struct report *report, const struct report_style *style);
/* "The RSA key is back: SHA256:..., from where and why". */
void put_copy(const struct key_copy *copy, const char *verb);
/* Which lost keys can be brought back, and why that should be done now. True: that held all back.
 */
bool put_lost_keys(const struct report *report);
/* A key would serve that is not what clients know, and will go on to. */
bool any_key_stays_changed(const struct report *report);
/* How the key that clients know comes back, where one of them stays changed. */
void put_offer(const struct report *report);
/* "1 problem", "2 problems". */
char *counted(size_t count, const char *singular);

#endif
