/* SPDX-License-Identifier: MIT */
/*
 * Lost keys on the bare disk: recover/ is told what to look for, and what it finds
 * becomes copies of the keys that are lost, as if they stood in files.
 */
#ifndef INSPECT_CARVE_H
#define INSPECT_CARVE_H

#include "inspect/inspection.h"
#include "recover/recover.h"

struct carve_options {
    const struct evidence_list *given; /* by the operator; may be empty */
    bool unasked;                      /* search even where no key is lost */
    bool all;                          /* and tell of every key there is */
    recover_progress_fn progress;
    void *context;
};

/* True where there is something to search for: a key is lost, or was replaced by another. */
bool carve_wanted(const struct inspection *inspection, const struct carve_options *options);

/*
 * Searches the volume that the root is on, read-only. Everything that is found and fits the
 * evidence is added to the copies of its key.
 */
int carve_inspect(const struct disk *disk, const struct volume *volume, const struct root *root,
                  const struct carve_options *options, struct inspection *inspection,
                  struct err *e) MUST_CHECK;

/* What an earlier look at the same disk has found, for the keys that are still lost. */
void carve_keep(const struct inspection *earlier, struct inspection *inspection);

void carving_free(struct carving *carving);

#endif
