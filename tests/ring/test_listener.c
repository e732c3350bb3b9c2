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

Test(listener, an_address_in_use_is_named) {
    char text[64];
    char error[RING_ERROR_SIZE];
    int descriptor = listener_bind("127.0.0.1:0", error);

    cr_assert_geq(descriptor, 0, "%s", error);
    snprintf(text, sizeof text, "127.0.0.1:%u", port_of(descriptor));
    cr_assert_eq(listener_probe(text, error), -EADDRINUSE);
    cr_assert_not_null(strstr(error, text));
    close(descriptor);
    cr_assert_eq(listener_probe(text, error), 0);
}

Test(listener, shards_share_an_address) {
    char text[64];
    char error[RING_ERROR_SIZE];
    int first = listener_bind("127.0.0.1:0", error);
    int second;

    snprintf(text, sizeof text, "127.0.0.1:%u", port_of(first));
    second = listener_bind(text, error);
    cr_assert_geq(second, 0, "%s", error);
    close(first);
    close(second);
}

Test(listener, an_address_of_another_machine_is_named) {
    char error[RING_ERROR_SIZE];

    cr_assert_eq(listener_probe("192.0.2.1:0", error), -EADDRNOTAVAIL);
    cr_assert_not_null(strstr(error, "192.0.2.1:0"));
}
