/* The life of an exchange, as far as it is the same whatever protocol the origin speaks. */
#include "base/check.h"
#include "base/log.h"
#include "http/persistence.h"
#include "relay/choose.h"
#include "relay/dispatch.h"

#include <errno.h>

void exchange_choose(struct relay_exchange *exchange, struct relay_origin *origin) {
    if (origin != NULL) {
        origin->uses++;
    }
    if (exchange->origin != NULL) {
        pool_let_go(exchange->relay, exchange->origin);
    }
    exchange->origin = origin;
}

void exchange_drop_kept(struct relay_exchange *exchange) {
    if (exchange->kept != NULL) {
        slab_give(&exchange->relay->buffers, exchange->kept);
        exchange->kept = NULL;
    }
}

void exchange_release(struct relay_exchange *exchange) {
    struct relay *relay = exchange->relay;

    timer_clear(&relay->ring->timers, &exchange->timer);
    dispatch_leave(exchange);
    exchange_choose(exchange, NULL);
    if (exchange->buffer != NULL) {
        slab_give(&relay->buffers, exchange->buffer);
    }
    exchange_drop_kept(exchange);
    slab_give(&relay->exchanges, exchange);
}

static void report(const struct relay_exchange *exchange, enum relay_fault fault, const char *detail) {
    struct relay_origin *origin = exchange->origin;
    bool is_ours = origin == NULL || fault == RELAY_FAULT_NO_RESOURCES || fault == RELAY_FAULT_BUSY;

    relay_fault_report(fault, exchange->host->configured->name, origin == NULL ? NULL : origin->text, detail,
                       !is_ours && origin_is_news(origin, ORIGIN_NEWS_ANSWER, ring_now_ms(exchange->relay->ring)));
}

/* Tells that the exchange has no origin: of each that was tried, there is a line of its own. */
static void report_unconnected(const struct relay_exchange *exchange, enum relay_fault fault) {
    log_limited(LOG_LEVEL_WARNING, "host %s: no origin takes a connection; the last one, %s: %s",
                exchange->host->configured->name, exchange->origin->text, relay_fault_name(fault));
}

static void count(const struct relay_exchange *exchange, enum stats_origin_result result) {
    if (exchange->host->counters != NULL) {
        stats_add(&exchange->host->counters->origin_requests[result], 1);
    }
}

static enum stats_origin_result result_of(enum relay_error error) {
    static const enum stats_origin_result results[] = {
        [RELAY_UNREACHABLE] = STATS_ORIGIN_UNREACHABLE,
        [RELAY_BROKEN] = STATS_ORIGIN_BROKEN,
        [RELAY_BAD_RESPONSE] = STATS_ORIGIN_BAD_RESPONSE,
        [RELAY_TIMEOUT] = STATS_ORIGIN_TIMEOUT,
        [RELAY_BUSY] = STATS_ORIGIN_BUSY,
    };

    return results[error];
}

/* Returns whether the origin is to blame for the failure of an exchange that was sent. */
static bool is_to_blame(const struct relay_exchange *exchange, enum relay_fault fault) {
    return (exchange->state == EXCHANGE_HEAD || exchange->state == EXCHANGE_BODY) && fault != RELAY_FAULT_NO_RESOURCES &&
           fault != RELAY_FAULT_BUSY;
}

void exchange_fail(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault) {
    const struct relay_handler *handler = exchange->handler;
    void *owner = exchange->owner;

    if (error == RELAY_UNREACHABLE && exchange->origin != NULL && fault != RELAY_FAULT_NO_RESOURCES) {
        report_unconnected(exchange, fault);
    } else {
        report(exchange, fault, exchange->detail);
    }
    if (is_to_blame(exchange, fault)) {
        choose_note_failure(exchange->origin, ring_now_ms(exchange->relay->ring));
    }
    if (dispatch_again(exchange, error, fault)) {
        return;
    }
    count(exchange, result_of(error));
    exchange->transport->drop(exchange);
    exchange_release(exchange);
    handler->failed(owner, error, fault);
}

