/* SPDX-License-Identifier: MIT */
#include "inspect/private.h"

#include "base/alloc.h"

void logs_inspect(const struct root *root, const struct inspection *facts, struct logs *ret)
{
    (void)root, (void)facts;
    *ret = (struct logs){ 0 };
}

void logs_free(struct logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        free(logs->lines[i].source);
        free(logs->lines[i].text);
    }
    free(logs->lines);
    *logs = (struct logs){ 0 };
}
