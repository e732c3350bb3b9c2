#include "origin_http2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STREAMS_MAX = 128, PIECE = 16 * 1024, FRAMES_MAX = 64 * 1024, VALUE_MAX = 24, FIELDS_MAX = 4 };

struct origin_stream {
    int32_t id; /* 0: this place is free */
    uint32_t number;
    bool taken;              /* the request's head has come */
    bool refused;            /* and nothing is made of it */
    bool ended;              /* the request is complete */
    bool answered;           /* the answer has begun */
    bool silent;             /* it never will */
    struct talk_buffer head; /* as HTTP/1 has it, while it comes */
    size_t at;               /* bytes of the request's body that have come */
    size_t may_send;         /* bytes of the answer's body that may leave by now */
    size_t sent;
};

struct origin_http2 {
    struct origin *origin;
    nghttp2_session *session;
    struct origin_stream streams[STREAMS_MAX];
    struct talk_buffer frames; /* that are to be sent */
    bool goes_away;
};

static struct origin_http2 *of(void *user_data) {
    return ((struct origin *)user_data)->http2;
}

static void misdo(struct origin *origin, enum origin_misdeed misdeed) {
    *origin->misdeeds |= (uint32_t)misdeed;
}

static void flush(struct origin_http2 *http2) {
    const uint8_t *frames;
    nghttp2_ssize size;

    while (http2->frames.size < FRAMES_MAX && (size = nghttp2_session_mem_send2(http2->session, &frames)) > 0) {
        talk_put(&http2->frames, frames, (size_t)size);
    }
}

/* --- Requests ------------------------------------------------------------------------------------------------------ */

static struct origin_stream *stream_of(nghttp2_session *session, int32_t id) {
    return nghttp2_session_get_stream_user_data(session, id);
}

static int begin_head(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct origin_http2 *http2 = of(user_data);

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct origin_stream *stream = &http2->streams[i];

        if (stream->id == 0) {
            *stream = (struct origin_stream){.id = frame->hd.stream_id};
            talk_print(&stream->head, "request\r\n");
            nghttp2_session_set_stream_user_data(session, stream->id, stream);
            return 0;
        }
    }
    SIMULATOR_EXPECT(false, "more than %d streams", STREAMS_MAX);
}

static int take_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                      const uint8_t *value, size_t value_size, uint8_t flags, void *user_data) {
    struct origin_stream *stream = stream_of(session, frame->hd.stream_id);

    if (stream != NULL && !stream->taken && name[0] != ':') {
        talk_put(&stream->head, name, name_size);
        talk_print(&stream->head, ": ");
        talk_put(&stream->head, value, value_size);
        talk_print(&stream->head, "\r\n");
    }
    return 0;
}

static void turn_away(struct origin_http2 *http2, struct origin_stream *stream) {
    simulator_trace("origin: refuses stream %d", stream->id);
    misdo(http2->origin, ORIGIN_TURNED_AWAY);
    stream->refused = true;
    nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_REFUSED_STREAM);
}

static void take_head(struct origin_http2 *http2, struct origin_stream *stream) {
    struct origin *origin = http2->origin;

    stream->taken = true;
    if (origin->faulty && kernel_chance(50)) {
        turn_away(http2, stream);
        return;
    }
    talk_print(&stream->head, "\r\n");
    origin_take_request(origin, stream->head.data, stream->head.size);
    stream->number = origin->number;
    stream->silent = origin->faulty && kernel_chance(50);
}

static void end_request(struct origin_http2 *http2, struct origin_stream *stream) {
    const struct talk_request *request = &http2->origin->talk->requests[stream->number];
    size_t size = request->framing == TALK_NOTHING ? 0 : request->body_size;

    SIMULATOR_EXPECT(stream->at == size, "%zu bytes of a body of %zu were taken for all of it", stream->at, size);
    stream->ended = true;
}

