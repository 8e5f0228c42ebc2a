/* SPDX-License-Identifier: MIT */
/*
 * Texts: the edits of all findings that are about one file become one write of it,
 * line by line, with a diff for the operator. And wishes: files, directories and links
 * that should be there, or should not.
 */
#include "plan/planning.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A file while it is edited: what is written, and what is shown. */
struct editing {
    FILE *out, *diff;
    char *text, *shown;
    size_t text_len, shown_len;
};

/* The edits of one file that may be made. */
struct file_edits {
    const struct edit **items;
    size_t count;
};

static bool same_edit(const struct edit *a, const struct edit *b)
{
    return a->line == b->line && a->kind == b->kind &&
           (a->with && b->with ? strcmp(a->with, b->with) == 0 : a->with == b->with);
}

static void gather(const struct findings *findings, const bool *covers, const char *path,
                   struct file_edits *ret)
{
    for (size_t i = 0; i < findings->count; i++) {
        for (size_t n = 0; covers[i] && n < findings->items[i].edit_count; n++) {
            const struct edit *edit = &findings->items[i].edits[n];
            bool known = strcmp(edit->path, path) != 0;

            for (size_t k = 0; k < ret->count; k++)
                known = known || same_edit(ret->items[k], edit);
            if (!known)
                array_push(ret->items, ret->count, edit);
        }
    }
}

/* A line that several findings are about: a comment is safest, then what the first one says. */
static const struct edit *edit_of_line(const struct file_edits *edits, unsigned line)
{
    const struct edit *first = NULL;

    for (size_t i = 0; i < edits->count; i++) {
        if (edits->items[i]->line != line || line == 0)
            continue;
        if (edits->items[i]->kind == CONFIG_FIX_COMMENT)
            return edits->items[i];
        if (!first)
            first = edits->items[i];
    }
    return first;
}

static void put(struct editing *editing, const char *text, size_t len, bool changed)
{
    fwrite(text, 1, len, editing->out);
    fputc('\n', editing->out);
    if (changed)
        fprintf(editing->diff, "+%.*s\n", (int)len, text);
}

static bool is_match(const char *line, size_t len)
{
    size_t blanks = 0;

    while (blanks < len && strchr(" \t\"", line[blanks]))
        blanks++;
    return len - blanks > 5 && strncasecmp(line + blanks, "Match", 5) == 0 &&
           strchr(" \t\"=", line[blanks + 5]);
}

/* What moves up stands before the first Match. */
static void put_hoisted(struct editing *editing, const struct file_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i]->kind == CONFIG_FIX_HOIST)
            put(editing, edits->items[i]->with, strlen(edits->items[i]->with), true);
}

static void put_line(struct editing *editing, const char *date, const struct edit *edit,
                     const char *line, size_t len)
{
    auto_free char *comment = NULL;

    if (!edit) {
        put(editing, line, len, false);
        return;
    }
    fprintf(editing->diff, "-%.*s\n", (int)len, line);
    switch (edit->kind) {
    case CONFIG_FIX_COMMENT:
    case CONFIG_FIX_HOIST:
        comment = xasprintf("# sshmend %s: %.*s", date, (int)len, line);
        put(editing, comment, strlen(comment), true);
        break;
    case CONFIG_FIX_REPLACE:
        put(editing, edit->with, strlen(edit->with), true);
        break;
    case CONFIG_FIX_DELETE:
    case CONFIG_FIX_NONE:
        break;
    }
}

static void put_lines(struct editing *editing, const char *date, const struct file_edits *edits,
                      const struct blob *text)
{
    const char *at = (const char *)text->data, *end = at + text->len;
    bool hoisted = false;

    for (unsigned number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);

        if (!hoisted && is_match(at, len)) {
            put_hoisted(editing, edits);
            hoisted = true;
        }
        put_line(editing, date, edit_of_line(edits, number), at, len);
        at = newline ? newline + 1 : end;
    }
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i]->line == 0)
            put(editing, edits->items[i]->with, strlen(edits->items[i]->with), true);
}

static void edit_text(const struct planning *planning, const struct file_edits *edits,
                      struct editing *ret)
{
    const char *date = planning->options->date ? planning->options->date : "";

    ret->out = open_memstream(&ret->text, &ret->text_len);
    ret->diff = open_memstream(&ret->shown, &ret->shown_len);
    if (!ret->out || !ret->diff)
        abort();
    put_lines(ret, date, edits, edits->items[0]->text);
    fclose(ret->out);
    fclose(ret->diff);
}