void exchange_fail_later(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault) {
    struct ring *ring = exchange->relay->ring;

    exchange->transport->drop(exchange);
    dispatch_leave(exchange);
    exchange->state = EXCHANGE_FAILING;
    exchange->error = error;
    exchange->fault = fault;
    timer_set(&ring->timers, &exchange->timer, ring_now_ms(ring), 0);
}

static enum exchange_wait awaited(struct relay_exchange *exchange) {
    if (list_is_linked(&exchange->in_line)) {
        return WAIT_LINE;
    }
    if (exchange->state == EXCHANGE_CONNECTING) {
        return exchange->origin == NULL ? WAIT_NOTHING : WAIT_CONNECT; /* put off: none is chosen yet */
    }
    /* While paused an origin may be stuck with what it cannot get rid of, so nothing is held against it. */
    if (exchange_is_over(exchange) || exchange->paused || exchange->state == EXCHANGE_TUNNEL) {
        return WAIT_NOTHING;
    }
    if (exchange->transport->is_sending(exchange)) {
        return WAIT_SEND;
    }
    if (!exchange->request_done || exchange->patient) {
        return WAIT_NOTHING;
    }
    return exchange->state == EXCHANGE_HEAD ? WAIT_HEAD : WAIT_BODY;
}

static uint32_t deadline_ms(const struct relay_exchange *exchange) {
    if (exchange->wait == WAIT_LINE) {
        return exchange->relay->timeouts.line_ms;
    }
    const struct config_timeouts *timeouts = &exchange->origin->configured->timeouts;

    switch (exchange->wait) {
    case WAIT_CONNECT:
        return timeouts->connect_ms;
    case WAIT_HEAD:
        return timeouts->response_ms;
    case WAIT_BODY:
        return exchange->events && !exchange->doubted ? exchange->host->events_ms : timeouts->body_ms;
    case WAIT_SEND:
    case WAIT_LINE:
    case WAIT_NOTHING:
        break;
    }
    return timeouts->body_ms;
}

void exchange_watch(struct relay_exchange *exchange, bool progress) {
    enum exchange_wait wait = awaited(exchange);
    struct ring *ring = exchange->relay->ring;

    if (exchange_is_over(exchange) || (wait == exchange->wait && !progress)) {
        return;
    }
    exchange->wait = wait;
    if (wait == WAIT_NOTHING) {
        timer_clear(&ring->timers, &exchange->timer);
        return;
    }
    timer_set(&ring->timers, &exchange->timer, ring_now_ms(ring), deadline_ms(exchange));
}

/* Returns whether a status tells that the origin, or one behind it, does not work. */
static bool is_failure(unsigned status) {
    return status >= 502 && status <= 504;
}

/* Returns whether an error comes from a limit of this machine, and says nothing of the origin. */
static bool is_local_shortage(int error) {
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM || error == -EADDRNOTAVAIL;
}

/* Logs one line in timeouts.down_ms: a shortage strikes every request. */
static void report_shortage(struct relay *relay, const struct relay_origin *origin, int error) {
    uint64_t now_ms = ring_now_ms(relay->ring);

    if (now_ms >= relay->quiet_until_ms) {
        relay->quiet_until_ms = now_ms + relay->timeouts.down_ms;
        log_limited(LOG_LEVEL_WARNING, "origin %s: no connection can be made from here: %s", origin->text, strerror(-error));
    }
}

void exchange_note_shortage(struct relay_exchange *exchange, int error) {
    report_shortage(exchange->relay, exchange->origin, error);
    exchange->fault = RELAY_FAULT_NO_RESOURCES;
}

/* Tells once for each time that the origin is passed over, and of each origin at once when that begins. */
static void report_down(const struct relay *relay, struct relay_origin *origin, enum relay_fault fault, const char *why) {
    static struct log_kind news = LOG_KIND_OF(LOG_NEWS_BURST), others = LOG_KIND_INITIALIZER;
    bool is_news = origin_is_news(origin, ORIGIN_NEWS_CONNECTION, ring_now_ms(relay->ring));

    origin->outage_told = origin->outage_told || is_news;
    log_line_of_kind(is_news ? &news : &others, LOG_LEVEL_WARNING, "host %s: origin %s: %s: %s; passed over for %u s",
                     origin->host->configured->name, origin->text, relay_fault_name(fault), why,
                     relay->timeouts.down_ms / 1000);
}

