/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/text.h"

static int run(const struct options *options)
{
    if (!options->targets[0])
        for (const struct check *check = checks; check->id; check++)
            printf("%-22s %s\n", check->id, check->title);
    for (char **id = options->targets; *id; id++) {
        const struct check *check = check_named(*id);
        auto_free char *clean = text_clean(*id);

        if (!check) {
            say("there is no finding named %s; sshmend explain lists them", clean);
            return EXIT_BAD_USAGE;
        }
        if (id != options->targets)
            fputs("\n", stdout);
        report_explain(check);
    }
    return EXIT_FINE;
}

const struct command cmd_explain = {
    .name = "explain",
    .arguments = "[ID...]",
    .summary = "what a finding means, how it is mended, what it costs",
    .options = "",
    .run = run,
};
