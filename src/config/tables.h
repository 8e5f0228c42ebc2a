/* SPDX-License-Identifier: MIT */
/* The tables made from data/, and how values are read. Private to config/. */
#ifndef CONFIG_TABLES_H
#define CONFIG_TABLES_H

#include "config/config.h"
#include "hostkey/hostkey.h"

#include <limits.h>

/* Releases as OPENSSH() numbers them; 0: the oldest there are facts about. */
enum { NEVER = INT_MAX, NEWEST = OPENSSH(10, 5) };

struct keyword {
    const char *name; /* as sshd_config(5) writes it */
    int since;        /* known from here on; NEVER: only in patched builds */
    int ignored;      /* from here on only logged, or passed over */
    int removed;      /* gone again */
    int match;        /* allowed in a Match block from here on */
    const char *value;
};

/* The row of a keyword; NULL: no sshd has ever known it. */
const struct keyword *keyword_row(const char *name);
/* Does this sshd know it? Patched builds are asked for what the table alone cannot tell. */
bool keyword_known(const struct config_reader *reader, const struct keyword *row);
/* The program's own table of keywords has this one: in lower case until 10.3, as written since. */
bool keyword_in_program(const struct config_reader *reader, const char *name);
/* The release that counts; unknown ones are present-day ones. */
int reader_release(const struct config_reader *reader);

/* NULL where the arguments are fine; else a clause, the caller's. */
char *value_fault(const struct config_reader *reader, const struct keyword *row,
                  const struct directive *directive, enum config_fault_kind *ret_kind);
/* The same for Match. */
char *match_fault(const struct config_reader *reader, const struct directive *directive);

/* A list of algorithms: the first name that is not known, or NULL. The caller frees it. */
char *algorithms_unknown(const struct config_reader *reader, enum algorithm_class class,
                         const char *list);
/* The list without those; NULL where nothing is left. The caller frees it. */
char *algorithms_known(const struct config_reader *reader, enum algorithm_class class,
                       const char *list);
/* True and the class where a keyword's value is such a list. */
bool algorithm_list(const struct keyword *row, enum algorithm_class *ret);

#endif
