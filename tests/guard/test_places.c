#include "guard/places.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t MS = 1000000;
/* Any time: only differences count. */
static const uint64_t NOW = UINT64_MAX - UINT64_C(1000000000000);

enum { MAX = 128 };

static struct places places;
static struct place held[1024];
static size_t count;

static struct place *hold(enum places_rank rank, enum places_stage stage, uint64_t now_ns) {
    struct place *place = &held[count++];

    places_set(&places, place, rank, stage, now_ns);
    return place;
}

static struct place *find(enum places_rank newcomer, uint64_t now_ns) {
    return places_find(&places, newcomer, MAX, now_ns);
}

static bool has_room(enum places_rank newcomer) {
    return places_have_room(&places, newcomer, MAX);
}

Test(places, strangers_leave_a_share_to_known_clients) {
    for (size_t i = 0; i < MAX - 2; i++) {
        cr_assert(has_room(PLACES_STRANGER) && !places_are_full(&places, MAX));
        hold(i % 2 == 0 ? PLACES_STRANGER : PLACES_SUSPECT, PLACES_SILENT, NOW);
    }
    cr_expect(!has_room(PLACES_SUSPECT) && !has_room(PLACES_STRANGER) && !has_room(PLACES_RETURNING));
    cr_expect(places_are_full(&places, MAX));
    cr_expect(has_room(PLACES_KNOWN));
    hold(PLACES_KNOWN, PLACES_SILENT, NOW);
    hold(PLACES_VALID, PLACES_IDLE, NOW);
    cr_expect(!has_room(PLACES_KNOWN));
}

Test(places, known_clients_may_have_all) {
    for (size_t i = 0; i < MAX; i++) {
        cr_assert(has_room(PLACES_KNOWN));
        hold(PLACES_VALID, PLACES_IDLE, NOW);
    }
    cr_expect(!has_room(PLACES_KNOWN) && !has_room(PLACES_STRANGER));
}

Test(places, small_numbers_have_no_share_to_give) {
    struct place place = {0};

    cr_expect(places_have_room(&places, PLACES_STRANGER, 1));
    places_set(&places, &place, PLACES_STRANGER, PLACES_SILENT, NOW);
    cr_expect(!places_have_room(&places, PLACES_STRANGER, 1) && places_are_full(&places, 1));
}

Test(places, are_crowded_before_they_are_full) {
    for (size_t i = 0; i < MAX - MAX / PLACES_CROWDED; i++) {
        cr_assert(!places_are_crowded(&places, MAX));
        hold(PLACES_VALID, PLACES_IDLE, NOW);
    }
    cr_expect(places_are_crowded(&places, MAX) && !places_are_full(&places, MAX));
}

Test(places, a_valid_place_is_nobody_elses) {
    for (unsigned stage = PLACES_SILENT; stage < PLACES_STAGES; stage++) {
        struct place *place = hold(PLACES_VALID, (enum places_stage)stage, NOW);

        for (unsigned newcomer = 0; newcomer < PLACES_RANKS; newcomer++) {
            cr_expect_null(find((enum places_rank)newcomer, NOW + 1000000 * MS));
        }
        cr_expect_null(places_oldest(&places, (enum places_stage)stage, NULL));
        places_leave(&places, place);
    }
    cr_expect_eq(places.held, 0);
    cr_expect_eq(places.going, 0);
}

Test(places, a_known_client_gets_any_strangers_place_at_once) {
    const enum places_stage stages[] = {PLACES_SILENT, PLACES_SPEAKING, PLACES_HOLDING, PLACES_IDLE,
                                        PLACES_BUSY,   PLACES_KEEPING,  PLACES_UNREAD,  PLACES_ENDING};

    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        for (unsigned rank = PLACES_SUSPECT; rank <= PLACES_STRANGER; rank++) {
            struct place *place = hold((enum places_rank)rank, stages[i], NOW);

            cr_expect_eq(find(PLACES_KNOWN, NOW), place, "stage %d, rank %u", stages[i], rank);
            places_leave(&places, place);
        }
    }
}

