/*
 * What the access log is told: a line for each request, and one for each handshake that fails, of these a hundred a second
 * and shard, so that a flood does not become one of lines. Nothing at all happens where the log is off.
 */
#ifndef EDGE_JOURNAL_H
#define EDGE_JOURNAL_H

#include "stats/access_line.h"
#include "stats/access_log.h"
#include "stats/stats.h"

enum { JOURNAL_FAILURES_MAX = 100 /* a second */ };

struct connection;
struct exchange;

/* A shard's. */
struct journal {
    struct access_log *log; /* NULL: off */
    uint64_t second;        /* monotonic, that the next two are about */
    uint32_t failures;
    uint64_t left_out;
};

/* What is to be said of a request when it is over, and what its head will not be there to say. */
struct journal_note {
    uint16_t method_size;
    uint16_t path_size;
    uint16_t request_id_size;
    char method[ACCESS_METHOD_MAX];
    char path[ACCESS_PATH_MAX + 1];         /* a byte more, to see whether it is cut within a character */
    char request_id[ACCESS_REQUEST_ID_MAX]; /* there also where the log is off: answers have it too */
};

/* The request's head is there, well-formed or not. */
void journal_note_request(struct exchange *exchange, struct bytes head);
/* It is over. */
void journal_request(const struct exchange *exchange);
/* A connection comes to nothing before its handshake is complete. */
void journal_failure(struct connection *connection, enum stats_stage stage, enum stats_rejection why);
/* Once a turn: says what was left out in a second that is over. */
void journal_turn(struct journal *journal, unsigned shard, uint64_t now_ns);

#endif
