/*
 * The access log: whole lines from the shards to a file, by a thread of its own. A shard writes into a buffer of its own
 * and never waits: a line for which there is no room is dropped and counted. The thread looks ten times a second or more,
 * writes the lines in large pieces, and drops and counts the lines that cannot be written.
 */
#ifndef STATS_ACCESS_LOG_H
#define STATS_ACCESS_LOG_H

#include "base/bytes.h"
#include "base/error.h"

enum { ACCESS_LOG_BUFFER_SIZE = 4 * 1024 * 1024 /* for each shard */ };

struct access_log;

/*
 * `path` "-" is standard output. A file is appended to, and made with mode 0640 when there is none. Starts the thread. NULL
 * with one line in `error` that names the path and the fault.
 */
struct access_log *access_log_open(const char *path, unsigned shard_count, struct error *error);
/* Writes the remaining lines, for which it waits two seconds at most, and ends the thread. NULL is allowed. */
void access_log_close(struct access_log *log);

/* Writes a line with its newline, at most 64 KiB. Only that shard's thread may call it. False: there was no room. */
bool access_log_write(struct access_log *log, unsigned shard, struct bytes line);
/* Has the path opened again, soon: lines from before are in the old file, whole. From any thread. */
void access_log_reopen(struct access_log *log);

/* Lines since the start. From any thread. */
struct access_log_counts {
    uint64_t written;
    uint64_t dropped;
};
struct access_log_counts access_log_count(const struct access_log *log);

#endif
