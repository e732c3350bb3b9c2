/*
 * The kernel as far as a shard uses it, in memory: io_uring, TCP sockets and clocks. src/ring/ runs on it unchanged, since
 * the functions of liburing and of libc that it calls are linked to this module instead (tests/simulator/meson.build).
 *
 * Time passes only when the simulation says so, and every choice that a real kernel is free to make (which operation
 * completes first, how many bytes one receive or send takes, whether a cancellation comes too late) is drawn from one seed:
 * the same seed gives the same run.
 */
#ifndef TESTS_SIMULATOR_KERNEL_H
#define TESTS_SIMULATOR_KERNEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stops the test with the seed and `format`, when `condition` does not hold. */
#define SIMULATOR_EXPECT(condition, ...)                                                                                    \
    do {                                                                                                                    \
        if (!(condition)) {                                                                                                 \
            simulator_fail(__FILE__, __LINE__, #condition, __VA_ARGS__);                                                    \
        }                                                                                                                   \
    } while (0)

/* Prints what failed, and how to run the same schedule again; does not return. */
void simulator_fail(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

/* A line on stderr about an event, when the environment variable SIMULATOR_TRACE is set. */
void simulator_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Faults that the simulation may cause of its own accord. */
struct kernel_faults {
    bool short_of_submissions; /* the submission queue has 16 entries */
    bool busy;                 /* some submissions are answered with EAGAIN or EBUSY */
    bool no_descriptors;       /* some accepts fail with EMFILE */
    bool sleeps;               /* some waits in which nothing happens last as long as the shard wants to wait */
};

/* Called while the shard waits for its ring: the rest of the world acts. */
typedef void kernel_world_fn(void *owner);

/* Begins a run: no sockets, the clocks at their beginning. */
void kernel_begin(uint64_t seed, const struct kernel_faults *faults, kernel_world_fn *world, void *owner);
/* Every socket and operation must have gone by now. */
void kernel_end(void);
/* A digest of all events of the run so far. */
uint64_t kernel_digest(void);

/* Of the run's seed: 0 to `limit` - 1; `limit` is at least 1. */
uint32_t kernel_below(uint32_t limit);
/* True `share` times in 1,000. */
bool kernel_chance(uint32_t share);

uint64_t kernel_now_ns(void);
void kernel_pass_ms(uint64_t ms);
/* From now on the shard is busy for `share` of 1,000 parts of the time that passes, and its work takes as much longer. */
void kernel_set_load(uint32_t share);

/*
 * From now on, or no longer: every operation that can complete does so, as a whole, and receives do so first. So what else
 * comes in a turn meets what the shard has begun for the bytes of that turn.
 */
void kernel_set_orderly(bool orderly);
/* Whether the shard will sleep now, while the world acts, unless an operation completes. */
bool kernel_may_sleep(void);
/* Whether operations have completed that the shard has not looked at. */
bool kernel_has_completions(void);

/* The descriptor that a listener of the shard accepts from; only one exists. */
enum { KERNEL_LISTENER = 1 << 24 };

/* One TCP connection of the shard, as its peer sees it. */
struct kernel_socket;

/* A client connects. NULL when the backlog is full, or nothing listens any more. The caller releases the socket. */
struct kernel_socket *kernel_connect(const struct sockaddr_in *from);
/* The next connection that the shard is opening to `to`, which must be answered by one of the two below. NULL: none. */
struct kernel_socket *kernel_next_connect(void);
const struct sockaddr_in *kernel_connects_to(const struct kernel_socket *socket);
void kernel_accept(struct kernel_socket *socket);
void kernel_refuse(struct kernel_socket *socket); /* releases it too */

/* The peer's side. Bytes are copied. A send returns how many were taken; 0 when nothing reads them any more. */
size_t kernel_peer_send(struct kernel_socket *socket, const void *data, size_t size);
/* Up to `capacity` bytes that the shard has sent; fewer where the run's seed says so. */
size_t kernel_peer_receive(struct kernel_socket *socket, void *data, size_t capacity);
size_t kernel_peer_readable(const struct kernel_socket *socket);
/* The shard has ended its side, and all its bytes were received. */
bool kernel_peer_at_end(const struct kernel_socket *socket);
/* The shard has reset the connection. */
bool kernel_peer_is_reset(const struct kernel_socket *socket);
/* The shard has no descriptor of it any more. */
bool kernel_peer_is_closed(const struct kernel_socket *socket);
void kernel_peer_finish(struct kernel_socket *socket); /* FIN */
/* Closes it as a process does: FIN, or a reset when bytes are unread. The socket is gone for its peer. */
void kernel_peer_close(struct kernel_socket *socket);
void kernel_peer_reset(struct kernel_socket *socket);

/* How many of the shard's sockets are open. */
size_t kernel_open_sockets(void);

#endif
