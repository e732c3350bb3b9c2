/*
 * Figures of this process from the kernel: memory, descriptors, CPU time. The thread that makes a page reads them from
 * /proc; no shard does. That works as any user and with core dumps off, when the files of /proc/self belong to root: a
 * process may always list its own descriptors.
 */
#ifndef STATS_PROCESS_H
#define STATS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_LISTING_MS = 10000 }; /* a listing is good for so long, since it may take a tenth of a second */

/* All 0 at first. Of one thread. */
struct process_reading {
    bool has_memory;
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    bool has_descriptors;
    uint64_t
        open_descriptors;     /* in the process's table: sockets that io_uring accepted are in its own, and not among them */
    uint64_t max_descriptors; /* RLIMIT_NOFILE, soft */
    uint64_t cpu_ns;          /* of all threads that are and were, user and system */
    uint64_t listed_ms;       /* when the descriptors were listed; 0: they were not */
};

/*
 * Reads all of it anew. A part that cannot be read, as without /proc, has its has_ member false. `now_ms` is monotonic,
 * above 0. Costs some microseconds on Linux 6.2 or newer; on older kernels descriptors are listed.
 */
void process_read(struct process_reading *reading, uint64_t now_ms);

/*
 * The number of descriptors, less the one that lists, from a folder such as /proc/self/fd: some 2 us for each. Nothing
 * happens when it was done less than PROCESS_LISTING_MS ago. Where no descriptor is free to list with, it is the maximum.
 */
void process_list_descriptors(struct process_reading *reading, const char *folder, uint64_t now_ms);

/* When the process began, in nanoseconds since the epoch, to a clock tick (10 ms); 0 when it cannot be read. Two calls may
 * differ by as much: ask once. */
uint64_t process_start_ns(void);

/*
 * The start in clock ticks after boot, field 22 of the text of /proc/self/stat; the name in its second field may hold
 * anything. False when there is none.
 */
bool process_parse_start(const char *text, uint64_t *ticks);

#endif
