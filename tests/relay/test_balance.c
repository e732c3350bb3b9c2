#include "base/hash.h"
#include "relay/balance.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { UP, BACKUP, OUT };

static struct balance balance;
static struct balance_member members[1024];
static struct balance_tried tried;

static void add(uint32_t i, uint16_t weight) {
    char name[32];
    int size = snprintf(name, sizeof name, "10.0.%u.%u:80", i / 250, i % 250);

    members[i] = (struct balance_member){.digest = hash_fixed(name, (size_t)size), .whole = (uint32_t)weight * BALANCE_ONE};
    cr_assert_eq(balance_add(&balance, &members[i], 0, UP), 0);
}

static void begin(enum config_balance kind, uint32_t count, const uint16_t *weights) {
    balance_init(&balance, kind, 10000);
    memset(&tried, 0, sizeof tried);
    for (uint32_t i = 0; i < count; i++) {
        add(i, weights == NULL ? 1 : weights[i]);
    }
}

static void end(void) {
    balance_free(&balance);
}

static int choose_of(unsigned group, uint64_t client) {
    struct balance_member *member = balance_choose(&balance, balance.levels[0], group, &tried, client);

    return member == NULL ? -1 : (int)(member - members);
}

static int choose(void) {
    return choose_of(UP, 0);
}

static uint64_t client(uint64_t number) {
    return hash_fixed(&number, sizeof number);
}

static void expect_sequence(const char *expected) {
    for (size_t i = 0; expected[i] != '\0'; i++) {
        int got = choose();

        cr_assert_eq(got, expected[i] - 'a', "choice %zu of %s is %c", i, expected, got + 'a');
    }
}

Test(balance, equal_members_take_turns, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, NULL);
    expect_sequence("abcabcabcabc");
}

Test(balance, turns_of_a_heavy_member_are_spread, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, (const uint16_t[]){5, 1, 1});
    expect_sequence("aaabcaaaaabcaaaaabcaa");
}

/* Each member has its part to within one choice, in any stretch from the beginning. */
Test(balance, parts_are_those_of_the_weights, .fini = end) {
    static const uint16_t weights[] = {1, 2, 3, 7, 256};
    uint32_t times[5] = {0};

    begin(CONFIG_ROUND_ROBIN, 5, weights);
    for (uint32_t i = 1; i <= 26900; i++) {
        times[choose()]++;
        for (unsigned j = 0; j < 5; j++) {
            double due = (double)i * weights[j] / 269;

            cr_assert_leq((double)times[j] - due, 1.5, "member %u has %u of %u", j, times[j], i);
            cr_assert_geq((double)times[j] - due, -1.5, "member %u has %u of %u", j, times[j], i);
        }
    }
    cr_assert_eq(times[4], 25600);
}

Test(balance, what_was_tried_is_passed_over_and_keeps_its_turn, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, NULL);
    cr_assert(balance_note_tried(&tried, &members[0]));
    expect_sequence("b");
    cr_assert(balance_note_tried(&tried, &members[1]));
    expect_sequence("c");
    cr_assert(balance_note_tried(&tried, &members[2]));
    cr_assert_eq(choose(), -1);
    memset(&tried, 0, sizeof tried);
    expect_sequence("a");
}

Test(balance, the_number_of_tries_is_bounded, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, BALANCE_TRIES_MAX + 1, NULL);
    for (int i = 0; i < BALANCE_TRIES_MAX; i++) {
        cr_assert(balance_note_tried(&tried, &members[i]));
        cr_assert(balance_note_tried(&tried, &members[i]));
    }
    cr_assert_not(balance_note_tried(&tried, &members[BALANCE_TRIES_MAX]));
    cr_assert(balance_was_tried(&tried, &members[0]));
}

Test(balance, groups_are_apart, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, NULL);
    cr_assert_eq(choose_of(BACKUP, 0), -1);
    balance_move(&balance, &members[1], BACKUP);
    expect_sequence("acacac");
    cr_assert_eq(choose_of(BACKUP, 0), 1);
    cr_assert_eq(choose_of(BACKUP, 0), 1);
}

