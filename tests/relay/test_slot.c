#include "base/bits.h"
#include "base/hash.h"
#include "relay/slot.h"
#include "scene.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

/* Ports of the origin that is a name: 0 ends a list. */
typedef const uint16_t ports[];

static struct fake_origin other;

static struct relay_host *host(void) {
    return &bench.relay->hosts[0];
}

static void add(struct dns_set *set, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    dns_set_add(set, (struct sockaddr *)&address, sizeof address);
}

static void take_set(const struct dns_set *set) {
    struct relay_addresses *addresses = relay_addresses_create(set);

    cr_assert_not_null(addresses);
    relay_take_addresses(bench.relay, 0, 0, addresses);
    relay_addresses_release(addresses);
}

static void take(const uint16_t *list) {
    struct dns_set set = {0};

    for (; *list != 0; list++) {
        add(&set, *list);
    }
    take_set(&set);
    dns_set_free(&set);
}

static uint16_t port_of(const struct relay_origin *origin) {
    return ntohs(((const struct sockaddr_in *)(const void *)&origin->address.address)->sin_port);
}

static bool has(uint16_t port) {
    for (uint32_t i = 0; i < host()->count; i++) {
        if (port_of(host()->origins[i]) == port) {
            return true;
        }
    }
    return false;
}

static struct relay_origin *origin_at(uint16_t port) {
    for (uint32_t i = 0; i < host()->count; i++) {
        if (port_of(host()->origins[i]) == port) {
            return host()->origins[i];
        }
    }
    return NULL;
}

static void two_origins(bool first_waits) {
    fake_origin_start(&fake, 0, first_waits ? serve_when_told : serve_forever, NULL);
    fake_origin_start(&other, 0, serve_forever, NULL);
    bench_create_name(&bench, (ports){fake.port}, 1, false);
}

static void finish_both(void) {
    finish();
    fake_origin_stop(&other);
}

Test(slot, an_address_that_stays_keeps_its_origin) {
    bench_create_name(&bench, (ports){1, 2}, 2, false);
    struct relay_origin *kept = host()->origins[1];

    take((ports){3, 2, 0});
    cr_assert_eq(host()->count, 2);
    cr_assert_eq(bench.relay->origin_count, 2);
    cr_assert(has(2) && has(3) && !has(1));
    cr_assert(host()->origins[0] == kept || host()->origins[1] == kept);
    const struct relay_origin *new = host()->origins[host()->origins[0] == kept];
    cr_assert_str_eq(new->text, "127.0.0.1:3");
    cr_assert_eq(new->configured, &bench.origins[0]);
    bench_turn_for(&bench, 1);
    cr_assert_eq(bench.relay->origins.in_use, 2, "what is not used ends at once");
    bench_destroy(&bench);
}

/* Of a thousand, hundreds go and others come; those that stay are the same, and each has the place that it says. */
Test(slot, hundreds_come_and_go) {
    enum { MANY = CONFIG_ORIGIN_ADDRESSES_MAX };
    struct dns_set before = {0}, after = {0};

    bench_create_name(&bench, (ports){9999}, 1, false);
    for (uint16_t i = 0; i < MANY; i++) {
        add(&before, 10000 + i);
        add(&after, 10000 + MANY / 2 + i);
    }
    take_set(&before);
    bench_turn_for(&bench, 1);
    cr_assert_eq(host()->count, MANY);
    cr_assert_not(has(9999));
    const struct relay_origin *kept = origin_at(10000 + MANY - 1);
    take_set(&after);
    bench_turn_for(&bench, 1);
    cr_assert_eq(host()->count, MANY);
    cr_assert_eq(bench.relay->origins.in_use, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        cr_expect_eq(host()->origins[i]->place, i);
        cr_expect_geq(port_of(host()->origins[i]), 10000 + MANY / 2);
    }
    cr_expect_eq(origin_at(10000 + MANY - 1), kept);
    dns_set_free(&before);
    dns_set_free(&after);
    bench_destroy(&bench);
}

/* Origins go on, with what is known of them, where records say another rank. */
Test(slot, ranks_change) {
    struct dns_set set = {0};

    bench_create_name(&bench, (ports){1, 2}, 2, false);
    struct relay_origin *first = origin_at(1), *second = origin_at(2);
    add(&set, 1);
    add(&set, 2);
    set.items[1].rank = (struct dns_rank){.level = 1, .share = 5};
    take_set(&set);
    cr_assert_eq(host()->count, 2);
    cr_assert(origin_at(1) == first && origin_at(2) == second);
    cr_assert_eq(host()->balance.level_count, 2);
    cr_assert_eq(second->member.whole, 5);
    cr_assert_eq(second->member.level->rank, 1);
    set.items[1].rank = (struct dns_rank){0};
    take_set(&set);
    cr_assert_eq(host()->balance.level_count, 1);
    cr_assert_eq(second->member.whole, BALANCE_ONE);
    dns_set_free(&set);
    bench_destroy(&bench);
}

