#include "base/socket_address.h"
#include "ring/listener.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static unsigned port_of(int descriptor) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    cr_assert_eq(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static int probe(const char *text, struct error *error) {
    struct sockaddr_storage address;
    struct listener_address at = {.address = (struct sockaddr *)&address, .text = text};

    cr_assert_eq(socket_address_parse(text, &address, &at.size), 0);
    return listener_probe(at, error);
}

Test(listener, an_address_in_use_is_named) {
    struct error error;
    int descriptor = listener_bind("127.0.0.1:0", &error);

    cr_assert_geq(descriptor, 0, "%s", error.text);
    char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", port_of(descriptor));
    cr_assert_eq(probe(text, &error), -EADDRINUSE);
    cr_assert_not_null(strstr(error.text, text));
    close(descriptor);
    cr_assert_eq(probe(text, &error), 0);
}

Test(listener, shards_share_an_address) {
    struct error error;
    int first = listener_bind("127.0.0.1:0", &error);

    char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", port_of(first));
    int second = listener_bind(text, &error);
    cr_assert_geq(second, 0, "%s", error.text);
    close(first);
    close(second);
}

Test(listener, clients_are_refused_until_it_listens) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct listener_address at = {(struct sockaddr *)&address, sizeof address, "127.0.0.1:0"};
    struct error error;
    int descriptor = listener_reserve(at, &error);
    int client = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_geq(descriptor, 0, "%s", error.text);
    address.sin_port = htons((uint16_t)port_of(descriptor));
    cr_assert_neq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listener_listen(descriptor, at, &error), 0, "%s", error.text);
    cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    close(client);
    close(descriptor);
}

Test(listener, text_that_is_no_address_is_named) {
    struct error error;

    cr_assert_eq(listener_bind("localhost:80", &error), -EINVAL);
    cr_assert_not_null(strstr(error.text, "'localhost:80'"), "%s", error.text);
}

Test(listener, an_address_of_another_machine_is_named) {
    struct error error;

    cr_assert_eq(probe("192.0.2.1:0", &error), -EADDRNOTAVAIL);
    cr_assert_not_null(strstr(error.text, "192.0.2.1:0"));
}