/* A member that comes back has no turns to make up for. */
Test(balance, absence_is_not_made_up_for, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 2, NULL);
    balance_move(&balance, &members[1], OUT);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(choose(), 0);
    }
    balance_move(&balance, &members[1], UP);
    int times[2] = {0};
    for (int i = 0; i < 10; i++) {
        times[choose()]++;
    }
    cr_assert_geq(times[0], 4);
    cr_assert_geq(times[1], 4);
}

Test(balance, others_come_and_go_while_turns_go_on, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 9, NULL);
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t gone = round % 9;
        uint32_t times[9] = {0};

        balance_remove(&balance, &members[gone]);
        for (int i = 0; i < 16; i++) {
            times[choose()]++;
        }
        for (uint32_t i = 0; i < 9; i++) {
            cr_assert(i == gone ? times[i] == 0 : times[i] >= 1 && times[i] <= 3, "%u has %u", i, times[i]);
        }
        add(gone, 1);
    }
}

Test(balance, the_least_loaded_is_chosen, .fini = end) {
    begin(CONFIG_LEAST_CONNECTIONS, 3, NULL);
    balance_enter(&balance, &members[0]);
    balance_enter(&balance, &members[1]);
    expect_sequence("ccc");
    balance_enter(&balance, &members[2]);
    balance_enter(&balance, &members[2]);
    balance_leave(&balance, &members[1]);
    expect_sequence("b");
}

Test(balance, load_is_measured_by_weight_and_ties_go_by_turn, .fini = end) {
    uint32_t times[3] = {0};

    begin(CONFIG_LEAST_CONNECTIONS, 3, (const uint16_t[]){4, 2, 1});
    for (int i = 0; i < 70; i++) {
        int chosen = choose();

        times[chosen]++;
        balance_enter(&balance, &members[chosen]);
    }
    cr_assert_eq(times[0], 40);
    cr_assert_eq(times[1], 20);
    cr_assert_eq(times[2], 10);
    end();
    begin(CONFIG_LEAST_CONNECTIONS, 3, NULL);
    expect_sequence("abcabc");
}

Test(balance, a_client_stays_while_others_come_and_go, .fini = end) {
    enum { CLIENTS = 4000, MEMBERS = 10 };
    static int home[CLIENTS];
    uint32_t moved = 0, of_lost = 0;

    begin(CONFIG_HASH, MEMBERS, NULL);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        home[i] = choose_of(UP, client(i));
    }
    balance_move(&balance, &members[3], OUT);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        int now = choose_of(UP, client(i));

        of_lost += home[i] == 3;
        moved += now != home[i];
        cr_assert(now != 3 && (home[i] == 3 || now == home[i]));
    }
    cr_assert_eq(moved, of_lost);
    cr_assert(of_lost > CLIENTS / MEMBERS * 8 / 10 && of_lost < CLIENTS / MEMBERS * 12 / 10, "%u", of_lost);
    balance_move(&balance, &members[3], UP);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        cr_assert_eq(choose_of(UP, client(i)), home[i]);
    }
}

/* Whatever the order of members in the file or in memory. */
Test(balance, the_home_of_a_client_depends_on_names_alone, .fini = end) {
    int home[500];

    begin(CONFIG_HASH, 5, NULL);
    for (uint64_t i = 0; i < 500; i++) {
        home[i] = choose_of(UP, client(i));
    }
    end();
    begin(CONFIG_HASH, 0, NULL);
    for (uint32_t i = 5; i-- > 0;) {
        add(i, 1);
    }
    for (uint64_t i = 0; i < 500; i++) {
        cr_assert_eq(choose_of(UP, client(i)), home[i]);
    }
}

