/* Names of a chain as numbers; that paths come out right by them is in test_path.c. */
#include "name_builder.h"
#include "path/path_names.h"
#include "x509/name.h"

enum { SETS = 4, IN_SET = 6 };

static struct trust *trust;
static struct path_names names;

static void set_up(void) {
    trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    path_names_begin(&names);
}

static void tear_down(void) {
    trust_free(trust);
}

TestSuite(path_names, .init = set_up, .fini = tear_down);

Test(path_names, those_that_match_have_one_number) {
    struct builder a;
    struct builder b;
    struct builder c;
    cr_expect_eq(path_names_add(&names, NAME(a, UTF8(3, "My CA"))), 0);
    cr_expect_eq(path_names_add(&names, NAME(b, UTF8(3, "Another CA"))), 1);
    cr_expect_eq(path_names_add(&names, NAME(c, PRINTABLE(3, "my  ca"))), 0);
    cr_expect_eq(names.count, 2);
    cr_expect_eq(names.names[0].name.data, a.data);
}

Test(path_names, roots_are_found_by_name) {
    struct bytes root = trust_name(trust, 0);
    struct builder other;
    path_names_add(&names, NAME(other, UTF8(3, "nobody")));
    path_names_add(&names, root);
    path_names_find_roots(&names, trust);
    cr_expect_eq(names.names[0].root, TRUST_NONE);
    cr_expect_eq(names.names[1].root, 0);
}

/* Spelling `number` of one name: sets of attributes that differ at their ends, with letters of either case. */
static struct bytes spelling(struct builder *out, unsigned number) {
    static char values[SETS * IN_SET][16];
    struct part parts[SETS * IN_SET + 1];
    for (unsigned i = 0; i < SETS * IN_SET; i++) {
        snprintf(values[i], sizeof values[i], "abcdefg%c", (char)('a' + i % IN_SET));
        for (unsigned bit = 0; bit < 5; bit++) {
            values[i][bit] = (char)(values[i][bit] ^ (number >> bit & 1) << 5);
        }
        parts[i] = (struct part){11, DER_UTF8_STRING, values[i], 0, i % IN_SET != 0};
    }
    parts[SETS * IN_SET] = (struct part){.arc = 0};
    struct builder rdns = {.size = 0};
    for (unsigned set = 0; set < SETS; set++) {
        struct part some[IN_SET + 1];
        memcpy(some, parts + set * IN_SET, IN_SET * sizeof(struct part));
        some[IN_SET] = (struct part){.arc = 0};
        struct builder one;
        struct bytes name = name_of(&one, some);
        memcpy(rdns.data + rdns.size, name.data + 2, name.size - 2);
        rdns.size += name.size - 2;
    }
    const uint8_t head[] = {DER_SEQUENCE, 0x82, (uint8_t)(rdns.size >> 8), (uint8_t)rdns.size};
    memcpy(out->data, head, sizeof head);
    memcpy(out->data + sizeof head, rdns.data, rdns.size);
    return bytes_of(out->data, sizeof head + rdns.size);
}

/* Bounds the bytes that we read for a chain whose names are all one name, in as many spellings as there are. */
Test(path_names, the_work_grows_with_the_bytes_alone) {
    static struct builder builders[PATH_NAMES_MAX];
    size_t size = 0;
    uint64_t before = name_bytes_folded();
    for (unsigned i = 0; i < PATH_NAMES_MAX; i++) {
        struct bytes name = spelling(&builders[i], i);
        cr_assert(name_is_valid(name) && name.size > 256);
        cr_assert_eq(path_names_add(&names, name), 0);
        size += name.size;
    }
    path_names_find_roots(&names, trust);
    cr_expect_leq(name_bytes_folded() - before, 5 * size, "each is hashed, then held against the first, set by set");
    cr_expect_eq(names.comparisons, PATH_NAME_COMPARISONS_MAX - (PATH_NAMES_MAX - 1));
}

/* Not to be had by others, for want of the secret; but whatever collides, the work has an end, and nothing matches by it. */
Test(path_names, when_comparisons_run_out_each_is_its_own) {
    struct builder a;
    struct builder b;
    path_names_add(&names, NAME(a, UTF8(3, "My CA")));
    names.comparisons = 1;
    cr_expect_eq(path_names_add(&names, NAME(b, PRINTABLE(3, "my ca"))), 0);
    cr_expect_eq(path_names_add(&names, NAME(b, PRINTABLE(3, "MY ca"))), 1);
    path_names_add(&names, trust_name(trust, 0));
    path_names_find_roots(&names, trust);
    cr_expect_eq(names.names[2].root, TRUST_NONE);
}
