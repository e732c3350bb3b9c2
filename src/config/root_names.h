/* The subjects of all hosts' roots as a set, so that a look-up does not go through the roots of each host. */
#ifndef CONFIG_ROOT_NAMES_H
#define CONFIG_ROOT_NAMES_H

#include "config/config.h"

struct root_names;

/* Makes the set; the configuration must outlive it. It aborts when out of memory, as all loading does. */
struct root_names *root_names_create(const struct config *config);
void root_names_free(struct root_names *names);

/* Tells whether a root of any host has a subject that matches the Name (name_equal). */
bool root_names_has(const struct root_names *names, struct bytes name);

#endif
