/*
 * Values of the document with the type and range that their keys demand. A value that does not fit becomes a problem at its
 * line; the getter then returns false (or NULL) and leaves its result as it was. A node of NULL is a key that is absent:
 * never a problem here, never a result.
 *
 * `key` is the value's name in messages: its path in the file, such as "limits.connections".
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "config/document.h"

enum {
    VALUES_PEM_SIZE_MAX = 1024 * 1024, /* bytes of a certificate, key or CA file */
};

struct config_surroundings;
struct name_lookups;

/* The things that every part of a load needs. */
struct loader {
    const char *file; /* of the YAML, as it was given */
    char *directory;  /* of relative paths, with its final '/'; "" is the working directory. Owned */
    const struct config_surroundings *surroundings;
    const struct name_lookups *lookups; /* of all names of origins, while hosts are loaded */
    struct config_problems *problems;
    struct config_problems *warnings; /* the snapshot's own */
};

void loader_problem(const struct loader *loader, const struct document_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a warning: of something that is served all the same. */
void loader_warning(const struct loader *loader, const struct document_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a warning that a certificate, a root or a list has ended. */
void loader_warning_of_end(const struct loader *loader, const struct document_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum value_unit {
    VALUE_NUMBER,
    VALUE_DURATION, /* in milliseconds */
    VALUE_SECONDS,  /* a duration in seconds */
    VALUE_SIZE,     /* in bytes */
};

/*
 * A key that a mapping may have: one row of what value_mapping reads. It has either a node, for the caller to read, or a
 * number with its unit, default and range.
 */
struct value_key {
    const char *name;
    bool required;
    const struct document_node **node; /* where the value's node goes, NULL when the key is absent; NULL: it has a number */
    uint32_t *number;                  /* where the number goes */
    enum value_unit unit;
    uint32_t absent; /* the number when the key is absent */
    uint32_t min;
    uint32_t max;
};

static inline struct value_key value_key_optional(const char *name, const struct document_node **node) {
    return (struct value_key){.name = name, .node = node};
}

static inline struct value_key value_key_required(const char *name, const struct document_node **node) {
    return (struct value_key){.name = name, .node = node, .required = true};
}

static inline struct value_key value_key_number(const char *name, uint32_t *number, uint32_t absent, uint32_t min,
                                                uint32_t max) {
    return (struct value_key){
        .name = name, .number = number, .unit = VALUE_NUMBER, .absent = absent, .min = min, .max = max};
}

static inline struct value_key value_key_duration(const char *name, uint32_t *ms, uint32_t absent_ms, uint32_t min_ms,
                                                  uint32_t max_ms) {
    return (struct value_key){
        .name = name, .number = ms, .unit = VALUE_DURATION, .absent = absent_ms, .min = min_ms, .max = max_ms};
}

static inline struct value_key value_key_size(const char *name, uint32_t *size, uint32_t absent, uint32_t min,
                                              uint32_t max) {
    return (struct value_key){.name = name, .number = size, .unit = VALUE_SIZE, .absent = absent, .min = min, .max = max};
}

/*
 * Reads a mapping by its rows: nodes go to the caller, and numbers where they belong, or their defaults, also when `node` is
 * no mapping. Unknown and missing keys are problems; false only when `node` is no mapping (or NULL). `what` names the
 * mapping in messages; where it has numbers `what` is its path in the file.
 */
bool value_mapping(const struct loader *loader, const struct document_node *node, const char *what,
                   const struct value_key *keys, size_t count);
/* Returns whether it is a list with at least one item. */
bool value_list(const struct loader *loader, const struct document_node *node, const char *key);

/* Returns the text, which lives as long as the document; never empty. true, 5 and the like are no strings unless quoted. */
const char *value_string(const struct loader *loader, const struct document_node *node, const char *key);
/* Returns the text of an address and port. `example` is an address for the message about a port that stands alone. */
const char *value_address(const struct loader *loader, const struct document_node *node, const char *example);
bool value_boolean(const struct loader *loader, const struct document_node *node, const char *key, bool *value);
bool value_number(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min, uint32_t max,
                  uint32_t *value);
bool value_seconds(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min,
                   uint32_t max, uint32_t *value);
/* Finds the index of the text among `count` words. */
bool value_choice(const struct loader *loader, const struct document_node *node, const char *key, const char *const *words,
                  size_t count, size_t *index);

/* Returns the path of the file that the string of a node names, as value_file opens it. free(). */
char *value_path(const struct loader *loader, const struct document_node *node);
/*
 * Reads the file that the string names. `path` (owned by the caller, free()) becomes the path that was opened, also when
 * that failed; NULL when the value is no string. False when there is no content.
 */
bool value_file(const struct loader *loader, const struct document_node *node, const char *key, size_t size_max, char **path,
                struct bytes *content);

#endif
