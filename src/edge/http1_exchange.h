/* An exchange on a connection of HTTP/1, as the modules of HTTP/1 know it: http1 and http1_tunnel. */
#ifndef EDGE_HTTP1_EXCHANGE_H
#define EDGE_HTTP1_EXCHANGE_H

#include "edge/exchange.h"
#include "http/parser.h"

/* An exchange with what HTTP/1 needs to carry it. One for each connection at most. */
struct http1_exchange {
    struct exchange exchange;
    uint64_t discard_left;     /* bytes of request body that may still be read and dropped */
    enum http_framing framing; /* of the answer's body, towards the client */
    bool refused;              /* the request is no HTTP that we take, or did not come in time */
    bool answered;             /* the answer is queued, whole */
    bool keep_alive;           /* as the answer's head has said */
    struct http_parser parser;
};

#endif
