/* Types of the attributes in Names, by the short names that OpenSSL gives them: one table for all who name one. */
#ifndef X509_ATTRIBUTE_H
#define X509_ATTRIBUTE_H

#include "base/bytes.h"

/* Returns the short name of the type with that OID ("CN"), static; NULL when it has none here. */
const char *attribute_name(struct bytes oid);
/* Finds the OID of the type of that short name, in any case of its letters. It is a view of static bytes. */
bool attribute_find(const char *name, struct bytes *oid);

#endif
