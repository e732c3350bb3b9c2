/* Everything that `check` must find: a good file with one thing changed in it, and the line and message that result. */
#include "base/check.h"
#include "scene.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char good[] = "listen:\n"                                               /* 1 */
                           "  - address: 127.0.0.1:8443\n"                           /* 2 */
                           "admin:\n"                                                /* 3 */
                           "  address: 127.0.0.1:9443\n"                             /* 4 */
                           "shards: auto\n"                                          /* 5 */
                           "limits:\n"                                               /* 6 */
                           "  handshake_timeout: 5s\n"                               /* 7 */
                           "  request_header_size: 32KiB\n"                          /* 8 */
                           "  connections: 65536\n"                                  /* 9 */
                           "cert_cache: {entries: 5}\n"                              /* 10 */
                           "tickets: {lifetime: 1h}\n"                               /* 11 */
                           "hosts:\n"                                                /* 12 */
                           "  - name: api.example.com\n"                             /* 13 */
                           "    default: true\n"                                     /* 14 */
                           "    certificate: server.pem\n"                           /* 15 */
                           "    key: server.key\n"                                   /* 16 */
                           "    client_auth:\n"                                      /* 17 */
                           "      mode: enforce\n"                                   /* 18 */
                           "      ca: [root.pem,\n"                                  /* 19 */
                           "           root2.pem]\n"                                 /* 20 */
                           "      max_depth: 4\n"                                    /* 21 */
                           "      deny: {json: deny.json}\n"                         /* 22 */
                           "    forward:\n"                                          /* 23 */
                           "      status: X-Client-Cert-Status\n"                    /* 24 */
                           "      headers:\n"                                        /* 25 */
                           "        X-Device: subject.cn\n"                          /* 26 */
                           "        X-Reason: reason\n"                              /* 27 */
                           "    origin:\n"                                           /* 28 */
                           "      - address: 127.0.0.1:9000\n"                       /* 29 */
                           "  - {name: \"*.example.com\", certificate: server.pem, " /* 30 */
                           "key: server.key, origin: [{address: '[::1]:9000'}]}\n";

struct change {
    const char *find;
    const char *replacement;
    unsigned line;
    const char *fragment;
};

static struct scene scene;

static void set_up(void) {
    scene_make(&scene);
}

static void tear_down(void) {
    scene_remove(&scene);
}

static void assert_problem(const struct change *change) {
    char *yaml = scene_replace(good, change->find, change->replacement);
    struct config_problems problems = {0};
    struct config *config = scene_load(&scene, yaml, &problems);
    cr_assert(config == NULL && problems.count > 0, "%s: nothing was found", change->replacement);
    const struct config_problem *problem = &problems.items[0];
    cr_assert_eq(problems.count, 1, "%s: also line %u: %s", change->replacement, problems.items[problems.count - 1].line,
                 problems.items[problems.count - 1].message);
    cr_assert_str_eq(problem->file, scene.path);
    cr_assert(problem->line == change->line && strstr(problem->message, change->fragment) != NULL, "%s: line %u: %s",
              change->replacement, problem->line, problem->message);
    config_problems_free(&problems);
    free(yaml);
}

#define ASSERT_PROBLEMS(changes)                                                                                            \
    for (size_t i = 0; i < ARRAY_LENGTH(changes); i++)                                                                      \
    assert_problem(&(changes)[i])

Test(bad_config, the_unchanged_file_is_good, .init = set_up, .fini = tear_down) {
    struct config_problems problems = {0};
    struct config *config = scene_load(&scene, good, &problems);
    cr_assert(config != NULL, "line %u: %s", problems.items[0].line, problems.items[0].message);
    config_release(config);
}

