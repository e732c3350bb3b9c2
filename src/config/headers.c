#include "config/headers.h"

#include "base/check.h"
#include "config/field_names.h"
#include "config/header_names.h"
#include "config/memory.h"
#include "http/names.h"

#include <stdlib.h>

/* `node` has the line of the name, for problems. */
static void add_header(const struct loader *loader, const struct document_node *node, const char *name,
                       const struct field *field, struct forward *forward) {
    if (header_names_check(loader, node, name) && header_names_check_free(loader, node, name, forward)) {
        forward->headers[forward->count++] = (struct forward_header){.name = memory_copy_string(name), .field = *field};
    }
}

/* `map` is the mapping `forward`, NULL when absent; `node` is the name in it, NULL for the default. */
static void add_verdict_header(const struct loader *loader, const struct document_node *map,
                               const struct document_node *node, const char *default_name, const char *field_name,
                               struct forward *forward) {
    struct field field;
    CHECK(field_parse(field_name, &field));
    const char *name = node == NULL ? default_name : value_string(loader, node, "header name");
    if (name != NULL) {
        add_header(loader, node == NULL ? map : node, name, &field, forward);
    }
}

static void add_field_headers(const struct loader *loader, const struct document_node *map, struct forward *forward) {
    if (map->type != DOCUMENT_MAPPING) {
        loader_problem(loader, map, "forward.headers must be a mapping (header name: field)");
        return;
    }
    if (map->count > HEADERS_MAX) {
        loader_problem(loader, map, "forward.headers has more than 64 headers");
        return;
    }
    for (const struct document_node *key = map->first; key != NULL; key = key->next->next) {
        const char *field_name = value_string(loader, key->next, key->text);
        if (field_name == NULL || key->repeated) {
            continue;
        }
        struct field field;
        if (field_parse(field_name, &field)) {
            add_header(loader, key, key->text, &field, forward);
            continue;
        }
        char suggestion[FIELD_NAMES_TEXT_SIZE];
        field_names_suggest(field_name, suggestion);
        loader_problem(loader, key->next, "\"%s\" is no field that can be forwarded%s", field_name, suggestion);
    }
}

static bool may_be_stripped(struct bytes name, bool is_prefix) {
    return http_name_may_be_stripped(name);
}

void headers_load_strip(const struct loader *loader, const struct document_node *list, const char *key,
                        struct http_removals **strip) {
    header_names_load_removals(loader, list, key, may_be_stripped, strip);
}

void headers_load(const struct loader *loader, const struct document_node *node, struct forward *forward,
                  struct http_removals **strip) {
    const struct document_node *status = NULL;
    const struct document_node *ski = NULL;
    const struct document_node *headers = NULL;
    const struct document_node *stripped = NULL;
    const struct value_key keys[] = {value_key_optional("status", &status), value_key_optional("ski", &ski),
                                     value_key_optional("headers", &headers), value_key_optional("strip", &stripped)};
    value_mapping(loader, node, "forward", keys, ARRAY_LENGTH(keys));
    forward->headers = memory_allocate(HEADERS_OF_REQUESTS_MAX, sizeof *forward->headers);
    add_verdict_header(loader, node, status, HTTP_NAME_STATUS, "status", forward);
    add_verdict_header(loader, node, ski, HTTP_NAME_SKI, "ski", forward);
    if (headers != NULL) {
        add_field_headers(loader, headers, forward);
    }
    headers_load_strip(loader, stripped, "forward.strip", strip);
}

void headers_free(struct forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        free(forward->headers[i].name);
        free(forward->headers[i].template);
    }
    free(forward->headers);
    *forward = (struct forward){0};
}

void headers_add_own_removals(struct http_removals *removals) {
    for (size_t i = 0; i < http_own_name_count(); i++) {
        header_names_add(removals, http_own_name(i));
    }
}

void headers_add_removals(struct http_removals *removals, const struct forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        header_names_add(removals, forward->headers[i].name);
    }
}
