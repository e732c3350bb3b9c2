#include "config/header_rules.h"

#include "base/buffer.h"
#include "base/check.h"
#include "config/field_names.h"
#include "config/header_names.h"
#include "config/headers.h"
#include "config/memory.h"
#include "config/transport_security.h"
#include "http/names.h"

#include <stdlib.h>

enum { KEY_SIZE = 64 };

/* One mapping of headers in the making. */
struct rules {
    const struct loader *loader;
    const char *key; /* of the mapping, such as "request_headers.set" */
    bool of_answers;
    bool adds;                      /* headers of the name that a client or origin has sent stay */
    struct forward *forward;        /* of the direction */
    struct buffer *lines;           /* those that are the same for all clients */
    struct http_removals *removals; /* of answers, where a set header leaves none of an origin's; NULL: of requests */
    size_t count;                   /* of values */
};

static bool is_constant(const struct template *template) {
    return template->field_count == 0;
}

static void append_line(struct buffer *lines, const char *name, struct bytes value) {
    buffer_append_string(lines, name);
    buffer_append_string(lines, ": ");
    buffer_append(lines, value.data, value.size);
    buffer_append_string(lines, "\r\n");
    CHECK(!lines->failed);
}

/* Returns the template of a value, or NULL after a problem. `name` is its header's. */
static struct template *load_template(const struct rules *rules, const struct document_node *node, const char *name) {
    char key[KEY_SIZE + HEADER_NAMES_SIZE_MAX];
    snprintf(key, sizeof key, "%s: %s", rules->key, name);
    if (node->type == DOCUMENT_MAPPING) {
        loader_problem(rules->loader, node, "%s must be a string, not a mapping; put a value that begins with { in quotes",
                       key);
        return NULL;
    }
    const char *text = value_string(rules->loader, node, key);
    if (text == NULL) {
        return NULL;
    }
    struct template_fault fault;
    struct template *template = template_parse(text, &fault);
    if (template == NULL && fault.field[0] != '\0') {
        char suggestion[FIELD_NAMES_TEXT_SIZE];
        field_names_suggest(fault.field, suggestion);
        loader_problem(rules->loader, node, "%s: \"%s\" is no field that can be forwarded%s", key, fault.field, suggestion);
    } else if (template == NULL) {
        loader_problem(rules->loader, node, "%s is no value of a header: %s", key, fault.why);
    }
    return template;
}

static void add_value(struct rules *rules, const struct document_node *node, const char *name) {
    struct template *template = load_template(rules, node, name);
    if (template == NULL) {
        return;
    }
    if (++rules->count > HEADERS_RULES_MAX) {
        if (rules->count == HEADERS_RULES_MAX + 1) {
            loader_problem(rules->loader, node, "%s has more than 64 values", rules->key);
        }
        free(template);
        return;
    }
    if (is_constant(template)) {
        append_line(rules->lines, name, template->parts[0].text);
    }
    if (rules->removals != NULL && !rules->adds) {
        header_names_add(rules->removals, name);
    }
    if (is_constant(template) && rules->adds && !rules->of_answers) {
        free(template); /* clients may go on sending headers of that name */
        return;
    }
    rules->forward->headers[rules->forward->count++] =
        (struct forward_header){.name = memory_copy_string(name), .template = template};
}

static void add_values(struct rules *rules, const struct document_node *key, const struct document_node *value) {
    bool good = rules->of_answers ? header_names_check_of_answers(rules->loader, key, key->text)
                                  : header_names_check(rules->loader, key, key->text);
    if (!good || !header_names_check_free(rules->loader, key, key->text, rules->forward)) {
        return;
    }
    if (!rules->adds || value->type != DOCUMENT_LIST) {
        add_value(rules, value, key->text);
        return;
    }
    if (value_list(rules->loader, value, key->text)) {
        for (const struct document_node *item = value->first; item != NULL; item = item->next) {
            add_value(rules, item, key->text);
        }
    }
}

