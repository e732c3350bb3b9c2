#include "base/text.h"
#include "random.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static char buffer[4096];

static struct text fresh(void) {
    return text_over(buffer, sizeof buffer);
}

static void assert_text(const struct text *text, const char *expected) {
    cr_assert(!text->overflow);
    cr_assert(bytes_equal(text_bytes(text), bytes_of_string(expected)), "is %.*s, expected %s", (int)text->size, text->data,
              expected);
}

Test(text, appends_one_after_another) {
    struct text text = fresh();
    text_append_string(&text, "GET ");
    text_append_char(&text, '/');
    text_append_bytes(&text, bytes_of_string("a b"));
    text_append(&text, "xyz", 2);
    text_append_bytes(&text, bytes_of(NULL, 0));
    text_append_format(&text, " %d %s", -5, "end");
    text_append_format(&text, "%s", "");
    assert_text(&text, "GET /a bxy -5 end");
}

Test(text, what_fits_exactly_fits) {
    char small[4];
    struct text text = text_over(small, sizeof small);
    text_append_string(&text, "abcd");
    assert_text(&text, "abcd");
    text_append_string(&text, "");
    text_append_format(&text, "%s", "");
    assert_text(&text, "abcd");
    text_append_char(&text, 'e');
    cr_assert(text.overflow);
    cr_assert_eq(text.size, 4);
}

Test(text, after_an_overflow_nothing_more_is_added) {
    char small[4];
    struct text text = text_over(small, sizeof small);
    text_append_string(&text, "abc");
    text_append_string(&text, "de");
    cr_assert(text.overflow);
    text_append_char(&text, 'x'); /* would fit */
    text_append_format(&text, "y");
    text_append_hex(&text, bytes_of("", 0));
    text_append_json(&text, bytes_of_string(""));
    cr_assert(text.overflow);
    cr_assert(bytes_equal(text_bytes(&text), bytes_of_string("abc")));
}

Test(text, no_room_at_all) {
    struct text text = text_over(NULL, 0);
    text_append_string(&text, "");
    text_append_format(&text, "%s", "");
    cr_assert(!text.overflow);
    text_append_format(&text, "x");
    cr_assert(text.overflow);
    cr_assert_eq(text.size, 0);
}

static void append_hex(struct text *text) {
    text_append_hex(text, bytes_of_string("abc"));
}
static void append_base64(struct text *text) {
    text_append_base64(text, bytes_of_string("abcd"));
}
static void append_time(struct text *text) {
    text_append_time(text, 0);
}
static void append_json(struct text *text) {
    text_append_json(text, bytes_of_string("a\"\x01\xff\xc3\xa9z"));
}
static void append_header_value(struct text *text) {
    text_append_header_value(text, bytes_of_string("a%b\nc"));
}
static void append_format(struct text *text) {
    text_append_format(text, "%d-%s", 12345, "abc");
}

/* At every capacity each kind of append is there whole or not at all, and no byte beyond is written. */
Test(text, an_append_is_whole_or_absent) {
    static const struct {
        void (*append)(struct text *text);
        size_t spare; /* bytes of room that it needs and does not use */
    } kinds[] = {{append_hex, 0},  {append_base64, 0},       {append_time, 0},
                 {append_json, 0}, {append_header_value, 0}, {append_format, 1}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct text whole = fresh();
        kinds[i].append(&whole);
        cr_assert_gt(whole.size, 0);
        for (size_t capacity = 0; capacity <= whole.size + 4; capacity++) {
            char *exact = malloc(capacity + 2); /* on the heap, where ASan sees the end */
            exact[capacity] = '#';
            struct text text = text_over(exact, capacity);
            text_append_char(&text, '>');
            kinds[i].append(&text);
            bool fits = capacity >= 1 + whole.size + kinds[i].spare;
            cr_assert_eq(text.overflow, !fits, "kind %zu at %zu", i, capacity);
            cr_assert_eq(text.size, fits ? 1 + whole.size : capacity > 0, "kind %zu at %zu", i, capacity);
            cr_assert(!fits || memcmp(exact + 1, whole.data, whole.size) == 0);
            cr_assert_eq(exact[capacity], '#');
            free(exact);
        }
    }
}

Test(text, hex_is_lower_case) {
    struct text text = fresh();
    text_append_hex(&text, bytes_of("\x00\x1f\xab\xff", 4));
    text_append_hex(&text, bytes_of(NULL, 0));
    assert_text(&text, "001fabff");
}

