#include "base/hash.h"
#include "builder.h"
#include "guard/retry.h"

#include <criterion/criterion.h>

TestSuite(retry, .init = hash_init);

/* With another byte in front, another identity than HEX_32. */
#define HEX_31_REST "02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

enum { X25519 = 0x1d, P256 = 0x17 };

#define SHARE_P256 "0045 0017 0041 04" HEX_64 /* a point's form is all that is looked at here */

/* Of exactly its size, so that a sanitizer sees every read beyond it. */
static struct bytes body_of(const struct hello_spec *spec) {
    static struct builder body;

    build_body(&body, spec);
    uint8_t *copy = malloc(body.size);
    cr_assert_not_null(copy);
    memcpy(copy, body.data, body.size);
    return bytes_of(copy, body.size);
}

static bool check(const struct hello_spec *first, const struct hello_spec *second, uint16_t group, struct hello *hello) {
    struct bytes bodies[] = {body_of(first), body_of(second)};
    struct retry retry;

    cr_assert(retry_keep(&retry, bodies[0]));
    bool good = retry_check(&retry, bodies[1], group, hello);
    free((void *)bodies[0].data);
    free((void *)bodies[1].data);
    return good;
}

static void expect_good(const struct hello_spec *first, const struct hello_spec *second, const char *what) {
    struct hello hello;
    cr_expect(check(first, second, P256, &hello), "%s: %s", what, hello.fault);
    cr_expect(hello.tls13, "%s", what);
}

static void expect_bad(const struct hello_spec *first, const struct hello_spec *second, enum tls_alert alert,
                       const char *what) {
    struct hello hello;
    cr_expect_not(check(first, second, P256, &hello), "%s", what);
    cr_expect_eq(hello.alert, alert, "%s: %d %s", what, hello.alert, hello.fault);
}

/* A first hello that leads to a HelloRetryRequest for P-256, and the answer to it. */
static struct hello_spec first_spec(void) {
    struct hello_spec spec = spec_tls13();
    spec_set(&spec, 51, "0000");
    return spec;
}

static struct hello_spec answer_to(struct hello_spec first) {
    spec_set(&first, 51, SHARE_P256);
    return first;
}

Test(retry, the_share_that_was_asked_for_is_all_that_changes) {
    struct hello_spec first = first_spec();
    struct hello_spec second = answer_to(first);
    expect_good(&first, &second, "as it should be");
    first = spec_tls13(); /* with a share of another group */
    second = answer_to(first);
    expect_good(&first, &second, "another share before");
}

Test(retry, what_may_change_may_change) {
    struct hello_spec first = first_spec();
    spec_append(&first, 42, "");
    spec_append(&first, 21, "0000");
    spec_append(&first, 0xfe0d, "00 11 22");
    spec_append(&first, 45, "01 01");
    spec_append(&first, 41, "004c 0020" HEX_32 "00000001 0020 ff" HEX_31_REST "00000002 0042 20" HEX_32 "20" HEX_32);
    struct hello_spec second = answer_to(first);
    spec_drop(&second, 42);
    expect_good(&first, &second, "early data is gone");
    spec_set(&second, 0xfe0d, "00 44");
    expect_good(&first, &second, "another ECH");
    spec_set(&second, 21, "000000");
    expect_good(&first, &second, "more padding");
    spec_drop(&second, 21);
    expect_good(&first, &second, "no padding");
    spec_set(&second, 41, "0026 0020" HEX_32 "00001234 0021 20" HEX_32);
    expect_good(&first, &second, "one key less, another age");
    spec_drop(&second, 41);
    expect_good(&first, &second, "no key any more");
    spec_drop(&second, 0);
    spec_append(&second, 0, SNI_EXAMPLE);
    expect_good(&first, &second, "another order");
    struct hello_spec padded = first_spec();
    second = answer_to(padded);
    spec_append(&second, 21, "00");
    expect_good(&padded, &second, "padding where there was none");
}

