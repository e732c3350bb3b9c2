#include "edge/redirect.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/eviction.h"
#include "edge/held.h"
#include "edge/naming.h"
#include "edge/place.h"
#include "guard/hello.h"
#include "http/authority.h"
#include "http/mend.h"
#include "http/parser.h"
#include "http/syntax.h"

#include <string.h>

enum { FIRST_BYTE_OF_TLS = 22 /* a record of a handshake: RFC 8446 section 5.1 */ };

/* One request, as long as it is answered. */
struct redirect {
    struct http_parser parser;
    struct http_message request;
    struct http_header headers[HTTP_HEADERS_MAX];
    struct journal_note note;
    const struct config_host *host; /* that it names; NULL: none is served by that name */
    bool is_whole;                  /* the head is well-formed */
};

static struct shard *shard_of(const struct connection *connection) {
    return connection->client.shard;
}

static const struct config *config_of(const struct connection *connection) {
    return connection->client.site->config;
}

static uint16_t port_of(const struct connection *connection) {
    return config_of(connection)->listen[connection->client.listener].redirect_port;
}

/* Finds the host that the request names; NULL too where the host does not speak HTTP. */
static const struct config_host *find_host(const struct config *config, struct bytes authority) {
    const struct config_host *host = naming_find(config, authority);

    return host != NULL && host->is_tcp ? NULL : host;
}

/* Appends the authority that is asked for, with the port of https instead of its own. */
static void append_authority(struct text *out, struct bytes authority, uint16_t port) {
    char name[HTTP_NAME_SIZE];
    struct bytes host;

    if (!http_authority_is_address(authority)) {
        CHECK(http_authority_name(authority, name));
        text_append_string(out, name);
    } else {
        CHECK(http_authority_host(authority, &host));
        bool in_brackets = authority.data[0] == '[';

        text_append_string(out, in_brackets ? "[" : "");
        text_append_bytes(out, host);
        text_append_string(out, in_brackets ? "]" : "");
    }
    if (port != 443) {
        text_append_format(out, ":%u", port);
    }
}

/*
 * Appends the header Location. The path is as the parser took it: visible ASCII without '#', behind an authority that ends
 * it cannot become another one. A URI without a path is the asterisk-form of OPTIONS (RFC 9112 section 3.2.4).
 */
static void append_location(struct text *out, const struct http_message *request, struct bytes head, uint16_t port) {
    struct bytes path = http_view(head.data, request->path);
    const char *front = http_path_front(request, head.data);
    bool is_asterisk = (path.size == 0 ? front[0] : path.data[0]) == '*';

    text_append_string(out, "Location: https://");
    append_authority(out, http_view(head.data, request->authority), port);
    if (!is_asterisk) {
        text_append_string(out, front);
        text_append_bytes(out, path);
    }
    text_append_string(out, "\r\n");
}

static void log_answer(const struct connection *connection, const struct redirect *redirect, unsigned status, size_t body) {
    char address[CLIENT_ADDRESS_SIZE];
    const struct journal_note *note = &redirect->note;
    struct access_request line = {
        .client = client_describe(&connection->client, redirect->host, address),
        .method = bytes_of(note->method, note->method_size),
        .path = bytes_of(note->path, note->path_size),
        .http = !redirect->is_whole            ? NULL
                : redirect->request.minor == 0 ? "1.0"
                                               : "1.1",
        .request_id = naming_id(note),
        .code = status,
        .body_out = body,
    };

    journal_request(&shard_of(connection)->journal, &line);
}

/* Returns whether the connection is worth keeping: the redirect itself leads to another one. */
static bool may_go_on(const struct connection *connection, const struct redirect *redirect, unsigned status) {
    const struct http_message *request = &redirect->request;
    bool has_body = request->framing != HTTP_NO_BODY && !(request->framing == HTTP_LENGTH && request->content_length == 0);

    return status == 308 && request->keep_alive && !has_body && connection->http1.requests < REDIRECT_REQUESTS_MAX &&
           shard_is_calm(shard_of(connection)) && !shard_of(connection)->draining;
}

