/* `sallyport verify`: what the server would say of a client certificate. */
#ifndef COMMAND_VERIFY_H
#define COMMAND_VERIFY_H

/*
 * argv[0] is "verify". Prints status, reason and each field of the leaf to stdout and returns 0 when it is valid, 1 when it
 * is not; 2 when the arguments make no sense or a file cannot be used, with one line on stderr.
 */
int command_verify(int argc, char **argv);

#endif