void exchange_note_unconnected(struct relay_exchange *exchange, const struct relay_failure *failure) {
    struct relay *relay = exchange->relay;
    struct relay_origin *origin = exchange->origin;

    exchange->fault = relay_fault_of_connect(failure);
    exchange->detail = failure->detail;
    if (is_local_shortage(failure->error)) {
        report_shortage(relay, origin, failure->error);
    } else if (origin_mark_down(origin, ring_now_ms(relay->ring), relay->timeouts.down_ms)) {
        report_down(relay, origin, exchange->fault, failure->detail != NULL ? failure->detail : strerror(-failure->error));
    }
}

void exchange_note_connected(struct relay_origin *origin, const struct relay_link *link) {
    static struct log_kind news = LOG_KIND_OF(LOG_NEWS_BURST), others = LOG_KIND_INITIALIZER;

    pool_count_handshake(origin, link);
    if (origin_mark_up(origin)) {
        log_line_of_kind(origin->outage_told ? &news : &others, LOG_LEVEL_INFO,
                         "host %s: origin %s: accepts connections again", origin->host->configured->name, origin->text);
        origin->outage_told = false;
    }
}

void exchange_note_complete(struct relay_exchange *exchange) {
    count(exchange, STATS_ORIGIN_COMPLETED);
    if (!is_failure(exchange->message.status)) {
        choose_note_success(exchange->origin);
    }
    dispatch_leave(exchange);
}

bool exchange_note_status(struct relay_exchange *exchange) {
    if (!is_failure(exchange->message.status)) {
        return false;
    }
    choose_note_failure(exchange->origin, ring_now_ms(exchange->relay->ring));
    return dispatch_again_after_status(exchange);
}

static void deadline_passed(struct timer *timer) {
    struct relay_exchange *exchange = CONTAINER_OF(timer, struct relay_exchange, timer);

    if (exchange->state == EXCHANGE_FAILING) {
        exchange_fail(exchange, exchange->error, exchange->fault);
    } else if (exchange->wait == WAIT_LINE) {
        dispatch_line_timed_out(exchange);
    } else if (!exchange->transport->timed_out(exchange)) {
        exchange_fail(exchange, RELAY_TIMEOUT,
                      exchange->wait == WAIT_SEND ? RELAY_FAULT_SEND_TIMED_OUT : RELAY_FAULT_TIMED_OUT);
    }
}

static void set_up(struct relay_exchange *exchange, const struct relay_request *request) {
    struct relay *relay = exchange->relay;

    exchange->host = &relay->hosts[request->host->index];
    exchange->transport = exchange->host->http2 ? &exchange_http2 : &exchange_http1;
    exchange->client = request->client;
    exchange->framing = request->framing;
    exchange->to_head = request->to_head;
    exchange->idempotent = request->idempotent;
    exchange->signs_in = request->signs_in;
    /* An origin may take a request for the last one that has offered another protocol, whatever its answer is. */
    exchange->last = request->last || request->upgrades;
    exchange->trailers = request->trailers;
    exchange->patient = request->patient;
    exchange->put_off = request->put_off;
    exchange->upgrades = request->upgrades;
    exchange->bare = request->bare;
    exchange->client_hash = request->client_hash;
    exchange->tries = request->tries;
    exchange->request_done = request->framing == HTTP_NO_BODY;
    exchange->whole = true;
    exchange->keep_s = HTTP_KEEP_ALIVE_UNSAID;
    timer_init(&exchange->timer, deadline_passed);
    /* There are as many buffers as exchanges. */
    exchange->buffer = slab_take(&relay->buffers);
    CHECK(exchange->buffer != NULL);
    memcpy(exchange->buffer, request->head.data, request->head.size);
    exchange->buffered = (uint32_t)request->head.size;
    if (exchange->host->configured->retry.causes != 0) {
        exchange->keeps = request->idempotent;
        retry_budget_note(&exchange->host->budget, ring_now_ms(relay->ring));
    }
}

