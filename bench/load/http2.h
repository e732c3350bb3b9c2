/*
 * A client's side of a connection of HTTP/2 (RFC 9113), as bytes in and frames out: one request after the other, and its
 * answer. Its windows are as large as can be, so that it never says that there is room.
 */
#ifndef BENCH_LOAD_HTTP2_H
#define BENCH_LOAD_HTTP2_H

#include "load/answer.h"
#include "load/frames.h"

struct http2 {
    struct frame_reader reader;
    struct nghttp2_hd_inflater *inflater; /* NULL before the first answer */
    uint32_t stream;                      /* of the last request; 0: nothing has been sent */
    unsigned status;                      /* of its answer, 0 before the head is whole */
};

/* Zeroed memory is a connection on which nothing was sent. Frees what it holds, and zeroes it. */
void http2_reset(struct http2 *http2);
/* Appends the fields of a request, into a frame that the caller has begun. `method`: HPACK_METHOD_GET or HPACK_METHOD_POST.
 */
void http2_put_request(struct frames *frames, enum hpack_index method, const char *authority, const char *path);
/* Appends a GET on the next stream, and before the first what begins a connection. Some 64 bytes beside the strings. */
void http2_request(struct http2 *http2, struct frames *frames, const char *authority, const char *path);
/*
 * Reads on, and appends what has to be answered to `replies`, as far as there is room. ANSWER_COMPLETE when the answer to
 * the last request is whole. ANSWER_BROKEN: the server broke the rules, has reset the stream, or takes no more.
 */
enum answer_result http2_take(struct http2 *http2, struct bytes data, struct frames *replies, const char **error);

#endif
