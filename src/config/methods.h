/* The setting `methods` of a host: the methods of the requests that go to its origin (RFC 9110 section 9). */
#ifndef CONFIG_METHODS_H
#define CONFIG_METHODS_H

#include "config/config.h"
#include "config/values.h"

enum { METHODS_MAX = 64 /* names in one list */ };

/* Reads a list of names; NULL: the key is absent, and all methods are relayed. Each fault is a problem at its line. */
void methods_load(const struct loader *loader, const struct document_node *list, struct config_host *host);

/* Returns whether requests with this method are relayed. Letter case counts. Never true for CONNECT and TRACE. */
bool methods_take(const struct config_host *host, struct bytes method);
/*
 * Returns the value of the header Allow for the host: method names with commas between them. Where the host relays all
 * methods, the names are those that most origins have.
 */
const char *methods_allowed(const struct config_host *host);
/* Returns the one of these names that `method` is where letter case is ignored; empty: it is none. Static. */
struct bytes methods_meant(struct bytes method);

#endif
