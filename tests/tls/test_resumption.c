#include "base/check.h"
#include "pair.h"
#include "tls/tickets.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct tls_credentials *credentials;
static struct tls_tickets *tickets;
static struct tls_context *context;

static struct tls_context *make_context_with(const struct tls_credentials *own, struct tls_tickets *with) {
    struct error error = {""};
    struct tls_context_options options = {
        .credentials = own, .request_certificate = true, .tickets = with, .ticket_lifetime_s = 3600};
    struct tls_context *made = tls_context_create(&options, &error);
    cr_assert(made != NULL, "%s", error.text);
    return made;
}

static struct tls_context *make_context(struct tls_tickets *with) {
    return make_context_with(credentials, with);
}

static void set_up(void) {
    cr_assert_eq(tls_library_init(), 0);
    credentials = server_credentials("p256");
    tickets = tls_tickets_create();
    context = make_context(tickets);
}

static void tear_down(void) {
    tls_context_free(context);
    tls_tickets_free(tickets);
    tls_credentials_free(credentials);
    tls_library_cleanup();
}

TestSuite(resumption, .init = set_up, .fini = tear_down);

static const char *const clients[] = {"p256", "rsa2048", "ed25519", NULL};
enum { CLIENTS = sizeof clients / sizeof clients[0] };

static void set_binding(struct pair *pair, uint8_t first) {
    for (size_t i = 0; i < sizeof pair->binding; i++) {
        pair->binding[i] = (uint8_t)(first + i);
    }
}

/* A full handshake, and the session that the client has then. */
static WOLFSSL_SESSION *first_session(struct tls_context *with, const struct pair_options *options, bool refuses) {
    struct pair *pair = pair_open(with, options);
    set_binding(pair, 1);
    pair->refuses_binding = refuses;
    cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
    cr_assert(!tls_session_is_resumed(pair->server) && pair->accepts == 0 && !pair->bound_when_resumed);
    cr_assert_eq(pair->caught, options->client != NULL);
    WOLFSSL_SESSION *session = pair_session(pair);
    pair_close(pair);
    return session;
}

static void says_hello(struct pair *pair) {
    char text[16];
    pair_client_write(pair, "hello", 5);
    cr_assert_eq(pair_server_read(pair, text, sizeof text), 5);
}

Test(resumption, what_a_ticket_was_bound_to_comes_back) {
    for (size_t i = 0; i < CLIENTS; i++) {
        for (int tls12 = 0; tls12 < 2; tls12++) {
            struct pair_options options = {.client = clients[i], .tls12 = tls12};
            options.session = first_session(context, &options, false);
            struct pair *pair = pair_open(context, &options);
            set_binding(pair, 99);
            cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
            cr_assert(tls_session_is_resumed(pair->server), "client %zu, TLS 1.%d", i, tls12 ? 2 : 3);
            cr_assert(!tls_session_is_proved(pair->server));
            cr_assert(pair->accepts == 1 && !pair->caught);
            for (size_t j = 0; j < sizeof pair->accepted; j++) {
                cr_assert_eq(pair->accepted[j], 1 + j);
            }
            cr_assert_eq(pair->binds, tls12 ? 0 : 1, "a fresh ticket in TLS 1.3");
            cr_assert_eq(pair->bound_when_resumed, !tls12);
            says_hello(pair);
            pair_close(pair);
            wolfSSL_SESSION_free(options.session);
        }
    }
}

/* The protocol is agreed on anew (RFC 7301 section 3.1), and wolfSSL resumes no session of another one. */
Test(resumption, within_one_application_protocol) {
    for (unsigned i = 0; i < 8; i++) {
        enum tls_protocols first = (i & 1) != 0 ? TLS_HTTP2 : TLS_HTTP1;
        struct pair_options options = {.client = "p256", .tls12 = (i & 2) != 0, .alpn = "http/1.1,h2", .protocols = first};
        options.session = first_session(context, &options, false);
        options.protocols = (i & 4) != 0 ? TLS_HTTP2 : TLS_HTTP1;
        struct pair *pair = pair_open(context, &options);
        set_binding(pair, 1);
        cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
        bool is_http2 = options.protocols == TLS_HTTP2;
        bool is_same = first == options.protocols;
        cr_expect_eq(tls_session_is_resumed(pair->server), is_same, "case %u", i);
        cr_expect_eq(pair->caught, !is_same, "case %u: a full handshake asks for the certificate", i);
        says_hello(pair);
        cr_expect_eq(tls_session_is_http2(pair->server), is_http2, "case %u", i);
        char *name = NULL;
        unsigned short size = 0;
        cr_assert_eq(wolfSSL_ALPN_GetProtocol(pair->client, &name, &size), WOLFSSL_SUCCESS);
        cr_expect_eq(size, is_http2 ? 2 : 8, "case %u: %.*s", i, size, name);
        pair_close(pair);
        wolfSSL_SESSION_free(options.session);
    }
}

