/* The corpus of CRLs: each of its chains must get the verdict that cases.csv says. */
#include "base/hash.h"
#include "identity/identity.h"
#include "path/path.h"
#include "revocation_support.h"

enum { AT = 1780315200 /* 2026-06-01T12:00:00Z */, THIS = 1777593600, NEXT = 1782864000 };

struct revocation_case {
    char name[64];
    char roots[64];
    char crls[128];
    char chain[64];
    long long at;
    char scope[16];
    char stale[16];
    char reason[32];
    char detail[128];
};

TestSuite(path_revocation, .init = hash_init);

static bool next_case(FILE *file, struct revocation_case *one) {
    char line[1024];
    if (fgets(line, sizeof line, file) == NULL) {
        return false;
    }
    one->detail[0] = '\0';
    int fields = sscanf(line, "%63[^,],%63[^,],%127[^,],%63[^,],%lld,%15[^,],%15[^,],%31[^,\n],%127[^\n]", one->name,
                        one->roots, one->crls, one->chain, &one->at, one->scope, one->stale, one->reason, one->detail);
    cr_assert(fields >= 8, "%s", line);
    return true;
}

static FILE *open_cases(void) {
    FILE *file = fopen(REVOCATION "/cases.csv", "r");
    cr_assert(file != NULL);
    char header[128];
    cr_assert(fgets(header, sizeof header, file) != NULL);
    return file;
}

/* All that a case names, loaded. */
struct stage {
    struct trust *trust;
    struct revocation *revocation;
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count;
    struct identity_policy policy;
};

static const struct forward no_headers = {NULL, 0};

static void set_stage(struct stage *stage, const struct revocation_case *one) {
    char file[80];
    snprintf(file, sizeof file, "chains/%s.pem", one->chain);
    stage->count = support_chain(REVOCATION, file, stage->chain);
    stage->trust = support_roots(one->roots);
    stage->revocation = support_crls(one->crls, stage->trust);
    stage->policy = (struct identity_policy){
        .trust = stage->trust,
        .depth_max = 4,
        .forward = &no_headers,
        .revocation = stage->revocation,
        .revocation_scope = strcmp(one->scope, "leaf") == 0 ? REVOCATION_LEAF : REVOCATION_CHAIN,
        .accept_stale_crls = strcmp(one->stale, "accept") == 0,
    };
}

static void clear_stage(struct stage *stage) {
    support_free_chain(stage->chain, stage->count);
    revocation_free(stage->revocation);
    trust_free(stage->trust);
}

static struct identity *judge_at(const struct stage *stage, int64_t at) {
    struct identity *identity = identity_judge(&stage->policy, stage->chain, stage->count, false, at);
    cr_assert(identity != NULL);
    return identity;
}

/* A case by name, for what its line does not say. */
static void set_stage_by_name(struct stage *stage, const char *name) {
    FILE *file = open_cases();
    struct revocation_case one;
    while (next_case(file, &one) && strcmp(one.name, name) != 0) {
    }
    fclose(file);
    cr_assert_str_eq(one.name, name);
    set_stage(stage, &one);
}

Test(path_revocation, the_corpus_comes_out_as_it_must) {
    FILE *file = open_cases();
    size_t count = 0;
    struct revocation_case one;
    while (next_case(file, &one)) {
        struct stage stage;
        set_stage(&stage, &one);
        struct identity *identity = judge_at(&stage, one.at);
        cr_expect_str_eq(reason_name(identity->reason), one.reason, "%s: %s (%s), not %s", one.name,
                         reason_name(identity->reason), identity->detail, one.reason);
        cr_expect(strstr(identity->detail, one.detail) != NULL, "%s: %s", one.name, identity->detail);
        cr_expect((identity->reason == REASON_OK) == (identity->detail[0] == '\0'), "%s: %s", one.name, identity->detail);
        cr_expect(identity->valid_from <= one.at && one.at <= identity->valid_until, "%s", one.name);
        identity_release(identity);
        clear_stage(&stage);
        count++;
    }
    fclose(file);
    cr_assert_geq(count, 130, "%zu cases", count);
}

/* Remembered signatures must not change a verdict, and within its window nothing may. */
Test(path_revocation, a_verdict_is_the_same_again_and_as_long_as_it_says) {
    FILE *file = open_cases();
    struct revocation_case one;
    while (next_case(file, &one)) {
        struct stage stage;
        set_stage(&stage, &one);
        struct identity *identity = judge_at(&stage, one.at);
        const int64_t times[] = {one.at, identity->valid_from, identity->valid_until};
        for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
            if (times[i] == INT64_MIN || times[i] == INT64_MAX) {
                continue;
            }
            struct identity *again = judge_at(&stage, times[i]);
            cr_expect(again->reason == identity->reason && strcmp(again->detail, identity->detail) == 0,
                      "%s: %s (%s) at %lld", one.name, reason_name(again->reason), again->detail, (long long)times[i]);
            cr_expect(again->signatures <= identity->signatures, "%s: more signatures", one.name);
            identity_release(again);
        }
        identity_release(identity);
        clear_stage(&stage);
    }
    fclose(file);
}

