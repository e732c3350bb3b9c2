#include "load/load_connection.h"

#include "base/check.h"
#include "base/clock.h"
#include "load/request.h"
#include "load/source.h"
#include "load/upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void load_connection_end(struct load_connection *connection, enum load_options_close how) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    timer_clear(&connection->shared->ring.timers, &connection->timer);
    if (how == LOAD_OPTIONS_CLOSE_FIN) {
        if (connection->tls.wolfssl != NULL) {
            client_shutdown(&connection->tls);
        }
        connection->state = CONNECTION_CLOSING;
        stream_finish(connection->stream);
        return;
    }
    connection->state = CONNECTION_CLOSING;
    setsockopt(connection->stream->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    stream_close(connection->stream);
}

void load_connection_conclude(struct load_connection *connection, unsigned outcome) {
    struct load_shared *shared = connection->shared;

    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    load_count_outcome(shared, outcome);
    load_record(shared, LATENCY_OUTCOME, connection->started_ns);
    load_connection_end(connection, outcome == OUTCOME_LEFT ? shared->options->close : LOAD_OPTIONS_CLOSE_RESET);
}

void load_connection_fail(struct load_connection *connection, enum tally_counter why, unsigned outcome, const char *text) {
    if (connection->shared->options->behaviour->hostile) {
        load_connection_conclude(connection, outcome);
        return;
    }
    load_count(connection->shared, why);
    load_note_error(connection->shared, tally_counter_name(why), text);
    load_connection_end(connection, LOAD_OPTIONS_CLOSE_RESET);
}

static void fail_tls(struct load_connection *connection) {
    int alert = client_alert(&connection->tls);

    load_connection_fail(connection, TALLY_TLS_FAILED, alert < 0 ? OUTCOME_TLS_FAILED : OUTCOME_ALERT + (unsigned)alert,
                         client_error_text(&connection->tls));
}

void load_connection_say(struct load_connection *connection, struct bytes data) {
    if (connection->tls.wolfssl == NULL) {
        CHECK(stream_write(connection->stream, data) == 0);
    } else if (client_write(&connection->tls, data) != CLIENT_DONE) {
        fail_tls(connection);
    }
}

void load_connection_say_frames(struct load_connection *connection) {
    struct frames *frames = &connection->shared->frames;
    struct bytes written = bytes_of(frames->data, frames->size);

    frames->size = 0;
    if (written.size > 0) {
        load_connection_say(connection, written);
    }
}

void load_connection_talk(struct load_connection *connection) {
    CHECK(connection->state == CONNECTION_READY);
    connection->state = CONNECTION_TALKING;
    load_connection_expect(connection);
}

static void set_timer(struct load_connection *connection, uint64_t ms) {
    struct ring *ring = &connection->shared->ring;

    timer_set(&ring->timers, &connection->timer, ring_now_ms(ring), ms);
}

void load_connection_pause(struct load_connection *connection, uint64_t ms) {
    connection->patient = true;
    set_timer(connection, ms);
}

void load_connection_expect(struct load_connection *connection) {
    connection->patient = false;
    set_timer(connection, connection->shared->options->timeout_ms);
}

static void due(struct timer *timer) {
    struct load_connection *connection = CONTAINER_OF(timer, struct load_connection, timer);

    if (connection->patient) {
        connection->shared->options->behaviour->due(connection);
    } else if (connection->state == CONNECTION_CONNECTING) {
        load_connection_fail(connection, TALLY_TIMED_OUT, OUTCOME_CONNECT_TIMEOUT, "connecting took too long");
    } else {
        load_connection_fail(connection, TALLY_TIMED_OUT, OUTCOME_TIMEOUT, "an answer took too long");
    }
}

static int send_ciphertext(void *owner, struct bytes ciphertext) {
    struct load_connection *connection = owner;

    return connection->state == CONNECTION_CLOSING ? -ECONNABORTED : stream_write(connection->stream, ciphertext);
}

