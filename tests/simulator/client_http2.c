#include "client_http2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD = 16 * 1024,
    PENDING_MAX = 64 * 1024, /* bytes that wait for the network: no more are written to TLS meanwhile */
    FIELDS_MAX = 12,
    VALUE_MAX = 64,
    NO_LIMIT = INT32_MAX,
};

static struct client_http2 *of(void *user_data) {
    return ((struct simulated_client *)user_data)->http2;
}

/* --- Frames that leave --------------------------------------------------------------------------------------------- */

static void flush(struct client_http2 *http2) {
    const uint8_t *frames;
    nghttp2_ssize size;

    while ((size = nghttp2_session_mem_send2(http2->session, &frames)) > 0) {
        talk_put(&http2->frames, frames, (size_t)size);
    }
    SIMULATOR_EXPECT(size == 0, "the client's session fails: %s", nghttp2_strerror((int)size));
}

void client_http2_write(struct simulated_client *client, size_t size) {
    struct client_http2 *http2 = client->http2;

    if (http2->stuck || client->broken || client->said_goodbye || client->out.size > PENDING_MAX) {
        return;
    }
    while (size > 0 && http2->frames.size > 0) {
        size_t part = http2->frames.size < size ? http2->frames.size : size;

        part = part < RECORD ? part : RECORD;
        int written = wolfSSL_write(client->tls, http2->frames.data, (int)part);
        if (written <= 0) {
            client->broken = true;
            return;
        }
        talk_drop(&http2->frames, (size_t)written);
        size -= (size_t)written;
    }
}

static nghttp2_ssize read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t most, uint32_t *flags,
                               nghttp2_data_source *source, void *user_data) {
    struct client_stream *stream = source->ptr;
    size_t size = stream->may_send - stream->sent < most ? stream->may_send - stream->sent : most;

    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)talk_body_byte(stream->number, stream->sent + i);
    }
    stream->sent += size;
    if (stream->sent == stream->body_size && !stream->stalls) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (size == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (nghttp2_ssize)size;
}

/* --- Requests ------------------------------------------------------------------------------------------------------ */

struct fields {
    nghttp2_nv all[FIELDS_MAX];
    char values[FIELDS_MAX][VALUE_MAX];
    size_t count;
};

static void put(struct fields *fields, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void put(struct fields *fields, const char *name, const char *format, ...) {
    SIMULATOR_EXPECT(fields->count < FIELDS_MAX, "more than %d fields", FIELDS_MAX);
    char *value = fields->values[fields->count];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(value, VALUE_MAX, format, arguments);
    va_end(arguments);
    fields->all[fields->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name, .value = (uint8_t *)value, .namelen = strlen(name), .valuelen = (size_t)size};
}

/* A field that no request may have, or none of a host that is the handshake's. */
static void spoil(struct fields *fields, enum talk_host host) {
    switch (kernel_below(4)) {
    case 0:
        put(fields, "sp ace", "no name");
        break;
    case 1:
        put(fields, "connection", "close");
        break;
    case 2:
        put(fields, "transfer-encoding", "chunked");
        break;
    default:
        snprintf(fields->values[3], VALUE_MAX, "%s", talk_host_names[(host + 1) % TALK_HOSTS]);
        fields->all[3].valuelen = strlen(fields->values[3]);
        break;
    }
}

static struct client_stream *free_place(struct client_http2 *http2) {
    for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++) {
        if (http2->streams[i].id == 0) {
            return &http2->streams[i];
        }
    }
    return NULL;
}

static void put_request(struct fields *fields, const struct talk_request *request, uint32_t number) {
    /* The fourth is the authority: see spoil. */
    put(fields, ":method", "%s", request->head ? "HEAD" : request->framing == TALK_NOTHING ? "GET" : "POST");
    put(fields, ":scheme", "https");
    put(fields, ":path", "/%u", number);
    put(fields, ":authority", "%s", talk_host_names[request->host]);
    put(fields, "x-number", "%u", number);
    /* Headers in which a client speaks of itself must not count. */
    put(fields, "x-client-cert-status", "valid");
    put(fields, "x_client_cert.ski", "00");
    if (request->framing == TALK_LENGTH) {
        put(fields, "content-length", "%zu", request->body_size);
    }
    if (kernel_chance(200)) {
        put(fields, "priority", "u=%u", kernel_below(8));
    }
    if (request->framing != TALK_NOTHING && kernel_chance(100)) {
        put(fields, "expect", "100-continue");
    }
    if (request->bad) {
        spoil(fields, request->host);
    }
}