/* Sends the answer. False: the connection has ended, or ends behind it. */
static bool send_answer(struct connection *connection, struct redirect *redirect, unsigned status, const char *fields) {
    struct shard *shard = shard_of(connection);
    struct text out = text_over(shard->scratch.head, sizeof shard->scratch.head);
    struct bytes body = bytes_of_string(http_status_text(status));
    struct http_reply reply = {
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .stamp = naming_stamp(shard, &redirect->note),
        .fields = fields,
        .body = body,
        .keep_alive = may_go_on(connection, redirect, status),
        .to_head = redirect->request.head_request,
    };

    http_write_reply(&out, &reply);
    CHECK(!out.overflow); /* the fields are smaller than that by more than the rest of an answer */
    if (journal_is_on(&shard->journal)) {
        log_answer(connection, redirect, status, reply.to_head ? 0 : body.size);
    }
    if (!eviction_allows_sending(connection)) {
        return false;
    }
    if (stream_write(connection->stream, text_bytes(&out)) != 0) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return false;
    }
    if (!reply.keep_alive && status == 308) {
        connection_end(connection, CONNECTION_POLITELY);
    }
    return reply.keep_alive;
}

/* Answers what is no request to be sent on, and ends the connection. */
static void refuse(struct connection *connection, struct redirect *redirect, unsigned status, enum stats_rejection why,
                   enum connection_blame blame) {
    send_answer(connection, redirect, status, NULL);
    connection_refuse(connection, STATS_AT_REQUEST, why, blame, CONNECTION_POLITELY);
}

/* Answers a request whose head is well-formed. False: the connection has ended. */
static bool send_on(struct connection *connection, struct redirect *redirect, struct bytes head) {
    struct shard *shard = shard_of(connection);
    const struct http_message *request = &redirect->request;
    struct text fields = text_over(shard->scratch.fields, sizeof shard->scratch.fields - 1);

    redirect->is_whole = true;
    journal_note_request(&redirect->note, request, head);
    if (request->method_kind == HTTP_METHOD_CONNECT) {
        refuse(connection, redirect, 501, STATS_REJECT_NOT_IMPLEMENTED, CONNECTION_BLAME_FAILURE);
        return false;
    }
    if (request->authority.size == 0) { /* of HTTP/1.0, which need not name one */
        refuse(connection, redirect, 400, STATS_REJECT_MALFORMED, CONNECTION_BLAME_NONE);
        return false;
    }
    redirect->host = find_host(config_of(connection), http_view(head.data, request->authority));
    if (redirect->host == NULL) {
        refuse(connection, redirect, 421, STATS_REJECT_MISDIRECTED, CONNECTION_BLAME_NONE);
        return false;
    }
    append_location(&fields, request, head, port_of(connection));
    CHECK(!fields.overflow); /* targets are at most 8 KiB: see http/start_line.c */
    fields.data[fields.size] = '\0';
    stats_add(&shard->stats->redirects, 1);
    return send_answer(connection, redirect, 308, fields.data);
}

static void begin(const struct connection *connection, struct redirect *redirect) {
    *redirect = (struct redirect){.request = {.headers = redirect->headers, .headers_max = HTTP_HEADERS_MAX}};
    http_parser_init_request(&redirect->parser, &redirect->request, connection_limits(connection)->request_header_size);
}

/* Returns the bytes that were used; 0: the head is not complete, or the connection has ended. */
static size_t answer_one(struct connection *connection, struct bytes input) {
    struct redirect redirect;

    begin(connection, &redirect);
    switch (http_parser_head(&redirect.parser, input)) {
    case HTTP_PARSE_MORE:
        return 0;
    case HTTP_PARSE_HEAD:
        connection->http1.requests++;
        pace_begin(&connection->pace);
        naming_identify(shard_of(connection), &redirect.note, &redirect.request, input);
        return send_on(connection, &redirect, input) ? redirect.request.head_size : 0;
    default:
        naming_identify(shard_of(connection), &redirect.note, NULL, input);
        refuse(connection, &redirect, redirect.parser.error_status, stats_rejection_of_status(redirect.parser.error_status),
               CONNECTION_BLAME_FAILURE);
        return 0;
    }
}

