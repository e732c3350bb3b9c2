/* A client of a tcp host: let in or denied, and its bytes and their ends from the one side to the other. */
#include "edge/handshake.h"
#include "edge/tcp.h"
#include "edge/verdict.h"
#include "served.h"

#include <string.h>

/* Linked with --wrap. */
const struct identity *__wrap_verdict_now(struct client *client);
struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault);
const char *__wrap_relay_exchange_origin(const struct relay_exchange *exchange);
size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange);
void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
void __wrap_relay_exchange_body_end(struct relay_exchange *exchange);
void __wrap_relay_exchange_pause(struct relay_exchange *exchange);
void __wrap_relay_exchange_resume(struct relay_exchange *exchange);
bool __wrap_relay_exchange_part(struct relay_exchange *exchange);
bool __wrap_relay_exchange_is_cut(const struct relay_exchange *exchange);
void __wrap_relay_exchange_abort(struct relay_exchange *exchange);
bool __wrap_output_send(struct connection *connection, struct bytes plaintext);
void __wrap_plaintext_read(struct connection *connection);
void __wrap_stream_close(struct stream *stream);
void __wrap_stream_finish(struct stream *stream);
void __wrap_stream_finish_briefly(struct stream *stream);
void __wrap_stream_receive(struct stream *stream);
void __wrap_stream_receive_up_to(struct stream *stream, size_t size);
void __wrap_stream_watch(struct stream *stream);
void __wrap_tls_session_shutdown(struct tls_session *session);
void __wrap_tls_session_deny(struct tls_session *session);
void __wrap_tls_session_welcome_small(struct tls_session *session);

static const struct relay_handler *origin; /* the functions by which an origin speaks; NULL: none was asked for */
static struct tcp_tunnel *tunnel;
static bool has_origin, has_memory;
static size_t room; /* that the origin has */
static char sent[64], given[64];
static unsigned aborted, parted, halves_ended, paused, resumed, denied, shut_down, closed, finished, finished_briefly;
static bool cut; /* the origin's end has come without close_notify */

const struct identity *__wrap_verdict_now(struct client *client) {
    return has_memory ? client->verdict.identity : NULL;
}

struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault) {
    cr_expect(request->bare && request->head.size == 0 && request->client == NULL);
    *fault = RELAY_FAULT_NO_RESOURCES;
    origin = handler;
    tunnel = owner;
    return has_origin ? (struct relay_exchange *)&room : NULL;
}

const char *__wrap_relay_exchange_origin(const struct relay_exchange *exchange) {
    return "10.0.0.1:1883";
}

size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange) {
    return room;
}

void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece) {
    strncat(given, (const char *)piece.data, piece.size);
    room -= piece.size;
}

void __wrap_relay_exchange_body_end(struct relay_exchange *exchange) {
    halves_ended++;
}

void __wrap_relay_exchange_pause(struct relay_exchange *exchange) {
    paused++;
}

void __wrap_relay_exchange_resume(struct relay_exchange *exchange) {
    resumed++;
}

bool __wrap_relay_exchange_part(struct relay_exchange *exchange) {
    parted++;
    return true;
}

bool __wrap_relay_exchange_is_cut(const struct relay_exchange *exchange) {
    return cut;
}

void __wrap_relay_exchange_abort(struct relay_exchange *exchange) {
    aborted++;
}

bool __wrap_output_send(struct connection *connection, struct bytes plaintext) {
    strncat(sent, (const char *)plaintext.data, plaintext.size);
    return true;
}

void __wrap_plaintext_read(struct connection *connection) {}
void __wrap_stream_receive(struct stream *stream) {}
void __wrap_stream_receive_up_to(struct stream *stream, size_t size) {}
void __wrap_stream_watch(struct stream *stream) {}
void __wrap_tls_session_welcome_small(struct tls_session *session) {}

void __wrap_stream_close(struct stream *stream) {
    closed++;
}

void __wrap_stream_finish(struct stream *stream) {
    finished++;
}

