/* SPDX-License-Identifier: MIT */
/* Which of the systems found are meant; and why there are none. */
#include "cli/systems.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool selected(const struct system *system, const char *selector)
{
    char *end;
    long number = strtol(selector, &end, 10);

    if (*selector && !*end)
        return system->number == number;
    return strcmp(system->name, selector) == 0 || strcmp(system->disk->path, selector) == 0 ||
           (system->volume &&
            (strcmp(system->volume->name, selector) == 0 ||
             (system->volume->uuid && strcasecmp(system->volume->uuid, selector) == 0)));
}

static void keep_selected(struct systems *systems, const char *selector)
{
    size_t kept = 0;

    for (size_t i = 0; i < systems->count; i++) {
        if (selected(&systems->items[i], selector))
            systems->items[kept++] = systems->items[i];
        else
            system_free(&systems->items[i]);
    }
    systems->count = kept;
}

size_t systems_of_disk(const struct systems *systems, const struct disk *disk)
{
    size_t count = 0;

    for (size_t i = 0; i < systems->count; i++)
        count += systems->items[i].disk == disk;
    return count;
}

static bool nothing_known(const struct disk *disk)
{
    for (size_t i = 0; i < disk->count; i++)
        if (disk->volumes[i].type || disk->volumes[i].ambivalent)
            return false;
    return disk->kind != DISK_DIRECTORY;
}

/* What went wrong when a volume was opened names it already. */
static int none_opened(const struct scan_row *row, struct err *e)
{
    bool named = text_starts(row->problem, row->name);

    return err_set(e, ERR_NOT_FOUND, "no Linux system could be opened: %s%s%s",
                   named ? "" : row->name, named ? "" : ": ", row->problem);
}

int systems_none_on(const struct systems *systems, const struct disk *disk, struct err *e)
{
    if (disk->in_use)
        return err_set(e, ERR_IN_USE,
                       "%s is %s; unmount or detach it, or give the directory it is mounted on",
                       disk->path, disk->in_use);
    for (size_t i = 0; i < systems->row_count; i++)
        if (systems->rows[i].disk == disk && systems->rows[i].problem)
            return none_opened(&systems->rows[i], e);
    if (nothing_known(disk) && disk->seems)
        return err_set(
            e, ERR_UNSUPPORTED,
            "%s is no raw image, it looks like %s; if it is one, say so: --format=%s; or "
            "make a raw one of it: qemu-img convert -O raw %s %s.raw",
            disk->path, disk->seems, disk->seems, disk->path, disk->path);
    if (disk->more)
        return err_set(
            e, ERR_NOT_FOUND,
            "no Linux system is in the first %d partitions of %s; more are not looked at",
            VOLUMES_MAX, disk->path);
    if (nothing_known(disk))
        return err_set(e, ERR_NOT_FOUND, "no file system that is known is on %s", disk->path);
    return err_set(e, ERR_NOT_FOUND, "no Linux system on %s; sshmend scan shows what is there",
                   disk->path);
}

static int none_found(const struct systems *systems, struct err *e)
{
    if (systems->disk_count == 0)
        return err_set(e, ERR_NOT_FOUND, "no disk is attached but those of the running system");
    for (size_t i = 0; i < systems->disk_count; i++)
        if (systems_none_on(systems, &systems->disks[i], e) < 0 &&
            (systems->disk_count == 1 || systems->disks[i].in_use))
            return -1;
    return err_set(e, ERR_NOT_FOUND,
                   "no Linux system on any of %zu disks; sshmend scan shows what is there",
                   systems->disk_count);
}

static int list_choices(const struct systems *systems, struct err *e)
{
    char text[400] = "";

    for (size_t i = 0; i < systems->count; i++) {
        size_t used = strlen(text);

        const struct system *system = &systems->items[i];
        const char *uuid = system->volume && system->volume->uuid ? system->volume->uuid : "";

        snprintf(text + used, sizeof text - used, "%s%d: %s%s%s", i ? "; " : "", system->number,
                 system->name, *uuid ? " " : "", uuid);
    }
    return err_set(e, ERR_REFUSED, "%zu systems are here (%s); choose with --system or --all",
                   systems->count, text);
}

int systems_choose(struct systems *systems, const struct options *options, bool only_one,
                   struct err *e)
{
    if (systems->count == 0)
        return none_found(systems, e);
    if (options->system) {
        keep_selected(systems, options->system);
        if (systems->count == 0)
            return err_set(e, ERR_NOT_FOUND, "no system here is %s; sshmend scan lists them",
                           options->system);
    }
    if (only_one && !options->all && systems->count > 1)
        return list_choices(systems, e);
    return 0;
}

struct report_system system_for_report(const struct system *system)
{
    return (struct report_system){
        .target = system->target,
        .source = system->disk ? system->disk->source : (struct image_source){ 0 },
        .device = system->name,
        .path = system->path,
        .fs = system->volume ? system->volume->type : NULL,
        .uuid = system->volume ? system->volume->uuid : NULL,
        .os = &system->os,
        .number = system->number,
    };
}
