#include "edge/admin.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/forward.h"
#include "http/message.h"
#include "stats/dashboard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct admin_connection {
    struct admin *admin;
    struct admin_connection *next;
    struct admin_connection *previous;
    struct stream *stream;
    struct timer timer;
    struct http_parser parser;
    struct http_message request;
    struct http_header headers[HTTP_HEADERS_MAX];
    char head[ADMIN_HEAD_MAX];
    size_t head_size;
    char *body; /* what is still to be sent of an answer that does not fit the queue */
    size_t body_size;
    size_t body_sent;
    bool ending;
};

static void end(struct admin_connection *connection, bool politely) {
    if (connection->ending) {
        return;
    }
    connection->ending = true;
    timer_clear(&connection->admin->ring.timers, &connection->timer);
    if (politely) {
        stream_finish(connection->stream);
    } else {
        stream_close(connection->stream);
    }
}

static void on_timer(struct timer *timer) {
    end(CONTAINER_OF(timer, struct admin_connection, timer), false);
}

static void set_deadline(struct admin_connection *connection) {
    struct ring *ring = &connection->admin->ring;

    timer_set(&ring->timers, &connection->timer, ring_now_ms(ring), ADMIN_TIMEOUT_MS);
}

/* As much of the body as the queue takes; the rest when it has drained. */
static void send_body(struct admin_connection *connection) {
    size_t room = stream_room(connection->stream);
    size_t left = connection->body_size - connection->body_sent;
    size_t size = left < room ? left : room;

    if (size > 0 && stream_write(connection->stream, bytes_of(connection->body + connection->body_sent, size)) < 0) {
        end(connection, false);
        return;
    }
    connection->body_sent += size;
    if (connection->body_sent == connection->body_size) {
        end(connection, true);
    }
}

/* Takes `body`, which was malloc'd; NULL: the text that goes with the status. `fields`: header lines of its own. */
static void reply_with(struct admin_connection *connection, unsigned status, const char *content_type, const char *fields,
                       char *body, size_t size) {
    char head[1024];
    struct text out = text_over(head, sizeof head);
    const char *text = http_status_text(status);
    bool to_head = connection->request.head_request;

    if (body == NULL) {
        body = strdup(text);
        size = strlen(text);
    }
    if (body == NULL) {
        end(connection, false);
        return;
    }
    connection->body = body;
    connection->body_size = size;
    http_write_reply(&out, status, content_type, fields, bytes_of(body, size), false, true);
    CHECK(!out.overflow);
    if (to_head) {
        connection->body_size = 0;
    }
    if (stream_write(connection->stream, text_bytes(&out)) < 0) {
        end(connection, false);
        return;
    }
    set_deadline(connection);
    send_body(connection);
}

static void reply(struct admin_connection *connection, unsigned status, const char *content_type, char *body, size_t size) {
    reply_with(connection, status, content_type, "", body, size);
}

static void reply_text(struct admin_connection *connection, unsigned status, const char *text) {
    char *body = strdup(text);

    if (body == NULL) {
        end(connection, false);
        return;
    }
    reply(connection, status, "text/plain; charset=utf-8", body, strlen(text));
}

static void reply_metrics(struct admin_connection *connection) {
    size_t size;
    char *page = stats_render_prometheus(connection->admin->stats, &size);

    if (page == NULL) {
        reply(connection, 500, "text/plain; charset=utf-8", NULL, 0);
        return;
    }
    reply(connection, 200, "text/plain; version=0.0.4; charset=utf-8", page, size);
}

static void reply_stats(struct admin_connection *connection) {
    size_t size;
    char *document = stats_render_json(connection->admin->stats, &connection->admin->sampler, &size);

    if (document == NULL) {
        reply(connection, 500, "text/plain; charset=utf-8", NULL, 0);
        return;
    }
    reply(connection, 200, "application/json", document, size);
}