static int take_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data) {
    struct origin_http2 *http2 = of(user_data);
    struct origin_stream *stream = stream_of(session, frame->hd.stream_id);

    if (stream == NULL || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) {
        return 0;
    }
    if (!stream->taken) {
        take_head(http2, stream);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !stream->refused) {
        end_request(http2, stream);
    }
    return 0;
}

static int take_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                     void *user_data) {
    struct origin_stream *stream = stream_of(session, id);

    for (size_t i = 0; stream != NULL && !stream->refused && i < size; i++) {
        SIMULATOR_EXPECT((char)data[i] == talk_body_byte(stream->number, stream->at + i),
                         "the body of request %u is not its own, at byte %zu", stream->number, stream->at + i);
    }
    if (stream != NULL) {
        stream->at += size;
    }
    return 0;
}

static int close_stream(nghttp2_session *session, int32_t id, uint32_t error, void *user_data) {
    struct origin_stream *stream = stream_of(session, id);

    if (stream != NULL) {
        talk_free(&stream->head);
        stream->id = 0;
    }
    return 0;
}

static int see_invalid(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user_data) {
    if (error == NGHTTP2_ERR_REFUSED_STREAM) { /* opened before our settings had come */
        misdo(user_data, ORIGIN_TURNED_AWAY);
        return 0;
    }
    SIMULATOR_EXPECT(false, "a frame of type %u that is not valid: %s", frame->hd.type, nghttp2_strerror(error));
    return 0;
}

/* --- Answers ------------------------------------------------------------------------------------------------------- */

static nghttp2_ssize read_answer(nghttp2_session *session, int32_t id, uint8_t *to, size_t most, uint32_t *flags,
                                 nghttp2_data_source *source, void *user_data) {
    struct origin_stream *stream = source->ptr;
    size_t whole = of(user_data)->origin->talk->requests[stream->number].answer_size;
    size_t size = stream->may_send - stream->sent < most ? stream->may_send - stream->sent : most;

    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)talk_answer_byte(stream->number, stream->sent + i);
    }
    stream->sent += size;
    if (stream->sent == whole) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (size == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (nghttp2_ssize)size;
}

struct fields {
    nghttp2_nv all[FIELDS_MAX];
    char values[FIELDS_MAX][VALUE_MAX];
    size_t count;
};

static void put(struct fields *fields, const char *name, size_t value) {
    char *text = fields->values[fields->count];
    int size = snprintf(text, VALUE_MAX, "%zu", value);

    fields->all[fields->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name, .value = (uint8_t *)text, .namelen = strlen(name), .valuelen = (size_t)size};
}

static void put_interim(struct origin_http2 *http2, const struct origin_stream *stream) {
    struct fields fields = {.count = 0};

    put(&fields, ":status", 103);
    put(&fields, "link", 1);
    nghttp2_submit_headers(http2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, fields.all, fields.count, NULL);
}

static void answer(struct origin_http2 *http2, struct origin_stream *stream) {
    const struct origin *origin = http2->origin;
    const struct talk_request *request = &origin->talk->requests[stream->number];
    const nghttp2_data_provider2 body = {.source = {.ptr = stream}, .read_callback = read_answer};
    bool fails = origin->faulty && kernel_chance(60);
    bool empty = kernel_chance(250);
    struct fields fields = {.count = 0};

    if (kernel_chance(50)) {
        put_interim(http2, stream);
    }
    put(&fields, ":status", fails ? 503 : empty ? 204 : 200);
    put(&fields, "x-echo", stream->number);
    if (!fails && !empty && kernel_chance(500)) {
        put(&fields, "content-length", request->answer_size);
    }
    stream->answered = true;
    nghttp2_submit_response2(http2->session, stream->id, fields.all, fields.count,
                             fails || empty || request->head ? NULL : &body);
}

static void go_on(struct origin_http2 *http2, struct origin_stream *stream) {
    size_t whole = http2->origin->talk->requests[stream->number].answer_size;

    if (!stream->answered) {
        if (stream->ended || kernel_chance(20)) { /* few answer a request that has not come yet */
            answer(http2, stream);
        }
        return;
    }
    size_t left = whole - stream->may_send;
    size_t most = kernel_chance(300) ? 1 + kernel_below(2000) : PIECE;

    stream->may_send += left < most ? left : most;
    nghttp2_session_resume_data(http2->session, stream->id);
}

