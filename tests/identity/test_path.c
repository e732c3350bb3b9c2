/* The corpus: each of its chains must get the verdict that cases.csv says. */
#include "identity/identity.h"
#include "identity/path.h"
#include "support.h"

struct corpus_case {
    char name[64];
    char roots[64]; /* separated by spaces */
    char chain[64];
    long long at;
    size_t depth;
    char reason[64];
    char detail[64];
};

static bool next_case(FILE *file, struct corpus_case *one) {
    char line[512];
    if (fgets(line, sizeof(line), file) == NULL) {
        return false;
    }
    one->detail[0] = '\0';
    int fields = sscanf(line, "%63[^,],%63[^,],%63[^,],%lld,%zu,%63[^,\n],%63[^\n]", one->name, one->roots, one->chain,
                        &one->at, &one->depth, one->reason, one->detail);
    cr_assert(fields >= 6, "%s", line);
    return true;
}

static struct trust *load_roots(const char *roots) {
    struct trust *trust = trust_create();
    char copy[64];
    snprintf(copy, sizeof(copy), "%s", roots);
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " ")) {
        char file[80];
        snprintf(file, sizeof(file), "roots/%s.pem", name);
        support_add_root(trust, CORPUS, file);
    }
    return trust;
}

static struct identity *judge(const struct corpus_case *one) {
    char file[80];
    snprintf(file, sizeof(file), "chains/%s.pem", one->chain);
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS, file, chain);
    struct trust *trust = load_roots(one->roots);
    const struct forward forward = {NULL, 0};
    const struct identity_policy policy = {.trust = trust, .depth_max = one->depth, .forward = &forward};
    struct identity *identity = identity_judge(&policy, chain, count, false, one->at);
    support_free_chain(chain, count);
    trust_free(trust);
    return identity;
}

static FILE *open_cases(void) {
    FILE *file = fopen(CORPUS "/cases.csv", "r");
    cr_assert(file != NULL);
    char header[128];
    cr_assert(fgets(header, sizeof(header), file) != NULL);
    return file;
}

Test(path, the_corpus_comes_out_as_it_must) {
    FILE *file = open_cases();
    struct corpus_case one;
    size_t count = 0;
    while (next_case(file, &one)) {
        struct identity *identity = judge(&one);
        cr_expect_str_eq(reason_name(identity->reason), one.reason, "%s: %s (%s), not %s", one.name,
                         reason_name(identity->reason), identity->detail, one.reason);
        cr_expect(strstr(identity->detail, one.detail) != NULL, "%s: %s", one.name, identity->detail);
        cr_expect((identity->reason == REASON_OK) == (identity->detail[0] == '\0'), "%s: %s", one.name, identity->detail);
        cr_expect(identity->valid_from <= one.at && one.at <= identity->valid_until, "%s: not valid at its own time",
                  one.name);
        identity_release(identity);
        count++;
    }
    fclose(file);
    cr_assert_geq(count, 285, "%zu cases", count);
}

/* What the window of a verdict promises: the same verdict at its ends, and where it ends something changes. */
Test(path, a_verdict_holds_as_long_as_it_says) {
    FILE *file = open_cases();
    struct corpus_case one;
    while (next_case(file, &one)) {
        struct identity *identity = judge(&one);
        struct corpus_case at = one;
        const int64_t ends[] = {identity->valid_from, identity->valid_until};
        for (size_t i = 0; i < 2; i++) {
            if (ends[i] == INT64_MIN || ends[i] == INT64_MAX) {
                continue;
            }
            at.at = ends[i];
            struct identity *again = judge(&at);
            cr_expect(again->reason == identity->reason && strcmp(again->detail, identity->detail) == 0, "%s: %s at its end",
                      one.name, reason_name(again->reason));
            identity_release(again);
            at.at = ends[i] + (i == 0 ? -1 : 1);
            again = judge(&at);
            cr_expect(identity->reason != REASON_OK || again->reason != REASON_OK, "%s: still valid past its end", one.name);
            identity_release(again);
        }
        identity_release(identity);
    }
    fclose(file);
}

Test(path, of_a_valid_chain_is_told) {
    struct bytes certificates[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "unordered.pem", certificates);
    struct trust *trust = load_roots("root");
    static struct path_chain chain;
    struct path_verdict verdict;
    cr_assert(path_read_chain(&chain, certificates, count));
    path_judge(&chain, &(struct path_settings){.trust = trust, .depth_max = 4, .now = 1780315200}, &verdict);
    cr_assert_eq(verdict.fault.reason, REASON_OK);
    cr_assert(verdict.anchor == trust_anchor(trust, 0));
    cr_assert(verdict.length == 3 && verdict.order[0] == 0 && verdict.order[1] == 2 && verdict.order[2] == 1);
    support_free_chain(certificates, count);
    trust_free(trust);
}