/* A service that is not offered leaves its host without any, until it is again. */
Test(slot, a_host_without_addresses) {
    _Atomic uint64_t down[BITS_WORDS] = {0};
    struct call call = {0};

    two_origins(false);
    relay_watch(bench.relay, 0, down);
    call_get(&bench, 200);
    take((ports){0});
    cr_assert_eq(host()->count, 0);
    cr_assert_eq(atomic_load(down), 1);
    bench_turn_for(&bench, 30);
    cr_assert_eq(bench.relay->origins.in_use, 0);
    struct relay_request request = {
        .host = &bench.host, .head = {(const uint8_t *)GET_HEAD, sizeof GET_HEAD - 1}, .idempotent = true};
    static const struct relay_handler handler;
    enum relay_fault fault = RELAY_FAULT_NONE;
    cr_assert_null(relay_exchange_start(bench.relay, &request, &handler, &call, &fault));
    cr_assert_eq(fault, RELAY_FAULT_NO_ADDRESS);
    take((ports){other.port, 0});
    cr_assert_eq(atomic_load(down), 0);
    call_get(&bench, 200);
    relay_watch(bench.relay, 0, NULL);
    finish_both();
}

Test(slot, no_two_of_a_host_have_one_index) {
    bench_create_name(&bench, (ports){1, 2, 3}, 3, false);
    uint16_t gone = host()->origins[0]->member.index;

    take((ports){2, 3, 4, 5, 0});
    uint64_t all = 0;
    for (uint32_t i = 0; i < host()->count; i++) {
        cr_assert_eq(all >> host()->origins[i]->member.index & 1, 0);
        all |= UINT64_C(1) << host()->origins[i]->member.index;
    }
    cr_assert_eq(all >> gone & 1, 0, "one that an exchange may have tried is not another's at once");
    bench_destroy(&bench);
}

Test(slot, idle_connections_to_an_address_that_is_gone_close) {
    two_origins(false);
    call_get(&bench, 200);
    cr_assert_eq(bench.relay->idle_total, 1);
    take((ports){other.port, 0});
    cr_assert_eq(bench.relay->idle_total, 0);
    bench_turn_for(&bench, 50);
    cr_assert_eq(bench.relay->origins.in_use, 1);
    call_get(&bench, 200);
    cr_assert_eq(bench.relay->idle_total, 1);
    finish_both();
}

/* The exchange ends well at an address that is gone by then, and its connection goes to no pool. */
Test(slot, an_exchange_in_flight_goes_on) {
    struct call call = {0};

    two_origins(true);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    take((ports){other.port, 0});
    bench_turn_for(&bench, 30);
    cr_assert_eq(bench.relay->origins.in_use, 2, "what is used stays");
    cr_assert_eq(host()->count, 1);
    call_get(&bench, 200);
    cr_assert_eq(bench.relay->idle_total, 1);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &call.done);
    cr_assert_eq(call.status, 200);
    bench_turn_for(&bench, 50);
    cr_assert_eq(bench.relay->idle_total, 1);
    cr_assert_eq(bench.relay->origins.in_use, 1);
    finish_both();
}

/* An address that comes back while its origin is still used gets that origin again, with what is known of it. */
Test(slot, an_address_that_comes_back) {
    struct call call = {0};

    two_origins(true);
    struct relay_origin *first = host()->origins[0];
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    take((ports){other.port, 0});
    take((ports){fake.port, other.port, 0});
    cr_assert_eq(host()->count, 2);
    cr_assert(host()->origins[0] == first || host()->origins[1] == first);
    cr_assert_not(first->leaves);
    atomic_store(&fake.signal, 1);
    bench_until(&bench, &call.done);
    cr_assert_eq(bench.relay->idle_total, 1, "its connection is kept");
    finish_both();
}

/* A connection that cannot be made to an address that is gone goes to one that is there. */
Test(slot, an_exchange_that_connects_is_not_lost) {
    struct call call = {0};
    uint16_t dead = fake_dead_port();

    fake_origin_start(&other, 0, serve_forever, NULL);
    bench_create_name(&bench, (ports){dead}, 1, false);
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    take((ports){other.port, 0});
    bench_until(&bench, &call.done);
    cr_assert_eq(call.status, 200);
    bench_destroy(&bench);
    fake_origin_stop(&other);
}

