/* Verdicts on an origin's certificates, and handshakes that fail. A session's own part is tested in test_tls_stream. */
#include "base/hash.h"
#include "base/tls_alert.h"
#include "relay/tls_handshake.h"
#include "x509/pem.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct bytes read_file(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", CERTIFICATES, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *data = malloc(65536);
    size_t size = fread(data, 1, 65536, file);
    fclose(file);
    return bytes_of(data, size);
}

static struct config_origin_tls settings;
static struct tls_origin origin;
static uint8_t memory[16384];
static struct tls_peer_chain chain;

static void read_chain(void) {
    struct bytes file = read_file("server.pem");
    struct pem_reader reader = pem_reader_of(file);
    size_t used = 0;
    for (struct pem_block block; pem_next(&reader, &block) == PEM_BLOCK; used += block.size) {
        cr_assert_leq(block.size, sizeof memory - used);
        pem_decode(&block, memory + used);
        chain.certificates[chain.count++] = bytes_of(memory + used, block.size);
    }
    free((void *)(uintptr_t)file.data);
}

/* The chain is the one of api.example.com. */
static void start(const char *root, const char *name) {
    struct error error;
    struct bytes roots = read_file(root);
    hash_init();
    settings.trust = trust_create();
    cr_assert_eq(trust_add_file(settings.trust, roots, &error), 0, "%s", error.text);
    read_chain();
    tls_origin_begin(&origin, &settings, name, false, NULL);
    free((void *)(uintptr_t)roots.data);
}

static void end(void) {
    tls_origin_end(&origin);
    trust_free(settings.trust);
}

Test(tls_handshake, accepts_the_origin_that_is_expected) {
    struct tls_handshake handshake = {.origin = &origin};
    char detail[TLS_HANDSHAKE_DETAIL_SIZE];
    start("root.pem", "api.example.com");
    cr_assert_null(tls_handshake_begin(&handshake));
    cr_assert_eq(tls_handshake_judge(&handshake, &chain, detail), TLS_ORIGIN_ACCEPTED);
    cr_assert(!handshake.has_ended && handshake.until > 0);
    end();
}

Test(tls_handshake, refuses_another_name) {
    struct tls_handshake handshake = {.origin = &origin};
    char detail[TLS_HANDSHAKE_DETAIL_SIZE] = "";
    start("root.pem", "other.test");
    tls_handshake_begin(&handshake);
    cr_assert_eq(tls_handshake_judge(&handshake, &chain, detail), TLS_ALERT_BAD_CERTIFICATE);
    cr_assert_not_null(strstr(detail, "other.test"), "%s", detail);
    cr_assert_eq(tls_handshake_fail(&handshake), RELAY_FAULT_TLS_NAME);
    cr_assert(handshake.has_ended && handshake.outcome == STATS_ORIGIN_HANDSHAKE_NAME);
    end();
}

Test(tls_handshake, refuses_a_chain_to_no_root) {
    struct tls_handshake handshake = {.origin = &origin};
    char detail[TLS_HANDSHAKE_DETAIL_SIZE] = "";
    start("root2.pem", "api.example.com");
    tls_handshake_begin(&handshake);
    cr_assert_eq(tls_handshake_judge(&handshake, &chain, detail), TLS_ALERT_UNKNOWN_CA);
    cr_assert_eq(strncmp(detail, "unknown_issuer: ", 16), 0, "%s", detail);
    cr_assert_eq(tls_handshake_fail(&handshake), RELAY_FAULT_TLS_CERTIFICATE);
    cr_assert_eq(handshake.outcome, STATS_ORIGIN_HANDSHAKE_CERTIFICATE);
    end();
}

Test(tls_handshake, fails_without_a_verdict) {
    struct tls_handshake handshake = {.origin = &origin};
    cr_assert_eq(tls_handshake_fail(&handshake), RELAY_FAULT_TLS_HANDSHAKE);
    cr_assert(handshake.has_ended && handshake.outcome == STATS_ORIGIN_HANDSHAKE_FAILED);
}
