#include "kernel_state.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUBMISSIONS_FEW = 16 };

int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params) {
    if (kernel.faults.short_of_submissions) {
        entries = SUBMISSIONS_FEW;
    }
    memset(ring, 0, sizeof *ring);
    ring->flags = params->flags;
    ring->features = IORING_FEAT_EXT_ARG;
    ring->sq.khead = &kernel.sq_head;
    ring->sq.ktail = &kernel.sq_tail;
    ring->sq.kflags = &kernel.sq_flags;
    ring->sq.sqes = calloc(entries, sizeof *ring->sq.sqes);
    ring->sq.ring_entries = entries;
    ring->sq.ring_mask = entries - 1;
    ring->cq.khead = &kernel.cq_head;
    ring->cq.ktail = &kernel.cq_tail;
    ring->cq.cqes = calloc(params->cq_entries, sizeof *ring->cq.cqes);
    ring->cq.ring_entries = params->cq_entries;
    ring->cq.ring_mask = params->cq_entries - 1;
    return 0;
}

int io_uring_register_ring_fd(struct io_uring *ring) {
    return 1;
}

int io_uring_register_files_sparse(struct io_uring *ring, unsigned count) {
    return 0;
}

void io_uring_queue_exit(struct io_uring *ring) {
    free(ring->sq.sqes);
    free(ring->cq.cqes);
}

struct io_uring_buf_ring *io_uring_setup_buf_ring(struct io_uring *ring, unsigned count, int group, unsigned flags,
                                                  int *error) {
    kernel.buffers = aligned_alloc(4096, (count * sizeof(struct io_uring_buf) + 4095) / 4096 * 4096);
    memset(kernel.buffers, 0, count * sizeof(struct io_uring_buf));
    kernel.buffers_mask = count - 1;
    kernel.buffers_head = 0;
    *error = 0;
    return kernel.buffers;
}

int io_uring_free_buf_ring(struct io_uring *ring, struct io_uring_buf_ring *buffers, unsigned count, int group) {
    free(buffers);
    return 0;
}

static void post(struct io_uring *ring, uint64_t user_data, int result, unsigned flags) {
    struct io_uring_cqe *cqe = &ring->cq.cqes[kernel.cq_tail & ring->cq.ring_mask];

    SIMULATOR_EXPECT(kernel.cq_tail - kernel.cq_head < ring->cq.ring_entries, "the completion queue is full");
    cqe->user_data = user_data;
    cqe->res = result;
    cqe->flags = flags;
    kernel.cq_tail++;
    kernel_note((user_data & 0xff) << 32 | (uint32_t)result);
    kernel_note(kernel.now_ns);
}

static void remember(const struct io_uring_sqe *sqe, struct kernel_socket *socket) {
    struct pending *pending = malloc(sizeof *pending);

    SIMULATOR_EXPECT(kernel.pending_count < KERNEL_PENDING_MAX, "more than %d operations", KERNEL_PENDING_MAX);
    *pending = (struct pending){*sqe, socket};
    kernel.pending[kernel.pending_count++] = pending;
}

static void forget(struct pending *pending) {
    for (size_t i = 0; i < kernel.pending_count; i++) {
        if (kernel.pending[i] == pending) {
            kernel.pending[i] = kernel.pending[--kernel.pending_count];
            free(pending);
            return;
        }
    }
}

static void *pointer_of(uint64_t address) {
    return (void *)(uintptr_t)address;
}

static bool accept_one(const struct pending *pending, int *result) {
    struct kernel_socket *socket = kernel.backlog[0];

    if (kernel.waiting == 0) {
        return false;
    }
    if (kernel.faults.no_descriptors && kernel_chance(100)) {
        *result = -EMFILE;
        return true;
    }
    memmove(kernel.backlog, kernel.backlog + 1, --kernel.waiting * sizeof *kernel.backlog);
    memcpy(pointer_of(pending->sqe.addr), &socket->address, sizeof socket->address);
    *(socklen_t *)pointer_of(pending->sqe.addr2) = sizeof socket->address;
    *result = socket->index;
    return true;
}

/* A piece of what could be taken at once: mostly all of it. */
static size_t piece_of(size_t size) {
    return size > 1 && !kernel.orderly && kernel_chance(250) ? 1 + kernel_below((uint32_t)size) : size;
}

