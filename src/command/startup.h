/*
 * The set-up that every command needs before it does anything else: the secret of hashes, and wolfSSL; and a look at the
 * environment.
 */
#ifndef COMMAND_STARTUP_H
#define COMMAND_STARTUP_H

/* Returns NULL, or a static text that says what has failed. */
const char *startup_begin(void);
/* Frees what startup_begin has made. Only after a success. */
void startup_end(void);

#endif
