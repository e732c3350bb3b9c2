#include "allocator.h"
#include "pair.h"

#include <criterion/criterion.h>

static struct tls_credentials *credentials;
static struct tls_context *context;

static void set_up(void) {
    allocator_install();
    cr_assert_eq(tls_library_init(), 0);
    credentials = server_credentials("p256");
    context = server_context(credentials, true);
}

static void tear_down(void) {
    allocator_fail_at(0);
    tls_context_free(context);
    tls_credentials_free(credentials);
    tls_library_cleanup();
}

TestSuite(memory, .init = set_up, .fini = tear_down);

static const char *const clients[] = {NULL, "p256", "rsa2048", "ed25519", "rsa8192"};
enum { CLIENTS = sizeof clients / sizeof clients[0], IDLE_SIZE_MAX = 6 * 1024 };

Test(memory, an_idle_session_is_small) {
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.client = clients[i], .tls12 = tls12};
            struct pair *pair = pair_open(context, &options);
            char text[64];
            cr_assert(pair_handshake(pair));
            pair_client_write(pair, "hello", 5);
            cr_assert_eq(pair_server_read(pair, text, sizeof text), 5);
            cr_assert_eq(tls_session_write(pair->server, bytes_of("hello", 5)), TLS_DONE);
            /* Freeing the session frees the memory of the session alone: the client's side stays as it was. */
            size_t before = allocator_live_bytes();
            size_t blocks = allocator_live_blocks();
            tls_session_free(pair->server);
            pair->server = NULL;
            size_t size = before - allocator_live_bytes();
            cr_log_info("%s, TLS 1.%d: %zu bytes in %zu blocks", clients[i] == NULL ? "no certificate" : clients[i],
                        tls12 ? 2 : 3, size, blocks - allocator_live_blocks());
            cr_assert_lt(size, IDLE_SIZE_MAX);
            pair_close(pair);
        }
    }
}

Test(memory, nothing_is_left_after_a_handshake) {
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            size_t before = 0;
            for (int round = 0; round < 2; round++) {
                struct pair *pair = pair_open(context, &(struct pair_options){.client = clients[i], .tls12 = tls12});
                cr_assert(pair_handshake(pair));
                pair_close(pair);
                if (round == 0) {
                    before = allocator_live_bytes();
                }
            }
            cr_assert_eq(allocator_live_bytes(), before);
        }
    }
}

/* Begins a record or a Certificate that claims much, and gives how many bytes the session has allocated for it. */
static size_t allocated_for(struct pair *pair, struct bytes input) {
    size_t before = allocator_live_bytes();
    tls_session_feed(pair->server, input);
    cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT);
    cr_assert_geq(tls_session_held(pair->server) + 64, allocator_live_bytes() - before);
    return allocator_live_bytes() - before;
}

Test(memory, what_is_claimed_is_not_allocated) {
    static const uint8_t record[] = "\x16\x03\x03\x40\x00\x0b";                                      /* 16 KiB */
    static const uint8_t message[] = "\x16\x03\x03\x00\x0a\x0b\x00\xf0\x00\x00\xef\xfd\x00\xef\xfa"; /* 60 KiB */
    const struct bytes inputs[] = {bytes_of(record, 5), bytes_of(record, 6), bytes_of(message, 15), bytes_of(message, 6)};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = true});
        wolfSSL_connect(pair->client);
        tls_session_feed(pair->server, bytes_of(pair->to_server.data, pair->to_server.size));
        cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT);
        cr_assert_leq(allocated_for(pair, inputs[i]), 64, "%zu", i);
        pair_close(pair);
    }
}

