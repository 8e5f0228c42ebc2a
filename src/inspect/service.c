/* SPDX-License-Identifier: MIT */
#include "inspect/private.h"

#include "base/alloc.h"

void service_inspect(const struct root *root, const struct inspection *inspection,
                     struct service *ret)
{
    (void)root, (void)inspection, (void)ret;
}

void service_free(struct service *service)
{
    free(service->name);
    free(service->path);
    free(service->mask);
    free(service->enable_path);
    free(service->enable_target);
    free(service->condition);
    free(service->missing_environment);
    free(service->missing_program);
    free(service->odd_default);
    free(service->generator);
    free(service->generator_off);
    *service = (struct service){ 0 };
}
