#include "support.h"
#include "x509/pem.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

static enum pem_result first(const char *text, struct pem_reader *reader, struct pem_block *block) {
    *reader = pem_reader_of(bytes_of_string(text));
    return pem_next(reader, block);
}

Test(pem, decodes_every_padding) {
    static const struct {
        const char *text;
        const char *content;
    } cases[] = {
        {BEGIN "YQ==\n" END, "a"},
        {BEGIN "YWI=\n" END, "ab"},
        {BEGIN "YWJj\n" END, "abc"},
        {BEGIN "YWJjZA==\n" END, "abcd"},
        {BEGIN "YWJj\nZA==\n" END, "abcd"},
        {BEGIN "Y\nW\nJ\nj\n" END, "abc"},
        {BEGIN "+/+/\n" END, "\xfb\xff\xbf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pem_reader reader;
        struct pem_block block;
        cr_assert_eq(first(cases[i].text, &reader, &block), PEM_BLOCK, "case %zu", i);
        cr_assert_eq(block.size, strlen(cases[i].content), "case %zu", i);
        uint8_t *out = malloc(block.size);
        pem_decode(&block, out);
        cr_assert(bytes_equal(bytes_of(out, block.size), bytes_of_string(cases[i].content)), "case %zu", i);
        free(out);
        cr_assert_eq(pem_next(&reader, &block), PEM_END);
    }
}

Test(pem, passes_over_text_and_counts_lines) {
    struct pem_reader reader;
    struct pem_block block;
    static const char text[] = "# roots\r\n\r\n" BEGIN "YWJj\r\n" END "between = us\n"
                               "-----BEGIN EC PRIVATE KEY-----  \nYQ==\n"
                               "-----END EC PRIVATE KEY-----";
    cr_assert_eq(first(text, &reader, &block), PEM_BLOCK);
    cr_assert(pem_label_is(&block, "CERTIFICATE") && block.line == 3);
    cr_assert_eq(pem_next(&reader, &block), PEM_BLOCK);
    cr_assert(pem_label_is(&block, "EC PRIVATE KEY") && block.line == 7 && block.size == 1);
    cr_assert_eq(pem_next(&reader, &block), PEM_END);
}

/* As some editors write it, also where such files were joined. Within a block, or doubled, it is no mark. */
Test(pem, passes_over_a_byte_order_mark) {
    struct pem_reader reader;
    struct pem_block block;
    static const char mark[] = "\xef\xbb\xbf";
    char text[512];
    snprintf(text, sizeof text, "%s" BEGIN "YWJj\n" END "%s# next\n%s" BEGIN "YQ==\n" END, mark, mark, mark);
    cr_assert_eq(first(text, &reader, &block), PEM_BLOCK);
    cr_expect(block.line == 1 && block.size == 3);
    cr_assert_eq(pem_next(&reader, &block), PEM_BLOCK);
    cr_expect(block.line == 5 && block.size == 1);
    cr_assert_eq(pem_next(&reader, &block), PEM_END);

    snprintf(text, sizeof text, BEGIN "%sYWJj\n" END, mark);
    cr_assert_eq(first(text, &reader, &block), PEM_ERROR);
    cr_expect_eq(reader.error_line, 2);
    snprintf(text, sizeof text, "%s%s" BEGIN "YWJj\n" END, mark, mark);
    cr_assert_eq(first(text, &reader, &block), PEM_ERROR);
    cr_expect_eq(reader.error_line, 1);
}

Test(pem, names_utf16) {
    static const uint8_t texts[][6] = {{0xff, 0xfe, '-', 0, '-', 0}, {0xfe, 0xff, 0, '-', 0, '-'}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct pem_reader reader = pem_reader_of(bytes_of(texts[i], sizeof texts[i]));
        struct pem_block block;
        cr_assert_eq(pem_next(&reader, &block), PEM_ERROR);
        cr_expect(strstr(reader.error, "UTF-16") != NULL && strstr(reader.error, "byte order mark") != NULL);
    }
}

Test(pem, says_which_line_is_at_fault) {
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        {BEGIN "YQ==\n", 1}, /* no END */
        {BEGIN, 1},
        {BEGIN END, 1},         /* nothing in it */
        {BEGIN "YQ=\n" END, 1}, /* cut short */
        {BEGIN "YQ\n" END, 1},
        {BEGIN "YR==\n" END, 1},     /* bits that padding leaves over */
        {BEGIN "YWJ=\n" END, 1},     /* likewise: must be YWI= */
        {BEGIN "YQ==YQ==\n" END, 2}, /* digits behind padding */
        {BEGIN "YQ==\nYQ==\n" END, 3},
        {BEGIN "Y Q==\n" END, 2},
        {BEGIN "YWJj\n\nYWJj\n" END, 3},                   /* an empty line */
        {BEGIN "Proc-Type: 4,ENCRYPTED\n\nYQ==\n" END, 2}, /* encrypted */
        {BEGIN "YQ==\n-----END CERTIFICAT-----\n", 3},
        {BEGIN "YQ==\n-----END CERTIFICATE----\n" END, 3},
        {BEGIN "YQ==\n" BEGIN "YQ==\n" END, 3},        /* BEGIN within a block */
        {"----BEGIN CERTIFICATE-----\nYQ==\n" END, 1}, /* a broken BEGIN is no text between blocks */
        {"-----BEGIN CERTIFICATE----\nYQ==\n" END, 1},
        {"x" BEGIN "YQ==\n" END, 1},
        {"one\ntwo\n" END, 3},
        {"-----BEGIN -----\nYQ==\n-----END -----\n", 1},
        {"-----BEGIN A-----B-----\nYQ==\n", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pem_reader reader;
        struct pem_block block;
        cr_assert_eq(first(cases[i].text, &reader, &block), PEM_ERROR, "case %zu", i);
        cr_assert_eq(reader.error_line, cases[i].line, "case %zu: line %u", i, reader.error_line);
        cr_assert(reader.error != NULL);
    }
}

Test(pem, a_file_of_zeros_is_no_text) {
    struct pem_block block;
    struct pem_reader reader = pem_reader_of(SUPPORT_BYTES("ab\0cd"));
    cr_assert_eq(pem_next(&reader, &block), PEM_ERROR);
}

Test(pem, nothing_is_nothing) {
    struct pem_reader reader = pem_reader_of(bytes_of(NULL, 0));
    struct pem_block block;
    cr_assert_eq(pem_next(&reader, &block), PEM_END);
}

Test(pem, tells_der_from_text) {
    cr_assert(pem_is_der(SUPPORT_BYTES("\x30\x82\x01\x00")));
    cr_assert(pem_is_der(SUPPORT_BYTES("\x30\x80")));
    cr_assert(!pem_is_der(SUPPORT_BYTES("0123")));
    cr_assert(!pem_is_der(SUPPORT_BYTES("0")));
    cr_assert(!pem_is_der(bytes_of(NULL, 0)));
    cr_assert(!pem_is_der(SUPPORT_BYTES("-----BEGIN")));
}
