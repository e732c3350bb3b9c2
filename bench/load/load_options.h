/* The command line of sallyport-load, checked in full before anything is opened. */
#ifndef BENCH_LOAD_LOAD_OPTIONS_H
#define BENCH_LOAD_LOAD_OPTIONS_H

#include "load/behaviour.h"
#include "load/outcome.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    LOAD_OPTIONS_CERTS_MAX = 256, /* --cert may be given this many times; a folder counts once */
    LOAD_OPTIONS_CONNECTIONS_MAX = 60000,
    LOAD_OPTIONS_SOURCES_MAX = 1 << 20,
    LOAD_OPTIONS_DURATION_MAX_S = 3600,
    LOAD_OPTIONS_HOSTS_MAX = 100000,
    LOAD_OPTIONS_UPLOAD_MAX = 1 << 30,
    LOAD_OPTIONS_IDENTITIES_MAX = 1 << 24,
};

enum load_options_close {
    LOAD_OPTIONS_CLOSE_RESET, /* a reset: leaves no TIME_WAIT on either side */
    LOAD_OPTIONS_CLOSE_FIN,   /* close_notify and FIN, as a browser does */
};

struct load_options {
    const struct behaviour *behaviour;
    const char *connect_text;
    struct sockaddr_storage address;
    socklen_t address_size;
    const char *name; /* server name, and Host */
    const char *path;
    const char *certs[LOAD_OPTIONS_CERTS_MAX]; /* files and folders */
    unsigned cert_count;
    uint32_t connections;      /* 1 to LOAD_OPTIONS_CONNECTIONS_MAX */
    uint64_t duration_ns;      /* of the measurement; for `idle` of the holding */
    uint64_t warmup_ns;        /* load that is not measured, before */
    uint64_t count;            /* ends after this many answers; 0: only time ends it */
    uint64_t rate;             /* connections begun a second; 0: as soon as one of `connections` has ended */
    uint64_t timeout_ms;       /* the server's time to connect, and to answer */
    uint64_t interval_ms;      /* between the pieces of a slow hello, or requests of who holds */
    uint64_t repeats;          /* of an attack over HTTP/2, on one connection */
    uint32_t source_addresses; /* addresses of 127.0.0.0/8 to connect from; 0: the kernel chooses */
    uint32_t source_first;     /* the first of them, host byte order */
    enum load_options_close close;
    bool http2;          /* requests are HTTP/2's */
    bool tls12;          /* TLS 1.2 alone, else 1.3 alone */
    uint16_t group;      /* IANA's number of the one group; 0: X25519, or P-256 */
    uint32_t hosts;      /* hosts h0.NAME, h1.NAME and so on that connections name in turn; 0: NAME itself */
    uint32_t upload;     /* bytes of each request's body; 0: it is a GET */
    uint64_t identities; /* certificates that are issued, again and again; 0: each is new */
    const char *issuer;  /* PEM file with the key that issues them */
    const char *expect_text;
    unsigned expected_status;
    bool expected_outcomes[OUTCOMES]; /* of hostile connections */
    bool json;
};

enum load_options_result {
    LOAD_OPTIONS_RUN,
    LOAD_OPTIONS_HELP,  /* the usage has been printed: exit 0 */
    LOAD_OPTIONS_REFUSE /* the fault has been printed to stderr: exit 2 */
};

/* `modes` has the `mode_count` behaviours that the command line may name. */
enum load_options_result load_options_parse(struct load_options *options, const struct behaviour *modes, size_t mode_count,
                                            int argc, char **argv);

#endif
