/* SPDX-License-Identifier: MIT */
/*
 * A whole configuration: every line that this sshd refuses, and the smallest edit with
 * which it loads. What an edit must never do is let in who was kept out: a Match block
 * goes as a whole or not at all, and a line that only restricts is left to a human.
 */
#include "config/tables.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

struct judging {
    const struct config_input *input;
    struct config_fault *faults;
    size_t count;
};

static void add(struct judging *judging, struct config_fault fault)
{
    array_push(judging->faults, judging->count, fault);
}

static size_t text_index(const struct config_input *input, const char *path)
{
    for (size_t i = 0; i < input->text_count; i++)
        if (strcmp(input->texts[i].path, path) == 0)
            return i;
    return 0;
}

/* A line of a file, without its newline. */
static char *line_of(const struct config_text *text, unsigned number)
{
    const char *at = (const char *)text->text.data, *end = at + text->text.len;

    while (--number && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        at = newline ? newline + 1 : end;
    }
    return xstrndup(at, strcspn(at, "\n"));
}

/* Without them people would get in whom they keep out. */
static bool restricts(const char *keyword)
{
    static const char *const names[] = { "AllowUsers",  "AllowGroups",          "DenyUsers",
                                         "DenyGroups",  "ForceCommand",         "ChrootDirectory",
                                         "RevokedKeys", "AuthenticationMethods" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(names[i], keyword) == 0)
            return true;
    return false;
}

static void add_line(struct judging *judging, const struct directive *directive,
                     enum config_fault_kind kind, char *what, enum config_fix fix, char *text)
{
    auto_free char *owned = what;

    add(judging, (struct config_fault){ .kind = kind,
                                        .fatal = true,
                                        .file = text_index(judging->input, directive->file),
                                        .line = directive->line,
                                        .message = xasprintf("%s: %s", directive->keyword, owned),
                                        .fix = fix,
                                        .text = text });
}

/* ---- one line ------------------------------------------------------------------------- */

/* The line as it stands, with the list cut down to what is known; NULL where nothing is left. */
static char *shortened(const struct judging *judging, const struct directive *directive,
                       enum algorithm_class class)
{
    const struct config_input *input = judging->input;
    const char *list = directive->args[0], *at;
    auto_free char *kept = algorithms_known(input->reader, class, list);
    auto_free char *line =
        line_of(&input->texts[text_index(input, directive->file)], directive->line);

    at = strstr(line, list);
    if (!kept || !at)
        return NULL;
    return xasprintf("%.*s%s%s", (int)(at - line), line, kept, at + strlen(list));
}

/* What a list of forwardings that makes no sense becomes: nobody may forward anything. */
static char *strictest(const struct keyword *row)
{
    return strcmp(row->value, "permitopen") == 0 ? xasprintf("%s none", row->name) : NULL;
}

/* True where there is something wrong. */
static bool judge_value(struct judging *judging, const struct directive *directive,
                        const struct keyword *row)
{
    enum config_fix fix = restricts(row->name) ? CONFIG_FIX_NONE : CONFIG_FIX_COMMENT;
    enum algorithm_class class;
    enum config_fault_kind kind;
    char *what = value_fault(judging->input->reader, row, directive, &kind), *text;

    if (!what)
        return false;
    text = kind == CONFIG_ALGORITHM && algorithm_list(row, &class)
               ? shortened(judging, directive, class)
               : strictest(row);
    add_line(judging, directive, kind, what, text ? CONFIG_FIX_REPLACE : fix, text);
    return true;
}

static bool set_globally(const struct config_input *input, const struct directive *directive)
{
    for (size_t i = 0; i < input->directive_count; i++)
        if (!input->directives[i].in_match &&
            strcasecmp(input->directives[i].keyword, directive->keyword) == 0)
            return true;
    return false;
}

/* Above the first Match it says what it was meant to say; where that is said already, it goes. */
static void judge_place(struct judging *judging, const struct directive *directive)
{
    const struct config_input *input = judging->input;
    size_t file = text_index(input, directive->file);
    const struct keyword *row = keyword_row(directive->keyword);
    enum config_fault_kind kind;
    auto_free char *wrong = value_fault(input->reader, row, directive, &kind);
    bool hoist = file == 0 && !wrong && !set_globally(input, directive);

    add_line(judging, directive, CONFIG_MISPLACED, xstrdup("is not allowed in a Match block"),
             hoist ? CONFIG_FIX_HOIST : CONFIG_FIX_COMMENT,
             hoist ? line_of(&input->texts[file], directive->line) : NULL);
}

