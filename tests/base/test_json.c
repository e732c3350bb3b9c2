#include "base/json.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect(struct json *json, const char *text) {
    cr_assert_not(json->buffer.failed);
    cr_expect_eq(json->buffer.size, strlen(text));
    cr_expect_eq(memcmp(json->buffer.data, text, json->buffer.size), 0, "%.*s", (int)json->buffer.size, json->buffer.data);
    free(json->buffer.data);
}

Test(json, values_nest_and_commas_stand_between) {
    struct json json = {0};
    json_begin_object(&json, NULL);
    json_begin_array(&json, "a");
    json_unsigned(&json, NULL, UINT64_MAX);
    json_signed(&json, NULL, INT64_MIN);
    json_begin_array(&json, NULL);
    json_end_array(&json);
    json_begin_object(&json, NULL);
    json_end_object(&json);
    json_null(&json, NULL);
    json_end_array(&json);
    json_bool(&json, "b", true);
    json_bool(&json, "c", false);
    json_null(&json, "d");
    json_begin_object(&json, "e");
    json_seconds(&json, "f", 1500000);
    json_double(&json, "g", 0.25);
    json_end_object(&json);
    json_unsigned(&json, "h", 0);
    json_end_object(&json);
    expect(&json, "{\"a\":[18446744073709551615,-9223372036854775808,[],{},null],\"b\":true,\"c\":false,\"d\":null,"
                  "\"e\":{\"f\":0.0015,\"g\":0.25},\"h\":0}");
}

Test(json, strings_are_escaped_and_are_utf_8_whatever_came) {
    static const char hostile[] = "a\"b\\c\n\x01\x7f</script>\xc3\xa9\xff\xe2\x82";
    struct json json = {0};
    json_string(&json, NULL, bytes_of(hostile, sizeof hostile - 1));
    expect(&json, "\"a\\\"b\\\\c\\n\\u0001\\u007f</script>\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(json, a_nul_is_a_byte_like_others) {
    struct json json = {0};
    json_begin_object(&json, NULL);
    json_string(&json, "k", bytes_of("x\0y", 3));
    json_string(&json, "empty", bytes_of("", 0));
    json_end_object(&json);
    expect(&json, "{\"k\":\"x\\u0000y\",\"empty\":\"\"}");
}

Test(json, numbers_are_json_numbers) {
    struct json json = {0};
    json_begin_array(&json, NULL);
    json_double(&json, NULL, 1e9);
    json_double(&json, NULL, 1e-7);
    json_double(&json, NULL, -0.5);
    json_double(&json, NULL, 0);
    json_end_array(&json);
    expect(&json, "[1e+09,1e-07,-0.5,0]");
}
