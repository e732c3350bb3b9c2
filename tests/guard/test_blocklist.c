#include "base/hash.h"
#include "guard/blocklist.h"

#include <criterion/criterion.h>

TestSuite(blocklist, .init = hash_init);

/* Shortly before 32 bits of milliseconds wrap. */
static const uint64_t NOW = UINT32_MAX - 100;

static struct blocklist list;
static uint32_t addresses[BLOCKLIST_SLOTS];

Test(blocklist, gives_what_was_added_in_order_and_once) {
    const uint32_t added[] = {0xc0000207, 0x7f000001, 0xffffffff, 0, 0x7f000001, 0x0a000001};
    for (size_t i = 0; i < 6; i++) {
        blocklist_add(&list, added[i], NOW, 1000);
    }
    cr_expect(list.changed);
    cr_assert_eq(blocklist_collect(&list, NOW + 999, addresses, BLOCKLIST_SLOTS), 5);
    const uint32_t expected[] = {0, 0x0a000001, 0x7f000001, 0xc0000207, 0xffffffff};
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(addresses[i], expected[i]);
    }
    cr_expect_not(list.changed);
    cr_expect_eq(list.count, 5);
}

Test(blocklist, forgets_in_time) {
    blocklist_add(&list, 1, NOW, 1000);
    blocklist_add(&list, 2, NOW, 2000);
    blocklist_add(&list, 3, NOW, 1000);
    blocklist_add(&list, 3, NOW + 500, 2000);
    cr_assert_eq(blocklist_collect(&list, NOW + 1000, addresses, BLOCKLIST_SLOTS), 2);
    cr_expect(addresses[0] == 2 && addresses[1] == 3);
    cr_assert_eq(blocklist_collect(&list, NOW + 2000, addresses, BLOCKLIST_SLOTS), 1);
    cr_assert_eq(blocklist_collect(&list, NOW + 2500, addresses, BLOCKLIST_SLOTS), 0);
    cr_expect_eq(list.count, 0);
    blocklist_add(&list, 1, NOW + 3000, 10);
    blocklist_clear(&list);
    cr_assert_eq(blocklist_collect(&list, NOW + 3000, addresses, BLOCKLIST_SLOTS), 0);
}

Test(blocklist, forgets_over_any_time) {
    static const double days[] = {24.8, 25, 30, 49.7, 50, 75, 1000};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        uint64_t later_ms = NOW + (uint64_t)(days[i] * 24 * 60 * 60 * 1000);
        blocklist_add(&list, 1, NOW, 4000);
        cr_assert_eq(blocklist_collect(&list, NOW + 3999, addresses, BLOCKLIST_SLOTS), 1);
        cr_assert_eq(blocklist_collect(&list, later_ms, addresses, BLOCKLIST_SLOTS), 0, "%g days", days[i]);
        blocklist_add(&list, 1, later_ms, 4000);
        cr_assert_eq(blocklist_collect(&list, later_ms + 3999, addresses, BLOCKLIST_SLOTS), 1);
        cr_assert_eq(blocklist_collect(&list, later_ms + 4000, addresses, BLOCKLIST_SLOTS), 0);
    }
}

Test(blocklist, lets_one_go_before_its_time) {
    for (uint32_t i = 0; i < 100; i++) {
        blocklist_add(&list, i, NOW, 1000);
    }
    blocklist_collect(&list, NOW, addresses, BLOCKLIST_SLOTS);
    blocklist_remove(&list, 1000);
    cr_expect(list.count == 100 && !list.changed);
    blocklist_remove(&list, 7);
    blocklist_remove(&list, 7);
    cr_expect(list.count == 99 && list.changed);
    cr_assert_eq(blocklist_collect(&list, NOW, addresses, BLOCKLIST_SLOTS), 99);
    cr_expect(addresses[6] == 6 && addresses[7] == 8);
}

Test(blocklist, is_bounded_however_many_come) {
    for (uint32_t i = 0; i < 1000000; i++) {
        blocklist_add(&list, i * 7, NOW, 1000);
    }
    cr_expect_gt(list.count, BLOCKLIST_SLOTS * 9 / 10);
    cr_expect_leq(list.count, BLOCKLIST_SLOTS);
    cr_expect_eq(blocklist_collect(&list, NOW, addresses, 100), 100);
}
