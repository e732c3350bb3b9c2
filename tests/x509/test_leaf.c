#include "support.h"
#include "x509/leaf.h"
#include "x509/signature.h"

#include <dirent.h>

/* The key and the dates of a leaf that certificate_read takes too. */
static void finds_what_the_reader_finds(struct bytes der, const char *file) {
    struct certificate leaf;
    struct bytes validity;
    bool found = leaf_read(der, &leaf, &validity);
    struct certificate strict;
    const char *why;
    if (!certificate_read(&strict, der, &why)) {
        return;
    }
    cr_assert(found, "%s", file);
    cr_assert(leaf.spki.data == strict.spki.data && leaf.spki.size == strict.spki.size, "%s", file);
    cr_assert(leaf.key.data == strict.key.data && leaf.key.size == strict.key.size, "%s", file);
    cr_assert(algorithm_equal(&leaf.key_algorithm, &strict.key_algorithm), "%s", file);
    struct signature_key of_leaf;
    struct signature_key of_strict;
    cr_assert_eq(signature_judge_key(&leaf, &of_leaf), signature_judge_key(&strict, &of_strict), "%s", file);
    cr_assert(validity.size > 0 && validity.data > strict.issuer.data && validity.data < strict.subject.data, "%s", file);
}

Test(leaf, finds_the_key_of_every_certificate_that_can_be_read) {
    DIR *folder = opendir(CORPUS "/chains");
    cr_assert(folder != NULL);
    size_t files = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        struct bytes chain[SUPPORT_CHAIN_MAX];
        size_t count = support_chain(CORPUS "/chains", entry->d_name, chain);
        for (size_t i = 0; i < count; i++) {
            finds_what_the_reader_finds(chain[i], entry->d_name);
        }
        support_free_chain(chain, count);
        files++;
    }
    closedir(folder);
    cr_assert_gt(files, 300);
}

/* A certificate of which nothing but the places of key and dates is right. */
#define ODD_HEAD  "\xa0\x03\x02\x01\xff\x02\x02\x00\x00\x30\x00\x31\x00"
#define ODD_DATES "\x30\x02\x17\x00"
#define KEY       "\x30\x0c\x30\x07\x06\x03\x2b\x65\x70\x05\x00\x03\x01\x00"

Test(leaf, looks_at_nothing_else) {
    struct bytes der = SUPPORT_BYTES("\x30\x23\x30\x21" ODD_HEAD ODD_DATES "\x02\x00" KEY);
    struct certificate leaf;
    struct bytes validity;
    cr_assert(leaf_read(der, &leaf, &validity));
    cr_assert(bytes_equal(leaf.spki, SUPPORT_BYTES(KEY)));
    cr_assert(bytes_equal(leaf.key_algorithm.oid, SUPPORT_BYTES("\x2b\x65\x70")));
    cr_assert_eq(leaf.key.size, 0);
    cr_assert(bytes_equal(validity, SUPPORT_BYTES("\x17\x00")));
    cr_assert(leaf.tbs.size == 0 && leaf.extensions.size == 0 && leaf.subject.size == 0);
}

Test(leaf, is_refused_where_the_key_has_no_place) {
    struct bytes der = SUPPORT_BYTES("\x30\x23\x30\x21" ODD_HEAD ODD_DATES "\x02\x00" KEY);
    struct certificate leaf;
    struct bytes validity;
    for (size_t size = 0; size < der.size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, der.data, size);
        cr_assert(!leaf_read(bytes_of(copy, size), &leaf, &validity), "cut at %zu", size);
        free(copy);
    }
    static const struct {
        size_t at;
        uint8_t byte;
    } changes[] = {{0, 0x31}, {2, 0x31}, {1, 0x80}, {17, 0x31}, {23, 0x31}, {25, 0x31}, {34, 0x04}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t copy[64];
        memcpy(copy, der.data, der.size);
        copy[changes[i].at] = changes[i].byte;
        cr_assert(!leaf_read(bytes_of(copy, der.size), &leaf, &validity), "change %zu", i);
    }
}
