#include "edge/http2.h"

#include "base/check.h"
#include "edge/eviction.h"
#include "edge/http2_stream.h"
#include "edge/http2_tunnel.h"
#include "edge/output.h"
#include "edge/place.h"
#include "edge/plaintext.h"

enum { SESSION_MEMORY = 8 * 1024 /* bytes; a session that has no more than this does not count as keeping any */ };

static enum stats_rejection rejection_of(enum http2_excess excess) {
    static const uint8_t rejections[HTTP2_EXCESS_KINDS] = {
        [HTTP2_EXCESS_NONE] = STATS_REJECT_HTTP2_ERROR,
        [HTTP2_EXCESS_RESETS] = STATS_REJECT_HTTP2_RESETS,
        [HTTP2_EXCESS_FAULTS] = STATS_REJECT_HTTP2_FAULTS,
        [HTTP2_EXCESS_CONTINUATIONS] = STATS_REJECT_HTTP2_CONTINUATIONS,
        [HTTP2_EXCESS_HEADS] = STATS_REJECT_HTTP2_HEADS,
        [HTTP2_EXCESS_SETTINGS] = STATS_REJECT_HTTP2_SETTINGS,
        [HTTP2_EXCESS_PINGS] = STATS_REJECT_HTTP2_PINGS,
        [HTTP2_EXCESS_PRIORITIES] = STATS_REJECT_HTTP2_PRIORITIES,
        [HTTP2_EXCESS_EMPTY_FRAMES] = STATS_REJECT_HTTP2_EMPTY_FRAMES,
        [HTTP2_EXCESS_WINDOW_UPDATES] = STATS_REJECT_HTTP2_WINDOW_UPDATES,
        [HTTP2_EXCESS_UNKNOWN_FRAMES] = STATS_REJECT_HTTP2_UNKNOWN_FRAMES,
    };

    return (enum stats_rejection)rejections[excess];
}

