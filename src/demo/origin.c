#include "demo/origin.h"

#include "base/check.h"
#include "base/clock.h"
#include "http/date.h"
#include "http/forward.h"
#include "http/parser.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_SIZE_MAX = 128 * 1024,
    BODY_ROOM = 16 * 1024, /* always there behind the head, to read a body through */
    ANSWER_SIZE_MAX = 512 * 1024,
    STACK_SIZE = 512 * 1024,
};

struct demo_origin {
    int listener;
    uint16_t port;
    pthread_t acceptor;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    bool stopping;
    unsigned connection_count;
    int sockets[DEMO_ORIGIN_CONNECTIONS_MAX]; /* -1: free */
};

struct connection {
    struct demo_origin *origin;
    unsigned slot;
    int socket;
    size_t filled; /* bytes of `in` */
    uint8_t in[HEAD_SIZE_MAX + BODY_ROOM];
    char content[ANSWER_SIZE_MAX];
    char out[ANSWER_SIZE_MAX + 1024];
};

/* Returns how many bytes were read; 0 at the end of the stream or after too long a silence. */
static size_t receive(int socket, uint8_t *buffer, size_t room) {
    for (;;) {
        ssize_t got = recv(socket, buffer, room, 0);
        if (got > 0) {
            return (size_t)got;
        }
        if (got == 0 || errno != EINTR) {
            return 0;
        }
    }
}

static bool send_all(int socket, struct bytes bytes) {
    while (bytes.size > 0) {
        ssize_t sent = send(socket, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) {
            return false;
        }
        if (sent > 0) {
            bytes = bytes_of(bytes.data + sent, bytes.size - (size_t)sent);
        }
    }
    return true;
}

static bool send_reply(struct connection *connection, unsigned status, const char *type, struct bytes content,
                       bool keep_alive, bool to_head) {
    struct text out = text_over(connection->out, sizeof connection->out);
    char date[HTTP_DATE_SIZE];
    http_date_write(clock_wall_seconds(), date);
    http_write_reply(&out, &(struct http_reply){.status = status,
                                                .content_type = type,
                                                .stamp = {.date = bytes_of(date, sizeof date)},
                                                .body = content,
                                                .keep_alive = keep_alive,
                                                .to_head = to_head});
    return !out.overflow && send_all(connection->socket, text_bytes(&out)) && keep_alive;
}

static bool wants_json(const struct http_message *message, const void *head) {
    return bytes_equal(http_view(head, message->path), bytes_of_string("/json"));
}

static void write_text(struct text *out, const struct http_message *message, const void *head, uint64_t body_size) {
    text_append_string(out, "The origin received this request:\n\n");
    text_append_bytes(out, http_view(head, message->method));
    text_append_char(out, ' ');
    text_append_bytes(out, http_view(head, message->target));
    text_append_format(out, " HTTP/1.%u\n", message->minor);
    for (uint32_t i = 0; i < message->header_count; i++) {
        text_append_bytes(out, http_view(head, message->headers[i].name));
        text_append_string(out, ": ");
        text_append_bytes(out, http_view(head, message->headers[i].value));
        text_append_char(out, '\n');
    }
    text_append_format(out, "\n(%llu bytes of body)\n", (unsigned long long)body_size);
}

/* Writes the request as JSON. Headers are a list, because a name may come more than once. */
static void write_json(struct text *out, const struct http_message *message, const void *head, uint64_t body_size) {
    text_append_string(out, "{\"method\": ");
    text_append_json(out, http_view(head, message->method));
    text_append_string(out, ", \"target\": ");
    text_append_json(out, http_view(head, message->target));
    text_append_format(out, ", \"version\": \"HTTP/1.%u\", \"body_size\": %llu, \"headers\": [", message->minor,
                       (unsigned long long)body_size);
    for (uint32_t i = 0; i < message->header_count; i++) {
        text_append_string(out, i == 0 ? "\n  {\"name\": " : ",\n  {\"name\": ");
        text_append_json(out, http_view(head, message->headers[i].name));
        text_append_string(out, ", \"value\": ");
        text_append_json(out, http_view(head, message->headers[i].value));
        text_append_char(out, '}');
    }
    text_append_string(out, "\n]}\n");
}