Test(resumption, without_any_application_protocol) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair_options options = {.client = "p256", .tls12 = tls12, .alpn = "mqtt", .protocols = TLS_ANY};
        options.session = first_session(context, &options, false);
        struct pair *pair = pair_open(context, &options);
        set_binding(pair, 1);
        cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
        cr_expect(tls_session_is_resumed(pair->server));
        says_hello(pair);
        pair_close(pair);
        wolfSSL_SESSION_free(options.session);
    }
}

Test(resumption, a_ticket_of_a_resumed_session_resumes_too) {
    struct pair_options options = {.client = "p256"};
    options.session = first_session(context, &options, false);
    /* More often than a nonce of one byte has values. */
    for (int round = 0; round < 520; round++) {
        struct pair *pair = pair_open(context, &options);
        set_binding(pair, 1);
        cr_assert(pair_handshake(pair) && tls_session_is_resumed(pair->server), "round %d", round);
        WOLFSSL_SESSION *next = pair_session(pair);
        pair_close(pair);
        wolfSSL_SESSION_free(options.session);
        options.session = next;
    }
    wolfSSL_SESSION_free(options.session);
}

/* A full handshake with the client's certificate, whatever the client had in hand. */
static void assert_full(struct tls_context *with, const struct pair_options *options, bool has_session, bool refuses,
                        unsigned accepts) {
    struct pair *pair = pair_open(with, options);
    /* In TLS 1.2 the client has a session identifier all the same. */
    cr_assert_eq(pair->has_session, has_session || options->tls12);
    pair->refuses_ticket = refuses;
    cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
    cr_assert(!tls_session_is_resumed(pair->server) && !pair->bound_when_resumed);
    cr_assert(pair->caught);
    cr_assert_eq(pair->accepts, accepts);
    says_hello(pair);
    pair_close(pair);
}

Test(resumption, who_is_not_welcome_any_more_does_the_full_handshake) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair_options options = {.client = "p256", .tls12 = tls12};
        options.session = first_session(context, &options, false);
        assert_full(context, &options, true, true, 1);
        wolfSSL_SESSION_free(options.session);
    }
}

Test(resumption, who_is_refused_a_ticket_has_none) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair_options options = {.client = "p256", .tls12 = tls12};
        options.session = first_session(context, &options, true);
        assert_full(context, &options, false, false, 0);
        wolfSSL_SESSION_free(options.session);
    }
}

Test(resumption, not_with_the_keys_of_another_process) {
    struct tls_tickets *others = tls_tickets_create();
    struct tls_context *other = make_context(others);
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair_options options = {.client = "p256", .tls12 = tls12};
        options.session = first_session(other, &options, false);
        assert_full(context, &options, true, false, 0);
        wolfSSL_SESSION_free(options.session);
    }
    tls_context_free(other);
    tls_tickets_free(others);
}

Test(resumption, contexts_with_the_same_keys_share_tickets) {
    struct tls_context *other = make_context(tickets);
    struct pair_options options = {.client = "p256"};
    options.session = first_session(other, &options, false);
    struct pair *pair = pair_open(context, &options);
    cr_assert(pair_handshake(pair) && tls_session_is_resumed(pair->server));
    pair_close(pair);
    wolfSSL_SESSION_free(options.session);
    tls_context_free(other);
}

/* A host's certificates are of several kinds, and a client may get another one when it comes again. */
Test(resumption, across_certificates_of_all_kinds) {
    static const char *const kinds[] = {"p256", "rsa2048", "ed25519"};
    struct tls_credentials *own[ARRAY_LENGTH(kinds)];
    struct tls_context *of[ARRAY_LENGTH(kinds)];
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        own[i] = server_credentials(kinds[i]);
        of[i] = make_context_with(own[i], tickets);
    }
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(kinds) * ARRAY_LENGTH(kinds); i++) {
        size_t from = i / 2 % ARRAY_LENGTH(kinds);
        size_t to = i / 2 / ARRAY_LENGTH(kinds);
        struct pair_options options = {.client = "p256", .tls12 = i % 2 != 0};
        options.session = first_session(of[from], &options, false);
        struct pair *pair = pair_open(of[to], &options);
        set_binding(pair, 1);
        cr_assert(pair_handshake(pair), "%s then %s, TLS 1.%d: %s, client %d", kinds[from], kinds[to], options.tls12 ? 2 : 3,
                  pair_result(pair), pair->client_error);
        cr_expect(tls_session_is_resumed(pair->server), "%s then %s, TLS 1.%d", kinds[from], kinds[to],
                  options.tls12 ? 2 : 3);
        says_hello(pair);
        pair_close(pair);
        wolfSSL_SESSION_free(options.session);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        tls_context_free(of[i]);
        tls_credentials_free(own[i]);
    }
}

