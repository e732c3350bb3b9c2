#include "kernel_state.h"

#include <stdlib.h>
#include <string.h>

enum {
    REGULAR = 1 << 25, /* file descriptors of connections to origins begin here; direct ones at 0 */
    RECEIVE_WINDOW = 64 * 1024,
};

void pipe_put(struct pipe *pipe, const void *data, size_t size) {
    if (pipe->size + size > pipe->capacity) {
        pipe->capacity = 2 * (pipe->size + size);
        pipe->data = realloc(pipe->data, pipe->capacity);
    }
    if (size > 0) {
        memcpy(pipe->data + pipe->size, data, size);
    }
    pipe->size += size;
}

size_t pipe_take(struct pipe *pipe, void *data, size_t capacity) {
    size_t size = pipe->size < capacity ? pipe->size : capacity;

    if (size > 0) {
        memcpy(data, pipe->data, size);
        pipe->size -= size;
        memmove(pipe->data, pipe->data + size, pipe->size);
    }
    return size;
}

struct kernel_socket *socket_create(bool direct) {
    struct kernel_socket *socket = calloc(1, sizeof *socket);

    for (int i = 0; i < KERNEL_SOCKETS_MAX; i++) {
        if (kernel.sockets[i] == NULL) {
            socket->index = i;
            socket->direct = direct;
            kernel.sockets[i] = socket;
            return socket;
        }
    }
    SIMULATOR_EXPECT(false, "more than %d sockets", KERNEL_SOCKETS_MAX);
}

void socket_let_go(struct kernel_socket *socket) {
    if (socket->closed && socket->released) {
        kernel.sockets[socket->index] = NULL;
        free(socket->to_shard.data);
        free(socket->to_peer.data);
        free(socket);
    }
}

struct kernel_socket *socket_at(int descriptor, bool direct) {
    int index = direct ? descriptor : descriptor - REGULAR;

    SIMULATOR_EXPECT(index >= 0 && index < KERNEL_SOCKETS_MAX && kernel.sockets[index] != NULL &&
                         kernel.sockets[index]->direct == direct && !kernel.sockets[index]->closed,
                     "descriptor %d (%s) is not open", descriptor, direct ? "direct" : "regular");
    return kernel.sockets[index];
}

bool socket_is_simulated(int descriptor) {
    return descriptor >= REGULAR && descriptor < REGULAR + KERNEL_SOCKETS_MAX;
}

struct kernel_socket *kernel_connect(const struct sockaddr_in *from) {
    if (!kernel.listening || kernel.waiting == KERNEL_BACKLOG) {
        return NULL;
    }
    struct kernel_socket *socket = socket_create(true);
    socket->address = *from;
    kernel.backlog[kernel.waiting++] = socket;
    return socket;
}

struct kernel_socket *kernel_next_connect(void) {
    for (size_t i = 0; i < KERNEL_SOCKETS_MAX; i++) {
        struct kernel_socket *socket = kernel.sockets[i];

        if (socket != NULL && socket->connecting && !socket->offered) {
            socket->offered = true;
            return socket;
        }
    }
    return NULL;
}

const struct sockaddr_in *kernel_connects_to(const struct kernel_socket *socket) {
    return &socket->address;
}

void kernel_accept(struct kernel_socket *socket) {
    socket->connecting = false;
}

void kernel_refuse(struct kernel_socket *socket) {
    socket->refused = true;
    socket->connecting = false;
    socket->released = true;
    socket_let_go(socket);
}

size_t kernel_peer_send(struct kernel_socket *socket, const void *data, size_t size) {
    size_t room = RECEIVE_WINDOW - socket->to_shard.size;

    if (socket->closed) {
        socket->to_peer_reset = true;
    }
    if (socket->closed || socket->disconnected) {
        return 0;
    }
    size = size < room ? size : room;
    pipe_put(&socket->to_shard, data, size);
    return size;
}

size_t kernel_peer_receive(struct kernel_socket *socket, void *data, size_t capacity) {
    if (capacity > 1 && kernel_chance(200)) {
        capacity = 1 + kernel_below((uint32_t)capacity);
    }
    return pipe_take(&socket->to_peer, data, capacity);
}

size_t kernel_peer_readable(const struct kernel_socket *socket) {
    return socket->to_peer.size;
}

bool kernel_peer_at_end(const struct kernel_socket *socket) {
    return socket->to_peer_end && socket->to_peer.size == 0;
}

bool kernel_peer_is_reset(const struct kernel_socket *socket) {
    return socket->to_peer_reset;
}

bool kernel_peer_is_closed(const struct kernel_socket *socket) {
    return socket->closed;
}

void kernel_peer_finish(struct kernel_socket *socket) {
    socket->to_shard_end = true;
}

void kernel_peer_reset(struct kernel_socket *socket) {
    socket->to_shard_reset = true;
    socket->released = true;
    socket_let_go(socket);
}

void kernel_peer_close(struct kernel_socket *socket) {
    if (socket->to_peer.size > 0) {
        kernel_peer_reset(socket);
        return;
    }
    socket->to_shard_end = true;
    socket->released = true;
    socket_let_go(socket);
}
void socket_close(struct kernel_socket *socket) {
    simulator_trace("socket %d is closed", socket->index);
    if (socket->to_shard.size > 0) {
        socket->to_peer_reset = true;
    }
    socket->to_peer_end = true;
    socket->closed = true;
    if (socket->connecting && !socket->offered) {
        socket->released = true; /* nobody has heard of it */
    }
    socket->connecting = false;
    socket_let_go(socket);
}

int socket_descriptor(const struct kernel_socket *socket) {
    return socket->direct ? socket->index : REGULAR + socket->index;
}