static bool answer(struct connection *connection, const struct http_message *message, uint64_t body_size) {
    struct text content = text_over(connection->content, sizeof connection->content);
    bool json = wants_json(message, connection->in);
    if (json) {
        write_json(&content, message, connection->in, body_size);
    } else {
        write_text(&content, message, connection->in, body_size);
    }
    if (content.overflow) {
        return send_reply(connection, 500, "text/plain", bytes_of_string("The request is too large to be shown.\n"), false,
                          message->head_request);
    }
    return send_reply(connection, 200, json ? "application/json" : "text/plain; charset=utf-8", text_bytes(&content),
                      message->keep_alive, message->head_request);
}

/* Reads a body to its end and counts its bytes; the head stays where it is. Bytes behind the body move behind the head. */
static bool skip_body(struct connection *connection, struct http_parser *parser, const struct http_message *message,
                      uint64_t *body_size) {
    uint8_t *behind_head = connection->in + message->head_size;
    struct bytes input = bytes_of(behind_head, connection->filled - message->head_size);
    for (;;) {
        struct bytes piece;
        switch (http_parser_body(parser, &input, &piece)) {
        case HTTP_PARSE_BODY:
            *body_size += piece.size;
            break;
        case HTTP_PARSE_END:
            memmove(behind_head, input.data, input.size);
            connection->filled = message->head_size + input.size;
            return true;
        case HTTP_PARSE_MORE: {
            size_t got = receive(connection->socket, behind_head, sizeof connection->in - message->head_size);
            if (got == 0) {
                return false;
            }
            input = bytes_of(behind_head, got);
            break;
        }
        default:
            send_reply(connection, parser->error_status, "text/plain",
                       bytes_of_string(http_status_text(parser->error_status)), false, false);
            return false;
        }
    }
}

/* Serves one request. False when the connection is to be closed. */
static bool serve_request(struct connection *connection) {
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_message message = {.headers_max = HTTP_HEADERS_MAX, .headers = headers};
    struct http_parser parser;
    http_parser_init_request(&parser, &message, HEAD_SIZE_MAX);
    enum http_result result = HTTP_PARSE_MORE;
    for (;;) {
        if (connection->filled > 0) {
            result = http_parser_head(&parser, bytes_of(connection->in, connection->filled));
        }
        if (result != HTTP_PARSE_MORE) {
            break;
        }
        CHECK(connection->filled < sizeof connection->in);
        size_t got =
            receive(connection->socket, connection->in + connection->filled, sizeof connection->in - connection->filled);
        if (got == 0) {
            return false;
        }
        connection->filled += got;
    }
    if (result != HTTP_PARSE_HEAD) {
        return send_reply(connection, parser.error_status, "text/plain",
                          bytes_of_string(http_status_text(parser.error_status)), false, false);
    }
    uint64_t body_size = 0;
    if (!skip_body(connection, &parser, &message, &body_size) || !answer(connection, &message, body_size)) {
        return false;
    }
    connection->filled -= message.head_size;
    memmove(connection->in, connection->in + message.head_size, connection->filled);
    return true;
}

static void *connection_main(void *argument) {
    struct connection *connection = argument;
    struct demo_origin *origin = connection->origin;
    while (serve_request(connection)) {
    }
    pthread_mutex_lock(&origin->lock);
    close(connection->socket);
    origin->sockets[connection->slot] = -1;
    origin->connection_count--;
    free(connection);
    pthread_cond_broadcast(&origin->changed);
    pthread_mutex_unlock(&origin->lock);
    return NULL;
}

