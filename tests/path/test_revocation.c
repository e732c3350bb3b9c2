/* Files of CRLs: which load, what is said of those that do not, and what a large one costs. */
#include "base/hash.h"
#include "heap.h"
#include "path/revocation_list.h"
#include "revocation_support.h"
#include "x509/name.h"

#include <errno.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = true, MANY = 100 * 1000 };
#else
enum { SANITIZED = false, MANY = 1000 * 1000 };
#endif

enum { SECONDS_MAX = 2, BYTES_FOR_EACH_MAX = 64 };

static struct error error;

TestSuite(revocation, .init = hash_init);

struct file_case {
    char line[512];
    const char *name; /* these are parts of the line */
    const char *roots;
    const char *error;
};

/* Lines of files.csv, where the middle may be empty. */
static bool next_file(FILE *file, struct file_case *one) {
    if (fgets(one->line, sizeof one->line, file) == NULL) {
        return false;
    }
    one->line[strcspn(one->line, "\n")] = '\0';
    char *roots = strchr(one->line, ',');
    char *message = roots == NULL ? NULL : strchr(roots + 1, ',');
    cr_assert(message != NULL, "%s", one->line);
    *roots = '\0';
    *message = '\0';
    one->name = one->line;
    one->roots = roots + 1;
    one->error = message + 1;
    return true;
}

Test(revocation, bad_files_are_refused_with_their_reason) {
    FILE *file = fopen(REVOCATION "/files.csv", "r");
    cr_assert(file != NULL);
    char header[64];
    cr_assert(fgets(header, sizeof header, file) != NULL);
    size_t count = 0;
    struct file_case one;
    while (next_file(file, &one)) {
        struct revocation *revocation = revocation_create();
        error.text[0] = '\0';
        int result = support_add_crl(revocation, one.name, &error);
        if (one.roots[0] != '\0') {
            cr_expect_eq(result, 0, "%s: %s", one.name, error.text);
            struct trust *trust = support_roots(one.roots);
            result = revocation_check(revocation, trust, &error);
            cr_expect_eq(revocation_file_at_fault(revocation), result == 0 ? 0 : 1, "%s", one.name);
            trust_free(trust);
        } else {
            cr_expect_eq(revocation_count(revocation), 0, "%s", one.name);
        }
        bool refused = one.error[0] != '\0';
        cr_expect(refused == (result != 0) && strstr(error.text, one.error) != NULL, "%s: %s", one.name, error.text);
        revocation_free(revocation);
        count++;
    }
    fclose(file);
    cr_assert_geq(count, 75, "%zu files", count);
}

Test(revocation, counts_what_it_has) {
    struct revocation *revocation = revocation_create();
    cr_assert(revocation_count(revocation) == 0 && revocation_entries(revocation) == 0);
    cr_assert_eq(support_add_crl(revocation, "no-next-update.pem", &error), 0);
    cr_assert_eq(revocation_count(revocation), 2, "both blocks");
    cr_assert_eq(support_add_crl(revocation, "both.pem", &error), 0);
    cr_assert(revocation_count(revocation) == 4 && revocation_entries(revocation) == 3);
    cr_assert_eq(support_add_crl(revocation, "root-stale.pem", &error), 0);
    revocation_free(revocation);
    revocation_free(NULL);
}

Test(revocation, the_same_crl_is_kept_once) {
    struct revocation *revocation = support_crls("middle.pem", NULL);
    uint8_t before[32];
    revocation_digest(revocation, before);
    cr_assert_eq(support_add_crl(revocation, "middle-der.der", &error), 0);
    cr_assert_eq(revocation_count(revocation), 1);
    uint8_t after[32];
    revocation_digest(revocation, after);
    cr_assert_arr_eq(before, after, 32);
    revocation_free(revocation);
}

Test(revocation, a_bad_block_takes_its_whole_file_with_it) {
    struct revocation *revocation = support_crls("root.pem", NULL);
    uint8_t before[32];
    revocation_digest(revocation, before);
    cr_assert_eq(support_add_crl(revocation, "bad-second-block.pem", &error), -EINVAL);
    cr_assert_eq(revocation_count(revocation), 1);
    uint8_t after[32];
    revocation_digest(revocation, after);
    cr_assert_arr_eq(before, after, 32);
    cr_assert_eq(support_add_crl(revocation, "middle.pem", &error), 0);
    cr_assert_eq(revocation_count(revocation), 2);
    revocation_free(revocation);
}

