/* The extensions of a certificate that path validation and the forwarded fields need (RFC 5280 section 4.2). */
#ifndef X509_EXTENSION_H
#define X509_EXTENSION_H

#include "x509/certificate.h"

/*
 * Reads certificate->extensions into the members behind it. NULL, or a static text that says what is malformed. Extensions
 * that are not processed are only held to their outer form.
 */
const char *extension_read_all(struct certificate *certificate);

/* One GeneralName of `*names`; it must have been read before (by extension_read_all). False at the end. */
bool extension_next_name(struct bytes *names, uint8_t *tag, struct bytes *value);

/* One subtree of `permitted` or `excluded`, as extension_next_name. */
bool extension_next_subtree(struct bytes *subtrees, uint8_t *tag, struct bytes *base);

/* Reads one Extension, which need not have been read before. */
bool extension_read(struct bytes *in, struct certificate_extension *extension);
/* Whether one of the first `count` of `extensions`, which have been read before, has that OID. */
bool extension_occurred_before(struct bytes extensions, size_t count, struct bytes oid);
/* Reads AuthorityKeyIdentifier; `*key` is empty when it names no key identifier. */
bool extension_read_authority_key(struct bytes value, struct bytes *key);
/*
 * Whether the content of a GeneralName is well-formed. `ip_size`: octets of an IPv4 address there, 4; an address and its
 * mask in a constraint are 8.
 */
bool extension_name_is_valid(uint8_t tag, struct bytes value, size_t ip_size);

#endif