/* A host that has all it may have changes all of them. */
Test(slot, a_full_host) {
    struct dns_set set = {0};

    bench_create_name(&bench, (ports){1}, 1, false);
    for (uint16_t i = 0; i < DNS_SET_MAX; i++) {
        add(&set, 1000 + i);
    }
    take_set(&set);
    cr_assert_eq(host()->count, DNS_SET_MAX);
    set.count = 0;
    for (uint16_t i = 0; i < DNS_SET_MAX; i++) {
        add(&set, 2000 + i);
    }
    take_set(&set);
    cr_assert_eq(host()->count, DNS_SET_MAX);
    bench_turn_for(&bench, 1); /* the last one has room once others have ended */
    for (uint32_t i = 0; i < host()->count; i++) {
        cr_assert_geq(port_of(host()->origins[i]), 2000);
    }
    bench_turn_for(&bench, 1);
    cr_assert_eq(host()->count, DNS_SET_MAX);
    cr_assert_eq(bench.relay->origins.in_use, DNS_SET_MAX);
    dns_set_free(&set);
    bench_destroy(&bench);
}

/* As long as as many origins leave as may, the newest addresses wait, and the ones before go on. */
Test(slot, addresses_wait_for_room) {
    bench_create_name(&bench, (ports){1}, 1, false);
    uint32_t held = bench.relay->origins.limit - 1;

    for (uint16_t i = 0; i < held; i++) {
        host()->origins[0]->uses++; /* as an exchange would */
        take((ports){(uint16_t)(2 + i), 0});
    }
    cr_assert_eq(bench.relay->origins.in_use, bench.relay->origins.limit);
    uint16_t last = (uint16_t)(1 + held);
    take((ports){9999, 0});
    cr_assert_eq(host()->count, 1);
    cr_assert(has(last));
    struct relay_origin *one = CONTAINER_OF(list_first(&bench.relay->leaving), struct relay_origin, in_leaving);
    pool_let_go(bench.relay, one);
    bench_turn_for(&bench, 1);
    cr_assert_eq(host()->count, 1);
    cr_assert(has(9999));
    for (struct list *link = list_first(&bench.relay->leaving); link != NULL;
         link = list_after(&bench.relay->leaving, link)) {
        CONTAINER_OF(link, struct relay_origin, in_leaving)->uses = 0;
    }
    bench_destroy(&bench);
}

/* The bit of the origin tells of the addresses that are there now. */
Test(slot, an_address_that_is_gone_is_not_down) {
    _Atomic uint64_t down[BITS_WORDS] = {0};

    bench_create_name(&bench, (ports){1, 2}, 2, false);
    relay_watch(bench.relay, 0, down);
    origin_mark_down(host()->origins[0], 100, 1000);
    origin_mark_down(host()->origins[1], 100, 1000);
    cr_assert_eq(atomic_load(down), 1);
    take((ports){2, 3, 0});
    cr_assert_eq(atomic_load(down), 0);
    take((ports){2, 0});
    cr_assert_eq(atomic_load(down), 1);
    relay_watch(bench.relay, 0, NULL);
    bench_destroy(&bench);
}

/* A relay that closes takes no addresses any more, and comes to rest. */
Test(slot, a_closed_relay_stays_as_it_is) {
    bench_create_name(&bench, (ports){1}, 1, false);
    relay_close(bench.relay);
    take((ports){2, 0});
    cr_assert(has(1) && !has(2));
    bench_destroy(&bench);
}

/* The prober may have found an address down in which an origin begins only later. */
Test(slot, an_address_that_comes_has_its_health_and_one_that_goes_gives_it_back, .init = hash_init) {
    struct health_board *board = health_board_create();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(2), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    bench_create_name(&bench, (ports){1}, 1, false);
    host()->probed = true;
    cr_assert_eq(relay_heed(bench.relay, board), 0);
    struct health_entry *entry =
        health_board_take(board, bench.host.name, (const struct sockaddr *)&address, sizeof address);
    health_entry_set(entry, true);
    take((ports){1, 2, 0});
    cr_assert(origin_is_unhealthy(origin_at(2)));
    cr_assert_not(origin_is_unhealthy(origin_at(1)));
    take((ports){1, 0});
    health_board_give(board, entry);
    bench_turn_for(&bench, 20);
    cr_assert(list_is_empty(&bench.relay->leaving));
    take((ports){1, 2, 0});
    cr_assert_not(origin_is_unhealthy(origin_at(2)), "the entry has ended with the origin");
    bench_destroy(&bench);
    health_board_free(board);
}
