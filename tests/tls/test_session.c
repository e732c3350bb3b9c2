#include "base/check.h"
#include "pair.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

TestSuite(session, .init = (void (*)(void))tls_library_init, .fini = tls_library_cleanup);

static const char *const versions[] = {"TLSv1.3", "TLSv1.2"};

static void says_hello_both_ways(struct pair *pair) {
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    static const char answer[] = "HTTP/1.1 200 OK\r\n\r\n";
    char text[256];
    pair_client_write(pair, request, sizeof request);
    cr_assert_eq(pair_server_read(pair, text, sizeof text), sizeof request);
    cr_assert_eq(memcmp(text, request, sizeof request), 0);
    cr_assert_eq(tls_session_write(pair->server, bytes_of(answer, sizeof answer)), TLS_DONE);
    cr_assert_eq(pair_client_read(pair, text, sizeof text), (int)sizeof answer);
    cr_assert_eq(memcmp(text, answer, sizeof answer), 0);
}

Test(session, every_server_key_with_both_versions) {
    static const char *const names[] = {"p256", "p384", "rsa2048", "rsa4096", "ed25519"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tls_credentials *credentials = server_credentials(names[i]);
        struct tls_context *context = server_context(credentials, false);
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12});
            cr_assert(pair_handshake(pair), "%s %s: %s, client %d", names[i], versions[tls12], pair_result(pair),
                      pair->client_error);
            cr_assert_str_eq(tls_session_version(pair->server), versions[tls12]);
            cr_assert_eq(tls_session_is_tls13(pair->server), !tls12);
            cr_assert_str_eq(tls_session_cipher(pair->server), !tls12 ? "TLS_AES_128_GCM_SHA256"
                                                               : names[i][0] == 'r'
                                                                   ? "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
                                                                   : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
            cr_assert_not(pair->caught);
            says_hello_both_ways(pair);
            pair_close(pair);
        }
        tls_context_free(context);
        tls_credentials_free(credentials);
    }
}

/* One context for the tests that need no other. */
static struct tls_credentials *credentials;
static struct tls_context *context;

static void set_up(void) {
    cr_assert_eq(tls_library_init(), 0);
    credentials = server_credentials("p256");
    context = server_context(credentials, true);
}

static void tear_down(void) {
    tls_context_free(context);
    tls_credentials_free(credentials);
    tls_library_cleanup();
}

TestSuite(session_p256, .init = set_up, .fini = tear_down);

static struct pair *connected(bool tls12, const char *client, size_t step) {
    struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12, .client = client, .step = step});
    cr_assert(pair_handshake(pair), "%s: %s, client %d", versions[tls12], pair_result(pair), pair->client_error);
    return pair;
}

Test(session_p256, a_client_without_certificate_completes) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = connected(tls12, NULL, 0);
        cr_assert_not(pair->caught);
        cr_assert(tls_session_peer_chain(pair->server) == NULL);
        says_hello_both_ways(pair);
        pair_close(pair);
    }
}

Test(session_p256, input_may_come_in_any_pieces) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        for (size_t step = 1; step < 8; step++) {
            struct pair *pair = connected(tls12, "p256", step);
            cr_assert(pair->caught);
            cr_assert_eq(pair->chain.count, 2);
            says_hello_both_ways(pair);
            pair_close(pair);
        }
    }
}

Test(session_p256, a_handshake_may_end_anywhere) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        for (size_t keep = 0;; keep += 7) {
            struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12, .client = "p256"});
            size_t fed = 0;
            /* As pair_handshake, but what the client sends ends after `keep` bytes. */
            while (pair->result == TLS_WANT_INPUT && fed < keep && !pair->client_done) {
                wolfSSL_connect(pair->client);
                if (pair->to_server.size == 0) {
                    break;
                }
                size_t size = pair->to_server.size < keep - fed ? pair->to_server.size : keep - fed;
                tls_session_feed(pair->server, bytes_of(pair->to_server.data, size));
                pair->result = tls_session_handshake(pair->server);
                fed += size;
                pair->to_server.size = 0;
            }
            enum tls_result result = pair->result;
            cr_assert_neq(result, TLS_FAILED);
            pair_close(pair);
            if (result == TLS_DONE) {
                break;
            }
            cr_assert_lt(keep, 8192);
        }
    }
}

