#include "server/probe.h"

#include "base/check.h"
#include "base/text.h"
#include "config/health.h"
#include "config/units.h"
#include "guard/proxy_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)PROBE_REQUEST_MAX >= (int)HEALTH_PATH_MAX + (int)ADDRESS_NAME_MAX + 128, "every request fits");

static size_t write_preface(enum config_origin_proxy kind, uint8_t out[static PROXY_WRITE_MAX]) {
    switch (kind) {
    case CONFIG_ORIGIN_PROXY_V1:
        return proxy_write_v1_unknown(out);
    case CONFIG_ORIGIN_PROXY_V2:
        return proxy_write_v2_local(out);
    case CONFIG_ORIGIN_PROXY_OFF:
        break;
    }
    return 0;
}

/* A wildcard stands for many names, and is none: an origin is asked for the domain that they share. */
static const char *name_of(const struct config_host *host) {
    return strncmp(host->name, "*.", 2) == 0 ? host->name + 2 : host->name;
}

/* Writes what each probe sends. */
static void write_words(struct probe_words *words) {
    const struct config_host *host = words->host;
    uint8_t preface[PROXY_WRITE_MAX];
    struct text request = text_over(words->request, sizeof words->request);

    words->preface_size = write_preface(host->origin_proxy, preface);
    CHECK(words->preface_size <= sizeof words->preface);
    memcpy(words->preface, preface, words->preface_size);
    if (host->health->path != NULL) {
        text_append_format(
            &request,
            "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sallyport-health\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            host->health->path, name_of(host));
    }
    CHECK(!request.overflow);
    words->request_size = request.size;
}

struct probe_words *probe_words_create(struct config *config, const struct config_host *host) {
    struct probe_words *words = calloc(1, sizeof *words);
    struct error error;

    if (words == NULL) {
        return NULL;
    }
    words->references = 1;
    words->config = config_retain(config);
    words->host = host;
    if (host->origin_tls != NULL) {
        words->tls = tls_origin_open(host, config->prefer_post_quantum == CONFIG_POST_QUANTUM_OFF, &error);
        if (words->tls == NULL) {
            probe_words_release(words);
            return NULL;
        }
    }
    write_words(words);
    return words;
}

void probe_words_release(struct probe_words *words) {
    CHECK(words->references > 0);
    if (--words->references == 0) {
        tls_origin_context_free(words->tls);
        config_release(words->config);
        free(words);
    }
}

static struct probe *of_link(struct relay_link *link) {
    return CONTAINER_OF(link, struct probe, link);
}

/* The link is the caller's to end. */
static void end(struct probe *probe) {
    probe->over = true;
    timer_clear(&probe->ring->timers, &probe->timer);
}

/* Of the results, these two: what is queued leaves, and the origin reads an end. Else it gets a reset. */
static bool is_answered(enum stats_probe_result result) {
    return result == STATS_PROBE_OK || result == STATS_PROBE_STATUS;
}

/* Ends the probe, with the words of `format` as the reason. */
__attribute__((format(printf, 3, 4))) static void conclude(struct probe *probe, enum stats_probe_result result,
                                                           const char *format, ...) {
    struct probe_outcome outcome = {.result = result};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(outcome.why, sizeof outcome.why, format, arguments);
    va_end(arguments);
    CHECK(!probe->over);
    end(probe);
    if (is_answered(result)) {
        if (probe->http2.session != NULL) {
            probe_http2_end(&probe->http2);
        }
        link_finish_briefly(&probe->link);
    } else {
        link_reset(&probe->link);
    }
    probe->done(probe, &outcome);
}

static void conclude_well(struct probe *probe) {
    conclude(probe, STATS_PROBE_OK, "%s", "");
}

static void conclude_by_status(struct probe *probe, unsigned status) {
    if (health_takes_status(probe->words->host->health, status)) {
        conclude_well(probe);
    } else {
        conclude(probe, STATS_PROBE_STATUS, "status %u", status);
    }
}

static void conclude_unmade(struct probe *probe) {
    conclude(probe, STATS_PROBE_SKIPPED, "not enough memory");
}

void probe_abort(struct probe *probe) {
    if (!probe->over) {
        end(probe);
    }
    link_reset(&probe->link);
}

static void timed_out(struct timer *timer) {
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);
    char timeout[UNITS_TEXT_SIZE];

    units_format_duration(probe->words->host->health->timeout_ms, timeout);
    const char *missing = probe->connected ? "answer" : link_is_made(&probe->link) ? "TLS handshake" : "connection";
    conclude(probe, STATS_PROBE_TIMED_OUT, "no %s within %s", missing, timeout);
}

