/* The extensions of a certificate that path validation and the forwarded fields need (RFC 5280 section 4.2). */
#ifndef IDENTITY_EXTENSION_H
#define IDENTITY_EXTENSION_H

#include "identity/certificate.h"

/*
 * Reads certificate->extensions into the members behind it. NULL, or a static text that says what is malformed. Extensions
 * that are not processed are only held to their outer form.
 */
const char *extension_read_all(struct certificate *certificate);

/* One GeneralName of `*names`; it must have been read before (by extension_read_all). False at the end. */
bool extension_next_name(struct bytes *names, uint8_t *tag, struct bytes *value);

/* One subtree of `permitted` or `excluded`, as extension_next_name. */
bool extension_next_subtree(struct bytes *subtrees, uint8_t *tag, struct bytes *base);

#endif
