#include "scene.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

Test(address, passes_over_a_dead_address) {
    uint16_t ports[2] = {fake_dead_port(), 0};

    fake_origin_start(&fake, 0, serve_forever, NULL);
    ports[1] = fake.port;
    bench_create(&bench, NULL, ports, 2);
    bench.relay->timeouts.down_ms = 200;
    for (int i = 0; i < 6; i++) {
        call_get(&bench, 200);
    }
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    cr_assert_eq(atomic_load(&fake.accepted), 1);
    bench_turn_for(&bench, 250);
    call_get(&bench, 200);
    call_get(&bench, 200);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 2);
    finish();
}

Test(address, tries_each_address_once_when_all_are_dead) {
    uint16_t ports[3] = {fake_dead_port(), fake_dead_port(), fake_dead_port()};
    struct call call = {0}, again = {0};

    bench_create(&bench, NULL, ports, 3);
    call_run_get(&call, &bench);
    cr_assert(call.failed);
    cr_assert_eq(call.error, RELAY_UNREACHABLE);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 3);
    call_run_get(&again, &bench);
    cr_assert_eq(again.error, RELAY_UNREACHABLE);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 6);
    cr_assert_eq(results(STATS_ORIGIN_UNREACHABLE), 2);
    bench_destroy(&bench);
}

Test(address, uses_an_address_again_as_soon_as_it_answers) {
    struct call call = {0};

    begin(serve_forever, NULL);
    fake_origin_stop(&fake);
    call_run_get(&call, &bench);
    cr_assert_eq(call.error, RELAY_UNREACHABLE);
    fake_origin_start(&fake, fake.port, serve_forever, NULL);
    call_get(&bench, 200);
    cr_assert_eq(bench.relay->hosts[0].origins[0]->down_until_ms, 0);
    finish();
}

Test(address, uses_live_addresses_in_turn) {
    fake_origin_start(&fake, 0, serve_one_each, NULL);
    struct fake_origin other;
    fake_origin_start(&other, 0, serve_one_each, NULL);
    uint16_t ports[2];
    ports[0] = fake.port;
    ports[1] = other.port;
    bench_create(&bench, NULL, ports, 2);
    for (int i = 0; i < 6; i++) {
        call_get(&bench, 200);
        bench_turn_for(&bench, 20);
    }
    cr_assert_eq(atomic_load(&fake.accepted), 3);
    cr_assert_eq(atomic_load(&other.accepted), 3);
    fake_origin_stop(&other);
    finish();
}

/* A listener whose backlog is full leaves further connections without an answer. */
Test(address, gives_up_a_connection_that_takes_too_long) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct call call = {0};

    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 0), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    int fillers[4];
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    fake_origin_start(&fake, 0, serve_forever, NULL);
    uint16_t ports[2];
    ports[0] = ntohs(address.sin_port);
    ports[1] = fake.port;
    bench_create(&bench, NULL, ports, 2);
    bench.origins[0].timeouts.connect_ms = 60;
    call_start(&call, &bench, GET_HEAD, HTTP_NO_BODY, true);
    bench_turn_for(&bench, 30);
    cr_assert_not(call.done);
    bench_until(&bench, &call.done);
    cr_assert(call.ended);
    cr_assert_eq(events(STATS_ORIGIN_CONNECT_FAILED), 1);
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(listener);
    finish();
}
