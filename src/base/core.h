/* No image of the process's memory, which has private keys, goes to a file or to another process of the same user. */
#ifndef BASE_CORE_H
#define BASE_CORE_H

/*
 * For the rest of the process's life: no core dump, be it to a file or to a program (core(5)), and no ptrace(2) but by root,
 * who also owns most of /proc/PID from then on. Children that execute a program may be traced again, but dump no core.
 */
void core_forbid(void);

#endif
