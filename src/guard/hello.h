/*
 * Reads a TLS ClientHello where it lies, before any TLS object exists and without allocating (RFC 8446 section 4.1.2,
 * RFC 5246 section 7.4.1.2, RFC 6066, RFC 8701). What fails here has cost us no cryptography.
 */
#ifndef GUARD_HELLO_H
#define GUARD_HELLO_H

#include "base/bytes.h"

enum {
    HELLO_SIZE_MAX = 16 * 1024, /* record headers included */
    HELLO_RECORDS_BUSY_MAX = 4, /* as many as any known client makes of one: all that there is time for under load */
    HELLO_NAME_MAX = 255,
    /*
     * Bytes of records with early data, refused and stepped over, behind one hello (RFC 8446 section 4.2.10). A client
     * sends it by the word of another server's ticket, which allows 16 KiB where OpenSSL or GnuTLS made it.
     */
    HELLO_EARLY_DATA_MAX = 32 * 1024,
};

enum hello_result {
    HELLO_OK,
    HELLO_INCOMPLETE, /* so far legal: call again with more */
    HELLO_NOT_TLS,    /* does not begin as a TLS handshake record: close without an alert */
    HELLO_PLAIN_HTTP, /* begins with an HTTP method */
    HELLO_REJECTED,   /* answer with `alert`, then close */
};

/* RFC 8446 section 6. */
enum tls_alert {
    TLS_ALERT_UNEXPECTED_MESSAGE = 10,
    TLS_ALERT_RECORD_OVERFLOW = 22,
    TLS_ALERT_HANDSHAKE_FAILURE = 40,
    TLS_ALERT_ILLEGAL_PARAMETER = 47,
    TLS_ALERT_DECODE_ERROR = 50,
    TLS_ALERT_PROTOCOL_VERSION = 70,
    TLS_ALERT_INTERNAL_ERROR = 80,
    TLS_ALERT_INAPPROPRIATE_FALLBACK = 86, /* RFC 7507 */
    TLS_ALERT_MISSING_EXTENSION = 109,
    TLS_ALERT_UNRECOGNIZED_NAME = 112,
    TLS_ALERT_NO_APPLICATION_PROTOCOL = 120,
};

struct hello {
    enum tls_alert alert;          /* for HELLO_REJECTED */
    const char *fault;             /* for HELLO_REJECTED: what was wrong, a static text */
    char name[HELLO_NAME_MAX + 1]; /* server name, lower case, without a trailing dot, NUL-terminated; "" when absent */
    bool tls13;                    /* offers TLS 1.3 with a usable suite, group and signature scheme */
    bool tls12;                    /* the same for TLS 1.2 */
    bool alpn;                     /* offers any application protocol */
    bool alpn_http11;              /* offers http/1.1 */
    bool alpn_http10;              /* offers http/1.0 */
    bool ticket;                   /* carries a session ticket (1.2) or a pre-shared key (1.3) */
    struct bytes first_ticket;  /* the first one, in `received`; empty when there is none, or it lies in several records */
    bool resumable;             /* could resume safely: psk_dhe_ke in TLS 1.3, else extended_master_secret */
    uint16_t records;           /* that it came in, so far: for HELLO_INCOMPLETE too. More than one: see hello_join */
    bool early_data;            /* TLS 1.3, and what follows the hello at once may be early data */
    uint8_t max_fragment;       /* max_fragment_length (RFC 6066 section 4): 1 to 4 for 512 to 4096 bytes; 0: none */
    uint16_t record_size_limit; /* RFC 8449: 64 or more bytes; 0: none. Where it is there, max_fragment is 0 */
};

/*
 * `received` is all that the client has sent so far, from the first byte; what lies behind the hello's last record is not
 * looked at. `hello` is filled for HELLO_OK and, as far as `alert` and `fault` go, for HELLO_REJECTED; what it holds
 * after any other result is undefined, but for `records`. Never HELLO_INCOMPLETE for HELLO_SIZE_MAX bytes or more.
 *
 * HELLO_NOT_TLS and HELLO_PLAIN_HTTP are decided by what is there: a lone 'G' is plain HTTP, "GX" is not. Until a hello
 * is complete only its record headers and its first four bytes are read, so a client that sends a byte at a time costs
 * little.
 */
enum hello_result hello_parse(struct bytes received, struct hello *hello);

/*
 * Writes a hello that hello_parse has found in `received` as one record, whatever records it came in, and gives its size.
 * `*rest`: what was received behind it. A hello may come in as many records as fit: one for each of its bytes costs TLS
 * more than a handshake.
 */
size_t hello_join(struct bytes received, uint8_t record[static HELLO_SIZE_MAX], struct bytes *rest);

/* Writes the 7 bytes of a fatal alert as a plaintext record. */
void hello_alert(enum tls_alert alert, uint8_t record[static 7]);

#endif
