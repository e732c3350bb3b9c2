#include "config/transport_security.h"

#include "base/check.h"

#include <stdio.h>

enum {
    DAY_S = 24 * 60 * 60,
    AGE_MAX_S = 3650 * DAY_S,
    PRELOAD_AGE_MIN_S = 365 * DAY_S, /* https://hstspreload.org: browsers' lists take no less */
    LINE_SIZE = 128,
};

static const char header_name[] = "Strict-Transport-Security";

struct security {
    uint32_t age_s;
    bool include_subdomains;
    bool preload;
};

static bool load_mapping(const struct loader *loader, const struct document_node *node, struct security *security) {
    const struct document_node *age = NULL;
    const struct document_node *include_subdomains = NULL;
    const struct document_node *preload = NULL;
    const struct value_key keys[] = {value_key_required("max_age", &age),
                                     value_key_optional("include_subdomains", &include_subdomains),
                                     value_key_optional("preload", &preload)};
    if (!value_mapping(loader, node, "strict_transport_security", keys, ARRAY_LENGTH(keys))) {
        return false;
    }
    value_boolean(loader, include_subdomains, "strict_transport_security.include_subdomains", &security->include_subdomains);
    value_boolean(loader, preload, "strict_transport_security.preload", &security->preload);
    if (!value_seconds(loader, age, "strict_transport_security.max_age", 0, AGE_MAX_S, &security->age_s)) {
        return false;
    }
    if (security->preload && (!security->include_subdomains || security->age_s < PRELOAD_AGE_MIN_S)) {
        loader_problem(loader, preload,
                       "strict_transport_security.preload demands include_subdomains: true and max_age of at least 365d: "
                       "the lists of browsers take no less");
        return false;
    }
    return true;
}

void transport_security_load(const struct loader *loader, const struct document_node *node, struct buffer *lines,
                             struct http_removals *removals) {
    if (node == NULL) {
        return;
    }
    struct security security = {0};
    bool good = node->type == DOCUMENT_MAPPING
                    ? load_mapping(loader, node, &security)
                    : value_seconds(loader, node, "strict_transport_security", 0, AGE_MAX_S, &security.age_s);
    if (!good) {
        return;
    }
    char line[LINE_SIZE];
    int size = snprintf(line, sizeof line, "%s: max-age=%u%s%s\r\n", header_name, security.age_s,
                        security.include_subdomains ? "; includeSubDomains" : "", security.preload ? "; preload" : "");
    CHECK(size > 0 && (size_t)size < sizeof line);
    buffer_append(lines, line, (size_t)size);
    CHECK(!lines->failed && http_removals_add(removals, bytes_of_string(header_name)) == 0);
}
