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
    const struct document_node *allow, *rate, *burst, *connections;
    const struct document_node *holder_rate, *holder_connections, *holder_sources;
    const struct value_key keys[] = {
        {"allow", &allow, false},
        {"source_rate", &rate, false},
        {"source_burst", &burst, false},
        {"source_connections", &connections, false},
        {"certificate_rate", &holder_rate, false},
        {"certificate_connections", &holder_connections, false},
        {"certificate_sources", &holder_sources, false},
    };
    *admission = (struct config_admission){
        .source = {.rate = 200, .burst = 2000, .connections = 4096},
        .holder = {.rate = 1000, .connections = 256, .sources = 64},
    };
    if (!value_mapping(loader, node, "admission", keys, ARRAY_LENGTH(keys))) {
        return;
    }
    load_allowed(loader, allow, admission);
    value_number(loader, rate, "admission.source_rate", 0, ADMISSION_SETTINGS_RATE_MAX, &admission->source.rate);
    value_number(loader, burst, "admission.source_burst", 1, ADMISSION_SETTINGS_BURST_MAX, &admission->source.burst);
    value_number(loader, connections, "admission.source_connections", 0, ADMISSION_SETTINGS_CONNECTIONS_MAX,
                 &admission->source.connections);
    value_number(loader, holder_rate, "admission.certificate_rate", 0, ADMISSION_SETTINGS_RATE_MAX, &admission->holder.rate);
    value_number(loader, holder_connections, "admission.certificate_connections", 0, ADMISSION_SETTINGS_CONNECTIONS_MAX,
                 &admission->holder.connections);
    value_number(loader, holder_sources, "admission.certificate_sources", 0, ADMISSION_SETTINGS_SOURCES_MAX,
                 &admission->holder.sources);
}

void admission_settings_free(struct config_admission *admission) {
    free(admission->allow);
}
