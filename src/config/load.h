/* Makes a snapshot of a configuration file: reads it and every file that it names, and checks all of them as a whole. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/surroundings.h"

/*
 * Returns a snapshot with one reference and its `warnings`, which never keep a file from being served. NULL with at least
 * one problem, sorted by line: a file with any problem yields no snapshot, so nothing is ever served on a doubt. All
 * problems that can be found in one pass are reported.
 */
struct config *config_load(const char *path, struct config_problems *problems);
/*
 * Likewise in a process that serves: a name of origins whose look-up fails keeps the addresses that are known of it, with a
 * warning.
 */
struct config *config_load_among(const char *path, const struct config_surroundings *surroundings,
                                 struct config_problems *problems);

#endif
