/*
 * NIST PKITS, with its CRLs: the rows that need no policies. Its certificates and lists lie beside the repository
 * (../shared/pkits), or in .deps/pkits, where `tools/deps --check` puts them; without them the test is skipped.
 */
#include "base/hash.h"
#include "identity/identity.h"
#include "support.h"

#include <unistd.h>

enum { PATH_FILES_MAX = 8, AT = 1302825600 /* 2011-04-15T00:00:00Z */ };

static const char *const sections[] = {"4.1.", "4.2.",  "4.3.",  "4.4.",  "4.5.", "4.6.",
                                       "4.7.", "4.13.", "4.14.", "4.15.", "4.16."};
/* DSA is not supported. */
static const char *const left_out[] = {"4.1.4", "4.1.5", "4.1.6"};
/*
 * A CRL that is not supported is refused where it is given, so that the certificates of these rows are judged without the
 * CRL that would say what the row expects. Only 4.15.4 then comes out valid, since nothing but the refused delta CRL says
 * that its certificate is revoked.
 */
static const struct {
    const char *number;
    const char *why;
} unsupported[] = {
    {"4.14.18", "CRLs for some reasons"},
    {"4.14.19", "CRLs for some reasons"},
    {"4.14.22", "indirect CRL"},
    {"4.14.24", "indirect CRL"},
    {"4.14.25", "indirect CRL"},
    {"4.14.28", "indirect CRL"},
    {"4.14.29", "indirect CRL"},
    {"4.14.30", "indirect CRL"},
    {"4.14.33", "indirect CRL"},
    {"4.15.4", "delta CRL"},
    {"4.15.5", "delta CRL"},
};

