/*
 * The bound on records that a peer may send on one connection although they move nothing forward: each such record costs us
 * a decryption, and a KeyUpdate three key derivations, and the RFCs set no bound on their number. A peer beyond the bound
 * is not at work.
 */
#ifndef TLS_ALLOWANCE_H
#define TLS_ALLOWANCE_H

#include "base/bytes.h"

enum {
    ALLOWANCE_WINDOW_S = 10,
    ALLOWANCE_KEY_UPDATES = 100,    /* in a window; a client needs one for 2^24 records (RFC 8446 section 5.5) */
    ALLOWANCE_EMPTY_RECORDS = 100,  /* in a window */
    ALLOWANCE_SMALL_RECORDS = 4096, /* in a window; a body that is written byte by byte is sent so */
    ALLOWANCE_SMALL_SIZE = 64,      /* a record of fewer bytes of plaintext is small */
    ALLOWANCE_SMALL_PAID_BY = 256, /* bytes of a record that is not: it pays back one small one, and one for so many bytes */
    ALLOWANCE_SMALL_EARLY = 1024,  /* in a handshake: more than its messages have, cut into single bytes */
    ALLOWANCE_WARNINGS = 4,        /* alerts that end nothing: in the connection's life */
};

/* The kinds of records that a peer can send too many of. */
enum tls_excess {
    TLS_EXCESS_NONE,
    TLS_EXCESS_KEY_UPDATES,
    TLS_EXCESS_EMPTY_RECORDS,
    TLS_EXCESS_SMALL_RECORDS,
    TLS_EXCESS_WARNINGS,
    TLS_EXCESS_CHANGE_CIPHER_SPECS, /* of TLS 1.3, where they mean nothing: wolfSSL counts them, one for each hello */
    TLS_EXCESS_KINDS,
};

/* RFC 8446 section 5.1. */
enum tls_record_type {
    TLS_RECORD_CHANGE_CIPHER_SPEC = 20,
    TLS_RECORD_ALERT = 21,
    TLS_RECORD_HANDSHAKE = 22,
    TLS_RECORD_APPLICATION_DATA = 23,
};

/* Zeroed at first. */
struct allowance {
    bool small_welcome; /* small records are what the connection is for */
    uint64_t window_began_s;
    uint16_t counts[TLS_EXCESS_KINDS];
};

/* The stage of the connection when a record comes. */
struct allowance_stage {
    bool tls13;
    bool established; /* the handshake is complete */
    uint64_t now_s;   /* by a clock that only goes forward */
};

/* Notes that the handshake is complete: its small records do not count among those that follow. */
void allowance_establish(struct allowance *allowance);
/* Notes that from now on small records, which are not empty, move as much forward as others: messages of a tunnel, say. */
void allowance_welcome_small(struct allowance *allowance);
/*
 * Pays back small records for `size` bytes of plaintext that have moved at once, in either direction, on an established
 * connection. A chunk of a body comes in four records from some clients, three of them small; a request may be short.
 */
void allowance_pay_back(struct allowance *allowance, size_t size);
/*
 * Counts one record's plaintext. Returns the kind of record that the peer has now sent too many of, or TLS_EXCESS_NONE. The
 * caller does nothing with a record that is too many. A malformed record is not counted here: wolfSSL ends the session.
 */
enum tls_excess allowance_take(struct allowance *allowance, const struct allowance_stage *stage, enum tls_record_type type,
                               struct bytes plaintext);

#endif
