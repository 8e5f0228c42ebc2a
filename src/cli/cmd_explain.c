/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* ---- log lines from stdin ------------------------------------------------------------- */

struct seen_list {
    struct symptom_seen *items;
    size_t count;
};

static void seen_free(struct seen_list *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        free(seen->items[i].line);
    free(seen->items);
}

/* One record for each symptom, however often it is told. */
static void see(struct seen_list *seen, const char *line)
{
    const struct symptom *symptom = symptom_of(line);
    struct symptom_seen one = { .symptom = symptom, .count = 1 };

    if (!symptom)
        return;
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->items[i].symptom == symptom) {
            seen->items[i].count++;
            return;
        }
    }
    one.line = xstrdup(line);
    array_push(seen->items, seen->count, one);
}

static int explain_lines(const struct options *options)
{
    auto_with(seen_free) struct seen_list seen = { 0 };
    char line[4096];

    /* What is longer than a line of any log is read as several. */
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        see(&seen, line);
    }
    if (ferror(stdin)) {
        say("the log lines cannot be read: %s", strerror(errno));
        return EXIT_FAILED;
    }
    report_symptoms(seen.items, seen.count, &options->style);
    return seen.count ? EXIT_FINE : EXIT_LEFT;
}

/* ---- findings by name ----------------------------------------------------------------- */

static int run(const struct options *options)
{
    if (options->targets[0] && strcmp(options->targets[0], "-") == 0 && !options->targets[1])
        return explain_lines(options);
    if (!options->targets[0])
        for (const struct check *check = checks; check->id; check++)
            printf("%-25s %s\n", check->id, check->title);
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
    .arguments = "[ID...] | -",
    .summary = "what a finding means and costs; with -, what log lines on stdin are about",
    .options = "",
    .run = run,
};
