/* The `admission` section: the bounds of one source and of one certificate, and the sources that have none. */
#ifndef CONFIG_ADMISSION_SETTINGS_H
#define CONFIG_ADMISSION_SETTINGS_H

#include "config/config.h"
#include "config/values.h"

enum { ADMISSION_SETTINGS_ALLOW_MAX = 256 };

/* Sets all of `admission`, which must be zeroed: what is absent gets its default. */
void admission_settings_load(const struct loader *loader, const struct document_node *node,
                             struct config_admission *admission);

#endif