Test(session_p256, garbage_fails_with_an_alert) {
    static const char *const inputs[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello",
                                         "\x16\x03\x01\xff\xff\x01\x02\x03\x04", "\x15\x03\x03\x00\x02\x02\x28"};
    static const size_t sizes[] = {18, 10, 9, 7};
    for (size_t i = 0; i < 4; i++) {
        struct pair *pair = pair_open(context, &(struct pair_options){0});
        tls_session_feed(pair->server, bytes_of(inputs[i], sizes[i]));
        cr_assert_eq(tls_session_handshake(pair->server), TLS_FAILED, "%zu", i);
        /* Failed stays failed, whatever comes. */
        cr_assert_eq(tls_session_handshake(pair->server), TLS_FAILED);
        tls_session_shutdown(pair->server);
        pair_close(pair);
    }
}

Test(session_p256, garbage_after_the_hello_fails) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        for (unsigned seed = 1; seed <= 200; seed++) {
            struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12, .client = "p256"});
            wolfSSL_connect(pair->client);
            tls_session_feed(pair->server, bytes_of(pair->to_server.data, pair->to_server.size));
            cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT);
            uint8_t garbage[512] = {20 + seed % 4, 3, 3, 1, 0xfb};
            uint32_t state = seed;
            for (size_t i = 5; i < sizeof garbage; i++) {
                garbage[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
            }
            tls_session_feed(pair->server, bytes_of(garbage, sizeof garbage));
            cr_assert_eq(tls_session_handshake(pair->server), TLS_FAILED);
            pair_close(pair);
        }
    }
}

Test(session_p256, http1_is_agreed_on_or_an_alert_sent) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12, .alpn = "h2,http/1.1"});
        cr_assert(pair_handshake(pair));
        char *name = NULL;
        unsigned short size = 0;
        cr_assert_eq(wolfSSL_ALPN_GetProtocol(pair->client, &name, &size), WOLFSSL_SUCCESS);
        cr_assert_eq(size, 8);
        cr_assert_eq(memcmp(name, "http/1.1", 8), 0);
        cr_assert_not(tls_session_is_http2(pair->server));
        pair_close(pair);

        pair = pair_open(context, &(struct pair_options){.tls12 = tls12});
        cr_assert(pair_handshake(pair) && !tls_session_is_http2(pair->server));
        pair_close(pair);

        pair = pair_open(context, &(struct pair_options){.tls12 = tls12, .alpn = "h2"});
        cr_assert_not(pair_handshake(pair));
        cr_assert_eq(pair->result, TLS_FAILED);
        cr_assert_eq(pair_alert(pair), 120);
        pair_close(pair);
    }
}

Test(session_p256, any_protocol_goes_unanswered) {
    static const char *const offers[] = {NULL, "mqtt", "x-amzn-mqtt-ca,h2", "http/1.1"};

    for (size_t i = 0; i < 2 * ARRAY_LENGTH(offers); i++) {
        struct pair_options options = {.tls12 = i % 2 != 0, .alpn = offers[i / 2], .protocols = TLS_ANY};
        struct pair *pair = pair_open(context, &options);
        cr_assert(pair_handshake(pair), "%s", pair_result(pair));
        char *name = NULL;
        unsigned short size = 0;
        cr_expect_neq(wolfSSL_ALPN_GetProtocol(pair->client, &name, &size), WOLFSSL_SUCCESS);
        cr_expect_not(tls_session_is_http2(pair->server));
        pair_close(pair);
    }
}

Test(session_p256, a_client_is_denied_by_an_alert_behind_its_handshake) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = pair_open(context, &(struct pair_options){.client = "p256", .tls12 = tls12});
        cr_assert(pair_handshake(pair), "%s", pair_result(pair));
        tls_session_deny(pair->server);
        char nothing[1];
        cr_expect_lt(pair_client_read(pair, nothing, sizeof nothing), 0);
        cr_expect_eq(pair_alert(pair), 49);
        size_t size = pair->to_client.size;
        tls_session_deny(pair->server);
        tls_session_shutdown(pair->server);
        cr_expect_eq(tls_session_write(pair->server, bytes_of_string("more")), TLS_FAILED);
        cr_expect_eq(pair->to_client.size, size, "nothing is said behind the alert");
        pair_close(pair);
    }
}

