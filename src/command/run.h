/* `sallyport run`: the server, in the foreground. */
#ifndef COMMAND_RUN_H
#define COMMAND_RUN_H

/*
 * Serves until SIGTERM (drains) or SIGINT (ends at once, also in a drain). 0; 1 when the configuration has problems, the
 * server cannot start, or a shard failed; 2 when the arguments make no sense. argv[0] is "run".
 */
int command_run(int argc, char **argv);

#endif
