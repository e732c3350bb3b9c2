/* The corpus of CRLs: its roots, CRL files and chains by their names. */
#ifndef TESTS_PATH_REVOCATION_SUPPORT_H
#define TESTS_PATH_REVOCATION_SUPPORT_H

#include "path/revocation.h"
#include "support.h"

#define REVOCATION CORPUS "/revocation"

static inline struct trust *support_roots(const char *names) {
    struct trust *trust = trust_create();
    char copy[128];
    char file[160];
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " ")) {
        snprintf(file, sizeof file, "roots/%s.pem", name);
        support_add_root(trust, REVOCATION, file);
    }
    return trust;
}

static inline int support_add_crl(struct revocation *revocation, const char *name, struct error *error) {
    char file[160];
    snprintf(file, sizeof file, "crls/%s", name);
    struct bytes bytes = support_read(REVOCATION, file);
    int result = revocation_add_file(revocation, bytes, error);
    support_free(bytes);
    return result;
}

/* File names separated by spaces; "-" is none. They must load, and hold against the roots unless those are NULL. */
static inline struct revocation *support_crls(const char *names, const struct trust *trust) {
    struct revocation *revocation = revocation_create();
    char copy[256];
    struct error error = {""};
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok(copy, " "); name != NULL && strcmp(name, "-") != 0; name = strtok(NULL, " ")) {
        cr_assert(support_add_crl(revocation, name, &error) == 0, "%s: %s", name, error.text);
    }
    cr_assert(trust == NULL || revocation_check(revocation, trust, &error) == 0, "%s: %s", names, error.text);
    return revocation;
}

#endif
