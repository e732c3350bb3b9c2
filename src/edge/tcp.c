#include "edge/tcp.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/decision.h"
#include "edge/eviction.h"
#include "edge/output.h"
#include "edge/place.h"
#include "edge/plaintext.h"
#include "edge/preface.h"
#include "edge/site_switch.h"
#include "edge/verdict.h"

#include <string.h>

static struct shard *shard_of(const struct tcp_tunnel *tunnel) {
    return tunnel->connection->client.shard;
}

static struct stats_host *stats_of(const struct tcp_tunnel *tunnel) {
    return stats_hosts_at(tunnel->site->stats, tunnel->host->index, shard_of(tunnel)->index);
}

/* Returns why a tunnel has ended, for its line of the log. */
static const char *end_of(const struct tcp_tunnel *tunnel) {
    return tunnel->origin_fault != RELAY_FAULT_NONE ? "origin"
                                                    : stats_label_value(STATS_LABEL_TUNNEL_END, tunnel->clock.why);
}

static void log_tunnel(const struct tcp_tunnel *tunnel) {
    const struct client *client = &tunnel->connection->client;
    char address[CLIENT_ADDRESS_SIZE];

    journal_connection(&client->shard->journal, &(struct access_connection){
                                                    .client = client_describe(client, tunnel->host, address),
                                                    .session = client_describe_session(client, tunnel->identity),
                                                    .end = end_of(tunnel),
                                                    .origin_address = tunnel->origin,
                                                    .origin_error = relay_fault_name(tunnel->origin_fault),
                                                    .bytes_in = tunnel->bytes_in,
                                                    .bytes_out = tunnel->bytes_out,
                                                    .origin_ns = tunnel->origin_ns,
                                                    .total_ns = clock_monotonic_ns() - tunnel->begun_ns,
                                                });
}

/* Accounts for the connection's tunnel, and gives back all that it holds. */
static void end_tunnel(struct connection *connection) {
    struct tcp_tunnel *tunnel = connection->tcp;
    struct shard *shard = shard_of(tunnel);

    connection->tcp = NULL;
    if (tunnel->relay != NULL) {
        relay_exchange_abort(tunnel->relay);
    }
    tunnel_close(&tunnel->clock);
    stats_subtract(&stats_of(tunnel)->tunnels, 1);
    stats_add(&stats_of(tunnel)->tunnel_ends[tunnel->clock.why], 1);
    if (journal_is_on(&shard->journal)) {
        log_tunnel(tunnel);
    }
    identity_release(tunnel->identity);
    site_release(tunnel->site);
    slab_give(&shard->tunnels, tunnel);
}

/* Both halves have ended. A client that may still be reading is told no better end than the origin's. */
static void part(struct tcp_tunnel *tunnel) {
    bool cut = relay_exchange_is_cut(tunnel->relay);

    if (!relay_exchange_part(tunnel->relay)) {
        return; /* the origin is lost: the relay is about to say so */
    }
    tunnel->relay = NULL;
    connection_end(tunnel->connection, cut ? CONNECTION_TRUNCATED : CONNECTION_POLITELY);
}

static size_t room_of_origin(const struct tcp_tunnel *tunnel) {
    return tunnel->relay == NULL ? 0 : relay_exchange_room(tunnel->relay);
}

/* Goes on with what the client has sent, after an event at the origin's side or the client's. */
static void go_on(struct connection *connection) {
    struct tcp_tunnel *tunnel = connection->tcp;

    if (connection->processing) {
        return;
    }
    if (connection->held.size > 0 && room_of_origin(tunnel) > 0) {
        plaintext_resume(connection);
    }
    if (connection_is_closing(connection)) {
        return;
    }
    if (tunnel->opened && tunnel->peer_closed && connection->held.size == 0 && !tunnel->clock.client_ended) {
        tunnel_end_half(&tunnel->clock, &tunnel->clock.client_ended);
        relay_exchange_body_end(tunnel->relay);
        if (tunnel->clock.origin_ended) {
            part(tunnel);
        }
    }
    connection_arm(connection);
}

/* The origin's side. */

static size_t on_preface(void *owner, uint8_t out[static RELAY_PREFACE_MAX]) {
    return preface_write(&((struct tcp_tunnel *)owner)->connection->client, out);
}

