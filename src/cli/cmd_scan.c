/* SPDX-License-Identifier: MIT */
#include "cli/systems.h"

/* why: there is no system. */
static void print_json(const struct systems *systems, const struct options *options,
                       const struct err *why)
{
    struct report report = { .command = "scan" };

    for (size_t i = 0; i < systems->count; i++) {
        report.system = system_for_report(&systems->items[i]);
        report_json(&report);
    }
    if (systems->count == 0) {
        report.system.target = options->targets[0];
        report.error = why;
        report_json(&report);
    }
}

static int run(const struct options *options)
{
    auto_systems struct systems systems = { 0 };
    struct err e = { 0 };
    int none = 0;

    if (systems_find(options, false, &systems, &e) < 0)
        return say_error(&e);
    if (systems.count == 0)
        none = systems_choose(&systems, options, false, &e);
    if (options->style.json)
        print_json(&systems, options, &e);
    else if (!options->style.quiet && systems.row_count)
        report_scan(systems.rows, systems.row_count);
    return none < 0 ? say_error(&e) : EXIT_FINE;
}

const struct command cmd_scan = {
    .name = "scan",
    .arguments = "[TARGET...]",
    .summary = "list the Linux systems on attached disks",
    .options = "",
    .run = run,
};
