#include "http2/session.h"

#include "base/check.h"
#include "base/hash.h"
#include "http2/body.h"
#include "http2/input.h"
#include "http2/output.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum {
    HEAD_BLOCK_MAX = 1024 * 1024, /* of heads that are sent: the origins' limits are smaller */
    /* Bounds of nghttp2's own, above those of http2/allowance, which decide first and are counted. */
    NGHTTP2_ACKS_MAX = HTTP2_PINGS + HTTP2_SETTINGS,
    NGHTTP2_GLITCHES = 10 * HTTP2_PRIORITIES,
    NGHTTP2_GLITCHES_PER_S = HTTP2_PRIORITIES,
    NGHTTP2_SETTINGS_ENTRIES_MAX = 32,
    SETTINGS_MAX = 6,
};

/* --- Memory of nghttp2 --------------------------------------------------------------------------------------------- */

static void *allocate(size_t size, void *memory) {
    return http2_allocate(memory, size);
}

static void release(void *block, void *memory) {
    http2_release(memory, block);
}

static void *allocate_zeroed(size_t count, size_t size, void *memory) {
    void *block = size > 0 && count > SIZE_MAX / size ? NULL : http2_allocate(memory, count * size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

static void *resize(void *block, size_t size, void *memory) {
    return http2_resize(memory, block, size);
}

/* --- Beginning and end --------------------------------------------------------------------------------------------- */

/* Seeds the table of streams, whose IDs a client chooses: by the process's secret, so that nobody can foresee the places. */
static void write_seed(uint8_t *to, size_t size) {
    const void *place = to;
    uint64_t seed = hash_bytes(&place, sizeof place);
    memcpy(to, &seed, size < sizeof seed ? size : sizeof seed);
}

static nghttp2_option *make_options(bool server) {
    nghttp2_option *option;
    if (nghttp2_option_new(&option) != 0) {
        return NULL;
    }
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, HEAD_BLOCK_MAX);
    /* A table of 4 KiB saves 48 bytes of a small answer, but costs a fifth more CPU, and 5 KiB of an idle session. */
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 0);
    nghttp2_option_set_max_outbound_ack(option, NGHTTP2_ACKS_MAX);
    nghttp2_option_set_max_settings(option, NGHTTP2_SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_max_continuations(option, HTTP2_CONTINUATIONS);
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
    nghttp2_option_set_glitch_rate_limit(option, NGHTTP2_GLITCHES, NGHTTP2_GLITCHES_PER_S);
    if (server) {
        nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
    }
    return option;
}

static bool make_nghttp2(struct http2_session *session) {
    nghttp2_mem memory = {&session->memory, allocate, release, allocate_zeroed, resize};
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = make_options(session->server);
    if (option == NULL || nghttp2_session_callbacks_new(&callbacks) != 0) {
        nghttp2_option_del(option);
        return false;
    }
    nghttp2_session_callbacks_set_rand_callback(callbacks, write_seed);
    http2_input_set_callbacks(callbacks);
    http2_output_set_callbacks(callbacks);
    int result = session->server ? nghttp2_session_server_new3(&session->nghttp2, callbacks, session, option, &memory)
                                 : nghttp2_session_client_new3(&session->nghttp2, callbacks, session, option, &memory);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return result == 0;
}

static bool submit_settings(struct http2_session *session, const struct http2_settings *settings) {
    nghttp2_settings_entry entries[SETTINGS_MAX];
    size_t count = 0;
    entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings->stream_window};
    if (session->server) {
        entries[count++] =
            (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, UINT32_MAX}; /* see http2/output */
        entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1};
    } else {
        entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
    }
    if (session->server && settings->extended_connect) {
        entries[count++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
    }
    return nghttp2_submit_settings(session->nghttp2, NGHTTP2_FLAG_NONE, entries, count) == 0 &&
           nghttp2_session_set_local_window_size(session->nghttp2, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)settings->connection_window) == 0;
}

static struct http2_session *make_session(bool server, const struct http2_settings *settings,
                                          const struct http2_handler *handler, void *owner) {
    struct http2_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return NULL;
    }
    session->handler = handler;
    session->owner = owner;
    session->server = server;
    session->head_size_max = settings->head_size_max;
    session->stream_window = settings->stream_window;
    session->stream_window_max = settings->stream_window_max;
    session->growth_max = settings->growth_max;
    session->resets_max = settings->streams_max > HTTP2_RESETS ? settings->streams_max : HTTP2_RESETS;
    session->streams_max = settings->streams_max;
    session->frames.left = server ? HTTP2_PREFACE_SIZE : 0;
    list_init(&session->streams);
    list_init(&session->gone);
    for (size_t i = 0; i < HTTP2_URGENCIES; i++) {
        list_init(&session->waiting[i]);
    }
    if (!make_nghttp2(session) || !submit_settings(session, settings)) {
        http2_session_free(session);
        return NULL;
    }
    return session;
}

struct http2_session *http2_session_server(const struct http2_settings *settings, const struct http2_handler *handler,
                                           void *owner) {
    return make_session(true, settings, handler, owner);
}

struct http2_session *http2_session_client(const struct http2_settings *settings, const struct http2_handler *handler,
                                           void *owner) {
    return make_session(false, settings, handler, owner);
}

static void forget_all(struct list *streams) {
    while (!list_is_empty(streams)) {
        http2_output_forget(CONTAINER_OF(list_first(streams), struct http2_stream, in_session));
    }
}

void http2_session_free(struct http2_session *session) {
    if (session == NULL) {
        return;
    }
    forget_all(&session->streams);
    forget_all(&session->gone);
    nghttp2_session_del(session->nghttp2);
    http2_head_release(&session->head, &session->memory);
    CHECK(session->memory.used == 0);
    free(session);
}

