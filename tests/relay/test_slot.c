#include "relay/slot.h"
#include "scene.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static struct relay_host *host(void) {
    return &bench.relay->hosts[0];
}

static struct relay_origin *begin_at(const char *text) {
    struct config_address address;
    struct error error;

    cr_assert_eq(address_resolve(text, &address, 1, &error), 1);
    struct relay_origin *origin = slot_begin(bench.relay, host(), &bench.origins[1], &address);
    free(address.text);
    return origin;
}

/* The bench has three; the middle one ends and another begins in its stead, of which nothing is the old one's. */
Test(slot, origins_come_and_go) {
    bench_create(&bench, NULL, (uint16_t[]){1, 2, 3}, 3);
    struct relay_origin *first = host()->origins[0], *middle = host()->origins[1], *last = host()->origins[2];

    origin_mark_down(middle, 100, 1000);
    slot_end(bench.relay, middle);
    cr_assert_eq(host()->count, 2);
    cr_assert_eq(host()->origins[0], first);
    cr_assert_eq(host()->origins[1], last);
    struct relay_origin *fresh = begin_at("[::1]:9000");
    cr_assert_eq(host()->origins[2], fresh);
    cr_assert_eq(bench.relay->origin_count, 3);
    cr_assert_str_eq(fresh->text, "[::1]:9000");
    cr_assert_eq(fresh->address.size, sizeof(struct sockaddr_in6));
    cr_assert_eq(ntohs(((const struct sockaddr_in6 *)&fresh->address.address)->sin6_port), 9000);
    cr_assert_eq(fresh->configured, &bench.origins[1]);
    cr_assert_eq(fresh->host, host());
    cr_assert_eq(fresh->down_until_ms, 0);
    bench_destroy(&bench);
}

Test(slot, no_two_of_a_host_have_one_bit) {
    bench_create(&bench, NULL, (uint16_t[]){1, 2, 3}, 3);
    uint64_t first = host()->origins[0]->bit;

    slot_end(bench.relay, host()->origins[0]);
    struct relay_origin *fresh = begin_at("127.0.0.1:9000");
    cr_assert_eq(first | host()->origins[0]->bit | host()->origins[1]->bit, 7);
    cr_assert_eq(fresh->bit, first);
    bench_destroy(&bench);
}

Test(slot, there_are_no_more_than_the_relay_has_room_for) {
    bench_create(&bench, NULL, (uint16_t[]){1}, 1);
    cr_assert_null(begin_at("127.0.0.1:9000"));
    cr_assert_eq(host()->count, 1);
    bench_destroy(&bench);
}