struct client_stream *client_http2_ask(struct simulated_client *client) {
    struct client_http2 *http2 = client->http2;
    struct client_stream *stream = free_place(http2);
    bool may_ask = nghttp2_session_check_request_allowed(http2->session) && !http2->goes_away;
    uint32_t most = nghttp2_session_get_remote_settings(http2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    if (stream == NULL || !may_ask || http2->open >= most) {
        client->requests_left = may_ask ? client->requests_left : 0;
        return NULL;
    }
    uint32_t number = client_plan_request(client);
    if (number == TALK_REQUESTS_MAX) {
        return NULL;
    }
    struct talk_request *request = &client->talk->requests[number];
    struct fields fields = {.count = 0};

    request->http2 = true;
    request->bad = client->plan.rude && kernel_chance(100);
    request->short_body =
        client->plan.rude && request->framing == TALK_LENGTH && request->body_size > 0 && kernel_chance(100);
    put_request(&fields, request, number);
    *stream = (struct client_stream){
        .number = number,
        .body_size = request->short_body ? kernel_below((uint32_t)request->body_size) : request->body_size,
        .stalls = request->framing != TALK_NOTHING && client->plan.rude && kernel_chance(60),
        .is_deaf = client->plan.rude && kernel_chance(60),
    };
    const nghttp2_data_provider2 body = {.source = {.ptr = stream}, .read_callback = read_body};
    stream->id = nghttp2_submit_request2(http2->session, NULL, fields.all, fields.count,
                                         request->framing == TALK_NOTHING ? NULL : &body, stream);
    SIMULATOR_EXPECT(stream->id > 0, "no stream: %s", nghttp2_strerror(stream->id));
    http2->open++;
    client->counts->streams++;
    simulator_trace("client: request %u is stream %d%s%s", number, stream->id, request->bad ? ", bad" : "",
                    stream->stalls ? ", stalls" : "");
    flush(http2);
    return stream;
}

void client_http2_feed(struct simulated_client *client, struct client_stream *stream, size_t size) {
    size_t left = stream->body_size - stream->may_send;

    stream->may_send += size < left ? size : left;
    if (nghttp2_session_resume_data(client->http2->session, stream->id) == 0) {
        flush(client->http2);
    }
}

void client_http2_reset(struct simulated_client *client, struct client_stream *stream) {
    simulator_trace("client: resets stream %d", stream->id);
    stream->is_reset = true;
    nghttp2_submit_rst_stream(client->http2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    flush(client->http2);
}

/* --- Answers ------------------------------------------------------------------------------------------------------- */

static int begin_head(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct client_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (stream != NULL && !stream->final) {
        stream->status = 0;
        stream->by_origin = stream->dated = false;
    }
    return 0;
}

static bool is_named(const char *name, const uint8_t *data, size_t size) {
    return strlen(name) == size && memcmp(name, data, size) == 0;
}

static int take_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                      const uint8_t *value, size_t value_size, uint8_t flags, void *user_data) {
    struct client_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (stream == NULL || stream->final) {
        return 0;
    }
    if (is_named(":status", name, name_size)) {
        stream->status = (unsigned)strtoul((const char *)value, NULL, 10);
    } else if (is_named("x-echo", name, name_size)) {
        SIMULATOR_EXPECT((uint32_t)strtoul((const char *)value, NULL, 10) == stream->number,
                         "the answer to %.*s came for request %u", (int)value_size, (const char *)value, stream->number);
        stream->by_origin = true;
    } else if (is_named("date", name, name_size)) {
        SIMULATOR_EXPECT(!stream->dated, "an answer with two Dates");
        stream->dated = true;
    }
    return 0;
}

static void take_head(struct simulated_client *client, struct client_stream *stream) {
    const struct talk_request *request = &client->talk->requests[stream->number];

    if (stream->final || stream->status < 200) {
        return;
    }
    stream->final = true;
    simulator_trace("client: status %u for request %u, stream %d", stream->status, stream->number, stream->id);
    SIMULATOR_EXPECT(stream->dated, "an answer without Date");
    SIMULATOR_EXPECT(!stream->by_origin || !request->bad, "request %u was relayed", stream->number);
    if (!stream->by_origin) {
        client_expect_own_answer(client->talk, request, stream->status);
    }
}

static void end_answer(struct simulated_client *client, struct client_stream *stream) {
    const struct talk_request *request = &client->talk->requests[stream->number];

    SIMULATOR_EXPECT(stream->final && !stream->ended, "stream %d ends without an answer, or twice", stream->id);
    stream->ended = true;
    client->counts->answers[STATS_HTTP2][stream->status < 600 ? stream->status : 0]++;
    if (stream->by_origin && stream->status == 200 && !request->head) {
        SIMULATOR_EXPECT(request->cut || stream->at == request->answer_size,
                         "%zu bytes of an answer of %zu were taken for all of it", stream->at, request->answer_size);
    }
}

static void take_goaway(struct simulated_client *client, const nghttp2_goaway *goaway) {
    struct client_http2 *http2 = client->http2;

    simulator_trace("client: GOAWAY %u, up to stream %d", goaway->error_code, goaway->last_stream_id);
    SIMULATOR_EXPECT(goaway->last_stream_id <= http2->last_stream, "a GOAWAY takes more streams than the one before");
    SIMULATOR_EXPECT(goaway->error_code == NGHTTP2_NO_ERROR || http2->is_faulty, "GOAWAY with error %u", goaway->error_code);
    http2->last_stream = goaway->last_stream_id;
    client->counts->farewells += goaway->error_code == NGHTTP2_NO_ERROR;
    client->counts->faults += goaway->error_code != NGHTTP2_NO_ERROR;
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct simulated_client *client = user_data;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_GOAWAY) {
        take_goaway(client, &frame->goaway);
    } else if (stream != NULL && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
        if (frame->hd.type == NGHTTP2_HEADERS) {
            take_head(client, stream);
        }
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
            end_answer(client, stream);
        }
    }
    return 0;
}

