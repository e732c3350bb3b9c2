/*
 * The connection of a simulated origin as bytes in and bytes out: in the clear, or with TLS whose server the origin is, and
 * behind a PROXY header or not. With TLS it may present a certificate that it should not have, and the connection may be cut
 * or spoilt at each byte.
 */
#ifndef TESTS_SIMULATOR_ORIGIN_LINK_H
#define TESTS_SIMULATOR_ORIGIN_LINK_H

#include "kernel.h"
#include "talk.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

enum origin_identity {
    ORIGIN_ITSELF,
    ORIGIN_OTHER,    /* of the right CA, for another name */
    ORIGIN_EXPIRED,  /* for its name */
    ORIGIN_STRANGER, /* of no CA that is trusted */
    ORIGIN_IDENTITIES,
};

/* The end that a connection comes to when its time has come. */
enum origin_end { ORIGIN_ENDS_BY_FIN, ORIGIN_ENDS_BY_RESET, ORIGIN_FALLS_SILENT, ORIGIN_ENDS };

#define ORIGIN_NEVER SIZE_MAX

struct origin_link_plan {
    bool tls;
    bool tls12;
    bool proxy; /* begins with a PROXY header */
    enum origin_identity identity;
    const char *protocol; /* that it agrees on by ALPN; NULL: it knows of no ALPN */
    size_t cut_at;        /* bytes of TLS that it sends, and then comes the end `cut`; or ORIGIN_NEVER */
    enum origin_end cut;
    size_t spoilt_at;  /* the byte of TLS that it sends with a bit flipped; or ORIGIN_NEVER */
    size_t record_max; /* bytes of its records; 0: as they come */
};

struct origin_link {
    struct kernel_socket *socket;
    struct origin_link_plan plan;
    WOLFSSL *tls;           /* NULL: in the clear */
    struct talk_buffer in;  /* from the network: the PROXY header; then of TLS */
    struct talk_buffer out; /* of TLS, for the network */
    size_t sent;            /* of it */
    bool introduced;        /* the PROXY header has come, or there is none */
    bool names_client;      /* it has an address... */
    struct in_addr client;  /* ... this one */
    bool verified;          /* it says that the client's certificate is valid */
    bool secured;           /* the handshake is done */
    bool resumed;
    bool failed;   /* TLS has */
    bool ended;    /* by the shard's close_notify */
    bool starved;  /* no whole record is there */
    bool finishes; /* FIN comes behind what is to be sent */
    bool finished;
    bool is_cut;
};

/* The contexts of one run, which keep its tickets. */
void origin_link_forget_contexts(void);

void origin_link_begin(struct origin_link *link, struct kernel_socket *socket, const struct origin_link_plan *plan);
/* Frees what it has: the connection is gone. */
void origin_link_forget(struct origin_link *link);
/* Likewise, and ends the connection now. */
void origin_link_leave(struct origin_link *link, bool by_reset);

/* Sends and receives what there is, and goes on with the handshake. False: it has ended the connection by itself. */
bool origin_link_work(struct origin_link *link);
/* Returns whether plaintext may pass. */
bool origin_link_is_open(const struct origin_link *link);
/* Sends some of the plaintext. Returns how many bytes of it. */
size_t origin_link_send(struct origin_link *link, const void *data, size_t size);
/* Takes up to `capacity` bytes of plaintext. */
size_t origin_link_receive(struct origin_link *link, void *data, size_t capacity);
/* Ends this side behind what was sent, with TLS by close_notify. */
void origin_link_finish(struct origin_link *link);
/* Returns whether all that was sent has left, FIN too if that is to come. */
bool origin_link_is_through(const struct origin_link *link);
/* Returns whether the shard has ended its side, and all its bytes were taken; or has reset the connection. */
bool origin_link_is_over(const struct origin_link *link);

#endif