static void on_body(void *owner, struct bytes piece) {
    struct tcp_tunnel *tunnel = owner;
    struct connection *connection = tunnel->connection;

    tunnel->bytes_out += piece.size;
    stats_add(&stats_of(tunnel)->tcp_bytes[STATS_OUT], piece.size);
    tunnel_pass(&tunnel->clock);
    if (output_send(connection, piece) && !tunnel->paused && stream_room(connection->stream) == 0) {
        tunnel->paused = true;
        relay_exchange_pause(tunnel->relay);
    }
}

static size_t room_of_client(void *owner) {
    return stream_room(((struct tcp_tunnel *)owner)->connection->stream);
}

/* TLS has a last word of its own. A FIN behind it would leave no way to answer what the client's TLS may still ask. */
static void on_half_end(void *owner) {
    struct tcp_tunnel *tunnel = owner;
    struct connection *connection = tunnel->connection;

    tunnel_end_half(&tunnel->clock, &tunnel->clock.origin_ended);
    if (tunnel->clock.client_ended) {
        part(tunnel);
    } else if (output_finish(connection, true)) {
        tls_session_shutdown(connection->client.tls);
    }
}

/* An origin that had a connection may not have said all, which the client must be able to tell. */
static void on_failed(void *owner, enum relay_error error, enum relay_fault fault) {
    struct tcp_tunnel *tunnel = owner;

    tunnel->relay = NULL;
    tunnel->origin_fault = fault;
    connection_end(tunnel->connection, tunnel->opened ? CONNECTION_TRUNCATED : CONNECTION_POLITELY);
}

static void on_drained(void *owner) {
    struct tcp_tunnel *tunnel = owner;

    if (!tunnel->opened) {
        tunnel->opened = true;
        tunnel->origin = relay_exchange_origin(tunnel->relay);
        tunnel->origin_ns = shard_of(tunnel)->ring.now_ns - tunnel->begun_ns;
    }
    tunnel_pass(&tunnel->clock);
    go_on(tunnel->connection);
}

static const struct relay_handler relay_handler = {
    .preface = on_preface,
    .body = on_body,
    .room = room_of_client,
    .half_end = on_half_end,
    .failed = on_failed,
    .drained = on_drained,
};

/* The client's side. */

static size_t read_plaintext(struct connection *connection, struct bytes input) {
    struct tcp_tunnel *tunnel = connection->tcp;
    size_t room = room_of_origin(tunnel);
    struct bytes piece = bytes_of(input.data, input.size < room ? input.size : room);

    if (piece.size > 0) {
        tunnel->bytes_in += piece.size;
        stats_add(&stats_of(tunnel)->tcp_bytes[STATS_IN], piece.size);
        tunnel_pass(&tunnel->clock);
        relay_exchange_body(tunnel->relay, piece);
    }
    return piece.size;
}

static void received(struct connection *connection, struct bytes data) {
    struct tcp_tunnel *tunnel = connection->tcp;

    if (tunnel->peer_closed) {
        connection_end(connection, CONNECTION_ABRUPTLY); /* the client had said its last word */
    } else if (eviction_allows_sending(connection)) {
        tls_session_feed(connection->client.tls, data);
        plaintext_read(connection);
    }
}

static void finished(struct connection *connection, bool by_fin) {
    connection->tcp->peer_closed = true;
    go_on(connection);
    if (by_fin && !connection_is_closing(connection)) {
        stream_watch(connection->stream); /* from here on only a reset tells that the client is gone */
    }
}

static void failed(struct connection *connection) {
    connection_end(connection, CONNECTION_ABRUPTLY);
}

static void drained(struct connection *connection) {
    struct tcp_tunnel *tunnel = connection->tcp;

    tunnel_pass(&tunnel->clock);
    if (tunnel->paused && tunnel->relay != NULL && stream_room(connection->stream) > 0) {
        tunnel->paused = false;
        relay_exchange_resume(tunnel->relay);
    }
    go_on(connection);
}

/* With the client's half ended one receive stays armed, to notice a client that goes away. */
static bool wants_input(const struct connection *connection) {
    return connection->held.size == 0 && (connection->tcp->clock.client_ended || room_of_origin(connection->tcp) > 0);
}

/* Few bytes are read as soon as they can be; of many, as many at once as the origin takes. */
static size_t bulk(const struct connection *connection) {
    return connection->stream->flows ? room_of_origin(connection->tcp) : 0;
}

