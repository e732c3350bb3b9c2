/* `sallyport check`: tells whether a configuration would be served, and what it would serve. */
#ifndef COMMAND_CHECK_H
#define COMMAND_CHECK_H

/*
 * Prints a table of hosts to stdout and returns 0; or prints every problem as `FILE:LINE: message` to stderr and returns 1;
 * 2 when the arguments make no sense. argv[0] is "check".
 */
int command_check(int argc, char **argv);

#endif
