#include "relay/dispatch.h"

#include "base/check.h"
#include "http/persistence.h"
#include "relay/choose.h"

_Static_assert(CONFIG_RETRY_REFUSED == 1 << STATS_RETRY_REFUSED && CONFIG_RETRY_TIMEOUT == 1 << STATS_RETRY_TIMEOUT &&
                   CONFIG_RETRY_502 == 1 << STATS_RETRY_502 && CONFIG_RETRY_503 == 1 << STATS_RETRY_503,
               "causes have the same order");

static void count_in_line(const struct relay_exchange *exchange, enum stats_line_end end) {
    if (exchange->host->counters != NULL) {
        stats_add(&exchange->host->counters->origin_lines[end], 1);
    }
}

static uint64_t now_ms(const struct relay_exchange *exchange) {
    return ring_now_ms(exchange->relay->ring);
}

static void serve_later(const struct relay_exchange *exchange) {
    if (exchange->host->line_count > 0) {
        ring_defer(exchange->relay->ring, &exchange->host->serve);
    }
}

/* False: as many wait as may. */
static bool join_line(struct relay_exchange *exchange) {
    struct relay_host *host = exchange->host;

    exchange->state = EXCHANGE_CONNECTING;
    if (host->line_count >= host->line_max) {
        count_in_line(exchange, STATS_LINE_FULL);
        exchange->fault = RELAY_FAULT_BUSY;
        return false;
    }
    list_append(&host->line, &exchange->in_line);
    host->line_count++;
    exchange_watch(exchange, true);
    serve_later(exchange);
    return true;
}

static void leave_line(struct relay_exchange *exchange) {
    list_remove(&exchange->in_line);
    exchange->host->line_count--;
}

void dispatch_enter(struct relay_exchange *exchange, struct relay_origin *origin) {
    CHECK(exchange->at == NULL);
    exchange_choose(exchange, origin);
    exchange->at = origin;
    choose_enter(origin);
    if (exchange->tries != NULL) {
        (*exchange->tries)++;
    }
}

void dispatch_leave(struct relay_exchange *exchange) {
    if (list_is_linked(&exchange->in_line)) {
        leave_line(exchange);
        count_in_line(exchange, STATS_LINE_LEFT);
    }
    if (exchange->at != NULL) {
        choose_leave(exchange->at);
        exchange->at = NULL;
        serve_later(exchange);
    }
}

bool dispatch_may_enter(const struct relay_exchange *exchange, const struct relay_origin *origin) {
    return exchange->host->line_count == 0 && !choose_is_full(origin);
}

static bool go(struct relay_exchange *exchange, struct relay_origin *origin) {
    dispatch_enter(exchange, origin);
    if (exchange->transport->go(exchange, origin)) {
        return true;
    }
    dispatch_leave(exchange);
    return false;
}

/* Goes to one origin after the other, until one takes it. */
static bool find(struct relay_exchange *exchange) {
    for (;;) {
        bool full;
        struct relay_origin *origin =
            choose_next(exchange->host, &exchange->tried, exchange->client_hash, now_ms(exchange), &full);

        if (origin == NULL) {
            exchange->fault = exchange->host->count == 0 ? RELAY_FAULT_NO_ADDRESS : exchange->fault;
            return full && join_line(exchange);
        }
        if (!balance_note_tried(&exchange->tried, &origin->member)) {
            return false;
        }
        if (go(exchange, origin)) {
            return true;
        }
    }
}

bool dispatch_begin(struct relay_exchange *exchange) {
    /* Those that wait have come first. */
    return exchange->host->line_count > 0 ? join_line(exchange) : find(exchange);
}

/* Tells the owner of an exchange that was sent at once that the request's body may come. */
static void go_on(struct relay_exchange *exchange) {
    if (exchange->state == EXCHANGE_HEAD) {
        exchange_watch(exchange, true);
        if (!exchange->request_done) {
            exchange->handler->drained(exchange->owner);
        }
    }
}

void dispatch_fail(struct relay_exchange *exchange) {
    if (exchange->fault == RELAY_FAULT_NONE) {
        exchange->fault = RELAY_FAULT_NO_RESOURCES;
    }
    exchange_fail(exchange, exchange->fault == RELAY_FAULT_BUSY ? RELAY_BUSY : RELAY_UNREACHABLE, exchange->fault);
}

void dispatch_next(struct relay_exchange *exchange) {
    dispatch_leave(exchange);
    if (find(exchange)) {
        go_on(exchange);
    } else {
        dispatch_fail(exchange);
    }
}

void dispatch_line_timed_out(struct relay_exchange *exchange) {
    leave_line(exchange);
    count_in_line(exchange, STATS_LINE_TIMED_OUT);
    exchange_fail(exchange, RELAY_BUSY, RELAY_FAULT_BUSY);
}

