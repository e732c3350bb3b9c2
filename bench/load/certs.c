#include "load/certs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CERTS_MAX = 65536 };

static int add(struct certs *certs, const char *file, const char *name, char error[static CLIENT_ERROR_SIZE]) {
    struct client_credentials *credentials;
    struct client_credentials **all;

    if (certs->count == CERTS_MAX) {
        snprintf(error, CLIENT_ERROR_SIZE, "more than %d certificates", CERTS_MAX);
        return -1;
    }
    credentials = client_credentials_load(file, name, error);
    if (credentials == NULL) {
        return -1;
    }
    all = realloc(certs->all, (certs->count + 1) * sizeof(struct client_credentials *));
    if (all == NULL) {
        snprintf(error, CLIENT_ERROR_SIZE, "out of memory");
        client_credentials_free(credentials);
        return -1;
    }
    certs->all = all;
    certs->all[certs->count++] = credentials;
    return 0;
}

static int is_pem(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".pem") == 0;
}

static int add_folder(struct certs *certs, const char *folder, const char *name, char error[static CLIENT_ERROR_SIZE]) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_pem, alphasort);
    int result = 0;

    if (count <= 0) {
        snprintf(error, CLIENT_ERROR_SIZE, "%s: %s", folder, count == 0 ? "no *.pem in this folder" : strerror(errno));
        return -1;
    }
    for (int i = 0; i < count; i++) {
        char path[4096];

        if (result == 0 && snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) >= (int)sizeof path) {
            snprintf(error, CLIENT_ERROR_SIZE, "%s: the path is too long", folder);
            result = -1;
        }
        if (result == 0) {
            result = add(certs, path, name, error);
        }
        free(entries[i]);
    }
    free(entries);
    return result;
}

int certs_load(struct certs *certs, const struct options *options, char error[static CLIENT_ERROR_SIZE]) {
    int result = options->cert_count == 0 ? add(certs, NULL, options->name, error) : 0;

    for (unsigned i = 0; i < options->cert_count && result == 0; i++) {
        const char *path = options->certs[i];
        struct stat status;

        if (stat(path, &status) < 0) {
            snprintf(error, CLIENT_ERROR_SIZE, "%s: %s", path, strerror(errno));
            return -1;
        }
        result =
            S_ISDIR(status.st_mode) ? add_folder(certs, path, options->name, error) : add(certs, path, options->name, error);
    }
    return result;
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