static void load_mapping(struct rules *rules, const struct document_node *map) {
    if (map == NULL) {
        return;
    }
    if (map->type != DOCUMENT_MAPPING) {
        loader_problem(rules->loader, map, "%s must be a mapping (header name: value)", rules->key);
        return;
    }
    for (const struct document_node *key = map->first; key != NULL; key = key->next->next) {
        if (!key->repeated) {
            add_values(rules, key, key->next);
        }
    }
}

/* One direction: its key, and the parts of the host that its rules become. */
struct direction {
    const char *key;
    bool of_answers;
    struct forward *forward;
    struct http_removals *removals;
    struct bytes *constant;
};

static void load_values(const struct loader *loader, const struct direction *direction, const struct document_node *set,
                        const struct document_node *add, struct buffer *lines) {
    const struct document_node *nodes[] = {set, add};
    static const char *const names[] = {"set", "add"};
    for (size_t i = 0; i < ARRAY_LENGTH(nodes); i++) {
        char key[KEY_SIZE];
        snprintf(key, sizeof key, "%s.%s", direction->key, names[i]);
        struct rules rules = {
            .loader = loader,
            .key = key,
            .of_answers = direction->of_answers,
            .adds = i == 1,
            .forward = direction->forward,
            .lines = lines,
            .removals = direction->removals,
        };
        load_mapping(&rules, nodes[i]);
    }
}

/* Takes the lines over as the host's. */
static void keep_lines(const struct loader *loader, const struct document_node *node, const char *key, struct buffer *lines,
                       struct bytes *constant) {
    if (lines->size > CONFIG_HEADER_LINES_MAX) {
        loader_problem(loader, node, "%s: the headers without fields have more than 8 KiB", key);
    }
    *constant = bytes_of(lines->data, lines->size);
}

static void load_requests(const struct loader *loader, const struct document_node *node, struct config_host *host) {
    static const char key[] = "request_headers";
    const struct document_node *set = NULL;
    const struct document_node *add = NULL;
    const struct document_node *remove = NULL;
    const struct value_key keys[] = {value_key_optional("set", &set), value_key_optional("add", &add),
                                     value_key_optional("remove", &remove)};
    if (!value_mapping(loader, node, key, keys, ARRAY_LENGTH(keys))) {
        return;
    }
    struct buffer lines = {0};
    load_values(loader, &(struct direction){.key = key, .forward = &host->forward}, set, add, &lines);
    headers_load_strip(loader, remove, "request_headers.remove", &host->strip);
    keep_lines(loader, node, key, &lines, &host->request_lines);
}

static void load_answers(const struct loader *loader, const struct header_rules_nodes *nodes, struct config_host *host) {
    static const char key[] = "response_headers";
    const struct document_node *set = NULL;
    const struct document_node *add = NULL;
    const struct document_node *remove = NULL;
    const struct value_key keys[] = {value_key_optional("set", &set), value_key_optional("add", &add),
                                     value_key_optional("remove", &remove)};
    struct config_answer_rules *rules = &host->answer_rules;
    value_mapping(loader, nodes->response_headers, key, keys, ARRAY_LENGTH(keys));
    rules->removals = http_removals_create();
    host->answers.headers = memory_allocate(HEADERS_OF_ANSWERS_MAX, sizeof *host->answers.headers);
    CHECK(rules->removals != NULL);
    struct buffer lines = {0};
    transport_security_load(loader, nodes->strict_transport_security, &lines, rules->removals);
    load_values(loader,
                &(struct direction){.key = key, .of_answers = true, .forward = &host->answers, .removals = rules->removals},
                set, add, &lines);
    header_names_load_removals(loader, remove, "response_headers.remove", http_name_may_be_removed_from_answers,
                               &rules->removals);
    keep_lines(loader, nodes->response_headers, key, &lines, &rules->constant);
}

void header_rules_load(const struct loader *loader, const struct header_rules_nodes *nodes, struct config_host *host) {
    load_requests(loader, nodes->request_headers, host);
    if (nodes->response_headers != NULL || nodes->strict_transport_security != NULL) {
        load_answers(loader, nodes, host);
    }
}