void dispatch_serve(struct ring_task *task) {
    struct relay_host *host = CONTAINER_OF(task, struct relay_host, serve);

    for (struct list *first; (first = list_first(&host->line)) != NULL;) {
        struct relay_exchange *exchange = CONTAINER_OF(first, struct relay_exchange, in_line);
        bool full;
        struct relay_origin *origin = choose_next(host, &exchange->tried, exchange->client_hash, now_ms(exchange), &full);

        if (full) {
            return;
        }
        leave_line(exchange);
        count_in_line(exchange, STATS_LINE_SERVED);
        if (origin != NULL && balance_note_tried(&exchange->tried, &origin->member) && go(exchange, origin)) {
            go_on(exchange);
        } else {
            dispatch_next(exchange);
        }
    }
}

/*
 * Returns whether the request may be sent once more: it changes nothing at the origin that it has not changed the first
 * time, all of it is there, and the client has had nothing of an answer. Where a client signs in, the connection matters.
 */
static bool may_be_repeated(const struct relay_exchange *exchange) {
    if (!exchange->idempotent || exchange->state != EXCHANGE_HEAD || exchange->interim > 0 || exchange->signs_in ||
        exchange->relay->closing || exchange->retries >= exchange->host->configured->retry.attempts) {
        return false;
    }
    if (exchange->connection != NULL && exchange->connection->signed_in) {
        return false;
    }
    if (exchange->kept == NULL && !exchange->whole) {
        return false;
    }
    /* The rest of the body must find room behind what is kept. */
    return exchange->request_done || exchange->buffered <= RELAY_REQUEST_HEAD_MAX;
}

/* Returns where to send the request again, or NULL. */
static struct relay_origin *find_another(struct relay_exchange *exchange, enum stats_retry cause, bool *full) {
    struct relay_host *host = exchange->host;
    struct relay_origin *origin = choose_next(host, &exchange->tried, exchange->client_hash, now_ms(exchange), full);

    if (origin == NULL && !*full && cause != STATS_RETRY_TIMEOUT) {
        exchange->tried.count = 0;
        origin = choose_next(host, &exchange->tried, exchange->client_hash, now_ms(exchange), full);
    }
    return origin;
}

/* The request is as it was before it was sent. */
static void rewind_exchange(struct relay_exchange *exchange) {
    if (exchange->kept != NULL) {
        slab_give(&exchange->relay->buffers, exchange->buffer);
        exchange->buffer = exchange->kept;
        exchange->kept = NULL;
    }
    exchange->state = EXCHANGE_CONNECTING;
    exchange->whole = true;
    exchange->answered = exchange->reused = exchange->replaced = false;
}

static bool send_again(struct relay_exchange *exchange, enum stats_retry cause, enum relay_error error,
                       enum relay_fault fault) {
    struct relay_host *host = exchange->host;
    bool full = false;

    if ((host->configured->retry.causes >> cause & 1) == 0 || !may_be_repeated(exchange)) {
        return false;
    }
    struct relay_origin *origin = find_another(exchange, cause, &full);
    if (origin == NULL && !full) {
        return false;
    }
    bool granted = retry_budget_take(&host->budget, now_ms(exchange));
    if (host->counters != NULL) {
        stats_add(granted ? &host->counters->origin_retries[cause] : &host->counters->origin_retries_denied, 1);
    }
    if (!granted) {
        return false;
    }
    exchange->retries++;
    exchange->transport->drop(exchange);
    dispatch_leave(exchange);
    rewind_exchange(exchange);
    if ((origin != NULL && balance_note_tried(&exchange->tried, &origin->member) && go(exchange, origin)) ||
        find(exchange)) {
        go_on(exchange);
    } else {
        exchange_fail_later(exchange, error, fault);
    }
    return true;
}

bool dispatch_again(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault) {
    switch (error) {
    case RELAY_TIMEOUT:
        return send_again(exchange, STATS_RETRY_TIMEOUT, error, fault);
    case RELAY_BROKEN:
    case RELAY_BUSY:
        return fault != RELAY_FAULT_NO_RESOURCES && send_again(exchange, STATS_RETRY_REFUSED, error, fault);
    case RELAY_UNREACHABLE:
    case RELAY_BAD_RESPONSE:
        break;
    }
    return false;
}

enum { STATUS_BAD_GATEWAY = 502, STATUS_UNAVAILABLE = 503 };

bool dispatch_again_after_status(struct relay_exchange *exchange) {
    unsigned status = exchange->message.status;

    if (status != STATUS_BAD_GATEWAY && status != STATUS_UNAVAILABLE) {
        return false;
    }
    return send_again(exchange, status == STATUS_BAD_GATEWAY ? STATS_RETRY_502 : STATS_RETRY_503, RELAY_BROKEN,
                      RELAY_FAULT_NO_RESOURCES);
}

bool dispatch_awaits_status(const struct relay_exchange *exchange) {
    return (exchange->host->configured->retry.causes & (CONFIG_RETRY_502 | CONFIG_RETRY_503)) != 0 && exchange->whole &&
           may_be_repeated(exchange);
}
