#include "changes.h"
#include "config/client_auth.h"

#include <criterion/criterion.h>

Test(client_auth, problems, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"      ca: [root.pem,\n           root2.pem]\n", "", 18, "client_auth.mode enforce needs client_auth.ca"},
        {"enforce\n      ca: [root.pem,\n           root2.pem]\n", "report\n", 18, "client_auth.mode report needs"},
        {"[root.pem,\n           root2.pem]", "[]", 19, "client_auth.ca must have at least one item"},
        {"      mode: enforce\n      ca: [root.pem,\n           root2.pem]", "      mode: off\n      ca: [missing.pem]", 19,
         "cannot be opened"},
        {"      max_depth: 4", "      crl: [root.crl]", 21, "revocation lists are not supported by this version"},
        {"      max_depth: 4", "      crl: root.crl", 21, "client_auth.crl must be a list"},
        {"      max_depth: 4", "      crl_check: all", 21, "client_auth.crl_check must be chain or leaf, not all"},
        {"      max_depth: 4", "      crl_stale: ignore", 21, "client_auth.crl_stale must be reject or accept, not ignore"},
    };
    ASSERT_PROBLEMS(changes);
}
