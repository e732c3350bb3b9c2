/*
 * The value of a header as the configuration has it: text with fields in braces, "{subject.cn}/{serial}". "{{" stands for
 * "{", and "}}" for "}".
 */
#ifndef IDENTITY_TEMPLATE_H
#define IDENTITY_TEMPLATE_H

#include "identity/field.h"

enum {
    TEMPLATE_SIZE_MAX = 8 * 1024, /* bytes of the text */
    TEMPLATE_FIELDS_MAX = 16,
    TEMPLATE_PARTS_MAX = TEMPLATE_FIELDS_MAX + 1, /* the last one is the text behind the last field */
    TEMPLATE_NAME_SIZE = 128,
};

struct template_part {
    struct bytes text; /* before the field; may be empty */
    struct field field;
};

/* Immutable. All parts but the last have a field. */
struct template {
    size_t field_count;
    struct template_part parts[TEMPLATE_PARTS_MAX];
    char text[]; /* of all parts */
};

/* Why a text is no template. */
struct template_fault {
    const char *why;                /* a static text, such as "it has a { without its }" */
    char field[TEMPLATE_NAME_SIZE]; /* the name in braces that no field has, cut; else "" */
};

/*
 * Reads a template: 1 to TEMPLATE_SIZE_MAX bytes of visible ASCII, space and tab, without white space at its ends (RFC 9110
 * section 5.5). NULL with `*fault` when it is none, or when there is no memory. free() releases it.
 */
struct template *template_parse(const char *text, struct template_fault *fault);

/* Returns whether one of its fields is of that source. */
bool template_has(const struct template *template, enum field_source source);

#endif
