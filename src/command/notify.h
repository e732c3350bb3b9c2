/* Reports the state of the process to the service manager (sd_notify(3)), if there is one. */
#ifndef COMMAND_NOTIFY_H
#define COMMAND_NOTIFY_H

/*
 * Sends one state, such as "READY=1", to the socket in NOTIFY_SOCKET; without that variable does nothing. 0 or a negative
 * errno.
 */
int notify_send(const char *state);

#endif
