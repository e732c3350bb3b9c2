/*
 * One request and its response on an origin connection. exchange.c has its life and the request; response.c reads what the
 * origin answers.
 */
#ifndef RELAY_EXCHANGE_H
#define RELAY_EXCHANGE_H

#include "relay/pool.h"

enum {
    /*
     * At first the buffer holds the request as far as it may have to be sent (again): its head, and the body that came
     * before a connection was made, for which the contract of relay_exchange_body is 16 KiB. Once the first byte of the
     * response is there, a response head that comes in several deliveries is gathered in it. The size is of address space:
     * only the pages that are used cost memory.
     */
    EXCHANGE_BUFFER_SIZE = RELAY_REQUEST_HEAD_MAX + 32 * 1024,
};
_Static_assert((int)EXCHANGE_BUFFER_SIZE >= (int)RELAY_RESPONSE_HEAD_MAX + (int)RING_RECEIVE_SIZE, "one buffer serves both");

enum exchange_state {
    EXCHANGE_CONNECTING,
    EXCHANGE_HEAD,    /* the request is on its way, the final response's head is awaited */
    EXCHANGE_BODY,    /* the head has been delivered */
    EXCHANGE_FAILING, /* without connection; failed() comes from the timer */
    EXCHANGE_ABORTED, /* without connection; aborted by one of its own handlers, which has not returned yet */
};

/* What the origin must do next, each with a deadline of its own. */
enum exchange_wait {
    WAIT_NOTHING, /* it is the client's turn */
    WAIT_CONNECT,
    WAIT_SEND, /* that it takes what is queued, or most of it */
    WAIT_HEAD,
    WAIT_BODY, /* the next piece */
};

struct relay_exchange {
    struct relay *relay;
    const struct relay_handler *handler;
    void *owner;
    struct relay_host *host;
    struct relay_connection *connection; /* NULL only while failing or aborted */
    struct timer timer;
    uint8_t *buffer; /* NULL once the response's head is complete */
    uint32_t buffered;
    uint64_t tried;       /* a bit for each of the host's origins that was chosen */
    uint64_t sent_before; /* the stream's bytes_sent when the request was put on it */
    enum exchange_state state;
    enum exchange_wait wait;
    enum relay_error error; /* while failing */
    enum http_framing framing;
    bool to_head;
    bool idempotent;
    bool body_given;   /* some body, that is */
    bool request_done; /* all of the request has been given */
    bool reused;       /* the connection comes from the pool */
    bool replaced;     /* a pooled connection has proved closed: from now on only fresh ones */
    bool whole;        /* the buffer holds all of the request that was given so far; never once answered */
    bool answered;     /* some of the response has come */
    bool send_failed;  /* the origin takes no more; what it has said is still to be read */
    bool last;         /* an informational response says that the connection is not to be used again */
    bool paused;
    bool reading; /* response_read is on the stack */
    struct http_parser parser;
    struct http_message message;
};

enum response_outcome {
    RESPONSE_MORE,     /* all was used; another delivery is needed */
    RESPONSE_COMPLETE, /* what is left of the input does not belong to it */
    RESPONSE_BAD,
    RESPONSE_STOPPED, /* a handler has ended the exchange */
};

/* Before the first byte of each message. */
void response_begin(struct relay_exchange *exchange);
/* Takes a delivery, from the front of `*input`, and runs the handlers head and body. */
enum response_outcome response_read(struct relay_exchange *exchange, struct bytes *input);

#endif
