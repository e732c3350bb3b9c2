#include "identity/field.h"

#include "base/check.h"
#include "x509/attribute.h"
#include "x509/oid.h"

#include <stdio.h>

#define FIELD_ROW(kind, name, source) [FIELD_##kind] = {name, FIELD_OF_##source},
static const struct {
    const char *name;
    enum field_source source;
} fields[] = {FIELDS(FIELD_ROW)};
#undef FIELD_ROW
_Static_assert(ARRAY_LENGTH(fields) == FIELD_NAMED, "each has a row");

/* Attributes of a name that have fields: short names of x509/attribute, in lower case. */
static const char *const attributes[] = {"cn", "o", "ou", "l", "st", "c", "emailaddress", "serialnumber", "uid", "dc"};

/* Names, whose attributes have fields. */
static const struct {
    enum field_kind whole;
    enum field_kind attribute;
    const char *prefix;
} holders[] = {
    {FIELD_SUBJECT_DN, FIELD_SUBJECT_ATTRIBUTE, "subject."},
    {FIELD_ISSUER_DN, FIELD_ISSUER_ATTRIBUTE, "issuer."},
};

/* Returns the rest of `name` behind `prefix`, or NULL. */
static const char *after(const char *name, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(name, prefix, size) == 0 ? name + size : NULL;
}

static bool parse_attribute(const char *name, enum field_kind kind, struct field *field) {
    for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
        if (strcmp(name, attributes[i]) == 0) {
            struct bytes oid;
            CHECK(attribute_find(name, &oid) && oid.size <= sizeof field->oid);
            field->kind = kind;
            field->oid_size = (uint8_t)oid.size;
            memcpy(field->oid, oid.data, oid.size);
            return true;
        }
    }
    return false;
}

bool field_parse(const char *name, struct field *field) {
    *field = (struct field){.kind = FIELD_STATUS};
    for (size_t i = 0; i < FIELD_NAMED; i++) {
        if (strcmp(name, fields[i].name) == 0) {
            field->kind = (enum field_kind)i;
            return true;
        }
    }
    const char *rest;
    for (size_t i = 0; i < ARRAY_LENGTH(holders); i++) {
        if ((rest = after(name, holders[i].prefix)) != NULL) {
            return parse_attribute(rest, holders[i].attribute, field);
        }
    }
    if ((rest = after(name, "ext:")) != NULL) {
        field->kind = FIELD_EXTENSION;
        size_t size;
        bool parsed = oid_parse(rest, field->oid, sizeof field->oid, &size);
        field->oid_size = (uint8_t)size;
        return parsed;
    }
    return false;
}

enum field_source field_source(const struct field *field) {
    return field->kind < FIELD_NAMED ? fields[field->kind].source : FIELD_OF_CERTIFICATE;
}

/* Returns the prefix of the attributes of a name, or NULL when `kind` is no name. */
static const char *attribute_prefix(enum field_kind kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(holders); i++) {
        if (holders[i].whole == kind) {
            return holders[i].prefix;
        }
    }
    return NULL;
}

bool field_name_at(size_t index, char name[static FIELD_NAME_SIZE]) {
    for (size_t i = 0; i < FIELD_NAMED; i++) {
        if (index == 0) {
            snprintf(name, FIELD_NAME_SIZE, "%s", fields[i].name);
            return true;
        }
        index--;
        const char *prefix = attribute_prefix((enum field_kind)i);
        if (prefix != NULL && index < ARRAY_LENGTH(attributes)) {
            snprintf(name, FIELD_NAME_SIZE, "%s%s", prefix, attributes[index]);
            return true;
        }
        index -= prefix != NULL ? ARRAY_LENGTH(attributes) : 0;
    }
    return false;
}
