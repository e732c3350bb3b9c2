/*
 * The connection of a client that speaks HTTP/2 (edge/http2, with exchanges, deadlines and the shard's output), and any
 * frames from the client, cut anywhere. TLS and the origins are made up: a real TLS session would spend the time on its
 * cipher, and the simulator on the kernel's choices. The first bytes of the input choose what happens between the frames:
 * answers in all their forms, origins that break off, deadlines, a client that takes nothing, a drain, a reload. Whatever
 * comes, frames leave whole and only for streams that are open, and nothing is left at the end.
 */
#include "base/buffer.h"
#include "base/check.h"
#include "base/hash.h"
#include "edge/exchange.h"
#include "edge/handshake.h"
#include "edge/http1.h"
#include "edge/http2.h"
#include "edge/http2_stream.h"
#include "edge/output.h"
#include "edge/passage.h"
#include "edge/reputation_store.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHOICES = 6, PLACES = 8, IDS = 1024, MEMORY_MAX = 1024 * 1024 + 512 * 1024 };

/* --- The origins ---------------------------------------------------------------------------------------------------- */

struct relay_exchange {
    const struct relay_handler *handler;
    void *owner; /* NULL: this place is free */
    bool to_head;
    bool upgrades;
    bool head_sent;
    bool tunnel;
    bool half_ended;
    bool request_ended;
    bool paused;
    size_t left; /* of a body with a length */
};

static struct relay_exchange origins[PLACES + 1];
static uint64_t choice; /* state of the generator that makes the choices */

static unsigned draw(unsigned limit) {
    choice = choice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(choice >> 33) % limit;
}

struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault);
struct relay_exchange *__wrap_relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                                   const struct relay_handler *handler, void *owner,
                                                   enum relay_fault *fault) {
    if (draw(20) == 0) {
        *fault = RELAY_FAULT_REFUSED;
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(origins); i++) {
        if (origins[i].owner == NULL) {
            origins[i] = (struct relay_exchange){.handler = handler,
                                                 .owner = owner,
                                                 .to_head = request->to_head,
                                                 .upgrades = request->upgrades,
                                                 .request_ended = request->framing == HTTP_NO_BODY};
            return &origins[i];
        }
    }
    CHECK(false);
}

static void expect_open(const struct relay_exchange *exchange) {
    CHECK(exchange >= origins && exchange <= &origins[PLACES] && exchange->owner != NULL);
}

size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange);
size_t __wrap_relay_exchange_room(const struct relay_exchange *exchange) {
    expect_open(exchange);
    return draw(3) == 0 ? 0 : 1 + draw(100);
}

void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
void __wrap_relay_exchange_body(struct relay_exchange *exchange, struct bytes piece) {
    expect_open(exchange);
    CHECK(!exchange->request_ended || exchange->tunnel);
}

void __wrap_relay_exchange_body_end(struct relay_exchange *exchange);
void __wrap_relay_exchange_body_end(struct relay_exchange *exchange) {
    expect_open(exchange);
    exchange->request_ended = true;
}

void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers);
void __wrap_relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers) {
    expect_open(exchange);
    CHECK(!exchange->request_ended);
    exchange->request_ended = true;
}

void __wrap_relay_exchange_pause(struct relay_exchange *exchange);
void __wrap_relay_exchange_pause(struct relay_exchange *exchange) {
    expect_open(exchange);
    exchange->paused = true;
}

void __wrap_relay_exchange_resume(struct relay_exchange *exchange);
void __wrap_relay_exchange_resume(struct relay_exchange *exchange) {
    expect_open(exchange);
    exchange->paused = false;
}

void __wrap_relay_exchange_doubt(struct relay_exchange *exchange);
void __wrap_relay_exchange_doubt(struct relay_exchange *exchange) {
    expect_open(exchange);
}

static void end_origin(struct relay_exchange *exchange) {
    expect_open(exchange);
    exchange->owner = NULL;
}