/* A client of TLS has come to the wrong port: tells it so in its own protocol. */
static void refuse_tls(struct connection *connection) {
    uint8_t record[7];

    hello_alert(TLS_ALERT_PROTOCOL_VERSION, record);
    bool told = stream_write(connection->stream, bytes_of(record, sizeof record)) == 0;
    connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_MALFORMED, CONNECTION_BLAME_NONE,
                      told ? CONNECTION_AFTER_ALERT : CONNECTION_ABRUPTLY);
}

static const char preface[] = "PRI * HTTP/2.0\r\n\r\n";

/* A client of HTTP/2 that has not asked: an empty SETTINGS, and GOAWAY with HTTP_1_1_REQUIRED (RFC 9113 section 7). */
static void refuse_http2(struct connection *connection) {
    static const uint8_t frames[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, /* SETTINGS */
                                     0, 0, 8, 7, 0, 0, 0, 0, 0, /* GOAWAY of stream 0 */
                                     0, 0, 0, 0, 0, 0, 0, 13};
    bool told = stream_write(connection->stream, bytes_of(frames, sizeof frames)) == 0;

    connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_NOT_IMPLEMENTED, CONNECTION_BLAME_NONE,
                      told ? CONNECTION_POLITELY : CONNECTION_ABRUPTLY);
}

/* Refuses a client by its first bytes, which are of no HTTP/1. True: it has, or the connection has ended before. */
static bool refuses_protocol(struct connection *connection, struct bytes input) {
    if (input.data[0] == FIRST_BYTE_OF_TLS) {
        refuse_tls(connection);
        return true;
    }
    if (!http_is_token_character(input.data[0])) {
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_MALFORMED, CONNECTION_BLAME_FAILURE,
                          CONNECTION_BY_RESET);
        return true;
    }
    if (input.size >= sizeof preface - 1 && memcmp(input.data, preface, sizeof preface - 1) == 0) {
        refuse_http2(connection);
        return true;
    }
    return false;
}

/* Drops empty lines before a request (RFC 9112 section 2.2). */
static struct bytes without_empty_lines(struct bytes input) {
    while (input.size > 0 && (input.data[0] == '\r' || input.data[0] == '\n')) {
        input = bytes_of(input.data + 1, input.size - 1);
    }
    return input;
}

/* Returns whether the first line of a request is whole, by bytes behind the first `known`. One without a space is none. */
static bool ends_first_line(struct bytes input, size_t known) {
    const uint8_t *end = memchr(input.data, '\n', input.size);

    return end != NULL && (size_t)(end - input.data) >= known && memchr(input.data, ' ', (size_t)(end - input.data)) != NULL;
}

/*
 * Returns whether the parser has something to decide: a whole first line, which may be all that a client of HTTP/0.9 says;
 * a whole head; or more bytes than a head may have. None of these ends within the first `known` bytes. So a head is parsed
 * twice at most, in however many pieces it comes.
 */
static bool is_decidable(const struct connection *connection, struct bytes input, size_t known) {
    return ends_first_line(input, known) || input.size > connection_limits(connection)->request_header_size ||
           http_mend_head_size(input, known) > 0;
}

/* Answers the requests in `input`, as far as they are whole and there is room. Returns what is left. */
static struct bytes answer_all(struct connection *connection, struct bytes input) {
    while (!connection_is_closing(connection) && stream_room(connection->stream) > 0) {
        input = without_empty_lines(input);
        if (input.size == 0 || refuses_protocol(connection, input)) {
            break;
        }
        size_t used = answer_one(connection, input);

        if (used == 0) {
            break;
        }
        input = bytes_of(input.data + used, input.size - used);
    }
    return input;
}