void load_connection_await_answer(struct load_connection *connection) {
    CHECK(connection->state == CONNECTION_READY);
    connection->state = CONNECTION_ASKING;
    connection->asked_ns = clock_monotonic_ns();
    answer_begin(&connection->answer);
    load_connection_expect(connection);
}

void load_connection_request(struct load_connection *connection) {
    const struct load_options *options = connection->shared->options;

    load_connection_await_answer(connection);
    if (options->http2) {
        http2_request(&connection->http2, &connection->shared->frames, options->name, options->path);
        load_connection_say_frames(connection);
        return;
    }
    if (options->hosts == 0) {
        load_connection_say(connection, connection->shared->request);
    } else {
        char request[REQUEST_SIZE_MAX];

        load_connection_say(connection, bytes_of(request, request_write(options, connection->host, request)));
    }
    connection->upload_left = options->upload;
    upload_push(connection);
}

bool load_connection_keep_ticket(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    struct intruder *intruder = connection->intruder;
    bool has_come = false;

    if (intruder != NULL) {
        has_come = intruder->ticket->size > 0;
    } else {
        CHECK(connection->ticket == NULL);
        connection->ticket = client_take_ticket(&connection->tls);
        has_come = connection->ticket != NULL;
    }
    if (!has_come) {
        load_connection_fail(connection, TALLY_NOT_RESUMED, OUTCOME_TLS_FAILED, "the server gave no ticket");
        return false;
    }
    if (!connection->ticketed) {
        connection->ticketed = true;
        shared->ticketed++;
    }
    return true;
}

void load_connection_hold(struct load_connection *connection) {
    CHECK(connection->state == CONNECTION_READY);
    timer_clear(&connection->shared->ring.timers, &connection->timer);
    connection->state = CONNECTION_HOLDING;
    connection->stood = true;
    connection->shared->events->stands(connection->shared->owner);
}

static void read_plaintext(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;

    while (connection->state != CONNECTION_CLOSING) {
        size_t size = 0;
        enum client_result result = client_read(&connection->tls, shared->plaintext, sizeof shared->plaintext, &size);

        if (result == CLIENT_WANT_INPUT) {
            return;
        }
        if (result == CLIENT_CLOSED) {
            load_connection_fail(connection, TALLY_CLOSED, OUTCOME_FIN, "close_notify");
        } else if (result == CLIENT_FAILED) {
            fail_tls(connection);
        } else if (connection->state == CONNECTION_TALKING) {
            shared->options->behaviour->received(connection, bytes_of(shared->plaintext, size));
        } else {
            load_connection_take_answer(connection, bytes_of(shared->plaintext, size));
        }
    }
}

static bool wants_http2(const struct load_options *options) {
    return options->http2 || options->behaviour->attack != NULL;
}

bool load_connection_resumed(const struct load_connection *connection) {
    return connection->intruder != NULL ? connection->intruder->resumed : client_resumed(&connection->tls);
}

void load_connection_describe(const struct load_connection *connection, char *text, size_t size) {
    if (connection->intruder != NULL) {
        snprintf(text, size, "TLSv1.3 TLS13-AES128-GCM-SHA256");
    } else {
        client_describe(&connection->tls, text, size);
    }
}

bool load_connection_establish(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;

    connection->state = CONNECTION_READY;
    shared->events->established(shared->owner, connection);
    if (connection->resuming && !load_connection_resumed(connection)) {
        load_connection_fail(connection, TALLY_NOT_RESUMED, OUTCOME_TLS_FAILED,
                             "the server answered a ticket of its own with a full handshake");
        return false;
    }
    return true;
}

static void establish(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;

    if (!load_connection_establish(connection)) {
        return;
    }
    if (wants_http2(shared->options) && !client_speaks_http2(&connection->tls)) {
        load_connection_fail(connection, TALLY_HTTP_FAILED, OUTCOME_HTTP1, "the server does not choose HTTP/2");
        return;
    }
    shared->options->behaviour->established(connection);
    read_plaintext(connection);
}