/* ---- what a new file is given --------------------------------------------------------- */

static size_t node_index(const struct inspection *facts, const char *path)
{
    size_t i = 0;

    while (i < facts->node_count && strcmp(facts->nodes[i].real, path) != 0)
        i++;
    return i;
}

/* A write makes the file anew: its mode and owner are put right with it, where they may be. */
static struct root_meta meta_of(struct planning *planning, const char *path,
                                const struct edit *edit)
{
    size_t index = node_index(planning->facts, path);
    const struct node *node = &planning->facts->nodes[index];
    struct root_meta meta = { 0 };

    if (index == planning->facts->node_count) {
        meta.mode = edit->stat->mode & 07777;
        meta.uid = edit->stat->uid;
        meta.gid = edit->stat->gid;
        meta.label = edit->label;
        return meta;
    }
    meta.mode =
        planning->nodes[index] & (NODE_MODE | NODE_STRICT) ? node->mode : node->stat.mode & 07777;
    meta.uid = planning->nodes[index] & NODE_OWNER ? node->uid : node->stat.uid;
    meta.gid = planning->nodes[index] & NODE_OWNER ? node->gid : node->stat.gid;
    meta.label = planning->nodes[index] & NODE_LABEL ? node->expected_label : node->label;
    planning->written[index] = true;
    return meta;
}

static bool wished(const struct findings *findings, const bool *covers, const char *path)
{
    for (size_t i = 0; i < findings->count; i++)
        for (size_t n = 0; covers[i] && n < findings->items[i].wish_count; n++)
            if (strcmp(findings->items[i].wishes[n].path, path) == 0)
                return true;
    return false;
}

static bool planned(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->change_count; i++)
        if (strcmp(plan->changes[i].path, path) == 0)
            return true;
    return false;
}

static void plan_edit(struct planning *planning, const struct findings *findings,
                      const struct edit *edit)
{
    struct plan *plan = &planning->plan;
    struct file_edits edits = { 0 };
    struct editing editing = { 0 };
    struct change change = {
        .kind = CHANGE_WRITE, .path = xstrdup(edit->path), .new_key = NO_NEW_KEY, .replaces = true
    };

    gather(findings, plan->covers, edit->path, &edits);
    edit_text(planning, &edits, &editing);
    change.content = blob_copy(editing.text, editing.text_len);
    change.diff = take_ptr(editing.shown);
    change.about = xasprintf("%zu %s changed", edits.count, edits.count == 1 ? "line" : "lines");
    change.meta = meta_of(planning, edit->path, edit);
    free(editing.text);
    free(edits.items);
    plan_push(planning, change);
}

static const enum change_kind kind_of_wish[] = { [WISH_FILE] = CHANGE_WRITE,
                                                 [WISH_DIRECTORY] = CHANGE_MKDIR,
                                                 [WISH_LINK] = CHANGE_SYMLINK,
                                                 [WISH_GONE] = CHANGE_REMOVE };

static void plan_wish(struct planning *planning, const struct wish *wish)
{
    size_t index = node_index(planning->facts, wish->path);
    struct change change = { .kind = kind_of_wish[wish->kind],
                             .path = xstrdup(wish->path),
                             .about = xstrdup(wish->about),
                             .new_key = NO_NEW_KEY,
                             .replaces = wish->replaces,
                             .target = wish->target ? xstrdup(wish->target) : NULL,
                             .meta = wish->meta };

    if (wish->content.data)
        change.content = blob_copy(wish->content.data, wish->content.len);
    if (!change.meta.label)
        change.meta.label = inspection_new_label(planning->facts, wish->path);
    if (index < planning->facts->node_count)
        planning->written[index] = true;
    plan_push(planning, change);
}

void plan_texts(struct planning *planning, const struct findings *findings)
{
    struct plan *plan = &planning->plan;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        for (size_t n = 0; plan->covers[i] && n < finding->wish_count; n++)
            if (!planned(plan, finding->wishes[n].path))
                plan_wish(planning, &finding->wishes[n]);
        for (size_t n = 0; plan->covers[i] && n < finding->edit_count; n++)
            if (!planned(plan, finding->edits[n].path) &&
                !wished(findings, plan->covers, finding->edits[n].path))
                plan_edit(planning, findings, &finding->edits[n]);
    }
}
