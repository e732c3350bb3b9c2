/*
 * Values of the document with the type and range that their key demands. What does not fit becomes a problem at its line,
 * and the getter returns false (or NULL) and leaves its result as it was. A node of NULL is a key that is absent: never a
 * problem here, never a result.
 *
 * `key` is how a message calls the value: its path in the file, such as "limits.connections".
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "config/document.h"

enum {
    VALUES_PEM_SIZE_MAX = 1024 * 1024, /* bytes of a certificate, key or CA file */
};

/* What every part of a load needs. */
struct loader {
    const char *file; /* of the YAML, as it was given */
    char *directory;  /* what relative paths are relative to, with its final '/'; "" is the working directory. Owned */
    struct config_problems *problems;
    struct config_problems *warnings; /* the snapshot's own */
};

void loader_problem(const struct loader *loader, const struct document_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Likewise, of what is served all the same. */
void loader_warning(const struct loader *loader, const struct document_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Likewise, that a certificate, a root or a list has ended. */
void loader_warning_of_end(const struct loader *loader, const struct document_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A key that a mapping may have, and where its value goes (NULL when it is absent). */
struct value_key {
    const char *name;
    const struct document_node **value;
    bool required;
};

/*
 * Sorts a mapping's values into `keys`. Unknown and missing keys are problems; false only when `node` is no mapping (or
 * NULL). `what` names the mapping in messages.
 */
bool value_mapping(const struct loader *loader, const struct document_node *node, const char *what,
                   const struct value_key *keys, size_t count);
/* True for a list with at least one item. */
bool value_list(const struct loader *loader, const struct document_node *node, const char *key);

/* The text, which lives as long as the document; never empty. true, 5 and the like are no strings unless quoted. */
const char *value_string(const struct loader *loader, const struct document_node *node, const char *key);
/* The text of an address and port. `example` is an address for a message to one who gives a port alone. */
const char *value_address(const struct loader *loader, const struct document_node *node, const char *example);
bool value_boolean(const struct loader *loader, const struct document_node *node, const char *key, bool *value);
bool value_number(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min, uint32_t max,
                  uint32_t *value);
/* In milliseconds. */
bool value_duration(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min_ms,
                    uint32_t max_ms, uint32_t *value_ms);
/* In bytes. */
bool value_size(const struct loader *loader, const struct document_node *node, const char *key, uint32_t min, uint32_t max,
                uint32_t *value);
/* One of `count` words; its index. */
bool value_choice(const struct loader *loader, const struct document_node *node, const char *key, const char *const *words,
                  size_t count, size_t *index);

/* Which file the string of a node names: the path that value_file opens. free(). */
char *value_path(const struct loader *loader, const struct document_node *node);
/*
 * The content of the file that the string names. `path` (owned by the caller, free()) is what was opened, set also on
 * failure when the string is one. False when there is no content.
 */
bool value_file(const struct loader *loader, const struct document_node *node, const char *key, size_t size_max, char **path,
                struct bytes *content);

#endif
