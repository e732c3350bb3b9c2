#include "base/hash.h"
#include "path/path_budget.h"
#include "support.h"

enum { NOW = 1000 };

static struct bytes certificates[SUPPORT_CHAIN_MAX];
static size_t count;
static struct path_chain chain;
static struct path_budget budget;
static const struct path_settings settings = {.depth_max = PATH_CHAIN_MAX, .now = NOW};

static void setup(void) {
    hash_init();
    count = support_chain(CORPUS "/chains", "one-intermediate.pem", certificates);
    cr_assert(path_read_chain(&chain, certificates, count));
    path_budget_init(&budget, &settings, &chain);
}

static void teardown(void) {
    support_free_chain(certificates, count);
}

TestSuite(path_budget, .init = setup, .fini = teardown);

static void assert_window(const struct path_window *window, int64_t from, int64_t until) {
    cr_assert(window->from == from && window->until == until, "%lld to %lld", (long long)window->from,
              (long long)window->until);
}

Test(path_budget, each_comparison_narrows_the_window_to_where_it_comes_out_alike) {
    assert_window(&budget.window, INT64_MIN, INT64_MAX);
    cr_assert(path_window_reaches(&budget, NOW));
    assert_window(&budget.window, NOW, INT64_MAX);
    cr_assert(!path_window_reaches(&budget, NOW + 10));
    assert_window(&budget.window, NOW, NOW + 9);
    cr_assert(!path_window_passes(&budget, NOW));
    assert_window(&budget.window, NOW, NOW);
}

Test(path_budget, what_has_passed_stays_so_from_the_second_after) {
    cr_assert(path_window_passes(&budget, NOW - 1));
    assert_window(&budget.window, NOW, INT64_MAX);
    cr_assert(path_window_passes(&budget, NOW - 10));
    assert_window(&budget.window, NOW, INT64_MAX);
}

Test(path_budget, a_path_has_a_window_of_its_own) {
    cr_assert(!path_window_reaches(&budget, NOW + 10));
    path_window_begin(&budget);
    cr_assert(!path_window_reaches(&budget, NOW + 20));
    assert_window(&budget.window, INT64_MIN, NOW + 9);
    assert_window(&budget.window_of_path, INT64_MIN, NOW + 19);
}

Test(path_budget, a_signature_is_checked_once_and_only_so_many_are) {
    const struct path_member *leaf = &chain.members[0];
    const struct signature_key *key = &chain.members[1].key;
    cr_assert(!path_edge_is_broken(&budget, leaf, key), "not known yet");
    cr_assert_eq(path_check_signature(&budget, leaf, key), 1);
    cr_assert_eq(path_check_signature(&budget, leaf, key), 1);
    cr_assert_eq(budget.edge_count, 1);
    cr_assert_eq(path_check_signature(&budget, leaf, &leaf->key), 0);
    cr_assert(path_edge_is_broken(&budget, leaf, &leaf->key) && !path_edge_is_broken(&budget, leaf, key));
    budget.edge_count = PATH_SIGNATURES_MAX;
    cr_assert_eq(path_check_signature(&budget, &chain.members[1], key), -1);
}

Test(path_budget, a_key_is_hashed_once) {
    uint8_t expected[SIGNATURE_SHA256_SIZE];
    signature_sha256(chain.members[1].certificate.spki, expected);
    const uint8_t *found = path_spki(&budget, &chain.members[1]);
    cr_assert_arr_eq(found, expected, sizeof expected);
    chain.members[1].certificate.spki = chain.members[0].certificate.spki;
    cr_assert_eq(path_spki(&budget, &chain.members[1]), found);
    cr_assert_arr_eq(found, expected, sizeof expected);
}