static void go_on_with_handshake(struct load_connection *connection) {
    switch (client_handshake(&connection->tls)) {
    case CLIENT_DONE:
        establish(connection);
        break;
    case CLIENT_WANT_INPUT:
        break;
    case CLIENT_CLOSED:
        load_connection_fail(connection, TALLY_TLS_FAILED, OUTCOME_FIN, "closed during the handshake");
        break;
    case CLIENT_FAILED:
        fail_tls(connection);
        break;
    }
    if (!connection->shared->options->behaviour->hostile) {
        load_flush(connection->shared);
    }
}

static void connected(struct stream *stream) {
    struct load_connection *connection = stream->owner;
    const struct behaviour *behaviour = connection->shared->options->behaviour;

    load_record(connection->shared, LATENCY_CONNECT, connection->started_ns);
    if (behaviour->connected == NULL) {
        connection->state = CONNECTION_HANDSHAKE;
        stream_receive(stream);
        go_on_with_handshake(connection);
        return;
    }
    connection->state = CONNECTION_TALKING;
    load_connection_expect(connection);
    behaviour->connected(connection);
    if (connection->state != CONNECTION_CLOSING) {
        stream_receive(stream);
    }
}

/* Of one without TLS. */
static void hear(struct load_connection *connection, struct bytes data) {
    const struct behaviour *behaviour = connection->shared->options->behaviour;

    if (behaviour->received == NULL) {
        load_connection_conclude(connection, outcome_of_bytes(data));
    } else {
        behaviour->received(connection, data);
    }
}

static bool is_deaf(const struct load_connection *connection) {
    const struct attack *attack = connection->shared->options->behaviour->attack;

    return attack != NULL && attack->deaf && connection->state == CONNECTION_TALKING;
}

static void received(struct stream *stream, struct bytes data) {
    struct load_connection *connection = stream->owner;
    bool in_handshake = connection->state == CONNECTION_HANDSHAKE;

    if (data.size == 0) {
        load_connection_fail(connection, in_handshake ? TALLY_TLS_FAILED : TALLY_CLOSED, OUTCOME_FIN, "the server closed");
        return;
    }
    if (connection->tls.wolfssl == NULL) {
        hear(connection, data);
    } else {
        client_feed(&connection->tls, data);
        if (in_handshake) {
            go_on_with_handshake(connection);
        } else {
            read_plaintext(connection);
        }
    }
    if (connection->stream == stream && connection->state != CONNECTION_CLOSING && !is_deaf(connection)) {
        stream_receive(stream);
    }
}

static void drained(struct stream *stream) {
    struct load_connection *connection = stream->owner;
    const struct behaviour *behaviour = connection->shared->options->behaviour;

    upload_push(connection);
    if (behaviour->said != NULL && connection->state == CONNECTION_TALKING && stream->queue.size == 0) {
        behaviour->said(connection);
    }
}

static unsigned outcome_of_error(int error, bool connecting) {
    switch (-error) {
    case ECONNREFUSED:
        return OUTCOME_REFUSED;
    case ETIMEDOUT:
        return connecting ? OUTCOME_CONNECT_TIMEOUT : OUTCOME_TIMEOUT;
    case ECONNRESET:
    case EPIPE:
        return OUTCOME_RESET;
    default:
        return connecting ? OUTCOME_CONNECT_FAILED : OUTCOME_RESET;
    }
}

static void failed(struct stream *stream, int error) {
    struct load_connection *connection = stream->owner;
    bool connecting = connection->state == CONNECTION_CONNECTING;
    enum tally_counter why = TALLY_CLOSED;

    if (connecting) {
        why = TALLY_CONNECT_FAILED;
    } else if (connection->state == CONNECTION_HANDSHAKE) {
        why = TALLY_TLS_FAILED;
    }
    load_connection_fail(connection, why, outcome_of_error(error, connecting), strerror(-error));
}

