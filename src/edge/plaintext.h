/*
 * Decrypts what a client sends, and has the connection's stage work through it. What the stage cannot take yet is held.
 */
#ifndef EDGE_PLAINTEXT_H
#define EDGE_PLAINTEXT_H

#include "edge/connection.h"

/* Decrypts and works through what was fed to the TLS session, until that wants more. */
void plaintext_read(struct connection *connection);
/* Works through what is held: the stage can take more of it by now. Not while plaintext is worked through. */
void plaintext_resume(struct connection *connection);

#endif