/* The session's last frame is out: by our wish, by the client's GOAWAY, or because of what the client did. */
static void end_over(struct connection *connection) {
    const struct http2_session *session = connection->http2.session;
    enum http2_excess excess = http2_session_excess(session);

    connection->http2.over = true;
    if (excess != HTTP2_EXCESS_NONE) {
        connection_refuse(connection, STATS_AT_REQUEST, rejection_of(excess), CONNECTION_BLAME_FAILURE, CONNECTION_POLITELY);
    } else if (http2_session_fault(session) != HTTP2_NO_ERROR) {
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_HTTP2_ERROR, CONNECTION_BLAME_NONE,
                          CONNECTION_POLITELY);
    } else {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

/* Counts what is kept for the connection beyond a session and one stream, which each client may have. */
static void count_kept(struct connection *connection) {
    size_t size = http2_session_memory(connection->http2.session);
    size_t kept = size > SESSION_MEMORY ? size - SESSION_MEMORY : 0;

    if (connection->http2.open > 1) {
        kept += (connection->http2.open - 1) * sizeof(struct http2_exchange);
    }
    eviction_keep_http(connection, kept);
}

/* Frames that ask for nothing, in whatever pieces, give a connection without streams no more time. */
static uint32_t quiet_timeout_ms(const struct connection *connection) {
    const struct connection_http2 *http2 = &connection->http2;
    uint64_t until_ms = http2->quiet_ms + (http2->requests == 0 ? connection_limits(connection)->request_header_timeout_ms
                                                                : connection_limits(connection)->idle_timeout_ms);

    if (http2->shut_down && until_ms > http2->shut_down_ms + HTTP2_LAST_WORD_MS) {
        until_ms = http2->shut_down_ms + HTTP2_LAST_WORD_MS;
    }
    return until_ms > connection_now_ms(connection) ? (uint32_t)(until_ms - connection_now_ms(connection)) : 0;
}

/* Returns whether the deadline of a connection without streams comes sooner by now than when it was set. */
static bool hurries(const struct connection *connection) {
    return connection->stage == &http2_quiet &&
           connection_now_ms(connection) + quiet_timeout_ms(connection) < connection->pace.deadline_ms;
}

static void update_stage(struct connection *connection) {
    struct connection_http2 *http2 = &connection->http2;
    bool partial = http2_session_is_partial(http2->session);
    const struct stage *stage = http2->open > 0 ? &http2_streams : partial ? &http2_frames : &http2_quiet;

    http2->head_is_late = http2->head_is_late && partial;
    if (http2->head_is_late && http2->open == 0) {
        connection_end(connection, CONNECTION_POLITELY); /* no other frame may come before the rest of the head */
        return;
    }
    if (stage == connection->stage && !hurries(connection)) {
        return;
    }
    if (stage == &http2_frames) {
        pace_begin(&connection->pace);
    }
    connection_enter(connection, stage);
    place_update(connection);
}

/* A client that does not answer the PING of a drain may begin no streams for ever. */
static void limit_shut_down(struct connection *connection) {
    const struct connection_http2 *http2 = &connection->http2;

    if (http2->shut_down && connection_now_ms(connection) >= http2->shut_down_ms + HTTP2_LAST_WORD_MS) {
        http2_session_shut_down_now(http2->session);
    }
}

/*
 * Ends a connection whose client has said its last word, once nothing is left to answer. Such a client may still listen, as
 * one of HTTP/1 may (RFC 8446 section 6.1): what it has asked whole is answered, as far as its windows let the answer pass.
 */
static void part(struct connection *connection) {
    if (!connection->http2.peer_closed) {
        return;
    }
    http2_end_cut_off(connection);
    if (connection->http2.open == 0) {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

/* Sends the frames that are queued, and brings the connection's state up to what has happened. */
static void settle(struct connection *connection) {
    http2_enter(connection);
    limit_shut_down(connection);
    enum http2_outcome outcome = http2_session_flush(connection->http2.session);
    http2_leave(connection);
    if (connection_is_closing(connection)) {
        return;
    }
    switch (outcome) {
    case HTTP2_GOES_ON:
        part(connection);
        if (!connection_is_closing(connection)) {
            count_kept(connection);
            update_stage(connection);
            connection_arm(connection);
        }
        break;
    case HTTP2_OVER:
        end_over(connection);
        break;
    case HTTP2_NO_MEMORY:
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_NO_MEMORY, CONNECTION_BLAME_NONE, CONNECTION_ABRUPTLY);
        break;
    }
}

void http2_turn(struct shard *shard) {
    struct list *link;

    while ((link = list_first(&shard->http2_turn)) != NULL) {
        list_remove(link);
        settle(CONTAINER_OF(link, struct connection, http2.in_turn));
    }
}

static void received(struct connection *connection, struct bytes data) {
    /* Behind close_notify nothing counts (RFC 8446 section 6.1). */
    if (!connection->http2.peer_closed && eviction_allows_sending(connection)) {
        tls_session_feed(connection->client.tls, data);
        plaintext_read(connection);
    }
}

/* The session takes all that comes. Uploads come as fast as windows let them: then fewer, larger receives bring them. */
static size_t bulk(const struct connection *connection) {
    return connection->stream->flows ? RING_LARGE_MAX : 0;
}

/* Takes all of it: what a stream cannot take yet waits in the session, as far as windows let it come. */
static size_t read_frames(struct connection *connection, struct bytes input) {
    uint64_t now_s = connection->client.shard->ring.now_ns / 1000000000;

    http2_enter(connection);
    http2_session_receive(connection->http2.session, input, now_s);
    http2_leave(connection);
    http2_flush_later(connection);
    return input.size;
}

static void finished(struct connection *connection, bool by_fin) {
    if (by_fin && connection->http2.requests == 0) {
        connection_end(connection, CONNECTION_ABRUPTLY); /* as in HTTP/1 */
        return;
    }
    connection->http2.peer_closed = true;
    part(connection);
    if (connection_is_closing(connection)) {
        return;
    }
    http2_doubt_all(connection);
    if (by_fin) {
        stream_watch(connection->stream); /* from here on only a reset tells that the client is gone */
    }
}

static void failed(struct connection *connection) {
    connection_end(connection, CONNECTION_ABRUPTLY);
}

static void drained(struct connection *connection) {
    http2_flush_later(connection);
}

/* A request may have come in this turn: the stage follows at its end. Others may have come and gone within their turns. */
static void timed_out_quiet(struct connection *connection) {
    if (connection->http2.open > 0) {
        return;
    }
    if (quiet_timeout_ms(connection) == 0) {
        connection_end(connection, CONNECTION_POLITELY);
    } else {
        connection_enter(connection, &http2_quiet);
    }
}

static void timed_out_frames(struct connection *connection) {
    connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_TIMEOUT, CONNECTION_BLAME_NONE, CONNECTION_POLITELY);
}

/* Each stream has a deadline of its own. */
static void timed_out_streams(struct connection *connection) {
    connection_progress(connection);
}

static void site_changed(struct connection *connection) {
    const struct config_host *host = config_find_host(connection->client.shard->site->config, connection->client.name);

    if (host == NULL || !host->http2) {
        http2_shut_down(connection);
    }
    http2_tunnel_switch_all(connection);
}

/* Says that the connection ends, where that is news to the client. Nothing leaves where the session is on the stack. */
static void say_goodbye(struct connection *connection) {
    if (connection->http2.inside > 0 || connection->http2.over) {
        return;
    }
    connection->http2.over = true;
    http2_enter(connection);
    http2_session_terminate(connection->http2.session, HTTP2_NO_ERROR);
    (void)http2_session_flush(connection->http2.session);
    http2_leave(connection);
}

static bool leave(struct connection *connection, enum connection_end how) {
    if (how == CONNECTION_POLITELY) {
        say_goodbye(connection);
    }
    if (connection_is_closing(connection) || !output_leave(connection, how)) {
        return false;
    }
    http2_drop_all(connection);
    return true;
}

static uint32_t header_timeout_ms(const struct connection *connection) {
    return connection_limits(connection)->request_header_timeout_ms;
}

static uint32_t idle_timeout_ms(const struct connection *connection) {
    return connection_limits(connection)->idle_timeout_ms;
}

#define ANY_OF_OURS                                                                                                         \
    (STAGE_BIT(CONNECTION_QUIET) | STAGE_BIT(CONNECTION_FRAMES) | STAGE_BIT(CONNECTION_STREAMS) |                           \
     STAGE_BIT(CONNECTION_CLOSING))

const struct stage http2_quiet = {
    .name = "quiet",
    .state = CONNECTION_QUIET,
    .next = ANY_OF_OURS,
    .counted_as = STATS_AT_REQUEST,
    .is_idle = true,
    .may_switch_site = true,
    .deadline_ms = quiet_timeout_ms,
    .received = received,
    .plaintext = read_frames,
    .finished = finished,
    .failed = failed,
    .drained = drained,
    .timed_out = timed_out_quiet,
    .site_changed = site_changed,
    .drain = http2_shut_down,
    .leave = leave,
};

const struct stage http2_frames = {
    .name = "frames",
    .state = CONNECTION_FRAMES,
    .next = ANY_OF_OURS,
    .counted_as = STATS_AT_REQUEST,
    .pauses = true,
    .deadline_ms = header_timeout_ms,
    .received = received,
    .plaintext = read_frames,
    .finished = finished,
    .failed = failed,
    .drained = drained,
    .timed_out = timed_out_frames,
    .site_changed = site_changed,
    .drain = http2_shut_down,
    .leave = leave,
};

const struct stage http2_streams = {
    .name = "streams",
    .state = CONNECTION_STREAMS,
    .next = ANY_OF_OURS,
    .counted_as = STATS_AT_REQUEST,
    .extends = true,
    .deadline_ms = idle_timeout_ms,
    .received = received,
    .plaintext = read_frames,
    .finished = finished,
    .failed = failed,
    .drained = drained,
    .timed_out = timed_out_streams,
    .bulk = bulk,
    .site_changed = site_changed,
    .drain = http2_shut_down,
    .take_leave = http2_tunnel_leave_all,
    .leave = leave,
};

void http2_begin(struct connection *connection) {
    bool is_valid = connection->client.verdict.identity->status == STATUS_VALID;
    uint32_t window = is_valid ? HTTP2_WINDOW_VALID : HTTP2_WINDOW_OTHERS;
    const struct http2_settings settings = {
        .streams_max = is_valid ? HTTP2_STREAMS_VALID : HTTP2_STREAMS_OTHERS,
        .head_size_max = connection_limits(connection)->request_header_size,
        .stream_window = HTTP2_STREAM_WINDOW,
        .stream_window_max = HTTP2_STREAM_WINDOW_MAX,
        .growth_max = window / 2, /* streams that stand still leave the rest to the others */
        .connection_window = window,
        .extended_connect = true,
    };

    if (http2_stream_session(connection, &settings) == NULL) {
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_NO_MEMORY, CONNECTION_BLAME_NONE, CONNECTION_ABRUPTLY);
        return;
    }
    /* A client may open the windows for each frame, in a record each. http2/allowance bounds what frames may cost. */
    tls_session_welcome_small(connection->client.tls);
    connection->http2.quiet_ms = connection_now_ms(connection);
    connection_enter(connection, &http2_quiet);
    place_update(connection);
    if (connection->client.shard->draining) {
        http2_shut_down(connection);
    } else {
        site_changed(connection); /* during the handshake, maybe */
    }
    http2_flush_later(connection);
    plaintext_read(connection);
}
