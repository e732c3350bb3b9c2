/* `sallyport check`: would this configuration be served, and what would it serve? */
#ifndef COMMAND_CHECK_H
#define COMMAND_CHECK_H

/*
 * argv[0] is "check". Prints one line a host to stdout and returns 0; or prints every problem as `FILE:LINE: message` to
 * stderr and returns 1; 2 when the arguments make no sense.
 */
int command_check(int argc, char **argv);

#endif