static char *unknown_in_words(const struct keyword *row)
{
    if (!row)
        return xstrdup("no sshd knows such an option");
    if (row->removed != NEVER)
        return xstrdup("this sshd no longer knows this option");
    if (row->since == NEVER)
        return xstrdup("only the sshd of another distribution knows this option");
    return xstrdup("this sshd is too old for this option");
}

static void note_ignored(struct judging *judging, const struct directive *directive)
{
    size_t before = judging->count;

    add_line(judging, directive, CONFIG_DEPRECATED, xstrdup("of no effect in this sshd"),
             CONFIG_FIX_NONE, NULL);
    judging->faults[before].fatal = false;
}

static bool newer_than_we_know(const struct config_reader *reader, const char *keyword)
{
    return reader->openssh > NEWEST && reader->holds && strlen(keyword) > 5 &&
           keyword_in_program(reader, keyword);
}

/* True where the directives up to the next Match go with this one. */
static bool judge_directive(struct judging *judging, const struct directive *directive)
{
    const struct config_reader *reader = judging->input->reader;
    const struct keyword *row = keyword_row(directive->keyword);
    char *what;

    if (!row && newer_than_we_know(reader, directive->keyword))
        return false;
    if (!row || !keyword_known(reader, row)) {
        add_line(judging, directive, CONFIG_UNKNOWN, unknown_in_words(row), CONFIG_FIX_COMMENT,
                 NULL);
        return false;
    }
    if (directive->unbalanced) {
        add_line(judging, directive, CONFIG_VALUE, xstrdup("a quote does not end"),
                 restricts(row->name) ? CONFIG_FIX_NONE : CONFIG_FIX_COMMENT, NULL);
        return false;
    }
    if (strcmp(row->value, "match") == 0) {
        what = match_fault(reader, directive);
        if (what)
            add_line(judging, directive, CONFIG_MATCH, what, CONFIG_FIX_COMMENT, NULL);
        return what != NULL;
    }
    if (directive->in_match && reader_release(reader) < row->match)
        judge_place(judging, directive);
    else if (reader_release(reader) >= row->ignored)
        note_ignored(judging, directive);
    else
        judge_value(judging, directive, row);
    return false;
}

/* What stands in a block that is taken out goes with it: alone it would hold for everybody. */
static void take_out(struct judging *judging, const struct directive *directive)
{
    add(judging,
        (struct config_fault){ .kind = CONFIG_MATCH,
                               .fatal = true,
                               .file = text_index(judging->input, directive->file),
                               .line = directive->line,
                               .message = xasprintf("%s: stands in that block", directive->keyword),
                               .fix = CONFIG_FIX_COMMENT });
}

static void judge_directives(struct judging *judging)
{
    const struct config_input *input = judging->input;
    bool out = false;

    for (size_t i = 0; i < input->directive_count; i++) {
        const struct directive *directive = &input->directives[i];

        if (strcasecmp(directive->keyword, "Match") == 0)
            out = false;
        if (out)
            take_out(judging, directive);
        else
            out = judge_directive(judging, directive);
    }
}

/* ---- lines against each other --------------------------------------------------------- */

static bool same_subsystem(const struct directive *a, const struct directive *b)
{
    return strcasecmp(b->keyword, "Subsystem") == 0 && b->args[0] && a->args[0] &&
           strcasecmp(a->args[0], b->args[0]) == 0;
}

static void judge_subsystems(struct judging *judging)
{
    const struct config_input *input = judging->input;

    if (reader_release(input->reader) >= OPENSSH(9, 5))
        return;
    for (size_t i = 0; i < input->directive_count; i++)
        for (size_t n = 0; n < i; n++)
            if (strcasecmp(input->directives[n].keyword, "Subsystem") == 0 &&
                same_subsystem(&input->directives[n], &input->directives[i])) {
                add_line(judging, &input->directives[i], CONFIG_DUPLICATE,
                         xasprintf("%s is defined already", input->directives[i].args[0]),
                         CONFIG_FIX_COMMENT, NULL);
                break;
            }
}

static const struct directive *first_global(const struct config_input *input, const char *keyword)
{
    for (size_t i = 0; i < input->directive_count; i++)
        if (!input->directives[i].in_match && input->directives[i].args[0] &&
            strcasecmp(input->directives[i].keyword, keyword) == 0)
            return &input->directives[i];
    return NULL;
}

/* sshd.c, main: a command needs the user it runs as. */
static void judge_commands(struct judging *judging)
{
    static const char *const pairs[][2] = {
        { "AuthorizedKeysCommand", "AuthorizedKeysCommandUser" },
        { "AuthorizedPrincipalsCommand", "AuthorizedPrincipalsCommandUser" }
    };
    const struct config_input *input = judging->input;

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct directive *command = first_global(input, pairs[i][0]);

        if (command && strcasecmp(command->args[0], "none") != 0 &&
            !first_global(input, pairs[i][1]) && !first_global(input, "AuthorizedKeysCommandRunAs"))
            add_line(judging, command, CONFIG_VALUE, xasprintf("is set without %s", pairs[i][1]),
                     CONFIG_FIX_COMMENT, NULL);
    }
}

