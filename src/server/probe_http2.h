/* A probe over HTTP/2 (RFC 9113, with prior knowledge): a session of its own with one request, up to the head of its answer.
 */
#ifndef SERVER_PROBE_HTTP2_H
#define SERVER_PROBE_HTTP2_H

#include "http2/session.h"
#include "relay/link.h"
#include "server/probe_answer.h"

struct probe_http2 {
    struct http2_session *session; /* NULL: there is none */
    struct http2_stream request;
    struct relay_link *link;
    uint32_t interim;  /* informational heads before the final one */
    bool stuck;        /* the ring is out of chunks */
    unsigned status;   /* of the final head; 0: it has not come */
    const char *error; /* why there is no answer: a static text; NULL: there may yet be one */
};

/*
 * Asks on a link that is connected. `answer` is where the head of the answer goes; `request` is a head as
 * http2_session_open takes it. Returns PROBE_MORE or PROBE_UNMADE.
 */
enum probe_reading probe_http2_begin(struct probe_http2 *http2, struct relay_link *link, struct probe_answer *answer,
                                     struct bytes request);
/* Takes what has come. Of a result PROBE_ANSWERED http2->status is the answer's, of PROBE_MALFORMED http2->error says why.
 */
enum probe_reading probe_http2_read(struct probe_http2 *http2, struct bytes data, uint64_t now_s);
/* Has GOAWAY leave, behind an answer. */
void probe_http2_end(struct probe_http2 *http2);
/* Frees the session, if there is one. */
void probe_http2_free(struct probe_http2 *http2);

#endif