/* Takes bytes that the peer has sent. Without a buffer of its own the receive takes one of those that the shard provides. */
static void take_bytes(const struct pending *pending, int *result, unsigned *flags) {
    struct kernel_socket *socket = pending->socket;
    struct io_uring_buf *buffer = &kernel.buffers->bufs[kernel.buffers_head & kernel.buffers_mask];
    bool provided = (pending->sqe.flags & IOSQE_BUFFER_SELECT) != 0;
    void *to = pointer_of(pending->sqe.addr);
    size_t size = pending->sqe.len;

    if (provided) {
        if (kernel.buffers_head == __atomic_load_n(&kernel.buffers->tail, __ATOMIC_ACQUIRE)) {
            *result = -ENOBUFS;
            return;
        }
        kernel.buffers_head++;
        to = pointer_of(buffer->addr);
        size = size < buffer->len ? size : buffer->len;
        *flags = IORING_CQE_F_BUFFER | (unsigned)buffer->bid << IORING_CQE_BUFFER_SHIFT;
    }
    size = piece_of(socket->to_shard.size < size ? socket->to_shard.size : size);
    *result = (int)pipe_take(&socket->to_shard, to, size);
    if (socket->to_shard.size > 0) {
        *flags |= IORING_CQE_F_SOCK_NONEMPTY;
    }
}

static bool receive_some(const struct pending *pending, int *result, unsigned *flags) {
    const struct kernel_socket *socket = pending->socket;

    if (socket->to_shard.size > 0) {
        take_bytes(pending, result, flags);
        return true;
    }
    *result = socket->disconnected || socket->to_shard_reset ? -ECONNRESET : 0;
    return *result < 0 || socket->to_shard_end;
}

/* A receive that does not wait. */
static void receive_now(struct io_uring *ring, const struct io_uring_sqe *sqe, struct kernel_socket *socket) {
    const struct pending pending = {*sqe, socket};
    int result = 0;
    unsigned flags = 0;

    if (!receive_some(&pending, &result, &flags)) {
        result = -EAGAIN;
    }
    post(ring, sqe->user_data, result, flags);
}

static size_t size_of(const struct msghdr *message) {
    size_t size = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++) {
        size += message->msg_iov[i].iov_len;
    }
    return size;
}

static bool send_some(const struct pending *pending, int *result) {
    struct kernel_socket *socket = pending->socket;
    struct iovec vector = {pointer_of(pending->sqe.addr), pending->sqe.len};
    struct msghdr single = {.msg_iov = &vector, .msg_iovlen = 1};
    const struct msghdr *message = pending->sqe.opcode == IORING_OP_SENDMSG ? pointer_of(pending->sqe.addr) : &single;
    size_t room = KERNEL_SEND_WINDOW - socket->to_peer.size;
    size_t size = size_of(message);

    if (socket->to_shard_reset || socket->disconnected) {
        *result = -ECONNRESET;
        return true;
    }
    if (room == 0) {
        return false;
    }
    size = piece_of(size < room ? size : room);
    *result = (int)size;
    for (size_t i = 0; i < message->msg_iovlen && size > 0; i++) {
        size_t part = message->msg_iov[i].iov_len < size ? message->msg_iov[i].iov_len : size;

        if (!socket->released) {
            pipe_put(&socket->to_peer, message->msg_iov[i].iov_base, part);
        }
        size -= part;
    }
    if (socket->released) { /* nobody is there any more: the kernel of the peer answers with a reset */
        socket->unacknowledged += (size_t)*result;
        socket->to_shard_reset = true;
    }
    return true;
}

static bool connect_ends(const struct pending *pending, int *result) {
    *result = pending->socket->refused ? -ECONNREFUSED : 0;
    return !pending->socket->connecting;
}

/* A poll for the end of a connection is told of FIN alone, too. */
static bool poll_tells(const struct pending *pending, int *result) {
    struct kernel_socket *socket = pending->socket;
    bool hung_up = socket->to_shard_reset || socket->disconnected || (socket->to_shard_end && socket->to_peer_end);

    if (hung_up && !socket->hangup_told) {
        socket->hangup_told = true;
        *result = POLLHUP | (socket->to_shard_reset ? POLLERR : 0);
        return true;
    }
    if (socket->to_shard_end && !socket->end_told) {
        socket->end_told = true;
        *result = POLLRDHUP;
        return true;
    }
    return false;
}

/* A poll that ends with what it tells. */
static bool poll_finds_bytes(const struct pending *pending, int *result) {
    const struct kernel_socket *socket = pending->socket;
    bool failed = socket->to_shard_reset || socket->disconnected;

    SIMULATOR_EXPECT(pending->sqe.poll32_events == POLLIN, "a poll for %x", pending->sqe.poll32_events);
    *result = POLLIN | (failed ? POLLERR : 0);
    return failed || socket->to_shard_end || socket->to_shard.size > 0;
}

