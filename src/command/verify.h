/* `sallyport verify`: judges a client certificate as the server would. */
#ifndef COMMAND_VERIFY_H
#define COMMAND_VERIFY_H

/*
 * Prints status, reason and each field of the leaf to stdout and returns 0 when the chain is valid, 1 when it is not; 2 when
 * the arguments make no sense or a file cannot be used, with one line on stderr. argv[0] is "verify".
 */
int command_verify(int argc, char **argv);

#endif
