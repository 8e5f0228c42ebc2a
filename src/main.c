/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
    &cmd_scan,    &cmd_check, &cmd_repair,    &cmd_undo,    &cmd_keys,
    &cmd_recover, &cmd_prove, &cmd_authorize, &cmd_explain, NULL,
};

static void print_version(void)
{
    fputs("sshmend " SSHMEND_VERSION "\nbuilt with: libblkid libmount libsmartcols libcrypto "
          "jansson libselinux zlib libext2fs libzstd"
#ifdef HAVE_LIBSYSTEMD
          " libsystemd"
#endif
          "\n",
          stdout);
}

static const struct command *command_named(const char *name)
{
    for (const struct command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static int without_command(int argc, char **argv)
{
    auto_free char *clean = argc > 1 ? text_clean(argv[1]) : NULL;

    if (argc < 2 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        return guide();
    if (clean && (strcmp(clean, "--help") == 0 || strcmp(clean, "-h") == 0)) {
        usage(stdout);
        return EXIT_FINE;
    }
    if (clean && (strcmp(clean, "--version") == 0 || strcmp(clean, "-V") == 0)) {
        print_version();
        return EXIT_FINE;
    }
    if (clean)
        say("there is no command %s", clean);
    usage(stderr);
    return EXIT_BAD_USAGE;
}

static int with_command(const struct command *command, int argc, char **argv)
{
    auto_with(options_free) struct options options;
    int code = options_parse(argc, argv, command, &options);

    if (code != EXIT_FINE)
        return code;
    if (options.help)
        options_help(command);
    else if (options.version)
        print_version();
    else
        code = command->run(&options);
    return code;
}

int main(int argc, char **argv)
{
    const struct command *command = argc > 1 ? command_named(argv[1]) : NULL;

    signals_cancel();
    hostkey_prepare();
    return finish_output(command ? with_command(command, argc - 1, argv + 1)
                                 : without_command(argc, argv));
}
