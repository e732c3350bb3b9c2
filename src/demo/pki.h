/*
 * The demo's certificates, made with wolfCrypt: a root, an intermediate, a server, and clients good and bad. All keys are
 * P-256. The keys of root and intermediate are never written: nobody can use the demo's root for anything else.
 */
#ifndef DEMO_PKI_H
#define DEMO_PKI_H

#include "demo/folder.h"

enum { DEMO_PKI_SKI_SIZE = 2 * 32 + 1 };

/*
 * Writes root.pem, intermediate.pem, server.pem (for the demo's hosts and localhost; chain, leaf first), server.key, and
 * chain and key in one file of three clients: pizza.pem, expired.pem, and other-root.pem, whose root is another. 0, or a
 * negative errno with one line in `error`; then some of the files may have been written.
 */
int demo_pki_create(const struct demo_folder *folder, struct error *error);
/* Checks that the server's and the good client's certificate are readable and valid at `now` (seconds since the epoch). */
int demo_pki_check(const struct demo_folder *folder, int64_t now, struct error *error);
/* Writes the Subject Key Identifier of the leaf in a PEM file, in lower-case hex. 0 or -EINVAL. */
int demo_pki_ski(const struct demo_folder *folder, const char *name, char ski[static DEMO_PKI_SKI_SIZE]);

#endif