Test(balance, clients_are_spread_by_weight_and_a_change_of_weight_moves_few, .fini = end) {
    enum { CLIENTS = 20000 };
    static int home[CLIENTS];
    uint32_t times[3] = {0}, moved = 0;

    begin(CONFIG_HASH, 3, (const uint16_t[]){1, 2, 5});
    for (uint64_t i = 0; i < CLIENTS; i++) {
        home[i] = choose_of(UP, client(i));
        times[home[i]]++;
    }
    cr_assert(times[0] > 2300 && times[0] < 2700, "%u", times[0]);
    cr_assert(times[1] > 4750 && times[1] < 5250, "%u", times[1]);
    cr_assert(times[2] > 12200 && times[2] < 12800, "%u", times[2]);
    end();
    begin(CONFIG_HASH, 3, (const uint16_t[]){1, 3, 5});
    for (uint64_t i = 0; i < CLIENTS; i++) {
        int now = choose_of(UP, client(i));

        cr_assert(now == home[i] || now == 1);
        moved += now != home[i];
    }
    cr_assert(moved > 1400 && moved < 1950, "%u", moved); /* 20000 * (3/9 - 2/8) is 1667 */
}

Test(balance, a_client_whose_first_was_tried_has_a_second, .fini = end) {
    begin(CONFIG_HASH, 8, NULL);
    for (uint64_t i = 0; i < 100; i++) {
        int home = choose_of(UP, client(i));

        balance_note_tried(&tried, &members[home]);
        int next = choose_of(UP, client(i));
        cr_assert_neq(next, home);
        memset(&tried, 0, sizeof tried);
        balance_move(&balance, &members[home], OUT);
        cr_assert_eq(choose_of(UP, client(i)), next);
        balance_move(&balance, &members[home], UP);
    }
}

/* Returns how many of 300 choices the last of three members has. */
static uint32_t part_at(uint64_t now_ms) {
    uint32_t times = 0;

    balance_grow(&balance, now_ms);
    for (int i = 0; i < 300; i++) {
        times += choose() == 2;
    }
    return times;
}

Test(balance, a_member_that_comes_back_gets_its_part_by_and_by, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, NULL);
    balance_ramp(&balance, &members[2], 5000);
    cr_assert_eq(balance.ramping, 1);
    cr_assert_leq(part_at(5000), 6);
    uint32_t quarter = part_at(7500), half = part_at(10000);
    cr_assert(quarter > 28 && quarter < 38, "%u", quarter);
    cr_assert(half > 55 && half < 65, "%u", half);
    cr_assert_eq(part_at(15000), 100);
    cr_assert_eq(balance.ramping, 0);
}

/* The turn that was far away while the part was small is not waited for. */
Test(balance, a_member_whose_ramp_is_over_has_its_turn_at_once, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, NULL);
    balance_ramp(&balance, &members[2], 5000);
    part_at(5000);
    uint32_t whole = part_at(15000);
    cr_assert(whole >= 99 && whole <= 101, "%u", whole);
}

Test(balance, a_ramp_holds_where_load_decides_too, .fini = end) {
    begin(CONFIG_LEAST_CONNECTIONS, 2, NULL);
    balance_ramp(&balance, &members[1], 0);
    balance_grow(&balance, 2500);
    uint32_t times[2] = {0};
    for (int i = 0; i < 100; i++) {
        int chosen = choose();

        times[chosen]++;
        balance_enter(&balance, &members[chosen]);
    }
    cr_assert_eq(times[1], 20);
    balance_remove(&balance, &members[1]);
    cr_assert_eq(balance.ramping, 0);
}

Test(balance, without_a_ramp_a_member_is_back_at_once, .fini = end) {
    balance_init(&balance, CONFIG_ROUND_ROBIN, 0);
    add(0, 1);
    balance_ramp(&balance, &members[0], 0);
    cr_assert_eq(balance.ramping, 0);
}

Test(balance, passes_wrap, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 2, NULL);
    balance.pass = UINT64_MAX - 1000;
    members[0].pass = members[1].pass = UINT64_MAX - 500;
    expect_sequence("abababab");
}

