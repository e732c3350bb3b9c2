/* Why an origin gave no answer, or not the whole of one: the vocabulary of the access log's `origin_error` and of the log.
 */
#ifndef RELAY_FAULT_H
#define RELAY_FAULT_H

#include "http/parser.h"

/* docs/operations.md says what each means. The names are the contract's. */
enum relay_fault {
    RELAY_FAULT_NONE,
    RELAY_FAULT_REFUSED,
    RELAY_FAULT_UNREACHABLE,
    RELAY_FAULT_CONNECT_TIMED_OUT,
    RELAY_FAULT_NO_RESOURCES, /* on this side */
    RELAY_FAULT_SPOKE_FIRST,
    RELAY_FAULT_SEND_TIMED_OUT,
    RELAY_FAULT_TIMED_OUT,
    RELAY_FAULT_CLOSED_EARLY, /* before the answer's head was complete */
    RELAY_FAULT_TRUNCATED,    /* after it */
    RELAY_FAULT_RESET,
    RELAY_FAULT_TOO_LARGE,
    RELAY_FAULT_TOO_MANY_HEADERS,
    RELAY_FAULT_TOO_MANY_INTERIM,
    RELAY_FAULT_STATUS_LINE,
    RELAY_FAULT_HEADER,
    RELAY_FAULT_LENGTH,
    RELAY_FAULT_TRANSFER_ENCODING,
    RELAY_FAULT_CHUNK,
    RELAY_FAULT_TRAILERS,
    RELAY_FAULT_UPGRADE,
    RELAY_FAULT_HTTP2, /* frames that break the rules of HTTP/2, or no HTTP/2 at all */
    RELAY_FAULT_BUSY,  /* HTTP/2: the origin takes no more requests at once */
    /*
     * For none of the next three reasons. In TLS 1.3 also of a connection that was made: the origin refuses our certificate,
     * and has read nothing of what was sent.
     */
    RELAY_FAULT_TLS_HANDSHAKE,
    RELAY_FAULT_TLS_CERTIFICATE, /* the origin's chain is not good */
    RELAY_FAULT_TLS_NAME,        /* the chain is good, for another name */
    RELAY_FAULT_TLS_ALPN,        /* the origin does not agree on h2 */
    RELAY_FAULT_TLS_BROKEN,      /* behind the handshake: an alert, or records that break the rules */
    RELAY_FAULT_NO_ADDRESS,      /* the host has no origin, since services are not offered */
};

enum { RELAY_FAULT_COUNT = RELAY_FAULT_NO_ADDRESS + 1 };

/* Why a connection could not be made, or was lost. */
struct relay_failure {
    int error;              /* a negative errno */
    enum relay_fault fault; /* RELAY_FAULT_NONE: the errno alone says it */
    const char *detail;     /* of the fault, until the next failure; or NULL */
};

/* A static text; NULL for RELAY_FAULT_NONE. */
const char *relay_fault_name(enum relay_fault fault);
/* Returns the fault of a connection that could not be made. */
enum relay_fault relay_fault_of_connect(const struct relay_failure *failure);
/* Returns the fault of one that was lost. */
enum relay_fault relay_fault_of_loss(const struct relay_failure *failure);
/* Returns the fault of a response that was refused for this. */
enum relay_fault relay_fault_of_response(enum http_fault fault);

/*
 * Writes a line to the server's log, at the rate of log.h for each fault by itself, or with `is_news` for all of them, with
 * LOG_NEWS_BURST. `origin` is NULL when none was chosen, `detail` when there is no more to say.
 */
void relay_fault_report(enum relay_fault fault, const char *host, const char *origin, const char *detail, bool is_news);

#endif