static void reply_dashboard(struct admin_connection *connection) {
    struct bytes page = dashboard_page();
    char fields[512];
    char *body = malloc(page.size);

    if (body == NULL) {
        reply(connection, 500, "text/plain; charset=utf-8", NULL, 0);
        return;
    }
    memcpy(body, page.data, page.size);
    CHECK(snprintf(fields, sizeof fields,
                   "Content-Security-Policy: %s\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n",
                   dashboard_policy()) < (int)sizeof fields);
    reply_with(connection, 200, "text/html; charset=utf-8", fields, body, page.size);
}

static void answer(struct admin_connection *connection) {
    struct bytes method = http_view(connection->head, connection->request.method);
    struct bytes path = http_view(connection->head, connection->request.path);
    const uint8_t *query = memchr(path.data, '?', path.size);

    if (query != NULL) {
        path.size = (size_t)(query - path.data);
    }
    if (!bytes_equal(method, bytes_of_string("GET")) && !bytes_equal(method, bytes_of_string("HEAD"))) {
        reply(connection, 405, "text/plain; charset=utf-8", NULL, 0);
    } else if (bytes_equal(path, bytes_of_string("/healthz"))) {
        reply_text(connection, 200, "ok\n");
    } else if (bytes_equal(path, bytes_of_string("/readyz"))) {
        bool ready = atomic_load(&connection->admin->ready);

        reply_text(connection, ready ? 200 : 503, ready ? "ready\n" : "draining\n");
    } else if (bytes_equal(path, bytes_of_string("/metrics"))) {
        reply_metrics(connection);
    } else if (bytes_equal(path, bytes_of_string("/stats.json"))) {
        reply_stats(connection);
    } else if (bytes_equal(path, bytes_of_string("/"))) {
        reply_dashboard(connection);
    } else {
        reply(connection, 404, "text/plain; charset=utf-8", NULL, 0);
    }
}

static void on_received(struct stream *stream, struct bytes data) {
    struct admin_connection *connection = stream->owner;
    size_t room = ADMIN_HEAD_MAX - connection->head_size;

    if (data.size == 0) {
        /* Half-closed after its request: it still gets its answer. */
        if (connection->body == NULL) {
            end(connection, false);
        }
        return;
    }
    if (connection->body != NULL) {
        return;
    }
    data.size = data.size < room ? data.size : room;
    memcpy(connection->head + connection->head_size, data.data, data.size);
    connection->head_size += data.size;
    switch (http_parser_head(&connection->parser, bytes_of(connection->head, connection->head_size))) {
    case HTTP_PARSE_HEAD:
        answer(connection);
        break;
    case HTTP_PARSE_MORE:
        if (connection->head_size == ADMIN_HEAD_MAX) {
            reply(connection, 431, "text/plain; charset=utf-8", NULL, 0);
        } else {
            stream_receive(stream);
        }
        break;
    default:
        connection->request.head_request = false;
        reply(connection, connection->parser.error_status, "text/plain; charset=utf-8", NULL, 0);
    }
}

static void on_drained(struct stream *stream) {
    struct admin_connection *connection = stream->owner;

    if (connection->body != NULL && !connection->ending) {
        set_deadline(connection);
        send_body(connection);
    }
}

static void on_failed(struct stream *stream, int error) {
    end(stream->owner, false);
}

static void on_closed(struct stream *stream) {
    struct admin_connection *connection = stream->owner;
    struct admin *admin = connection->admin;

    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        admin->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    free(connection->body);
    slab_give(&admin->connections, connection);
}

static const struct stream_handler handler = {
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
    .closed = on_closed,
};

static void accept_connection(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct admin *admin = listener->owner;
    /* The ring has no more streams than this slab has objects. */
    struct admin_connection *connection = slab_take(&admin->connections);

    CHECK(connection != NULL);
    connection->admin = admin;
    connection->stream = stream;
    connection->head_size = 0;
    connection->body = NULL;
    connection->body_size = 0;
    connection->body_sent = 0;
    connection->ending = false;
    connection->previous = NULL;
    connection->next = admin->first;
    if (admin->first != NULL) {
        admin->first->previous = connection;
    }
    admin->first = connection;
    connection->request.headers = connection->headers;
    connection->request.headers_max = HTTP_HEADERS_MAX;
    http_parser_init_request(&connection->parser, &connection->request, ADMIN_HEAD_MAX);
    timer_init(&connection->timer, on_timer);
    stream->handler = &handler;
    stream->owner = connection;
    if (admin->ending) {
        end(connection, false);
        return;
    }
    set_deadline(connection);
    stream_receive(stream);
}

