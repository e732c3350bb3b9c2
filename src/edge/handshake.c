#include "edge/handshake.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/held.h"
#include "edge/http1.h"
#include "edge/http2.h"
#include "edge/place.h"
#include "edge/reputation.h"
#include "edge/site_switch.h"
#include "edge/tcp.h"
#include "edge/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

/* Counts what the client has shown, and has its source gain or lose by that. */
static void take_verdict(struct client *client) {
    const struct identity *identity = client->verdict.identity;
    struct stats_host *stats = client_host_stats(client);

    stats_add(&stats->client_certs[identity->reason], 1);
    if (identity->status == STATUS_VALID) {
        int64_t left_s = identity->not_after - clock_wall_seconds();

        stats_add(&stats->valid_by_span[rollout_span_of(left_s)], 1);
    }
    if (identity->status == STATUS_INVALID) {
        reputation_fail_certificate(client);
    } else if (client->verdict.by_ticket) {
        reputation_resume(client);
    } else if (identity->status == STATUS_VALID) {
        reputation_prove(client, true);
    }
}

static void complete_handshake(struct connection *connection) {
    struct client *client = &connection->client;

    if (!verdict_settle(client, tls_session_is_resumed(client->tls))) {
        connection_refuse(connection, STATS_AT_HANDSHAKE, STATS_REJECT_TLS_ERROR, CONNECTION_BLAME_NONE,
                          CONNECTION_ABRUPTLY);
        return;
    }
    client_write_address(client, client->address);
    connection_count_handshake(connection, STATS_OK);
    take_verdict(client);
    if (!site_switch(client)) {
        connection_end(connection, CONNECTION_POLITELY);
        return;
    }
    place_keep_tls(connection, 0);
    place_keep(connection, 0);
    if (client->host->is_tcp) {
        tcp_begin(connection);
    } else if (tls_session_is_http2(client->tls)) {
        http2_begin(connection);
    } else {
        http1_begin(connection);
    }
}

/* Does what follows a step: the handshake is over, or waits for more input. */
static void finish_step(struct connection *connection, enum tls_result result, bool judged) {
    if (result == TLS_FAILED || result == TLS_CLOSED) {
        connection_refuse(connection, STATS_AT_HANDSHAKE,
                          result == TLS_FAILED ? connection_tls_fault(connection) : STATS_REJECT_CLOSED,
                          CONNECTION_BLAME_FAILURE, CONNECTION_AFTER_ALERT); /* the alert is wolfSSL's */
    } else if (!judged) {
        connection_refuse(connection, STATS_AT_HANDSHAKE, STATS_REJECT_NO_MEMORY, CONNECTION_BLAME_NONE,
                          CONNECTION_ABRUPTLY);
    } else if (result == TLS_DONE) {
        complete_handshake(connection);
    } else {
        eviction_keep_tls(connection, tls_session_held(connection->client.tls));
    }
}

static struct handshake_step *step_of(struct batch_task *task) {
    return CONTAINER_OF(task, struct handshake_step, task);
}

/* All public-key operations are in here. They may pause the step, and nothing else of the connection happens meanwhile. */
static void run_step(struct batch_task *task) {
    struct handshake_step *step = step_of(task);
    struct client *client = &step->connection->client;

    step->result = tls_session_handshake(client->tls);
    const struct tls_peer_chain *chain = tls_session_peer_chain(client->tls);
    step->judged = step->result == TLS_FAILED || step->result == TLS_CLOSED || chain == NULL || verdict_judge(client, chain);
    tls_session_forget_chain(client->tls);
}

static void drop_step(struct shard *shard, struct handshake_step *step) {
    free(step->more_input);
    slab_give(&shard->steps, step);
}

/* A step that had paused is through. The connection may have been closed meanwhile, and its session goes with it. */
static void step_ended(struct batch_task *task) {
    struct handshake_step *step = step_of(task);
    struct connection *connection = step->connection;

    gate_work_take_up(connection, &step->work, task->spent_ns);
    connection->step = NULL;
    if (!connection_is_closing(connection)) {
        finish_step(connection, step->result, step->judged); /* which may read a request from the input, too */
    }
    gate_work_end(connection, step->work);
    drop_step(connection->client.shard, step);
    connection_arm(connection);
}

/* Keeps the input that a paused step has not read yet. False: out of memory. */
static bool keep_input(struct handshake_step *step) {
    struct tls_session *tls = step->connection->client.tls;
    size_t size = tls_session_input_left(tls);

    if (size > sizeof step->input) {
        step->more_input = malloc(size);
        if (step->more_input == NULL) {
            return false;
        }
    }
    tls_session_move_input(tls, size > sizeof step->input ? step->more_input : step->input);
    return true;
}