/* "none" names no key, and does away with those sshd would look for (servconf.c, CLEAR_ON_NONE). */
static void judge_host_keys(struct judging *judging)
{
    const struct config_input *input = judging->input;
    const struct directive *none = NULL;

    for (size_t i = 0; i < input->directive_count; i++) {
        const struct directive *directive = &input->directives[i];

        if (strcasecmp(directive->keyword, "HostKey") != 0 || !directive->args[0])
            continue;
        if (strcasecmp(directive->args[0], "none") != 0)
            return;
        none = directive;
    }
    if (none && reader_release(input->reader) >= OPENSSH(6, 8))
        add_line(judging, none, CONFIG_VALUE, xstrdup("no host key is named"), CONFIG_FIX_COMMENT,
                 NULL);
}

static bool method_enabled(const struct config_input *input, const char *method)
{
    static const struct {
        const char *method, *keyword, *other;
        bool by_default;
    } switches[] = {
        { "publickey", "PubkeyAuthentication", NULL, true },
        { "password", "PasswordAuthentication", NULL, true },
        { "keyboard-interactive", "KbdInteractiveAuthentication", "ChallengeResponseAuthentication",
          true },
        { "hostbased", "HostbasedAuthentication", NULL, false },
        { "gssapi-with-mic", "GSSAPIAuthentication", NULL, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
        const struct directive *first;

        if (strcmp(switches[i].method, method) != 0)
            continue;
        first = first_global(input, switches[i].keyword);
        if (!first && switches[i].other)
            first = first_global(input, switches[i].other);
        return first ? strcasecmp(first->args[0], "yes") == 0 : switches[i].by_default;
    }
    return true;
}

static bool satisfiable(const struct config_input *input, const char *list)
{
    auto_free char *copy = xstrdup(list);
    char *rest = copy, *method;

    while ((method = strsep(&rest, ","))) {
        method[strcspn(method, ":")] = '\0';
        if (!method_enabled(input, method))
            return false;
    }
    return true;
}

/* auth2.c, auth2_setup_methods_lists: one list that can be met is enough; 6.2 and later. */
static void judge_methods(struct judging *judging)
{
    const struct config_input *input = judging->input;
    const struct directive *methods = first_global(input, "AuthenticationMethods");

    if (!methods || strcmp(methods->args[0], "any") == 0)
        return;
    for (char **list = methods->args; *list; list++)
        if (satisfiable(input, *list))
            return;
    add_line(judging, methods, CONFIG_VALUE,
             xstrdup("each list needs a method that is switched off"), CONFIG_FIX_NONE, NULL);
}

/* ---- bytes ---------------------------------------------------------------------------- */

static void add_bytes(struct judging *judging, size_t file, unsigned line, const char *what,
                      enum config_fix fix, char *text)
{
    add(judging, (struct config_fault){ .kind = CONFIG_ENCODING,
                                        .fatal = true,
                                        .file = file,
                                        .line = line,
                                        .message = xstrdup(what),
                                        .fix = fix,
                                        .text = text });
}

/* Which side of a merge a line is on; the first one stays. */
enum side { OUTSIDE, OURS, THEIRS };

static bool is_mark(const char *line, size_t len, const char *mark)
{
    return len >= 7 && strncmp(line, mark, 7) == 0 && (len == 7 || strchr(" \r", line[7]));
}

static enum side judge_merge(struct judging *judging, size_t file, unsigned number,
                             const char *line, size_t len, enum side side)
{
    enum side next = is_mark(line, len, "<<<<<<<")                      ? OURS
                     : side == OURS && is_mark(line, len, "=======")    ? THEIRS
                     : side != OUTSIDE && is_mark(line, len, ">>>>>>>") ? OUTSIDE
                                                                        : side;

    if (next != side)
        add_bytes(judging, file, number, "a mark of a merge", CONFIG_FIX_COMMENT, NULL);
    else if (side == THEIRS && len)
        add_bytes(judging, file, number, "the other side of a merge", CONFIG_FIX_COMMENT, NULL);
    return next;
}

static void judge_bytes(struct judging *judging, size_t file)
{
    const struct blob *text = &judging->input->texts[file].text;
    const char *at = (const char *)text->data, *end = at + text->len;
    enum side side = OUTSIDE;

    for (unsigned number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);

        if (number == 1 && len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
            add_bytes(judging, file, 1, "a byte order mark", CONFIG_FIX_REPLACE,
                      xstrndup(at + 3, len - 3));
        else if (memchr(at, '\0', len))
            add_bytes(judging, file, number, "NUL bytes", CONFIG_FIX_DELETE, NULL);
        else
            side = judge_merge(judging, file, number, at, len, side);
        at = newline ? newline + 1 : end;
    }
}

/* A line whose bytes are no text of a configuration is told by that alone. */
static void drop_shadowed(struct judging *judging, size_t bytes)
{
    size_t kept = bytes;

    for (size_t i = bytes; i < judging->count; i++) {
        struct config_fault *fault = &judging->faults[i];
        bool shadowed = false;

        for (size_t n = 0; n < bytes && !shadowed; n++)
            shadowed =
                judging->faults[n].file == fault->file && judging->faults[n].line == fault->line;
        if (shadowed)
            config_fault_free(fault);
        else
            judging->faults[kept++] = *fault;
    }
    judging->count = kept;
}

/* ---- what may lock people out --------------------------------------------------------- */

static const struct {
    const char *keyword, *value; /* value: NULL: any */
    const char *what;
} policies[] = {
    { "AllowUsers", NULL, "lets in only whom it names" },
    { "AllowGroups", NULL, "lets in only whom it names" },
    { "DenyUsers", NULL, "keeps out whom it names" },
    { "DenyGroups", NULL, "keeps out whom it names" },
    { "PermitRootLogin", "no", "root cannot log in" },
    { "PermitRootLogin", "forced-commands-only", "root can run forced commands only" },
    { "PubkeyAuthentication", "no", "keys are not accepted" },
    { "ListenAddress", NULL, "sshd listens on this address alone" },
    { "Port", NULL, "sshd listens on this port" },
};

static void judge_policy(struct judging *judging)
{
    const struct config_input *input = judging->input;

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        const struct directive *first = first_global(input, policies[i].keyword);
        const char *value = policies[i].value;

        if (!first || (value && strcasecmp(value, first->args[0]) != 0) ||
            strcmp(first->args[0], "22") == 0 || strcmp(first->args[0], "0.0.0.0") == 0 ||
            strcmp(first->args[0], "::") == 0)
            continue;
        add(judging,
            (struct config_fault){ .kind = CONFIG_POLICY,
                                   .file = text_index(input, first->file),
                                   .line = first->line,
                                   .message = xasprintf("%s %s: %s", first->keyword, first->args[0],
                                                        policies[i].what) });
    }
}

