/* SPDX-License-Identifier: MIT */
#include "prove/private.h"

#include "base/alloc.h"

#include <string.h>

/* Within an escape sequence: none, its second byte, what follows "[". */
enum { PLAIN, ESCAPE, SEQUENCE };

static void end_line(struct console *console)
{
    /* Blank lines say nothing, and screens that are drawn are full of them. */
    if (strspn(console->lines[console->at], " ") < console->len) {
        console->at = (console->at + 1) % CONSOLE_LINES;
        if (console->count < CONSOLE_LINES - 1)
            console->count++;
    }
    console->len = 0;
    memset(console->lines[console->at], 0, sizeof console->lines[0]);
}

/* The last byte of a sequence is a letter; H and J move to another place on the screen. */
static void feed_escaped(struct console *console, char byte)
{
    if (console->escaped == ESCAPE && byte == '[') {
        console->escaped = SEQUENCE;
    } else if (console->escaped == ESCAPE || (byte >= '@' && byte <= '~')) {
        console->escaped = PLAIN;
        if (byte == 'H' || byte == 'J')
            end_line(console);
    }
}

void console_feed(struct console *console, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (console->escaped)
            feed_escaped(console, bytes[i]);
        else if (bytes[i] == '\033')
            console->escaped = ESCAPE;
        else if (bytes[i] == '\n')
            end_line(console);
        else if (bytes[i] >= 0x20 && bytes[i] < 0x7f && console->len < CONSOLE_WIDTH)
            console->lines[console->at][console->len++] = bytes[i];
    }
}

const char *console_last(const struct console *console)
{
    size_t before = (console->at + CONSOLE_LINES - 1) % CONSOLE_LINES;

    return console->len || !console->count ? console->lines[console->at] : console->lines[before];
}

char **console_lines(const struct console *console)
{
    char **lines = xcalloc(CONSOLE_LINES + 1, sizeof *lines);
    size_t count = 0;

    for (size_t i = console->count; i > 0; i--)
        lines[count++] = xstrdup(console->lines[(console->at + CONSOLE_LINES - i) % CONSOLE_LINES]);
    if (console->len)
        lines[count++] = xstrdup(console->lines[console->at]);
    return lines;
}
