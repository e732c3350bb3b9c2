/* The public-key operations that a full handshake with client certificate cannot do without, each alone. */
#ifndef BENCH_MICRO_OPERATIONS_H
#define BENCH_MICRO_OPERATIONS_H

#include "micro/measure.h"

enum operation {
    OPERATION_KEY_SHARE, /* X25519: a key pair is made */
    OPERATION_AGREEMENT, /* X25519 */
    OPERATION_SIGN,      /* ECDSA P-256 */
    OPERATION_VERIFY,    /* ECDSA P-256 */
    OPERATIONS,
};

struct operations;

const char *operation_name(enum operation operation);

struct operations *operations_create(void);
void operations_free(struct operations *operations);
/* Adds to each series the nanoseconds that one operation takes, as the mean of `count`; and to `sum` those of all four. */
void operations_measure(struct operations *operations, unsigned count, struct series series[static OPERATIONS],
                        struct series *sum);

#endif