struct relay_exchange *relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                            const struct relay_handler *handler, void *owner, enum relay_fault *fault) {
    CHECK(request->host->index < relay->config->host_count && request->framing != HTTP_UNTIL_CLOSE);
    CHECK(!request->bare || (request->head.size == 0 && request->framing == HTTP_NO_BODY && request->client == NULL &&
                             !relay->hosts[request->host->index].http2));
    *fault = RELAY_FAULT_NO_RESOURCES;
    struct relay_exchange *exchange =
        relay->closing || request->head.size > RELAY_REQUEST_HEAD_MAX ? NULL : slab_take(&relay->exchanges);
    if (exchange == NULL) {
        relay_fault_report(*fault, request->host->name, NULL, NULL, false);
        return NULL;
    }
    /* The parser and the message, the bulk of it, are set up when a response comes. */
    memset(exchange, 0, sizeof *exchange);
    exchange->relay = relay;
    exchange->handler = handler;
    exchange->owner = owner;
    set_up(exchange, request);
    if (!exchange->transport->begin(exchange)) {
        *fault = exchange->fault == RELAY_FAULT_NONE ? RELAY_FAULT_NO_RESOURCES : exchange->fault;
        report(exchange, *fault, NULL);
        exchange_release(exchange);
        return NULL;
    }
    return exchange;
}

/* Returns whether a connection is made, and the exchange is not over. */
static bool is_under_way(const struct relay_exchange *exchange) {
    return exchange->state == EXCHANGE_HEAD || exchange->state == EXCHANGE_BODY || exchange->state == EXCHANGE_TUNNEL;
}

size_t relay_exchange_room(struct relay_exchange *exchange) {
    return is_under_way(exchange) ? exchange->transport->room(exchange) : 0;
}

void relay_exchange_body(struct relay_exchange *exchange, struct bytes piece) {
    CHECK(!exchange->request_done);
    /* A chunk of no bytes would end the body. */
    if (exchange_is_over(exchange) || piece.size == 0) {
        return;
    }
    exchange->body_given = true;
    if (!exchange->transport->body(exchange, piece)) {
        exchange_fail_later(exchange, RELAY_BROKEN, RELAY_FAULT_NO_RESOURCES);
        return;
    }
    exchange_watch(exchange, false);
}

void relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers) {
    CHECK(trailers.size <= HTTP_TRAILERS_MAX && (trailers.size == 0 || exchange->framing == HTTP_CHUNKED));
    if (exchange->request_done) {
        return;
    }
    exchange->request_done = true;
    if (exchange_is_over(exchange)) {
        return;
    }
    if (!exchange->transport->body_end(exchange, trailers)) {
        exchange_fail_later(exchange, RELAY_BROKEN, RELAY_FAULT_NO_RESOURCES);
        return;
    }
    exchange_watch(exchange, false);
}

void relay_exchange_body_end(struct relay_exchange *exchange) {
    relay_exchange_body_end_with(exchange, (struct bytes){0});
}

void relay_exchange_doubt(struct relay_exchange *exchange) {
    exchange->doubted = true;
    exchange_watch(exchange, exchange->events);
}

void relay_exchange_pause(struct relay_exchange *exchange) {
    exchange->paused = true;
    exchange_watch(exchange, false);
}

void relay_exchange_resume(struct relay_exchange *exchange) {
    exchange->paused = false;
    if (is_under_way(exchange)) {
        exchange->transport->resume(exchange);
    }
    exchange_watch(exchange, false);
}

void relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault) {
    report(exchange, fault, NULL);
    relay_exchange_abort(exchange);
}

void relay_exchange_abort(struct relay_exchange *exchange) {
    count(exchange, STATS_ORIGIN_ABORTED);
    exchange->transport->drop(exchange);
    dispatch_leave(exchange);
    if (exchange->reading) {
        exchange->state = EXCHANGE_ABORTED;
        timer_clear(&exchange->relay->ring->timers, &exchange->timer);
        return;
    }
    exchange_release(exchange);
}
