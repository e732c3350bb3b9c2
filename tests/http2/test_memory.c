/* Memory that is counted, and sessions whose allocations fail, each in its turn. */
#include "base/check.h"
#include "base/hash.h"
#include "http2/session.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

enum { TALKS_MAX = 16 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static bool armed;         /* allocations count */
static size_t allocations; /* so far */
static size_t failing;     /* the one that fails, from 1, and all behind it if `all_fail` */
static bool all_fail;

static bool fails(void) {
    if (!armed) {
        return false;
    }
    allocations++;
    return allocations == failing || (all_fail && allocations > failing);
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    return fails() ? NULL : __real_realloc(block, size);
}

/* The owner has no memory of its own. */
struct talk {
    struct http2_stream stream;
    struct http_message message;
    struct http_header headers[HTTP_HEADERS_MAX];
};

static struct talk talks[2][TALKS_MAX];
static size_t begun[2];
static uint8_t wire[2][64 * 1024]; /* that leaves the server, and the client */
static size_t wire_size[2];
static struct http2_session *sessions[2];
static bool late; /* bodies are taken when they are resumed */
static bool broken;

static struct talk *talk_new(size_t side) {
    struct talk *talk = &talks[side][begun[side]++ % TALKS_MAX];
    talk->message = (struct http_message){.headers = talk->headers, .headers_max = HTTP_HEADERS_MAX};
    talk->stream = (struct http2_stream){.message = &talk->message};
    return talk;
}

static struct http2_stream *on_begin(void *owner) {
    return &talk_new(0)->stream;
}

static void answer(struct http2_stream *stream) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-Long: 0123456789012345678901234567890123456789\r\n\r\n";
    static uint8_t body[3000];
    broken = !http2_stream_head(stream, bytes_of_string("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"), false) || broken;
    broken = !http2_stream_head(stream, bytes_of_string(head), false) || broken;
    broken = !http2_stream_send(stream, bytes_of(body, sizeof body)) || broken;
    broken = !http2_stream_send(stream, bytes_of(body, sizeof body)) || broken;
    broken = !http2_stream_end(stream, bytes_of_string("x-sum: 1\r\n")) || broken;
}

static void on_head(struct http2_stream *stream, struct bytes head, bool end) {
    if (end && stream->session == sessions[0]) {
        answer(stream);
    }
}

static void on_refused(struct http2_stream *stream, struct bytes head, unsigned status, const char *error) {
    if (stream->session == sessions[0]) {
        broken = !http2_stream_head(stream, bytes_of_string("HTTP/1.1 431 No\r\n\r\n"), true) || broken;
    }
}

static size_t on_body(struct http2_stream *stream, struct bytes piece) {
    return late ? 0 : piece.size;
}

static void on_end(struct http2_stream *stream, struct bytes trailers) {
    if (stream->session == sessions[0]) {
        answer(stream);
    }
}

static void on_room(struct http2_stream *stream) {}

static void on_closed(struct http2_stream *stream, uint32_t error) {
    stream->session = NULL;
}

static void on_output(void *owner, struct bytes frames) {
    size_t side = owner == &sessions[1];
    cr_assert(wire_size[side] + frames.size <= sizeof wire[side]);
    memcpy(wire[side] + wire_size[side], frames.data, frames.size);
    wire_size[side] += frames.size;
}

static size_t on_output_room(void *owner) {
    return 1 << 20;
}

static const struct http2_handler handler = {
    .begin = on_begin,
    .head = on_head,
    .refused = on_refused,
    .body = on_body,
    .end = on_end,
    .room = on_room,
    .closed = on_closed,
    .output = on_output,
    .output_room = on_output_room,
};

static const struct http2_settings settings = {.streams_max = 100,
                                               .head_size_max = 4096,
                                               .stream_window = 65535,
                                               .connection_window = 1 << 20,
                                               .extended_connect = true};

/* Moves what has left the one side to the other. */
static void carry(size_t from) {
    size_t size = wire_size[from];
    wire_size[from] = 0;
    static uint8_t copy[sizeof wire[0]];
    memcpy(copy, wire[from], size);
    broken = http2_session_receive(sessions[!from], bytes_of(copy, size), 1) == HTTP2_NO_MEMORY || broken;
}

