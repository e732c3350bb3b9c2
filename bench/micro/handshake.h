/*
 * The server's side of TLS handshakes, in memory: src/tls as the edge uses it, and identity/ behind it. Server and clients
 * have P-256 keys with leaf and intermediate; X25519, and AES-128-GCM with SHA-256. All but one kind are of TLS 1.3.
 */
#ifndef BENCH_MICRO_HANDSHAKE_H
#define BENCH_MICRO_HANDSHAKE_H

#include "micro/measure.h"

#include <stdbool.h>

enum {
    HANDSHAKE_BATCH = 16, /* sessions that are served side by side, so that the clock is not read for each step of each */
};

enum handshake_kind {
    HANDSHAKE_ANONYMOUS, /* no certificate is asked for */
    HANDSHAKE_KNOWN,     /* the client's chain is in the cache of verified chains */
    HANDSHAKE_UNKNOWN,   /* it is not: the whole path is validated */
    HANDSHAKE_RESUMED,   /* with a ticket, psk_dhe_ke; the first handshakes that fetch them are not measured */
    HANDSHAKE_TLS12,     /* over TLS 1.2, and the client's chain is in the cache */
    HANDSHAKE_KINDS,
};

/* The parts that are timed apart from each other. */
enum handshake_part {
    HANDSHAKE_HELLO,  /* session made, ClientHello to the server's Finished */
    HANDSHAKE_FINISH, /* the client's flight, and the verdict on its chain */
    HANDSHAKE_FREE,   /* session freed */
    HANDSHAKE_PARTS,
};

struct handshake_series {
    struct series parts[HANDSHAKE_PARTS]; /* ns of one handshake, as the mean of a round */
    struct series whole;
    double allocations; /* of wolfSSL for one handshake, and their bytes: the same each time */
    double allocated_bytes;
};

struct handshakes;

/* "known", ... and "hello", ... */
const char *handshake_kind_name(enum handshake_kind kind);
const char *handshake_part_name(enum handshake_part part);

struct handshakes *handshakes_create(void);
void handshakes_free(struct handshakes *handshakes);
/* Whether the server gives tickets that resume. */
bool handshakes_resume(struct handshakes *handshakes);
/* Does batches * HANDSHAKE_BATCH handshakes and adds one round to the series. Any that does not do what its kind says
 * aborts. */
void handshakes_measure(struct handshakes *handshakes, enum handshake_kind kind, unsigned batches,
                        struct handshake_series *series);

#endif