void __wrap_relay_exchange_abort(struct relay_exchange *exchange);
void __wrap_relay_exchange_abort(struct relay_exchange *exchange) {
    end_origin(exchange);
}

bool __wrap_relay_exchange_part(struct relay_exchange *exchange);
bool __wrap_relay_exchange_part(struct relay_exchange *exchange) {
    end_origin(exchange);
    return true;
}

void __wrap_relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault);
void __wrap_relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault) {
    end_origin(exchange);
}

static void send_head(struct relay_exchange *exchange) {
    struct http_message head = {.status = draw(4) == 0 ? 204 : 200, .minor = 1, .framing = HTTP_CHUNKED};

    if (exchange->upgrades && draw(2) == 0) {
        head.status = 101;
        exchange->tunnel = true;
        exchange->request_ended = false;
    } else if (head.status == 204 || exchange->to_head) {
        head.framing = HTTP_NO_BODY;
    } else if (draw(2) == 0) {
        head.framing = HTTP_LENGTH;
        head.content_length = exchange->left = draw(3) * 20000;
    }
    exchange->head_sent = true;
    exchange->left = head.framing == HTTP_CHUNKED ? SIZE_MAX : exchange->left;
    exchange->handler->head(exchange->owner, &head, "");
}

static void end_answer(struct relay_exchange *exchange) {
    void *owner = exchange->owner;
    const char *trailers = exchange->left == SIZE_MAX && draw(3) == 0 ? "x-sum: 1\r\n\r\n" : "";

    exchange->owner = NULL;
    exchange->handler->end(owner, bytes_of_string(trailers));
}

static void send_body(struct relay_exchange *exchange) {
    static const uint8_t body[40000];
    size_t size = 1 + draw(draw(4) == 0 ? sizeof body : 100);

    size = size < exchange->left ? size : exchange->left;
    exchange->left -= exchange->left == SIZE_MAX ? 0 : size;
    if (size > 0) {
        exchange->handler->body(exchange->owner, bytes_of(body, size));
    }
}

/* One thing that an origin does. */
static void step_origin(struct relay_exchange *exchange) {
    void *owner = exchange->owner;

    switch (draw(8)) {
    case 0:
        exchange->owner = NULL;
        exchange->handler->failed(owner, draw(2) == 0 ? RELAY_TIMEOUT : RELAY_BROKEN, RELAY_FAULT_TIMED_OUT);
        return;
    case 1:
        if (!exchange->head_sent && !exchange->upgrades) {
            exchange->handler->interim(owner, &(struct http_message){.status = 103, .minor = 1}, "");
        }
        return;
    case 2:
        if (!exchange->request_ended) {
            exchange->handler->drained(owner);
        }
        return;
    case 3:
        if (exchange->tunnel && !exchange->half_ended) {
            exchange->half_ended = true;
            exchange->handler->half_end(owner);
        } else if (exchange->head_sent && !exchange->tunnel && (exchange->left == SIZE_MAX || exchange->left == 0)) {
            end_answer(exchange);
        }
        return;
    default:
        if (!exchange->head_sent) {
            send_head(exchange);
        } else if (!exchange->paused && !exchange->half_ended) {
            send_body(exchange);
        }
        return;
    }
}

/* --- TLS and the ring ----------------------------------------------------------------------------------------------- */

static struct bytes input; /* plaintext that has come */
static struct buffer sent; /* plaintext that has left */
static bool ended;         /* the stream was told to close, in whatever way */

void __wrap_tls_session_feed(struct tls_session *session, struct bytes bytes);
void __wrap_tls_session_feed(struct tls_session *session, struct bytes bytes) {}

