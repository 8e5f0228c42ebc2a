/* SPDX-License-Identifier: MIT */
/* What the unit tests share. They run with the top of the source tree as current directory. */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include "base/blob.h"
#include "root/root.h"

#include <check.h>

#define KEYS_DIR "tests/unit/keys"

Suite *suite_base(void);
Suite *suite_base_channel(void);
Suite *suite_base_spawn(void);
Suite *suite_hostkey_judge(void);
Suite *suite_hostkey_public(void);
Suite *suite_hostkey_rsa1(void);
Suite *suite_door_walk(void);
Suite *suite_door_mounted(void);
Suite *suite_door_direct(void);
Suite *suite_inspect_config(void);
Suite *suite_inspect_os(void);
Suite *suite_inspect_logs(void);
Suite *suite_inspect_packages(void);
Suite *suite_inspect_evidence(void);
Suite *suite_inspect_system(void);
Suite *suite_findings(void);
Suite *suite_config_judge(void);
Suite *suite_inspect_mutated(void);
Suite *suite_findings_symptoms(void);
Suite *suite_prove(void);
Suite *suite_plan(void);
Suite *suite_apply_manifest(void);
Suite *suite_recover(void);
Suite *suite_device(void);
Suite *suite_inspect_fstab(void);

/* A suite's test case; loops get the number of rows of their table. */
#define ADD(tcase, test) tcase_add_test((tcase), (test))
#define ADD_TABLE(tcase, test, table) tcase_add_loop_test((tcase), (test), 0, ARRAY_SIZE(table))

/* A file of the source tree; the test fails where it cannot be read. */
struct blob file_bytes(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A directory of this test's own, empty at its start and removed after it. */
extern char scratch[96];
void unit_start(void);
void unit_end(void);
void scratch_make(void);
void scratch_remove(void);

/* Below the scratch directory; parents are made. */
void put_bytes(const char *path, mode_t mode, const void *bytes, size_t len);
void put_text(const char *path, const char *text);
void put_link(const char *path, const char *target);
void put_dir(const char *path);
/* The scratch directory as a root; the caller closes it. */
struct root *scratch_root(enum root_access access) MUST_CHECK;

/* Runs a program without a shell; its exit status, and what it wrote to stdout (may be NULL). */
int run_program(const char *const *argv, struct blob *ret_output);
/*
 * True where ssh-keygen, of its age, reads the private key without a passphrase; *ret_line is
 * its .pub.
 */
bool keygen_reads(const struct blob *file, struct blob *ret_line);
/* The "type base64" of a line of a .pub file: cuts the comment and what follows off, in place. */
void cut_comment(struct blob *line);

#endif
