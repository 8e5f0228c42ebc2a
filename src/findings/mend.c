/* SPDX-License-Identifier: MIT */
/* What would mend a finding, beyond modes, owners and keys: edits of texts, and wishes. */
#include "findings/look.h"

#include "base/alloc.h"

#include <string.h>

void finding_wish(struct finding *finding, struct wish wish)
{
    array_push(finding->wishes, finding->wish_count, wish);
}

void finding_wish_gone(struct finding *finding, const char *path, const char *about)
{
    finding_wish(finding, (struct wish){ .kind = WISH_GONE,
                                         .path = xstrdup(path),
                                         .about = xstrdup(about),
                                         .replaces = true });
}

void finding_wish_substitute(struct finding *finding, const struct substitute *substitute)
{
    struct wish wish = { .kind = WISH_FILE,
                         .meta = substitute->meta,
                         .replaces = substitute->exists };

    if (!substitute->content.data)
        return;
    wish.path = xstrdup(substitute->path);
    wish.about = substitute->source ? xasprintf("from %s", substitute->source)
                                    : xstrdup("as the distribution has it");
    wish.content = blob_copy(substitute->content.data, substitute->content.len);
    finding_wish(finding, wish);
}

void finding_edit(struct finding *finding, const struct text_file *file, unsigned line,
                  enum config_fix kind, char *with)
{
    struct edit edit = { .path = file->real,
                         .text = &file->text,
                         .stat = &file->stat,
                         .label = file->label,
                         .line = line,
                         .kind = kind,
                         .with = with };

    array_push(finding->edits, finding->edit_count, edit);
}

void finding_edit_config(struct finding *finding, const struct config_text *file, unsigned line,
                         enum config_fix kind, char *with)
{
    struct edit edit = {
        .path = file->real, .text = &file->text, .line = line, .kind = kind, .with = with
    };

    if (file->foreign) {
        free(with);
        return;
    }
    array_push(finding->edits, finding->edit_count, edit);
}

void finding_comment_out(struct finding *finding, const struct inspection *facts,
                         const struct directive *directive)
{
    const struct config *config = &facts->config;

    for (size_t i = 0; i < config->file_count; i++) {
        if (strcmp(config->files[i].path, directive->file) != 0)
            continue;
        finding_edit_config(finding, &config->files[i], directive->line, CONFIG_FIX_COMMENT, NULL);
        return;
    }
}

unsigned text_line_of(const struct blob *text, const char *name)
{
    const char *at = (const char *)text->data, *end = at + text->len;
    size_t len = strlen(name);

    for (unsigned line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        if ((size_t)(end - at) > len && strncmp(at, name, len) == 0 && at[len] == ':')
            return line;
        at = newline ? newline + 1 : end;
    }
    return 0;
}