/* Answers what can be decided. Behind an answer the deadline begins anew, for what comes next, and where a head begins. */
static void work_through(struct connection *connection, struct bytes input) {
    bool begins = connection->held.size == 0;
    struct connection_held held = held_take(connection);
    uint32_t answered_before = connection->http1.requests;

    input = answer_all(connection, input);
    if (!connection_is_closing(connection) && input.size > 0) {
        held_add(connection, input);
    }
    bool answered = connection->http1.requests > answered_before;
    if (!connection_is_closing(connection) && (answered || begins)) {
        connection_enter(connection, &redirect_stage);
    }
    if (!connection_is_closing(connection) && answered) {
        place_update(connection);
    }
    held_give_back(connection, &held);
}

static void received(struct connection *connection, struct bytes data) {
    size_t before = connection->held.size;
    struct bytes input = before == 0 ? without_empty_lines(data) : data;

    if (input.size == 0 || (before == 0 && refuses_protocol(connection, input))) {
        return;
    }
    if (before > 0) {
        held_add(connection, input);
        input = bytes_of(connection->held.data, connection->held.size);
    }
    if (is_decidable(connection, input, before)) {
        work_through(connection, input);
        return;
    }
    if (before == 0) {
        held_add(connection, input);
        connection_enter(connection, &redirect_stage);
    }
}

/* There is room again: for requests that came behind others. */
static void drained(struct connection *connection) {
    struct bytes held = bytes_of(connection->held.data, connection->held.size);

    if (held.size > 0 && is_decidable(connection, held, 0)) {
        work_through(connection, held);
    }
    if (!connection_is_closing(connection)) {
        connection_arm(connection);
    }
}

static void finished(struct connection *connection, bool by_fin) {
    connection_end(connection, connection->http1.requests > 0 ? CONNECTION_POLITELY : CONNECTION_ABRUPTLY);
}

static void failed(struct connection *connection) {
    connection_end(connection, CONNECTION_ABRUPTLY);
}

static void timed_out(struct connection *connection) {
    struct redirect redirect;

    if (connection->stream->queue.size > 0) {
        connection_end(connection, CONNECTION_BY_RESET); /* it does not take its answers */
    } else if (connection->held.size == 0 && connection->http1.requests > 0) {
        connection_end(connection, CONNECTION_POLITELY);
    } else if (connection->held.size == 0) {
        connection_refuse(connection, STATS_AT_REQUEST, STATS_REJECT_TIMEOUT, CONNECTION_BLAME_NONE, CONNECTION_BY_RESET);
    } else {
        begin(connection, &redirect);
        naming_identify(shard_of(connection), &redirect.note, NULL, (struct bytes){0});
        refuse(connection, &redirect, 408, STATS_REJECT_TIMEOUT, CONNECTION_BLAME_FAILURE);
    }
}

static void drain(struct connection *connection) {
    if (connection->held.size == 0) {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

/* For a request that has begun, and for the first one, the time of a head; else that between two requests. */
static uint32_t deadline_ms(const struct connection *connection) {
    const struct config_limits *limits = connection_limits(connection);

    return connection->held.size > 0 || connection->http1.requests == 0 ? limits->request_header_timeout_ms
                                                                        : limits->idle_timeout_ms;
}

/* Its places and bytes are those of connections whose handshakes are not complete: nothing is known of the client. */
const struct stage redirect_stage = {
    .name = "redirect",
    .state = CONNECTION_REDIRECT,
    .next = STAGE_BIT(CONNECTION_REDIRECT) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_REQUEST,
    .is_early = true,
    .is_plain = true,
    .may_switch_site = true,
    .pauses = true,
    .deadline_ms = deadline_ms,
    .received = received,
    .finished = finished,
    .failed = failed,
    .drained = drained,
    .timed_out = timed_out,
    .drain = drain,
};