static int take_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                     void *user_data) {
    struct simulated_client *client = user_data;
    struct client_http2 *http2 = client->http2;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(session, id);

    if (!http2->withholds) {
        nghttp2_session_consume_connection(session, size);
    }
    if (stream == NULL) {
        return 0;
    }
    for (size_t i = 0; stream->by_origin && i < size; i++) {
        SIMULATOR_EXPECT((char)data[i] == talk_answer_byte(stream->number, stream->at + i),
                         "the body of the answer to request %u is not its own, at byte %zu", stream->number, stream->at + i);
    }
    stream->at += size;
    stream->unread += size;
    return 0;
}

static enum client_stream_end end_of(const struct simulated_client *client, const struct client_stream *stream,
                                     uint32_t error) {
    const struct talk_request *request = &client->talk->requests[stream->number];

    if (stream->ended) {
        /* Its last frame may have left while the shard took it for one that the client does not take. */
        bool is_late = error == NGHTTP2_CANCEL && (stream->sent < stream->body_size || stream->stalls);

        SIMULATOR_EXPECT(error == NGHTTP2_NO_ERROR || is_late || stream->is_reset || client->http2->is_faulty,
                         "stream %d is answered, and ends with error %u", stream->id, error);
        return CLIENT_STREAM_ANSWERED;
    }
    if (stream->is_reset) {
        return CLIENT_STREAM_RESET;
    }
    if (error == NGHTTP2_REFUSED_STREAM) {
        SIMULATOR_EXPECT(!stream->final, "stream %d was not begun, and has an answer", stream->id);
        return CLIENT_STREAM_REFUSED;
    }
    SIMULATOR_EXPECT(error == NGHTTP2_CANCEL || error == NGHTTP2_INTERNAL_ERROR || request->bad || request->short_body ||
                         client->http2->is_faulty,
                     "stream %d ends with error %u", stream->id, error);
    return CLIENT_STREAM_RESET_US;
}

