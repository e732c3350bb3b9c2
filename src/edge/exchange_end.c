/* The end of an exchange: what is counted and logged of it. */
#include "base/clock.h"
#include "edge/exchange.h"
#include "edge/exchange_tunnel.h"
#include "edge/naming.h"
#include "edge/passage.h"

static struct shard *shard_of(const struct exchange *exchange) {
    return exchange->client->shard;
}

/* Returns the version of HTTP for the access log; NULL when the head of an HTTP/1 request was not complete. */
static const char *http_version(const struct exchange *exchange) {
    if (exchange->stream_id != 0) {
        return "2";
    }
    if (exchange->note.method_size == 0) {
        return NULL;
    }
    return exchange->request.minor == 0 ? "1.0" : "1.1";
}

static void log_request(const struct exchange *exchange) {
    const struct journal_note *note = &exchange->note;
    char address[CLIENT_ADDRESS_SIZE];
    struct access_request line = {
        .client = client_describe(exchange->client, exchange->host, address),
        .session = client_describe_session(exchange->client, exchange->identity),
    };

    line.method = bytes_of(note->method, note->method_size);
    line.path = bytes_of(note->path, note->path_size);
    line.http = http_version(exchange);
    line.stream = exchange->stream_id;
    line.request_id = naming_id(note);
    line.code = exchange->code;
    line.tries = exchange->tries;
    line.origin_error = relay_fault_name(exchange->origin_fault);
    line.body_in = exchange->body_in;
    line.body_out = exchange->body_out;
    line.origin_ns = exchange->origin_ns;
    line.total_ns = clock_monotonic_ns() - exchange->started_ns;
    journal_request(&shard_of(exchange)->journal, &line);
}

/* Answers of our own are begun and done in one turn, so its time does not count. A tunnel may last for days. */
static uint64_t answered_in_ns(const struct exchange *exchange) {
    return (exchange->is_tunnel ? exchange->relayed_ns + exchange->origin_ns : clock_monotonic_ns()) - exchange->started_ns;
}

void exchange_end(struct exchange *exchange) {
    struct shard *shard = shard_of(exchange);

    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
    }
    if (exchange->code != 0) {
        enum stats_protocol protocol = exchange->stream_id == 0 ? STATS_HTTP1 : STATS_HTTP2;

        stats_add(&exchange_host_stats(exchange)->requests[stats_code_slot(exchange->code)][protocol], 1);
        stats_time_of_host(shard->stats, &exchange_host_stats(exchange)->request_seconds, STATS_REQUEST,
                           answered_in_ns(exchange));
    }
    if (exchange->is_tunnel) {
        exchange_tunnel_close(exchange);
    } else {
        exchange_stop_clock(exchange);
    }
    if (exchange->started_ns != 0 && journal_is_on(&shard->journal)) {
        log_request(exchange);
    }
    passage_end(shard, exchange->room);
    identity_release(exchange->identity);
    site_release(exchange->site);
}