Test(balance, a_thousand_members_have_equal_parts, .fini = end) {
    static uint32_t times[1000];

    begin(CONFIG_ROUND_ROBIN, 1000, NULL);
    for (int i = 0; i < 100000; i++) {
        times[choose()]++;
    }
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(times[i], 100);
    }
}

Test(balance, the_number_of_members_is_bounded, .fini = end) {
    static struct balance_member many[BALANCE_MEMBERS_MAX + 1];

    balance_init(&balance, CONFIG_ROUND_ROBIN, 0);
    for (uint32_t i = 0; i < BALANCE_MEMBERS_MAX; i++) {
        many[i].whole = BALANCE_ONE;
        cr_assert_eq(balance_add(&balance, &many[i], 0, UP), 0);
    }
    many[BALANCE_MEMBERS_MAX].whole = BALANCE_ONE;
    cr_assert_eq(balance_add(&balance, &many[BALANCE_MEMBERS_MAX], 0, UP), -ENOSPC);
}

static int choose_on(uint32_t level) {
    return (int)(balance_choose(&balance, balance.levels[level], UP, &tried, 0) - members);
}

/* Levels are in the order of their ranks, whatever that of additions is, and are there as long as they have members. */
Test(balance, levels_come_and_go, .fini = end) {
    static const uint32_t ranks[] = {7, 65536, 0, 7};

    begin(CONFIG_ROUND_ROBIN, 0, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        members[i] = (struct balance_member){.whole = BALANCE_ONE};
        cr_assert_eq(balance_add(&balance, &members[i], ranks[i], UP), 0);
    }
    cr_assert_eq(balance.level_count, 3);
    cr_expect_eq(choose_on(0), 2);
    cr_expect_eq(choose_on(1), 0);
    cr_expect_eq(choose_on(1), 3);
    cr_expect_eq(choose_on(2), 1);
    balance_remove(&balance, &members[2]);
    cr_assert_eq(balance.level_count, 2);
    cr_expect_eq(balance.levels[0]->rank, 7);
    cr_expect_eq(balance.totals[UP], 3);
}

/* A member keeps its group and what is in flight; its turns are those of its new share. */
Test(balance, a_member_changes_its_rank, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 3, NULL);
    balance_enter(&balance, &members[1]);
    balance_move(&balance, &members[2], OUT);
    cr_assert_eq(balance_change(&balance, &members[1], 5, BALANCE_ONE), 0);
    cr_assert_eq(balance_change(&balance, &members[2], 5, BALANCE_ONE), 0);
    cr_assert_eq(balance.level_count, 2);
    cr_expect_eq(balance.levels[0]->members, 1);
    cr_expect_eq(balance.levels[1]->counts[UP], 1);
    cr_expect_eq(balance.levels[1]->counts[OUT], 1);
    cr_expect_eq(members[1].in_flight, 1);
    cr_assert_eq(balance_change(&balance, &members[1], 0, 3 * BALANCE_ONE), 0);
    cr_assert_eq(balance_change(&balance, &members[2], 0, BALANCE_ONE), 0);
    cr_assert_eq(balance.level_count, 1);
    unsigned times[3] = {0};
    for (int i = 0; i < 40; i++) {
        times[choose()]++;
    }
    cr_expect(times[0] == 10 && times[1] == 30 && times[2] == 0);
    balance_leave(&balance, &members[1]);
}

/* The largest share beside the least, as SRV records may have them. */
Test(balance, shares_may_be_far_apart, .fini = end) {
    begin(CONFIG_ROUND_ROBIN, 0, NULL);
    members[0] = (struct balance_member){.whole = UINT16_MAX * BALANCE_ONE};
    members[1] = (struct balance_member){.whole = 1};
    members[2] = (struct balance_member){.whole = 40000 * BALANCE_ONE};
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(balance_add(&balance, &members[i], 0, UP), 0);
    }
    unsigned times[3] = {0};
    for (int i = 0; i < 105535; i++) {
        times[choose()]++;
    }
    cr_expect(times[0] > 65530 && times[0] < 65540 && times[1] == 0, "%u %u", times[0], times[1]);
}
