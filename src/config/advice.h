/* Tells what kind of file was given when another is wanted, and which command converts it. */
#ifndef CONFIG_ADVICE_H
#define CONFIG_ADVICE_H

#include "config/values.h"

enum advice_wanted { ADVICE_CHAIN, ADVICE_KEY, ADVICE_ROOTS, ADVICE_LISTS };

/*
 * Returns one line that follows the file's name in a message: "is PKCS #12, not PEM; convert it: openssl pkcs12 ...".
 * free(). NULL when the file is of the wanted kind, or of none that is known.
 */
char *advice_for(struct bytes file, enum advice_wanted wanted, const char *path);

/*
 * Adds the advice, if there is one, as a problem: "certificate: server.p12 is PKCS #12 ...". `key` is the name of the value
 * of `node` in messages. False when nothing was added.
 */
bool advice_report(const struct loader *loader, const struct document_node *node, const char *key, const char *path,
                   struct bytes file, enum advice_wanted wanted);

/* Returns the path as a shell takes it: as it is, or in quotes. free(). */
char *advice_quote(const char *path);

#endif