static void end_stream(struct simulated_client *client, struct client_stream *stream, enum client_stream_end how) {
    simulator_trace("client: end %u of stream %d", how, stream->id);
    client->counts->stream_ends[how]++;
    client->http2->open--;
    stream->id = 0;
}

static int close_stream(nghttp2_session *session, int32_t id, uint32_t error, void *user_data) {
    struct simulated_client *client = user_data;
    struct client_stream *stream = nghttp2_session_get_stream_user_data(session, id);

    SIMULATOR_EXPECT(stream != NULL && stream->id == id, "stream %d ends twice", id);
    end_stream(client, stream, end_of(client, stream, error));
    return 0;
}

static int see_invalid(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user_data) {
    SIMULATOR_EXPECT(of(user_data)->is_faulty, "a frame of type %u that is not valid: %s", frame->hd.type,
                     nghttp2_strerror(error));
    return 0;
}

void client_http2_take(struct simulated_client *client, const char *data, size_t size) {
    struct client_http2 *http2 = client->http2;
    nghttp2_ssize taken = nghttp2_session_mem_recv2(http2->session, (const uint8_t *)data, size);

    SIMULATOR_EXPECT(http2->is_faulty || taken == (nghttp2_ssize)size, "what the shard sends is no HTTP/2: %s",
                     taken < 0 ? nghttp2_strerror((int)taken) : "it goes on behind the end");
    flush(http2);
}

/* --- Beginning and end --------------------------------------------------------------------------------------------- */

static nghttp2_session *make_session(struct simulated_client *client) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session = NULL;

    SIMULATOR_EXPECT(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0, "no memory");
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_head);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, take_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close_stream);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, see_invalid);
    nghttp2_option_set_no_auto_window_update(option, 1);
    SIMULATOR_EXPECT(nghttp2_session_client_new2(&session, callbacks, client, option) == 0, "no session");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return session;
}

static uint32_t some_window(void) {
    return kernel_chance(50) ? 0 : kernel_chance(100) ? 1000 : kernel_chance(300) ? 1024 * 1024 : CLIENT_WINDOW;
}

void client_http2_begin(struct simulated_client *client) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, client->plan.shut ? 0 : some_window()}};

    client->http2 = calloc(1, sizeof *client->http2);
    SIMULATOR_EXPECT(client->http2 != NULL, "no memory");
    client->http2->session = make_session(client);
    client->http2->last_stream = NO_LIMIT;
    nghttp2_submit_settings(client->http2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]);
    flush(client->http2);
}

void client_http2_end(struct simulated_client *client) {
    struct client_http2 *http2 = client->http2;

    if (http2 == NULL) {
        return;
    }
    for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++) {
        if (http2->streams[i].id != 0) {
            end_stream(client, &http2->streams[i], http2->streams[i].ended ? CLIENT_STREAM_ANSWERED : CLIENT_STREAM_LOST);
        }
    }
    SIMULATOR_EXPECT(http2->open == 0, "%u streams have no end", http2->open);
    nghttp2_session_del(http2->session);
    talk_free(&http2->frames);
    free(http2);
    client->http2 = NULL;
}

bool client_http2_is_idle(const struct simulated_client *client) {
    const struct client_http2 *http2 = client->http2;

    return http2->open == 0 && (http2->frames.size == 0 || http2->stuck) && client->requests_left == 0;
}

/* --- Random steps -------------------------------------------------------------------------------------------------- */

struct raw {
    const char *bytes;
    size_t size;
};
#define RAW(text)                                                                                                           \
    { (text), sizeof(text) - 1 }

