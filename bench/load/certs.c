#include "load/certs.h"

#include <stdio.h>
#include <stdlib.h>

struct loading {
    struct certs *certs;
    const struct client_settings *settings;
};

static int add(void *owner, const char *path, char error[static PEM_FILE_ERROR_SIZE]) {
    struct loading *loading = owner;
    struct certs *certs = loading->certs;
    struct client_credentials *credentials = client_credentials_load(path, loading->settings, error);

    if (credentials == NULL) {
        return -1;
    }
    struct client_credentials **all;
    all = realloc(certs->all, (certs->count + 1) * sizeof(struct client_credentials *));
    if (all == NULL) {
        snprintf(error, PEM_FILE_ERROR_SIZE, "out of memory");
        client_credentials_free(credentials);
        return -1;
    }
    certs->all = all;
    certs->all[certs->count++] = credentials;
    return 0;
}

int certs_load(struct certs *certs, const char *const *paths, unsigned count, const struct client_settings *settings,
               char error[static PEM_FILE_ERROR_SIZE]) {
    struct loading loading = {certs, settings};

    return count == 0 ? certs_load_none(certs, settings, error) : pem_file_each(paths, count, add, &loading, error);
}

int certs_load_none(struct certs *certs, const struct client_settings *settings, char error[static PEM_FILE_ERROR_SIZE]) {
    struct loading loading = {certs, settings};

    return add(&loading, NULL, error);
}

void certs_free(struct certs *certs) {
    for (size_t i = 0; i < certs->count; i++) {
        client_credentials_free(certs->all[i]);
    }
    free(certs->all);
}

struct client_credentials *certs_next(struct certs *certs) {
    return certs->all[certs->next++ % certs->count];
}
