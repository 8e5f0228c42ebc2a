/* SPDX-License-Identifier: MIT */
#include "inspect/private.h"

#include "base/alloc.h"
#include "base/text.h"

void programs_inspect(const struct root *root, const struct inspection *earlier,
                      struct inspection *inspection)
{
    (void)root, (void)earlier, (void)inspection;
}

void programs_free(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++)
        free(programs->items[i].path);
    for (size_t i = 0; i < programs->gap_count; i++) {
        free(programs->gaps[i].name);
        free(programs->gaps[i].needed_by);
        free(programs->gaps[i].package);
        free(programs->gaps[i].candidate);
    }
    free(programs->items);
    free(programs->gaps);
    text_list_free(&programs->files);
    *programs = (struct programs){ 0 };
}