static void carry_all(void) {
    broken = http2_session_flush(sessions[0]) == HTTP2_NO_MEMORY || broken;
    broken = http2_session_flush(sessions[1]) == HTTP2_NO_MEMORY || broken;
    for (unsigned round = 0; round < 4 && !broken; round++) {
        carry(1);
        if (!broken) {
            carry(0);
        }
    }
}

static struct talk *ask(const char *head, bool end) {
    struct talk *talk = talk_new(1);
    if (!broken) {
        broken = http2_session_open(sessions[1], &talk->stream, bytes_of_string(head), "https", end) == -ENOMEM;
    }
    return talk;
}

static void post(struct talk *talk) {
    static uint8_t body[5000];
    if (!broken) {
        broken = !http2_stream_send(&talk->stream, bytes_of(body, sizeof body)) ||
                 !http2_stream_end(&talk->stream, bytes_of_string("x-sum: 1\r\nx-other: 2\r\n"));
    }
}

static char large[5000];

/* Runs all that sessions do. */
static void run_sessions(void) {
    sessions[0] = http2_session_server(&settings, &handler, &sessions[0]);
    sessions[1] = http2_session_client(&settings, &handler, &sessions[1]);
    broken = sessions[0] == NULL || sessions[1] == NULL;
    if (broken) {
        return;
    }
    carry_all();
    ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nCookie: c=d\r\nAuthorization: x\r\n\r\n", true);
    struct talk *posting = ask("POST / HTTP/1.1\r\nHost: a\r\n\r\n", false);
    post(posting);
    ask(large, true);
    carry_all();
    late = true;
    posting = ask("POST / HTTP/1.1\r\nHost: a\r\n\r\n", false);
    post(posting);
    carry_all();
    late = false;
    for (size_t i = 0; i < 2 * TALKS_MAX && !broken; i++) {
        struct talk *talk = &talks[i % 2][i / 2];
        if (talk->stream.session != NULL) {
            http2_stream_resume(&talk->stream);
            carry_all();
        }
    }
    posting = ask("POST / HTTP/1.1\r\nHost: a\r\n\r\n", false);
    carry_all();
    if (!broken) {
        http2_stream_reset(&posting->stream, HTTP2_CANCEL);
        carry_all();
    }
    if (!broken) {
        http2_session_shut_down(sessions[0]);
        carry_all();
    }
}

static void set_up(void) {
    memset(talks, 0, sizeof talks);
    memset(begun, 0, sizeof begun);
    memset(wire_size, 0, sizeof wire_size);
    memset(large, 'x', sizeof large);
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Large: ";
    memcpy(large, start, sizeof start - 1);
    memcpy(large + sizeof large - 5, "\r\n\r\n", 5);
    late = broken = false;
    allocations = 0;
}

static void fail_each(bool all) {
    hash_init();
    all_fail = all;
    for (failing = 1;; failing++) {
        set_up();
        armed = true;
        run_sessions();
        armed = false;
        bool failed = allocations >= failing;
        http2_session_free(sessions[0]);
        http2_session_free(sessions[1]);
        cr_assert(broken || !failed || !all, "allocation %zu failed, and nothing told of it", failing);
        if (!failed) {
            cr_assert_not(broken);
            break;
        }
    }
    cr_assert_gt(failing, 100);
}

Test(memory, each_allocation_fails_once) {
    fail_each(false);
}

Test(memory, all_allocations_fail_from_one_on) {
    fail_each(true);
}

Test(memory, is_counted) {
    struct http2_memory memory = {0};
    uint8_t *block = http2_allocate(&memory, 1000);
    cr_assert_geq(memory.used, 1000);
    memset(block, 7, 1000);
    block = http2_resize(&memory, block, 5000);
    cr_assert_geq(memory.used, 5000);
    cr_assert_eq(block[999], 7);
    uint8_t *other = http2_resize(&memory, NULL, 10);
    cr_assert_geq(memory.used, 5010);
    http2_release(&memory, NULL);
    http2_release(&memory, block);
    http2_release(&memory, other);
    cr_assert_eq(memory.used, 0);
}