/* Frames that no client may send: each ends the connection. */
static const struct raw faults[] = {
    RAW("\0\0\1\0\0\0\0\0\0x"),              /* DATA of no stream */
    RAW("\0\0\1\1\5\0\0\0\2\x82"),           /* HEADERS of a stream of the server's */
    RAW("\0\0\5\4\0\0\0\0\0\0\3\0\0\0"),     /* SETTINGS of five bytes */
    RAW("\0\0\4\x8\0\0\0\0\0\0\0\0\0"),      /* WINDOW_UPDATE of 0 */
    RAW("\0\0\4\3\0\0\x0f\xff\xff\0\0\0\0"), /* RST_STREAM of a stream that is idle */
    RAW("\0\0\1\x9\4\0\0\0\1\x82"),          /* CONTINUATION of no head */
    RAW("\xff\xff\xff\0\0\0\0\0\1"),         /* a frame of 16 MiB */
    RAW("\0\0\7\6\0\0\0\0\0"
        "1234567"),                                      /* PING of seven bytes */
    RAW("\0\0\4\7\0\0\0\0\0\0\0\0\0"),                   /* GOAWAY of four bytes */
    RAW("\0\0\5\5\4\0\0\0\1\0\0\0\2\x82"),               /* PUSH_PROMISE */
    RAW("\0\0\4\1\5\0\x0f\xff\xff\xff\xff\xff\xff\xff"), /* a head that is no HPACK */
    RAW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),             /* a second preface */
};
static const struct raw ping = RAW("\0\0\x8\6\0\0\0\0\0ping1234");
static const struct raw settings_frame = RAW("\0\0\0\4\0\0\0\0\0");

static void put_raw(struct simulated_client *client, const struct raw *raw, unsigned times) {
    struct client_http2 *http2 = client->http2;

    http2->is_faulty = true;
    client->counts->raw_frames += times;
    for (unsigned i = 0; i < times; i++) {
        talk_put(&http2->frames, raw->bytes, raw->size);
    }
}

static void misbehave(struct simulated_client *client) {
    struct client_http2 *http2 = client->http2;
    unsigned fault = kernel_below(sizeof faults / sizeof faults[0]);

    switch (kernel_below(6)) {
    case 0:
    case 1:
        simulator_trace("client: fault %u", fault);
        put_raw(client, &faults[fault], 1);
        return;
    case 2:
        simulator_trace("client: flood");
        put_raw(client, kernel_chance(500) ? &ping : &settings_frame, 1100);
        return;
    case 3:
        simulator_trace("client: begins a frame and stops");
        client_http2_write(client, 1 + kernel_below(20));
        http2->stuck = true;
        return;
    case 4:
        http2->withholds = true;
        return;
    default:
        put_raw(client, &faults[fault], 1);
        http2->frames.size -= 1 + kernel_below((uint32_t)faults[fault].size - 1);
        return;
    }
}

static void go_away(struct simulated_client *client) {
    simulator_trace("client: GOAWAY");
    client->http2->goes_away = true;
    client->requests_left = 0;
    nghttp2_submit_goaway(client->http2->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
}

static void change_window(struct client_http2 *http2) {
    const nghttp2_settings_entry window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, some_window()};

    nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, &window, 1);
}

static void step_stream(struct simulated_client *client, struct client_stream *stream) {
    if (stream->may_send < stream->body_size && !(stream->stalls && stream->may_send > stream->body_size / 2)) {
        client_http2_feed(client, stream, kernel_chance(500) ? SIZE_MAX : kernel_below(3000));
    }
    if (stream->id != 0 && !stream->is_deaf && kernel_chance(700)) {
        nghttp2_session_consume_stream(client->http2->session, stream->id, stream->unread);
        stream->unread = 0;
    }
    if (stream->id != 0 && kernel_chance(client->plan.rude ? 20 : 2)) {
        client_http2_reset(client, stream);
    }
}

void client_http2_step(struct simulated_client *client) {
    struct client_http2 *http2 = client->http2;

    if (client->plan.rude && kernel_chance(15)) {
        misbehave(client);
    }
    for (size_t i = 0; i < CLIENT_STREAMS_MAX; i++) {
        if (http2->streams[i].id != 0 && kernel_chance(400)) {
            step_stream(client, &http2->streams[i]);
        }
    }
    while (kernel_chance(400) && client->requests_left > 0 && client_http2_ask(client) != NULL) {
    }
    if (kernel_chance(10)) {
        nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, NULL);
    }
    if (kernel_chance(10)) {
        change_window(http2);
    }
    if (kernel_chance(5) && !http2->goes_away) {
        go_away(client);
    }
    flush(http2);
    client_http2_write(client, client->plan.sluggish || kernel_chance(200) ? 1 + kernel_below(60) : SIZE_MAX);
}
