/*
 * sallyport-origin: what stands behind the servers under test. It answers GET / with three bytes, GET /bytes/N with N bytes,
 * and any other path with the request head that it received, on keep-alive connections. A POST is answered with three bytes
 * when its body has come, of which it keeps nothing. It is as cheap as can be, since it shares its core with the load.
 */
#include "base/check.h"
#include "ring/listener.h"
#include "ring/ring.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    CONNECTIONS_MAX = 8192,
    HEAD_SIZE_MAX = 16 * 1024,
    PIECE_SIZE = 16 * 1024, /* of a body */
    CHUNKS_EACH = STREAM_QUEUE_MAX / PIECE_SIZE + 1,
};

static const uint8_t piece[PIECE_SIZE];

static const char canned[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

/* A request head that has come in pieces is gathered in `held`. */
struct connection {
    uint64_t body_left;   /* bytes that are still owed; no request is read before they have been written */
    uint64_t upload_left; /* bytes of a request's body that have not come */
    size_t held_size;
    uint8_t held[HEAD_SIZE_MAX];
};

static int write_head(struct stream *stream, uint64_t body_size) {
    char head[128];
    int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %llu\r\n\r\n",
                        (unsigned long long)body_size);

    return stream_write(stream, bytes_of(head, (size_t)size));
}

/* As much of the body as the queue takes. */
static int write_body(struct stream *stream) {
    struct connection *connection = stream->owner;

    while (connection->body_left > 0 && stream_room(stream) >= PIECE_SIZE) {
        size_t size = connection->body_left < PIECE_SIZE ? connection->body_left : PIECE_SIZE;

        if (stream_write(stream, bytes_of(piece, size)) < 0) {
            return -1;
        }
        connection->body_left -= size;
    }
    return 0;
}

/* Returns the Content-Length of a request; 0 when it has none. */
static uint64_t upload_size(struct bytes head) {
    static const char name[] = "content-length:";

    for (size_t at = 0; at + sizeof name - 1 < head.size; at++) {
        if (strncasecmp((const char *)head.data + at, name, sizeof name - 1) == 0) {
            return strtoull((const char *)head.data + at + sizeof name - 1, NULL, 10);
        }
    }
    return 0;
}

static int answer_canned(struct stream *stream) {
    return stream_write(stream, bytes_of(canned, sizeof canned - 1));
}

static int answer(struct stream *stream, struct bytes head) {
    static const char bytes[] = "GET /bytes/";

    if (memcmp(head.data, "GET / ", 6) == 0) {
        return answer_canned(stream);
    }
    if (memcmp(head.data, "POST ", 5) == 0) {
        struct connection *connection = stream->owner;

        connection->upload_left = upload_size(head);
        return connection->upload_left == 0 ? answer_canned(stream) : 0;
    }
    if (memcmp(head.data, bytes, sizeof bytes - 1) == 0) {
        struct connection *connection = stream->owner;

        /* The number ends at a blank, and no head is without one. */
        connection->body_left = strtoull((const char *)head.data + sizeof bytes - 1, NULL, 10);
        return write_head(stream, connection->body_left) < 0 ? -1 : write_body(stream);
    }
    return write_head(stream, head.size) < 0 ? -1 : stream_write(stream, head);
}

/* Drops what has come of a body. Whether that was the end of one. */
static bool take_upload(struct connection *connection, struct bytes *data) {
    size_t size = data->size < connection->upload_left ? data->size : (size_t)connection->upload_left;

    connection->upload_left -= size;
    *data = bytes_of(data->data + size, data->size - size);
    return size > 0 && connection->upload_left == 0;
}

/* Answers all whole heads at the front of `data`; what is left is the beginning of one. -1: the connection is of no use. */
static int answer_all(struct stream *stream, struct bytes *data) {
    struct connection *connection = stream->owner;
    const uint8_t *end;

    if (take_upload(connection, data) && answer_canned(stream) < 0) {
        return -1;
    }
    while (connection->body_left == 0 && connection->upload_left == 0 &&
           (end = memmem(data->data, data->size, "\r\n\r\n", 4)) != NULL) {
        struct bytes head = bytes_of(data->data, (size_t)(end - data->data) + 4);

        /* No request of a benchmark is shorter. */
        if (head.size < 16 || answer(stream, head) < 0) {
            return -1;
        }
        *data = bytes_of(data->data + head.size, data->size - head.size);
        if (take_upload(connection, data) && answer_canned(stream) < 0) {
            return -1;
        }
    }
    return data->size < HEAD_SIZE_MAX ? 0 : -1;
}

/* Answers what is there, and keeps the rest. */
static void take(struct stream *stream, struct bytes data) {
    struct connection *connection = stream->owner;

    if (answer_all(stream, &data) < 0) {
        stream_close(stream);
        return;
    }
    memmove(connection->held, data.data, data.size);
    connection->held_size = data.size;
    if (connection->body_left == 0) {
        stream_receive(stream);
    } else {
        stream_watch(stream);
    }
}

static void received(struct stream *stream, struct bytes data) {
    struct connection *connection = stream->owner;

    if (data.size == 0) {
        stream_close(stream);
        return;
    }
    if (connection->held_size > 0) {
        size_t room = HEAD_SIZE_MAX - connection->held_size;
        size_t size = data.size < room ? data.size : room;

        memcpy(connection->held + connection->held_size, data.data, size);
        data = bytes_of(connection->held, connection->held_size + size);
    }
    take(stream, data);
}

static void drained(struct stream *stream) {
    struct connection *connection = stream->owner;

    if (connection->body_left == 0) {
        return;
    }
    if (write_body(stream) < 0) {
        stream_close(stream);
    } else if (connection->body_left == 0) {
        take(stream, bytes_of(connection->held, connection->held_size));
    }
}

static void failed(struct stream *stream, int error) {
    stream_close(stream);
}

static void closed(struct stream *stream) {
    free(stream->owner);
}

static const struct stream_handler handler = {.received = received, .drained = drained, .failed = failed, .closed = closed};

static void accepted(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct connection *connection = malloc(sizeof *connection);

    CHECK(connection != NULL);
    connection->body_left = 0;
    connection->upload_left = 0;
    connection->held_size = 0;
    stream->handler = &handler;
    stream->owner = connection;
    stream_receive(stream);
}

int main(int argc, char **argv) {
    static struct ring ring;
    static struct listener listener;
    struct ring_options options = {.accepted = CONNECTIONS_MAX,
                                   .streams = CONNECTIONS_MAX + LISTENER_ACCEPTS,
                                   .receive_buffers = 64,
                                   .chunks = CHUNKS_EACH * CONNECTIONS_MAX};

    if (argc != 2 || argv[1][0] == '-') {
        fputs("usage: sallyport-origin ADDRESS:PORT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct error error;
    int descriptor;
    if (ring_create(&ring, &options, &error) < 0 || (descriptor = listener_bind(argv[1], &error)) < 0) {
        fprintf(stderr, "sallyport-origin: %s\n", error.text);
        return EXIT_FAILURE;
    }
    listener_start(&listener, &ring, descriptor, accepted, NULL);
    while (ring_turn(&ring, 1000) == 0) {
    }
    fputs("sallyport-origin: the ring is broken\n", stderr);
    return EXIT_FAILURE;
}
