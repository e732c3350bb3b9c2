#include "x509/pem_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct {
    size_t count;
    struct pem_file_place places[4];
    char labels[4][32];
    char contents[4][8];
    int result; /* of the next call */
} seen;

static struct error error;

static int take(void *owner, const struct pem_file_item *item, struct error *why) {
    cr_assert_eq(owner, &seen);
    cr_assert_lt(seen.count, 4);
    seen.places[seen.count] = item->place;
    memcpy(seen.labels[seen.count], item->label.data == NULL ? (const uint8_t *)"" : item->label.data, item->label.size);
    memcpy(seen.contents[seen.count], item->der.data, item->der.size < 7 ? item->der.size : 7);
    seen.count++;
    return seen.result == 0 ? 0 : error_fail(why, seen.result, "refused");
}

static int read(const char *text, size_t size) {
    memset(&seen, 0, offsetof(typeof(seen), result));
    error = (struct error){""};
    return pem_file_read(bytes_of(text, size), 7, take, &seen, &error);
}

static int read_text(const char *text) {
    return read(text, strlen(text));
}

static const char two[] = "text\n-----BEGIN ONE-----\nYWJj\n-----END ONE-----\n\n-----BEGIN X509 CRL-----\nZGVm\n"
                          "-----END X509 CRL-----\n";

Test(pem_file, hands_each_block_on_with_its_place) {
    cr_assert_eq(read_text(two), 2);
    cr_assert_eq(seen.count, 2);
    cr_assert_str_eq(seen.labels[0], "ONE");
    cr_assert_str_eq(seen.contents[0], "abc");
    cr_assert(seen.places[0].file == 7 && seen.places[0].block == 1 && seen.places[0].line == 2);
    cr_assert_str_eq(seen.labels[1], "X509 CRL");
    cr_assert_str_eq(seen.contents[1], "def");
    cr_assert(seen.places[1].file == 7 && seen.places[1].block == 2 && seen.places[1].line == 6);
}

Test(pem_file, hands_der_on_whole) {
    cr_assert_eq(read("\x30\x82zz", 4), 1);
    cr_assert_eq(seen.count, 1);
    cr_assert_str_eq(seen.labels[0], "");
    cr_assert_str_eq(seen.contents[0], "\x30\x82zz");
    cr_assert(seen.places[0].file == 7 && seen.places[0].block == 0 && seen.places[0].line == 0);
}

Test(pem_file, ends_at_the_first_item_that_is_refused) {
    seen.result = -E2BIG;
    cr_assert_eq(read_text(two), -E2BIG);
    cr_assert_eq(seen.count, 1);
    cr_assert_str_eq(error.text, "refused");
    cr_assert_eq(read("\x30\x82zz", 4), -E2BIG);
}

Test(pem_file, says_what_is_wrong_with_a_file) {
    cr_assert_eq(read_text(""), -EINVAL);
    cr_assert_str_eq(error.text, "the file is empty");
    cr_assert_eq(read_text("no block\n"), 0);
    cr_assert_eq(read_text("-----BEGIN ONE-----\nYWJj\n"), -EINVAL);
    cr_assert_str_eq(error.text, "line 1: the block has no END line");
}

Test(pem_file, says_which_item_is_refused) {
    static const struct pem_file_words words = {.block = "certificate", .der = "list", .verdict = "is no good"};
    const struct pem_file_place block = {.file = 1, .block = 3, .line = 40};
    const struct pem_file_place der = {.file = 1};
    cr_assert_eq(pem_file_refuse(&error, &words, &block, "it is empty"), -EINVAL);
    cr_assert_str_eq(error.text, "certificate 3 (line 40) is no good: it is empty");
    cr_assert_eq(pem_file_refuse(&error, &words, &der, "it is empty"), -EINVAL);
    cr_assert_str_eq(error.text, "the DER list is no good: it is empty");
    const struct pem_file_item item = {.place = block, .label = bytes_of_string("PRIVATE KEY")};
    cr_assert(pem_file_label_is(&item, "PRIVATE KEY") && !pem_file_label_is(&item, "PRIVATE"));
    cr_assert_eq(pem_file_refuse_label(&error, &item, "not a CERTIFICATE"), -EINVAL);
    cr_assert_str_eq(error.text, "block 3 (line 40) is a PRIVATE KEY, not a CERTIFICATE");
}