/* Has the client see that its session is over, and that it is not the whole, unless the origin had ended its half. */
static void end_by(struct connection *connection, enum stats_tunnel_end why) {
    struct tcp_tunnel *tunnel = connection->tcp;

    tunnel->clock.why = why;
    if (why != STATS_TUNNEL_VERDICT) {
        connection_end(connection, tunnel->clock.origin_ended ? CONNECTION_POLITELY : CONNECTION_TRUNCATED);
    } else if (output_finish(connection, true)) {
        tls_session_deny(connection->client.tls);
        connection_end(connection, CONNECTION_AFTER_ALERT);
    }
}

static void on_clock_over(struct tunnel *clock, enum stats_tunnel_end why) {
    end_by(CONTAINER_OF(clock, struct tcp_tunnel, clock)->connection, why);
}

static void site_changed(struct connection *connection) {
    if (site_switch(&connection->client)) {
        tunnel_judge_soon(&connection->tcp->clock);
    } else {
        end_by(connection, STATS_TUNNEL_VERDICT);
    }
}

static void take_leave(struct connection *connection) {
    end_by(connection, STATS_TUNNEL_DRAIN);
}

static bool leave(struct connection *connection, enum connection_end how) {
    if (!output_leave(connection, how)) {
        return false;
    }
    end_tunnel(connection);
    return true;
}

const struct stage tcp_stage = {
    .name = "tcp",
    .state = CONNECTION_TCP,
    .next = STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_REQUEST,
    .received = received,
    .plaintext = read_plaintext,
    .finished = finished,
    .failed = failed,
    .drained = drained,
    .timed_out = failed,
    .site_changed = site_changed,
    .take_leave = take_leave,
    .wants_input = wants_input,
    .bulk = bulk,
    .leave = leave,
};

static void begin_tunnel(struct connection *connection) {
    struct client *client = &connection->client;
    struct shard *shard = client->shard;
    struct tcp_tunnel *tunnel = slab_take(&shard->tunnels);

    CHECK(tunnel != NULL); /* one for each connection */
    memset(tunnel, 0, sizeof *tunnel);
    tunnel->connection = connection;
    tunnel->site = site_retain(client->site);
    tunnel->host = client->host;
    tunnel->identity = identity_retain(client->verdict.identity);
    tunnel->begun_ns = shard->ring.now_ns;
    tunnel_open(&tunnel->clock, client, tunnel->identity, false, on_clock_over);
    stats_add(&stats_of(tunnel)->tunnels, 1);
    connection->tcp = tunnel;
    connection_enter(connection, &tcp_stage);
}

static void let_in(struct connection *connection) {
    struct client *client = &connection->client;

    decision_count_let_in(client->shard, client->site, client->host, client->verdict.identity);
    begin_tunnel(connection);
    pace_stop(&connection->pace, &client->shard->ring.timers);
    tls_session_welcome_small(client->tls);
    place_update(connection);

    struct tcp_tunnel *tunnel = connection->tcp;
    const struct relay_request request = {.host = client->host,
                                          .head = bytes_of_string(""),
                                          .bare = true,
                                          .client_hash = client_hash(client, client->verdict.identity)};
    tunnel->relay = relay_exchange_start(client->site->relay, &request, &relay_handler, tunnel, &tunnel->origin_fault);
    if (tunnel->relay == NULL) {
        connection_end(connection, CONNECTION_POLITELY);
        return;
    }
    tunnel->origin_fault = RELAY_FAULT_NONE;
    plaintext_read(connection);
}

/* The handshake was good: the client learns by an alert of its own that the server does not go on (RFC 8446 section 6.2). */
static void turn_away(struct connection *connection) {
    struct client *client = &connection->client;
    const struct identity *identity = client->verdict.identity;

    decision_count_denied(client->shard, client->site, client->host, identity);
    if (journal_is_on(&client->shard->journal)) {
        char address[CLIENT_ADDRESS_SIZE];

        journal_connection(&client->shard->journal, &(struct access_connection){
                                                        .client = client_describe(client, client->host, address),
                                                        .session = client_describe_session(client, identity),
                                                        .end = "denied",
                                                    });
    }
    tls_session_deny(client->tls);
    connection_end(connection, CONNECTION_AFTER_ALERT);
}

void tcp_begin(struct connection *connection) {
    struct client *client = &connection->client;

    if (verdict_now(client) == NULL) {
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_NO_MEMORY, CONNECTION_BLAME_NONE, CONNECTION_ABRUPTLY);
    } else if (decision_denies(client->host, client->verdict.identity)) {
        turn_away(connection);
    } else {
        let_in(connection);
    }
}
