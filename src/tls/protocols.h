/* The protocols that a side is for, by which ALPN goes (RFC 7301). */
#ifndef TLS_PROTOCOLS_H
#define TLS_PROTOCOLS_H

enum tls_protocols {
    TLS_HTTP1, /* as a server http/1.1 and http/1.0, and of both the one that the client names first; as a client http/1.1 */
    TLS_HTTP2, /* h2 */
    TLS_ANY,   /* none is named, nor answered */
};

#endif
