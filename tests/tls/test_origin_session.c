/* A session with an origin and a server's session, joined by memory. */
#include "pair.h"
#include "tls/origin_session.h"
#include "tls/tickets.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

struct join {
    struct tls_session *server;
    struct tls_origin_session *client;
    struct pair_buffer to_client;
    struct pair_buffer to_server;
    int alert;        /* of judge() */
    unsigned judged;  /* how often */
    size_t presented; /* certificates */
    void (*tamper)(struct pair_buffer *to_client);
    enum tls_result client_result;
    enum tls_result server_result;
};

static void put(struct pair_buffer *buffer, struct bytes data) {
    cr_assert(data.size <= sizeof buffer->data - buffer->size);
    memcpy(buffer->data + buffer->size, data.data, data.size);
    buffer->size += data.size;
}

static int client_output(void *owner, struct bytes ciphertext) {
    put(&((struct join *)owner)->to_server, ciphertext);
    return 0;
}

static int server_output(void *owner, struct bytes ciphertext) {
    put(&((struct join *)owner)->to_client, ciphertext);
    return 0;
}

static int judge(void *owner, const struct tls_peer_chain *chain) {
    struct join *join = owner;

    join->judged++;
    join->presented = chain->count;
    return join->alert;
}

static bool bind_ticket(void *owner, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    memset(binding, 1, TLS_TICKET_BINDING_SIZE);
    return true;
}

static bool accept_ticket(void *owner, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    return true;
}

static const struct tls_origin_handler client_handler = {.output = client_output, .judge = judge};
static const struct tls_session_handler server_handler = {
    .output = server_output, .bind_ticket = bind_ticket, .accept_ticket = accept_ticket};

static struct tls_credentials *credentials;
static struct tls_tickets *tickets;
static struct tls_context *server;
static struct tls_origin_context *client;
static bool client_offers_http2;

static void begin(const char *key, bool asks) {
    struct error error;
    tls_library_init();
    credentials = server_credentials(key);
    tickets = tls_tickets_create();
    const struct tls_context_options options = {
        .credentials = credentials, .request_certificate = asks, .tickets = tickets, .ticket_lifetime_s = 3600};
    server = tls_context_create(&options, &error);
    cr_assert_not_null(server, "%s", error.text);
    const struct tls_origin_options towards = {.protocols = client_offers_http2 ? TLS_HTTP2 : TLS_HTTP1};
    client = tls_origin_context_create(&towards, &error);
    cr_assert_not_null(client, "%s", error.text);
}

static void finish(void) {
    tls_origin_context_free(client);
    tls_context_free(server);
    tls_tickets_free(tickets);
    tls_credentials_free(credentials);
    tls_library_cleanup();
}

static struct join *join_open(const struct tls_resumption *resumption) {
    struct join *join = calloc(1, sizeof *join);

    join->alert = TLS_ORIGIN_ACCEPTED;
    join->client_result = join->server_result = TLS_WANT_INPUT;
    join->server = tls_session_create(server, 16384, client_offers_http2 ? TLS_HTTP2 : TLS_HTTP1, &server_handler, join);
    join->client = tls_origin_session_create(client, "localhost", resumption, &client_handler, join);
    cr_assert(join->server != NULL && join->client != NULL);
    return join;
}

static void join_close(struct join *join) {
    tls_session_free(join->server);
    tls_origin_session_free(join->client);
    free(join);
}

/* Each side works through what the other has sent. */
static void step(struct join *join) {
    static uint8_t input[PAIR_BUFFER_SIZE];

    if (join->client_result == TLS_WANT_INPUT) {
        size_t size = join->to_client.size;
        if (join->tamper != NULL) {
            join->tamper(&join->to_client);
        }
        memcpy(input, join->to_client.data, size);
        join->to_client.size = 0;
        tls_origin_session_feed(join->client, bytes_of(input, size));
        join->client_result = tls_origin_session_handshake(join->client);
    }
    if (join->server_result == TLS_WANT_INPUT && join->to_server.size > 0) {
        size_t size = join->to_server.size;
        memcpy(input, join->to_server.data, size);
        join->to_server.size = 0;
        tls_session_feed(join->server, bytes_of(input, size));
        join->server_result = tls_session_handshake(join->server);
    }
}

static bool shake_hands(struct join *join) {
    for (int i = 0; i < 10; i++) {
        step(join);
    }
    return join->client_result == TLS_DONE && join->server_result == TLS_DONE;
}

/* Has the client read from the bytes that the server has sent. */
static size_t client_reads(struct join *join, void *plaintext, size_t capacity) {
    static uint8_t input[PAIR_BUFFER_SIZE];
    size_t size = join->to_client.size, got = 0;

    memcpy(input, join->to_client.data, size);
    join->to_client.size = 0;
    if (size > 0) {
        tls_origin_session_feed(join->client, bytes_of(input, size));
    }
    join->client_result = tls_origin_session_read(join->client, plaintext, capacity, &got);
    return got;
}

