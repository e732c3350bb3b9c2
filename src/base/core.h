/* The process's memory has private keys: no image of it may go to a file, or to another process of the same user. */
#ifndef BASE_CORE_H
#define BASE_CORE_H

/*
 * Forbids, for the rest of the process's life, core dumps to files and to programs (core(5)), and ptrace(2) but by root, who
 * also owns most of /proc/PID from then on. Children that execute a program may be traced again, but dump no core.
 */
void core_forbid(void);

#endif
