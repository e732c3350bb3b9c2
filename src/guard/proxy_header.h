/*
 * Reads the header that a balancer sends in front of a client's bytes to tell the client's address: the PROXY protocol,
 * versions 1 and 2 (HAProxy's doc/proxy-protocol.txt). Strict: a header that two readers could understand in two ways is
 * malformed. Allocates nothing. Of a header that is not complete little more than its first bytes is read.
 */
#ifndef GUARD_PROXY_HEADER_H
#define GUARD_PROXY_HEADER_H

#include "base/bytes.h"

#include <netinet/in.h>

enum {
    PROXY_HEADER_V1_MAX = 107,        /* bytes of a line with its CRLF (section 2.1) */
    PROXY_HEADER_V2_FRONT = 16,       /* bytes in front of those that a header of version 2 counts */
    PROXY_HEADER_SIZE_MAX = 4096,     /* of a header of version 2, its front included; the protocol has 65,551 */
    PROXY_HEADER_UNIQUE_ID_MAX = 128, /* bytes of PP2_TYPE_UNIQUE_ID (section 2.2.5) */
};

enum proxy_header_result {
    PROXY_HEADER_OK,
    PROXY_HEADER_INCOMPLETE, /* legal so far: call again with more */
    PROXY_HEADER_MALFORMED,
};

/* The side that a header says the connection comes from. */
enum proxy_header_sender {
    PROXY_HEADER_CLIENT, /* a client, with its address */
    /* A client without an Internet address: UNKNOWN of version 1, AF_UNSPEC and AF_UNIX of version 2. */
    PROXY_HEADER_NAMELESS,
    PROXY_HEADER_LOCAL, /* the balancer itself: LOCAL of version 2, as health checks are */
};

struct proxy_header {
    size_t size; /* bytes of the header: the client's own begin behind them */
    enum proxy_header_sender sender;
    /*
     * The client's address with its port; for PROXY_HEADER_CLIENT only. An IPv4 address that is mapped into IPv6
     * (::ffff:0:0/96) is given as the IPv4 address that it is.
     */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } client;
    const char *fault; /* for PROXY_HEADER_MALFORMED: a static text */
};

/*
 * Reads all that has come on the connection so far, from its first byte; bytes behind the header are not read. `header` is
 * filled for PROXY_HEADER_OK; for PROXY_HEADER_MALFORMED only its `fault` is. Never PROXY_HEADER_INCOMPLETE for
 * PROXY_HEADER_SIZE_MAX bytes or more. MALFORMED is final: more bytes cannot mend it.
 *
 * Of version 2 only streams are taken. A checksum (PP2_TYPE_CRC32C) that is there must be right. The vectors (TLV) of
 * registered types must have sizes that nest exactly, those within PP2_TYPE_SSL too, and none but PP2_TYPE_NOOP may come
 * twice. Nothing else of them is read. All that stands behind LOCAL and behind AF_UNSPEC is skipped, as section 2.2 has it.
 */
enum proxy_header_result proxy_header_parse(struct bytes received, struct proxy_header *header);

#endif
