/* SPDX-License-Identifier: MIT */
/* What the next boot will do to the host keys, and what it will not. */
#include "findings/look.h"

#include "base/alloc.h"

void look_boot_deletes(const struct check *check, const struct inspection *facts,
                       struct findings *out)
{
    static const char text[] = "# Written by sshmend repair --keep-keys.\nssh_deletekeys: false\n";
    const struct cloud *cloud = &facts->cloud;
    const char *when = cloud->instance_known
                           ? "when this disk boots as a new instance, not as this one"
                           : "at the next boot, the first one here";

    if (!cloud->present || cloud->disabled || !cloud->deletes_keys)
        return;
    finding_wish(finding_add(out, check, NULL,
                             xasprintf("cloud-init deletes the host keys %s (--keep-keys keeps "
                                       "them)",
                                       when)),
                 (struct wish){ .kind = WISH_FILE,
                                .path = xstrdup(KEEP_KEYS_FILE),
                                .about = xstrdup("cloud-init leaves the host keys alone"),
                                .content = blob_of_text(text),
                                .meta = { .mode = 0644 } });
}

static bool any_lost(const struct inspection *facts)
{
    for (size_t i = 0; i < facts->key_count; i++)
        if (facts->keys[i].lost)
            return true;
    return false;
}

void look_boot_no_generator(const struct check *check, const struct inspection *facts,
                            struct findings *out)
{
    const struct service *service = &facts->service;

    if (service->init != INIT_UNKNOWN && service->path && !service->generator && any_lost(facts))
        finding_add(out, check, NULL,
                    xstrdup("nothing here would make the lost keys at the next boot"));
}

void look_boot_generator_off(const struct check *check, const struct inspection *facts,
                             struct findings *out)
{
    const struct service *service = &facts->service;

    if (service->generator && service->generator_off && any_lost(facts))
        finding_add(out, check, NULL,
                    xasprintf("%s would make the lost keys, but %s", service->generator,
                              service->generator_off));
}

void look_boot_agent(const struct check *check, const struct inspection *facts,
                     struct findings *out)
{
    if (facts->cloud.agent)
        finding_add(out, check, NULL,
                    xasprintf("%s makes new host keys when this disk boots as a new instance",
                              facts->cloud.agent));
}
