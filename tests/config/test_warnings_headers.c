#include "changes.h"
#include "config/warnings_headers.h"

#include <criterion/criterion.h>

#define REQUEST(mapping) "    origin:\n", "    request_headers: " mapping "\n    origin:\n", 28

Test(warnings_headers, names_that_other_hosts_need, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {REQUEST("{set: {Authorization: a}}"), "\"Authorization\" is removed on all hosts now, also on *.example.com"},
        {REQUEST("{set: {cookie: a}}"), "\"cookie\" is removed on all hosts now"},
        {REQUEST("{add: {User-Agent: '{subject.cn}'}}"), "\"User-Agent\" is removed on all hosts now"},
        {"    origin:\n", "    request_headers: {set: {X-A: a}, add: {Cookie: a}}\n    origin:\n", 0, NULL},
        {"    origin:\n", "    request_headers: {remove: [Cookie]}\n    origin:\n", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}

Test(warnings_headers, preload, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"origin: [{address: '[::1]",
         "strict_transport_security: {max_age: 365d, include_subdomains: true, preload: true}, origin: [{address: '[::1]",
         30, "strict_transport_security.preload does nothing on \"*.example.com\""},
        {"origin: [{address: '[::1]",
         "strict_transport_security: {max_age: 365d, include_subdomains: true}, origin: [{address: '[::1]", 0, NULL},
        {"    origin:\n",
         "    strict_transport_security: {max_age: 365d, include_subdomains: true, preload: true}\n    origin:\n", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}