/* Gives the socket to a thread of its own. The lock is held and a slot is free. */
static int start_connection(struct demo_origin *origin, int socket) {
    unsigned slot = 0;
    while (origin->sockets[slot] != -1) {
        slot++;
    }
    CHECK(slot < DEMO_ORIGIN_CONNECTIONS_MAX);
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) {
        return -ENOMEM;
    }
    connection->origin = origin;
    connection->slot = slot;
    connection->socket = socket;
    connection->filled = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_t thread;
    int result = -pthread_create(&thread, &attributes, connection_main, connection);
    pthread_attr_destroy(&attributes);
    if (result != 0) {
        free(connection);
        return result;
    }
    origin->sockets[slot] = socket;
    origin->connection_count++;
    return 0;
}

static void *acceptor_main(void *argument) {
    struct demo_origin *origin = argument;
    for (;;) {
        pthread_mutex_lock(&origin->lock);
        while (!origin->stopping && origin->connection_count == DEMO_ORIGIN_CONNECTIONS_MAX) {
            pthread_cond_wait(&origin->changed, &origin->lock);
        }
        bool stopping = origin->stopping;
        pthread_mutex_unlock(&origin->lock);
        if (stopping) {
            return NULL;
        }
        int socket = accept4(origin->listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0) {
            /* Mostly the connection is gone again. When descriptors are short, one will be closed before long. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                usleep(10000);
            }
            continue;
        }
        struct timeval idle = {.tv_sec = DEMO_ORIGIN_IDLE_S};
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof idle);
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        pthread_mutex_lock(&origin->lock);
        if (origin->stopping || start_connection(origin, socket) != 0) {
            close(socket);
        }
        pthread_mutex_unlock(&origin->lock);
    }
}

static int listen_on_loopback(struct demo_origin *origin) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    origin->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (origin->listener < 0) {
        return -errno;
    }
    if (bind(origin->listener, (struct sockaddr *)&address, size) != 0 || listen(origin->listener, 1024) != 0 ||
        getsockname(origin->listener, (struct sockaddr *)&address, &size) != 0) {
        int code = errno;
        close(origin->listener);
        return -code;
    }
    origin->port = ntohs(address.sin_port);
    return 0;
}

struct demo_origin *demo_origin_start(struct error *error) {
    struct demo_origin *origin = calloc(1, sizeof *origin);
    if (origin == NULL) {
        error_set(error, "the demo's origin cannot start: out of memory");
        return NULL;
    }
    for (unsigned i = 0; i < DEMO_ORIGIN_CONNECTIONS_MAX; i++) {
        origin->sockets[i] = -1;
    }
    pthread_mutex_init(&origin->lock, NULL);
    pthread_cond_init(&origin->changed, NULL);
    int result = listen_on_loopback(origin);
    if (result == 0) {
        result = -pthread_create(&origin->acceptor, NULL, acceptor_main, origin);
        if (result == 0) {
            return origin;
        }
        close(origin->listener);
    }
    error_set(error, "the demo's origin cannot start on 127.0.0.1: %s", strerror(-result));
    pthread_cond_destroy(&origin->changed);
    pthread_mutex_destroy(&origin->lock);
    free(origin);
    return NULL;
}

uint16_t demo_origin_port(const struct demo_origin *origin) {
    return origin->port;
}

void demo_origin_stop(struct demo_origin *origin) {
    if (origin == NULL) {
        return;
    }
    pthread_mutex_lock(&origin->lock);
    origin->stopping = true;
    pthread_cond_broadcast(&origin->changed);
    shutdown(origin->listener, SHUT_RDWR); /* wakes accept */
    for (unsigned i = 0; i < DEMO_ORIGIN_CONNECTIONS_MAX; i++) {
        if (origin->sockets[i] != -1) {
            shutdown(origin->sockets[i], SHUT_RDWR);
        }
    }
    while (origin->connection_count > 0) {
        pthread_cond_wait(&origin->changed, &origin->lock);
    }
    pthread_mutex_unlock(&origin->lock);
    pthread_join(origin->acceptor, NULL);
    close(origin->listener);
    pthread_cond_destroy(&origin->changed);
    pthread_mutex_destroy(&origin->lock);
    free(origin);
}