/* ---- all of it ------------------------------------------------------------------------ */

static void judge_includes(struct judging *judging)
{
    for (size_t i = 0; i < judging->input->bad_include_count; i++) {
        const struct config_bad_include *bad = &judging->input->bad_includes[i];

        add(judging, (struct config_fault){ .kind = CONFIG_INCLUDE,
                                            .fatal = true,
                                            .file = bad->file,
                                            .line = bad->line,
                                            .message = xasprintf("Include %s", bad->message),
                                            .fix = CONFIG_FIX_COMMENT });
    }
}

void config_judge(const struct config_input *input, struct config_fault **ret, size_t *ret_count)
{
    struct judging judging = { .input = input };
    size_t bytes;

    for (size_t i = 0; i < input->text_count; i++)
        judge_bytes(&judging, i);
    bytes = judging.count;
    judge_directives(&judging);
    judge_subsystems(&judging);
    judge_commands(&judging);
    judge_host_keys(&judging);
    judge_methods(&judging);
    judge_includes(&judging);
    drop_shadowed(&judging, bytes);
    judge_policy(&judging);
    *ret = judging.faults;
    *ret_count = judging.count;
}

void config_fault_free(struct config_fault *fault)
{
    free(fault->message);
    free(fault->text);
}

/* What is a comment throughout says nothing either, but somebody wrote it. */
static bool line_says_something(const char *line, size_t len, int openssh, bool *ret_known)
{
    struct directive directive = { 0 };
    bool something;

    (void)config_split(line, len, openssh, &directive);
    something = directive.keyword != NULL;
    *ret_known = something && keyword_row(directive.keyword);
    directive_free(&directive);
    return something || (len && memchr(line, '#', len));
}

bool config_destroyed(const struct blob *text, int openssh)
{
    const char *at = (const char *)text->data, *end = at + text->len;
    bool any = false, comment_only = true;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);
        bool known = false;

        if (!memchr(at, '\0', len) && line_says_something(at, len, openssh, &known)) {
            any = true;
            comment_only = comment_only && memchr(at, '#', len) == at;
        }
        if (known)
            return false;
        at = newline ? newline + 1 : end;
    }
    return !any || !comment_only;
}
