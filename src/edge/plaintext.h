/* Decrypts the bytes that a client sends, and has the connection's stage work through them. The rest is held. */
#ifndef EDGE_PLAINTEXT_H
#define EDGE_PLAINTEXT_H

#include "edge/connection.h"

/* Decrypts and works through all that was fed to the TLS session, until the session wants more. */
void plaintext_read(struct connection *connection);
/* Works through the held bytes, of which the stage can take more by now. Not while plaintext is worked through. */
void plaintext_resume(struct connection *connection);

#endif
