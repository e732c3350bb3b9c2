#include "stats/page.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct buffer page;

static void assert_page(const char *expected) {
    cr_assert(!page.failed);
    cr_assert(bytes_equal(bytes_of(page.data, page.size), bytes_of_string(expected)), "is %.*s, expected %s", (int)page.size,
              page.data, expected);
    page.size = 0;
}

static void assert_label(const char *value, const char *expected) {
    page_sample(&page, "m", "", &(struct page_labels){{{"l", value}}, 1}, 0);
    char line[256];
    snprintf(line, sizeof line, "m{l=\"%s\"} 0\n", expected);
    assert_page(line);
}

Test(page, samples_have_names_labels_and_values) {
    page_open_metric(&page, "some_total", "counter", "What is counted.");
    page_sample(&page, "some_total", "", &(struct page_labels){.count = 0}, 0);
    page_sample(&page, "some", "_count", &(struct page_labels){{{"a", "1"}, {"b", ""}, {"c", "x"}, {"d", "y"}}, 4},
                UINT64_MAX);
    page_sample_signed(&page, "g", &(struct page_labels){.count = 0}, -12);
    page_sample_signed(&page, "g", &(struct page_labels){.count = 0}, INT64_MIN);
    page_sample_signed(&page, "g", &(struct page_labels){.count = 0}, INT64_MAX);
    page_sample_seconds(&page, "h", "_sum", &(struct page_labels){.count = 0}, 1500000000);
    assert_page("# HELP some_total What is counted.\n# TYPE some_total counter\nsome_total 0\n"
                "some_count{a=\"1\",b=\"\",c=\"x\",d=\"y\"} 18446744073709551615\n"
                "g -12\ng -9223372036854775808\ng 9223372036854775807\nh_sum 1.5\n");
    free(page.data);
}

Test(page, label_values_are_escaped) {
    assert_label("plain-Text./_ {},=", "plain-Text./_ {},=");
    assert_label("back\\slash", "back\\\\slash");
    assert_label("\"quoted\"", "\\\"quoted\\\"");
    assert_label("two\nlines\n", "two\\nlines\\n");
    assert_label("\\n", "\\\\n");
    assert_label("caf\xc3\xa9 \xf0\x9f\x8d\x95", "caf\xc3\xa9 \xf0\x9f\x8d\x95");
    free(page.data);
}

Test(page, label_values_are_utf8_whatever_went_in) {
    assert_label("caf\xe9.pem", "caf\xef\xbf\xbd.pem");
    assert_label("\xe2\x82", "\xef\xbf\xbd");
    assert_label("\xc3\"", "\xef\xbf\xbd\\\"");
    assert_label("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    free(page.data);
}

Test(page, grows_as_it_must) {
    for (unsigned i = 0; i < 100000; i++) {
        page_sample(&page, "metric", "", &(struct page_labels){{{"label", "0123456789"}}, 1}, 7);
    }
    static const char line[] = "metric{label=\"0123456789\"} 7\n";
    cr_assert_eq(page.size, 100000 * (sizeof line - 1));
    for (size_t at = 0; at < page.size; at += sizeof line - 1) {
        cr_assert_eq(memcmp(page.data + at, line, sizeof line - 1), 0);
    }
    free(page.data);
}
