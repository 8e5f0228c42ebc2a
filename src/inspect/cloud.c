/* SPDX-License-Identifier: MIT */
#include "inspect/private.h"

#include "base/alloc.h"

void cloud_inspect(const struct root *root, struct cloud *ret)
{
    (void)root, (void)ret;
}

void cloud_free(struct cloud *cloud)
{
    free(cloud->set_by);
    free(cloud->agent);
    *cloud = (struct cloud){ 0 };
}