Test(session_p256, http2_goes_before_http1_wherever_the_client_names_it) {
    static const char *const offers[] = {"h2", "h2,http/1.1", "http/1.1,h2", "spdy/3,http/1.0,http/1.1,h2"};

    for (size_t i = 0; i < 2 * ARRAY_LENGTH(offers); i++) {
        struct pair_options options = {.tls12 = i % 2 != 0, .alpn = offers[i / 2], .protocols = TLS_HTTP2};
        struct pair *pair = pair_open(context, &options);
        cr_assert(pair_handshake(pair), "%s", offers[i / 2]);
        char *name = NULL;
        unsigned short size = 0;
        cr_assert_eq(wolfSSL_ALPN_GetProtocol(pair->client, &name, &size), WOLFSSL_SUCCESS);
        cr_expect(bytes_equal(bytes_of(name, size), bytes_of_string("h2")), "%s: %.*s", offers[i / 2], size, name);
        cr_expect(tls_session_is_http2(pair->server), "%s", offers[i / 2]);
        pair_close(pair);
    }
}

/* RFC 9113 section 9.2.2: of TLS 1.2, ephemeral suites with AEAD. Those that RFC 9113 prohibits find no match at all. */
Test(session_p256, http2_runs_over_all_suites_of_tls12) {
    static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                         "ECDHE-ECDSA-CHACHA20-POLY1305"};

    for (size_t i = 0; i < ARRAY_LENGTH(suites); i++) {
        struct pair_options options = {.tls12 = true, .suite = suites[i], .alpn = "h2", .protocols = TLS_HTTP2};
        struct pair *pair = pair_open(context, &options);
        cr_assert(pair_handshake(pair) && tls_session_is_http2(pair->server), "%s", suites[i]);
        const char *suite = tls_session_cipher(pair->server);
        cr_expect(strncmp(suite, "TLS_ECDHE_", 10) == 0 && (strstr(suite, "_GCM_") || strstr(suite, "_POLY1305_")), "%s",
                  suite);
        pair_close(pair);
    }
    struct pair_options cbc = {.tls12 = true, .suite = "ECDHE-ECDSA-AES128-SHA256", .alpn = "h2", .protocols = TLS_HTTP2};
    struct pair *pair = pair_open(context, &cbc);
    cr_expect_not(pair_handshake(pair));
    pair_close(pair);
}

Test(session_p256, large_data_goes_both_ways) {
    enum { SIZE = 200 * 1000 };
    uint8_t *sent = malloc(SIZE);
    uint8_t *received = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        sent[i] = (uint8_t)(i * 31 + i / 251);
    }
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = connected(tls12, NULL, 0);
        cr_assert_eq(tls_session_write(pair->server, bytes_of(sent, SIZE)), TLS_DONE);
        /* As few records as will do: 13 of 16 KiB, each with at most 40 bytes around it. */
        cr_assert_leq(pair->to_client.size, SIZE + 13 * 40);
        cr_assert_eq(pair_client_read(pair, received, SIZE), SIZE);
        cr_assert_eq(memcmp(sent, received, SIZE), 0);
        memset(received, 0, SIZE);
        pair_client_write(pair, sent, SIZE);
        pair->step = 5000;
        cr_assert_eq(pair_server_read(pair, received, SIZE), SIZE);
        cr_assert_eq(memcmp(sent, received, SIZE), 0);
        pair_close(pair);
    }
    free(sent);
    free(received);
}

Test(session_p256, a_small_buffer_gets_a_record_in_pieces) {
    struct pair *pair = connected(false, NULL, 0);
    pair_client_write(pair, "0123456789", 10);
    struct bytes input = bytes_of(pair->to_server.data, pair->to_server.size);
    tls_session_feed(pair->server, input);
    size_t size = 0;
    char piece[3];
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tls_session_read(pair->server, piece, sizeof piece, &size), TLS_DONE);
        cr_assert_eq(size, 3);
        cr_assert_eq(piece[0], '0' + 3 * i);
    }
    cr_assert_eq(tls_session_read(pair->server, piece, sizeof piece, &size), TLS_DONE);
    cr_assert_eq(size, 1);
    cr_assert_eq(tls_session_read(pair->server, piece, sizeof piece, &size), TLS_WANT_INPUT);
    cr_assert_eq(size, 0);
    pair_close(pair);
}

Test(session_p256, close_notify_ends_each_side) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = connected(tls12, NULL, 0);
        char text[16];
        pair_client_write(pair, "last", 4);
        wolfSSL_shutdown(pair->client);
        cr_assert_eq(pair_server_read(pair, text, sizeof text), 4);
        cr_assert_eq(pair->result, TLS_CLOSED);
        /* A client that has ended its side still gets its answer. */
        cr_assert_eq(tls_session_write(pair->server, bytes_of("answer", 6)), TLS_DONE);
        tls_session_shutdown(pair->server);
        tls_session_shutdown(pair->server);
        cr_assert_eq(pair_client_read(pair, text, sizeof text), 6);
        cr_assert_eq(pair_client_read(pair, text, sizeof text), WOLFSSL_ERROR_ZERO_RETURN);
        pair_close(pair);
    }
}

