#include "config/methods.h"

#include "base/text.h"
#include "config/memory.h"
#include "http/syntax.h"

#include <stdlib.h>

static const char separator[] = ", ";
/* The methods that most origins have. */
static const char usual[] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

enum { TEXT_MAX = METHODS_MAX * (HTTP_METHOD_MAX + sizeof separator) };

/* CONNECT is for proxies. The answer to TRACE holds the request, with the headers for the origin (section 9.3.8). */
static bool is_never_relayed(struct bytes method) {
    return bytes_equal(method, bytes_of_string("CONNECT")) || bytes_equal(method, bytes_of_string("TRACE"));
}

static bool has_name(struct bytes list, struct bytes method) {
    while (list.size > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.size);
        size_t size = comma == NULL ? list.size : (size_t)(comma - list.data);

        if (bytes_equal(bytes_of(list.data, size), method)) {
            return true;
        }
        size_t used = comma == NULL ? size : size + sizeof separator - 1;
        list = bytes_of(list.data + used, list.size - used);
    }
    return false;
}

static void add_name(const struct loader *loader, const struct document_node *node, struct text *names) {
    const char *name = value_string(loader, node, "a method");

    if (name == NULL) {
        return;
    }
    if (!http_is_method(name)) {
        loader_problem(loader, node, "method \"%s\" is no token of at most %d characters (RFC 9110)", name, HTTP_METHOD_MAX);
    } else if (is_never_relayed(bytes_of_string(name))) {
        loader_problem(loader, node, "method %s is never relayed: leave it out", name);
    } else if (has_name(text_bytes(names), bytes_of_string(name))) {
        loader_problem(loader, node, "method %s is given twice", name);
    } else {
        text_append_string(names, names->size == 0 ? "" : separator);
        text_append_string(names, name);
    }
}

void methods_load(const struct loader *loader, const struct document_node *list, struct config_host *host) {
    if (list == NULL || !value_list(loader, list, "methods")) {
        return;
    }
    if (list->count > METHODS_MAX) {
        loader_problem(loader, list, "methods has more than %d names", METHODS_MAX);
        return;
    }
    char *buffer = memory_allocate(TEXT_MAX, 1);
    struct text names = text_over(buffer, TEXT_MAX - 1);

    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        add_name(loader, item, &names);
    }
    buffer[names.size] = '\0';
    host->methods = memory_copy_string(buffer);
    free(buffer);
}

bool methods_take(const struct config_host *host, struct bytes method) {
    return !is_never_relayed(method) && (host->methods == NULL || has_name(bytes_of_string(host->methods), method));
}

const char *methods_allowed(const struct config_host *host) {
    return host->methods == NULL ? usual : host->methods;
}

struct bytes methods_meant(struct bytes method) {
    struct bytes list = bytes_of_string(usual);
    struct bytes name;

    while (http_list_next(&list, &name)) {
        if (bytes_equal_ignoring_case(name, method)) {
            return name;
        }
    }
    return bytes_of(NULL, 0);
}
