#include "changes.h"
#include "config/headers.h"

#include <criterion/criterion.h>

Test(headers, names_and_fields, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"        X-Reason: reason", "        X Reason: reason", 27, "header name \"X Reason\" is no token"},
        {"        X-Reason: reason", "        \"X-Reason:\": reason", 27, "is no token"},
        {"        X-Reason: reason", "        \"\": reason", 27, "is no token"},
        {"        X-Reason: reason",
         "        X-R\xc3\xa9"
         "ason: reason",
         27, "is no token"},
        {"        X-Reason: reason", "        Host: reason", 27, "reserved"},
        {"        X-Reason: reason", "        connection: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Content-Length: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Content_Length: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Transfer-Encoding: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Forwarded-For: reason", 27, "reserved"},
        {"        X-Reason: reason", "        x_forwarded_proto: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Forwarded-HOST: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Request-ID: reason", 27, "reserved"},
        {"        X-Reason: reason", "        x_device: reason", 27, "\"x_device\" is in use by this host for \"X-Device\""},
        {"        X-Reason: reason", "        X-CLIENT-cert_status: reason", 27, "for \"X-Client-Cert-Status\""},
        {"        X-Reason: reason", "        x-client-cert-ski: reason", 27, "for \"X-Client-Cert-SKI\""},
        {"        X-Reason: reason", "        X-Device-Too-Large: reason", 27, "for \"X-Device\""},
        {"        X-Device: subject.cn", "        X-Reason-Too_large: subject.cn", 27, "for \"X-Reason-Too_large\""},
        {"status: X-Client-Cert-Status", "status: x-client-cert-ski", 24, "\"X-Client-Cert-SKI\" is in use by this host"},
        {"status: X-Client-Cert-Status", "status: 'a b'", 24, "is no token"},
        {"status: X-Client-Cert-Status", "ski: x-device", 26, "\"X-Device\" is in use by this host for \"x-device\""},
        {"        X-Reason: reason", "        X-Reason: cause", 27, "\"cause\" is no field that can be forwarded"},
        {"        X-Reason: reason", "        X-Reason: subject.xyz", 27, "\"subject.xyz\" is no field"},
        {"        X-Reason: reason", "        X-Reason: 'ext:'", 27, "\"ext:\" is no field"},
        {"        X-Reason: reason", "        X-Reason: 'ext:1.2.x'", 27, "\"ext:1.2.x\" is no field"},
        {"        X-Reason: reason", "        X-Reason: Reason", 27, "\"Reason\" is no field"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(headers, bounds, .init = changes_set_up, .fini = changes_tear_down) {
    char name[256];
    memset(name, 'a', sizeof(name));
    snprintf(name + 129, sizeof(name) - 129, ": reason");
    char replacement[300];
    snprintf(replacement, sizeof(replacement), "        %s", name);
    changes_assert_problem(&(struct change){"        X-Reason: reason", replacement, 27, "more than 128 characters"});
    char many[65 * 32] = "\n";
    for (size_t i = 0, size = 1; i < 65; i++)
        size += (size_t)snprintf(many + size, sizeof(many) - size, "        X-%zu: reason\n", i);
    changes_assert_problem(&(struct change){"\n        X-Device: subject.cn\n        X-Reason: reason\n", many, 26,
                                            "forward.headers has more than 64 headers"});
}