static bool read_event(const struct pending *pending, int *result) {
    struct pollfd event = {.fd = pending->sqe.fd, .events = POLLIN};

    if (poll(&event, 1, 0) != 1) {
        return false;
    }
    *result = (int)read(pending->sqe.fd, pointer_of(pending->sqe.addr), pending->sqe.len);
    return true;
}

static bool attempt(const struct pending *pending, int *result, unsigned *flags) {
    switch (pending->sqe.opcode) {
    case IORING_OP_ACCEPT:
        return accept_one(pending, result);
    case IORING_OP_RECV:
        return receive_some(pending, result, flags);
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
        return send_some(pending, result);
    case IORING_OP_CONNECT:
        return connect_ends(pending, result);
    case IORING_OP_POLL_ADD:
        if ((pending->sqe.len & IORING_POLL_ADD_MULTI) == 0) {
            return poll_finds_bytes(pending, result);
        }
        *flags = IORING_CQE_F_MORE;
        return poll_tells(pending, result);
    case IORING_OP_READ:
        return read_event(pending, result);
    default:
        SIMULATOR_EXPECT(false, "operation %u does not wait", pending->sqe.opcode);
    }
}

static bool complete(struct io_uring *ring, struct pending *pending) {
    int result = 0;
    unsigned flags = 0;

    if (!attempt(pending, &result, &flags)) {
        return false;
    }
    simulator_trace("operation %u on socket %d: %d", pending->sqe.opcode,
                    pending->socket == NULL ? -1 : pending->socket->index, result);
    post(ring, pending->sqe.user_data, result, flags);
    if ((flags & IORING_CQE_F_MORE) == 0) {
        forget(pending);
    }
    return true;
}

/* Receives, then all others. An operation that has completed may be freed, and its entry is NULL then. */
static void complete_in_order(struct io_uring *ring, struct pending *all[], size_t count) {
    for (int receives = 1; receives >= 0; receives--) {
        for (size_t i = 0; i < count; i++) {
            if (all[i] != NULL && (all[i]->sqe.opcode == IORING_OP_RECV) == receives && complete(ring, all[i])) {
                all[i] = NULL;
            }
        }
    }
}

/* In an order that the seed chooses, and not all that could. */
static void complete_some(struct io_uring *ring) {
    static struct pending *order[KERNEL_PENDING_MAX];
    size_t count = kernel.pending_count;

    memcpy(order, kernel.pending, count * sizeof *order);
    if (kernel.orderly) {
        complete_in_order(ring, order, count);
        return;
    }
    for (size_t left = count; left > 0; left--) {
        size_t at = kernel_below((uint32_t)left);
        struct pending *pending = order[at];

        order[at] = order[left - 1];
        if (kernel_chance(700)) {
            complete(ring, pending);
        }
    }
}

static void cancel_one(struct io_uring *ring, struct pending *pending) {
    post(ring, pending->sqe.user_data, -ECANCELED, 0);
    forget(pending);
}

/* Cancels operations. An operation that can complete may do so before the cancellation finds it. */
static int cancel(struct io_uring *ring, const struct io_uring_sqe *sqe) {
    bool by_descriptor = (sqe->cancel_flags & IORING_ASYNC_CANCEL_FD) != 0;
    int found = 0;

    for (size_t i = kernel.pending_count; i-- > 0;) {
        struct pending *pending = kernel.pending[i];
        bool meant =
            by_descriptor ? pending->socket == NULL && pending->sqe.fd == sqe->fd : pending->sqe.user_data == sqe->addr;

        if (!meant) {
            continue;
        }
        found++;
        if (pending->sqe.opcode == IORING_OP_POLL_ADD || !kernel_chance(300) || !complete(ring, pending)) {
            cancel_one(ring, pending);
        }
        if (!by_descriptor) {
            return 0;
        }
    }
    return found > 0 ? found : -ENOENT;
}

static void expect_quiet(const struct kernel_socket *socket) {
    for (size_t i = 0; i < kernel.pending_count; i++) {
        SIMULATOR_EXPECT(kernel.pending[i]->socket != socket, "socket %d is closed with operation %u in flight",
                         socket->index, kernel.pending[i]->sqe.opcode);
    }
}

/* Closing does not cancel: nothing may be in flight then. */
static void close_quiet(struct kernel_socket *socket) {
    expect_quiet(socket);
    socket_close(socket);
}

