#include "config/service.h"

#include <criterion/criterion.h>

Test(service, is_told_by_its_prefix) {
    cr_assert(service_is("srv:_http._tcp.a.example"));
    cr_assert(service_is("SRV:x"));
    cr_assert_not(service_is("srv.example:80"));
    cr_assert_str_eq(service_name("srv:_http._tcp.a.example"), "_http._tcp.a.example");
    cr_assert_str_eq(service_domain("srv:_http._tcp.a.example"), "a.example");
}

Test(service, texts_with_a_fault) {
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"SRV:_http._tcp.a.example", "must begin with \"srv:\" in lower case"},
        {"srv:_http._tcp.a.example:80", "has a port; leave it out, since the records say it"},
        {"srv:a.example", "must be srv:_SERVICE._tcp.NAME, as in srv:_http._tcp.example.com"},
        {"srv:_http._udp.a.example", "must be srv:_SERVICE._tcp.NAME, as in srv:_http._tcp.example.com"},
        {"srv:_._tcp.a.example", "must be srv:_SERVICE._tcp.NAME, as in srv:_http._tcp.example.com"},
        {"srv:", "must be srv:_SERVICE._tcp.NAME, as in srv:_http._tcp.example.com"},
        {"srv:_http._tcp.", "has a trailing dot; leave it out"},
        {"srv:_http._tcp.a..b", "has an empty label"},
        {"srv:_http._tcp.a/b", "has a \":\" or \"/\"; write the name alone, without scheme, port and path"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error;

        cr_expect_lt(service_check(cases[i].text, &error), 0);
        cr_expect_str_eq(error.text, cases[i].fault, "%s: %s", cases[i].text, error.text);
    }
}
