/* SPDX-License-Identifier: MIT */
/*
 * sshd_config as one particular sshd reads it: split into directives, judged, and
 * how to edit it so that it loads. No disks and no paths but as names: inspect/
 * reads the files and follows Include.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/blob.h"

#include <stdbool.h>
#include <stddef.h>

/* Which sshd reads it. */
struct config_reader {
    int openssh; /* OPENSSH(9, 2); 0: unknown, taken for a present-day one */
    /*
     * Whether the program holds this text as a string of its own: keywords and names
     * of algorithms of patched builds stand in it. NULL where the program cannot tell.
     */
    bool (*holds)(const void *program, const char *text);
    const void *program;
};

/* One file of the configuration, as it is on the disk. */
struct config_text {
    char *path;   /* as sshd names it */
    char *real;   /* canonical */
    bool foreign; /* reached by a link to what is not named like one: not edited */
    struct blob text;
};

/* One line of sshd_config and of what it includes, in the order sshd reads them. */
struct directive {
    char *file;
    unsigned line;
    char *keyword; /* as written */
    char **args;   /* NULL-terminated */
    bool in_match;
    bool overrides;  /* below "Match all", and may be: counts before what stands outside */
    bool unbalanced; /* a quote that does not end */
};

/*
 * Splits one line (without its newline) as this sshd does. The directive's keyword is
 * NULL for a blank line and a comment. False where sshd refuses it: quotes that do not
 * end; the keyword is there all the same. Fills keyword and args alone.
 */
bool config_split(const char *line, size_t len, int openssh, struct directive *ret);
/* "Match all": what follows holds for everybody, as if there were no block. */
bool directive_is_match_all(const struct directive *directive);
/* This sshd takes the keyword in a Match block. */
bool keyword_in_match(const char *keyword, int openssh);
void directive_free(struct directive *directive);

enum config_fault_kind {
    CONFIG_ENCODING,   /* BOM, NUL bytes, marks of a merge: no line of a configuration */
    CONFIG_UNKNOWN,    /* a keyword this sshd does not know */
    CONFIG_DEPRECATED, /* one it only logs */
    CONFIG_VALUE,      /* missing, malformed, too many */
    CONFIG_ALGORITHM,  /* a name in a list that this sshd does not know */
    CONFIG_MISPLACED,  /* not allowed in a Match block */
    CONFIG_MATCH,      /* a Match that it does not understand */
    CONFIG_DUPLICATE,  /* Subsystem twice */
    CONFIG_INCLUDE,    /* matches a dangling link, or itself, or too deep */
    CONFIG_POLICY,     /* legal, and may lock people out */
};

/* What makes it load again, smallest first. */
enum config_fix {
    CONFIG_FIX_NONE,    /* for a human */
    CONFIG_FIX_COMMENT, /* the line becomes a comment */
    CONFIG_FIX_REPLACE, /* the line becomes text */
    CONFIG_FIX_HOIST,   /* the line becomes a comment; text stands above the first Match of its file
                         */
    CONFIG_FIX_DELETE,  /* the line goes: it is no text at all */
};

struct config_fault {
    enum config_fault_kind kind;
    bool fatal;    /* this sshd does not start with it */
    size_t file;   /* index into the texts */
    unsigned line; /* from 1 */
    char *message; /* "Protocl: this sshd knows no such option" */
    enum config_fix fix;
    char *text; /* for CONFIG_FIX_REPLACE and CONFIG_FIX_HOIST; without a newline */
};

/* An Include that sshd cannot follow; found by who reads the files. */
struct config_bad_include {
    size_t file;
    unsigned line;
    char *message; /* "matches /etc/ssh/sshd_config.d/x.conf, a link that leads nowhere" */
};

struct config_input {
    const struct config_reader *reader;
    const struct config_text *texts;
    size_t text_count;
    const struct directive *directives;
    size_t directive_count;
    const struct config_bad_include *bad_includes;
    size_t bad_include_count;
};

/* Every fault, in the order of the files and lines. The caller frees them and the array. */
void config_judge(const struct config_input *input, struct config_fault **ret, size_t *ret_count);
void config_fault_free(struct config_fault *fault);

/* Nothing in it is a directive: empty, NUL, or no text at all. */
bool config_destroyed(const struct blob *text, int openssh);

/* A file loads in this sshd, as far as it can be told without what it includes. */
bool config_text_loads(const struct blob *text, const struct config_reader *reader);

enum algorithm_class { ALGORITHM_CIPHER, ALGORITHM_MAC, ALGORITHM_KEX, ALGORITHM_HOSTKEY };
/* This sshd knows a name of an algorithm. */
bool config_algorithm_known(const struct config_reader *reader, enum algorithm_class class,
                            const char *name);
/*
 * The host key algorithms that this sshd offers, after HostKeyAlgorithms (spec; NULL: the
 * default) with its +, - and ^: NULL-terminated, the caller frees it with text_list_free.
 */
char **config_hostkey_algorithms(const struct config_reader *reader, const char *spec);

#endif
