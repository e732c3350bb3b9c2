/*
 * Writes a shard's lines of the access log: one for each request, one for each connection to a tcp host, and one for each
 * handshake that fails, of these a hundred a second, so that a flood does not become one of lines. Nothing at all happens
 * where the log is off.
 */
#ifndef EDGE_JOURNAL_H
#define EDGE_JOURNAL_H

#include "http/message.h"
#include "stats/access_line.h"
#include "stats/access_log.h"

enum { JOURNAL_FAILURES_MAX = 100 /* a second */ };

/* A shard's. */
struct journal {
    struct access_log *log; /* NULL: off */
    unsigned shard;         /* its index */
    uint64_t second;        /* monotonic, that the next two are about */
    uint32_t failures;
    uint64_t left_out;
};

/* The parts of a request's head that its line needs, copied because the head is gone before the request is over. */
struct journal_note {
    uint16_t method_size;
    uint16_t path_size;
    uint16_t request_id_size;
    char method[ACCESS_METHOD_MAX];
    char path[ACCESS_PATH_MAX + 1];         /* a byte more, to see whether it is cut within a character */
    char request_id[ACCESS_REQUEST_ID_MAX]; /* there also where the log is off: answers have it too */
};

static inline bool journal_is_on(const struct journal *journal) {
    return journal->log != NULL;
}

/* Empties a note; its texts are left as they are. */
void journal_note_clear(struct journal_note *note);
/* Notes a request whose head is well-formed. */
void journal_note_request(struct journal_note *note, const struct http_message *request, struct bytes head);
/* Writes the line of a request that is over. The journal is on. */
void journal_request(struct journal *journal, const struct access_request *request);
/* Writes the line of a tcp host's connection that is over. The journal is on. */
void journal_connection(struct journal *journal, const struct access_connection *connection);
/* Returns whether there may be one more line about a failure in this second. False: it is counted as left out. */
bool journal_takes_failure(struct journal *journal, uint64_t now_ns);
/* Writes the line of a connection that comes to nothing before its handshake is complete, which journal_takes_failure
 * allowed. */
void journal_failure(struct journal *journal, const struct access_failure *failure);
/* Once a turn: says what was left out in a second that is over. */
void journal_turn(struct journal *journal, uint64_t now_ns);

#endif
