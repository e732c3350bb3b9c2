/*
 * A client that has said its last word, by close_notify or by FIN, and may still listen (RFC 8446 section 6.1, RFC 9112
 * section 9.6): what it asked whole is answered, what it did not ask whole is no request.
 */
#ifndef EDGE_PARTING_H
#define EDGE_PARTING_H

#include "edge/connection.h"

/* close_notify has come, in a state behind CONNECTION_HANDSHAKE. */
void parting_by_notify(struct connection *connection);
/* FIN has come, likewise. From here on only a reset tells that the client is gone. */
void parting_by_fin(struct connection *connection);
/* Ends a connection whose client has said its last word, once nothing is left to answer: after each step of its work. */
void parting_settle(struct connection *connection);

#endif