Test(bad_config, keys, .init = set_up, .fini = tear_down) {
    static const struct change changes[] = {
        {"shards: auto", "shard: auto", 5, "unknown key \"shard\" in the file; did you mean \"shards\"?"},
        {"shards: auto", "Shards: auto", 5, "did you mean \"shards\"?"},
        {"shards: auto", "colour: red", 5, "unknown key \"colour\" in the file"},
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

Test(bad_config, types, .init = set_up, .fini = tear_down) {
    static const struct change changes[] = {
        {"listen:\n  - address: 127.0.0.1:8443", "listen: 127.0.0.1:8443\n#", 1,
         "listen must be a list, not 127.0.0.1:8443"},
        {"listen:\n  - address: 127.0.0.1:8443", "listen:\n#", 1, "listen must be a list, not nothing"},
        {"listen:\n  - address: 127.0.0.1:8443", "listen: []\n#", 1, "listen must have at least one item"},
        {"- address: 127.0.0.1:8443", "- 127.0.0.1:8443", 2, "a listener must be a mapping"},
        {"- address: 127.0.0.1:8443", "- address: 8443", 2, "address must be a string, not 8443; put it in quotes"},
        {"- address: 127.0.0.1:8443", "- address: [a]", 2, "address must be a string, not a list"},
        {"  address: 127.0.0.1:9443", "  - 127.0.0.1:9443", 4, "admin must be a mapping (key: value), not a list"},
        {"shards: auto", "shards:", 5, "not nothing"},
        {"shards: auto", "shards: all", 5, "shards (if not \"auto\") must be a number from 1 to 1024, not all"},
        {"shards: auto", "shards: '2'", 5, "not \"2\""},
        {"  connections: 65536", "  connections: 6.5", 9, "limits.connections must be a number from 1 to 1048576, not 6.5"},
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

Test(bad_config, ranges, .init = set_up, .fini = tear_down) {
    static const struct change changes[] = {
        {"shards: auto", "shards: 0", 5, "from 1 to 1024, not 0"},
        {"shards: auto", "shards: 1025", 5, "from 1 to 1024, not 1025"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 5", 7, "must be a duration such as"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 99ms", 7, "from 100ms to 5m, not 99ms"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 6m", 7, "from 100ms to 5m, not 6m"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 0", 7, "from 100ms to 5m, not 0"},
        {"  handshake_timeout: 5s", "  request_header_timeout: 601s", 7, "from 100ms to 10m, not 601s"},
        {"  handshake_timeout: 5s", "  idle_timeout: 25h", 7, "from 100ms to 24h, not 25h"},
        {"  request_header_size: 32KiB", "  request_header_size: 65KiB", 8, "from 1KiB to 64KiB, not 65KiB"},
        {"  request_header_size: 32KiB", "  request_header_size: 1023", 8, "from 1KiB to 64KiB, not 1023"},
        {"  request_header_size: 32KiB", "  request_header_size: 32KB", 8, "must be a size such as"},
        {"  request_header_size: 32KiB", "  certificate_chain_size: 1MiB", 8, "from 1KiB to 64KiB, not 1MiB"},
        {"  connections: 65536", "  connections: 0", 9, "from 1 to 1048576, not 0"},
        {"  connections: 65536", "  connections: 1048577", 9, "not 1048577"},
        {"  connections: 65536", "  connections: -1", 9, "not -1"},
        {"  connections: 65536", "  connections: 4294967297", 9, "not 4294967297"},
        {"{entries: 5}", "{entries: 0}", 10, "from 1 to 16777216, not 0"},
        {"{entries: 5}", "{entries: 16777217}", 10, "not 16777217"},
        {"{lifetime: 1h}", "{lifetime: 169h}", 11, "from 0 to 168h, not 169h"},
        {"{lifetime: 1h}", "{lifetime: 1500ms}", 11, "must be whole seconds, not 1500ms"},
        {"      max_depth: 4", "      max_depth: 0", 21, "from 1 to 16, not 0"},
        {"      max_depth: 4", "      max_depth: 17", 21, "from 1 to 16, not 17"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(bad_config, addresses, .init = set_up, .fini = tear_down) {
    static const struct change changes[] = {
        {"- address: 127.0.0.1:8443", "- address: localhost:8443", 2, "is not an IPv4 address"},
        {"- address: 127.0.0.1:8443", "- address: 127.0.0.1:0", 2, "port must be a number from 1 to 65535"},
        {"- address: 127.0.0.1:8443", "- address: 127.0.0.1", 2, "has no port"},
        {"- address: 127.0.0.1:8443", "- address: '::1:8443'", 2, "must be in brackets"},
        {"- address: 127.0.0.1:8443", "- address: '[::1]:8443'\n  - address: '[0::1]:8443'", 3, "is listened on already"},
        {"  address: 127.0.0.1:9443", "  address: 127.0.0.1:8443", 4, "is that of a listener"},
        {"  address: 127.0.0.1:9443", "  address: 0.0.0.0:8443", 4, "is that of a listener"},
        {"  address: 127.0.0.1:9443", "  address: 127.0.0.1:94430", 4, "port must be a number"},
        {"      - address: 127.0.0.1:9000", "      - address: 127.0.0.1", 29, "has no port"},
        {"      - address: 127.0.0.1:9000", "      - address: http://127.0.0.1:9000", 29, "must be in brackets"},
        {"      - address: 127.0.0.1:9000", "      - address: sallyport.invalid:9000", 29, "does not resolve"},
        {"[{address: '[::1]:9000'}]", "[{address: '[::1]:9000'}, {address: 'a b:1'}]", 30, "is neither IPv4:port"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(bad_config, hosts, .init = set_up, .fini = tear_down) {
    static const struct change changes[] = {
        {"\"*.example.com\"", "API.example.com", 30, "host \"api.example.com\" is configured already, at line 13"},
        {"  - name: api.example.com", "  - name: \"*.Example.com\"", 30,
         "host \"*.example.com\" is configured already, at line 13"},
        {"  - {name: \"*.", "  - {default: true, name: \"*.", 30, "a second default host; the first is at line 14"},
        {"  - name: api.example.com", "  - name: api.example.com.", 13, "a trailing dot"},
        {"  - name: api.example.com", "  - name: api..com", 13, "an empty label"},
        {"  - name: api.example.com", "  - name: https://api.example.com", 13, "a character that a host name cannot have"},
        {"  - name: api.example.com",
         "  - name: b\xc3\xbc"
         "cher.de",
         13, "xn-- form"},
        {"  - name: api.example.com", "  - name: 127.0.0.1", 13, "digits alone"},
        {"  - name: api.example.com", "  - name: '*'", 13, "a wildcard is \"*.\" and a domain"},
        {"  - name: api.example.com", "  - name: '*.'", 13, "an empty name"},
        {"  - name: api.example.com", "  - name: '*api.example.com'", 13, "a wildcard is"},
        {"  - name: api.example.com", "  - name: 'a.*.example.com'", 13, "a character that a host name cannot have"},
        {"  - name: api.example.com", "  - name: '*.*.example.com'", 13, "a character that a host name cannot have"},
        {"  - name: api.example.com", "  - name: *.example.com", 13, "must be in quotes"},
        {"hosts:\n", "hosts:\n  - api.example.com\n", 13, "this host must be a mapping"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(bad_config, files, .init = set_up, .fini = tear_down) {
    char fifo[256];
    snprintf(fifo, sizeof(fifo), "%s/fifo", scene.folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    size_t big_size = 1024 * 1024 + 1;
    char *big = calloc(1, big_size);
    scene_write(&scene, "big.pem", big, big_size);
    scene_write(&scene, "big.json", big, 64 * 1024 + 1);
    free(big);
    static const struct change changes[] = {
        {"    certificate: server.pem", "    certificate: missing.pem", 15, "missing.pem cannot be opened: No such file"},
        {"    certificate: server.pem", "    certificate: empty.pem", 15, "empty.pem is empty"},
        {"    certificate: server.pem", "    certificate: garbage.pem", 15, "certificate: /tmp/"},
        {"    certificate: server.pem", "    certificate: half.pem", 15, "half.pem: "},
        {"    certificate: server.pem", "    certificate: big.pem", 15, "big.pem is larger than 1048576 bytes"},
        {"    certificate: server.pem", "    certificate: fifo", 15, "fifo is not a regular file"},
        {"    certificate: server.pem", "    certificate: .", 15, "is a directory"},
        {"    key: server.key", "    key: missing.key", 16, "missing.key cannot be opened"},
        {"    key: server.key", "    key: garbage.pem", 16, "key: /tmp/"},
        {"    key: server.key", "    key: empty.pem", 16, "empty.pem is empty"},
        {"    key: server.key", "    key: other.key", 16, "other.key: "},
        {"    key: server.key", "    key: encrypted.key", 16, "encrypted.key: "},
        {"root2.pem", "missing.pem", 20, "client_auth.ca: /tmp/"},
        {"root2.pem", "empty.pem", 20, "empty.pem is empty"},
        {"root2.pem", "garbage.pem", 20, "garbage.pem: "},
        {"root2.pem", "half.pem", 20, "half.pem: "},
        {"root2.pem", "leaf.pem", 20, "leaf.pem: "},
        {"root2.pem", "server.key", 20, "server.key: "},
        {"{json: deny.json}", "{json: missing.json}", 22, "client_auth.deny.json: /tmp/"},
        {"{json: deny.json}", "{json: empty.pem}", 22, "empty.pem is empty"},
        {"{json: deny.json}", "{html: big.json}", 22, "big.json is larger than 65536 bytes"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(bad_config, client_auth, .init = set_up, .fini = tear_down) {
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
        {"shards: auto", "access_log: '-'", 5, "access_log is not supported by this version"},
        {"shards: auto", "access_log: {}", 5, "access_log must be a string"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(bad_config, headers, .init = set_up, .fini = tear_down) {
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

Test(bad_config, header_bounds, .init = set_up, .fini = tear_down) {
    char name[256];
    memset(name, 'a', sizeof(name));
    snprintf(name + 129, sizeof(name) - 129, ": reason");
    char replacement[300];
    snprintf(replacement, sizeof(replacement), "        %s", name);
    assert_problem(&(struct change){"        X-Reason: reason", replacement, 27, "more than 128 characters"});
    char many[65 * 32] = "\n";
    for (size_t i = 0, size = 1; i < 65; i++)
        size += (size_t)snprintf(many + size, sizeof(many) - size, "        X-%zu: reason\n", i);
    assert_problem(&(struct change){"\n        X-Device: subject.cn\n        X-Reason: reason\n", many, 26,
                                    "forward.headers has more than 64 headers"});
}

Test(bad_config, whole_files, .init = set_up, .fini = tear_down) {
    static const struct {
        const char *text;
        unsigned line;
        const char *fragment;
    } texts[] = {
        {"", 1, "is empty"},
        {"# nothing\n", 1, "the file is empty"},
        {"---\n", 1, "the file is empty"},
        {"- a\n", 1, "must be a mapping"},
        {"hello\n", 1, "must be a mapping"},
        {"listen: [\n", 1, "not YAML"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct config_problems problems = {0};
        cr_assert_null(scene_load(&scene, texts[i].text, &problems));
        cr_assert_eq(problems.count, 1);
        cr_assert_eq(problems.items[0].line, texts[i].line, "%s: line %u", texts[i].text, problems.items[0].line);
        cr_assert_not_null(strstr(problems.items[0].message, texts[i].fragment), "%s", problems.items[0].message);
        config_problems_free(&problems);
    }
}

Test(bad_config, no_file, .init = set_up, .fini = tear_down) {
    struct config_problems problems = {0};
    cr_assert_null(config_load("/nonexistent/sallyport.yaml", &problems));
    cr_assert_null(config_load(scene.folder, &problems));
    cr_assert_null(config_load("", &problems));
    cr_assert_eq(problems.count, 3);
    cr_assert_str_eq(problems.items[0].message, "the file cannot be opened: No such file or directory");
    cr_assert_str_eq(problems.items[1].message, "the file is a directory, not a file");
    config_problems_free(&problems);
}

Test(bad_config, all_problems_are_reported_in_order, .init = set_up, .fini = tear_down) {
    struct config_problems problems = {0};
    cr_assert_null(scene_load(&scene,
                              "shards: 0\n"
                              "limits: {connections: x, colour: red}\n"
                              "hosts:\n"
                              "  - name: a.example.com\n"
                              "    certificate: missing.pem\n"
                              "    key: missing.key\n"
                              "    client_auth: {mode: report}\n"
                              "    origin: [{address: nowhere}, {address: '1.2.3.4:x'}]\n"
                              "  - name: a.example.com\n"
                              "    origin: 5\n",
                              &problems));
    static const unsigned lines[] = {1, 1, 2, 2, 5, 6, 7, 8, 8, 9, 9, 9, 10};
    cr_assert_eq(problems.count, ARRAY_LENGTH(lines));
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++)
        cr_assert_eq(problems.items[i].line, lines[i], "%zu: line %u: %s", i, problems.items[i].line,
                     problems.items[i].message);
    config_problems_free(&problems);
}
