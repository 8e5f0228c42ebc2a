/* SPDX-License-Identifier: MIT */
/* One table of options for all commands; usage, parsing and the lint of the man page follow it. */
#include "cli/cli.h"

#include "base/alloc.h"
#include "base/text.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum option_type { TYPE_FLAG, TYPE_TEXT, TYPE_COLOR, TYPE_ACCESS, TYPE_LIST };

static const struct option_row {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* the name of its argument; NULL: it takes none */
    const char *help;
    enum option_type type;
    size_t at; /* where in struct options */
    bool common;
    const char *word; /* how a command's row asks for it, where two share a name; NULL: the name */
} rows[] = {
    { "system", 0, "SELECTOR", "the system meant: number from scan, file system UUID, or device",
      TYPE_TEXT, offsetof(struct options, system), true, NULL },
    { "disk-serial", 0, "SERIAL", "the attached disk of this serial, as scan shows it", TYPE_TEXT,
      offsetof(struct options, disk_serial), true, NULL },
    { "all", 0, NULL, "every system found", TYPE_FLAG, offsetof(struct options, all), true, NULL },
    { "format", 0, "FORMAT", "what an image is: raw (default), qcow2, vmdk, vdi, vhd or vhdx",
      TYPE_TEXT, offsetof(struct options, source.format), true, NULL },
    { "backing", 0, "FILE", "what such an image stands on, and what that does, given once more",
      TYPE_LIST, offsetof(struct options, source.backing), true, NULL },
    { "access", 0, "WAY",
      "auto: mount where that is allowed; mount; direct: ext2, ext3, ext4 without mounting",
      TYPE_ACCESS, offsetof(struct options, way), true, NULL },
    { "json", 0, NULL, "one JSON object a system and line", TYPE_FLAG,
      offsetof(struct options, style.json), true, NULL },
    { "quiet", 'q', NULL, "no output but errors", TYPE_FLAG, offsetof(struct options, style.quiet),
      true, NULL },
    { "verbose", 'v', NULL, "everything, notes on modes too", TYPE_FLAG,
      offsetof(struct options, style.verbose), true, NULL },
    { "color", 0, "WHEN", "auto, always or never", TYPE_COLOR, offsetof(struct options, color),
      true, NULL },
    { "help", 'h', NULL, "this text", TYPE_FLAG, offsetof(struct options, help), true, NULL },
    { "version", 'V', NULL, "the version and what is built in", TYPE_FLAG,
      offsetof(struct options, version), true, NULL },
    { "yes", 'y', NULL, "do not ask", TYPE_FLAG, offsetof(struct options, yes), false, NULL },
    { "dry-run", 'n', NULL, "show the plan and stop", TYPE_FLAG, offsetof(struct options, dry_run),
      false, NULL },
    { "keys", 0, "WHICH", "broken (default): new keys only for those beyond mending; all: for all",
      TYPE_TEXT, offsetof(struct options, keys), false, NULL },
    { "only", 0, "ID,...", "mend only these findings", TYPE_TEXT, offsetof(struct options, only),
      false, NULL },
    { "skip", 0, "ID,...", "leave these findings", TYPE_TEXT, offsetof(struct options, skip), false,
      NULL },
    { "strict", 0, NULL, "also restore what only differs from the distribution's own modes",
      TYPE_FLAG, offsetof(struct options, strict), false, NULL },
    { "keep-keys", 0, NULL, "tell cloud-init to leave the host keys alone", TYPE_FLAG,
      offsetof(struct options, keep_keys), false, NULL },
    { "backup-dir", 0, "DIR", "where on the target the old files go (/var/lib/sshmend)", TYPE_TEXT,
      offsetof(struct options, backup_dir), false, NULL },
    { "backup-superblock", 0, NULL,
      "where an ext4 has lost its superblock, have e2fsck put it back", TYPE_FLAG,
      offsetof(struct options, backup_superblock), false, NULL },
    { "user", 0, "NAME", "whom to let in", TYPE_TEXT, offsetof(struct options, user), false, NULL },
    { "key", 0, "FILE", "the public key, or - for stdin", TYPE_TEXT, offsetof(struct options, key),
      false, NULL },
    { "run", 0, "ID", "the run to undo (the newest)", TYPE_TEXT, offsetof(struct options, run),
      false, NULL },
    { "list", 0, NULL, "list the runs there are", TYPE_FLAG, offsetof(struct options, list), false,
      NULL },
    { "list", 0, NULL, "only show what is found", TYPE_FLAG, offsetof(struct options, list), false,
      "list-found" },
    { "known-hosts", 0, "NAME,...", "lines for known_hosts of clients, for a host of these names",
      TYPE_TEXT, offsetof(struct options, known_hosts), false, NULL },
    { "known-hosts", 0, "FILE", "what clients know this host by: a known_hosts file of theirs",
      TYPE_TEXT, offsetof(struct options, clients), false, "clients" },
    { "fingerprint", 0, "SHA256:...", "what clients know this host by, as ssh-keygen -l shows it",
      TYPE_TEXT, offsetof(struct options, fingerprint), false, NULL },
    { "recover", 0, "WHEN", "search the bare disk for lost keys: auto, never or always", TYPE_TEXT,
      offsetof(struct options, recover), false, NULL },
    { "timeout", 0, "SECONDS", "how long to wait for sshd (300)", TYPE_TEXT,
      offsetof(struct options, timeout), false, NULL },
    { "kvm", 0, NULL, "boot with the processor's virtualization, not by emulation", TYPE_FLAG,
      offsetof(struct options, kvm), false, NULL },
    { "sshfp", 0, "NAME", "SSHFP records for DNS, for a host of this name", TYPE_TEXT,
      offsetof(struct options, sshfp), false, NULL },
};

