/* Renders the values of the contract's fields, from a chain that was read and judged. */
#ifndef IDENTITY_RENDER_H
#define IDENTITY_RENDER_H

#include "identity/field.h"
#include "path/path.h"

/* The sources of the values. */
struct render_source {
    enum reason reason;
    const struct path_chain *chain;     /* NULL when the leaf cannot be read or none was presented */
    const struct path_verdict *verdict; /* NULL when no path was looked for */
    const uint8_t *fingerprint;         /* SHA-256 of the leaf, 32 bytes */
};

/*
 * Appends a field's value, fit for a header: control bytes and '%' as %XX (fields that are percent-encoded by a rule of
 * their own are not encoded twice). False when the field is absent; out->overflow when it did not fit. Of an attribute that
 * occurs more than once the first is taken. In the comma-separated lists a comma within a value is %2C.
 */
bool render_field(struct text *out, const struct field *field, const struct render_source *source);

#endif
