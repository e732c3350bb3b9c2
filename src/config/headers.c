#include "config/headers.h"

#include "base/check.h"
#include "config/memory.h"
#include "config/suggest.h"
#include "http/names.h"
#include "http/syntax.h"

#include <limits.h>
#include <stdlib.h>

enum {
    FAULT_SIZE = 64,
    FIELD_TEXT_SIZE = 128,
};
enum { LONG_NAME_SIZE = HEADERS_NAME_MAX + sizeof IDENTITY_TOO_LARGE };

/* Returns the name of the header that replaces `name` when its value is too large. */
static struct bytes too_large(const char *name, char buffer[static LONG_NAME_SIZE]) {
    int size = snprintf(buffer, LONG_NAME_SIZE, "%s%s", name, IDENTITY_TOO_LARGE);
    CHECK(size >= 0 && size < LONG_NAME_SIZE);
    return bytes_of(buffer, (size_t)size);
}

/* Returns whether an origin may take one name for the other, or for the one that replaces the other. */
static bool clashes(const char *name, const char *other) {
    char buffer[LONG_NAME_SIZE];
    return http_names_alike(bytes_of_string(name), bytes_of_string(other)) ||
           http_names_alike(too_large(name, buffer), bytes_of_string(other)) ||
           http_names_alike(too_large(other, buffer), bytes_of_string(name));
}

/* Returns whether the configuration may set a header of this name: it is not reserved, nor clashes with a name that is. */
static bool is_free(const char *name) {
    if (!http_name_may_be_set(bytes_of_string(name))) {
        return false;
    }
    for (size_t i = 0; i < http_own_name_count(); i++) {
        const char *own = http_own_name(i);
        if (!http_name_may_be_set(bytes_of_string(own)) && clashes(name, own)) {
            return false;
        }
    }
    return true;
}

/* Finds why the name is no token. False when it is one. */
static bool find_fault(struct bytes name, char fault[static FAULT_SIZE]) {
    if (name.size == 0) {
        snprintf(fault, FAULT_SIZE, "it is empty");
        return true;
    }
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (http_is_token_character(c)) {
            continue;
        }
        if (c == ' ' || c >= 0x80) {
            snprintf(fault, FAULT_SIZE,
                     c == ' ' ? "it has a space; \"-\" is usual there" : "it has a character beyond ASCII");
        } else {
            snprintf(fault, FAULT_SIZE, "it has a \"%c\"", c);
        }
        return true;
    }
    return false;
}

static const char *why_reserved(const char *name) {
    for (size_t i = 0; i < http_own_name_count(); i++) {
        if (clashes(name, http_own_name(i))) {
            return "is set or removed by Sallyport itself";
        }
    }
    return http_names_alike(bytes_of_string(name), bytes_of_string(HTTP_NAME_REQUEST_ID))
               ? "is set by Sallyport itself"
               : "frames, routes or codes a message";
}

static bool check_name(const struct loader *loader, const struct document_node *node, const char *name) {
    if (strlen(name) > HEADERS_NAME_MAX) {
        loader_problem(loader, node, "header name of more than 128 characters");
        return false;
    }
    char fault[FAULT_SIZE];
    if (find_fault(bytes_of_string(name), fault)) {
        loader_problem(loader, node, "header name \"%s\" is no token (RFC 9110): %s", name, fault);
        return false;
    }
    if (!is_free(name)) {
        loader_problem(loader, node, "header name \"%s\" is reserved: it, or one alike, %s", name, why_reserved(name));
        return false;
    }
    return true;
}

/* `node` has the line of the name, for problems. */
static void add_header(const struct loader *loader, const struct document_node *node, const char *name,
                       const struct field *field, struct forward *forward) {
    if (!check_name(loader, node, name)) {
        return;
    }
    for (size_t i = 0; i < forward->count; i++) {
        if (clashes(name, forward->headers[i].name)) {
            loader_problem(loader, node,
                           "header name \"%s\" is in use by this host for \"%s\" (letter case does not count, and "
                           "characters other than letters and digits are all alike)",
                           name, forward->headers[i].name);
            return;
        }
    }
    forward->headers[forward->count++] = (struct forward_header){memory_copy_string(name), *field};
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

static void list_attributes(char list[static FIELD_TEXT_SIZE]) {
    static const char prefix[] = "subject.";
    struct text text = text_over(list, FIELD_TEXT_SIZE - 1);
    text_append_string(&text, "; behind the \".\" there can be");
    char name[FIELD_NAME_SIZE];
    for (size_t i = 0; field_name_at(i, name); i++) {
        if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
            text_append_format(&text, " %s", name + sizeof prefix - 1);
        }
    }
    list[text.size] = '\0';
}

