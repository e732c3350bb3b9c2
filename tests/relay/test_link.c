#include "relay/link.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct told {
    struct relay_link link;
    const char *first; /* sent by opened() */
    bool full;         /* opened() fails */
    bool connected;
    bool ended;
    bool failed;
    bool closed;
    int error;
    char text[64];
    size_t size;
};

static struct told *of_link(struct relay_link *link) {
    return CONTAINER_OF(link, struct told, link);
}

static bool opened(struct relay_link *link) {
    struct told *told = of_link(link);

    return !told->full && (told->first == NULL || stream_write(link->stream, bytes_of_string(told->first)) == 0);
}

static void connected(struct relay_link *link) {
    of_link(link)->connected = true;
}

static void received(struct relay_link *link, struct bytes data) {
    struct told *told = of_link(link);

    if (data.size == 0) {
        told->ended = true;
        return;
    }
    cr_assert_lt(told->size + data.size, sizeof told->text);
    memcpy(told->text + told->size, data.data, data.size);
    told->size += data.size;
    link_receive(link);
}

static void failed(struct relay_link *link, int error) {
    of_link(link)->failed = true;
    of_link(link)->error = error;
}

static void closed(struct relay_link *link) {
    cr_assert_null(link->stream);
    of_link(link)->closed = true;
}

static const struct link_handler handler = {
    .opened = opened, .connected = connected, .received = received, .failed = failed, .closed = closed};

static void connect_to_fake(struct told *told) {
    const struct link_target target = {.ring = &bench.ring, .address = &bench.addresses[0]};

    cr_assert_eq(link_connect(&told->link, &target, &handler), 0);
    cr_assert(told->link.stream->favoured);
}

/* Sends back what it gets. */
static void echo(struct fake_origin *origin, int socket, int number) {
    char text[64];

    for (ssize_t size; (size = recv(socket, text, sizeof text, 0)) > 0;) {
        fake_send(socket, text, (size_t)size);
    }
}

Test(link, carries_bytes_behind_those_that_go_first) {
    struct told told = {.first = "first "};

    begin(echo, NULL);
    connect_to_fake(&told);
    bench_until(&bench, &told.connected);
    uint64_t place = link_place(&told.link);
    cr_assert_eq(place, 6);
    link_write(&told.link, bytes_of_string("then"));
    cr_assert(link_is_unsent(&told.link, place) && link_is_untouched(&told.link, place));
    cr_assert_eq(link_place(&told.link), 10);
    cr_assert_not(link_has_sent_all(&told.link));
    link_receive(&told.link);
    cr_assert(link_is_receiving(&told.link));
    while (told.size < 10) {
        bench_turn_for(&bench, 1);
    }
    cr_assert_not(link_is_unsent(&told.link, place));
    cr_assert_not(link_is_untouched(&told.link, place));
    cr_assert(link_has_sent_all(&told.link) && link_state(&told.link) == LINK_QUIET);
    link_end_half(&told.link);
    bench_until(&bench, &told.ended);
    cr_assert_arr_eq(told.text, "first then", 10);
    link_close(&told.link);
    bench_until(&bench, &told.closed);
    finish();
}

Test(link, fails_when_nothing_can_go_first) {
    struct told told = {.full = true};

    begin(echo, NULL);
    connect_to_fake(&told);
    bench_until(&bench, &told.failed);
    cr_assert_eq(told.error, -ENOBUFS);
    cr_assert_not(told.connected);
    link_close(&told.link);
    bench_until(&bench, &told.closed);
    finish();
}

Test(link, tells_that_nobody_listens) {
    struct told told = {0};

    begin(echo, NULL);
    uint16_t port = fake_dead_port();
    struct sockaddr_in *address = (struct sockaddr_in *)(void *)&bench.addresses[0].address;
    address->sin_port = htons(port);
    connect_to_fake(&told);
    bench_until(&bench, &told.failed);
    cr_assert_eq(told.error, -ECONNREFUSED);
    link_close(&told.link);
    bench_until(&bench, &told.closed);
    finish();
}
