/*
 * A YAML file as a tree with line numbers, made from libyaml's events. It takes only what a configuration needs: one
 * document of mappings, lists and scalars in UTF-8. Anchors, aliases, tags, two keys of one name and control characters are
 * refused, since with each of them a file may mean something else than a reader sees.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "base/bytes.h"
#include "config/problems.h"

enum {
    DOCUMENT_DEPTH_MAX = 16,
    DOCUMENT_NODES_MAX = 256 * 1024,
    DOCUMENT_KEYS_MAX = 256, /* in one mapping */
};

enum document_type { DOCUMENT_SCALAR, DOCUMENT_LIST, DOCUMENT_MAPPING };

struct document_node {
    enum document_type type;
    unsigned line;               /* from 1: where it begins */
    bool plain;                  /* of a scalar: it has no quotes, so `true`, `5` or nothing are not strings */
    bool repeated;               /* of a key: the same mapping has it already, and a problem says so */
    size_t count;                /* items of a list, pairs of a mapping */
    struct document_node *first; /* first item of a list, first key of a mapping */
    struct document_node *next;  /* the next item; behind a key its value, behind a value the next key */
    struct document_node *older; /* all nodes, for document_free */
    char text[];                 /* of a scalar; no control characters, NUL-terminated */
};

struct document {
    struct document_node *root;   /* never NULL after a read that succeeded */
    struct document_node *newest; /* the node that was made last */
};

/*
 * Reads a file. True when the tree is complete, though problems may have been added (keys given twice: both are in the
 * tree). False with a problem that says where reading stopped. Free `document` in either case.
 */
bool document_read(struct document *document, struct bytes text, const char *file, struct config_problems *problems);
void document_free(struct document *document);

/* Returns whether it is a scalar that says nothing: `key:`, `~` or `null`, not in quotes. */
bool document_is_null(const struct document_node *node);

/* Returns the value of a key in a mapping; NULL when the key is absent, or `mapping` is NULL or no mapping. */
const struct document_node *document_value(const struct document_node *mapping, const char *key);

#endif
