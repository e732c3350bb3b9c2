#include "config/header_names.h"

#include "base/check.h"
#include "http/names.h"
#include "http/syntax.h"

enum { FAULT_SIZE = 64 };

struct bytes header_names_too_large(const char *name, char buffer[static HEADER_NAMES_LONG_SIZE]) {
    int size = snprintf(buffer, HEADER_NAMES_LONG_SIZE, "%s%s", name, IDENTITY_TOO_LARGE);
    CHECK(size >= 0 && size < HEADER_NAMES_LONG_SIZE);
    return bytes_of(buffer, (size_t)size);
}

bool header_names_clash(const char *name, const char *other) {
    char buffer[HEADER_NAMES_LONG_SIZE];
    return http_names_alike(bytes_of_string(name), bytes_of_string(other)) ||
           http_names_alike(header_names_too_large(name, buffer), bytes_of_string(other)) ||
           http_names_alike(header_names_too_large(other, buffer), bytes_of_string(name));
}

void header_names_add(struct http_removals *removals, const char *name) {
    char buffer[HEADER_NAMES_LONG_SIZE];
    CHECK(http_removals_add(removals, bytes_of_string(name)) == 0);
    CHECK(http_removals_add(removals, header_names_too_large(name, buffer)) == 0);
}

/* Returns whether requests may have a header of this name set: it is not reserved, nor clashes with a name that is. */
static bool is_free(const char *name) {
    if (!http_name_may_be_set(bytes_of_string(name))) {
        return false;
    }
    for (size_t i = 0; i < http_own_name_count(); i++) {
        const char *own = http_own_name(i);
        if (!http_name_may_be_set(bytes_of_string(own)) && header_names_clash(name, own)) {
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
        if (header_names_clash(name, http_own_name(i))) {
            return "is set or removed by Sallyport itself";
        }
    }
    return http_names_alike(bytes_of_string(name), bytes_of_string(HTTP_NAME_REQUEST_ID))
               ? "is set by Sallyport itself"
               : "frames, routes or codes a message";
}

static bool check_token(const struct loader *loader, const struct document_node *node, const char *name) {
    if (strlen(name) > HEADER_NAMES_SIZE_MAX) {
        loader_problem(loader, node, "header name of more than 128 characters");
        return false;
    }
    char fault[FAULT_SIZE];
    if (find_fault(bytes_of_string(name), fault)) {
        loader_problem(loader, node, "header name \"%s\" is no token (RFC 9110): %s", name, fault);
        return false;
    }
    return true;
}

bool header_names_check(const struct loader *loader, const struct document_node *node, const char *name) {
    if (!check_token(loader, node, name)) {
        return false;
    }
    if (!is_free(name)) {
        loader_problem(loader, node, "header name \"%s\" is reserved: it, or one alike, %s", name, why_reserved(name));
        return false;
    }
    return true;
}

bool header_names_check_of_answers(const struct loader *loader, const struct document_node *node, const char *name) {
    static const char strict[] = "Strict-Transport-Security";
    if (!check_token(loader, node, name)) {
        return false;
    }
    struct bytes bytes = bytes_of_string(name);
    if (http_names_alike(bytes, bytes_of_string(strict))) {
        loader_problem(loader, node, "\"%s\" has a key of its own: strict_transport_security: {max_age: 365d}", name);
        return false;
    }
    if (!http_name_may_be_set_in_answers(bytes)) {
        bool is_own = http_names_alike(bytes, bytes_of_string(HTTP_NAME_REQUEST_ID)) ||
                      http_names_alike(bytes, bytes_of_string("Date"));
        loader_problem(loader, node, "header name \"%s\" is reserved: it, or one alike, %s", name,
                       is_own ? "is set by Sallyport itself" : "frames, routes or codes a message");
        return false;
    }
    return true;
}

bool header_names_check_free(const struct loader *loader, const struct document_node *node, const char *name,
                             const struct forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        if (header_names_clash(name, forward->headers[i].name)) {
            loader_problem(loader, node,
                           "header name \"%s\" is in use by this host for \"%s\" (letter case does not count, and "
                           "characters other than letters and digits are all alike)",
                           name, forward->headers[i].name);
            return false;
        }
    }
    return true;
}

static void add_removal(const struct loader *loader, const struct document_node *item, const char *key,
                        bool (*may_be_removed)(struct bytes name, bool is_prefix), struct http_removals *removals) {
    const char *text = value_string(loader, item, key);
    if (text == NULL) {
        return;
    }
    struct bytes name = bytes_of_string(text);
    bool is_prefix = name.size > 1 && text[name.size - 1] == '*';
    name.size -= is_prefix ? 1 : 0;
    char fault[FAULT_SIZE];
    if (name.size > HEADER_NAMES_SIZE_MAX) {
        loader_problem(loader, item, "header name of more than 128 characters");
    } else if (memchr(name.data, '*', name.size) != NULL) {
        loader_problem(loader, item, "%s: \"%s\": a * stands at the end of a name, once, and not alone", key, text);
    } else if (find_fault(name, fault)) {
        loader_problem(loader, item, "%s: \"%s\" is no token (RFC 9110): %s", key, text, fault);
    } else if (!may_be_removed(name, is_prefix)) {
        loader_problem(loader, item, "%s: \"%s\", or a name alike, frames or routes a message, or says how it is coded", key,
                       text);
    } else if (is_prefix) {
        CHECK(http_removals_add_prefix(removals, name) == 0);
    } else {
        CHECK(http_removals_add(removals, name) == 0);
    }
}

void header_names_load_removals(const struct loader *loader, const struct document_node *list, const char *key,
                                bool (*may_be_removed)(struct bytes name, bool is_prefix), struct http_removals **removals) {
    if (list == NULL || !value_list(loader, list, key)) {
        return;
    }
    if (list->count > HEADER_NAMES_REMOVED_MAX) {
        loader_problem(loader, list, "%s has more than 64 names", key);
        return;
    }
    if (*removals == NULL) {
        *removals = http_removals_create();
        CHECK(*removals != NULL);
    }
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        add_removal(loader, item, key, may_be_removed, *removals);
    }
}
