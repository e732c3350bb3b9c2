#include "path/path_check.h"
#include "support.h"

enum { AT = 1780315200 /* 2026-06-01T12:00:00Z */, BEGIN = 1577836800, END = 2208988800 };

static struct trust *trust;
static struct bytes certificates[SUPPORT_CHAIN_MAX];
static size_t count;
static struct path_chain chain;
static struct path_candidate candidate;
static struct path_budget budget;

/* The chain as it lies in the file, straight up to the root. */
static void load(const char *file) {
    trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    count = support_chain(CORPUS "/chains", file, certificates);
    cr_assert(path_read_chain(&chain, certificates, count));
    candidate = (struct path_candidate){.anchor = trust_anchor(trust, 0), .length = count};
    for (size_t i = 0; i < count; i++) {
        candidate.members[i] = &chain.members[i];
    }
    static struct path_settings settings;
    settings = (struct path_settings){.trust = trust, .depth_max = PATH_CHAIN_MAX, .now = AT};
    path_budget_init(&budget, &settings, &chain);
}

static void teardown(void) {
    support_free_chain(certificates, count);
    trust_free(trust);
}

TestSuite(path_check, .fini = teardown);

Test(path_check, pays_for_each_signature_once) {
    struct path_fault fault;
    load("one-intermediate.pem");
    cr_assert(path_check(&budget, &candidate, &fault) && fault.reason == REASON_OK);
    cr_assert_eq(budget.edge_count, 2);
    cr_assert(path_check(&budget, &candidate, &fault) && fault.reason == REASON_OK);
    cr_assert_eq(budget.edge_count, 2);
    cr_assert(!path_edge_is_broken(&budget, &chain.members[0], &chain.members[1].key));
}

Test(path_check, remembers_what_does_not_hold) {
    struct path_fault fault;
    load("leaf-signature-flipped.pem");
    cr_assert(path_check(&budget, &candidate, &fault));
    cr_assert(fault.reason == REASON_BAD_SIGNATURE && fault.height == 0);
    cr_assert(fault.certificate == &chain.members[0].certificate && fault.issuer == &chain.members[1].certificate);
    cr_assert(path_edge_is_broken(&budget, &chain.members[0], &chain.members[1].key));
    cr_assert(!path_edge_is_broken(&budget, &chain.members[1], &candidate.anchor->key));
}

Test(path_check, checks_no_signature_below_the_fault) {
    struct path_fault fault;
    load("expired-intermediate.pem");
    cr_assert(path_check(&budget, &candidate, &fault));
    cr_assert(fault.reason == REASON_EXPIRED && fault.height == 1 && budget.edge_count == 1);
}

Test(path_check, ends_when_signatures_run_out) {
    struct path_fault fault;
    load("one-intermediate.pem");
    budget.edge_count = PATH_SIGNATURES_MAX - 1;
    cr_assert(!path_check(&budget, &candidate, &fault));
    cr_assert_eq(budget.edge_count, PATH_SIGNATURES_MAX);
}

Test(path_check, narrows_the_window_by_what_it_compared) {
    struct path_fault fault;
    load("one-intermediate.pem");
    cr_assert(path_check(&budget, &candidate, &fault));
    cr_assert(budget.window.from == BEGIN && budget.window.until == END);
    teardown();
    load("expired-intermediate.pem");
    cr_assert(path_check(&budget, &candidate, &fault));
    cr_assert(budget.window.from == 1735689601 && budget.window.until == END, "expired from a second after its end");
    teardown();
    load("not-yet-valid.pem");
    cr_assert(path_check(&budget, &candidate, &fault));
    cr_assert(budget.window.from == BEGIN && budget.window.until == 1798761599, "until a second before its begin");
}

Test(path_check, asks_for_the_purpose_of_the_side) {
    struct path_fault fault;
    load("server-certificate.pem");
    cr_assert(path_check(&budget, &candidate, &fault));
    cr_assert(fault.reason == REASON_WRONG_USAGE && strcmp(fault.usage, "extendedKeyUsage has no clientAuth") == 0);
    struct path_settings of_server = *budget.settings;
    of_server.purpose = PATH_OF_SERVER;
    path_budget_init(&budget, &of_server, &chain);
    cr_assert(path_check(&budget, &candidate, &fault) && fault.reason == REASON_OK);
}
