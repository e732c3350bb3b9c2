/*
 * What the kernel says of this process: memory, descriptors, CPU time. Read from /proc by whoever makes a page, in no
 * shard's thread. It works as any user and with core dumps off, when the files of /proc/self belong to root: a process may
 * always list its own descriptors.
 */
#ifndef STATS_PROCESS_H
#define STATS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct process_reading {
    bool has_memory;
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    bool has_descriptors;
    uint64_t
        open_descriptors;     /* in the process's table: sockets that io_uring accepted are in its own, and not among them */
    uint64_t max_descriptors; /* RLIMIT_NOFILE, soft */
    uint64_t cpu_ns;          /* of all threads that are and were, user and system */
};

/* What cannot be read, as without /proc, is not there. Costs a few microseconds on Linux 6.2 or newer, before that some 100
 * ns more for each descriptor. */
void process_read(struct process_reading *reading);

/* Descriptors that a folder such as /proc/self/fd lists, by reading it: false when it cannot be read. */
bool process_count_listed(const char *folder, uint64_t *count);

/* When the process began, in nanoseconds since the epoch, to a clock tick (10 ms); 0 when it cannot be read. Two calls may
 * differ by as much: ask once. */
uint64_t process_start_ns(void);

/*
 * The start in clock ticks after boot, field 22 of the text of /proc/self/stat; the name in its second field may hold
 * anything. False when there is none.
 */
bool process_parse_start(const char *text, uint64_t *ticks);

#endif
