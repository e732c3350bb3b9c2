/* An exchange between a carrier and an origin that are both made up: for the tests of what it does. Once in a program. */
#ifndef TESTS_EDGE_MADE_UP_H
#define TESTS_EDGE_MADE_UP_H

#include "edge/exchange_tunnel.h"
#include "edge/site_switch.h"
#include "served.h"

#include <string.h>

/* Linked with --wrap: the origin's side. */
struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault);
size_t __wrap_relay_exchange_room(struct relay_exchange *exchange);
void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
void __wrap_relay_exchange_body_end(struct relay_exchange *exchange);
void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers);
bool __wrap_relay_exchange_part(struct relay_exchange *exchange);
void __wrap_relay_exchange_pause(struct relay_exchange *exchange);
void __wrap_relay_exchange_resume(struct relay_exchange *exchange);
void __wrap_relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault);
void __wrap_relay_exchange_abort(struct relay_exchange *exchange);
/* And what a head for the origin has of TLS and headers. */
const char *__wrap_tls_session_version(const struct tls_session *session);
const char *__wrap_tls_session_cipher(const struct tls_session *session);
enum key_group __wrap_tls_session_key_group(const struct tls_session *session);
void __wrap_http_write_request(struct text *out, const struct http_message *request, const void *head,
                               const struct http_forwarding *forwarding);
void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns);

const struct config_host *__wrap_config_find_host(const struct config *config, const char *name);

const struct config_host *__wrap_config_find_host(const struct config *config, const char *name) {
    return strcmp(name, "s.test") == 0 ? &scene.host : NULL;
}

/* All that has happened, a letter each, in order. */
static char events[64];
static struct exchange exchange;
static const struct relay_handler *origin;
static bool is_reachable, is_busy, takes_heads;
static bool patient; /* the last request that was relayed */
static size_t origin_room, client_room;
static unsigned status; /* of the last reply */
static char reply_fields[256];
static char sent_trailers[256], given_trailers[256]; /* of the last request, and answer */

static void note(const char *event) {
    strncat(events, event, sizeof events - strlen(events) - 1);
}

/* Expects these events since the last time. */
static void expect_events(const char *expected, int line) {
    cr_expect_str_eq(events, expected, "line %d: %s", line, events);
    events[0] = '\0';
}
#define EXPECT_EVENTS(expected) expect_events(expected, __LINE__)

struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault) {
    note("S");
    cr_expect_eq(owner, &exchange);
    cr_expect_eq(request->client, &exchange.client->origin);
    origin = handler;
    patient = request->patient;
    *fault = is_busy ? RELAY_FAULT_BUSY : RELAY_FAULT_REFUSED;
    return is_reachable ? (struct relay_exchange *)&origin : NULL;
}

size_t __wrap_relay_exchange_room(struct relay_exchange *relayed) {
    return origin_room;
}

void __wrap_relay_exchange_body(struct relay_exchange *relayed, struct bytes piece) {
    note("b");
}

void __wrap_relay_exchange_body_end(struct relay_exchange *relayed) {
    note("e");
}

void __wrap_relay_exchange_body_end_with(struct relay_exchange *relayed, struct bytes trailers) {
    note("e");
    memcpy(sent_trailers, trailers.data == NULL ? (const void *)"" : trailers.data, trailers.size);
    sent_trailers[trailers.size] = '\0';
}

bool __wrap_relay_exchange_part(struct relay_exchange *relayed) {
    note("P");
    return true;
}

void __wrap_relay_exchange_pause(struct relay_exchange *relayed) {
    note("p");
}

void __wrap_relay_exchange_resume(struct relay_exchange *relayed) {
    note("r");
}

void __wrap_relay_exchange_refuse(struct relay_exchange *relayed, enum relay_fault fault) {
    note("f");
}

void __wrap_relay_exchange_abort(struct relay_exchange *relayed) {
    note("a");
}

const char *__wrap_tls_session_version(const struct tls_session *session) {
    return "TLSv1.3";
}

const char *__wrap_tls_session_cipher(const struct tls_session *session) {
    return "TLS_AES_128_GCM_SHA256";
}

enum key_group __wrap_tls_session_key_group(const struct tls_session *session) {
    return KEY_GROUP_X25519;
}

void __wrap_http_write_request(struct text *out, const struct http_message *request, const void *head,
                               const struct http_forwarding *forwarding) {
    cr_expect_eq(forwarding->identity.data, scene.identity.headers.data);
}

void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns) {}

/* The carrier. */

static bool send_interim(struct exchange *e, const struct http_message *response, const void *head) {
    note("I");
    return true;
}

static bool send_head(struct exchange *e, const struct http_message *response, const void *head) {
    note("H");
    return takes_heads;
}

static bool send_body(struct exchange *e, struct bytes piece) {
    note("B");
    return true;
}

static void send_end(struct exchange *e, struct bytes trailers) {
    note("E");
    memcpy(given_trailers, trailers.data == NULL ? (const void *)"" : trailers.data, trailers.size);
    given_trailers[trailers.size] = '\0';
}

static void send_half_end(struct exchange *e) {
    note("h");
}

static void send_reply(struct exchange *e, struct http_reply *reply) {
    note("R");
    status = reply->status;
    snprintf(reply_fields, sizeof reply_fields, "%s|%s|%zu", reply->content_type, reply->fields == NULL ? "" : reply->fields,
             reply->body.size);
}

static void invite_body(struct exchange *e) {
    note("C");
}

static void reset(struct exchange *e, enum exchange_reset how) {
    note(how == EXCHANGE_CUT_SHORT ? "X" : "G");
}

static size_t room(const struct exchange *e) {
    return client_room;
}

static void read_more(void *owner) {
    note("M");
}

static const struct exchange_carrier carrier = {
    .send_interim = send_interim,
    .send_head = send_head,
    .send_body = send_body,
    .send_end = send_end,
    .send_half_end = send_half_end,
    .send_reply = send_reply,
    .invite_body = invite_body,
    .reset = reset,
    .room = room,
    .read_more = read_more,
};

static struct client *client;

static void open_all(void) {
    served_open();
    is_reachable = takes_heads = true;
    is_busy = false;
    origin_room = client_room = 1000;
    client = &served_connect()->client;
}

static void close_all(void) {
    served_close();
}

/* Reads a head as any carrier may, and begins. */
static void begin(const char *head) {
    exchange_init(&exchange, &carrier, NULL, client);
    struct http_parser parser;
    http_parser_init_request(&parser, &exchange.request, 8192);
    cr_assert_eq(http_parser_head(&parser, bytes_of_string(head)), HTTP_PARSE_HEAD);
    exchange_begin(&exchange, bytes_of_string(head));
}

static void answer(unsigned code) {
    origin->head(&exchange, &(struct http_message){.status = code}, "");
}

static uint64_t requests(const struct site *site, unsigned code) {
    return stats_requests(stats_hosts_at(site->stats, 0, 0), stats_code_slot(code));
}

#endif
