/* SPDX-License-Identifier: MIT */
/* For somebody at a console, at night: scan, choose, read, agree, see the result. */
#include "cli/cmd_repair.h"

#include "base/cleanup.h"

#include <stdlib.h>

static int choose(const struct systems *systems)
{
    char answer[32], *end;
    long number;

    for (;;) {
        fprintf(stderr, "Which system? [1-%zu, q to quit] ", systems->count);
        if (!fgets(answer, sizeof answer, stdin) || answer[0] == 'q')
            return -1;
        number = strtol(answer, &end, 10);
        if (number >= 1 && (size_t)number <= systems->count && (*end == '\n' || !*end))
            return (int)number - 1;
    }
}

int guide(void)
{
    char *no_targets[] = { NULL };
    struct options options = { .targets = no_targets };
    auto_systems struct systems systems = { 0 };
    struct err e = { 0 };
    int index = 0;

    options.style.color = report_wants_color(COLOR_AUTO);
    if (systems_find(&options, true, &systems, &e) < 0)
        return say_error(&e);
    systems_introduce(&systems);
    if (systems.row_count)
        report_scan(systems.rows, systems.row_count);
    if (systems_choose(&systems, &options, false, &e) < 0) {
        (void)say_error(&e);
        say("attach the broken disk, or name an image or a directory: sshmend repair TARGET");
        return EXIT_FAILED;
    }
    fputs("\n", stdout);
    fflush(stdout);
    if (systems.count > 1)
        index = choose(&systems);
    if (index < 0) {
        say("cancelled; nothing was changed");
        return EXIT_CANCELLED;
    }
    return repair_system(&systems.items[index], &options);
}
