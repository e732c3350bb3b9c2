/* Says of a file of another kind than is wanted what it is, and which command makes the right one of it. */
#ifndef CONFIG_ADVICE_H
#define CONFIG_ADVICE_H

#include "config/values.h"

enum advice_wanted { ADVICE_CHAIN, ADVICE_KEY, ADVICE_ROOTS, ADVICE_LISTS };

/*
 * NULL where the file holds what is wanted, or nothing that is known; else one line that follows the file's name in a
 * message: "is PKCS #12, not PEM; convert it: openssl pkcs12 ...". free().
 */
char *advice_for(struct bytes file, enum advice_wanted wanted, const char *path);

/*
 * Adds that as a problem, where there is something to say: "certificate: server.p12 is PKCS #12 ...". `key` is how a message
 * calls the value of `node`. False when nothing was added.
 */
bool advice_report(const struct loader *loader, const struct document_node *node, const char *key, const char *path,
                   struct bytes file, enum advice_wanted wanted);

/* The path as a shell takes it: as it is, or in quotes. free(). */
char *advice_quote(const char *path);

#endif
