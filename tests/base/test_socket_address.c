#include "base/check.h"
#include "base/socket_address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>

Test(socket_address, numbers_and_a_port) {
    static const char *good[] = {"127.0.0.1:443", "0.0.0.0:65535", "[::1]:443", "[::]:0", "[2001:db8::1]:8443"};
    static const char *bad[] = {"",
                                ":",
                                ":80",
                                "127.0.0.1",
                                "127.0.0.1:",
                                "127.0.0.1:65536",
                                "127.0.0.1:-1",
                                "127.0.0.1:8x",
                                "localhost:80",
                                "[::1:80",
                                "::1:80",
                                "[]:80",
                                "[127.0.0.1]:80",
                                "1.2.3:80",
                                "[::1]80",
                                "127.1:80",
                                "0x7f000001:80",
                                "[::1]:80]",
                                "[fe80::1%nowhere]:80"};
    struct sockaddr_storage address;
    socklen_t size;

    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        cr_assert_eq(socket_address_parse(good[i], &address, &size), 0, "%s", good[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_assert_eq(socket_address_parse(bad[i], &address, &size), -EINVAL, "%s", bad[i]);
    }
    cr_assert_eq(socket_address_parse("[fe80::1%lo]:443", &address, &size), 0);
    cr_assert_eq(((struct sockaddr_in6 *)&address)->sin6_scope_id, if_nametoindex("lo"));
    cr_assert_eq(socket_address_parse("[::1]:443", &address, &size), 0);
    cr_assert_eq(address.ss_family, AF_INET6);
    cr_assert_eq(((struct sockaddr_in6 *)&address)->sin6_port, htons(443));
}

/* A zone may be the number of an interface, too. */
Test(socket_address, zones) {
    struct sockaddr_storage address;
    socklen_t size;

    cr_assert_eq(socket_address_parse("[fe80::1%7]:443", &address, &size), 0);
    cr_assert_eq(size, sizeof(struct sockaddr_in6));
    cr_assert_eq(((struct sockaddr_in6 *)&address)->sin6_scope_id, 7);
    cr_assert_eq(socket_address_parse("[fe80::1%]:443", &address, &size), -EINVAL);
}
