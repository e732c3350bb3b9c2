#include "changes.h"
#include "config/values.h"

#include <criterion/criterion.h>

Test(values, keys, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"shards: auto", "shard: auto", 5, "unknown key \"shard\" in the file; did you mean \"shards\"?"},
        {"shards: auto", "Shards: auto", 5, "did you mean \"shards\"?"},
        {"shards: auto", "colour: red", 5, "unknown key \"colour\" in the file; its keys are listen, admin, shards, limits"},
        {"shards: auto", "<<: {shards: auto}", 5, "unknown key \"<<\""},
        {"  connections: 65536", "  conections: 65536", 9, "did you mean \"connections\"?"},
        {"{entries: 5}", "{size: 5}", 10, "unknown key \"size\" in cert_cache"},
        {"{lifetime: 1h}", "{life: 1h}", 11, "unknown key \"life\" in tickets"},
        {"    default: true", "    defualt: true", 14, "did you mean \"default\"?"},
        {"      max_depth: 4", "      max-depth: 4", 21, "did you mean \"max_depth\"?"},
        {"{json: deny.json}", "{jsn: deny.json}", 22, "unknown key \"jsn\" in client_auth.deny; did you mean \"json\"?"},
        {"      status: X-Client-Cert-Status", "      state: X-A", 24, "unknown key \"state\" in forward"},
        {"    key: server.key\n", "    key: server.key\n    name: b.example.com\n", 17,
         "key \"name\" is given twice, first at"},
        {"shards: auto", "shards: auto\nshards: 2", 6, "key \"shards\" is given twice, first at line 5"},
        {"        X-Reason: reason", "        X-Device: reason", 27, "key \"X-Device\" is given twice, first at line 26"},
        {"listen:\n  - address: 127.0.0.1:8443\n", "", 1, "key \"listen\" is missing in the file"},
        {"    certificate: server.pem\n", "", 13, "key \"certificate\" is missing in this host"},
        {"    key: server.key\n", "", 13, "key \"key\" is missing in this host"},
        {"    origin:\n      - address: 127.0.0.1:9000\n", "", 13, "key \"origin\" is missing in this host"},
        {"      mode: enforce\n", "", 18, "key \"mode\" is missing in client_auth"},
        {"  address: 127.0.0.1:9443", "  {}", 4, "key \"address\" is missing in admin"},
        {"- address: 127.0.0.1:8443", "- {}", 2, "key \"address\" is missing in a listener"},
        {"[{address: '[::1]:9000'}]", "[{}]", 30, "key \"address\" is missing in an origin"},
        {"name: \"*.example.com\", ", "", 30, "key \"name\" is missing in this host"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(values, types, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"listen:\n  - address: 127.0.0.1:8443", "listen: 127.0.0.1:8443\n#", 1,
         "listen must be a list, not 127.0.0.1:8443"},
        {"listen:\n  - address: 127.0.0.1:8443", "listen:\n#", 1, "listen must be a list, not nothing"},
        {"listen:\n  - address: 127.0.0.1:8443", "listen: []\n#", 1, "listen must have at least one item"},
        {"- address: 127.0.0.1:8443", "- 127.0.0.1:8443", 2, "a listener must be a mapping"},
        {"- address: 127.0.0.1:8443", "- address: true", 2, "address must be a string, not true; put it in quotes"},
        {"- address: 127.0.0.1:8443", "- address: [a]", 2, "address must be a string, not a list"},
        {"  address: 127.0.0.1:9443", "  - 127.0.0.1:9443", 4, "admin must be a mapping (key: value), not a list"},
        {"shards: auto", "shards:", 5, "not nothing"},
        {"shards: auto", "shards: all", 5, "shards (if not \"auto\") must be a number from 1 to 1024, not all"},
        {"shards: auto", "shards: '2'", 5, "not \"2\""},
        {"  connections: 65536", "  connections: 6.5", 9, "limits.connections must be a number from 1 to 1000000, not 6.5"},
        {"  connections: 65536", "  connections: {}", 9, "not a mapping"},
        {"{entries: 5}", "5", 10, "cert_cache must be a mapping"},
        {"    default: true", "    default: yes", 14, "default must be true or false, not yes"},
        {"    default: true", "    default: 'true'", 14, "default must be true or false, not \"true\""},
        {"    certificate: server.pem", "    certificate: [server.pem]", 15, "certificate must be a string, not a list"},
        {"    certificate: server.pem", "    certificate: ''", 15, "certificate must be a string, not \"\""},
        {"    certificate: server.pem", "    certificate: ~", 15, "certificate must be a string, not nothing"},
        {"    certificate: server.pem", "    certificate: false", 15, "not false; put it in quotes"},
        {"      mode: enforce", "      mode: strict", 18, "client_auth.mode must be off, report or enforce, not strict"},
        {"      mode: enforce", "      mode: Enforce", 18, "must be off, report or enforce"},
        {"[root.pem,\n           root2.pem]", "root.pem\n#", 19, "client_auth.ca must be a list, not root.pem"},
        {"[root.pem,\n           root2.pem]", "[root.pem,\n           [root2.pem]]", 20, "must be a string, not a list"},
        {"      max_depth: 4", "      advertise_ca_names: 1", 21, "advertise_ca_names must be true or false, not 1"},
        {"{json: deny.json}", "deny.json", 22, "client_auth.deny must be a mapping"},
        {"        X-Reason: reason", "        X-Reason: [reason]", 27, "X-Reason must be a string, not a list"},
        {"\n        X-Device: subject.cn\n        X-Reason: reason", " [a]", 25, "forward.headers must be a mapping"},
        {"[{address: '[::1]:9000'}]", "'[::1]:9000'", 30, "origin must be a list"},
        {"[{address: '[::1]:9000'}]", "[]", 30, "origin must have at least one item"},
    };
    ASSERT_PROBLEMS(changes);
}