Test(places, one_stranger_gets_anothers_when_that_has_had_its_time) {
    const struct {
        enum places_stage stage;
        uint64_t after_ms;
    } rows[] = {
        {PLACES_SILENT, PLACES_SILENT_MS}, {PLACES_SPEAKING, PLACES_EARLY_MS},
        {PLACES_HOLDING, PLACES_EARLY_MS}, {PLACES_IDLE, 0},
        {PLACES_BUSY, PLACES_BUSY_MS},     {PLACES_KEEPING, PLACES_BUSY_MS},
        {PLACES_UNREAD, PLACES_BUSY_MS},   {PLACES_ENDING, PLACES_ENDING_MS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct place *place = hold(PLACES_STRANGER, rows[i].stage, NOW);
        uint64_t then = NOW + rows[i].after_ms * MS;

        cr_expect(rows[i].after_ms == 0 || find(PLACES_STRANGER, then - 1) == NULL, "stage %d", rows[i].stage);
        cr_expect_eq(find(PLACES_STRANGER, then), place, "stage %d", rows[i].stage);
        cr_expect_eq(places_is_overdue(place, then), rows[i].after_ms > 0);
        cr_expect(!places_is_overdue(place, then - 1));
        cr_expect(rows[i].stage <= PLACES_HOLDING || find(PLACES_SUSPECT, then) == NULL, "stage %d", rows[i].stage);
        places_leave(&places, place);
    }
}

Test(places, a_suspect_gets_what_suspects_hold) {
    struct place *suspect = hold(PLACES_SUSPECT, PLACES_IDLE, NOW);

    hold(PLACES_STRANGER, PLACES_IDLE, NOW - 1000 * MS);
    cr_expect_eq(find(PLACES_SUSPECT, NOW), suspect);
    cr_expect_eq(find(PLACES_STRANGER, NOW), suspect);
    places_leave(&places, suspect);
    cr_expect_null(find(PLACES_SUSPECT, NOW));
}

Test(places, a_known_address_alone_gives_way_to_another_as_strangers_do_to_strangers) {
    const struct {
        enum places_stage stage;
        uint64_t after_ms;
    } rows[] = {
        {PLACES_SILENT, PLACES_SILENT_MS}, {PLACES_SPEAKING, PLACES_EARLY_MS},
        {PLACES_HOLDING, PLACES_EARLY_MS}, {PLACES_IDLE, 0},
        {PLACES_BUSY, PLACES_BUSY_MS},     {PLACES_KEEPING, PLACES_BUSY_MS},
        {PLACES_UNREAD, PLACES_BUSY_MS},   {PLACES_ENDING, PLACES_ENDING_MS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct place *place = hold(PLACES_KNOWN, rows[i].stage, NOW);
        struct place *stranger = hold(PLACES_STRANGER, PLACES_BUSY, NOW);
        uint64_t then = NOW + rows[i].after_ms * MS;

        cr_expect_eq(find(PLACES_KNOWN, then), stranger, "before them goes any stranger, stage %d", rows[i].stage);
        places_leave(&places, stranger);
        cr_expect(rows[i].after_ms == 0 || find(PLACES_KNOWN, then - 1) == NULL, "stage %d", rows[i].stage);
        cr_expect_eq(find(PLACES_KNOWN, then), place, "stage %d", rows[i].stage);
        cr_expect_null(find(PLACES_RETURNING, NOW + 100000 * MS));
        places_leave(&places, place);
    }
}

Test(places, the_oldest_goes_first) {
    struct place *first = hold(PLACES_STRANGER, PLACES_IDLE, NOW);
    struct place *second = hold(PLACES_STRANGER, PLACES_IDLE, NOW + 1);
    struct place *third = hold(PLACES_STRANGER, PLACES_IDLE, NOW + 2);

    cr_expect_eq(find(PLACES_STRANGER, NOW + 3), first);
    places_ask(&places, first, NOW + 3);
    cr_expect_eq(find(PLACES_STRANGER, NOW + 3), second);
    places_set(&places, first, PLACES_STRANGER, PLACES_IDLE, NOW + 4);
    places_leave(&places, third);
    cr_expect_eq(find(PLACES_STRANGER, NOW + 5), second);
    places_leave(&places, second);
    places_leave(&places, second);
    cr_expect_eq(find(PLACES_STRANGER, NOW + 5), first);
    cr_expect_eq(places.held, 1);
    cr_expect_eq(places.strangers, 1);
}

Test(places, who_has_only_come_counts_from_then) {
    struct place *place = hold(PLACES_STRANGER, PLACES_SILENT, NOW);

    places_set(&places, place, PLACES_STRANGER, PLACES_SPEAKING, NOW + 900 * MS);
    places_set(&places, place, PLACES_STRANGER, PLACES_HOLDING, NOW + 950 * MS);
    cr_expect_null(find(PLACES_STRANGER, NOW + 999 * MS));
    cr_expect_eq(find(PLACES_STRANGER, NOW + 1000 * MS), place);
}

Test(places, a_request_counts_from_its_begin_and_the_next_anew) {
    struct place *place = hold(PLACES_STRANGER, PLACES_IDLE, NOW);

    places_ask(&places, place, NOW);
    places_set(&places, place, PLACES_STRANGER, PLACES_KEEPING, NOW + 20000 * MS);
    places_set(&places, place, PLACES_STRANGER, PLACES_BUSY, NOW + 25000 * MS);
    places_set(&places, place, PLACES_STRANGER, PLACES_UNREAD, NOW + 29000 * MS);
    cr_expect_eq(find(PLACES_STRANGER, NOW + 30000 * MS), place);
    places_ask(&places, place, NOW + 29000 * MS);
    cr_expect_null(find(PLACES_STRANGER, NOW + 58999 * MS));
    cr_expect_eq(find(PLACES_STRANGER, NOW + 59000 * MS), place);
}

Test(places, who_turns_out_valid_is_no_stranger_any_more) {
    struct place *place = hold(PLACES_STRANGER, PLACES_SPEAKING, NOW);

    cr_expect_eq(places.strangers, 1);
    places_set(&places, place, PLACES_VALID, PLACES_IDLE, NOW);
    cr_expect_eq(places.strangers, 0);
    cr_expect_eq(places.held, 1);
    places_ask(&places, place, NOW);
    places_set(&places, place, PLACES_STRANGER, PLACES_IDLE, NOW + 1);
    cr_expect_eq(places.strangers, 1);
    cr_expect_eq(find(PLACES_KNOWN, NOW + 1), place);
}

Test(places, a_place_that_is_given_away_is_free_and_its_holder_can_be_hurried) {
    struct place *first = hold(PLACES_STRANGER, PLACES_ENDING, NOW);
    struct place *second = hold(PLACES_SUSPECT, PLACES_ENDING, NOW);

    places_set(&places, first, PLACES_STRANGER, PLACES_GOING, NOW);
    places_set(&places, second, PLACES_SUSPECT, PLACES_GOING, NOW);
    cr_expect_eq(places.held, 0);
    cr_expect_eq(places.strangers, 0);
    cr_expect_eq(places.going, 2);
    cr_expect_null(find(PLACES_KNOWN, NOW + 100000 * MS));
    cr_expect_eq(places_oldest(&places, PLACES_GOING, NULL), second);
    cr_expect_eq(places_oldest(&places, PLACES_GOING, second), first);
    places_leave(&places, second);
    places_leave(&places, first);
    cr_expect_eq(places.going, 0);
}

Test(places, above_a_limit_that_was_lowered_only_known_clients_are_made_room_for) {
    struct place *first = hold(PLACES_STRANGER, PLACES_IDLE, NOW);

    hold(PLACES_STRANGER, PLACES_IDLE, NOW);
    hold(PLACES_STRANGER, PLACES_IDLE, NOW);
    cr_expect_null(places_find(&places, PLACES_STRANGER, 2, NOW));
    cr_expect_eq(places_find(&places, PLACES_KNOWN, 2, NOW), first);
    cr_expect_eq(places_find(&places, PLACES_STRANGER, 3, NOW), first);
}

Test(places, a_returning_client_waits_for_nobody_but_known_ones) {
    struct place *place = hold(PLACES_RETURNING, PLACES_SPEAKING, NOW);

    cr_expect_null(find(PLACES_STRANGER, NOW + 10000 * MS));
    cr_expect_eq(find(PLACES_KNOWN, NOW), place);
    cr_expect_eq(places.strangers, 1, "tickets can be replayed");
}

/* As many as a process has, most of them where a walk from the oldest would find nobody to send away. */
Test(places, a_search_takes_as_long_among_many, .timeout = 60) {
    enum { MANY = 65536, SEARCHES = 1000000 };
    struct place *many = calloc(MANY, sizeof *many);

    for (size_t i = 0; i < MANY; i++) {
        enum places_stage stage = (enum places_stage)(PLACES_SILENT + i % (PLACES_ENDING - PLACES_SILENT));

        places_set(&places, &many[i], i % 3 == 0 ? PLACES_VALID : PLACES_KNOWN, stage, NOW);
    }
    struct place *victim = hold(PLACES_STRANGER, PLACES_BUSY, NOW);
    clock_t began = clock();
    for (size_t i = 0; i < SEARCHES; i++) {
        cr_assert_eq(places_find(&places, PLACES_KNOWN, MANY + 1, NOW), victim);
        places_ask(&places, victim, NOW);
        places_set(&places, &many[i % MANY], PLACES_KNOWN, PLACES_SPEAKING, NOW);
    }
    double spent_s = (double)(clock() - began) / CLOCKS_PER_SEC;
    /* 0.1 s where this was written; a look at each of the many would take minutes. */
    cr_assert_lt(spent_s, 5, "%f s", spent_s);
    free(many);
}