/* A leaf of some bytes, and so much behind it: only what the limit has room for is kept, and a kilobyte. */
Test(memory, a_chain_is_kept_up_to_its_limit) {
    enum { LIMIT = 2048, RECORDS = 60, RECORD_SIZE = 1024 };
    struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = true, .chain_size_max = LIMIT});
    wolfSSL_connect(pair->client);
    tls_session_feed(pair->server, bytes_of(pair->to_server.data, pair->to_server.size));
    cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT);
    uint8_t record[5 + RECORD_SIZE] = {22, 3, 3, RECORD_SIZE >> 8, 0, 11, 0, 0xf0, 0, 0, 0xef, 0xfd, 0, 0, 0x64, 0x30};
    size_t before = allocator_live_bytes();
    for (size_t i = 0; i + 1 < RECORDS; i++) {
        tls_session_feed(pair->server, bytes_of(record, sizeof record));
        cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT, "%zu", i);
        cr_assert_leq(allocator_live_bytes() + 0, before + 2 * (LIMIT + 1024) + 4096, "%zu", i);
        cr_assert_leq(tls_session_held(pair->server), 2 * (LIMIT + 1024) + 4096);
        memset(record + 5, 0, RECORD_SIZE);
    }
    pair_close(pair);
}

/* The handshake of a client that is whole, against a session whose `n`th allocation fails. True when none has failed. */
static bool survives(const struct pair_options *options, size_t n) {
    /* The client's allocations would count too: they are let through by counting the server's alone. */
    struct pair *pair = pair_open(context, options);
    size_t counted = 0;
    bool failed = false;
    while (pair->result == TLS_WANT_INPUT && !failed) {
        wolfSSL_connect(pair->client);
        struct bytes input = bytes_of(pair->to_server.data, pair->to_server.size);
        if (input.size == 0) {
            break;
        }
        allocator_fail_at(n > counted ? n - counted : 0);
        tls_session_feed(pair->server, input);
        pair->result = tls_session_handshake(pair->server);
        counted += allocator_count();
        failed = counted >= n;
        allocator_fail_at(0);
        pair->to_server.size = 0;
    }
    cr_assert(failed || pair->result == TLS_DONE);
    pair_close(pair);
    return !failed;
}

Test(memory, any_allocation_may_fail_in_a_handshake) {
    for (size_t i = 0; i + 1 < CLIENTS; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.client = clients[i], .tls12 = tls12};
            cr_assert(survives(&options, SIZE_MAX));
            size_t before = allocator_live_bytes();
            size_t n = 1;
            while (!survives(&options, n)) {
                cr_assert_eq(allocator_live_bytes(), before, "%s, TLS 1.%d: lost %zd bytes when allocation %zu failed",
                             clients[i] == NULL ? "no certificate" : clients[i], tls12 ? 2 : 3,
                             allocator_live_bytes() - before, n);
                n++;
            }
            cr_assert_gt(n, 10);
            cr_assert_lt(n, 1000);
        }
    }
}

static int discard(void *owner, struct bytes ciphertext) {
    return 0;
}

/* The contexts here have no tickets. */
static const struct tls_session_handler discard_handler = {.output = discard};

Test(memory, any_allocation_may_fail_in_making_a_session) {
    struct tls_session *session = NULL;
    for (size_t n = 1; session == NULL; n++) {
        size_t before = allocator_live_bytes();
        allocator_fail_at(n);
        session = tls_session_create(context, 4096, TLS_HTTP1, &discard_handler, NULL);
        bool failed = allocator_count() >= n;
        allocator_fail_at(0);
        cr_assert(session == NULL || !failed);
        cr_assert(session != NULL || allocator_live_bytes() == before);
    }
    tls_session_free(session);
}

Test(memory, any_allocation_may_fail_in_making_a_context) {
    for (size_t n = 1;; n++) {
        size_t before = allocator_live_bytes();
        struct error error = {""};
        struct tls_context_options options = {.credentials = credentials, .request_certificate = true};
        allocator_fail_at(n);
        struct tls_context *made = tls_context_create(&options, &error);
        bool failed = allocator_count() >= n;
        allocator_fail_at(0);
        tls_context_free(made);
        cr_assert_eq(allocator_live_bytes(), before, "allocation %zu", n);
        if (!failed) {
            break;
        }
        if (made == NULL) {
            cr_assert_neq(error.text[0], 0);
        }
    }
}
