/* SPDX-License-Identifier: MIT */
/*
 * The text of a private key, out of whatever it is wrapped in: indented in YAML,
 * with CR LF, or with "\n" for its line ends in JSON. What comes out is the file as
 * ssh-keygen wrote it, so that a key that lay there as a file comes out to the byte.
 *
 * Every byte is looked at once, and the first one that does not belong ends it, so
 * that headers without keys cost nothing. Only where a last line follows all the
 * same, without another first line in between, is it taken for damage.
 */
#include "recover/private.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

enum { BORDER_MAX = 64, COLUMNS_MAX = 80, HEADER_MAX = 256 };

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

static const char *const labels[] = {
    "OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
    "DSA PRIVATE KEY",     "PRIVATE KEY",     "ENCRYPTED PRIVATE KEY",
};

/* What is read, and what becomes of it. */
struct cursor {
    const unsigned char *bytes;
    size_t len, at;
    char *out; /* as long as what is read, and no shorter than a first and a last line */
    size_t used;
};

bool is_base64(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

static void put(struct cursor *in, const char *text, size_t len)
{
    memcpy(in->out + in->used, text, len);
    in->used += len;
}

static bool next_is(const struct cursor *in, const char *text)
{
    size_t len = strlen(text);

    return in->len - in->at >= len && memcmp(in->bytes + in->at, text, len) == 0;
}

static void skip_blanks(struct cursor *in)
{
    while (in->at < in->len && (in->bytes[in->at] == ' ' || in->bytes[in->at] == '\t'))
        in->at++;
}

/* LF, CR LF, or either as an escape. */
static bool skip_line_end(struct cursor *in)
{
    size_t before = in->at;

    skip_blanks(in);
    if (next_is(in, "\r"))
        in->at++;
    else if (next_is(in, "\\r"))
        in->at += 2;
    if (next_is(in, "\n"))
        in->at++;
    else if (next_is(in, "\\n"))
        in->at += 2;
    else {
        in->at = before;
        return false;
    }
    return true;
}

/* The label behind "-----BEGIN " or "-----END ", with its dashes; NULL where it is none of ours. */
static const char *read_label(struct cursor *in)
{
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        size_t len = strlen(labels[i]);

        if (next_is(in, labels[i]) && in->len - in->at >= len + 5 &&
            memcmp(in->bytes + in->at + len, DASHES, 5) == 0) {
            in->at += len + 5;
            return labels[i];
        }
    }
    return NULL;
}

static void put_border(struct cursor *in, const char *mark, const char *label)
{
    put(in, mark, strlen(mark));
    put(in, label, strlen(label));
    put(in, DASHES "\n", 6);
}

static bool read_first_line(struct cursor *in, const char **ret_label)
{
    in->at += strlen(BEGIN);
    *ret_label = read_label(in);
    if (!*ret_label || !skip_line_end(in))
        return false;
    put_border(in, BEGIN, *ret_label);
    return true;
}

/* "Proc-Type: 4,ENCRYPTED", "DEK-Info: …" and the empty line behind them. */
static void read_headers(struct cursor *in)
{
    static const char *const names[] = { "Proc-Type:", "DEK-Info:" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t start = in->at;

        if (!next_is(in, names[i]))
            continue;
        while (in->at < in->len && in->at - start < HEADER_MAX && in->bytes[in->at] > ' ' - 1 &&
               in->bytes[in->at] < 0x7f && in->bytes[in->at] != '\\')
            in->at++;
        put(in, (const char *)in->bytes + start, in->at - start);
        if (skip_line_end(in))
            put(in, "\n", 1);
        skip_blanks(in);
    }
    if (skip_line_end(in))
        put(in, "\n", 1);
}

/* Lines of base64, up to whatever is not. */
static void read_body(struct cursor *in, struct armour *ret)
{
    for (;;) {
        size_t start;

        skip_blanks(in);
        start = in->at;
        while (in->at < in->len && in->at < ARMOUR_MAX && is_base64(in->bytes[in->at]))
            in->at++;
        if (in->at == start) {
            if (!skip_line_end(in))
                return;
            continue; /* double spaced */
        }
        put(in, (const char *)in->bytes + start, in->at - start);
        ret->column = in->at - start;
        if (in->at >= ARMOUR_MAX || !skip_line_end(in))
            return;
        if (ret->width == 0)
            ret->width = ret->column;
        ret->irregular = ret->irregular || ret->column > ret->width;
        ret->column = 0;
        put(in, "\n", 1);
    }
}

static bool read_last_line(struct cursor *in, const char *label)
{
    size_t before = in->at;

    if (next_is(in, END)) {
        in->at += strlen(END);
        if (read_label(in) == label) {
            put_border(in, END, label);
            /* The file ends with a line end; what it is wrapped in may not have one. */
            (void)skip_line_end(in);
            return true;
        }
    }
    in->at = before;
    return false;
}

/* As ssh-keygen has them (sshkey.c) and libcrypto (PEM_write). */
static size_t width_of(const char *label)
{
    return label == labels[0] ? 70 : 64;
}

/*
 * The last line follows although something in between does not belong: with '?' for
 * that, where line ends should be.
 */