Test(session_p256, close_notify_during_the_handshake) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12});
        wolfSSL_connect(pair->client);
        tls_session_feed(pair->server, bytes_of(pair->to_server.data, pair->to_server.size));
        cr_assert_eq(tls_session_handshake(pair->server), TLS_WANT_INPUT);
        tls_session_feed(pair->server, bytes_of("\x15\x03\x03\x00\x02\x01\x00", 7));
        enum tls_result result = tls_session_handshake(pair->server);
        cr_assert(result == TLS_CLOSED || result == TLS_FAILED);
        pair_close(pair);
    }
}

Test(session_p256, key_updates_are_followed) {
    struct pair *pair = connected(false, "p256", 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(wolfSSL_update_keys(pair->client), WOLFSSL_SUCCESS);
        says_hello_both_ways(pair);
    }
    pair_close(pair);
}

Test(session_p256, a_tampered_record_fails_with_an_alert) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = connected(tls12, NULL, 0);
        char text[16];
        pair_client_write(pair, "hello", 5);
        pair->to_server.data[pair->to_server.size - 1] ^= 1;
        cr_assert_eq(pair_server_read(pair, text, sizeof text), 0);
        cr_assert_eq(pair->result, TLS_FAILED);
        cr_assert_lt(pair_client_read(pair, text, sizeof text), 0);
        cr_assert_eq(pair_alert(pair), 20);
        cr_assert_eq(tls_session_write(pair->server, bytes_of("no", 2)), TLS_FAILED);
        pair_close(pair);
    }
}

static int refuse_output(void *owner, struct bytes ciphertext) {
    return --*(int *)owner < 0 ? -ENOBUFS : 0;
}

/* The contexts here have no tickets. */
static const struct tls_session_handler refuse_output_handler = {.output = refuse_output};

Test(session_p256, output_that_is_refused_fails_the_session) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair *pair = pair_open(context, &(struct pair_options){.tls12 = tls12});
        int allowed = 0;
        struct tls_session *session = tls_session_create(context, 4096, TLS_HTTP1, &refuse_output_handler, &allowed);
        wolfSSL_connect(pair->client);
        tls_session_feed(session, bytes_of(pair->to_server.data, pair->to_server.size));
        cr_assert_eq(tls_session_handshake(session), TLS_FAILED);
        tls_session_shutdown(session);
        tls_session_free(session);
        pair_close(pair);
    }
}

Test(session_p256, sessions_do_not_see_each_others_chains) {
    struct pair *one = connected(false, "p256", 0);
    struct pair *two = connected(false, "p384", 0);
    cr_assert_eq(one->chain.count, 2);
    cr_assert_eq(two->chain.count, 2);
    cr_assert_not(bytes_equal(one->chain.certificates[0], two->chain.certificates[0]));
    cr_assert(bytes_equal(one->chain.certificates[1], two->chain.certificates[1]));
    cr_assert(bytes_equal(tls_session_peer_chain(one->server)->certificates[0], one->chain.certificates[0]));
    cr_assert(bytes_equal(tls_session_peer_chain(two->server)->certificates[0], two->chain.certificates[0]));
    tls_session_forget_chain(one->server);
    cr_assert(tls_session_peer_chain(one->server) == NULL);
    cr_assert(tls_session_peer_chain(two->server) != NULL);
    pair_close(one);
    pair_close(two);
}

/* RFC 8446 section 4.1.2: the second hello is the first again, save what the server has asked to change. */
Test(session_p256, a_second_hello_in_tls12_is_refused) {
    struct pair *first = pair_open(context, &(struct pair_options){.no_key_share = true});
    struct pair *second = pair_open(context, &(struct pair_options){.tls12 = true});
    wolfSSL_connect(first->client);
    wolfSSL_connect(second->client);
    tls_session_feed(first->server, bytes_of(first->to_server.data, first->to_server.size));
    cr_assert_eq(tls_session_handshake(first->server), TLS_WANT_INPUT);
    cr_assert_gt(first->to_client.size, 0);
    second->to_server.data[2] = 3; /* as the records of a second hello have it */
    tls_session_feed(first->server, bytes_of(second->to_server.data, second->to_server.size));
    cr_assert_eq(tls_session_handshake(first->server), TLS_FAILED);
    pair_close(first);
    pair_close(second);
}

Test(session_p256, free_takes_null) {
    tls_session_free(NULL);
    tls_context_free(NULL);
    tls_credentials_free(NULL);
}
