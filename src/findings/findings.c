/* SPDX-License-Identifier: MIT */
#include "findings/look.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

static const char *const severity_names[] = { "note", "warning", "fatal" };
static const char *const policy_names[] = { "auto", "ask", "never" };
static const char *const outcome_names[] = { "open", "mended", "skipped", "failed" };
static const char *const verdict_names[] = { "healthy", "degraded", "broken" };

const char *severity_name(enum severity severity)
{
    return severity_names[severity];
}

const char *policy_name(enum policy policy)
{
    return policy_names[policy];
}

const char *outcome_name(enum outcome outcome)
{
    return outcome_names[outcome];
}

const char *verdict_name(enum verdict verdict)
{
    return verdict_names[verdict];
}

const struct check *check_named(const char *id)
{
    for (const struct check *check = checks; check->id; check++)
        if (strcmp(check->id, id) == 0)
            return check;
    return NULL;
}

struct finding *finding_add(struct findings *out, const struct check *check, const char *path,
                            char *message)
{
    struct finding finding = { .check = check,
                               .path = path ? xstrdup(path) : NULL,
                               .message = message };

    array_push(out->items, out->count, finding);
    return &out->items[out->count - 1];
}

void findings_judge(const struct inspection *facts, struct findings *ret)
{
    *ret = (struct findings){ 0 };
    for (const struct check *check = checks; check->id; check++)
        check->look(check, facts, ret);
}

void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].path);
        free(findings->items[i].message);
        for (size_t n = 0; n < findings->items[i].edit_count; n++)
            free(findings->items[i].edits[n].with);
        for (size_t n = 0; n < findings->items[i].wish_count; n++) {
            free(findings->items[i].wishes[n].path);
            free(findings->items[i].wishes[n].about);
            free(findings->items[i].wishes[n].target);
            blob_free(&findings->items[i].wishes[n].content);
        }
        free(findings->items[i].edits);
        free(findings->items[i].wishes);
        text_list_free(&findings->items[i].evidence);
    }
    free(findings->items);
    *findings = (struct findings){ 0 };
}

enum verdict findings_verdict(const struct findings *findings)
{
    enum severity worst = SEVERITY_NOTE;

    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].outcome != OUTCOME_MENDED &&
            findings->items[i].check->severity > worst)
            worst = findings->items[i].check->severity;
    return (enum verdict)worst;
}

const struct finding *findings_blocker(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].check->blocks)
            return &findings->items[i];
    return NULL;
}

bool findings_need(const struct findings *findings, enum remedy remedy)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].check->remedy == remedy &&
            findings->items[i].outcome != OUTCOME_MENDED)
            return true;
    return false;
}

const struct finding *findings_find(const struct findings *findings, const char *id,
                                    const char *path)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        if (strcmp(finding->check->id, id) == 0 &&
            (path && finding->path ? strcmp(finding->path, path) == 0 : path == finding->path))
            return finding;
    }
    return NULL;
}

static enum outcome settled(const struct finding *finding, const struct findings *after, bool tried)
{
    if (!findings_find(after, finding->check->id, finding->path))
        return OUTCOME_MENDED;
    return tried && finding->check->remedy != REMEDY_NONE ? OUTCOME_FAILED : OUTCOME_SKIPPED;
}

void findings_settle(struct findings *findings, const struct findings *after, const bool *tried)
{
    size_t count = findings->count;

    for (size_t i = 0; i < count; i++)
        findings->items[i].outcome = settled(&findings->items[i], after, tried[i]);
    for (size_t i = 0; i < after->count; i++) {
        const struct finding *late = &after->items[i];

        if (!findings_find(findings, late->check->id, late->path))
            finding_add(findings, late->check, late->path, xstrdup(late->message));
    }
}