Test(origin_session, carries_bytes_both_ways_for_each_kind_of_key) {
    static const char *const keys[] = {"p256", "p384", "ed25519", "rsa2048"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char text[16];
        size_t size;
        begin(keys[i], false);
        struct join *join = join_open(NULL);
        cr_assert(shake_hands(join), "%s: %d %d", keys[i], join->client_result, join->server_result);
        cr_assert(join->judged == 1 && join->presented == 1);
        cr_assert_not(tls_origin_session_is_resumed(join->client));
        cr_assert_not(tls_origin_session_is_http2(join->client));
        tls_session_write(join->server, bytes_of_string("answer"));
        cr_assert_eq(client_reads(join, text, 3), 3);
        cr_assert(tls_origin_session_has_plaintext(join->client));
        cr_assert_eq(client_reads(join, text + 3, sizeof text - 3), 3);
        cr_assert_arr_eq(text, "answer", 6);
        cr_assert_not(tls_origin_session_has_plaintext(join->client) || tls_origin_session_has_part(join->client));
        cr_assert_eq(tls_origin_session_write(join->client, bytes_of_string("request")), TLS_DONE);
        tls_session_feed(join->server, bytes_of(join->to_server.data, join->to_server.size));
        cr_assert_eq(tls_session_read(join->server, text, sizeof text, &size), TLS_DONE);
        cr_assert(size == 7 && memcmp(text, "request", 7) == 0);
        tls_session_shutdown(join->server);
        cr_assert_eq(client_reads(join, text, sizeof text), 0);
        cr_assert_eq(join->client_result, TLS_CLOSED);
        join_close(join);
        finish();
    }
}

Test(origin_session, ends_by_the_alert_of_the_judge) {
    bool is_alert;
    begin("p256", false);
    struct join *join = join_open(NULL);
    join->alert = 48; /* unknown_ca */
    cr_assert_not(shake_hands(join));
    cr_assert(join->judged == 1 && join->client_result == TLS_FAILED && join->server_result == TLS_FAILED);
    cr_assert_null(tls_origin_session_take_resumption(join->client));
    cr_assert_str_not_empty(tls_origin_session_fault(join->client, &is_alert));
    cr_assert_not(is_alert);
    join_close(join);
    finish();
}

Test(origin_session, resumes_without_another_judgement) {
    char text[16];
    begin("p256", false);
    struct join *first = join_open(NULL);
    cr_assert(shake_hands(first));
    cr_assert_eq(client_reads(first, text, sizeof text), 0);
    struct tls_resumption *resumption = tls_origin_session_take_resumption(first->client);
    cr_assert_not_null(resumption, "the ticket has come");
    cr_assert_null(tls_origin_session_take_resumption(first->client));
    join_close(first);
    struct join *second = join_open(resumption);
    cr_assert(shake_hands(second), "%d %d", second->client_result, second->server_result);
    cr_assert(tls_origin_session_is_resumed(second->client) && second->judged == 0);
    join_close(second);
    tls_tickets_free(tickets);
    tickets = tls_tickets_create();
    struct error error;
    tls_context_free(server);
    const struct tls_context_options options = {.credentials = credentials, .tickets = tickets, .ticket_lifetime_s = 3600};
    server = tls_context_create(&options, &error);
    struct join *third = join_open(resumption);
    cr_assert(shake_hands(third), "an origin that has forgotten the ticket: %d", third->client_result);
    cr_assert(!tls_origin_session_is_resumed(third->client) && third->judged == 1);
    join_close(third);
    tls_resumption_free(resumption);
    finish();
}

Test(origin_session, agrees_on_http2) {
    client_offers_http2 = true;
    begin("p256", false);
    struct join *join = join_open(NULL);
    cr_assert(shake_hands(join));
    cr_assert(tls_origin_session_is_http2(join->client));
    join_close(join);
    finish();
}

/* Flips a bit of the last byte that goes to the client: of a Finished, or of what proves the key. */
static void flip(struct pair_buffer *to_client) {
    if (to_client->size > 600) {
        to_client->data[to_client->size - 1] ^= 1;
    }
}

Test(origin_session, takes_no_forged_record) {
    begin("p256", false);
    struct join *join = join_open(NULL);
    join->tamper = flip;
    cr_assert_not(shake_hands(join));
    cr_assert_eq(join->client_result, TLS_FAILED);
    join_close(join);
    finish();
}

Test(origin_session, has_no_certificate_for_an_origin_that_asks) {
    begin("p256", true);
    struct join *join = join_open(NULL);
    cr_assert(shake_hands(join), "the origin may do without");
    cr_assert_null(tls_session_peer_chain(join->server));
    join_close(join);
    finish();
}

Test(origin_session, knows_whether_a_record_is_whole) {
    char text[16];
    begin("p256", false);
    struct join *join = join_open(NULL);
    cr_assert(shake_hands(join));
    client_reads(join, text, sizeof text); /* the ticket */
    cr_assert_not(tls_origin_session_has_part(join->client));
    tls_session_write(join->server, bytes_of_string("whole"));
    size_t size = join->to_client.size;
    for (size_t i = 0; i < size; i++) {
        size_t got;
        tls_origin_session_feed(join->client, bytes_of(join->to_client.data + i, 1));
        cr_assert_eq(tls_origin_session_has_part(join->client), i + 1 < size);
        cr_assert_eq(tls_origin_session_read(join->client, text, sizeof text, &got),
                     i + 1 < size ? TLS_WANT_INPUT : TLS_DONE);
    }
    join_close(join);
    finish();
}

Test(origin_session, moves_its_input) {
    uint8_t *rest = NULL;
    begin("p256", false);
    struct join *join = join_open(NULL);
    cr_assert(shake_hands(join));
    char text[4];
    client_reads(join, text, sizeof text); /* the ticket */
    tls_session_write(join->server, bytes_of_string("one"));
    tls_session_write(join->server, bytes_of_string("two"));
    cr_assert_eq(client_reads(join, text, 3), 3);
    size_t size = tls_origin_session_input(join->client).size;
    cr_assert_gt(size, 0);
    rest = malloc(size);
    tls_origin_session_move_input(join->client, rest);
    cr_assert_eq(tls_origin_session_input(join->client).data, rest);
    cr_assert_eq(client_reads(join, text, 3), 3);
    cr_assert_arr_eq(text, "two", 3);
    free(rest);
    join_close(join);
    finish();
}
