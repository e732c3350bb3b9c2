#include "changes.h"
#include "config/host.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>

Test(host, names_and_defaults, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"\"*.example.com\"", "API.example.com", 30, "host \"api.example.com\" is configured already, at line 13"},
        {"  - name: api.example.com", "  - name: \"*.Example.com\"", 30,
         "host \"*.example.com\" is configured already, at line 13"},
        {"  - {name: \"*.", "  - {default: true, name: \"*.", 30, "a second default host; the first is at line 14"},
        {"  - name: api.example.com", "  - name: api.example.com.", 13, "a trailing dot"},
        {"  - name: api.example.com", "  - name: api..com", 13, "an empty label"},
        {"  - name: api.example.com", "  - name: https://api.example.com", 13, "without scheme, port and path"},
        {"  - name: api.example.com",
         "  - name: b\xc3\xbc"
         "cher.de",
         13, "xn-- form"},
        {"  - name: api.example.com", "  - name: 127.0.0.1", 13, "digits alone"},
        {"  - name: api.example.com", "  - name: api.example.com, b.example.com", 13, "a space or comma; write one name"},
        {"  - name: api.example.com", "  - name: api$example.com", 13, "a character that a host name cannot have"},
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

Test(host, files, .init = changes_set_up, .fini = changes_tear_down) {
    char fifo[256];
    snprintf(fifo, sizeof fifo, "%s/fifo", changes_scene.folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    size_t big_size = 1024 * 1024 + 1;
    char *big = calloc(1, big_size);
    scene_write(&changes_scene, "big.pem", big, big_size);
    scene_write(&changes_scene, "big.json", big, 64 * 1024 + 1);
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
        {"    key: server.key", "    key: encrypted.key", 16, "encrypted.key is encrypted"},
        {"root2.pem", "missing.pem", 20, "client_auth.ca: /tmp/"},
        {"root2.pem", "empty.pem", 20, "empty.pem is empty"},
        {"root2.pem", "garbage.pem", 20, "garbage.pem: "},
        {"root2.pem", "half.pem", 20, "half.pem: "},
        {"root2.pem", "leaf.pem", 20, "leaf.pem: "},
        {"root2.pem", "server.key", 20, "server.key is a private key"},
        {"{json: deny.json}", "{json: missing.json}", 22, "client_auth.deny.json: /tmp/"},
        {"{json: deny.json}", "{json: empty.pem}", 22, "empty.pem is empty"},
        {"{json: deny.json}", "{html: big.json}", 22, "big.json is larger than 65536 bytes"},
    };
    ASSERT_PROBLEMS(changes);
}
