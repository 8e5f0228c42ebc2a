/* SPDX-License-Identifier: MIT */
#include "report/style.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool report_wants_color(enum report_color choice)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if (choice != COLOR_AUTO)
        return choice == COLOR_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

const char *tone_start(const struct report_style *style, enum tone tone)
{
    static const char *const starts[] = {
        [TONE_PLAIN] = "",         [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
        [TONE_BAD] = "\033[1;31m", [TONE_BOLD] = "\033[1m",  [TONE_DIM] = "\033[2m",
    };

    return style->color ? starts[tone] : "";
}

const char *tone_end(const struct report_style *style)
{
    return style->color ? "\033[0m" : "";
}

struct libscols_table *table_new(const char *const *columns)
{
    struct libscols_table *table = scols_new_table();

    scols_table_enable_noencoding(table, 1); /* each cell is clean by itself */
    for (; *columns; columns++)
        scols_table_new_column(table, *columns, 0, 0);
    return table;
}

void table_row(struct libscols_table *table, const char *const *cells)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);
    size_t count = scols_table_get_ncols(table);

    for (size_t i = 0; i < count; i++) {
        auto_free char *clean = cells[i] ? text_clean(cells[i]) : NULL;

        if (clean)
            scols_line_set_data(line, i, clean);
    }
}

void table_print(struct libscols_table *table, const char *indent)
{
    auto_free char *text = NULL;
    char *rest, *line;

    /* Whole rows, whatever the width: a path cut short is no use to anybody. */
    scols_table_enable_nowrap(table, 1);
    scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
    if (scols_print_table_to_string(table, &text) == 0) {
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
            size_t len = strlen(line);

            while (len > 0 && line[len - 1] == ' ')
                len--;
            if (len)
                printf("%s%.*s\n", indent, (int)len, line);
        }
    }
    scols_unref_table(table);
}

char *counted(size_t count, const char *singular)
{
    return xasprintf("%zu %s%s", count, singular, count == 1 ? "" : "s");
}

char *report_target(const struct report_system *system)
{
    auto_free char *target = text_clean(system->target);

    char *words = system->source.format ? xasprintf("%s --format=%s", target, system->source.format)
                                        : xstrdup(target);

    for (char *const *backing = system->source.backing; backing && *backing; backing++) {
        auto_free char *before = words, *clean = text_clean(*backing);

        words = xasprintf("%s --backing=%s", before, clean);
    }
    return words;
}
