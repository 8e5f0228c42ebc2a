/* SPDX-License-Identifier: MIT */
/* A run as text: JSON, for people who have to read it without this program. Private to apply/. */
#ifndef APPLY_MANIFEST_H
#define APPLY_MANIFEST_H

#include "apply/run.h"

struct blob manifest_text(const struct run *run);
/* ERR_NOT_FOUND where it was never written to its end; ERR_REFUSED where it is damaged. */
int manifest_parse(const struct blob *text, struct run *run, struct err *e) MUST_CHECK;

#endif
