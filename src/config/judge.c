/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include "base/alloc.h"

void config_judge(const struct config_input *input, struct config_fault **ret, size_t *ret_count)
{
    (void)input;
    *ret = NULL;
    *ret_count = 0;
}

void config_fault_free(struct config_fault *fault)
{
    free(fault->message);
    free(fault->text);
}

bool config_destroyed(const struct blob *text, int openssh)
{
    (void)openssh;
    return text->len == 0 || text->data[0] == 0;
}
