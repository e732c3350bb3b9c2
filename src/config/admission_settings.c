#include "config/admission_settings.h"

#include "base/check.h"
#include "config/memory.h"

#include <stdlib.h>

static void load_allowed(const struct loader *loader, const struct document_node *list, struct config_admission *admission) {
    if (!value_list(loader, list, "admission.allow")) {
        return;
    }
    if (list->count > ADMISSION_SETTINGS_ALLOW_MAX) {
        loader_problem(loader, list, "admission.allow has more than %d items", ADMISSION_SETTINGS_ALLOW_MAX);
        return;
    }
    admission->allow = memory_allocate(list->count, sizeof *admission->allow);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        const char *text = value_string(loader, item, "admission.allow");
        const char *fault = text == NULL ? NULL : prefix_parse(text, &admission->allow[admission->allow_count]);
        if (fault != NULL) {
            loader_problem(loader, item, "admission.allow: \"%s\" %s", text, fault);
        } else if (text != NULL) {
            admission->allow_count++;
        }
    }
}

void admission_settings_load(const struct loader *loader, const struct document_node *node,
                             struct config_admission *admission) {
    enum { RATE_MAX = 100000, BURST_MAX = 1000000, COUNT_MAX = 65535 };
    const struct document_node *allow;
    const struct value_key keys[] = {
        value_key_optional("allow", &allow),
        value_key_number("source_rate", &admission->source.rate, 200, 0, RATE_MAX),
        value_key_number("source_burst", &admission->source.burst, 2000, 1, BURST_MAX),
        value_key_number("source_connections", &admission->source.connections, 4096, 0, COUNT_MAX),
        value_key_number("certificate_rate", &admission->holder.rate, 1000, 0, RATE_MAX),
        value_key_number("certificate_connections", &admission->holder.connections, 256, 0, COUNT_MAX),
        value_key_number("certificate_sources", &admission->holder.sources, 64, 0, COUNT_MAX),
    };
    value_mapping(loader, node, "admission", keys, ARRAY_LENGTH(keys));
    load_allowed(loader, allow, admission);
}
