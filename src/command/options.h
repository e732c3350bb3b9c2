/* The options that commands share. */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include <stdbool.h>

enum {
    OPTIONS_EXIT_USAGE = 2, /* what a command ends with when its arguments make no sense */
};

enum options_result {
    OPTIONS_GO_ON,
    OPTIONS_HELP, /* the usage has been printed to stdout: exit 0 */
    OPTIONS_USAGE /* what is wrong has been printed to stderr: exit OPTIONS_EXIT_USAGE */
};

/*
 * For commands whose only option is `-c FILE` (--config FILE), which must be there once, beside --help. argv[0] is the
 * command's name. `path` is set for OPTIONS_GO_ON only.
 */
enum options_result options_read_config(int argc, char **argv, const char *usage, const char **path);

/* Likewise, with --json beside it: *json says whether it is there. */
enum options_result options_read_check(int argc, char **argv, const char *usage, const char **path, bool *json);

#endif