Test(path_revocation, a_verdict_ends_with_the_crls_that_it_rests_on) {
    static const struct {
        const char *name;
        int64_t from;
        int64_t until;
    } windows[] = {
        {"unlisted", THIS, NEXT},
        {"leaf-scope", THIS, NEXT},
        {"stale-accepted", THIS, NEXT},                    /* the root's CRL is current: its end changes nothing */
        {"no-next-update", THIS, 2208988800},              /* the certificates' own end */
        {"newest-is-to-come", THIS, 1781049600 - 1},       /* until the next one counts */
        {"past-the-last-second", NEXT + 1, 2208988800},    /* stale from then on */
        {"before-the-first-second", 1577836800, THIS - 1}, /* missing until then */
        {"leaf-revoked", THIS, NEXT},                      /* the root's CRL above it is current until then */
        {"leaf-revoked-leaf-scope", THIS, 2208988800},     /* revoked stays revoked while that CRL is the newest */
        {"delegate-in-file", THIS, NEXT},
    };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        struct stage stage;
        set_stage_by_name(&stage, windows[i].name);
        struct identity *identity = judge_at(&stage, strstr(windows[i].name, "past") != NULL      ? NEXT + 1
                                                     : strstr(windows[i].name, "before") != NULL  ? THIS - 1
                                                     : strstr(windows[i].name, "no-next") != NULL ? 2208902400
                                                                                                  : AT);
        /* With stale CRLs accepted no nextUpdate is looked at. */
        int64_t until = stage.policy.accept_stale_crls ? 2208988800 : windows[i].until;
        cr_expect(identity->valid_from == windows[i].from && identity->valid_until == until, "%s: %lld to %lld",
                  windows[i].name, (long long)identity->valid_from, (long long)identity->valid_until);
        identity_release(identity);
        clear_stage(&stage);
    }
}

Test(path_revocation, signatures_on_crls_are_checked_once) {
    struct stage stage;
    set_stage_by_name(&stage, "unlisted");
    struct identity *first = judge_at(&stage, AT);
    struct identity *second = judge_at(&stage, AT);
    /* Two certificates; the root's CRL was checked when it was loaded, the intermediate's is checked now. */
    cr_assert_eq(first->signatures, 3, "%u", first->signatures);
    cr_assert_eq(second->signatures, 2, "%u", second->signatures);
    identity_release(first);
    identity_release(second);
    clear_stage(&stage);
    set_stage_by_name(&stage, "delegate-by-the-ca-in-file");
    first = judge_at(&stage, AT);
    second = judge_at(&stage, AT);
    /* The delegate's certificate, and its CRL. */
    cr_assert_eq(first->signatures, 4, "%u", first->signatures);
    cr_assert_eq(second->signatures, 2, "%u", second->signatures);
    identity_release(first);
    identity_release(second);
    clear_stage(&stage);
    /* A signature that is not genuine is remembered as well. */
    set_stage_by_name(&stage, "attacker-of-the-same-name");
    first = judge_at(&stage, AT);
    second = judge_at(&stage, AT);
    cr_assert(first->signatures == 3 && second->signatures == 2, "%u %u", first->signatures, second->signatures);
    identity_release(first);
    identity_release(second);
    clear_stage(&stage);
}

Test(path_revocation, a_forged_chain_gets_no_crl_checked) {
    struct stage stage;
    set_stage_by_name(&stage, "order-signature-first");
    struct identity *identity = judge_at(&stage, AT);
    /* The intermediate's signature, and the leaf's, which does not hold: its CRL is not asked. */
    cr_assert(identity->reason == REASON_BAD_SIGNATURE && identity->signatures == 2, "%u", identity->signatures);
    identity_release(identity);
    clear_stage(&stage);
}

Test(path_revocation, without_crls_nothing_is_asked) {
    struct stage stage;
    set_stage_by_name(&stage, "leaf-revoked");
    stage.policy.revocation = NULL;
    struct identity *identity = judge_at(&stage, AT);
    cr_assert(identity->reason == REASON_OK && identity->signatures == 2);
    identity_release(identity);
    clear_stage(&stage);
}

/* More forged CRLs of one issuer than are checked for one chain: the next chains go on where this one had to stop. */
Test(path_revocation, the_signatures_on_crls_are_bounded) {
    enum { FORGED = PATH_CRL_SIGNATURES_MAX + 5 };
    struct error error = {""};
    struct stage stage;
    set_stage_by_name(&stage, "root-only");
    struct bytes crl = support_read(REVOCATION, "crls/middle-der.der");
    for (unsigned i = 1; i <= FORGED; i++) {
        uint8_t *last = (uint8_t *)crl.data + crl.size - 1;
        *last ^= (uint8_t)i;
        cr_assert(revocation_add_file(stage.revocation, crl, &error) == 0, "%s", error.text);
        *last ^= (uint8_t)i;
    }
    cr_assert_eq(revocation_count(stage.revocation), 1 + FORGED);
    const unsigned expected[] = {2 + PATH_CRL_SIGNATURES_MAX, 2 + FORGED - PATH_CRL_SIGNATURES_MAX, 2};
    for (size_t i = 0; i < 3; i++) {
        struct identity *identity = judge_at(&stage, AT);
        cr_expect(identity->reason == REASON_CRL_MISSING && identity->signatures == expected[i], "%zu: %u", i,
                  identity->signatures);
        /* A verdict that comes before all signatures are checked does not hold for long. */
        cr_expect((identity->valid_until == AT) == (i == 0), "%zu", i);
        cr_expect((strstr(identity->detail, "too many") != NULL) == (i == 0), "%zu: %s", i, identity->detail);
        identity_release(identity);
    }
    /* The genuine one among them is found all the same. */
    cr_assert(revocation_add_file(stage.revocation, crl, &error) == 0, "%s", error.text);
    struct identity *identity = judge_at(&stage, AT);
    cr_expect(identity->reason == REASON_OK && identity->signatures == 3, "%s, %u", reason_name(identity->reason),
              identity->signatures);
    identity_release(identity);
    support_free(crl);
    clear_stage(&stage);
}
