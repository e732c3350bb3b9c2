/* The findings of `check` as a table, for people. */
#ifndef COMMAND_CHECK_TABLE_H
#define COMMAND_CHECK_TABLE_H

#include "config/config.h"

enum { CHECK_TABLE_WIDTH = 100 /* columns */ };

/* Prints a row for each host, and under each row the details for which the table has no column. */
void check_table_print(const struct config *config, FILE *out);

#endif
