/* The corpus: each of its chains must get the verdict that cases.csv or hostile.csv says. */
#include "base/check.h"
#include "identity/identity.h"
#include "path/path.h"
#include "support.h"
#include "x509/name.h"

enum { CHAIN_SIZE_MAX = 16 * 1024 /* limits.certificate_chain_size, unless it is set */ };

static const char *const lists[] = {"cases.csv", "hostile.csv"};

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
    if (fgets(line, sizeof line, file) == NULL) {
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
    snprintf(copy, sizeof copy, "%s", roots);
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " ")) {
        char file[80];
        snprintf(file, sizeof file, "roots/%s.pem", name);
        support_add_root(trust, CORPUS, file);
    }
    return trust;
}

static struct identity *judge(const struct corpus_case *one) {
    char file[80];
    snprintf(file, sizeof file, "chains/%s.pem", one->chain);
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS, file, chain);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += chain[i].size;
    }
    struct trust *trust = load_roots(one->roots);
    const struct forward forward = {NULL, 0};
    const struct identity_policy policy = {.trust = trust, .depth_max = one->depth, .forward = &forward};
    uint64_t folded = name_bytes_folded();
    struct identity *identity = identity_judge(&policy, chain, count, size > CHAIN_SIZE_MAX, one->at);
    cr_expect_leq(name_bytes_folded() - folded, 4 * size, "%s: names are read more than a few times", one->name);
    support_free_chain(chain, count);
    trust_free(trust);
    return identity;
}

/* The number of a list's cases, and in *good of those for which `examine` is true. */
static size_t for_each_case(const char *list, bool (*examine)(const struct corpus_case *one), size_t *good) {
    char path[512];
    char header[128];
    snprintf(path, sizeof path, CORPUS "/%s", list);
    FILE *file = fopen(path, "r");
    cr_assert(file != NULL && fgets(header, sizeof header, file) != NULL, "%s", path);
    size_t count = 0;
    struct corpus_case one;
    for (; next_case(file, &one); count++) {
        *good += examine(&one);
    }
    fclose(file);
    return count;
}

static bool examine_verdict(const struct corpus_case *one) {
    struct identity *identity = judge(one);
    bool good = strcmp(reason_name(identity->reason), one->reason) == 0;
    cr_expect(good, "%s: %s (%s), not %s", one->name, reason_name(identity->reason), identity->detail, one->reason);
    cr_expect(strstr(identity->detail, one->detail) != NULL, "%s: %s", one->name, identity->detail);
    cr_expect((identity->reason == REASON_OK) == (identity->detail[0] == '\0'), "%s: %s", one->name, identity->detail);
    cr_expect(identity->valid_from <= one->at && one->at <= identity->valid_until, "%s: not valid at its own time",
              one->name);
    identity_release(identity);
    return good;
}

Test(path, the_corpus_comes_out_as_it_must) {
    size_t count = 0;
    size_t good = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        count += for_each_case(lists[i], examine_verdict, &good);
    }
    printf("corpus: %zu of %zu chains as expected\n", good, count);
    cr_assert_geq(count, 412, "%zu cases", count);
}

/* Returns whether a verdict is the same at both ends of its window, and something changes past the ends. */
static bool examine_window(const struct corpus_case *one) {
    bool good = true;
    struct identity *identity = judge(one);
    struct corpus_case at = *one;
    const int64_t ends[] = {identity->valid_from, identity->valid_until};
    for (size_t i = 0; i < 2; i++) {
        if (ends[i] == INT64_MIN || ends[i] == INT64_MAX) {
            continue;
        }
        at.at = ends[i];
        struct identity *again = judge(&at);
        good = good && again->reason == identity->reason && strcmp(again->detail, identity->detail) == 0;
        cr_expect(good, "%s: %s at its end", one->name, reason_name(again->reason));
        identity_release(again);
        at.at = ends[i] + (i == 0 ? -1 : 1);
        again = judge(&at);
        good = good && (identity->reason != REASON_OK || again->reason != REASON_OK);
        cr_expect(good, "%s: not as it should be past its end", one->name);
        identity_release(again);
    }
    identity_release(identity);
    return good;
}

Test(path, a_verdict_holds_as_long_as_it_says) {
    size_t count = 0;
    size_t good = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        count += for_each_case(lists[i], examine_window, &good);
    }
    cr_assert_eq(good, count);
}

Test(path, of_a_valid_chain_is_told) {
    struct bytes certificates[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "unordered.pem", certificates);
    struct trust *trust = load_roots("root");
    static struct path_chain chain;
    cr_assert(path_read_chain(&chain, certificates, count));
    struct path_verdict verdict;
    path_judge(&chain, &(struct path_settings){.trust = trust, .depth_max = 4, .now = 1780315200}, &verdict);
    cr_assert_eq(verdict.fault.reason, REASON_OK);
    cr_assert(verdict.anchor == trust_anchor(trust, 0));
    cr_assert(verdict.length == 3 && verdict.order[0] == 0 && verdict.order[1] == 2 && verdict.order[2] == 1);
    support_free_chain(certificates, count);
    trust_free(trust);
}
