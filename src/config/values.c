#include "config/values.h"

#include "base/check.h"
#include "config/file.h"
#include "config/memory.h"
#include "config/suggest.h"
#include "config/units.h"

#include <limits.h>
#include <stdlib.h>

enum { DESCRIPTION_SIZE = 64, KEYS_SIZE = 256, PATH_SIZE = 64 };

void loader_problem(const struct loader *loader, const struct document_node *at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    problems_add_list(loader->problems, loader->file, at->line, format, arguments);
    va_end(arguments);
}

void loader_warning(const struct loader *loader, const struct document_node *at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    problems_add_list(loader->warnings, loader->file, at->line, format, arguments);
    va_end(arguments);
}

void loader_warning_of_end(const struct loader *loader, const struct document_node *at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    problems_add_list(loader->warnings, loader->file, at->line, format, arguments)->is_end = true;
    va_end(arguments);
}

static bool is_word(const struct document_node *node, const char *word) {
    return node->type == DOCUMENT_SCALAR && node->plain && strcmp(node->text, word) == 0;
}

static bool is_boolean(const struct document_node *node) {
    return is_word(node, "true") || is_word(node, "false");
}

static bool is_plain_number(const struct document_node *node) {
    if (node->type != DOCUMENT_SCALAR || !node->plain) {
        return false;
    }
    const char *text = node->text + strspn(node->text, "+-");
    size_t digits = strspn(text, "0123456789");
    size_t fraction = text[digits] == '.' ? 1 + strspn(text + digits + 1, "0123456789") : 0;
    return digits > 0 && text[digits + fraction] == '\0';
}

static const char *describe(const struct document_node *node, char text[static DESCRIPTION_SIZE]) {
    if (node->type != DOCUMENT_SCALAR) {
        return node->type == DOCUMENT_LIST ? "a list" : "a mapping";
    }
    if (document_is_null(node)) {
        return "nothing";
    }
    const char *quote = node->plain ? "" : "\"";
    bool is_long = strlen(node->text) > 40;
    snprintf(text, DESCRIPTION_SIZE, "%s%.40s%s%s", quote, node->text, is_long ? "..." : "", quote);
    return text;
}

static bool refuse(const struct loader *loader, const struct document_node *node, const char *key, const char *wanted) {
    char text[DESCRIPTION_SIZE];
    loader_problem(loader, node, "%s must be %s, not %s", key, wanted, describe(node, text));
    return false;
}

/* Writes "; did you mean "limits"?", or the list of keys. */
static void suggest_key(const char *text, const struct value_key *keys, size_t count, char suggestion[static KEYS_SIZE]) {
    const char *best = NULL;
    unsigned best_rank = UINT_MAX;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned rank = suggest_rank(text, keys[i].name);
        if (rank < best_rank) {
            best = keys[i].name;
            best_rank = rank;
        }
        int added = snprintf(suggestion + size, KEYS_SIZE - size, "%s%s", i == 0 ? "; its keys are " : ", ", keys[i].name);
        size += (size_t)added < KEYS_SIZE - size ? (size_t)added : 0;
    }
    if (best != NULL || count == 1) {
        snprintf(suggestion, KEYS_SIZE, "; did you mean \"%s\"?", best == NULL ? keys[0].name : best);
    }
}

static void refuse_key(const struct loader *loader, const struct document_node *key, const char *what,
                       const struct value_key *keys, size_t count) {
    char suggestion[KEYS_SIZE] = "";
    suggest_key(key->text, keys, count, suggestion);
    loader_problem(loader, key, "unknown key \"%s\" in %s%s", key->text, what, suggestion);
}

/* Returns whether a value that stands alone is likely that of the first key ("listen: [127.0.0.1:443]"). */
static bool is_for_first(const struct value_key *keys, size_t count) {
    bool first_alone_required = keys[0].required;
    for (size_t i = 1; i < count; i++) {
        first_alone_required = first_alone_required && !keys[i].required;
    }
    return count <= 2 || first_alone_required;
}

