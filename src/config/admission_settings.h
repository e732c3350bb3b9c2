/* The `admission` section: what one source and one certificate may do, and which sources nothing of it applies to. */
#ifndef CONFIG_ADMISSION_SETTINGS_H
#define CONFIG_ADMISSION_SETTINGS_H

#include "config/values.h"

enum {
    ADMISSION_SETTINGS_ALLOW_MAX = 256,
    ADMISSION_SETTINGS_RATE_MAX = 100000,
    ADMISSION_SETTINGS_BURST_MAX = 1000000,
    ADMISSION_SETTINGS_CONNECTIONS_MAX = 65535,
    ADMISSION_SETTINGS_SOURCES_MAX = 65535,
};

/* Sets all of `admission`: what is absent gets its default. */
void admission_settings_load(const struct loader *loader, const struct document_node *node,
                             struct config_admission *admission);
void admission_settings_free(struct config_admission *admission);

#endif
