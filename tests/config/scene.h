/* A folder for one test: a configuration file beside the certificates of tests/config/data. */
#ifndef TESTS_CONFIG_SCENE_H
#define TESTS_CONFIG_SCENE_H

#include "config/load.h"

struct scene {
    char folder[64];
    char path[128]; /* of config.yaml in the folder */
};

/* Draws the hash secret and initialises TLS too, as a command does. */
void scene_make(struct scene *scene);
void scene_write(const struct scene *scene, const char *name, const void *data, size_t size);
/* Writes `yaml` to config.yaml and loads it. */
struct config *scene_load(const struct scene *scene, const char *yaml, struct config_problems *problems);
void scene_remove(struct scene *scene);

/* `text` with the first occurrence of `find` replaced; free(). Aborts when it does not occur. */
char *scene_replace(const char *text, const char *find, const char *replacement);

#endif
