#include "changes.h"
#include "config/warnings_clients.h"

#include <criterion/criterion.h>

Test(warnings_clients, of_roots_without_a_list, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"      max_depth: 4", "      crl: [root.crl, root2.der.crl]", 0, NULL},
        {"      max_depth: 4", "      crl: [root.crl]", 20,
         "no list in client_auth.crl is of CN=root2,O=Sallyport tests: its clients will be crl_missing"},
        {"      max_depth: 4", "      crl: [root2.der.crl]", 19, "is of CN=root,O=Sallyport tests"},
        {"      max_depth: 4", "      crl: [root2.der.crl]\n      crl_check: leaf", 19, "is of CN=root,O=Sallyport tests"},
        {"      mode: enforce\n      ca: [root.pem,\n           root2.pem]\n      max_depth: 4",
         "      mode: off\n      ca: [root.pem,\n           root2.pem]\n      crl: [root.crl]", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}

Test(warnings_clients, of_lists_that_have_ended, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"      max_depth: 4", "      crl: [root.crl,\n            ended.crl]", 22,
         "the list of CN=root2,O=Sallyport tests has ended, at 2021-01-01T00:00:00Z: its clients will be crl_stale"},
        {"      max_depth: 4", "      crl_stale: accept\n      crl: [root.crl,\n            ended.crl]", 23,
         "it counts as current, as crl_stale says"},
    };
    ASSERT_WARNINGS(changes);
}

Test(warnings_clients, of_settings_that_do_nothing, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"      max_depth: 4", "      crl_check: chain", 21, "client_auth.crl_check does nothing without client_auth.crl"},
        {"      max_depth: 4", "      crl_stale: reject", 21, "client_auth.crl_stale does nothing"},
        {"      mode: enforce\n      ca: [root.pem,\n           root2.pem]\n      max_depth: 4",
         "      mode: off\n      crl_check: leaf", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}

Test(warnings_clients, of_chains_that_do_not_fit, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"           root2.pem]", "           root-ml-dsa.pem]", 20,
         "the root CN=root-ml-dsa,O=Sallyport tests has 7526 bytes, and of certificates as large as that 2 have room in "
         "limits.certificate_chain_size: longer chains will be too_large; raise it to 23KiB"},
        {"           root2.pem]\n      max_depth: 4", "           root-ml-dsa.pem]\n      max_depth: 2", 0, NULL},
        {"      ca: [root.pem,\n           root2.pem]\n      max_depth: 4",
         "      ca: [root.pem,\n           root2.pem]\n      max_depth: 16", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}
