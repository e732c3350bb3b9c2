/* The client certificates of a run: files and folders from the command line. */
#ifndef BENCH_LOAD_CERTS_H
#define BENCH_LOAD_CERTS_H

#include "load/client.h"
#include "load/pem_file.h"

struct certs {
    struct client_credentials **all;
    size_t count;
    size_t next;
};

/*
 * Loads the certificates of `count` files and folders; with none, as certs_load_none. 0, or -1 with one line in `error`.
 */
int certs_load(struct certs *certs, const char *const *paths, unsigned count, const struct client_settings *settings,
               char error[static PEM_FILE_ERROR_SIZE]);
/* Makes credentials that present no certificate. */
int certs_load_none(struct certs *certs, const struct client_settings *settings, char error[static PEM_FILE_ERROR_SIZE]);
void certs_free(struct certs *certs);
/* In turn. */
struct client_credentials *certs_next(struct certs *certs);

#endif
