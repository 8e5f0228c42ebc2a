/* SPDX-License-Identifier: MIT */
/*
 * Commands: argv in, rooms called in order, exit code out. Each cmd_*.c ends with
 * its own row; src/main.c lists them.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "door/open.h"
#include "report/report.h"

#include <stdio.h>

/* fsck's, as bits, or-ed over all systems handled. */
enum exit_code {
    EXIT_FINE = 0,
    EXIT_MENDED = 1,
    EXIT_LEFT = 4,
    EXIT_FAILED = 8,
    EXIT_BAD_USAGE = 16,
    EXIT_CANCELLED = 32,
};

enum search_when {
    SEARCH_AUTO, /* where a key is lost */
    SEARCH_NEVER,
    SEARCH_ALWAYS, /* also where none is; and the word of the disk itself will do */
};

struct options {
    struct report_style style;
    enum report_color color;
    const char *system;      /* --system SELECTOR */
    const char *disk_serial; /* --disk-serial: an attached disk, instead of a target */
    bool all, help, version;
    bool yes, dry_run, list;
    bool all_keys, strict, keep_keys, backup_superblock;
    const char *keys; /* --keys, before it is understood */
    const char *only, *skip, *backup_dir, *run, *known_hosts, *sshfp;
    const char *user, *key;        /* --user, --key */
    const char *key_lines;         /* authorize: the public keys to be let in */
    const char *recover;           /* --recover, before it is understood */
    enum search_when search;       /* of the bare disk, for lost keys */
    const char *clients;           /* --known-hosts FILE */
    const char *fingerprint;       /* --fingerprint */
    struct evidence_list evidence; /* what these two say */
    bool recover_only;             /* lost keys come back, and nothing else is changed */
    const char *timeout;           /* --timeout, before it is understood */
    unsigned seconds;
    bool kvm;
    enum root_way way;          /* --access */
    struct image_source source; /* --format, --backing */
    char **targets;             /* NULL-terminated */
};

struct command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    const char *options; /* the options it takes, by long name, beyond the common ones */
    bool needs_target;   /* does not go through every attached disk */
    int (*run)(const struct options *options);
};

extern const struct command cmd_scan, cmd_check, cmd_repair, cmd_undo, cmd_keys, cmd_authorize,
    cmd_explain, cmd_recover, cmd_prove;
extern const struct command *const commands[]; /* NULL-terminated; in main.c */

/* Guided repair: what happens without arguments on a terminal. */
int guide(void);

/* ---- options.c ------------------------------------------------------------------------ */

/* argv[0] is the command's name. EXIT_FINE, or EXIT_BAD_USAGE after a message. */
int options_parse(int argc, char **argv, const struct command *command, struct options *ret);
void options_free(struct options *options);
void options_help(const struct command *command);
void usage(FILE *to);

/* ---- search.c: lost keys on the bare disk ---------------------------------------------- */

/* Reads what the operator says of them into options->evidence, for evidence_free. */
int search_prepare(struct options *options, struct err *e) MUST_CHECK;

/* ---- say.c: all that goes to stderr --------------------------------------------------- */

void say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The message of an error, and the exit code for it. */
int say_error(const struct err *e);
int exit_code_of(const struct err *e);
/* Ends a program whose output could not be written; returns the code to exit with. */
int finish_output(int code);

/* A line on a terminal if what follows takes longer than a second. */
void progress_start(const char *text);
void progress_stop(void);
/* How far something long has come: redrawn in place on a terminal, silent elsewhere; "" ends it. */
void progress_show(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* From here on a signal ends the program at once, with EXIT_CANCELLED; nothing stays behind. */
void signals_cancel(void);
/* Between these two, none does: a transaction is short, and is finished. */
void signals_hold(void);
void signals_release(void);

#endif
