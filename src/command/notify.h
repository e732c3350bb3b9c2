/* Tells a service manager how far we are (sd_notify(3)), where there is one. */
#ifndef COMMAND_NOTIFY_H
#define COMMAND_NOTIFY_H

/* Sends one state, as "READY=1", to the socket in NOTIFY_SOCKET. Without that variable: nothing. 0 or a negative errno. */
int notify_send(const char *state);

#endif
