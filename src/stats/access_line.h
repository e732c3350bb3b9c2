/*
 * The content of a line of the access log, as JSON. Texts may come from clients and certificates: they are escaped, bytes
 * that are not UTF-8 become U+FFFD, and each text is cut to a size of its own.
 */
#ifndef STATS_ACCESS_LINE_H
#define STATS_ACCESS_LINE_H

#include "base/text.h"

enum {
    ACCESS_LINE_SIZE = 16 * 1024, /* enough for any line, escapes included */
    ACCESS_METHOD_MAX = 32,       /* bytes of each that are kept */
    ACCESS_PATH_MAX = 512,
    ACCESS_HOST_MAX = 255,
    ACCESS_REQUEST_ID_MAX = 128,
    ACCESS_SKI_MAX = 128,
    ACCESS_SERIAL_MAX = 64,
    ACCESS_ISSUER_MAX = 256,
};

/* The client of the connection. */
struct access_client {
    uint64_t time_ms;     /* when it ended, since the epoch */
    struct bytes address; /* without port */
    uint16_t port;
    struct bytes host; /* the configured name; empty when none was chosen */
};

/*
 * The client's TLS connection, and what its certificates are worth. Empty texts and NULLs are left out; without a
 * `tls_version` the connection has no TLS, and all of it is.
 */
struct access_session {
    uint64_t handshake_ns; /* from accept */
    const char *tls_version;
    const char *tls_cipher;
    const char *key_exchange_group; /* NULL: none */
    bool resumed;
    const char *status;
    const char *reason;
    struct bytes ski;
    struct bytes serial;
    struct bytes issuer;
    struct bytes fingerprint; /* as bytes */
};

/* One request. Empty texts and NULLs are left out. */
struct access_request {
    struct access_client client;
    struct access_session session;
    struct bytes method;
    struct bytes path; /* without the query: '?' and what follows is not for logs */
    const char *http;  /* version: "1.0", "1.1" or "2", written as a number; NULL: the head could not be read */
    uint32_t stream;   /* of HTTP/2, its id; 0: left out */
    struct bytes request_id;
    unsigned code;
    uint32_t tries;           /* origins that it went to; 0 and 1 are left out */
    const char *origin_error; /* why the origin gave no answer, or no whole one */
    uint64_t body_in;         /* bytes of the request's body, and of the answer's */
    uint64_t body_out;
    uint64_t origin_ns; /* 0: it was not asked, or did not answer */
    uint64_t total_ns;
};

/* One connection of a client to a tcp host. NULLs are left out. */
struct access_connection {
    struct access_client client;
    struct access_session session;
    const char *end;            /* why it has ended */
    const char *origin_address; /* that was chosen */
    const char *origin_error;   /* why there was no origin, or not until the end */
    uint64_t bytes_in;          /* from the client, decrypted, and to it */
    uint64_t bytes_out;
    uint64_t origin_ns; /* from the end of the handshake until the origin's connection was made; 0: it was not */
    uint64_t total_ns;  /* from the end of the handshake */
};

struct access_failure {
    struct access_client client;
    const char *stage; /* as in sallyport_rejected_total */
    const char *reason;
    uint64_t total_ns;
};

/* Append one line and its newline, which fits in ACCESS_LINE_SIZE. */
void access_line_request(struct text *out, const struct access_request *request);
void access_line_connection(struct text *out, const struct access_connection *connection);
void access_line_failure(struct text *out, const struct access_failure *failure);
/* Appends a line with the number of failed handshakes of the last second that have no line of their own. */
void access_line_left_out(struct text *out, uint64_t time_ms, uint64_t count);

#endif
