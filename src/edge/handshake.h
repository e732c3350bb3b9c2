/*
 * The stage HANDSHAKE: chooses the host by the hello's name, makes the TLS session and feeds it, and has the client's
 * certificate judged.
 */
#ifndef EDGE_HANDSHAKE_H
#define EDGE_HANDSHAKE_H

#include "crypto/batch.h"
#include "edge/connection.h"
#include "edge/gate.h"
#include "guard/hello.h"

extern const struct stage handshake_stage;

enum { HANDSHAKE_INPUT_KEPT = 2048 /* bytes: more than follows a flight's Certificate message, as a rule */ };

/* A part of the handshake: from a client's bytes to where it waits for more. It may pause for company on the way. */
struct handshake_step {
    struct batch_task task;
    struct connection *connection;
    struct gate_work work; /* while it is paused */
    enum tls_result result;
    bool judged;                         /* the client's certificates, if they came: there was memory for that */
    uint8_t input[HANDSHAKE_INPUT_KEPT]; /* that it has not read yet, while it is paused */
    uint8_t *more_input;                 /* malloc'd instead, where that is more; else NULL */
};

/*
 * Begins the handshake: `received`, which `hello` was read from, is what the client has sent so far. Goes on to the stage
 * HANDSHAKE, and maybe beyond, or ends the connection. Bytes that the connection held are given back.
 */
void handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received);
/* Answers a hello by an alert and refuses the connection; the source is blamed unless the server's memory is at fault. */
void handshake_refuse_hello(struct connection *connection, enum tls_alert alert, enum stats_rejection why);

#endif
