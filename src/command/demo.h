/* `sallyport demo`: certificates, an origin, two hosts and the curl lines to try, out of nothing but this binary. */
#ifndef COMMAND_DEMO_H
#define COMMAND_DEMO_H

/*
 * Serves until SIGINT, SIGTERM or SIGHUP; with --once runs its curl lines itself instead. 0; 1 when something failed or an
 * answer was not as expected; 2 when the arguments make no sense. argv[0] is "demo".
 */
int command_demo(int argc, char **argv);

#endif
