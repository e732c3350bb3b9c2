/* The findings of `check` as JSON, for programs. */
#ifndef COMMAND_CHECK_JSON_H
#define COMMAND_CHECK_JSON_H

#include "config/config.h"

/*
 * Prints one JSON object and a line feed; docs/contract.md has its members. `config` is NULL when there are problems. 0, or
 * -ENOMEM and nothing has been printed.
 */
int check_json_print(const char *path, const struct config *config, const struct config_problems *problems, FILE *out);

#endif
