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
enum { CLIENTS = sizeof(clients) / sizeof(clients[0]), IDLE_SIZE_MAX = 6 * 1024 };

Test(memory, an_idle_session_is_small) {
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.client = clients[i], .tls12 = tls12};
            struct pair *pair = pair_open(context, &options);
            char text[64];
            cr_assert(pair_handshake(pair));
            pair_client_write(pair, "hello", 5);
            cr_assert_eq(pair_server_read(pair, text, sizeof(text)), 5);
            cr_assert_eq(tls_session_write(pair->server, bytes_of("hello", 5)), TLS_DONE);
            /* What goes when the session goes, the client's side being as it was. */
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
                if (round == 0)
                    before = allocator_live_bytes();
            }
            cr_assert_eq(allocator_live_bytes(), before);
        }
    }
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
        if (input.size == 0)
            break;
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
        session = tls_session_create(context, 4096, &discard_handler, NULL);
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
        char error[TLS_ERROR_SIZE] = "";
        struct tls_context_options options = {.credentials = credentials, .request_certificate = true};
        allocator_fail_at(n);
        struct tls_context *made = tls_context_create(&options, error);
        bool failed = allocator_count() >= n;
        allocator_fail_at(0);
        tls_context_free(made);
        cr_assert_eq(allocator_live_bytes(), before, "allocation %zu", n);
        if (!failed)
            break;
        if (made == NULL)
            cr_assert_neq(error[0], 0);
    }
}
