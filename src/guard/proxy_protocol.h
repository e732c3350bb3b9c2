/* The bytes of the PROXY protocol, version 2, that reader and writer share (HAProxy's doc/proxy-protocol.txt). Private to
 * guard/. */
#ifndef GUARD_PROXY_PROTOCOL_H
#define GUARD_PROXY_PROTOCOL_H

#include <stdint.h>

#define PROXY_SIGNATURE                                                                                                     \
    { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' }

enum {
    PROXY_VERSION_2 = 0x20,
    PROXY_COMMAND_LOCAL = 0, /* in the byte of the version */
    PROXY_COMMAND_PROXY = 1,
    PROXY_INET_STREAM = 0x11, /* family and transport */
    PROXY_INET6_STREAM = 0x21,
    PROXY_TYPE_ALPN = 0x01, /* types of vectors (section 2.2) */
    PROXY_TYPE_AUTHORITY = 0x02,
    PROXY_TYPE_SSL = 0x20,
    PROXY_SSL_FRONT = 5, /* bytes of PROXY_TYPE_SSL in front of its own vectors */
};

#endif