static void go_on(struct connection *connection, struct batch *batch, struct bytes input) {
    struct client *client = &connection->client;
    struct handshake_step *step = slab_take(&client->shard->steps);

    CHECK(step != NULL); /* there are as many as tasks that may be paused, and one */
    step->task = (struct batch_task){.run = run_step, .ended = step_ended};
    step->connection = connection;
    step->more_input = NULL;
    tls_session_feed(client->tls, input);
    if (batch_run(batch, &step->task)) {
        connection->step = step;
        return;
    }
    enum tls_result result = step->result;
    bool judged = step->judged;
    drop_step(client->shard, step);
    finish_step(connection, result, judged);
}

/* Ends the account of a step's work, or puts it off until the step, which has paused, has ended. */
static void account(struct connection *connection, struct gate_work work) {
    struct handshake_step *step = connection->step;

    if (step == NULL) {
        gate_work_end(connection, work);
        return;
    }
    gate_work_put_off(connection, &work);
    step->work = work;
    if (!keep_input(step)) {
        batch_flush(connection->client.shard->batch); /* while the input is where it is */
    }
}

/*
 * Begins the account of a step, and makes room for one more that pauses. The charge of the step so far stays its own,
 * while others end. False: the connection was closed by one of them, and nothing is left to do.
 */
static bool begin_step(struct connection *connection, struct gate_work *work) {
    struct batch *batch = connection->client.shard->batch;

    *work = gate_work_begin(connection);
    if (batch_is_full(batch)) {
        gate_work_put_off(connection, work);
        batch_flush(batch);
        gate_work_take_up(connection, work, 0);
    }
    if (connection_is_closing(connection)) {
        gate_work_end(connection, *work);
        return false;
    }
    return true;
}

/* Apart, for its frame: few hellos come in several records. Without company, since two steps may follow each other. */
static __attribute__((noinline)) void go_on_joined(struct connection *connection, struct bytes received) {
    uint8_t record[HELLO_SIZE_MAX];
    struct bytes rest;
    size_t size = hello_join(received, record, &rest);

    go_on(connection, NULL, bytes_of(record, size));
    if (rest.size > 0 && connection->stage == &handshake_stage) {
        go_on(connection, NULL, rest);
    }
}

static void continue_handshake(struct connection *connection, struct bytes input) {
    struct gate_work work;

    if (!begin_step(connection, &work)) {
        return;
    }
    go_on(connection, connection->client.shard->batch, input);
    account(connection, work);
}

/*
 * Returns whether the handshake has brought more than a client's certificates may be while there is no time to hear it out.
 * While there is, that leads to the verdict `too_large`.
 */
static bool is_too_large(const struct connection *connection) {
    const struct client *client = &connection->client;
    uint64_t most = (uint64_t)client->site->config->limits.certificate_chain_size + HELLO_SIZE_MAX;

    if (connection->queue.early_data) {
        most += HELLO_EARLY_DATA_MAX;
    }
    return !shard_is_calm(client->shard) && connection->stream->bytes_received > most;
}

/* A part of the handshake has come: goes on with it, or keeps it and waits. */
static void received_flight(struct connection *connection, struct bytes data) {
    struct client *client = &connection->client;

    if (is_too_large(connection)) {
        connection_refuse(connection, STATS_AT_HANDSHAKE, STATS_REJECT_TOO_LARGE, CONNECTION_BLAME_FAILURE,
                          CONNECTION_BY_RESET);
    } else if (admission_may_go(&client->shard->gate.admission, client->standing.class, ADMISSION_FLIGHT,
                                clock_monotonic_ns())) {
        continue_handshake(connection, data);
    } else {
        held_add(connection, data);
        gate_wait(connection, ADMISSION_FLIGHT);
    }
}

static int send_ciphertext(void *owner, struct bytes ciphertext) {
    struct connection *connection = owner;

    if (connection_is_closing(connection)) {
        return -ECONNABORTED;
    }
    return stream_write(connection->stream, ciphertext);
}

void handshake_refuse_hello(struct connection *connection, enum tls_alert alert, enum stats_rejection why) {
    enum connection_blame blame = why == STATS_REJECT_NO_MEMORY ? CONNECTION_BLAME_NONE : CONNECTION_BLAME_FAILURE;
    uint8_t record[7];

    hello_alert(alert, record);
    bool told = stream_write(connection->stream, bytes_of(record, sizeof record)) == 0;
    connection_refuse(connection, STATS_AT_HELLO, why, blame, told ? CONNECTION_AFTER_ALERT : CONNECTION_ABRUPTLY);
}

static bool bind_ticket(void *owner, bool resumed, uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct connection *connection = owner;

    return verdict_bind_ticket(&connection->client, resumed, binding);
}