static void closed(struct stream *stream) {
    struct load_connection *connection = stream->owner;
    struct load_shared *shared = connection->shared;

    shared->tally.counters[TALLY_BYTES_SENT] += stream->bytes_sent;
    shared->tally.counters[TALLY_BYTES_RECEIVED] += stream->bytes_received;
    client_close(&connection->tls);
    answer_drop(&connection->answer);
    http2_reset(&connection->http2);
    connection->stream = NULL;
    connection->state = CONNECTION_FREE;
    shared->events->closed(shared->owner, connection);
}

static const struct stream_handler handler = {
    .connected = connected,
    .received = received,
    .drained = drained,
    .failed = failed,
    .closed = closed,
};

/* Hosts take turns, but a ticket is good for the host that it came from. */
static int name_host(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    char name[REQUEST_NAME_SIZE];

    if (connection->ticket == NULL) {
        connection->host = shared->host_next++ % shared->options->hosts;
    }
    request_host_name(shared->options, connection->host, name);
    int error = client_set_name(&connection->tls, name);
    if (error < 0) {
        client_close(&connection->tls);
    }
    return error;
}

/* A ticket is good for the credentials that it came to, so who resumes keeps them. */
static int open_client(struct load_connection *connection) {
    struct load_shared *shared = connection->shared;
    bool replays = shared->options->behaviour->tickets == TICKETS_REPLAYED;
    const struct client_ticket *ticket = replays ? shared->stolen->ticket : connection->ticket;

    if (connection->credentials == NULL || !shared->options->behaviour->resumes) {
        connection->credentials = certs_next(&shared->certs);
    }
    int error =
        client_open(&connection->tls, connection->credentials, wants_http2(shared->options), send_ciphertext, connection);
    connection->resuming = connection->ticket != NULL;
    if (error == 0 && shared->options->hosts > 0) {
        error = name_host(connection);
    }
    if (error < 0 || ticket == NULL) {
        return error;
    }
    error = client_resume(&connection->tls, ticket);
    client_ticket_free(connection->ticket);
    connection->ticket = NULL;
    if (error < 0) {
        client_close(&connection->tls);
    }
    return error;
}

void load_connection_init(struct load_connection *connection, struct load_shared *shared) {
    connection->shared = shared;
    timer_init(&connection->timer, due);
    if (shared->options->behaviour->forgery != FORGE_NONE) {
        connection->intruder = calloc(1, sizeof *connection->intruder);
        CHECK(connection->intruder != NULL);
        if (shared->options->behaviour->resumes) {
            intruder_keep_tickets(connection->intruder);
        }
    }
    if (shared->options->behaviour->attack != NULL) {
        connection->attacker = calloc(1, sizeof *connection->attacker);
        CHECK(connection->attacker != NULL);
    }
}

void load_connection_destroy(struct load_connection *connection) {
    CHECK(connection->stream == NULL);
    client_ticket_free(connection->ticket);
    free(connection->attacker);
    if (connection->intruder != NULL) {
        intruder_destroy(connection->intruder);
        free(connection->intruder);
    }
}

int load_connection_start(struct load_connection *connection, uint64_t due_ns) {
    struct load_shared *shared = connection->shared;
    const struct load_options *options = shared->options;
    int error = options->behaviour->connected == NULL ? open_client(connection) : 0;

    if (error < 0) {
        return error;
    }
    connection->started_ns = due_ns;
    connection->said = 0;
    connection->incomplete = (shared->tally.counters[TALLY_CONNECTIONS] & 1) != 0;
    connection->stream = stream_connect(&shared->ring, (const struct sockaddr *)&options->address, options->address_size,
                                        &handler, connection, &error);
    if (connection->stream == NULL) {
        client_close(&connection->tls);
        return error;
    }
    connection->state = CONNECTION_CONNECTING;
    connection->stood = false;
    load_count(shared, TALLY_CONNECTIONS);
    load_connection_expect(connection);
    if (options->source_addresses > 0) {
        error = source_bind(connection->stream->descriptor, load_next_source(shared));
        if (error < 0) {
            load_connection_fail(connection, TALLY_CONNECT_FAILED, OUTCOME_CONNECT_FAILED, strerror(-error));
        }
    }
    return 0;
}