enum tls_result __wrap_tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size);
enum tls_result __wrap_tls_session_read(struct tls_session *session, void *plaintext, size_t capacity, size_t *size) {
    *size = input.size < capacity ? input.size : capacity;
    if (*size == 0) {
        return TLS_WANT_INPUT;
    }
    memcpy(plaintext, input.data, *size);
    input = bytes_of(input.data + *size, input.size - *size);
    return TLS_DONE;
}

enum tls_result __wrap_tls_session_write(struct tls_session *session, struct bytes plaintext);
enum tls_result __wrap_tls_session_write(struct tls_session *session, struct bytes plaintext) {
    CHECK(!ended);
    if (draw(200) == 0) {
        return TLS_FAILED;
    }
    buffer_append(&sent, plaintext.data, plaintext.size);
    return TLS_DONE;
}

size_t __wrap_tls_session_held(const struct tls_session *session);
size_t __wrap_tls_session_held(const struct tls_session *session) {
    return 0;
}

void __wrap_tls_session_shutdown(struct tls_session *session);
void __wrap_tls_session_shutdown(struct tls_session *session) {}

void __wrap_tls_session_welcome_small(struct tls_session *session);
void __wrap_tls_session_welcome_small(struct tls_session *session) {}

const char *__wrap_tls_session_version(const struct tls_session *session);
const char *__wrap_tls_session_version(const struct tls_session *session) {
    return "TLSv1.3";
}

const char *__wrap_tls_session_cipher(const struct tls_session *session);
const char *__wrap_tls_session_cipher(const struct tls_session *session) {
    return "TLS_AES_128_GCM_SHA256";
}

enum key_group __wrap_tls_session_key_group(const struct tls_session *session);
enum key_group __wrap_tls_session_key_group(const struct tls_session *session) {
    return KEY_GROUP_X25519;
}

void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns);
void __wrap_stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                               uint64_t duration_ns) {}

void __wrap_stream_receive(struct stream *stream);
void __wrap_stream_receive(struct stream *stream) {}

#define ENDS_STREAM(function)                                                                                               \
    void __wrap_##function(struct stream *stream);                                                                          \
    void __wrap_##function(struct stream *stream) {                                                                         \
        ended = true;                                                                                                       \
    }
ENDS_STREAM(stream_close)           /* __wrap_stream_close */
ENDS_STREAM(stream_finish)          /* __wrap_stream_finish */
ENDS_STREAM(stream_finish_briefly)  /* __wrap_stream_finish_briefly */
ENDS_STREAM(stream_finish_by_reset) /* __wrap_stream_finish_by_reset */
ENDS_STREAM(stream_reset)           /* __wrap_stream_reset */

/* --- The shard ------------------------------------------------------------------------------------------------------ */

static struct shard shard;
static struct site site;
static struct config config;
static struct config_host host;
static struct stats_shard stats;
static struct identity identity;
static struct stream stream;
static struct connection *connection;

const struct config_host *__wrap_config_find_host(const struct config *in, const char *name);
const struct config_host *__wrap_config_find_host(const struct config *in, const char *name) {
    return strcmp(name, "s.test") == 0 ? &host : NULL;
}