static bool refuse_mapping(const struct loader *loader, const struct document_node *node, const char *what,
                           const struct value_key *keys, size_t count) {
    if (!is_for_first(keys, count) || node->type != DOCUMENT_SCALAR || document_is_null(node)) {
        return refuse(loader, node, what, "a mapping (key: value)");
    }
    char text[DESCRIPTION_SIZE];
    describe(node, text);
    size_t size = strlen(keys[0].name);
    bool has_key = strncmp(text, keys[0].name, size) == 0 && text[size] == ':'; /* the space behind it is missing */
    loader_problem(loader, node, "%s must be a mapping (key: value), not %s; did you mean \"%s: %s\"?", what, text,
                   keys[0].name, has_key ? text + size + 1 : text);
    return false;
}

/* Reads a number with its unit, which must be in the range. */
static bool read_number(const struct loader *loader, const struct document_node *node, const char *key, enum value_unit unit,
                        uint32_t min, uint32_t max, uint32_t *value) {
    static const struct {
        bool (*parse)(const char *text, uint64_t *value);
        void (*format)(uint64_t value, char text[static UNITS_TEXT_SIZE]);
        bool plain;         /* quotes make it a string, which is none */
        const char *noun;   /* with the range */
        const char *wanted; /* for a text that cannot be read; NULL: the range says enough */
    } kinds[] = {
        [VALUE_NUMBER] = {units_parse_number, units_format_number, true, "a number", NULL},
        [VALUE_DURATION] = {units_parse_duration, units_format_duration, false, "a duration",
                            "a duration such as 100ms, 5s, 1m or 1h"},
        [VALUE_SECONDS] = {units_parse_seconds, units_format_seconds, false, "a duration",
                           "a duration in whole seconds such as 1h or 365d"},
        [VALUE_SIZE] = {units_parse_size, units_format_size, false, "a size",
                        "a size such as 16KiB, 1MiB or a number of bytes"},
    };
    uint64_t number = 0;
    bool is_text = node->type == DOCUMENT_SCALAR && (node->plain || !kinds[unit].plain);
    bool is_number = is_text && kinds[unit].parse(node->text, &number);
    if (!is_number && kinds[unit].wanted != NULL) {
        return refuse(loader, node, key, kinds[unit].wanted);
    }
    if (!is_number || number < min || number > max) {
        char least[UNITS_TEXT_SIZE];
        kinds[unit].format(min, least);
        char most[UNITS_TEXT_SIZE];
        kinds[unit].format(max, most);
        char text[DESCRIPTION_SIZE];
        loader_problem(loader, node, "%s must be %s from %s to %s, not %s", key, kinds[unit].noun, least, most,
                       describe(node, text));
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

/* Hands out the value of a key that the mapping has. */
static void take_value(const struct loader *loader, const struct document_node *value, const char *what,
                       const struct value_key *key) {
    if (key->node != NULL) {
        *key->node = value;
        return;
    }
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s.%s", what, key->name);
    read_number(loader, value, path, key->unit, key->min, key->max, key->number);
}

bool value_mapping(const struct loader *loader, const struct document_node *node, const char *what,
                   const struct value_key *keys, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (keys[i].node != NULL) {
            *keys[i].node = NULL;
        } else {
            *keys[i].number = keys[i].absent;
        }
    }
    if (node == NULL) {
        return false;
    }
    if (node->type != DOCUMENT_MAPPING) {
        return refuse_mapping(loader, node, what, keys, count);
    }
    for (const struct document_node *key = node->first; key != NULL; key = key->next->next) {
        size_t i = 0;
        while (i < count && strcmp(keys[i].name, key->text) != 0) {
            i++;
        }
        if (i == count) {
            refuse_key(loader, key, what, keys, count);
        } else if (!key->repeated) {
            take_value(loader, key->next, what, &keys[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (keys[i].required && document_value(node, keys[i].name) == NULL) {
            loader_problem(loader, node, "key \"%s\" is missing in %s", keys[i].name, what);
        }
    }
    return true;
}

bool value_list(const struct loader *loader, const struct document_node *node, const char *key) {
    if (node == NULL) {
        return false;
    }
    if (node->type != DOCUMENT_LIST) {
        char text[DESCRIPTION_SIZE];
        describe(node, text);
        if (node->type == DOCUMENT_MAPPING) {
            loader_problem(loader, node, "%s must be a list, not a mapping; begin each item with \"- \"", key);
        } else if (document_is_null(node)) {
            return refuse(loader, node, key, "a list");
        } else {
            loader_problem(loader, node, "%s must be a list, not %s; write [%s]", key, text, text);
        }
        return false;
    }
    if (node->count == 0) {
        loader_problem(loader, node, "%s must have at least one item", key);
    }
    return node->count > 0;
}

const char *value_string(const struct loader *loader, const struct document_node *node, const char *key) {
    if (node == NULL) {
        return NULL;
    }
    bool is_string = node->type == DOCUMENT_SCALAR && !document_is_null(node);
    if (is_string && (is_boolean(node) || is_plain_number(node))) {
        loader_problem(loader, node, "%s must be a string, not %s; put it in quotes if it is meant", key, node->text);
        return NULL;
    }
    if (!is_string || node->text[0] == '\0') {
        refuse(loader, node, key, "a string");
        return NULL;
    }
    return node->text;
}

const char *value_address(const struct loader *loader, const struct document_node *node, const char *example) {
    if (node != NULL && node->type == DOCUMENT_SCALAR && node->text[0] != '\0' &&
        node->text[strspn(node->text, "0123456789")] == '\0') {
        loader_problem(loader, node, "address must be address:port, such as %s:%s, not %s", example, node->text, node->text);
        return NULL;
    }
    return value_string(loader, node, "address");
}

bool value_boolean(const struct loader *loader, const struct document_node *node, const char *key, bool *value) {
    if (node == NULL) {
        return false;
    }
    if (!is_boolean(node)) {
        return refuse(loader, node, key, "true or false");
    }
    *value = is_word(node, "true");
    return true;
}

bool value_number(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min, uint32_t max,
                  uint32_t *value) {
    return node != NULL && read_number(loader, node, key, VALUE_NUMBER, min, max, value);
}

bool value_seconds(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min,
                   uint32_t max, uint32_t *value) {
    return node != NULL && read_number(loader, node, key, VALUE_SECONDS, min, max, value);
}

bool value_choice(const struct loader *loader, const struct document_node *node, const char *key, const char *const *words,
                  size_t count, size_t *index) {
    if (node == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (node->type == DOCUMENT_SCALAR && strcmp(node->text, words[i]) == 0) {
            *index = i;
            return true;
        }
    }
    char wanted[128] = "";
    for (size_t i = 0, size = 0; i < count && size < sizeof wanted; i++) {
        const char *joint = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        size += (size_t)snprintf(wanted + size, sizeof wanted - size, "%s%s", joint, words[i]);
    }
    return refuse(loader, node, key, wanted);
}

char *value_path(const struct loader *loader, const struct document_node *node) {
    char *path = NULL;
    CHECK(asprintf(&path, "%s%s", node->text[0] == '/' ? "" : loader->directory, node->text) >= 0);
    return path;
}

bool value_file(const struct loader *loader, const struct document_node *node, const char *key, size_t size_max, char **path,
                struct bytes *content) {
    const char *name = value_string(loader, node, key);
    *path = NULL;
    *content = bytes_of(NULL, 0);
    if (name == NULL) {
        return false;
    }
    if (strstr(name, "://") != NULL) {
        loader_problem(loader, node, "%s: %s is a URL, and only files are read: download it, and write the path of the file",
                       key, name);
        return false;
    }
    *path = value_path(loader, node);
    struct error error;
    if (file_read(*path, size_max, content, &error) == 0) {
        return true;
    }
    loader_problem(loader, node, "%s: %s %s", key, *path, error.text);
    return false;
}