void __wrap_stream_finish_briefly(struct stream *stream) {
    finished_briefly++;
}

void __wrap_tls_session_shutdown(struct tls_session *session) {
    shut_down++;
}

void __wrap_tls_session_deny(struct tls_session *session) {
    denied++;
}

static struct connection *connection;

static void open_all(void) {
    served_open();
    cr_assert_eq(slab_create(&scene.shard.tunnels, sizeof(struct tcp_tunnel), SERVED_PLACES), 0);
    scene.host.is_tcp = true;
    scene.host.mode = CONFIG_ENFORCE;
    scene.host.tunnel_idle_ms = 600000;
    has_origin = has_memory = true;
    connection = served_connect();
    connection->stage = &handshake_stage;
    connection->handshake_counted = true;
}

static void close_all(void) {
    connection_end(connection, CONNECTION_ABRUPTLY);
    cr_expect_eq(scene.shard.tunnels.in_use, 0);
    cr_expect_eq(scene.shard.ring.timers.set, 0);
    cr_expect_eq(stats_read(&stats_hosts_at(scene.site.stats, 0, 0)->tunnels), 0);
    slab_destroy(&scene.shard.tunnels);
    served_close();
}

TestSuite(tcp, .init = open_all, .fini = close_all);

/* The origin's connection is made. */
static void open_origin(void) {
    tcp_begin(connection);
    cr_assert_eq(connection->stage, &tcp_stage);
    room = 1000;
    origin->drained(tunnel);
}

static size_t say(const char *text) {
    return tcp_stage.plaintext(connection, bytes_of_string(text));
}

static uint64_t ended(enum stats_tunnel_end why) {
    return stats_read(&stats_hosts_at(scene.site.stats, 0, 0)->tunnel_ends[why]);
}

Test(tcp, a_client_that_is_not_valid_is_denied_and_asks_no_origin) {
    scene.identity.status = STATUS_INVALID;
    scene.identity.reason = REASON_EXPIRED;
    tcp_begin(connection);
    cr_expect(connection_is_closing(connection) && denied == 1 && finished_briefly == 1 && shut_down == 0);
    cr_expect_null(origin);
    cr_expect_eq(stats_read(&scene.stats.rejected[STATS_AT_CERTIFICATE][STATS_REJECT_DENIED]), 1);
    cr_expect_eq(stats_read(&stats_hosts_at(scene.site.stats, 0, 0)->denied[REASON_EXPIRED]), 1);
}

Test(tcp, a_client_whose_verdict_cannot_be_reached_is_refused) {
    has_memory = false;
    tcp_begin(connection);
    cr_expect(connection_is_closing(connection) && denied == 0 && closed == 1);
    cr_expect_null(origin);
    cr_expect_eq(stats_read(&scene.stats.rejected[STATS_AT_REQUEST][STATS_REJECT_NO_MEMORY]), 1);
}

Test(tcp, without_an_origin_the_client_is_told_so_in_peace) {
    has_origin = false;
    tcp_begin(connection);
    cr_expect(connection_is_closing(connection) && shut_down == 1 && finished == 1 && aborted == 0);
    cr_expect_eq(ended(STATS_TUNNEL_CLOSED), 1);
}

Test(tcp, an_origin_that_is_not_reached_is_no_cut) {
    tcp_begin(connection);
    origin->failed(tunnel, RELAY_UNREACHABLE, RELAY_FAULT_REFUSED);
    cr_expect(shut_down == 1 && finished == 1);
}

Test(tcp, an_origin_that_is_lost_is_a_cut) {
    open_origin();
    origin->failed(tunnel, RELAY_BROKEN, RELAY_FAULT_RESET);
    cr_expect(shut_down == 0 && finished == 1);
}

Test(tcp, nothing_is_read_before_the_origin_is_there) {
    tcp_begin(connection);
    cr_expect_not(tcp_stage.wants_input(connection));
    cr_expect_eq(say("early"), 0);
    room = 1000;
    origin->drained(tunnel);
    cr_expect(tcp_stage.wants_input(connection));
    cr_expect_eq(say("hello"), 5);
    cr_expect_str_eq(given, "hello");
    cr_expect_str_eq(tunnel->origin, "10.0.0.1:1883");
}

