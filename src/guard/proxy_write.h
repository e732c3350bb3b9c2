/*
 * Writes the header by which an origin learns for which client a connection is made: the PROXY protocol, versions 1 and 2
 * (HAProxy's doc/proxy-protocol.txt). proxy_header.h reads such headers.
 */
#ifndef GUARD_PROXY_WRITE_H
#define GUARD_PROXY_WRITE_H

#include "base/bytes.h"

#include <sys/socket.h>

enum {
    PROXY_WRITE_MAX = 536, /* bytes: the smallest segment that every host takes (section 2) */
    PROXY_WRITE_COMMON_NAME_MAX = 128,
};

/* The client and its connection over TLS. Texts that are empty, or larger than is said here, are left out. */
struct proxy_facts {
    const struct sockaddr *client; /* IPv4 or IPv6 */
    const struct sockaddr *server; /* where the client has connected; of another family, only its port is told */
    struct bytes authority;        /* the server name of the hello; 255 bytes */
    struct bytes protocol;         /* of the bytes behind the header, as ALPN calls it; 12 bytes */
    struct bytes tls_version;      /* 12 bytes */
    struct bytes tls_cipher;       /* 48 bytes */
    struct bytes common_name;      /* of the client's certificate, in UTF-8; PROXY_WRITE_COMMON_NAME_MAX. Left out too if a
                                      character of it is a control character, or if it is not UTF-8 */
    bool presented;                /* the client has presented a certificate on this connection */
    bool certified;                /* or in the session that this connection has resumed */
    bool valid;                    /* and the certificate is valid */
};

/* Write the header and return its size. Version 1 tells the addresses alone. */
size_t proxy_write_v1(const struct proxy_facts *facts, uint8_t out[static PROXY_WRITE_MAX]);
size_t proxy_write_v2(const struct proxy_facts *facts, uint8_t out[static PROXY_WRITE_MAX]);
/*
 * Write the header of a connection that is made for no client: UNKNOWN of version 1, LOCAL of version 2 (sections 2.1, 2.2).
 */
size_t proxy_write_v1_unknown(uint8_t out[static PROXY_WRITE_MAX]);
size_t proxy_write_v2_local(uint8_t out[static PROXY_WRITE_MAX]);

#endif
