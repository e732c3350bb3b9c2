/* Kinds of names and subtrees are in the corpus ("names-..."): see test_path.c. Here is what it costs. */
#include "path/constraints.h"
#include "support.h"

static bool hold(const char *file, unsigned *comparisons, struct constraints_fault *fault) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", file, chain);
    struct certificate leaf;
    struct certificate ca;
    const char *why;
    cr_assert(count == 2 && certificate_read(&leaf, chain[0], &why) && certificate_read(&ca, chain[1], &why));
    bool result = constraints_hold(&ca, &leaf, comparisons, fault);
    support_free_chain(chain, count);
    return result;
}

Test(constraints, count_each_name_against_each_subtree) {
    struct constraints_fault fault;
    unsigned comparisons = 10;
    cr_assert(hold("names-dns-permitted-0.pem", &comparisons, &fault));
    cr_assert_eq(comparisons, 8, "the subject and one name against one subtree");
    comparisons = 2;
    cr_assert(hold("names-dns-permitted-0.pem", &comparisons, &fault));
    comparisons = 1;
    cr_assert(!hold("names-dns-permitted-0.pem", &comparisons, &fault));
    cr_assert(fault.too_many);
}

Test(constraints, are_bounded) {
    struct constraints_fault fault;
    unsigned comparisons = CONSTRAINTS_COMPARISONS_MAX;
    cr_assert(!hold("names-too-many.pem", &comparisons, &fault));
    cr_assert(fault.too_many && comparisons == 0);
}

Test(constraints, none_cost_nothing) {
    struct constraints_fault fault;
    unsigned comparisons = 0;
    cr_assert(hold("one-intermediate.pem", &comparisons, &fault));
}

Test(constraints, say_what_broke_them) {
    struct constraints_fault fault;
    unsigned comparisons = 10;
    cr_assert(!hold("names-dns-permitted-4.pem", &comparisons, &fault));
    cr_assert(fault.tag == GENERAL_NAME_DNS && !fault.excluded && !fault.too_many);
    cr_assert(!hold("names-dns-excluded-0.pem", &comparisons, &fault));
    cr_assert(fault.excluded);
    cr_assert_str_eq(constraints_kind(GENERAL_NAME_URI), "URI");
    cr_assert_str_eq(constraints_kind(0), "name");
}