/* RFC 4648 section 10. */
Test(text, base64_gives_the_rfcs_vectors) {
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct text text = fresh();
        text_append_base64(&text, bytes_of_string(vectors[i][0]));
        assert_text(&text, vectors[i][1]);
    }
    struct text text = fresh();
    text_append_base64(&text, bytes_of("\xfb\xef\xff\x00\x10\x83", 6));
    assert_text(&text, "++//ABCD");
}

static unsigned sextet(char c) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(alphabet, c);
    cr_assert_not_null(found);
    return (unsigned)(found - alphabet);
}

Test(text, base64_decodes_to_what_went_in) {
    uint64_t seed = 7;
    for (size_t size = 0; size < 300; size++) {
        uint8_t data[300];
        for (size_t i = 0; i < size; i++) {
            data[i] = (uint8_t)random_next(&seed);
        }
        struct text text = fresh();
        text_append_base64(&text, bytes_of(data, size));
        cr_assert_eq(text.size, (size + 2) / 3 * 4);
        size_t decoded = 0;
        uint8_t back[303];
        for (size_t i = 0; i < text.size; i += 4) {
            unsigned padding = (buffer[i + 2] == '=') + (buffer[i + 3] == '=');
            unsigned group = sextet(buffer[i]) << 18 | sextet(buffer[i + 1]) << 12;
            group |= padding > 1 ? 0 : sextet(buffer[i + 2]) << 6;
            group |= padding > 0 ? 0 : sextet(buffer[i + 3]);
            for (unsigned byte = 0; byte < 3 - padding; byte++) {
                back[decoded++] = (uint8_t)(group >> (16 - 8 * byte));
            }
        }
        cr_assert(bytes_equal(bytes_of(back, decoded), bytes_of(data, size)));
    }
}

static void assert_time(int64_t seconds) {
    struct tm parts;
    time_t time = (time_t)seconds;
    cr_assert_not_null(gmtime_r(&time, &parts));
    char expected[80];
    snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
             parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    struct text text = fresh();
    text_append_time(&text, seconds);
    assert_text(&text, expected);
}

enum { DAY = 86400 };
#define FIRST_SECOND INT64_C(-62167219200)
#define LAST_SECOND  INT64_C(253402300799)

Test(text, time_is_gmtimes_on_every_day_of_ten_thousand_years, .timeout = 100) {
    uint64_t seed = 3;
    for (int64_t day = FIRST_SECOND; day <= LAST_SECOND; day += DAY) {
        assert_time(day + (int64_t)random_below(&seed, DAY));
    }
}

Test(text, time_at_its_ends_and_at_ends_of_days) {
    struct text text = fresh();
    text_append_time(&text, FIRST_SECOND);
    text_append_time(&text, -1);
    text_append_time(&text, 0);
    text_append_time(&text, LAST_SECOND);
    assert_text(&text, "0000-01-01T00:00:00Z1969-12-31T23:59:59Z1970-01-01T00:00:00Z9999-12-31T23:59:59Z");
    for (int64_t day = -1000; day < 1000; day++) {
        assert_time(day * DAY);
        assert_time(day * DAY - 1);
    }
}

Test(text, time_before_year_0_aborts, .signal = SIGABRT) {
    struct text text = fresh();
    text_append_time(&text, FIRST_SECOND - 1);
}

Test(text, time_after_year_9999_aborts, .signal = SIGABRT) {
    struct text text = fresh();
    text_append_time(&text, LAST_SECOND + 1);
}

static void assert_json(struct bytes bytes, const char *expected) {
    struct text text = fresh();
    text_append_json(&text, bytes);
    assert_text(&text, expected);
}