Test(revocation, the_digest_tells_what_was_added_and_in_which_order) {
    static const char *const sets[] = {"-",
                                       "root.pem",
                                       "middle.pem",
                                       "root.pem middle.pem",
                                       "middle.pem root.pem",
                                       "delegate-in-file.pem",
                                       "delegate-unknown.pem"};
    enum { SETS = sizeof sets / sizeof sets[0] };
    uint8_t digests[SETS][32];
    for (size_t i = 0; i < SETS; i++) {
        struct revocation *revocation = support_crls(sets[i], NULL);
        revocation_digest(revocation, digests[i]);
        revocation_free(revocation);
        for (size_t j = 0; j < i; j++) {
            cr_expect(memcmp(digests[i], digests[j], 32) != 0, "%s and %s", sets[i], sets[j]);
        }
    }
    struct revocation *again = support_crls("both.pem", NULL);
    uint8_t digest[32];
    revocation_digest(again, digest);
    cr_assert_arr_eq(digest, digests[3], 32);
    revocation_free(again);
}

Test(revocation, lists_of_an_issuer_come_the_newest_first) {
    struct revocation *revocation =
        support_crls("root.pem root-stale.pem middle-stale.pem newest-is-to-come.pem middle.pem", NULL);
    struct revocation *probe = support_crls("middle.pem", NULL);
    size_t at = 0;
    struct bytes blocks[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(REVOCATION "/crls", "middle.pem", blocks);
    struct crl crl;
    const char *why;
    cr_assert(crl_read(&crl, blocks[0], &why));
    struct revocation_list *middle = revocation_next_list(probe, crl.issuer, name_hash(crl.issuer), &at);
    cr_assert(middle != NULL);
    const int64_t expected[] = {1781049600, 1777593600, 1767225600};
    at = 0;
    for (size_t i = 0; i < 3; i++) {
        struct revocation_list *list = revocation_next_list(revocation, middle->issuer, middle->issuer_hash, &at);
        cr_assert(list != NULL && list->this_update == expected[i], "%zu", i);
    }
    cr_assert(revocation_next_list(revocation, middle->issuer, middle->issuer_hash, &at) == NULL);
    support_free_chain(blocks, count);
    revocation_free(probe);
    revocation_free(revocation);
}

Test(revocation, the_number_of_crls_is_bounded) {
    struct revocation *revocation = revocation_create();
    struct bytes crl = support_read(REVOCATION, "crls/middle-der.der");
    /* The last four octets of the signature count: nobody checks it here. */
    uint8_t *end = (uint8_t *)crl.data + crl.size - 4;
    for (uint32_t i = 0; i < REVOCATION_CRLS_MAX; i++) {
        memcpy(end, &i, sizeof i);
        cr_assert_eq(revocation_add_file(revocation, crl, &error), 0, "%u: %s", i, error.text);
    }
    memset(end, 0xff, 4);
    cr_assert_neq(revocation_add_file(revocation, crl, &error), 0);
    cr_assert(strstr(error.text, "4096") != NULL && revocation_count(revocation) == REVOCATION_CRLS_MAX);
    support_free(crl);
    revocation_free(revocation);
}

/* A root with Ed25519: checked once, and then without what was signed. */
Test(revocation, what_was_checked_needs_no_bytes) {
    struct trust *trust = support_roots("edwards");
    struct revocation *revocation = support_crls("ed25519-root.pem", NULL);
    const struct revocation_list *list = revocation_list_at(revocation, 0);
    cr_assert_gt(list->message.size, 0);
    cr_assert_eq(revocation_check(revocation, trust, &error), 0, "%s", error.text);
    cr_assert_eq(list->message.size, 0);
    cr_assert_eq(revocation_check(revocation, trust, &error), 0, "%s", error.text);
    revocation_free(revocation);
    trust_free(trust);
}

/* DER written from its end to its front. */
struct writer {
    uint8_t *data;
    size_t at;
};

static void put(struct writer *writer, const void *data, size_t size) {
    cr_assert_leq(size, writer->at);
    writer->at -= size;
    memcpy(writer->data + writer->at, data, size);
}

static void put_header(struct writer *writer, uint8_t tag, size_t end) {
    size_t length = end - writer->at;
    uint8_t header[] = {
        tag, 0x84, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
    size_t octets = length >= 1 << 24 ? 4 : length >= 1 << 16 ? 3 : 2;
    cr_assert_geq(length, 1 << 8);
    header[5 - octets] = (uint8_t)(0x80 | octets);
    header[4 - octets] = tag;
    put(writer, header + 4 - octets, octets + 2);
}

/* A CRL with `count` entries, each with a serial of 20 octets that `i` makes its own, and a reason. Its signature is none.
 */
static struct bytes make_large_crl(size_t count) {
    static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t signature[] = {0x03, 0x03, 0x00, 0x30, 0x00};
    static const uint8_t head[] = {0x02, 0x01, 0x01, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
                                   0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'L',  0x17,
                                   0x0d, '2',  '6',  '0',  '5',  '0',  '1',  '0',  '0',  '0',  '0',  '0',  '0',  'Z'};
    uint8_t entry[] = {0x30, 0x33, 0x02, 0x14, 0x5a, 1,    2,    3,    4,    5,    6,    7,    8,    9,
                       10,   11,   12,   13,   14,   15,   16,   17,   18,   19,   0x17, 0x0d, '2',  '6',
                       '0',  '4',  '1',  '5',  '1',  '0',  '3',  '0',  '0',  '0',  'Z',  0x30, 0x0c, 0x30,
                       0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0x01};
    size_t capacity = count * sizeof entry + 256;
    struct writer writer = {malloc(capacity), capacity};
    put(&writer, signature, sizeof signature);
    put(&writer, algorithm, sizeof algorithm);
    size_t tbs_end = writer.at;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t spread = i * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(entry + 6, &spread, sizeof spread);
        memcpy(entry + 16, &i, sizeof i);
        put(&writer, entry, sizeof entry);
    }
    put_header(&writer, 0x30, tbs_end);
    put(&writer, head, sizeof head);
    put_header(&writer, 0x30, tbs_end);
    put_header(&writer, 0x30, capacity);
    size_t size = capacity - writer.at;
    memmove(writer.data, writer.data + writer.at, size);
    return bytes_of(writer.data, size);
}

static struct bytes to_pem(struct bytes der) {
    struct text text = text_over(malloc(der.size * 4 / 3 + der.size / 24 + 128), der.size * 4 / 3 + der.size / 24 + 128);
    text_append_string(&text, "-----BEGIN X509 CRL-----\n");
    for (size_t at = 0; at < der.size; at += 48) {
        text_append_base64(&text, bytes_of(der.data + at, der.size - at < 48 ? der.size - at : 48));
        text_append_char(&text, '\n');
    }
    text_append_string(&text, "-----END X509 CRL-----\n");
    cr_assert(!text.overflow);
    return text_bytes(&text);
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void load_large(struct bytes file, const char *form) {
    struct revocation *revocation = revocation_create();
    size_t heap = heap_bytes();
    double began = cpu_seconds();
    cr_assert_eq(revocation_add_file(revocation, file, &error), 0, "%s: %s", form, error.text);
    double took = cpu_seconds() - began;
    size_t held = heap_bytes() - heap;
    printf("%d revoked serials of 20 octets from %s: %.2f s of CPU, %.1f bytes each\n", MANY, form, took,
           (double)held / MANY);
    cr_expect_eq(revocation_entries(revocation), MANY);
    cr_expect_leq(held, (size_t)BYTES_FOR_EACH_MAX * MANY, "%zu bytes", held);
    cr_expect(SANITIZED || took <= SECONDS_MAX, "%f s", took);
    revocation_free(revocation);
}

Test(revocation, a_million_serials_load_fast_and_are_held_small) {
    struct bytes der = make_large_crl(MANY);
    struct bytes pem = to_pem(der);
    load_large(der, "DER");
    load_large(pem, "PEM");
    support_free(pem);
    support_free(der);
}

/* Old and new root have one name: the list of one speaks for the other's certificates only where it has certified it. */
Test(revocation, speaks_for_roots_by_who_has_signed) {
    static const struct {
        const char *roots;
        const char *lists;
        bool expected[2];
    } cases[] = {
        {"root new", "root.pem new.pem", {true, true}},
        {"root new", "root.pem", {true, false}},
        {"root new", "new.pem", {false, true}},
        {"root new cross", "new.pem", {true, true}},
        {"root", "middle.pem", {false}},
        {"edwards", "ed25519-root.pem", {true}},
        {"root", "root-stale.pem", {true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trust *trust = support_roots(cases[i].roots);
        struct revocation *revocation = support_crls(cases[i].lists, trust);
        for (size_t j = 0; j < trust_count(trust) && j < 2; j++) {
            cr_assert_eq(revocation_speaks_for(revocation, trust_anchor(trust, j)), cases[i].expected[j], "%s, %s: root %zu",
                         cases[i].roots, cases[i].lists, j);
        }
        revocation_free(revocation);
        trust_free(trust);
    }
}

Test(revocation, gives_its_lists_the_newest_first) {
    struct revocation *revocation = support_crls("root-stale.pem root.pem", NULL);
    cr_assert_eq(revocation_count(revocation), 2);
    const struct revocation_list *newest = revocation_list_at(revocation, 0);
    const struct revocation_list *older = revocation_list_at(revocation, 1);
    cr_assert(newest->this_update >= older->this_update && newest->origin.file == 2 && older->origin.file == 1);
    revocation_free(revocation);
}