static bool accept_ticket(void *owner, const uint8_t binding[static TLS_TICKET_BINDING_SIZE]) {
    struct connection *connection = owner;

    return verdict_accept_ticket(&connection->client, binding);
}

static const struct tls_session_handler session_handler = {
    .output = send_ciphertext,
    .bind_ticket = bind_ticket,
    .accept_ticket = accept_ticket,
};

/*
 * Returns what is agreed on with a client that offers protocols: h2 goes before http/1.1, wherever the client names it. At a
 * tcp host no protocol is known here, so none is answered, as RFC 7301 section 3.1 leaves to a server without ALPN.
 */
static enum tls_protocols protocols_for(const struct config_host *host, const struct hello *hello) {
    if (host->is_tcp) {
        return TLS_ANY;
    }
    return host->http2 && hello->alpn_h2 ? TLS_HTTP2 : TLS_HTTP1;
}

static bool lacks_protocol(const struct hello *hello, enum tls_protocols protocols) {
    return protocols == TLS_HTTP1 && hello->alpn && !hello->alpn_http11 && !hello->alpn_http10;
}

/* Tickets are the host's, and open in each of its contexts: a client resumes whichever certificate it would get. */
static struct tls_context *context_for(const struct client *client, const struct hello *hello) {
    const struct config_host *host = client->host;

    return client->site->contexts[host->index][config_choose_certificate(host, hello)];
}

static void accept_hello(struct connection *connection, const struct hello *hello, struct bytes received) {
    const struct config *config = connection->client.site->config;

    connection->client.host = config_find_host(config, hello->name);
    if (connection->client.host == NULL) {
        handshake_refuse_hello(connection, TLS_ALERT_UNRECOGNIZED_NAME, STATS_REJECT_UNKNOWN_HOST);
        return;
    }
    if (!site_switch_name(&connection->client, hello->name)) {
        handshake_refuse_hello(connection, TLS_ALERT_INTERNAL_ERROR, STATS_REJECT_NO_MEMORY);
        return;
    }
    enum tls_protocols protocols = protocols_for(connection->client.host, hello);
    if (lacks_protocol(hello, protocols)) {
        handshake_refuse_hello(connection, TLS_ALERT_NO_APPLICATION_PROTOCOL, STATS_REJECT_NO_PROTOCOL);
        return;
    }
    if (hello->lacks_curve && config->prefer_post_quantum == CONFIG_POST_QUANTUM_OFF) {
        handshake_refuse_hello(connection, TLS_ALERT_HANDSHAKE_FAILURE, STATS_REJECT_NO_COMMON);
        return;
    }
    connection->client.verdict.resumable = hello->resumable;
    connection->client.tls =
        tls_session_create(context_for(&connection->client, hello), config->limits.certificate_chain_size, protocols,
                           &session_handler, connection);
    if (connection->client.tls == NULL) {
        handshake_refuse_hello(connection, TLS_ALERT_INTERNAL_ERROR, STATS_REJECT_NO_MEMORY);
        return;
    }
    const struct tls_client_offer offer = {
        .named = hello->name[0] != '\0',
        .max_fragment = hello->max_fragment,
        .record_size_limit = hello->record_size_limit,
        .only_hybrids = hello->could_be_hybrid && config->prefer_post_quantum == CONFIG_POST_QUANTUM_STRICT,
        .early_data_max = hello->early_data ? HELLO_EARLY_DATA_MAX : 0,
    };

    tls_session_heed(connection->client.tls, &offer);
    connection_enter(connection, &handshake_stage);
    if (hello->records > 1) {
        go_on_joined(connection, received);
    } else {
        go_on(connection, connection->client.shard->batch, received);
    }
}

void handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received) {
    struct gate_work work;

    if (!begin_step(connection, &work)) {
        return;
    }
    struct connection_held held = held_take(connection);

    accept_hello(connection, hello, received);
    account(connection, work);
    held_give_back(connection, &held);
}

static bool wants_input(const struct connection *connection) {
    return !connection->queue.entry.waits && connection->step == NULL;
}

static bool leave(struct connection *connection, enum connection_end how) {
    connection_count_handshake(connection, STATS_FAILED);
    gate_forget(connection);
    return true;
}

const struct stage handshake_stage = {
    .name = "handshake",
    .state = CONNECTION_HANDSHAKE,
    .next = STAGE_BIT(CONNECTION_WAITING) | STAGE_BIT(CONNECTION_QUIET) | STAGE_BIT(CONNECTION_TCP) |
            STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_HANDSHAKE,
    .is_early = true,
    .pauses = true,
    .received = received_flight,
    .taken_up = continue_handshake,
    .finished = connection_finish_early,
    .failed = connection_lose_early,
    .timed_out = connection_time_out_early,
    .wants_input = wants_input,
    .leave = leave,
};