static void open_once(void) {
    const struct stats_host_facts facts = {.host = "s.test", .mode = "enforce"};

    if (site.stats != NULL) {
        return;
    }
    hash_init();
    host = (struct config_host){.name = (char *)(uintptr_t) "s.test",
                                .http2 = true,
                                .deny_html = bytes_of_string("<p>no"),
                                .deny_json = bytes_of_string("{}")};
    config =
        (struct config){.hosts = &host,
                        .host_count = 1,
                        .default_host = &host,
                        .removals = http_removals_create(),
                        .limits = {.request_header_timeout_ms = 2000, .idle_timeout_ms = 3000, .request_header_size = 8192}};
    host.tunnel_idle_ms = 5000;
    CHECK(config.removals != NULL && http_removals_add_own(config.removals) == 0);
    site = (struct site){.references = 1000, .config = &config, .stats = stats_hosts_create(1, &facts, 1, NULL)};
    shard.shared.sources = sources_create(64);
    shard.shared.reputation = reputation_create(64, 1);
    CHECK(site.stats != NULL && shard.shared.sources != NULL && shard.shared.reputation != NULL);
    shard.site = &site;
    shard.stats = &stats;
    shard.connections_capacity = shard.connections_max = PLACES;
    list_init(&shard.all);
    list_init(&shard.http2_turn);
    shard.ring.now_ns = 1000000000;
    admission_init(&shard.gate.admission, 8, shard.ring.now_ns);
    timer_wheel_init(&shard.ring.timers, ring_now_ms(&shard.ring));
    CHECK(pieces_create(&shard.pieces, 4 * PLACES) == 0);
    CHECK(slab_create(&shard.connections, sizeof(struct connection), PLACES) == 0);
    CHECK(slab_create(&shard.streams, sizeof(struct http2_exchange), PLACES) == 0);
    CHECK(slab_create(&shard.rooms, sizeof(struct passage_room), PLACES) == 0);
}

static void connect_client(bool is_valid) {
    static const struct source_limits unlimited;
    enum source_standing standing;

    identity = (struct identity){
        .references = 1000, .status = is_valid ? STATUS_VALID : STATUS_NONE, .valid_until = INT64_MAX, .detail = ""};
    stream = (struct stream){0};
    connection = slab_take(&shard.connections);
    CHECK(connection != NULL);
    *connection = (struct connection){.stream = &stream};
    connection->client = (struct client){
        .shard = &shard, .site = site_retain(&site), .host = &host, .name = "s.test", .verdict = {.identity = &identity}};
    connection->client.peer.in.sin_family = AF_INET;
    CHECK(sources_arrive(shard.shared.sources, &connection->client.peer.any, &unlimited, ring_now_ms(&shard.ring),
                         &connection->client.standing.source, &standing) == SOURCE_ADMITTED);
    connection_start(connection, &handshake_stage);
    http2_begin(connection);
}

/* --- Frames that have left ------------------------------------------------------------------------------------------ */

static bool over[IDS];     /* of each stream: its end, or RST_STREAM, has left */
static uint32_t farewell;  /* the last stream that a GOAWAY takes */
static uint32_t continues; /* the stream whose head goes on; 0: none does */

static void check_frame(uint8_t type, uint8_t flags, uint32_t id, const uint8_t *payload, size_t size) {
    enum { DATA, HEADERS, RST = 3, GOAWAY = 7, CONTINUATION = 9, END_STREAM = 1, END_HEADERS = 4 };

    CHECK(continues == 0 || (type == CONTINUATION && id == continues));
    if (type == HEADERS || type == CONTINUATION) {
        continues = (flags & END_HEADERS) != 0 ? 0 : id;
    }
    if (type == GOAWAY) {
        uint32_t last = (uint32_t)payload[0] << 24 | (uint32_t)payload[1] << 16 | (uint32_t)payload[2] << 8 | payload[3];

        CHECK(size >= 8 && last <= farewell);
        farewell = last;
    }
    if (type == DATA || type == HEADERS) {
        CHECK(id % 2 == 1 && (id >= IDS || !over[id]));
    }
    if (id < IDS && (type == RST || ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0))) {
        over[id] = true;
    }
}

/* Reads the frames that are whole. */
static void check_sent(void) {
    size_t at = 0;

    while (sent.size - at >= 9) {
        const uint8_t *frame = (const uint8_t *)sent.data + at;
        size_t size = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
        uint32_t id = (uint32_t)frame[5] << 24 | (uint32_t)frame[6] << 16 | (uint32_t)frame[7] << 8 | frame[8];

        CHECK(size <= 16384);
        if (sent.size - at < 9 + size) {
            break;
        }
        check_frame(frame[3], frame[4], id, frame + 9, size);
        at += 9 + size;
    }
    if (at > 0) {
        sent.size -= at;
        memmove(sent.data, sent.data + at, sent.size);
    }
}