/* The reasons other than crl_missing that make rows about revocation (4.4, 4.5, 4.14, 4.15) invalid. */
static const struct {
    const char *number;
    enum reason reason;
} reasons[] = {
    {"4.4.2", REASON_REVOKED},  {"4.4.3", REASON_REVOKED},     {"4.4.11", REASON_CRL_STALE},    {"4.4.12", REASON_CRL_STALE},
    {"4.4.15", REASON_REVOKED}, {"4.4.18", REASON_REVOKED},    {"4.4.20", REASON_REVOKED},      {"4.5.2", REASON_REVOKED},
    {"4.5.5", REASON_REVOKED},  {"4.5.7", REASON_REVOKED},     {"4.5.8", REASON_BAD_SIGNATURE}, {"4.14.2", REASON_REVOKED},
    {"4.14.6", REASON_REVOKED}, {"4.15.3", REASON_REVOKED},    {"4.15.5", REASON_REVOKED},      {"4.15.6", REASON_REVOKED},
    {"4.15.9", REASON_REVOKED}, {"4.15.10", REASON_CRL_STALE},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The folder with certs/ and crls/; NULL: there is none. */
static const char *find_pkits(void) {
    if (access(PKITS_BESIDE "/certs", R_OK) == 0) {
        return PKITS_BESIDE;
    }
    return access(PKITS_FETCHED "/certs", R_OK) == 0 ? PKITS_FETCHED : NULL;
}

static bool applies(const char *number) {
    for (size_t i = 0; i < LENGTH(left_out); i++) {
        if (strcmp(number, left_out[i]) == 0) {
            return false;
        }
    }
    for (size_t i = 0; i < LENGTH(sections); i++) {
        if (strncmp(number, sections[i], strlen(sections[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns the unsupported feature that the row needs; NULL: none. */
static const char *find_unsupported(const char *number) {
    for (size_t i = 0; i < LENGTH(unsupported); i++) {
        if (strcmp(number, unsupported[i].number) == 0) {
            return unsupported[i].why;
        }
    }
    return NULL;
}

static bool is_about_revocation(const char *number) {
    return strncmp(number, "4.4.", 4) == 0 || strncmp(number, "4.5.", 4) == 0 || strncmp(number, "4.14.", 5) == 0 ||
           strncmp(number, "4.15.", 5) == 0;
}

static enum reason expected_reason(const char *number) {
    for (size_t i = 0; i < LENGTH(reasons); i++) {
        if (strcmp(number, reasons[i].number) == 0) {
            return reasons[i].reason;
        }
    }
    return REASON_CRL_MISSING;
}

/* Those that load: one that is refused is none. */
static struct revocation *load_crls(char *crls, const struct trust *trust) {
    struct revocation *revocation = revocation_create();
    struct error error = {""};
    char name[256];
    for (char *file = strtok(crls, " "); file != NULL; file = strtok(NULL, " ")) {
        snprintf(name, sizeof name, "crls/%s.crl", file);
        struct bytes bytes = support_read(find_pkits(), name);
        if (revocation_add_file(revocation, bytes, &error) != 0) {
            cr_log_info("%s: %s", file, error.text);
        }
        support_free(bytes);
    }
    cr_assert(revocation_check(revocation, trust, &error) == 0, "%s", error.text);
    return revocation;
}

static struct identity *judge(char *path, char *crls) {
    struct trust *trust = trust_create();
    size_t count = 0;
    char name[256];
    struct bytes files[PATH_FILES_MAX];
    for (char *file = strtok(path, " "); file != NULL; file = strtok(NULL, " ")) {
        cr_assert(count < PATH_FILES_MAX);
        snprintf(name, sizeof name, "certs/%s.crt", file);
        if (trust_count(trust) == 0) {
            support_add_root(trust, find_pkits(), name);
        } else {
            files[count++] = support_read(find_pkits(), name);
        }
    }
    struct bytes chain[PATH_FILES_MAX]; /* the leaf first */
    for (size_t i = 0; i < count; i++) {
        chain[i] = files[count - 1 - i];
    }
    const struct forward forward = {NULL, 0};
    struct revocation *revocation = load_crls(crls, trust);
    const struct identity_policy policy = {.trust = trust, .depth_max = 16, .forward = &forward, .revocation = revocation};
    struct identity *identity = identity_judge(&policy, chain, count, false, AT);
    support_free_chain(files, count);
    revocation_free(revocation);
    trust_free(trust);
    return identity;
}

Test(pkits, rows_without_policies) {
    if (find_pkits() == NULL) {
        cr_skip_test("the certificates of PKITS are neither in " PKITS_BESIDE " nor in " PKITS_FETCHED
                     ": tools/deps --check fetches them");
    }
    FILE *file = fopen(PKITS_CASES, "r");
    cr_assert_not_null(file, "%s", PKITS_CASES);
    hash_init();
    size_t judged = 0;
    size_t unheld = 0;
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        char number[16], title[128], expected[16], path[512], crls[512], settings[128] = "";
        line[strcspn(line, "\r\n")] = '\0';
        /* A row without settings ends the scan early. */
        int fields = sscanf(line, "%15[^,],%127[^,],%15[^,],%511[^,],%511[^,],%127[^\n]", number, title, expected, path,
                            crls, settings);
        if (fields < 5 || settings[0] != '\0' || !applies(number)) {
            continue;
        }
        struct identity *identity = judge(path, crls);
        bool holds = strcmp(status_name(identity->status), expected) == 0;
        const char *missing = find_unsupported(number);
        cr_expect(holds == (missing == NULL), "%s %s: %s (%s); not supported: %s", number, title,
                  reason_name(identity->reason), identity->detail, missing == NULL ? "nothing" : missing);
        cr_expect(!is_about_revocation(number) || identity->reason == REASON_OK ||
                      identity->reason == expected_reason(number),
                  "%s %s: %s", number, title, reason_name(identity->reason));
        judged += holds;
        unheld += !holds;
        identity_release(identity);
    }
    fclose(file);
    printf("PKITS: %zu rows as expected, %zu need what is not supported\n", judged, unheld);
    cr_assert_eq(unheld, LENGTH(unsupported), "%zu rows", unheld);
    cr_assert_eq(judged, 147, "%zu rows", judged);
}
