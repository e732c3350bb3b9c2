#include "tls/allowance.h"

#include <criterion/criterion.h>

static const struct allowance_stage tls13 = {.tls13 = true, .established = true, .now_s = 1000};
static const struct allowance_stage tls12 = {.established = true, .now_s = 1000};

/* Takes as many as are allowed, and gives what one more is. */
static enum tls_excess beyond(struct allowance *allowance, struct allowance_stage stage, enum tls_record_type type,
                              struct bytes plaintext, unsigned most) {
    for (unsigned i = 0; i < most; i++) {
        cr_assert_eq(allowance_take(allowance, &stage, type, plaintext), TLS_EXCESS_NONE, "%u of %u", i, most);
    }
    return allowance_take(allowance, &stage, type, plaintext);
}

Test(allowance, each_kind_has_its_bound) {
    static const struct allowance_stage early = {.tls13 = true, .now_s = 1000};
    static const uint8_t zeros[ALLOWANCE_SMALL_SIZE];
    const struct bytes key_update = bytes_of("\x18\0\0\x01\0", 5), nothing = bytes_of(zeros, 0);
    const struct bytes small = bytes_of(zeros, ALLOWANCE_SMALL_SIZE - 1), canceled = bytes_of("\x01\x5a", 2);
    const struct {
        const struct allowance_stage *stage;
        enum tls_record_type type;
        struct bytes plaintext;
        unsigned most;
        enum tls_excess excess;
    } cases[] = {
        {&tls13, TLS_RECORD_HANDSHAKE, key_update, ALLOWANCE_KEY_UPDATES, TLS_EXCESS_KEY_UPDATES},
        {&tls12, TLS_RECORD_HANDSHAKE, bytes_of("\x01", 1), ALLOWANCE_KEY_UPDATES, TLS_EXCESS_KEY_UPDATES},
        {&tls13, TLS_RECORD_APPLICATION_DATA, nothing, ALLOWANCE_EMPTY_RECORDS, TLS_EXCESS_EMPTY_RECORDS},
        {&tls12, TLS_RECORD_APPLICATION_DATA, nothing, ALLOWANCE_EMPTY_RECORDS, TLS_EXCESS_EMPTY_RECORDS},
        {&tls12, TLS_RECORD_APPLICATION_DATA, small, ALLOWANCE_SMALL_RECORDS, TLS_EXCESS_SMALL_RECORDS},
        {&early, TLS_RECORD_HANDSHAKE, small, ALLOWANCE_SMALL_EARLY, TLS_EXCESS_SMALL_RECORDS},
        {&early, TLS_RECORD_ALERT, canceled, ALLOWANCE_WARNINGS, TLS_EXCESS_WARNINGS},
        {&tls13, TLS_RECORD_ALERT, canceled, ALLOWANCE_WARNINGS, TLS_EXCESS_WARNINGS},
        {&tls12, TLS_RECORD_ALERT, bytes_of("\x01\x29", 2), ALLOWANCE_WARNINGS, TLS_EXCESS_WARNINGS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct allowance allowance = {0};
        cr_expect_eq(beyond(&allowance, *cases[i].stage, cases[i].type, cases[i].plaintext, cases[i].most), cases[i].excess,
                     "%zu", i);
    }
}

Test(allowance, time_gives_back_what_only_comes_too_often) {
    struct allowance allowance = {0};
    struct allowance_stage stage = tls13;
    const struct bytes nothing = bytes_of("", 0);
    cr_assert_eq(beyond(&allowance, stage, TLS_RECORD_APPLICATION_DATA, nothing, ALLOWANCE_EMPTY_RECORDS),
                 TLS_EXCESS_EMPTY_RECORDS);
    stage.now_s += ALLOWANCE_WINDOW_S - 1;
    cr_assert_eq(allowance_take(&allowance, &stage, TLS_RECORD_APPLICATION_DATA, nothing), TLS_EXCESS_EMPTY_RECORDS);
    stage.now_s++;
    cr_assert_eq(beyond(&allowance, stage, TLS_RECORD_APPLICATION_DATA, nothing, ALLOWANCE_EMPTY_RECORDS),
                 TLS_EXCESS_EMPTY_RECORDS);
    stage.now_s = UINT64_MAX; /* however long it was */
    cr_assert_eq(allowance_take(&allowance, &stage, TLS_RECORD_APPLICATION_DATA, nothing), TLS_EXCESS_NONE);
}

Test(allowance, a_handshake_is_counted_apart) {
    struct allowance allowance = {0};
    const struct allowance_stage early = {.tls13 = true, .now_s = 1000};
    const struct bytes small = bytes_of("x", 1);
    cr_assert_eq(beyond(&allowance, early, TLS_RECORD_HANDSHAKE, small, ALLOWANCE_SMALL_EARLY), TLS_EXCESS_SMALL_RECORDS);
    allowance_establish(&allowance);
    cr_assert_eq(beyond(&allowance, tls13, TLS_RECORD_APPLICATION_DATA, small, ALLOWANCE_SMALL_RECORDS),
                 TLS_EXCESS_SMALL_RECORDS);
}

Test(allowance, small_records_may_go_with_what_moves) {
    static const uint8_t data[8192];
    static const size_t sizes[] = {4, 2, sizeof data, 2}; /* a chunk as HTTP libraries write it */
    struct allowance allowance = {0};
    for (unsigned i = 0; i < 5000 * 4; i++) {
        const struct bytes record = bytes_of(data, sizes[i % 4]);
        cr_assert_eq(allowance_take(&allowance, &tls12, TLS_RECORD_APPLICATION_DATA, record), TLS_EXCESS_NONE, "%u", i);
    }
}

Test(allowance, short_requests_may_be_many) {
    struct allowance allowance = {0};
    for (unsigned i = 0; i < 10 * ALLOWANCE_SMALL_RECORDS; i++) {
        cr_assert_eq(allowance_take(&allowance, &tls13, TLS_RECORD_APPLICATION_DATA, bytes_of("GET / HTTP/1.1\r\n\r\n", 18)),
                     TLS_EXCESS_NONE, "%u", i);
        allowance_pay_back(&allowance, 120);
    }
    allowance = (struct allowance){0};
    for (unsigned i = 0; i < ALLOWANCE_SMALL_RECORDS; i++) {
        allowance_take(&allowance, &tls13, TLS_RECORD_APPLICATION_DATA, bytes_of("x", 1));
        allowance_pay_back(&allowance, ALLOWANCE_SMALL_SIZE - 1);
    }
    cr_assert_eq(allowance_take(&allowance, &tls13, TLS_RECORD_APPLICATION_DATA, bytes_of("x", 1)),
                 TLS_EXCESS_SMALL_RECORDS);
}

Test(allowance, what_moves_pays_for_no_more_than_its_size) {
    static const uint8_t data[ALLOWANCE_SMALL_SIZE + ALLOWANCE_SMALL_PAID_BY];
    const struct bytes small = bytes_of(data, 1), large = bytes_of(data, sizeof data);
    struct allowance allowance = {0};
    /* Nothing is saved up. */
    cr_assert_eq(allowance_take(&allowance, &tls13, TLS_RECORD_APPLICATION_DATA, large), TLS_EXCESS_NONE);
    cr_assert_eq(beyond(&allowance, tls13, TLS_RECORD_APPLICATION_DATA, small, ALLOWANCE_SMALL_RECORDS),
                 TLS_EXCESS_SMALL_RECORDS);
    cr_assert_eq(allowance_take(&allowance, &tls13, TLS_RECORD_APPLICATION_DATA, large), TLS_EXCESS_NONE);
    cr_assert_eq(beyond(&allowance, tls13, TLS_RECORD_APPLICATION_DATA, small, 2), TLS_EXCESS_SMALL_RECORDS);
    cr_assert_eq(allowance_take(&allowance, &tls13, TLS_RECORD_APPLICATION_DATA, bytes_of(data, ALLOWANCE_SMALL_SIZE)),
                 TLS_EXCESS_NONE);
    cr_assert_eq(beyond(&allowance, tls13, TLS_RECORD_APPLICATION_DATA, small, 1), TLS_EXCESS_SMALL_RECORDS);
    /* A handshake is bounded as a whole. */
    const struct allowance_stage early = {.tls13 = true, .now_s = 1000};
    allowance = (struct allowance){0};
    cr_assert_eq(beyond(&allowance, early, TLS_RECORD_HANDSHAKE, small, ALLOWANCE_SMALL_EARLY), TLS_EXCESS_SMALL_RECORDS);
    cr_assert_eq(allowance_take(&allowance, &early, TLS_RECORD_HANDSHAKE, large), TLS_EXCESS_NONE);
    cr_assert_eq(allowance_take(&allowance, &early, TLS_RECORD_HANDSHAKE, small), TLS_EXCESS_SMALL_RECORDS);
}

Test(allowance, warnings_are_not_given_back) {
    struct allowance allowance = {0};
    struct allowance_stage stage = tls13;
    const struct bytes canceled = bytes_of("\x02\x5a", 2);
    cr_assert_eq(beyond(&allowance, stage, TLS_RECORD_ALERT, canceled, ALLOWANCE_WARNINGS), TLS_EXCESS_WARNINGS);
    stage.now_s += 1000 * ALLOWANCE_WINDOW_S;
    cr_assert_eq(allowance_take(&allowance, &stage, TLS_RECORD_ALERT, canceled), TLS_EXCESS_WARNINGS);
}

Test(allowance, what_ends_the_session_or_moves_it_forward_is_free) {
    struct allowance allowance = {0};
    static const uint8_t full[ALLOWANCE_SMALL_SIZE];
    const struct {
        const struct allowance_stage *stage;
        enum tls_record_type type;
        struct bytes plaintext;
    } cases[] = {
        {&tls13, TLS_RECORD_APPLICATION_DATA, bytes_of(full, sizeof full)},
        {&tls13, TLS_RECORD_ALERT, bytes_of("\x01\x00", 2)},
        {&tls12, TLS_RECORD_ALERT, bytes_of("\x01\x00", 2)},
        {&tls13, TLS_RECORD_ALERT, bytes_of("\x01\x28", 2)},
        {&tls12, TLS_RECORD_ALERT, bytes_of("\x02\x28", 2)},
        {&tls13, TLS_RECORD_ALERT, bytes_of("\x01", 1)},
        {&tls13, TLS_RECORD_CHANGE_CIPHER_SPEC, bytes_of("\x01", 1)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(beyond(&allowance, *cases[i].stage, cases[i].type, cases[i].plaintext, 10000), TLS_EXCESS_NONE, "%zu",
                     i);
    }
}

Test(allowance, small_records_may_be_welcome_and_empty_ones_are_not) {
    struct allowance allowance = {0};
    const struct bytes small = bytes_of("x", 1), nothing = bytes_of("", 0);
    allowance_welcome_small(&allowance);
    cr_expect_eq(beyond(&allowance, tls13, TLS_RECORD_APPLICATION_DATA, small, 4 * ALLOWANCE_SMALL_RECORDS),
                 TLS_EXCESS_NONE);
    cr_expect_eq(beyond(&allowance, tls13, TLS_RECORD_APPLICATION_DATA, nothing, ALLOWANCE_EMPTY_RECORDS),
                 TLS_EXCESS_EMPTY_RECORDS);
    cr_expect_eq(beyond(&allowance, tls13, TLS_RECORD_HANDSHAKE, small, ALLOWANCE_KEY_UPDATES), TLS_EXCESS_KEY_UPDATES);
}
