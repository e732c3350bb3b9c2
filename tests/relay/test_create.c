#include "base/bits.h"
#include "base/hash.h"
#include "scene.h"

#include <criterion/criterion.h>

static const struct relay_request request = {.host = &bench.host, .head = {(const uint8_t *)GET_HEAD, sizeof GET_HEAD - 1}};

Test(create, has_each_host_with_its_origins) {
    bench_create(&bench, NULL, (uint16_t[]){1, 2, 3}, 3);
    cr_assert_eq(bench.relay->origin_count, 3);
    cr_assert_eq(bench.relay->hosts[0].count, 3);
    for (int i = 0; i < 3; i++) {
        const struct relay_origin *origin = bench.relay->hosts[0].origins[i];

        cr_assert_eq(origin->host, &bench.relay->hosts[0]);
        cr_assert_str_eq(origin->text, bench.texts[i]);
        cr_assert_eq(origin->configured, &bench.origins[i]);
    }
    bench_destroy(&bench);
}

Test(create, a_watched_host_says_which_of_its_origins_is_down) {
    uint16_t dead = fake_dead_port();
    _Atomic uint64_t down[BITS_WORDS] = {7};
    struct call call = {0};

    bench_create(&bench, NULL, &dead, 1);
    relay_watch(bench.relay, 0, down);
    cr_assert_eq(atomic_load(down), 0);
    call_run_get(&call, &bench);
    cr_assert_eq(atomic_load(down), 1);
    relay_watch(bench.relay, 0, NULL);
    bench_destroy(&bench);
}

Test(create, an_origin_heeds_the_board_if_its_host_is_probed, .init = hash_init) {
    struct health_board *board = health_board_create();
    struct config_health health = {.interval_ms = 1000};

    bench_create(&bench, NULL, (uint16_t[]){1, 2}, 2);
    cr_assert_eq(relay_heed(bench.relay, board), 0);
    cr_assert_null(bench.relay->hosts[0].origins[0]->health);
    bench.host.health = &health;
    struct relay *other = relay_create(&bench.ring, &bench.config);
    cr_assert_eq(relay_heed(other, board), 0);
    const struct relay_origin *origin = other->hosts[0].origins[1];
    struct health_entry *entry =
        health_board_take(board, bench.host.name, (const struct sockaddr *)&origin->address.address, origin->address.size);
    cr_expect_eq(origin->health, entry);
    cr_expect_neq(other->hosts[0].origins[0]->health, entry);
    health_entry_set(entry, true);
    cr_expect(origin_is_unhealthy(origin));
    health_board_give(board, entry);
    relay_close(other);
    relay_free(other);
    bench.host.health = NULL;
    bench_destroy(&bench);
    health_board_free(board);
}

Test(create, a_relay_counts_only_where_it_was_told_to) {
    begin(serve_forever, NULL);
    relay_count_in(bench.relay, 0, NULL);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_OPENED) + results(STATS_ORIGIN_COMPLETED), 0);
    relay_count_in(bench.relay, 0, &bench.counters);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_OPENED), 0);
    cr_assert_eq(events(STATS_ORIGIN_REUSED), 1);
    cr_assert_eq(results(STATS_ORIGIN_COMPLETED), 1);
    finish();
}

Test(create, a_closed_relay_starts_nothing_and_comes_to_rest) {
    enum relay_fault fault;

    begin(serve_forever, NULL);
    call_get(&bench, 200);
    cr_assert_not(relay_is_idle(bench.relay));
    relay_close(bench.relay);
    cr_assert_null(relay_exchange_start(bench.relay, &request, NULL, NULL, &fault));
    cr_assert_eq(fault, RELAY_FAULT_NO_RESOURCES);
    finish();
}
