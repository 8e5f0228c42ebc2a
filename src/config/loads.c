/* SPDX-License-Identifier: MIT */
/* One file by itself: would this sshd start with it? For copies that could be put back. */
#include "config/config.h"

#include "base/alloc.h"

#include <string.h>
#include <strings.h>

static void split_text(const struct config_text *file, int openssh, struct directive **ret,
                       size_t *ret_count)
{
    const char *at = (const char *)file->text.data, *end = at + file->text.len;
    bool in_match = false;

    for (unsigned number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct directive directive = { .line = number };

        config_split(at, (size_t)((newline ? newline : end) - at), openssh, &directive);
        at = newline ? newline + 1 : end;
        if (!directive.keyword)
            continue;
        if (strcasecmp(directive.keyword, "Match") == 0)
            in_match = !directive_is_match_all(&directive);
        directive.in_match = in_match;
        directive.file = xstrdup(file->path);
        array_push(*ret, *ret_count, directive);
    }
}

bool config_text_loads(const struct blob *text, const struct config_reader *reader)
{
    static char name[] = "sshd_config";
    struct config_text file = { .path = name, .real = name, .text = *text };
    struct config_input input = { .reader = reader, .texts = &file, .text_count = 1 };
    struct directive *directives = NULL;
    struct config_fault *faults;
    size_t fault_count;
    bool loads = true;

    split_text(&file, reader->openssh, &directives, &input.directive_count);
    input.directives = directives;
    config_judge(&input, &faults, &fault_count);
    for (size_t i = 0; i < fault_count; i++) {
        loads = loads && !faults[i].fatal;
        config_fault_free(&faults[i]);
    }
    for (size_t i = 0; i < input.directive_count; i++)
        directive_free(&directives[i]);
    free(directives);
    free(faults);
    return loads;
}