Test(text, json_escapes_what_rfc_8259_says) {
    assert_json(bytes_of_string(""), "\"\"");
    assert_json(bytes_of_string("plain /text"), "\"plain /text\"");
    assert_json(bytes_of_string("q\"b\\"), "\"q\\\"b\\\\\"");
    assert_json(bytes_of_string("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    assert_json(bytes_of("\0\x01\x1f\x7f", 4), "\"\\u0000\\u0001\\u001f\\u007f\"");
}

Test(text, json_keeps_utf8) {
    assert_json(bytes_of_string("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\x95"), "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\x95\"");
    /* The first and last of each length, and the neighbours of the surrogates. */
    assert_json(
        bytes_of_string("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80"),
        "\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80\"");
}

#define BAD "\xef\xbf\xbd"

Test(text, json_replaces_what_is_not_utf8) {
    assert_json(bytes_of_string("a\xffz"), "\"a" BAD "z\"");
    assert_json(bytes_of_string("\x80"), "\"" BAD "\"");
    assert_json(bytes_of_string("\xc3"), "\"" BAD "\"");           /* cut short */
    assert_json(bytes_of_string("\xe2\x82"), "\"" BAD "\"");       /* cut short: one replacement */
    assert_json(bytes_of_string("\xe2\x82\""), "\"" BAD "\\\"\""); /* the quote is not swallowed */
    assert_json(bytes_of_string("\xc0\xaf"), "\"" BAD BAD "\"");   /* overlong */
    assert_json(bytes_of_string("\xe0\x9f\xbf"), "\"" BAD BAD BAD "\"");
    assert_json(bytes_of_string("\xed\xa0\x80"), "\"" BAD BAD BAD "\"");         /* surrogate */
    assert_json(bytes_of_string("\xf4\x90\x80\x80"), "\"" BAD BAD BAD BAD "\""); /* past U+10FFFF */
    assert_json(bytes_of_string("\xf5"), "\"" BAD "\"");
}

/* One code point decoded the plain way: its value, or -1; `length` bytes. */
static long decode(const uint8_t *data, size_t size, size_t *length) {
    *length = data[0] < 0x80 ? 1 : data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
    if (*length > size || (data[0] >= 0x80 && data[0] < 0xc0)) {
        return -1;
    }
    long value = *length == 1 ? data[0] : data[0] & (0xff >> (*length + 1));
    for (size_t i = 1; i < *length; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return -1;
        }
        value = value << 6 | (data[i] & 0x3f);
    }
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool fine = value >= least[*length] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    return fine ? value : -1;
}

/* Whatever goes in, a JSON string in well-formed UTF-8 comes out. */
Test(text, json_of_random_bytes_is_well_formed) {
    static const uint8_t likely[] = {0xc2, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0x80, 0x8f,
                                     0x90, 0x9f, 0xa0, 0xbf, '"',  '\\', 0,    'a'};
    uint64_t seed = 11;
    for (int round = 0; round < 100000; round++) {
        uint8_t data[12];
        size_t size = random_below(&seed, sizeof data + 1);
        for (size_t i = 0; i < size; i++) {
            data[i] = random_below(&seed, 4) ? likely[random_below(&seed, sizeof likely)] : (uint8_t)random_next(&seed);
        }
        struct text text = fresh();
        text_append_json(&text, bytes_of(data, size));
        const uint8_t *out = (const uint8_t *)text.data;
        cr_assert(!text.overflow && text.size >= 2 && out[0] == '"' && out[text.size - 1] == '"');
        size_t wrong = 0;
        for (size_t i = 1, length; i < text.size - 1; i += length) {
            long value = decode(out + i, text.size - 1 - i, &length);
            wrong += value < 0x20 || value == '"' || value == 0x7f;
            if (value == '\\') {
                wrong += memchr("btnfr\"\\u", out[i + 1], 8) == NULL;
                length = out[i + 1] == 'u' ? 6 : 2;
            }
        }
        cr_assert_eq(wrong, 0);
    }
}

Test(text, header_values_hold_no_control_bytes) {
    struct text text = fresh();
    text_append_header_value(&text, bytes_of("a\r\nb\0c\x1f\x7f%0d \t\xc3\xa9~", 16));
    assert_text(&text, "a%0D%0Ab%00c%1F%7F%250d %09\xc3\xa9~");
}

Test(text, header_values_decode_to_what_went_in) {
    for (unsigned c = 0; c < 256; c++) {
        uint8_t byte = (uint8_t)c;
        struct text text = fresh();
        text_append_header_value(&text, bytes_of(&byte, 1));
        unsigned back = (uint8_t)buffer[0];
        if (back == '%') {
            cr_assert_eq(text.size, 3);
            cr_assert_eq(sscanf((char[]){buffer[1], buffer[2], '\0'}, "%2X", &back), 1);
        } else {
            cr_assert(text.size == 1 && back >= 0x20 && back != 0x7f);
        }
        cr_assert_eq(back, c);
    }
}
