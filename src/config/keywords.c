/* SPDX-License-Identifier: MIT */
#include "config/tables.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct keyword keywords[] = {
#include "config/keywords.inc"
};

const struct keyword *keyword_row(const char *name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcasecmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

int reader_release(const struct config_reader *reader)
{
    return reader->openssh ? reader->openssh : NEWEST;
}

bool keyword_in_match(const char *keyword, int openssh)
{
    const struct config_reader reader = { .openssh = openssh };
    const struct keyword *row = keyword_row(keyword);

    return row && reader_release(&reader) >= row->match;
}

bool keyword_in_program(const struct config_reader *reader, const char *name)
{
    auto_free char *lower = xstrdup(name);

    for (char *at = lower; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return reader->holds(reader->program, lower) || reader->holds(reader->program, name);
}

/*
 * Distributions add keywords of their own and backport others: the program's own table
 * of keywords tells, as the strings they are. Where it cannot be asked, a keyword that
 * some distribution has is taken for known.
 */
bool keyword_known(const struct config_reader *reader, const struct keyword *row)
{
    int release = reader_release(reader);

    if (reader->openssh == 0)
        return row->removed == NEVER || row->since == NEVER;
    if (row->since != NEVER && release >= row->since && release < row->removed)
        return true;
    if (release >= row->removed)
        return false;
    return reader->holds ? keyword_in_program(reader, row->name) : row->since == NEVER;
}
