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
    look_stops_sshd, look_retired, look_unknown_type, look_format, look_cert_mismatch,
    look_cert_expired, look_shared, look_changed;

/* look_nodes.c */
look_fn look_open, look_owner, look_closed, look_acl, look_label, look_mode_differs,
    look_version_unknown, look_distribution_unknown, look_journal, look_errors, look_read_only,
    look_full, look_tree_modes, look_unfinished;

/* look_config.c */
look_fn look_config_missing, look_config_empty, look_config_encoding, look_config_unknown,
    look_config_value, look_config_algorithm, look_config_misplaced, look_config_match,
    look_config_duplicate, look_config_include, look_config_no_common_key, look_config_deprecated,
    look_config_policy, look_moduli_missing, look_moduli_damaged;

/* look_service.c */
look_fn look_privsep_missing, look_privsep_user, look_sshd_missing, look_helper_missing,
    look_library_missing, look_library_cache, look_service_missing, look_service_masked,
    look_service_disabled, look_service_blocked, look_service_environment, look_service_program,
    look_service_target;

/* look_boot.c */
look_fn look_boot_deletes, look_boot_no_generator, look_boot_generator_off, look_boot_agent;

/* look_login.c */
look_fn look_accounts_lost, look_nologin, look_hosts_deny, look_hosts_some, look_shell,
    look_pam_missing, look_pam_include, look_pam_module, look_keys_bom, look_keys_utf16,
    look_keys_none, look_keys_revoked, look_named_missing, look_chroot_user;

/* ---- mend.c: what would mend a finding; texts given to it become its own -------------- */

void finding_wish(struct finding *finding, struct wish wish);
void finding_wish_gone(struct finding *finding, const char *path, const char *about);
/* A copy of what can stand in for a file; nothing where there is none. */
void finding_wish_substitute(struct finding *finding, const struct substitute *substitute);
/* One line of a text; line 0: one more at its end. with: NULL or the finding's own. */
void finding_edit(struct finding *finding, const struct text_file *file, unsigned line,
                  enum config_fix kind, char *with);
void finding_edit_config(struct finding *finding, const struct config_text *file, unsigned line,
                         enum config_fix kind, char *with);
void finding_comment_out(struct finding *finding, const struct inspection *facts,
                         const struct directive *directive);
/* The number of the line that begins with "NAME:"; 0: none. */
unsigned text_line_of(const struct blob *text, const char *name);

/* Adds a finding; message becomes its own. */
struct finding *finding_add(struct findings *out, const struct check *check, const char *path,
                            char *message);

#endif
