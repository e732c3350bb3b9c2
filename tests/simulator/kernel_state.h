/* State and functions that the parts of the simulated kernel share. */
#ifndef TESTS_SIMULATOR_KERNEL_STATE_H
#define TESTS_SIMULATOR_KERNEL_STATE_H

#include "kernel.h"

#include <liburing.h>

enum {
    KERNEL_SOCKETS_MAX = 4096,
    KERNEL_PENDING_MAX = 16384,
    KERNEL_BACKLOG = 64,
    KERNEL_SEND_WINDOW = 48 * 1024,
};

/* Bytes on their way in one direction. */
struct pipe {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

struct kernel_socket {
    int index;
    bool direct;
    bool connecting; /* the shard connects, and has no answer yet */
    bool offered;    /* kernel_next_connect has given it out */
    bool refused;
    bool closed;       /* by the shard */
    bool released;     /* by its peer */
    bool disconnected; /* by the shard, with a reset */
    bool to_shard_end; /* the peer has sent FIN */
    bool to_shard_reset;
    bool to_peer_end; /* the shard has sent FIN */
    bool to_peer_reset;
    bool hangup_told; /* to a poll */
    bool end_told;
    size_t unacknowledged; /* bytes that came when the peer had closed */
    struct pipe to_shard;
    struct pipe to_peer;
    struct sockaddr_in address; /* of the peer */
};

struct pending {
    struct io_uring_sqe sqe;
    struct kernel_socket *socket; /* NULL: an accept, or a read of an eventfd */
};

struct kernel_state {
    uint64_t seed;
    uint64_t schedule; /* state of the generator that makes the choices */
    uint64_t secrets;  /* and of the one that gives random bytes: how many are taken changes no choice */
    uint64_t digest;
    uint64_t now_ns;
    uint64_t busy_ns;
    uint32_t load;
    struct kernel_faults faults;
    bool orderly;
    bool may_sleep;
    kernel_world_fn *world;
    void *owner;
    bool listening;
    struct kernel_socket *sockets[KERNEL_SOCKETS_MAX];
    struct kernel_socket *backlog[KERNEL_BACKLOG];
    size_t waiting;
    struct pending *pending[KERNEL_PENDING_MAX];
    size_t pending_count;
    /* The ring. */
    unsigned sq_head, sq_tail, sq_flags, cq_head, cq_tail;
    struct io_uring_buf_ring *buffers;
    unsigned buffers_mask;
    uint16_t buffers_head;
};
extern struct kernel_state kernel;

/* The next number of a generator: splitmix64 of Steele, Lea and Flood, OOPSLA 2014. */
uint64_t kernel_draw(uint64_t *state);
/* An event, for the digest of the run. */
void kernel_note(uint64_t value);
uint64_t kernel_wall_ns(void);

void pipe_put(struct pipe *pipe, const void *data, size_t size);
size_t pipe_take(struct pipe *pipe, void *data, size_t capacity);

struct kernel_socket *socket_create(bool direct);
/* A socket stays until neither side has it any more. */
void socket_let_go(struct kernel_socket *socket);
/* The descriptor must be open. */
struct kernel_socket *socket_at(int descriptor, bool direct);
int socket_descriptor(const struct kernel_socket *socket);
/* Whether a file descriptor is one of a simulated connection. */
bool socket_is_simulated(int descriptor);
/* By the shard. */
void socket_close(struct kernel_socket *socket);

#endif
