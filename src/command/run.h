/* `sallyport run`: the server, in the foreground. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

/*
 * argv[0] is "run". Serves until SIGTERM (drains) or SIGINT (at once, also in a drain). 0; 1 when the
 * configuration has problems, the server cannot start, or a shard failed; 2 when the arguments make no sense.
 */
int command_run(int argc, char **argv);

#endif
