/* The outcome of a hostile connection: exactly one for each, by what the server did. */
#ifndef BENCH_LOAD_OUTCOME_H
#define BENCH_LOAD_OUTCOME_H

#include "base/bytes.h"

enum outcome {
    OUTCOME_LEFT,            /* the client went first, as it was meant to */
    OUTCOME_HELLO,           /* the server answered with a hello of its own, and the client went */
    OUTCOME_FIN,             /* closed without a word */
    OUTCOME_RESET,           /* the same, with a reset */
    OUTCOME_TIMEOUT,         /* neither closed nor answered in time */
    OUTCOME_REFUSED,         /* nobody listens */
    OUTCOME_CONNECT_TIMEOUT, /* no answer to the SYN in time */
    OUTCOME_CONNECT_FAILED,
    OUTCOME_TLS_FAILED,                    /* the server sent bytes that are not TLS as the client knows it */
    OUTCOME_GIBBERISH,                     /* nor HTTP */
    OUTCOME_HTTP1,                         /* the server has not chosen HTTP/2, which the client wants to speak */
    OUTCOME_ALERT = 16,                    /* and the alert's number, 0 to 255 */
    OUTCOME_STATUS = OUTCOME_ALERT + 256,  /* and the status of the answer, less 100: 0 to 899 */
    OUTCOME_GOAWAY = OUTCOME_STATUS + 900, /* and the error code of the frame, 0 to 15 */
    OUTCOMES = OUTCOME_GOAWAY + 16,
};

enum { OUTCOME_NAME_SIZE = 24 };

/* For reports: "fin", "alert_40", "status_403", "goaway_11". Empty for a number that means nothing. */
void outcome_name(unsigned outcome, char name[static OUTCOME_NAME_SIZE]);
/* The outcome of that name, or OUTCOMES. */
unsigned outcome_find(struct bytes name);
/* `status` is 100 to 999. */
static inline unsigned outcome_of_status(unsigned status) {
    return OUTCOME_STATUS + status - 100;
}
/* Codes beyond the 14 of RFC 9113 section 7 are taken for 15. */
static inline unsigned outcome_of_goaway(uint32_t code) {
    return OUTCOME_GOAWAY + (code < 15 ? code : 15);
}
/* Returns the outcome for a client that reads no more than these first bytes from the server, of which there is one at
 * least. */
unsigned outcome_of_bytes(struct bytes data);

#endif