/* --- Steps --------------------------------------------------------------------------------------------------------- */

static void misbehave(struct origin_http2 *http2, struct origin_stream *stream) {
    static const char nonsense[] = "\0\0\4\x8\0\0\0\0\0\0\0\0\0"; /* WINDOW_UPDATE of 0 */

    switch (kernel_below(4)) {
    case 0:
        simulator_trace("origin: GOAWAY");
        misdo(http2->origin, ORIGIN_TURNED_AWAY);
        http2->goes_away = true;
        nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(http2->session),
                              NGHTTP2_NO_ERROR, NULL, 0);
        return;
    case 1:
        simulator_trace("origin: writes nonsense");
        misdo(http2->origin, ORIGIN_WROTE_NONSENSE);
        talk_put(&http2->frames, nonsense, sizeof nonsense - 1);
        return;
    default:
        if (stream != NULL && stream->id != 0) {
            simulator_trace("origin: resets stream %d", stream->id);
            misdo(http2->origin, ORIGIN_RESET_STREAMS);
            nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                      kernel_chance(500) ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR);
        }
        return;
    }
}

static void pull(struct origin_http2 *http2) {
    char data[PIECE];
    size_t size = origin_link_receive(&http2->origin->link, data, sizeof data);

    if (size == 0) {
        return;
    }
    nghttp2_ssize taken = nghttp2_session_mem_recv2(http2->session, (const uint8_t *)data, size);
    SIMULATOR_EXPECT(taken == (nghttp2_ssize)size, "what the shard sends is no HTTP/2: %s",
                     taken < 0 ? nghttp2_strerror((int)taken) : "it goes on behind the end");
}

void origin_http2_step(struct origin *origin) {
    struct origin_http2 *http2 = origin->http2;
    struct origin_stream *last = NULL;

    pull(http2);
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct origin_stream *stream = &http2->streams[i];

        if (stream->id != 0 && stream->taken && !stream->refused && !stream->silent && kernel_chance(500)) {
            go_on(http2, stream);
        }
        last = stream->id != 0 ? stream : last;
    }
    if (origin->faulty && kernel_chance(10)) {
        misbehave(http2, last);
    }
    flush(http2);
    size_t most = kernel_chance(300) ? 1 + kernel_below(2000) : PIECE;
    talk_drop(&http2->frames,
              origin_link_send(&origin->link, http2->frames.data, http2->frames.size < most ? http2->frames.size : most));
    if (http2->goes_away && last == NULL && http2->frames.size == 0) {
        origin_link_finish(&origin->link);
        origin->stage = ORIGIN_CLOSING;
    }
}

/* --- Beginning and end --------------------------------------------------------------------------------------------- */

static nghttp2_session *make_session(struct origin *origin) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session = NULL;

    SIMULATOR_EXPECT(nghttp2_session_callbacks_new(&callbacks) == 0, "no memory");
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_head);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, take_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close_stream);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, see_invalid);
    SIMULATOR_EXPECT(nghttp2_session_server_new(&session, callbacks, origin) == 0, "no session");
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

void origin_http2_begin(struct origin *origin) {
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kernel_chance(500) ? 1 + kernel_below(4) : 100},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kernel_chance(200) ? kernel_below(2000) : 65535},
    };
    struct origin_http2 *http2 = calloc(1, sizeof *http2);

    SIMULATOR_EXPECT(http2 != NULL, "no memory");
    http2->origin = origin;
    http2->session = make_session(origin);
    origin->http2 = http2;
    nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]);
}

void origin_http2_end(struct origin *origin) {
    struct origin_http2 *http2 = origin->http2;

    if (http2 == NULL) {
        return;
    }
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        talk_free(&http2->streams[i].head);
    }
    nghttp2_session_del(http2->session);
    talk_free(&http2->frames);
    free(http2);
    origin->http2 = NULL;
}
