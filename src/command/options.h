/* The options that commands share. */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include <stdbool.h>

enum {
    OPTIONS_EXIT_USAGE = 2, /* exit status of a command whose arguments make no sense */
};

enum options_result {
    OPTIONS_GO_ON,
    OPTIONS_HELP, /* the usage has been printed to stdout: exit 0 */
    OPTIONS_USAGE /* the fault has been printed to stderr: exit OPTIONS_EXIT_USAGE */
};

/*
 * Reads the arguments of a command whose only option beside --help is `-c FILE` (--config FILE), which must be there once.
 * argv[0] is the command's name. `path` is set for OPTIONS_GO_ON only.
 */
enum options_result options_read_config(int argc, char **argv, const char *usage, const char **path);

/* As options_read_config, with the option --json too: *json says whether it was given. */
enum options_result options_read_check(int argc, char **argv, const char *usage, const char **path, bool *json);

#endif