Test(retry, nothing_else_may_change) {
    struct hello_spec first = first_spec();
    spec_append(&first, 16, "0009 08 687474702f312e31");
    spec_append(&first, 28, "4001");
    struct hello_spec second = answer_to(first);

    expect_good(&first, &second, "as it should be");
    second.session_id = "";
    expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, "session ID");
    second = answer_to(first);
    second.suites = "1301 1302";
    expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, "suites");

    static const struct {
        unsigned type;
        const char *content; /* NULL: gone */
        const char *what;
    } changes[] = {
        {0, "000e 00 000b 6578616d706c652e6f7267", "server name"},
        {0, NULL, "no server name"},
        {10, "0004 0017 001d", "order of groups"},
        {13, "0004 0804 0403", "order of schemes"},
        {43, "04 0304 0303", "versions"},
        {16, "0009 08 687474702f312e30", "protocols"},
        {16, NULL, "no protocols"},
        {28, "0040", "record size limit"},
        {44, "0001 00", "a cookie that nobody gave"},
        {42, "", "early data"},
        {0x1234, "", "an extension more"},
        {41, ONE_PSK, "a key where there was none"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
        second = answer_to(first);
        if (changes[i].content == NULL) {
            spec_drop(&second, changes[i].type);
        } else {
            if (changes[i].type == 41) {
                spec_append(&second, 45, "01 01");
            }
            spec_set(&second, changes[i].type, changes[i].content);
        }
        expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, changes[i].what);
    }
}

Test(retry, the_random_stays) {
    struct hello_spec first = first_spec();
    struct hello_spec second = answer_to(first);
    struct bytes body = body_of(&first);
    struct retry retry;
    struct hello hello;

    cr_assert(retry_keep(&retry, body));
    struct bytes changed = body_of(&second);
    ((uint8_t *)changed.data)[2 + 31] ^= 1;
    cr_expect_not(retry_check(&retry, changed, P256, &hello));
    cr_expect_eq(hello.alert, TLS_ALERT_ILLEGAL_PARAMETER);
    free((void *)changed.data);
    free((void *)body.data);
}

Test(retry, another_pre_shared_key_is_refused) {
    struct hello_spec first = first_spec();
    spec_append(&first, 45, "01 01");
    spec_append(&first, 41, ONE_PSK);
    struct hello_spec second = answer_to(first);
    expect_good(&first, &second, "the same key");
    spec_set(&second, 41,
             "0026 0020 ff"
             "02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
             "00000001 0021 20" HEX_32);
    expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, "another key");
}

Test(retry, an_extension_of_tls13_that_is_gone_is_missing) {
    static const unsigned mandatory[] = {10, 13, 43, 51};
    struct hello_spec first = first_spec();

    for (size_t i = 0; i < ARRAY_LENGTH(mandatory); i++) {
        struct hello_spec second = answer_to(first);
        spec_drop(&second, mandatory[i]);
        expect_bad(&first, &second, TLS_ALERT_MISSING_EXTENSION, "without one");
    }
    struct hello_spec bare = answer_to(first);
    bare.without_extensions = true;
    expect_bad(&first, &bare, TLS_ALERT_MISSING_EXTENSION, "without any");
}

Test(retry, just_the_share_that_was_asked_for) {
    struct hello_spec first = first_spec();
    struct hello_spec second = answer_to(first);
    struct hello hello;

    cr_expect_not(check(&first, &second, X25519, &hello));
    cr_expect_eq(hello.alert, TLS_ALERT_ILLEGAL_PARAMETER);
    spec_set(&second, 51, "0000");
    expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, "no share");
    spec_set(&second, 51, "0069 001d 0020" HEX_32 "0017 0041 04" HEX_64);
    expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, "another one beside it");
    spec_set(&second, 51, "0069 0017 0041 04" HEX_64 "001d 0020" HEX_32);
    expect_bad(&first, &second, TLS_ALERT_ILLEGAL_PARAMETER, "another one behind it");
}

Test(retry, a_malformed_one_gets_what_a_first_one_would) {
    struct hello_spec first = first_spec();
    struct hello_spec second = answer_to(first);
    spec_set(&second, 51, "0044 0017 0041 04" HEX_64);
    expect_bad(&first, &second, TLS_ALERT_DECODE_ERROR, "key_share");
    second = answer_to(first);
    second.suites = "13";
    expect_bad(&first, &second, TLS_ALERT_DECODE_ERROR, "suites");
}

Test(retry, a_malformed_first_one_is_not_kept) {
    struct hello_spec first = spec_tls13();
    struct retry retry;

    struct bytes body = body_of(&first);
    cr_expect_not(retry_keep(&retry, bytes_of(body.data, 10)));
    free((void *)body.data);
}
