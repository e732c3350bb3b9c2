/*
 * The thread of one shard: it makes what the shard's connections need, turns the shard's ring until the shard has ended, and
 * counts what was not given back. Other threads reach it by mail only.
 */
#ifndef SERVER_SHARD_THREAD_H
#define SERVER_SHARD_THREAD_H

#include "edge/shard.h"
#include "ring/worker.h"

struct shard_thread {
    struct shard shard;
    struct worker worker; /* `core` is to be set before the start */

    /* Set before the start; needed until it has returned. */
    struct config *config;     /* the first one */
    struct stats_hosts *hosts; /* with it */
    uint32_t idle_max;         /* idle connections to origins */
    const int *descriptors;    /* listening sockets, shard.listener_count of them; after the start the listeners own them */

    struct timer drain_limit;
    uint32_t leave_ms; /* before a drain's limit clients are told so, where that is possible; 0: they have been */
    bool wound_up;     /* only late completions are waited for */
    int leftover;      /* after the end: things that were not given back */
};

/*
 * Starts the thread and returns when it accepts: 0; or a negative errno with one line in `error`. The descriptors are then
 * still the caller's.
 */
int shard_thread_start(struct shard_thread *thread, struct error *error);

/*
 * Post, from any thread, that the shard is to end: when its connections have ended, at the latest after `timeout_ms`; or at
 * once.
 */
void shard_thread_post_drain(struct shard_thread *thread, uint32_t timeout_ms);
void shard_thread_post_stop(struct shard_thread *thread);
/*
 * Posts `site`, whose reference goes to the shard, to replace the one before: for new connections, and for open ones from
 * their next request on. When the shard has it, the shard posts site->taken, and does not touch that semaphore afterwards.
 */
void shard_thread_post_site(struct shard_thread *thread, struct site *site);

/* Returns whether the thread has ended, so that shard_thread_join will not wait. */
bool shard_thread_has_ended(const struct shard_thread *thread);
/* Waits for the end of the thread. Returns how many things were not given back. */
int shard_thread_join(struct shard_thread *thread);

#endif
