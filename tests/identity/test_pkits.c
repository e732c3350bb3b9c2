/*
 * NIST PKITS: the rows that need neither CRLs nor policies. Its files lie beside the repository (../shared/pkits); without
 * them the test is skipped.
 */
#include "identity/identity.h"
#include "support.h"

enum { PATH_FILES_MAX = 8, AT = 1302825600 /* 2011-04-15T00:00:00Z */ };

/* Valid but for a CRL: they wait for revocation. */
static const char *const need_crl[] = {
    "4.4.1",  "4.4.2",  "4.4.3",  "4.4.4",  "4.4.5",  "4.4.6", "4.4.8", "4.4.9", "4.4.10", "4.4.11",
    "4.4.12", "4.4.15", "4.4.18", "4.4.20", "4.4.21", "4.5.2", "4.5.5", "4.5.7", "4.7.4",  "4.7.5",
};
static const char *const sections[] = {"4.1.", "4.2.", "4.3.", "4.4.", "4.5.", "4.6.", "4.7.", "4.13.", "4.16."};
/* DSA is not supported. */
static const char *const left_out[] = {"4.1.4", "4.1.5", "4.1.6"};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool is_one_of(const char *number, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(number, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool applies(const char *number) {
    for (size_t i = 0; i < LENGTH(sections); i++) {
        if (strncmp(number, sections[i], strlen(sections[i])) == 0) {
            return !is_one_of(number, left_out, LENGTH(left_out));
        }
    }
    return false;
}

static struct identity *judge(char *path) {
    struct trust *trust = trust_create();
    struct bytes files[PATH_FILES_MAX];
    size_t count = 0;
    char name[256];
    for (char *file = strtok(path, " "); file != NULL; file = strtok(NULL, " ")) {
        cr_assert(count < PATH_FILES_MAX);
        snprintf(name, sizeof(name), "certs/%s.crt", file);
        if (trust_count(trust) == 0) {
            support_add_root(trust, PKITS, name);
        } else {
            files[count++] = support_read(PKITS, name);
        }
    }
    struct bytes chain[PATH_FILES_MAX]; /* the leaf first */
    for (size_t i = 0; i < count; i++) {
        chain[i] = files[count - 1 - i];
    }
    const struct forward forward = {NULL, 0};
    const struct identity_policy policy = {.trust = trust, .depth_max = 16, .forward = &forward};
    struct identity *identity = identity_judge(&policy, chain, count, false, AT);
    support_free_chain(files, count);
    trust_free(trust);
    return identity;
}

Test(pkits, rows_without_crls_and_policies) {
    FILE *file = fopen(PKITS "/cases.csv", "r");
    if (file == NULL) {
        cr_skip_test("PKITS is not at " PKITS);
    }
    char line[1024];
    size_t judged = 0;
    size_t waiting = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char number[16], title[128], expected[16], path[512], crls[512], settings[128] = "";
        line[strcspn(line, "\r\n")] = '\0';
        /* An empty list of CRLs ends the scan early, and so does a row without settings. */
        int fields = sscanf(line, "%15[^,],%127[^,],%15[^,],%511[^,],%511[^,],%127[^\n]", number, title, expected, path,
                            crls, settings);
        if (fields < 4 || settings[0] != '\0' || !applies(number)) {
            continue;
        }
        struct identity *identity = judge(path);
        const char *status = status_name(identity->status);
        if (is_one_of(number, need_crl, LENGTH(need_crl))) {
            waiting++;
            cr_expect_str_eq(status, "valid", "%s %s needs no CRL any more: %s", number, title,
                             reason_name(identity->reason));
        } else {
            judged++;
            cr_expect_str_eq(status, expected, "%s %s: %s (%s)", number, title, reason_name(identity->reason),
                             identity->detail);
        }
        identity_release(identity);
    }
    fclose(file);
    cr_log_info("%zu rows as expected, %zu wait for CRLs", judged, waiting);
    cr_assert_eq(judged, 93, "%zu rows", judged);
    cr_assert_eq(waiting, LENGTH(need_crl), "%zu rows", waiting);
}