static void conclude_malformed(struct probe *probe) {
    if (probe->http2.session != NULL) {
        conclude(probe, STATS_PROBE_MALFORMED, "no HTTP/2 answer: %s", probe->http2.error);
    } else if (!probe_answer_is_http(&probe->answer)) {
        conclude(probe, STATS_PROBE_MALFORMED, "its answer is not HTTP: %s", probe->answer.parser.error);
    } else {
        conclude(probe, STATS_PROBE_MALFORMED, "no HTTP answer: %s", probe->answer.parser.error);
    }
}

/* Goes on as the bytes that have come demand. */
static void go_on(struct probe *probe, enum probe_reading reading) {
    bool http2 = probe->http2.session != NULL;

    switch (reading) {
    case PROBE_MORE:
        link_receive(&probe->link);
        break;
    case PROBE_ANSWERED:
        conclude_by_status(probe, http2 ? probe->http2.status : probe->answer.message.status);
        break;
    case PROBE_MALFORMED:
        conclude_malformed(probe);
        break;
    case PROBE_UNMADE:
        conclude_unmade(probe);
        break;
    }
}

static void ask(struct probe *probe) {
    const struct probe_words *words = probe->words;
    struct bytes request = bytes_of(words->request, words->request_size);

    if (words->host->origin_http2) {
        go_on(probe, probe_http2_begin(&probe->http2, &probe->link, &probe->answer, request));
        return;
    }
    probe_answer_begin(&probe->answer);
    go_on(probe, link_write(&probe->link, request) < 0 ? PROBE_UNMADE : PROBE_MORE);
}

static bool on_opened(struct relay_link *link) {
    const struct probe_words *words = of_link(link)->words;

    return words->preface_size == 0 || stream_write(link->stream, bytes_of(words->preface, words->preface_size)) == 0;
}

static void on_connected(struct relay_link *link) {
    struct probe *probe = of_link(link);

    probe->connected = true;
    if (probe->words->request_size == 0) {
        conclude_well(probe);
    } else {
        ask(probe);
    }
}

static void on_received(struct relay_link *link, struct bytes data) {
    struct probe *probe = of_link(link);

    if (data.size == 0) {
        conclude(probe, STATS_PROBE_CLOSED, "the connection was closed before an answer");
    } else if (probe->http2.session != NULL) {
        go_on(probe, probe_http2_read(&probe->http2, data, ring_now_ms(probe->ring) / 1000));
    } else {
        go_on(probe, probe_answer_read(&probe->answer, data));
    }
}

static void connection_failed(struct probe *probe, const struct relay_failure *failure) {
    const char *error = strerror(-failure->error);

    switch (relay_fault_of_connect(failure)) {
    case RELAY_FAULT_NO_RESOURCES:
        conclude(probe, STATS_PROBE_SKIPPED, "no connection can be made from here: %s", error);
        break;
    case RELAY_FAULT_REFUSED:
        conclude(probe, STATS_PROBE_REFUSED, "connection refused");
        break;
    case RELAY_FAULT_CONNECT_TIMED_OUT:
        conclude(probe, STATS_PROBE_TIMED_OUT, "connection timed out");
        break;
    default:
        if (failure->fault == RELAY_FAULT_NONE) {
            conclude(probe, STATS_PROBE_UNREACHABLE, "no connection: %s", error);
        } else {
            conclude(probe, STATS_PROBE_TLS, "%s: %s", relay_fault_name(failure->fault),
                     failure->detail == NULL ? error : failure->detail);
        }
    }
}

static void on_failed(struct relay_link *link, int error) {
    struct probe *probe = of_link(link);

    if (!probe->connected) {
        struct relay_failure failure = link_failure(link, error);

        connection_failed(probe, &failure);
    } else {
        conclude(probe, STATS_PROBE_CLOSED, "the connection broke before an answer: %s", strerror(-error));
    }
}

static void on_closed(struct relay_link *link) {
    struct probe *probe = of_link(link);

    probe_http2_free(&probe->http2);
    tls_origin_end(&probe->tls);
    probe_words_release(probe->words);
    probe->gone(probe);
}

static const struct link_handler handler = {
    .opened = on_opened,
    .connected = on_connected,
    .received = on_received,
    .failed = on_failed,
    .closed = on_closed,
};

int probe_begin(struct probe *probe, struct ring *ring, const struct probe_target *target) {
    struct probe_words *words = probe->words;
    struct link_target where = {.ring = ring, .address = target->address, .memory = target->memory};

    probe->ring = ring;
    probe->connected = probe->over = false;
    probe->http2.session = NULL;
    probe->tls = (struct tls_origin){0};
    if (words->tls != NULL) {
        tls_origin_begin(&probe->tls, words->host->origin_tls, target->origin->tls_name, words->host->origin_http2,
                         words->tls);
        where.tls = &probe->tls;
    }
    timer_init(&probe->timer, timed_out);
    int error = link_connect(&probe->link, &where, &handler);
    if (error == 0) {
        words->references++;
        timer_set(&ring->timers, &probe->timer, ring_now_ms(ring), words->host->health->timeout_ms);
    }
    return error;
}
