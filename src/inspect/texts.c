/* SPDX-License-Identifier: MIT */
/* Text files that a mend may change by the line. */
#include "inspect/private.h"

#include "base/alloc.h"

#include <string.h>
#include <sys/stat.h>

const struct text_file *inspection_text(const struct inspection *inspection, const char *real)
{
    for (size_t i = 0; i < inspection->text_count; i++)
        if (strcmp(inspection->texts[i]->real, real) == 0)
            return inspection->texts[i];
    return NULL;
}

/* What a link leads to may be anything: it is not edited. */
static bool is_link(const struct root *root, const char *path)
{
    struct root_stat stat;

    return root_find_link(root, path, NULL, &stat, NULL) == 0 && S_ISLNK(stat.mode);
}

const struct text_file *text_file_add(const struct root *root, struct inspection *inspection,
                                      const char *path, size_t max)
{
    auto_with(root_attributes_free) struct root_attributes attributes = { 0 };
    struct text_file *file = xcalloc(1, sizeof *file);
    const struct text_file *known;

    if (is_link(root, path) ||
        root_describe(root, path, &file->real, &file->stat, &attributes, NULL) < 0 ||
        (known = inspection_text(inspection, file->real)) != NULL ||
        root_read(root, path, max, &file->text, NULL) < 0) {
        known = file->real ? inspection_text(inspection, file->real) : NULL;
        text_file_free(file);
        free(file);
        return known;
    }
    file->path = xstrdup(path);
    file->label = take_ptr(attributes.label);
    array_push(inspection->texts, inspection->text_count, file);
    return file;
}

void text_file_free(struct text_file *file)
{
    free(file->path);
    free(file->real);
    free(file->label);
    blob_free(&file->text);
}