static bool takes(const struct command *command, const struct option_row *row)
{
    return row->common || text_has_word(command->options, row->word ? row->word : row->name);
}

/* getopt_long's table, and its string of letters, for one command. */
struct getopt_tables {
    struct option longs[ARRAY_SIZE(rows) + 1];
    char letters[2 * ARRAY_SIZE(rows) + 2];
};

static void fill_tables(const struct command *command, struct getopt_tables *tables)
{
    size_t count = 0, letters = 0;

    *tables = (struct getopt_tables){ 0 };
    tables->letters[letters++] = ':';
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!takes(command, &rows[i]))
            continue;
        tables->longs[count++] =
            (struct option){ .name = rows[i].name,
                             .has_arg = rows[i].value ? required_argument : no_argument,
                             .val = 256 + (int)i };
        if (rows[i].letter)
            tables->letters[letters++] = rows[i].letter;
    }
}

static const struct option_row *row_of(int value)
{
    if (value >= 256)
        return &rows[value - 256];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].letter == value)
            return &rows[i];
    return NULL;
}

/* Which of three words it is. */
static bool word_of(const char *text, const char *const names[3], int *ret)
{
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool set_color(const char *text, enum report_color *ret)
{
    static const char *const names[] = { "auto", "always", "never" };
    int which = 0;
    bool known = word_of(text, names, &which);

    *ret = (enum report_color)which;
    return known;
}

static bool set_way(const char *text, enum root_way *ret)
{
    static const char *const names[] = { "auto", "mount", "direct" };
    int which = 0;
    bool known = word_of(text, names, &which);

    *ret = (enum root_way)which;
    return known;
}

/* To a list that ends with NULL, or is none yet. */
static void append(const char *value, char ***list)
{
    size_t count = 0;

    while (*list && (*list)[count])
        count++;
    array_push(*list, count, (char *)value);
    array_push(*list, count, NULL);
}

static bool store(const struct option_row *row, const char *value, struct options *options)
{
    void *place = (char *)options + row->at;

    switch (row->type) {
    case TYPE_FLAG:
        *(bool *)place = true;
        return true;
    case TYPE_TEXT:
        *(const char **)place = value;
        return *value != '\0';
    case TYPE_COLOR:
        return set_color(value, place);
    case TYPE_ACCESS:
        return set_way(value, place);
    case TYPE_LIST:
        append(value, place);
        return *value != '\0';
    }
    return false;
}

static int bad_usage(const struct command *command, const char *fmt, const char *what)
{
    auto_free char *clean = text_clean(what);

    fputs("sshmend: ", stderr);
    fprintf(stderr, "%s%s\n", fmt, clean);
    fprintf(stderr, "Try: sshmend %s --help\n", command->name);
    return EXIT_BAD_USAGE;
}

/* "/a/b": no "..", no slash at the end. */
static bool plain_absolute(const char *path)
{
    return path[0] == '/' && path[1] && !text_ends(path, "/") && !strstr(path, "/../") &&
           !text_ends(path, "/..");
}

static bool set_search(struct options *options)
{
    static const char *const names[] = { "auto", "never", "always" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!options->recover || strcmp(options->recover, names[i]) == 0) {
            options->search = (enum search_when)i;
            return true;
        }
    return false;
}

static bool set_seconds(struct options *options)
{
    char *end;
    unsigned long seconds = options->timeout ? strtoul(options->timeout, &end, 10) : PROVE_SECONDS;

    options->seconds = (unsigned)seconds;
    return !options->timeout || (*options->timeout >= '0' && *options->timeout <= '9' && !*end &&
                                 seconds >= 1 && seconds <= PROVE_SECONDS_MAX);
}

static bool check_source(struct options *options)
{
    struct image_source *source = &options->source;

    if (source->format && strcasecmp(source->format, "raw") == 0)
        source->format = NULL;
    return !source->format || image_format_known(source->format);
}

/* What no single option can tell. */
static int check_together(const struct command *command, struct options *options)
{
    if (options->keys && strcmp(options->keys, "all") != 0 && strcmp(options->keys, "broken") != 0)
        return bad_usage(command, "--keys takes broken or all, not: ", options->keys);
    options->all_keys = options->keys && strcmp(options->keys, "all") == 0;
    if (!set_search(options))
        return bad_usage(command, "--recover takes auto, never or always, not: ", options->recover);
    if (!set_seconds(options))
        return bad_usage(command, "--timeout takes seconds, up to a day, not: ", options->timeout);
    if (!check_source(options))
        return bad_usage(command, "--format takes raw, qcow2, vmdk, vdi, vhd or vhdx, not: ",
                         options->source.format);
    if (options->source.backing && !options->source.format)
        return bad_usage(command, "--backing is for an image whose --format is given: ",
                         options->source.backing[0]);
    if (options->source.backing && options->targets[0] && options->targets[1])
        return bad_usage(command, "--backing is for one image; leave out: ", options->targets[1]);
    if (options->disk_serial && options->targets[0])
        return bad_usage(command,
                         "--disk-serial stands for a target; leave out: ", options->targets[0]);
    if (command->needs_target && !options->targets[0] && !options->disk_serial)
        return bad_usage(command, "name the target: a disk, an image or a directory", "");
    if (options->all && options->system)
        return bad_usage(command, "--all and --system exclude each other", "");
    if (options->known_hosts && options->sshfp)
        return bad_usage(command, "--known-hosts and --sshfp exclude each other", "");
    if (options->backup_dir && !plain_absolute(options->backup_dir))
        return bad_usage(command, "--backup-dir takes an absolute path on the target, not: ",
                         options->backup_dir);
    for (const char *ids = options->only ? options->only : options->skip; ids;
         ids = ids == options->only ? options->skip : NULL) {
        auto_free char *copy = xstrdup(ids);
        char *rest = copy, *id;

        while ((id = strsep(&rest, ",")))
            if (!check_named(id))
                return bad_usage(command, "there is no finding of this name: ", id);
    }
    return EXIT_FINE;
}

int options_parse(int argc, char **argv, const struct command *command, struct options *ret)
{
    struct getopt_tables tables;
    int value;

    *ret = (struct options){ 0 };
    fill_tables(command, &tables);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        const struct option_row *row;

        if (value == '?')
            return bad_usage(command, "unknown option: ", argv[optind - 1]);
        if (value == ':')
            return bad_usage(command, "this option needs a value: ", argv[optind - 1]);
        row = row_of(value);
        if (!row || !store(row, optarg, ret))
            return bad_usage(command, "not a value for this option: ", optarg ? optarg : "");
    }
    ret->targets = argv + optind;
    ret->style.color = report_wants_color(ret->color) && !ret->style.json;
    return ret->help || ret->version ? EXIT_FINE : check_together(command, ret);
}

/* All else is the command line's own. */
void options_free(struct options *options)
{
    free((void *)options->source.backing);
}

static void print_options(const struct command *command, bool common)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct option_row *row = &rows[i];
        auto_free char *name = NULL;

        if (row->common != common || !takes(command, row))
            continue;
        name =
            xasprintf("--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
        printf("  %c%c%s %-22s %s\n", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
               row->letter ? "," : " ", name, row->help);
    }
}

void options_help(const struct command *command)
{
    printf("Usage: sshmend %s %s\n\n%s\n\n", command->name, command->arguments, command->summary);
    print_options(command, false);
    print_options(command, true);
}

void usage(FILE *to)
{
    fputs("Usage: sshmend COMMAND [OPTION...] [TARGET...]\n\n"
          "Finds out why sshd on a broken disk will not come up, and mends it offline.\n"
          "TARGET: a disk, a partition, an image file, or a directory with a mounted root.\n\n",
          to);
    for (const struct command *const *command = commands; *command; command++)
        fprintf(to, "  %-9s %s\n", (*command)->name, (*command)->summary);
    fputs("\nWithout a command, on a terminal: a guided repair of an attached disk.\n"
          "sshmend COMMAND --help tells more.\n",
          to);
}
