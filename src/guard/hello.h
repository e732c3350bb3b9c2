/*
 * Reads a TLS ClientHello from its records, before any TLS object exists and without allocating (RFC 8446 sections 4.1.2 and
 * 5.1, RFC 5246 section 7.4.1.2, RFC 6066, RFC 8701). A hello that fails here has cost no cryptography. offer.h reads the
 * message, and offer_rules.h decides whether the server can take it.
 */
#ifndef GUARD_HELLO_H
#define GUARD_HELLO_H

#include "guard/offer.h"

enum {
    HELLO_SIZE_MAX = 16 * 1024, /* record headers included */
    HELLO_RECORDS_BUSY_MAX = 4, /* records of one hello under load: no client that is known makes more */
    /*
     * Bytes of records with early data behind one hello, which are skipped (RFC 8446 section 4.2.10). A client sends early
     * data as far as the ticket of another server allows: 16 KiB with the tickets of OpenSSL and GnuTLS.
     */
    HELLO_EARLY_DATA_MAX = 32 * 1024,
};

enum hello_result {
    HELLO_OK,
    HELLO_INCOMPLETE, /* legal so far: call again with more */
    HELLO_NOT_TLS,    /* does not begin as a TLS handshake record: close without an alert */
    HELLO_PLAIN_HTTP, /* begins with an HTTP method */
    HELLO_REJECTED,   /* answer with `alert`, then close */
};

/*
 * Reads all that the client has sent so far, from its first byte; bytes behind the hello's last record are not read. `hello`
 * is filled for HELLO_OK; for HELLO_REJECTED only its `alert` and `fault` are; after any other result all but `records` is
 * undefined. Never HELLO_INCOMPLETE for HELLO_SIZE_MAX bytes or more.
 *
 * HELLO_NOT_TLS and HELLO_PLAIN_HTTP are decided by the bytes that have come: a lone 'G' is plain HTTP, "GX" is not. Until a
 * hello is complete only its record headers and its first four bytes are read, so a client that sends a byte at a time costs
 * little.
 */
enum hello_result hello_parse(struct bytes received, struct hello *hello);

/*
 * Writes the hello that hello_parse has found in `received` as one record, whatever records it came in, and returns the size
 * of that record. `*rest` becomes what was received behind the hello. Otherwise a hello with one record for each of its
 * bytes would cost TLS more than a handshake does.
 */
size_t hello_join(struct bytes received, uint8_t record[static HELLO_SIZE_MAX], struct bytes *rest);

/* Writes the 7 bytes of a fatal alert as a plaintext record. */
void hello_alert(enum tls_alert alert, uint8_t record[static 7]);

#endif