/* --- Input and output ---------------------------------------------------------------------------------------------- */

static enum http2_outcome outcome_of(const struct http2_session *session) {
    if (session->failed) {
        return HTTP2_NO_MEMORY;
    }
    bool over = !nghttp2_session_want_read(session->nghttp2) && !nghttp2_session_want_write(session->nghttp2);
    return over && session->left_count == 0 ? HTTP2_OVER : HTTP2_GOES_ON;
}

/* Has frames leave, and then tells the owner what has become of its streams, which may have more to send. */
static enum http2_outcome settle(struct http2_session *session) {
    http2_output_flush(session);
    http2_output_bury_all(session);
    http2_output_offer(session);
    http2_output_flush(session);
    http2_output_bury_all(session);
    if (session->begun == NULL) {
        http2_head_release(&session->head, &session->memory);
    }
    return outcome_of(session);
}

enum http2_outcome http2_session_receive(struct http2_session *session, struct bytes input, uint64_t now_s) {
    CHECK(!session->busy);
    session->now_s = now_s;
    session->heard = session->heard || input.size > 0;
    if (!session->failed && input.size > 0) {
        http2_input_take(session, input);
    }
    return settle(session);
}

enum http2_outcome http2_session_flush(struct http2_session *session) {
    return settle(session);
}

enum http2_excess http2_session_excess(const struct http2_session *session) {
    return session->excess;
}

uint32_t http2_session_fault(const struct http2_session *session) {
    return session->fault;
}

uint32_t http2_session_streams(const struct http2_session *session) {
    return session->stream_count;
}

size_t http2_session_memory(const struct http2_session *session) {
    return malloc_usable_size((void *)(uintptr_t)session) + session->memory.used;
}

bool http2_session_is_idle(const struct http2_session *session) {
    return http2_frames_are_whole(&session->frames) && !nghttp2_session_want_write(session->nghttp2);
}

bool http2_session_is_partial(const struct http2_session *session) {
    return session->heard && !http2_frames_are_whole(&session->frames);
}

void http2_session_shut_down(struct http2_session *session) {
    if (!session->server) {
        http2_check(session, nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0));
    } else if (!session->shutting_down) {
        session->shutting_down = true;
        http2_check(session, nghttp2_submit_shutdown_notice(session->nghttp2));
        http2_check(session, nghttp2_submit_ping(session->nghttp2, NGHTTP2_FLAG_NONE, http2_shut_down_ping));
    }
}

void http2_session_shut_down_now(struct http2_session *session) {
    if (session->shutting_down) {
        session->shutting_down = false;
        session->goaway_due = true;
    }
}

void http2_session_terminate(struct http2_session *session, enum http2_error error) {
    http2_output_terminate(session, error);
}

/* --- Streams ------------------------------------------------------------------------------------------------------- */

bool http2_session_ping(struct http2_session *session) {
    return http2_check(session, nghttp2_submit_ping(session->nghttp2, NGHTTP2_FLAG_NONE, NULL));
}

bool http2_session_leaves_out(const struct http2_session *session, const struct http2_stream *stream) {
    return session->taken_id > 0 && (uint32_t)stream->id > session->taken_id;
}

uint32_t http2_session_vacancies(const struct http2_session *session) {
    if (session->failed || !nghttp2_session_check_request_allowed(session->nghttp2)) {
        return 0;
    }
    uint32_t most = nghttp2_session_get_remote_settings(session->nghttp2, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return most > session->open_count ? most - session->open_count : 0;
}

int http2_session_open(struct http2_session *session, struct http2_stream *stream, struct bytes head, const char *scheme,
                       bool end) {
    CHECK(!session->server);
    if (session->failed) {
        return -ENOMEM;
    }
    if (!nghttp2_session_check_request_allowed(session->nghttp2)) {
        return -ESHUTDOWN;
    }
    if (http2_session_vacancies(session) == 0) {
        return -EAGAIN;
    }
    if (!http2_output_request(session, stream, head, scheme, end)) {
        return -ENOMEM;
    }
    http2_output_flush(session);
    return 0;
}

/* The owner learns of this stream's end at once, since its last word is said; of others' with the next settlement. */
static bool finish(struct http2_session *session, struct http2_stream *stream, bool done) {
    http2_output_flush(session);
    done = done && !session->failed;
    if (stream->out_ended) {
        http2_output_bury(stream);
    }
    return done;
}

bool http2_stream_head(struct http2_stream *stream, struct bytes head, bool end) {
    bool done = http2_output_head(stream, head, end);
    return finish(stream->session, stream, done);
}

bool http2_stream_send(struct http2_stream *stream, struct bytes piece) {
    return http2_output_send(stream, piece);
}

bool http2_stream_end(struct http2_stream *stream, struct bytes trailers) {
    bool done = http2_output_end(stream, trailers);
    return finish(stream->session, stream, done);
}

size_t http2_stream_room(struct http2_stream *stream) {
    return http2_output_room(stream);
}

void http2_stream_resume(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    struct http2_guard guard;
    http2_guard_begin(&guard, stream);
    http2_body_resume(stream);
    http2_output_flush(session);
    if (http2_guard_end(&guard, session) && stream->in_delivered) {
        http2_output_bury(stream);
    }
}

void http2_stream_widen(struct http2_stream *stream, uint32_t window) {
    http2_body_widen(stream, window);
}

void http2_stream_reset(struct http2_stream *stream, enum http2_error error) {
    struct http2_session *session = stream->session;
    http2_output_reset(stream, error);
    http2_output_flush(session);
}