/* Writes "; did you mean "subject.cn"?", or a pointer to the list of fields. */
static void suggest_field(const char *text, char suggestion[static FIELD_TEXT_SIZE]) {
    unsigned best = UINT_MAX;
    snprintf(suggestion, FIELD_TEXT_SIZE, " (docs/contract.md lists them)");
    char name[FIELD_NAME_SIZE];
    for (size_t i = 0; field_name_at(i, name); i++) {
        unsigned rank = suggest_rank(text, name);
        if (rank < best) {
            best = rank;
            snprintf(suggestion, FIELD_TEXT_SIZE, "; did you mean \"%s\"?", name);
        }
    }
    if (best == UINT_MAX && (strncmp(text, "subject.", 8) == 0 || strncmp(text, "issuer.", 7) == 0)) {
        list_attributes(suggestion);
    }
    if (strncmp(text, "ext:", 4) == 0) {
        snprintf(suggestion, FIELD_TEXT_SIZE, "; an extension is \"ext:1.3.6.1.4.1.99999.1\"");
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
        char suggestion[FIELD_TEXT_SIZE];
        suggest_field(field_name, suggestion);
        loader_problem(loader, key->next, "\"%s\" is no field that can be forwarded%s", field_name, suggestion);
    }
}

/* Adds one name to the set; "X-SSL-*" is each name that begins with "X-SSL-". */
static void add_strip(const struct loader *loader, const struct document_node *item, struct http_removals *strip) {
    const char *text = value_string(loader, item, "forward.strip");
    if (text == NULL) {
        return;
    }
    struct bytes name = bytes_of_string(text);
    bool is_prefix = name.size > 1 && text[name.size - 1] == '*';
    name.size -= is_prefix ? 1 : 0;
    char fault[FAULT_SIZE];
    if (name.size > HEADERS_NAME_MAX) {
        loader_problem(loader, item, "header name of more than 128 characters");
    } else if (memchr(name.data, '*', name.size) != NULL) {
        loader_problem(loader, item, "forward.strip: \"%s\": a * stands at the end of a name, once, and not alone", text);
    } else if (find_fault(name, fault)) {
        loader_problem(loader, item, "forward.strip: \"%s\" is no token (RFC 9110): %s", text, fault);
    } else if (!http_name_may_be_stripped(name)) {
        loader_problem(loader, item, "forward.strip: \"%s\", or a name alike, frames or routes a message", text);
    } else if (is_prefix) {
        CHECK(http_removals_add_prefix(strip, name) == 0);
    } else {
        CHECK(http_removals_add(strip, name) == 0);
    }
}

static void load_strip(const struct loader *loader, const struct document_node *list, struct http_removals **strip) {
    if (list == NULL || !value_list(loader, list, "forward.strip")) {
        return;
    }
    if (list->count > HEADERS_STRIP_MAX) {
        loader_problem(loader, list, "forward.strip has more than 64 names");
        return;
    }
    *strip = http_removals_create();
    CHECK(*strip != NULL);
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        add_strip(loader, item, *strip);
    }
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
    forward->headers = memory_allocate(2 + HEADERS_MAX, sizeof *forward->headers);
    add_verdict_header(loader, node, status, HTTP_NAME_STATUS, "status", forward);
    add_verdict_header(loader, node, ski, HTTP_NAME_SKI, "ski", forward);
    if (headers != NULL) {
        add_field_headers(loader, headers, forward);
    }
    load_strip(loader, stripped, strip);
}

void headers_free(struct forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        free(forward->headers[i].name);
    }
    free(forward->headers);
    *forward = (struct forward){0};
}

static void add_too_large(struct http_removals *removals, const char *name) {
    char buffer[LONG_NAME_SIZE];
    CHECK(http_removals_add(removals, too_large(name, buffer)) == 0);
}

void headers_add_own_removals(struct http_removals *removals) {
    CHECK(http_removals_add_own(removals) == 0);
    for (size_t i = 0; i < http_own_name_count(); i++) {
        add_too_large(removals, http_own_name(i));
    }
}

void headers_add_removals(struct http_removals *removals, const struct forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        CHECK(http_removals_add(removals, bytes_of_string(forward->headers[i].name)) == 0);
        add_too_large(removals, forward->headers[i].name);
    }
}
