#include "ring/send_queue.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNKS_IN_ONE_SEND = 8 };

/* The message header of a send over several chunks is in its first chunk, which stays as long as the send does. */
struct send_chunk {
    struct send_chunk *next;
    uint32_t size; /* bytes written to data */
    uint32_t sent; /* bytes of them taken by the kernel */
    struct msghdr message;
    struct iovec vectors[CHUNKS_IN_ONE_SEND];
    uint8_t data[];
};

enum { CHUNK_CAPACITY = RING_CHUNK_SIZE - sizeof(struct send_chunk) };

static struct send_chunk *append_chunk(struct send_queue *queue, struct slab *chunks) {
    struct send_chunk *chunk = slab_take(chunks);

    if (chunk == NULL) {
        return NULL;
    }
    chunk->next = NULL;
    chunk->size = 0;
    chunk->sent = 0;
    if (queue->last == NULL) {
        queue->first = chunk;
    } else {
        queue->last->next = chunk;
    }
    queue->last = chunk;
    return chunk;
}

int send_queue_append(struct send_queue *queue, struct slab *chunks, struct bytes data) {
    while (data.size > 0) {
        struct send_chunk *chunk = queue->last;

        if (chunk == NULL || chunk->size == CHUNK_CAPACITY) {
            chunk = append_chunk(queue, chunks);
            if (chunk == NULL) {
                return -ENOBUFS;
            }
        }
        size_t room = CHUNK_CAPACITY - chunk->size;
        room = room < data.size ? room : data.size;
        memcpy(chunk->data + chunk->size, data.data, room);
        chunk->size += (uint32_t)room;
        queue->size += (uint32_t)room;
        data = bytes_of(data.data + room, data.size - room);
    }
    return 0;
}

uint32_t send_queue_prepare(const struct send_queue *queue, struct io_uring_sqe *sqe, int descriptor) {
    struct send_chunk *first = queue->first;
    uint32_t size = 0;
    unsigned count = 0;

    CHECK(first != NULL);
    for (struct send_chunk *chunk = first; chunk != NULL && count < CHUNKS_IN_ONE_SEND; chunk = chunk->next) {
        first->vectors[count].iov_base = chunk->data + chunk->sent;
        first->vectors[count].iov_len = chunk->size - chunk->sent;
        size += chunk->size - chunk->sent;
        count++;
    }
    if (count == 1) {
        io_uring_prep_send(sqe, descriptor, first->vectors[0].iov_base, first->vectors[0].iov_len, MSG_NOSIGNAL);
    } else {
        first->message = (struct msghdr){.msg_iov = first->vectors, .msg_iovlen = count};
        io_uring_prep_sendmsg(sqe, descriptor, &first->message, MSG_NOSIGNAL);
    }
    return size;
}

static void drop_first(struct send_queue *queue, struct slab *chunks) {
    struct send_chunk *chunk = queue->first;

    queue->first = chunk->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    slab_give(chunks, chunk);
}

void send_queue_consume(struct send_queue *queue, struct slab *chunks, uint32_t size) {
    queue->size -= size;
    while (size > 0) {
        struct send_chunk *chunk = queue->first;

        CHECK(chunk != NULL); /* the kernel takes no more than it was given */
        uint32_t left = chunk->size - chunk->sent;
        if (size < left) {
            chunk->sent += size;
            return;
        }
        size -= left;
        drop_first(queue, chunks);
    }
}

void send_queue_drop(struct send_queue *queue, struct slab *chunks) {
    while (queue->first != NULL) {
        drop_first(queue, chunks);
    }
    queue->size = 0;
}
