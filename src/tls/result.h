/* The outcome of a step of a TLS session, on either side. */
#ifndef TLS_RESULT_H
#define TLS_RESULT_H

enum { TLS_RECORD_SIZE_MAX = 16 * 1024 /* plaintext bytes of one record */ };

enum tls_result {
    TLS_DONE,       /* handshake complete; or, for a read, plaintext is there */
    TLS_WANT_INPUT, /* all input was consumed and more is needed */
    TLS_CLOSED,     /* the peer sent close_notify */
    TLS_FAILED,     /* fatal; one fatal alert has been handed to output, unless the peer sent one or output fails */
};

#endif
