#include "config/admission_settings.h"

#include "base/check.h"
#include "config/networks.h"

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
    networks_load(loader, allow, "admission.allow", ADMISSION_SETTINGS_ALLOW_MAX, &admission->allow,
                  &admission->allow_count);
}