static bool read_damaged(struct cursor *in, const char *label, size_t body)
{
    size_t limit = in->len < ARMOUR_DAMAGED ? in->len : ARMOUR_DAMAGED, width = width_of(label);
    const unsigned char *rest = in->bytes + body;
    char last[BORDER_MAX];
    const unsigned char *end;
    size_t damaged = 0;

    snprintf(last, sizeof last, END "%s" DASHES, label);
    if (limit <= body || !(end = memmem(rest, limit - body, last, strlen(last))) ||
        memmem(rest, (size_t)(end - rest), BEGIN, strlen(BEGIN)))
        return false;
    /* Mostly something else: a piece of a key, and another one's end. */
    for (size_t i = 0; rest + i < end; i++)
        damaged += !is_base64(rest[i]) && rest[i] != '\n';
    if (damaged > (size_t)(end - rest) / 4)
        return false;
    in->used = 0;
    put_border(in, BEGIN, label);
    for (size_t i = 0; rest + i < end; i++) {
        bool line_end = i % (width + 1) == width || rest + i + 1 == end;
        char c = line_end ? '\n' : is_base64(rest[i]) ? (char)rest[i] : '?';

        put(in, &c, 1);
    }
    in->at = (size_t)(end - in->bytes) + strlen(last);
    put_border(in, END, label);
    return true;
}

static void finish(struct cursor *in, enum armour_state state, struct armour *ret)
{
    ret->state = state;
    ret->length = in->at;
    ret->text = (struct blob){ .data = (unsigned char *)in->out, .len = in->used };
    in->out[in->used] = '\0';
    in->out = NULL;
}

void armour_read(const unsigned char *bytes, size_t len, bool all, struct armour *ret)
{
    /* Line ends may be made up, at most one a line and one for each border. */
    size_t room = (len < ARMOUR_MAX ? len : ARMOUR_MAX) * 2 + 256;
    struct cursor in = { .bytes = bytes, .len = len };
    const char *label;
    size_t body;
    bool whole;

    *ret = (struct armour){ .state = ARMOUR_NONE };
    in.out = xcalloc(room, 1);
    if (read_first_line(&in, &label)) {
        skip_blanks(&in);
        read_headers(&in);
        body = in.at;
        read_body(&in, ret);
        whole = read_last_line(&in, label);
        /* A line that is longer than the first one: a line end has become something else. */
        if (whole && !ret->irregular)
            finish(&in, ARMOUR_WHOLE, ret);
        else if (!whole && !all && in.len - in.at < BORDER_MAX)
            ret->state = ARMOUR_MORE;
        else if (in.at > body && read_damaged(&in, label, body))
            finish(&in, ARMOUR_DAMAGED_BODY, ret);
        else if (whole)
            finish(&in, ARMOUR_WHOLE, ret);
        else if (in.at > body)
            finish(&in, ARMOUR_TORN, ret);
    } else if (!all && len < BORDER_MAX) {
        ret->state = ARMOUR_MORE;
    }
    if (in.out)
        explicit_bzero(in.out, room);
    free(in.out);
}

/* The start of a line that ends at `end`; with *ret_whole where a line end stands before it. */
static size_t line_before(const unsigned char *bytes, size_t end, bool *ret_whole)
{
    size_t start = end;

    while (start > 0 && end - start < COLUMNS_MAX && is_base64(bytes[start - 1]))
        start--;
    *ret_whole = start < end && start > 0 && bytes[start - 1] == '\n';
    return start;
}

void armour_read_back(const unsigned char *bytes, size_t end, size_t len, struct armour *ret)
{
    struct cursor in = { .bytes = bytes, .len = len, .at = end + strlen(END) };
    const char *label = read_label(&in);
    size_t start = end, characters = 0;
    bool whole = true;

    *ret = (struct armour){ .state = ARMOUR_NONE, .length = in.at };
    if (!label)
        return;
    while (whole && start > 0 && bytes[start - 1] == '\n') {
        size_t line = line_before(bytes, start - 1, &whole);

        if (line == start - 1)
            break; /* the line before it ends with something else */
        characters += start - 1 - line;
        start = line;
    }
    if (characters < 4)
        return;
    in.out = xcalloc(end - start + 2 * BORDER_MAX, 1);
    put_border(&in, BEGIN, label);
    /* Four characters are three bytes, counted from the end: the start may be lost. */
    for (size_t i = start, skip = characters % 4; i < end; i++) {
        if (skip > 0)
            skip -= bytes[i] != '\n';
        else
            put(&in, (const char *)bytes + i, 1);
    }
    put_border(&in, END, label);
    finish(&in, ARMOUR_WHOLE, ret);
    ret->length = start;
}

struct blob armour_closed(const struct blob *text)
{
    const char *label = (const char *)text->data + strlen(BEGIN);
    size_t len = strcspn(label, "-");
    struct blob closed = blob_zeroed(text->len + BORDER_MAX);
    struct cursor out = { .out = (char *)closed.data };
    char name[BORDER_MAX / 2];

    snprintf(name, sizeof name, "%.*s", (int)len, label);
    put(&out, (const char *)text->data, text->len);
    if (text->data[text->len - 1] != '\n')
        put(&out, "\n", 1);
    put_border(&out, END, name);
    closed.len = out.used;
    return closed;
}

void armour_free(struct armour *armour)
{
    blob_free(&armour->text);
}
