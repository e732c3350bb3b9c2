/*
 * One connection of the load: connect, TLS handshake, requests and their answers, end. The behaviour
 * (behaviour.h) chooses what follows on each step, and the bytes that a hostile connection sends instead of a handshake. A
 * failure is counted here and ends the connection, never the run.
 */
#ifndef BENCH_LOAD_LOAD_CONNECTION_H
#define BENCH_LOAD_LOAD_CONNECTION_H

#include "load/http2.h"
#include "load/load_shared.h"
#include "ring/stream.h"

enum load_connection_state {
    CONNECTION_FREE, /* no stream */
    CONNECTION_CONNECTING,
    CONNECTION_HANDSHAKE,
    CONNECTION_TALKING, /* sends bytes of its behaviour's choice, instead of a handshake or behind one */
    CONNECTION_READY,   /* established, and nothing asked */
    CONNECTION_ASKING,  /* an answer is owed */
    CONNECTION_HOLDING, /* stays as it is until the run ends */
    CONNECTION_CLOSING,
};

struct load_connection {
    struct load_shared *shared;
    struct stream *stream;
    struct load_connection *next_free; /* on load.c's list of connections that may be started */
    struct timer timer;
    struct client tls;
    struct intruder *intruder; /* NULL: none */
    struct attacker *attacker; /* NULL: none */
    struct client_credentials *credentials;
    struct client_ticket *ticket; /* for its next handshake, of the same credentials; NULL: that will be a full one */
    struct answer answer;         /* over HTTP/1.1 */
    struct http2 http2;
    bool stood;      /* has been in CONNECTION_HOLDING */
    bool ticketed;   /* has had a ticket */
    bool resuming;   /* with a ticket, which the server need not accept */
    bool incomplete; /* the message that it sends in pieces never ends */
    bool patient;    /* the timer is the behaviour's, and not for a server that takes too long */
    enum load_connection_state state;
    uint32_t said;        /* bytes that have been sent of a message in pieces */
    uint32_t upload_left; /* bytes of the request's body that have not been written yet */
    uint32_t host;        /* the number of the one that it names, below options->hosts */
    uint64_t started_ns;  /* connect(), or when that was due */
    uint64_t asked_ns;    /* the last GET */
};

/* Once, before all else. */
void load_connection_init(struct load_connection *connection, struct load_shared *shared);
/*
 * A handshake is complete: counts it. False: it should have been a resumed one and was not, which has been counted, and has
 * ended the connection; else it is in CONNECTION_READY.
 */
bool load_connection_establish(struct load_connection *connection);
/* Tells, after that, whether it was resumed. */
bool load_connection_resumed(const struct load_connection *connection);
/* Writes version and suite: "TLSv1.3 TLS13-AES128-GCM-SHA256". */
void load_connection_describe(const struct load_connection *connection, char *text, size_t size);
/* Connects a free one, which was due at `due_ns`. 0, or a negative errno: no descriptor, no memory. */
int load_connection_start(struct load_connection *connection, uint64_t due_ns);
/* Sends the run's request; in state CONNECTION_READY. */
void load_connection_request(struct load_connection *connection);
/* The same where the request has been sent already. */
void load_connection_await_answer(struct load_connection *connection);
/*
 * Takes plaintext. Bytes that come when no answer is owed are a fault, but for the frames of HTTP/2 that are no answer.
 * Implemented in load_connection_answer.c.
 */
void load_connection_take_answer(struct load_connection *connection, struct bytes data);
/* Keeps the newest ticket for its next handshake. False: there is none, which has been counted, and has ended it. */
bool load_connection_keep_ticket(struct load_connection *connection);
/* Frees all that a connection owns beside a stream. It must be in CONNECTION_FREE. */
void load_connection_destroy(struct load_connection *connection);
/* Sends nothing more. That the server closes the connection would be a failure. */
void load_connection_hold(struct load_connection *connection);
/* Begins CONNECTION_TALKING, behind a handshake. */
void load_connection_talk(struct load_connection *connection);
/* Sends bytes as they are, all at once; on a connection with TLS one record of them, which may end the connection. */
void load_connection_say(struct load_connection *connection, struct bytes data);
/* Sends the frames that have been written to shared->frames, if there are any, likewise. */
void load_connection_say_frames(struct load_connection *connection);
/* Has the behaviour's due() called after that time, instead of giving up on the server. */
void load_connection_pause(struct load_connection *connection, uint64_t ms);
/* Gives the server its time to answer, from now on. */
void load_connection_expect(struct load_connection *connection);
/* Counts the outcome of a hostile connection, and ends it. */
void load_connection_conclude(struct load_connection *connection, unsigned outcome);
/* Counts a failure, or of a hostile connection the outcome, and ends it. `text`: why, in a line. */
void load_connection_fail(struct load_connection *connection, enum tally_counter why, unsigned outcome, const char *text);
/* Ends the connection; load_events.closed is called when it is gone. */
void load_connection_end(struct load_connection *connection, enum load_options_close how);

#endif
