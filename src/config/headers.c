#include "config/headers.h"

#include "base/check.h"
#include "config/memory.h"

#include <stdlib.h>
#include <strings.h>

/* These are ours on every request; a field under one of them would be two headers of one name. */
static const char *const own_names[] = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id"};
static const char too_large_suffix[] = "-Too-Large";

enum { FOLDED_SIZE = HEADERS_NAME_MAX + sizeof(too_large_suffix) };

/* As origins may see a name: CGI and its kin know neither letter case nor the difference between '-' and '_'. */
static void fold(const char *name, const char *suffix, char folded[static FOLDED_SIZE]) {
    snprintf(folded, FOLDED_SIZE, "%s%s", name, suffix);
    for (char *c = folded; *c != '\0'; c++)
        *c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
}

/* Whether one of the two is the other, or the header that replaces the other's value when that is too large. */
static bool clashes(const char *name, const char *other) {
    char folded[2][FOLDED_SIZE];
    const char *suffixes[][2] = {{"", ""}, {"", too_large_suffix}, {too_large_suffix, ""}};
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        fold(name, suffixes[i][0], folded[0]);
        fold(other, suffixes[i][1], folded[1]);
        if (strcmp(folded[0], folded[1]) == 0)
            return true;
    }
    return false;
}

static bool check_name(const struct loader *loader, const struct document_node *node, const char *name) {
    if (strlen(name) > HEADERS_NAME_MAX) {
        loader_problem(loader, node, "header name of more than 128 characters");
        return false;
    }
    char folded[FOLDED_SIZE];
    fold(name, "", folded);
    bool may_be_set = http_name_may_be_set(name) && http_name_may_be_set(folded);
    for (size_t i = 0; i < ARRAY_LENGTH(own_names); i++)
        may_be_set = may_be_set && !clashes(name, own_names[i]);
    if (!may_be_set)
        loader_problem(loader, node, "header name \"%s\" is no token (RFC 9110), or reserved", name);
    return may_be_set;
}

/* `node`: where the name stands, for problems. */
static void add_header(const struct loader *loader, const struct document_node *node, const char *name,
                       const struct field *field, struct forward *forward) {
    if (!check_name(loader, node, name))
        return;
    for (size_t i = 0; i < forward->count; i++)
        if (clashes(name, forward->headers[i].name)) {
            loader_problem(loader, node,
                           "header name \"%s\" is in use by this host for \"%s\" (case, - and _ do not matter)", name,
                           forward->headers[i].name);
            return;
        }
    forward->headers[forward->count++] = (struct forward_header){memory_copy_string(name), *field};
}

/* `map` is the whole of forward, NULL when absent; `node` the name in it, NULL when the default holds. */
static void add_verdict_header(const struct loader *loader, const struct document_node *map,
                               const struct document_node *node, const char *default_name, const char *field_name,
                               struct forward *forward) {
    struct field field;
    CHECK(field_parse(field_name, &field));
    const char *name = node == NULL ? default_name : value_string(loader, node, "header name");
    if (name != NULL)
        add_header(loader, node == NULL ? map : node, name, &field, forward);
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
        struct field field;
        if (field_name == NULL || key->repeated)
            continue;
        if (field_parse(field_name, &field))
            add_header(loader, key, key->text, &field, forward);
        else
            loader_problem(loader, key->next, "\"%s\" is no field that can be forwarded (docs/contract.md lists them)",
                           field_name);
    }
}

void headers_load(const struct loader *loader, const struct document_node *node, struct forward *forward) {
    const struct document_node *status = NULL;
    const struct document_node *ski = NULL;
    const struct document_node *headers = NULL;
    const struct value_key keys[] = {{"status", &status, false}, {"ski", &ski, false}, {"headers", &headers, false}};
    value_mapping(loader, node, "forward", keys, ARRAY_LENGTH(keys));
    forward->headers = memory_allocate(2 + HEADERS_MAX, sizeof(*forward->headers));
    add_verdict_header(loader, node, status, HEADERS_STATUS_NAME, "status", forward);
    add_verdict_header(loader, node, ski, HEADERS_SKI_NAME, "ski", forward);
    if (headers != NULL)
        add_field_headers(loader, headers, forward);
}

void headers_free(struct forward *forward) {
    for (size_t i = 0; i < forward->count; i++)
        free(forward->headers[i].name);
    free(forward->headers);
    *forward = (struct forward){0};
}

void headers_add_common_removals(struct http_removals *removals) {
    static const char *const names[] = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", HEADERS_STATUS_NAME,
                                        HEADERS_SKI_NAME};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        CHECK(http_removals_add(removals, names[i]) == 0);
}