/* --- The run -------------------------------------------------------------------------------------------------------- */

static void end_turn(void) {
    http2_turn(&shard);
    output_flush(&shard);
    check_sent();
    CHECK(connection_is_closing(connection) || http2_session_memory(connection->http2.session) <= MEMORY_MAX);
    CHECK(!connection_is_closing(connection) || (shard.output.owner == NULL && connection->http2.session == NULL));
}

static void let_time_pass(void) {
    shard.ring.now_ns += (uint64_t)draw(4000) * 1000000;
    timer_wheel_advance(&shard.ring.timers, ring_now_ms(&shard.ring));
}

static void happen(unsigned what) {
    switch (what) {
    case 0:
        let_time_pass();
        break;
    case 1:
        stream.queue.size = STREAM_QUEUE_MAX; /* the client takes nothing */
        break;
    case 2:
        stream.queue.size = 0;
        stream.handler->drained(&stream);
        break;
    case 3:
        connection->stage->drain(connection);
        break;
    case 4:
        host.http2 = draw(2) == 0;
        connection_switch_all(&shard);
        host.http2 = true;
        break;
    default:
        for (size_t i = 0; i < ARRAY_LENGTH(origins) && !connection_is_closing(connection); i++) {
            if (origins[i].owner != NULL) {
                step_origin(&origins[i]);
            }
        }
        break;
    }
}

/* Between two pieces of input. The second choice has a bit for each thing that may happen but the origins' steps. */
static void let_things_happen(uint8_t allowed) {
    for (unsigned i = draw(6); i > 0 && !connection_is_closing(connection); i--) {
        unsigned what = draw(12);

        if (what > 4 || (allowed >> what & 1) != 0) {
            happen(what);
            end_turn();
        }
    }
}

static void receive(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size);

    CHECK(copy != NULL && !connection_is_closing(connection));
    memcpy(copy, data, size);
    input = bytes_of(copy, size);
    stream.handler->received(&stream, input);
    free(copy);
    input = bytes_of(NULL, 0);
    if (draw(3) > 0) {
        end_turn();
    }
}

static void leave(void) {
    if (!connection_is_closing(connection)) {
        stream.handler->failed(&stream, 0);
    }
    end_turn();
    stream.handler->closed(&stream);
    for (size_t i = 0; i < ARRAY_LENGTH(origins); i++) {
        CHECK(origins[i].owner == NULL);
    }
    CHECK(shard.connections.in_use == 0 && shard.streams.in_use == 0 && shard.rooms.in_use == 0);
    CHECK(pieces_in_use(&shard.pieces) == 0 && shard.ring.timers.set == 0 && list_is_empty(&shard.http2_turn));
    CHECK(stats_read(&stats.connections) == 0 && identity.references == 999);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";

    if (size < CHOICES) {
        return 0;
    }
    open_once();
    memcpy(&choice, data, 4);
    memset(over, 0, sizeof over);
    farewell = UINT32_MAX;
    continues = 0;
    sent.size = 0;
    ended = false;
    host.mode = (data[5] & 1) != 0 ? CONFIG_ENFORCE : CONFIG_OFF;
    connect_client((data[5] & 2) != 0);
    end_turn();
    if ((data[5] & 4) == 0 && !connection_is_closing(connection)) {
        receive((const uint8_t *)preface, sizeof preface); /* with its last zero, the last of an empty SETTINGS */
    }
    for (size_t at = CHOICES; at < size && !connection_is_closing(connection);) {
        size_t piece = draw(4) > 0 ? 1 + draw(40) : size - at;

        piece = piece < size - at ? piece : size - at;
        receive(data + at, piece);
        at += piece;
        let_things_happen(data[4]);
    }
    for (unsigned i = draw(8); i > 0; i--) {
        let_things_happen(data[4]);
    }
    leave();
    return 0;
}
