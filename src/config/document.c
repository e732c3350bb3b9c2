#include "config/document.h"

#include "base/utf8.h"
#include "config/memory.h"
#include "config/syntax.h"

#include <stdlib.h>
#include <yaml.h>

struct level {
    struct document_node *node;
    struct document_node *last; /* the child that was added last */
    size_t children;
};

struct builder {
    struct document *document;
    const char *file;
    struct config_problems *problems;
    struct bytes text;
    struct level levels[DOCUMENT_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    size_t documents;
};

static unsigned mark_line(yaml_mark_t mark) {
    return (unsigned)mark.line + 1;
}

static unsigned line_at(struct bytes text, size_t offset) {
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        line += text.data[i] == '\n';
    }
    return line;
}

/* Returns the last line that people see: a line break at the end of the text does not begin another line. */
static unsigned last_line_of(struct bytes text) {
    return line_at(text, text.size == 0 ? 0 : text.size - 1);
}

/* Checks for UTF-8, since libyaml would guess the encoding, and names no line for bytes that it cannot decode. */
static bool check_encoding(const struct builder *builder) {
    struct bytes text = builder->text;
    for (size_t at = 0, skipped; at < text.size;) {
        size_t size = utf8_size(bytes_of(text.data + at, text.size - at), &skipped);
        if (size == 0 || text.data[at] == '\0') {
            problems_add(builder->problems, builder->file, line_at(text, at), "%s",
                         size == 0 ? "not UTF-8 text" : "a NUL byte: not a text file");
            return false;
        }
        at += size;
    }
    return true;
}

static void report_syntax(const struct builder *builder, const yaml_parser_t *parser) {
    const char *what = parser->problem == NULL ? "out of memory" : parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        unsigned line = line_at(builder->text, parser->problem_offset);
        problems_add(builder->problems, builder->file, line, "not YAML: %s", what);
        return;
    }
    struct syntax_fault fault = {
        .problem = what,
        .context = parser->context == NULL ? "" : parser->context,
        .line = mark_line(parser->problem_mark),
        .begin = mark_line(parser->context_mark),
    };
    unsigned last_line = last_line_of(builder->text);
    fault.line = fault.line > last_line ? last_line : fault.line;
    char explanation[SYNTAX_TEXT_SIZE];
    syntax_explain(&fault, builder->text, explanation);
    problems_add(builder->problems, builder->file, fault.line, "not YAML: %s", explanation);
}

static void check_key_is_new(const struct builder *builder, const struct level *level, struct document_node *key) {
    for (const struct document_node *other = level->node->first; other != key; other = other->next->next) {
        if (strcmp(other->text, key->text) != 0) {
            continue;
        }
        problems_add(builder->problems, builder->file, key->line, "key \"%s\" is given twice, first at line %u", key->text,
                     other->line);
        key->repeated = true;
        return;
    }
}

static bool refuse(const struct builder *builder, unsigned line, const char *what) {
    problems_add(builder->problems, builder->file, line, "%s", what);
    return false;
}

/* Adds the node to the innermost open list or mapping, or makes it the root. */
static bool attach(struct builder *builder, struct document_node *node) {
    if (builder->depth == 0) {
        builder->document->root = node;
        return true;
    }
    struct level *level = &builder->levels[builder->depth - 1];
    bool is_key = level->node->type == DOCUMENT_MAPPING && level->children % 2 == 0;
    if (is_key && node->type != DOCUMENT_SCALAR) {
        return refuse(builder, node->line, "a key must be a name, not a list or a mapping");
    }
    if (is_key && level->node->count == DOCUMENT_KEYS_MAX) {
        return refuse(builder, node->line, "more than 256 keys in one mapping");
    }
    if (level->last == NULL) {
        level->node->first = node;
    } else {
        level->last->next = node;
    }
    level->last = node;
    level->children++;
    if (is_key || level->node->type == DOCUMENT_LIST) {
        level->node->count++;
    }
    if (is_key) {
        check_key_is_new(builder, level, node);
    }
    return true;
}