static void stop_listening(void) {
    kernel.listening = false;
    while (kernel.waiting > 0) {
        struct kernel_socket *socket = kernel.backlog[--kernel.waiting];

        socket->to_peer_reset = true;
        socket->closed = true;
        socket_let_go(socket);
    }
}

static int disconnect(struct kernel_socket *socket) {
    socket->disconnected = true;
    socket->to_peer_reset = true;
    return 0;
}

static struct kernel_socket *socket_of(const struct io_uring_sqe *sqe) {
    return socket_at(sqe->fd, (sqe->flags & IOSQE_FIXED_FILE) != 0);
}

static void execute(struct io_uring *ring, const struct io_uring_sqe *sqe) {
    switch (sqe->opcode) {
    case IORING_OP_ACCEPT:
        SIMULATOR_EXPECT(sqe->fd == KERNEL_LISTENER && kernel.listening, "accept on %d", sqe->fd);
        remember(sqe, NULL);
        return;
    case IORING_OP_READ:
        remember(sqe, NULL);
        return;
    case IORING_OP_CONNECT:
        if (((const struct sockaddr *)pointer_of(sqe->addr))->sa_family == AF_UNSPEC) {
            post(ring, sqe->user_data, disconnect(socket_of(sqe)), 0);
            return;
        }
        memcpy(&socket_of(sqe)->address, pointer_of(sqe->addr), sizeof(struct sockaddr_in));
        socket_of(sqe)->connecting = true;
        remember(sqe, socket_of(sqe));
        return;
    case IORING_OP_RECV:
        if ((sqe->msg_flags & MSG_DONTWAIT) != 0) {
            receive_now(ring, sqe, socket_of(sqe));
            return;
        }
        remember(sqe, socket_of(sqe));
        return;
    case IORING_OP_SEND:
    case IORING_OP_SENDMSG:
    case IORING_OP_POLL_ADD:
        remember(sqe, socket_of(sqe));
        return;
    case IORING_OP_SHUTDOWN:
        socket_of(sqe)->to_peer_end = true;
        post(ring, sqe->user_data, 0, 0);
        return;
    case IORING_OP_ASYNC_CANCEL:
        post(ring, sqe->user_data, cancel(ring, sqe), 0);
        return;
    case IORING_OP_CLOSE:
        if (sqe->file_index == 0 && sqe->fd == KERNEL_LISTENER) {
            stop_listening();
        } else {
            close_quiet(sqe->file_index > 0 ? socket_at((int)sqe->file_index - 1, true) : socket_at(sqe->fd, false));
        }
        post(ring, sqe->user_data, 0, 0);
        return;
    case IORING_OP_URING_CMD:
        post(ring, sqe->user_data, 0, 0);
        return;
    default:
        SIMULATOR_EXPECT(false, "operation %u is not simulated", sqe->opcode);
    }
}

int io_uring_submit(struct io_uring *ring) {
    static const int busy[] = {-EAGAIN, -EBUSY, -EINTR};
    int count = 0;

    if (kernel.faults.busy && kernel_chance(100)) {
        return busy[kernel_below(3)];
    }
    while (ring->sq.sqe_head != ring->sq.sqe_tail) {
        struct io_uring_sqe sqe = ring->sq.sqes[ring->sq.sqe_head & ring->sq.ring_mask];

        ring->sq.sqe_head++;
        kernel.sq_head = kernel.sq_tail = ring->sq.sqe_head;
        execute(ring, &sqe);
        count++;
    }
    return count;
}

/* In the middle of a turn: the world acts, and checks, between two turns. */
int io_uring_get_events(struct io_uring *ring) {
    complete_some(ring);
    return 0;
}

int io_uring_submit_and_get_events(struct io_uring *ring) {
    int result = io_uring_submit(ring);

    kernel.world(kernel.owner);
    complete_some(ring);
    return result;
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned count,
                                     struct __kernel_timespec *timeout, sigset_t *mask) {
    uint32_t most_ms = (uint32_t)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000);

    kernel.may_sleep = true;
    int result = io_uring_submit_and_get_events(ring);
    kernel.may_sleep = false;
    if (result < 0 || kernel.cq_tail != kernel.cq_head) {
        return result;
    }
    kernel_pass_ms(kernel.faults.sleeps && kernel_chance(100) ? most_ms : kernel_below(most_ms < 4 ? most_ms + 1 : 4));
    return -ETIME;
}

int __io_uring_get_cqe(struct io_uring *ring, struct io_uring_cqe **cqe, unsigned submit, unsigned count, sigset_t *mask) {
    return -EAGAIN;
}