static bool is_over(struct admin *admin) {
    if (!admin->ending || admin->first != NULL) {
        return false;
    }
    if (!admin->detached) {
        admin->detached = true;
        mailbox_detach(&admin->mailbox);
    }
    return admin->ring.in_flight == 0;
}

static int make_memory(struct admin *admin) {
    int result = slab_create(&admin->connections, sizeof(struct admin_connection), ADMIN_CONNECTIONS_MAX);

    if (result < 0) {
        return result;
    }
    result = sampler_create(&admin->sampler, admin->stats, ring_now_ms(&admin->ring), clock_wall_seconds());
    if (result < 0) {
        sampler_destroy(&admin->sampler);
        slab_destroy(&admin->connections);
    }
    return result;
}

static void *run(void *argument) {
    struct admin *admin = argument;
    struct ring_options options = {
        .accepted = ADMIN_CONNECTIONS_MAX,
        .streams = ADMIN_CONNECTIONS_MAX,
        .receive_buffers = 16,
        .chunks = ADMIN_CONNECTIONS_MAX * 5,
    };
    int result = ring_create(&admin->ring, &options, admin->error);

    if (result == 0 && make_memory(admin) < 0) {
        snprintf(admin->error, sizeof admin->error, "not enough memory");
        ring_destroy(&admin->ring);
        result = -ENOMEM;
    }
    if (result < 0) {
        sem_post(&admin->started);
        return NULL;
    }
    mailbox_attach(&admin->mailbox, &admin->ring, admin);
    listener_start(&admin->listener, &admin->ring, admin->descriptor, accept_connection, admin);
    admin->error[0] = '\0';
    sem_post(&admin->started);
    while (!is_over(admin)) {
        uint64_t now_ms = ring_now_ms(&admin->ring);

        sampler_tick(&admin->sampler, now_ms, clock_wall_seconds());
        result = ring_turn(&admin->ring, sampler_wait_ms(&admin->sampler, now_ms));
        if (result < 0) {
            log_error("admin listener: io_uring failed: %s", strerror(-result));
            abort();
        }
    }
    sampler_destroy(&admin->sampler);
    slab_destroy(&admin->connections);
    ring_destroy(&admin->ring);
    return NULL;
}

int admin_start(struct admin *admin) {
    int result = mailbox_create(&admin->mailbox);

    if (result < 0) {
        snprintf(admin->error, sizeof admin->error, "admin listener: %s", strerror(-result));
        close(admin->descriptor);
        return -1;
    }
    sem_init(&admin->started, 0, 0);
    result = -pthread_create(&admin->thread, NULL, run, admin);
    if (result < 0) {
        snprintf(admin->error, sizeof admin->error, "admin listener: %s", strerror(-result));
    } else {
        pthread_setname_np(admin->thread, "admin");
        sem_wait(&admin->started);
        if (admin->error[0] == '\0') {
            return 0;
        }
        pthread_join(admin->thread, NULL);
    }
    sem_destroy(&admin->started);
    mailbox_destroy(&admin->mailbox);
    close(admin->descriptor);
    return -1;
}

static void deliver_end(struct mail *mail, void *owner) {
    struct admin *admin = owner;

    admin->ending = true;
    listener_stop(&admin->listener);
    for (struct admin_connection *connection = admin->first; connection != NULL;) {
        struct admin_connection *next = connection->next;

        end(connection, false);
        stream_close(connection->stream);
        connection = next;
    }
}

void admin_stop(struct admin *admin) {
    struct mail mail = {.deliver = deliver_end};

    mailbox_post(&admin->mailbox, &mail);
    pthread_join(admin->thread, NULL);
    sem_destroy(&admin->started);
    mailbox_destroy(&admin->mailbox);
}
