/* SPDX-License-Identifier: MIT */
/* Log lines, explained. */
#include "report/style.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LINE_SHOWN = 160 };

static void print_findings_of(const struct symptom *symptom, const struct report_style *style)
{
    auto_free char *copy = xstrdup(symptom->findings);
    char *rest = copy, *id;

    while ((id = strsep(&rest, " ")))
        printf("    %s%-22s%s %s\n", tone_start(style, TONE_BOLD), id, tone_end(style),
               check_named(id) ? check_named(id)->title : "");
}

static void print_one(const struct symptom_seen *seen, const struct report_style *style)
{
    auto_free char *clean = text_clean(seen->line);

    if (strlen(clean) > LINE_SHOWN)
        clean[LINE_SHOWN] = '\0';
    printf("%s%s%s\n", tone_start(style, TONE_DIM), clean, tone_end(style));
    if (seen->count > 1)
        printf("  (and %zu more like it)\n", seen->count - 1);
    printf("  %s\n", seen->symptom->meaning);
    print_findings_of(seen->symptom, style);
    fputs("\n", stdout);
}

static json_t *one_json(const struct symptom_seen *seen)
{
    auto_free char *clean = text_clean(seen->line), *copy = xstrdup(seen->symptom->findings);
    json_t *ids = json_array();
    char *rest = copy, *id;

    while ((id = strsep(&rest, " ")))
        json_array_append_new(ids, json_string(id));
    return json_pack("{s:s, s:I, s:s, s:s, s:o}", "line", clean, "count", (json_int_t)seen->count,
                     "meaning", seen->symptom->meaning, "releases", seen->symptom->releases,
                     "findings", ids);
}

static void print_json(const struct symptom_seen *seen, size_t count)
{
    json_t *list = json_array(), *object;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, one_json(&seen[i]));
    object =
        json_pack("{s:s, s:s, s:o}", "schema", "sshmend/1", "command", "explain", "symptoms", list);
    json_dumpf(object, stdout, JSON_COMPACT);
    fputs("\n", stdout);
    json_decref(object);
}

void report_symptoms(const struct symptom_seen *seen, size_t count,
                     const struct report_style *style)
{
    if (style->json) {
        print_json(seen, count);
        return;
    }
    if (style->quiet)
        return;
    for (size_t i = 0; i < count; i++)
        print_one(&seen[i], style);
    if (count)
        fputs("Which of them it is: sshmend check DISK\n", stdout);
    else
        fputs("None of these lines is one that ssh or sshd is known for.\n", stdout);
}
