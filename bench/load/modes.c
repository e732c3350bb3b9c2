#include "load/modes.h"

#include "base/check.h"
#include "load/flood.h"
#include "load/flood_http2.h"
#include "load/light.h"
#include "load/load_connection.h"
#include "load/load_shared.h"

static void close_answered(struct load_connection *connection) {
    load_record(connection->shared, LATENCY_EXCHANGE, connection->started_ns);
    load_connection_end(connection, connection->shared->options->close);
}

static void close_resumable(struct load_connection *connection) {
    load_record(connection->shared, LATENCY_EXCHANGE, connection->started_ns);
    if (load_connection_keep_ticket(connection)) {
        load_connection_end(connection, connection->shared->options->close);
    }
}

static void hold_answered(struct load_connection *connection) {
    load_connection_hold(connection);
}

/* The steps are the same for every attack over HTTP/2. */
#define OVER_HTTP2                                                                                                          \
    .connections_default = 64, .hostile = true, .received = flood_http2_hear, .said = flood_http2_go_on,                    \
    .due = flood_http2_hold, .established = flood_http2_begin

const struct behaviour modes[] = {
    {
        .name = "handshake",
        .summary = "each connection: full handshake with client certificate, one GET, its whole answer, close",
        .connections_default = 64,
        .closes = true,
        .established = load_connection_request,
        .answered = close_answered,
    },
    {
        .name = "resumed",
        .summary = "as handshake, but resumed (psk_dhe_ke) with a ticket that the one before has got, each used once",
        .connections_default = 64,
        .closes = true,
        .resumes = true,
        .established = load_connection_request,
        .answered = close_resumable,
    },
    {
        .name = "resumed-light",
        .summary = "as resumed, by a client without a library, which has one key share for all its connections",
        .connections_default = 64,
        .closes = true,
        .resumes = true,
        .forgery = FORGE_AS_IS,
        .connected = light_greet,
        .received = light_listen,
        .answered = close_resumable,
    },
    {
        .name = "request",
        .summary = "keep-alive connections: one GET after the other on each",
        .connections_default = 64,
        .established = load_connection_request,
        .answered = load_connection_request,
    },
    {
        .name = "idle",
        .summary = "opens all connections, one GET on each; prints a line when they stand; holds them; closes them",
        .connections_default = 1000,
        .opening_max = 64,
        .holds = true,
        .established = load_connection_request,
        .answered = hold_answered,
    },
    {
        .name = "issued",
        .summary =
            "as handshake, each with another valid certificate like --cert's that --issuer-key signs; counted as hostile",
        .connections_default = 64,
        .hostile = true,
        .forgery = FORGE_ISSUED,
        .connected = flood_intrude,
        .received = flood_go_on_intruding,
    },
    {
        .name = "random",
        .summary = "hostile: 16 to 512 random bytes",
        .connections_default = 64,
        .hostile = true,
        .connected = flood_say_noise,
    },
    {
        .name = "http",
        .summary = "hostile: a plain HTTP request",
        .connections_default = 64,
        .hostile = true,
        .connected = flood_say_http,
    },
    {
        .name = "hello",
        .summary = "hostile: a good ClientHello, made fresh; gone when the server begins to answer",
        .connections_default = 64,
        .hostile = true,
        .connected = flood_say_hello,
    },
    {
        .name = "hello-away",
        .summary = "hostile: a good ClientHello, made fresh; gone as soon as it has left",
        .connections_default = 64,
        .hostile = true,
        .connected = flood_say_hello,
        .said = flood_leave,
    },
    {
        .name = "silent",
        .summary = "hostile: connects and says nothing, for as long as the server bears it",
        .connections_default = 1000,
        .hostile = true,
        .connected = flood_say_nothing,
        .due = flood_tire,
    },
    {
        .name = "slow",
        .summary = "hostile: a good ClientHello, a byte each --interval",
        .connections_default = 1000,
        .hostile = true,
        .connected = flood_say_byte,
        .due = flood_say_byte,
    },
    {
        .name = "fragments",
        .summary = "hostile: a ClientHello in many records and segments; every other one is never finished",
        .connections_default = 1000,
        .hostile = true,
        .connected = flood_say_fragment,
        .said = flood_say_fragment,
    },
    {
        .name = "rogue",
        .summary = "hostile: a self-signed certificate made from --cert, each another, and a GET",
        .connections_default = 64,
        .hostile = true,
        .forgery = FORGE_SELF_SIGNED,
        .connected = flood_intrude,
        .received = flood_go_on_intruding,
    },
    {
        .name = "forged",
        .summary = "hostile: a certificate made from --cert with a false signature of its issuer, each another, and a GET",
        .connections_default = 64,
        .hostile = true,
        .forgery = FORGE_FOREIGN,
        .connected = flood_intrude,
        .received = flood_go_on_intruding,
    },
    {
        .name = "certificate",
        .summary = "hostile: the certificates of --cert as they are, say expired, revoked or huge ones, and a GET",
        .connections_default = 64,
        .hostile = true,
        .forgery = FORGE_AS_IS,
        .connected = flood_intrude,
        .received = flood_go_on_intruding,
    },
    {
        .name = "long-chain",
        .summary = "hostile: the leaf of --cert and 60 copies of its last certificate, and a GET",
        .connections_default = 64,
        .hostile = true,
        .forgery = FORGE_LONG,
        .connected = flood_intrude,
        .received = flood_go_on_intruding,
    },
    {
        .name = "junk-ticket",
        .summary = "hostile: as hello, with a ticket of random bytes",
        .connections_default = 64,
        .hostile = true,
        .tickets = TICKETS_JUNK,
        .connected = flood_say_hello,
    },
    {
        .name = "stolen-ticket",
        .summary = "hostile: as hello, with one ticket that a client with --cert has got, but not its secret",
        .connections_default = 64,
        .hostile = true,
        .tickets = TICKETS_STOLEN,
        .connected = flood_say_hello,
    },
    {
        .name = "replayed-ticket",
        .summary = "hostile: resumes again and again with one ticket that a client with --cert has got, and a GET",
        .connections_default = 64,
        .hostile = true,
        .tickets = TICKETS_REPLAYED,
        .established = load_connection_request,
    },
    {
        .name = "hold",
        .summary = "hostile: a whole handshake, with --cert or without, then a GET each --interval, to keep its place",
        .connections_default = 1000,
        .hostile = true,
        .due = load_connection_request,
        .established = load_connection_request,
        .answered = flood_rest,
    },
    {
        .name = "churn",
        .summary = "hostile: connects and is gone, with a reset or as --close has it",
        .connections_default = 64,
        .closes = true,
        .hostile = true,
        .connected = flood_leave,
    },
    {
        .name = "h2-rapid-reset",
        .summary = "hostile: requests, each reset at once (CVE-2023-44487)",
        .attack = &attack_rapid_reset,
        OVER_HTTP2,
    },
    {
        .name = "h2-made-reset",
        .summary = "hostile: requests that the server is made to reset (CVE-2025-8671)",
        .attack = &attack_made_reset,
        OVER_HTTP2,
    },
    {
        .name = "h2-continuation",
        .summary = "hostile: a head of empty CONTINUATION frames, without end",
        .attack = &attack_continuation,
        OVER_HTTP2,
    },
    {
        .name = "h2-endless-head",
        .summary = "hostile: a head of fields, 7 KB in a CONTINUATION, without end",
        .attack = &attack_endless_head,
        OVER_HTTP2,
    },
    {
        .name = "h2-hpack-bomb",
        .summary = "hostile: heads of 8 KB that become 32 MB by the dynamic table",
        .attack = &attack_hpack_bomb,
        OVER_HTTP2,
    },
    {
        .name = "h2-settings",
        .summary = "hostile: SETTINGS, which have to be acknowledged",
        .attack = &attack_settings,
        OVER_HTTP2,
    },
    {
        .name = "h2-settings-deaf",
        .summary = "hostile: the same, and never reads",
        .attack = &attack_settings_deaf,
        OVER_HTTP2,
    },
    {
        .name = "h2-ping",
        .summary = "hostile: PING",
        .attack = &attack_ping,
        OVER_HTTP2,
    },
    {
        .name = "h2-ping-deaf",
        .summary = "hostile: the same, and never reads",
        .attack = &attack_ping_deaf,
        OVER_HTTP2,
    },
    {
        .name = "h2-priority",
        .summary = "hostile: PRIORITY of streams that nobody uses",
        .attack = &attack_priority,
        OVER_HTTP2,
    },
    {
        .name = "h2-empty-data",
        .summary = "hostile: DATA without data, which ends nothing",
        .attack = &attack_empty_data,
        OVER_HTTP2,
    },
    {
        .name = "h2-tiny-window",
        .summary = "hostile: 64 answers, a byte of one let through with each WINDOW_UPDATE",
        .attack = &attack_tiny_window,
        OVER_HTTP2,
    },
    {
        .name = "h2-zero-window",
        .summary = "hostile: 100 answers that have no window, held for as long as the server bears it",
        .attack = &attack_zero_window,
        OVER_HTTP2,
    },
    {
        .name = "h2-half-open",
        .summary = "hostile: 100 requests whose body never comes, held for as long as the server bears it",
        .attack = &attack_half_open,
        OVER_HTTP2,
    },
};

const size_t mode_count = ARRAY_LENGTH(modes);