Test(resumption, not_where_it_is_off) {
    struct tls_context *off = make_context(NULL);
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair_options options = {.client = "p256", .tls12 = tls12};
        options.session = first_session(context, &options, false);
        assert_full(off, &options, true, false, 0);
        wolfSSL_SESSION_free(options.session);
        options.session = NULL;
        options.session = first_session(off, &options, false);
        assert_full(context, &options, false, false, 0);
        wolfSSL_SESSION_free(options.session);
    }
    tls_context_free(off);
}

/* The ticket of one version in a hello of the other. */
static void assert_ticket_is_not_taken(bool from_tls12) {
    struct pair_options options = {.client = "p256", .tls12 = from_tls12};
    struct pair *pair = pair_open(context, &options);
    uint8_t ticket[1024];
    word32 size = sizeof ticket;
    cr_assert(pair_handshake(pair));
    wolfSSL_SESSION_free(pair_session(pair));
    cr_assert_eq(wolfSSL_get_SessionTicket(pair->client, ticket, &size), WOLFSSL_SUCCESS);
    cr_assert_gt(size, 200);
    pair_close(pair);

    options.tls12 = !from_tls12;
    options.session = first_session(context, &options, false);
    pair = pair_open(context, &options);
    cr_assert_eq(wolfSSL_set_SessionTicket(pair->client, ticket, size), WOLFSSL_SUCCESS);
    cr_assert(pair_handshake(pair), "%s, client %d", pair_result(pair), pair->client_error);
    cr_assert(!tls_session_is_resumed(pair->server) && pair->caught && pair->accepts == 0);
    pair_close(pair);
    wolfSSL_SESSION_free(options.session);
}

Test(resumption, not_with_the_ticket_of_another_version) {
    assert_ticket_is_not_taken(true);
    assert_ticket_is_not_taken(false);
}

/* Both sides hash the handshake's messages alike: with the hash of any suite, over one hello or two, in full and resumed. */
Test(resumption, every_suite_hashes_the_same_transcript_as_the_client) {
    static const struct {
        const char *suite;
        const char *name;
        bool tls12;
    } suites[] = {
        {"TLS13-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256", false},
        {"TLS13-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384", false},
        {"TLS13-CHACHA20-POLY1305-SHA256", "TLS_CHACHA20_POLY1305_SHA256", false},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", true},
    };
    static const char *const signers[] = {"p256", "p384", "p521", "rsa2048", "pss2048", "ed25519"};
    for (size_t i = 0; i < ARRAY_LENGTH(suites) * ARRAY_LENGTH(signers) * 2; i++) {
        size_t suite = i / 2 % ARRAY_LENGTH(suites);
        struct pair_options options = {
            .client = signers[i / 2 / ARRAY_LENGTH(suites)],
            .suite = suites[suite].suite,
            .tls12 = suites[suite].tls12,
            .no_key_share = i % 2 != 0,
        };
        if (options.no_key_share && options.tls12) {
            continue;
        }
        /* There wolfSSL's client signs with a PSS key as with any of RSA: the scheme is not one for it. */
        if (options.tls12 && strcmp(options.client, "pss2048") == 0) {
            continue;
        }
        options.session = first_session(context, &options, false);
        /* With two hellos the ticket comes twice, and its owner is asked once. */
        struct pair *pair = pair_open(context, &options);
        cr_assert(pair_handshake(pair), "%s, %s, %s, client %d", options.suite, options.client, pair_result(pair),
                  pair->client_error);
        cr_assert_str_eq(tls_session_cipher(pair->server), suites[suite].name);
        cr_assert_eq(pair->hellos, options.no_key_share ? 2 : 1);
        cr_assert(tls_session_is_resumed(pair->server) && pair->accepts == 1 && !pair->caught);
        says_hello(pair);
        pair_close(pair);
        wolfSSL_SESSION_free(options.session);
    }
}
