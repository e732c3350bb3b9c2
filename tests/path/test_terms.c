/* When roots and lists end, and which lists count: from files of the corpus, whose dates are in 2026. */
#include "path/revocation_list.h"
#include "path/terms.h"
#include "revocation_support.h"

enum {
    FEBRUARY = 1769904000, /* the first of it, as with the next two */
    MARCH = 1772323200,
    JULY = 1782864000,
    MAY_15 = 1778803200,
    MAY_21 = 1779321600,
    MAY_25 = 1779667200,
    JUNE_1_AT_NOON = 1780315201, /* and one second */
    JUNE_20 = 1781913600,
};

static struct terms terms;

static void end(void) {
    terms_free(&terms);
}

TestSuite(terms, .fini = end);

static void read_roots(const char *names) {
    struct trust *trust = trust_create();
    char copy[128];
    snprintf(copy, sizeof copy, "%s", names);
    char file[160];
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " ")) {
        snprintf(file, sizeof file, "roots/%s.pem", name);
        support_add_root(trust, CORPUS, file);
    }
    cr_assert_eq(terms_of_roots(&terms, trust), 0);
    trust_free(trust);
}

static void read_lists(const char *names, int64_t now_s) {
    struct revocation *revocation = support_crls(names, NULL);
    cr_assert_eq(terms_of_lists(&terms, revocation, now_s), 0);
    revocation_free(revocation);
}

static void expect(size_t at, const char *name, int64_t term_end, bool repeats) {
    cr_assert_lt(at, terms.count);
    cr_expect_str_eq(terms.items[at].name, name);
    cr_expect_eq(terms.items[at].end, term_end, "%s: %lld", name, (long long)terms.items[at].end);
    cr_expect_eq(terms.items[at].repeats, repeats, "%s", name);
}

Test(terms, a_host_without_roots_and_lists_has_none) {
    cr_assert_eq(terms_of_roots(&terms, NULL), 0);
    cr_assert_eq(terms.count, 0);
    terms_free(&terms);
    cr_assert_eq(terms_of_lists(&terms, NULL, 0), 0);
    cr_assert_eq(terms.count, 0);
}

Test(terms, roots_stand_each_by_its_subject_the_first_that_ends_in_front) {
    read_roots("root other expired");
    cr_assert_eq(terms.count, 3);
    expect(0, "CN=Ancient,O=Corpus", 1735689600, false);
    expect(1, "CN=Other Root,O=Corpus", 2208988800, false);
    expect(2, "CN=Root,O=Corpus", 2208988800, false);
}

Test(terms, what_ends_has_a_begin_too) {
    struct revocation *revocation = support_crls("root.pem", NULL);
    cr_assert_eq(terms_of_lists(&terms, revocation, 0), 0);
    cr_expect_eq(terms.items[0].begin, revocation_list_at(revocation, 0)->this_update);
    revocation_free(revocation);
    terms_free(&terms);
    read_roots("expired");
    cr_expect_gt(terms.items[0].begin, 0);
    cr_expect_lt(terms.items[0].begin, terms.items[0].end);
}

Test(terms, of_two_roots_of_one_subject_the_second_is_marked) {
    read_roots("root expired same-name");
    cr_assert_eq(terms.count, 3);
    expect(0, "CN=Ancient,O=Corpus", 1735689600, false);
    cr_expect_str_eq(terms.items[1].name, "CN=Root,O=Corpus");
    cr_expect_str_eq(terms.items[2].name, "CN=Root,O=Corpus");
    cr_expect_eq(terms.items[1].repeats + terms.items[2].repeats, 1);
}

Test(terms, each_issuer_of_lists_stands_once_with_the_first_end) {
    read_lists("middle.pem root-stale.pem", MAY_15);
    cr_assert_eq(terms.count, 2);
    expect(0, "CN=Root,O=Corpus", FEBRUARY, false);
    expect(1, "CN=Middle,O=Corpus", JULY, false);
}

Test(terms, a_list_without_next_update_never_ends) {
    read_lists("no-next-update.pem root-stale.pem", MARCH);
    cr_assert_eq(terms.count, 2);
    expect(0, "CN=Root,O=Corpus", FEBRUARY, false);
    expect(1, "CN=Middle,O=Corpus", TERM_NEVER, false);
    terms_free(&terms);
    read_lists("no-next-update.pem root-stale.pem", MAY_15);
    expect(0, "CN=Middle,O=Corpus", TERM_NEVER, false);
    expect(1, "CN=Root,O=Corpus", TERM_NEVER, false);
}

Test(terms, a_list_that_a_newer_one_has_replaced_does_not_count) {
    read_lists("middle-stale.pem middle.pem", MAY_15);
    cr_assert_eq(terms.count, 1);
    expect(0, "CN=Middle,O=Corpus", JULY, false);
    terms_free(&terms);
    read_lists("middle.pem newest-is-stale.pem", MAY_25);
    expect(0, "CN=Middle,O=Corpus", MAY_21, false);
}

Test(terms, a_list_counts_until_its_successor_begins) {
    read_lists("middle-stale.pem middle.pem", MARCH);
    expect(0, "CN=Middle,O=Corpus", FEBRUARY, false);
    terms_free(&terms);
    read_lists("equally-new.pem newest-is-to-come.pem", MAY_15); /* nine days are between them */
    expect(0, "CN=Middle,O=Corpus", JUNE_1_AT_NOON, false);
    terms_free(&terms);
    read_lists("equally-new.pem newest-is-to-come.pem", JUNE_20);
    expect(0, "CN=Middle,O=Corpus", JULY, false);
    terms_free(&terms);
    read_lists("middle.pem newest-is-to-come.pem", MAY_15); /* it ends with its successor, which it does not wait for */
    expect(0, "CN=Middle,O=Corpus", JULY, false);
}

Test(terms, lists_of_other_scopes_do_not_replace_each_other) {
    read_lists("middle-stale.pem middle-users.pem", MAY_15);
    cr_assert_eq(terms.count, 1);
    expect(0, "CN=Middle,O=Corpus", FEBRUARY, false);
    terms_free(&terms);
    read_lists("middle-here.pem middle-there.pem middle-stale.pem", MAY_15);
    expect(0, "CN=Middle,O=Corpus", FEBRUARY, false);
}

Test(terms, certificates_that_sign_lists_end_too_and_roots_are_not_among_them) {
    struct trust *trust = support_roots("mute");
    struct revocation *revocation = support_crls("delegate-in-file.pem delegate-expired.pem", NULL);
    cr_assert_eq(terms_of_delegates(&terms, revocation, trust), 0);
    cr_assert_eq(terms.count, 2);
    expect(0, "CN=Mute,O=Corpus", 1780185600, false);
    expect(1, "CN=Mute,O=Corpus", 2208988800, true);
    terms_free(&terms);
    revocation_free(revocation);
    trust_free(trust);

    trust = support_roots("root new cross");
    revocation = support_crls("new.pem", trust);
    cr_assert_not_null(revocation_delegate_at(revocation, 0), "the one that the old root has certified");
    cr_assert_eq(terms_of_delegates(&terms, revocation, trust), 0);
    cr_assert_eq(terms.count, 0);
    terms_free(&terms);
    revocation_free(revocation);
    trust_free(trust);

    cr_assert_eq(terms_of_delegates(&terms, NULL, NULL), 0);
    cr_assert_eq(terms.count, 0);
}