Test(tcp, each_side_takes_what_it_has_room_for) {
    open_origin();
    room = 3;
    cr_expect_eq(say("hello"), 3);
    cr_expect_not(tcp_stage.wants_input(connection));
    connection->stream->queue.size = STREAM_QUEUE_MAX;
    origin->body(tunnel, bytes_of_string("much"));
    origin->body(tunnel, bytes_of_string(" more"));
    cr_expect_str_eq(sent, "much more");
    cr_expect(paused == 1 && resumed == 0, "once");
    connection->stream->queue.size = 0;
    tcp_stage.drained(connection);
    cr_expect_eq(resumed, 1);
    const struct stats_host *counters = stats_hosts_at(scene.site.stats, 0, 0);
    cr_expect_eq(stats_read(&counters->tcp_bytes[STATS_IN]), 3);
    cr_expect_eq(stats_read(&counters->tcp_bytes[STATS_OUT]), 9);
}

Test(tcp, the_end_of_the_client_waits_for_the_origin) {
    tcp_begin(connection);
    tcp_stage.finished(connection, true);
    cr_expect(halves_ended == 0 && !connection_is_closing(connection));
    room = 1000;
    origin->drained(tunnel);
    cr_expect_eq(halves_ended, 1);
    origin->half_end(tunnel);
    cr_expect(parted == 1 && shut_down == 1 && finished == 1 && aborted == 0);
}

/* The client, which may still read, is not told of a whole by close_notify. */
Test(tcp, an_end_of_the_origin_without_close_notify_is_passed_on) {
    open_origin();
    tcp_stage.finished(connection, true);
    cr_expect_eq(halves_ended, 1);
    cut = true;
    origin->half_end(tunnel);
    cr_expect(parted == 1 && shut_down == 0 && connection_is_closing(connection) && aborted == 0);
}

Test(tcp, the_end_of_the_origin_leaves_the_client_its_half) {
    open_origin();
    origin->half_end(tunnel);
    cr_expect(shut_down == 1 && !connection_is_closing(connection));
    cr_expect_eq(say("still"), 5);
    tcp_stage.finished(connection, false);
    cr_expect(halves_ended == 1 && parted == 1 && connection_is_closing(connection) && aborted == 0);
}

Test(tcp, a_client_that_is_gone_takes_the_origin_with_it) {
    open_origin();
    tcp_stage.failed(connection);
    cr_expect(aborted == 1 && closed == 1);
}

Test(tcp, silence_ends_it_without_close_notify) {
    open_origin();
    scene_pass(700000);
    timer_wheel_advance(&scene.shard.ring.timers, ring_now_ms(&scene.shard.ring));
    cr_expect(connection_is_closing(connection) && shut_down == 0 && denied == 0 && finished == 1 && aborted == 1);
    cr_expect_eq(ended(STATS_TUNNEL_IDLE), 1);
}

Test(tcp, a_host_that_is_not_tcp_any_more_ends_it_by_an_alert) {
    struct config_host http = scene.host;

    http.is_tcp = false;
    open_origin();
    served_config_then.hosts = served_config_then.default_host = &http;
    served_config_then.exact = &(struct config_host *){&http};
    served_config_then.exact_count = 1;
    scene.shard.site = &served_site_then;
    tcp_stage.site_changed(connection);
    cr_expect(connection_is_closing(connection) && denied == 1 && finished_briefly == 1);
    cr_expect_eq(ended(STATS_TUNNEL_VERDICT), 1);
}

Test(tcp, the_end_of_the_shard_cuts_it) {
    open_origin();
    tcp_stage.take_leave(connection);
    cr_expect(shut_down == 0 && finished == 1);
    cr_expect_eq(ended(STATS_TUNNEL_DRAIN), 1);
}