static struct document_node *make_node(struct builder *builder, enum document_type type, unsigned line, size_t text_size) {
    struct document_node *node = memory_allocate(1, sizeof *node + text_size + 1);
    node->type = type;
    node->line = line;
    node->older = builder->document->newest;
    builder->document->newest = node;
    return node;
}

static bool add_scalar(struct builder *builder, const yaml_event_t *event) {
    unsigned line = mark_line(event->start_mark);
    const uint8_t *value = event->data.scalar.value;
    size_t size = event->data.scalar.length;
    for (size_t i = 0; i < size; i++) {
        if (value[i] < 0x20 || value[i] == 0x7f) {
            return refuse(builder, line, "a control character or line break within a value");
        }
    }
    struct document_node *node = make_node(builder, DOCUMENT_SCALAR, line, size);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    memcpy(node->text, value, size);
    return attach(builder, node);
}

static bool open_level(struct builder *builder, enum document_type type, const yaml_event_t *event) {
    unsigned line = mark_line(event->start_mark);
    struct document_node *node = make_node(builder, type, line, 0);
    if (!attach(builder, node)) {
        return false;
    }
    if (builder->depth == DOCUMENT_DEPTH_MAX) {
        return refuse(builder, line, "lists and mappings are nested more than 16 deep");
    }
    builder->levels[builder->depth++] = (struct level){node, NULL, 0};
    return true;
}

static bool is_decorated(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    default:
        return false;
    }
}

static bool take_event(struct builder *builder, const yaml_event_t *event) {
    unsigned line = mark_line(event->start_mark);
    if (is_decorated(event)) {
        return refuse(builder, line, "anchors, aliases and tags (&, *, !) are not supported; quote the value if it is text");
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++builder->documents == 1 || refuse(builder, line, "a second document (---): the file must hold one");
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (++builder->nodes > DOCUMENT_NODES_MAX) {
            return refuse(builder, line, "more than 262144 values");
        }
        if (event->type == YAML_SCALAR_EVENT) {
            return add_scalar(builder, event);
        }
        return open_level(builder, event->type == YAML_MAPPING_START_EVENT ? DOCUMENT_MAPPING : DOCUMENT_LIST, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->depth--;
        return true;
    default:
        return true;
    }
}

static bool build(struct builder *builder, yaml_parser_t *parser) {
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            report_syntax(builder, parser);
            return false;
        }
        yaml_event_type_t type = event.type;
        bool taken = take_event(builder, &event);
        yaml_event_delete(&event);
        if (!taken || type == YAML_STREAM_END_EVENT) {
            return taken;
        }
    }
}

bool document_read(struct document *document, struct bytes text, const char *file, struct config_problems *problems) {
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    *document = (struct document){0};
    if (text.size >= 3 && memcmp(text.data, byte_order_mark, 3) == 0) {
        text = bytes_of(text.data + 3, text.size - 3); /* libyaml would count it as a column of the first line */
    }
    struct builder builder = {.document = document, .file = file, .problems = problems, .text = text};
    if (!check_encoding(&builder)) {
        return false;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return refuse(&builder, 1, "out of memory");
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.data, text.size);
    bool complete = build(&builder, &parser);
    yaml_parser_delete(&parser);
    if (complete && (document->root == NULL || document_is_null(document->root))) {
        return refuse(&builder, 1, "the file is empty");
    }
    return complete;
}

void document_free(struct document *document) {
    while (document->newest != NULL) {
        struct document_node *node = document->newest;
        document->newest = node->older;
        free(node);
    }
    document->root = NULL;
}

bool document_is_null(const struct document_node *node) {
    if (node->type != DOCUMENT_SCALAR || !node->plain) {
        return false;
    }
    return node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

const struct document_node *document_value(const struct document_node *mapping, const char *key) {
    if (mapping == NULL || mapping->type != DOCUMENT_MAPPING) {
        return NULL;
    }
    for (const struct document_node *node = mapping->first; node != NULL; node = node->next->next) {
        if (strcmp(node->text, key) == 0) {
            return node->next;
        }
    }
    return NULL;
}
