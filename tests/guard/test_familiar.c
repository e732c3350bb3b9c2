#include "guard/familiar.h"

#include <criterion/criterion.h>

static struct familiar familiar;
static uint32_t words[FAMILIAR_WORDS];

static const uint64_t PERIOD_MS = (uint64_t)FAMILIAR_PERIOD_S * 1000;

static void set_up(void) {
    familiar_init(&familiar);
}

static void tear_down(void) {
    familiar_destroy(&familiar);
}

TestSuite(familiar, .init = set_up, .fini = tear_down);

static bool has(uint32_t bucket, uint64_t now_ms) {
    familiar_collect(&familiar, now_ms, words);
    return (words[bucket / 32] >> bucket % 32 & 1) != 0;
}

static unsigned count(uint64_t now_ms) {
    unsigned sum = 0;
    familiar_collect(&familiar, now_ms, words);
    for (size_t i = 0; i < FAMILIAR_WORDS; i++) {
        sum += (unsigned)__builtin_popcount(words[i]);
    }
    return sum;
}

Test(familiar, has_what_was_noted_and_no_more) {
    uint32_t version = familiar_version(&familiar);
    cr_expect_eq(count(1000), 0);
    for (uint32_t bucket = 0; bucket < FAMILIAR_BUCKETS; bucket += 101) {
        familiar_note(&familiar, bucket, 1000);
        familiar_note(&familiar, bucket, 1001);
    }
    for (uint32_t bucket = 0; bucket < FAMILIAR_BUCKETS; bucket++) {
        cr_assert_eq(has(bucket, 2000), bucket % 101 == 0);
    }
    cr_expect_eq(familiar_version(&familiar) - version, count(2000), "what is there already is nothing new");
    familiar_note(&familiar, FAMILIAR_BUCKETS - 1, 2000);
    cr_expect(has(FAMILIAR_BUCKETS - 1, 2000));
}

Test(familiar, keeps_it_for_a_period_at_least_and_for_two_at_most) {
    for (uint64_t begun_ms = 0; begun_ms < 2 * PERIOD_MS; begun_ms += PERIOD_MS / 3) {
        struct familiar *fresh = &familiar;
        familiar_destroy(fresh);
        familiar_init(fresh);
        familiar_note(fresh, 77, begun_ms);
        for (uint64_t passed_ms = 0; passed_ms <= PERIOD_MS; passed_ms += PERIOD_MS / 50) {
            cr_assert(has(77, begun_ms + passed_ms));
            if (passed_ms % 2 == 0) {
                familiar_note(fresh, 78, begun_ms + passed_ms);
            }
        }
        cr_expect_not(has(77, begun_ms + 2 * PERIOD_MS));
        cr_expect(has(78, begun_ms + 2 * PERIOD_MS - PERIOD_MS / 50));
    }
    /* However long nobody looked. */
    familiar_note(&familiar, 5, 10 * PERIOD_MS);
    cr_expect_eq(count(13 * PERIOD_MS), 0);
    familiar_note(&familiar, 5, 10 * PERIOD_MS);
    cr_expect(has(5, 13 * PERIOD_MS), "a clock that is behind");
}
