/* SPDX-License-Identifier: MIT */
/* The looks of checks.c: each finds what its row is about. Private to findings/. */
#ifndef FINDINGS_LOOK_H
#define FINDINGS_LOOK_H

#include "findings/findings.h"

typedef void look_fn(const struct check *check, const struct inspection *facts,
                     struct findings *out);

/* look_keys.c */
look_fn look_no_key, look_missing, look_empty, look_corrupt, look_wrapped, look_encrypted,
    look_not_a_file, look_elsewhere, look_pub_missing, look_pub_mismatch, look_weak, look_short,
    look_retired, look_unknown_type, look_format;

/* look_nodes.c */
look_fn look_open, look_owner, look_closed, look_acl, look_label, look_mode_differs,
    look_config_missing, look_sshd_missing, look_privsep_missing, look_version_unknown,
    look_journal, look_errors, look_read_only, look_unfinished;

/* Adds a finding; message becomes its own. */
struct finding *finding_add(struct findings *out, const struct check *check, const char *path,
                            char *message);

#endif
