#include "server/admin.h"

#include "base/check.h"
#include "base/clock.h"
#include "http/date.h"
#include "http/forward.h"
#include "http/parser.h"
#include "server/admin_answer.h"

#include <string.h>

struct admin_connection {
    struct admin *admin;
    struct list link; /* among the connections of the admin listener */
    struct stream *stream;
    struct timer timer;
    struct http_parser parser;
    struct http_message request;
    struct http_header headers[HTTP_HEADERS_MAX];
    char head[ADMIN_HEAD_MAX];
    size_t head_size;
    struct admin_answer answer;
    struct bytes body; /* of the answer; static, or in `answer` or `page` of this connection */
    size_t body_sent;
    struct admin_page *page; /* NULL: the body is static, or there is none */
    bool answered;
    bool ending; /* nothing more is written: the stream is finishing or closing */
    bool gone;   /* the stream is closing */
};

static struct admin_connection *connection_of(struct list *link) {
    return CONTAINER_OF(link, struct admin_connection, link);
}

static void let_go_of_page(struct admin_connection *connection) {
    admin_pages_release(&connection->admin->pages, connection->page);
    connection->page = NULL;
    connection->body = bytes_of(NULL, 0);
}

/* Resets the connection in any state. The stream and the connection stay until every operation in flight has completed. */
static void drop(struct admin_connection *connection) {
    if (connection->gone) {
        return;
    }
    connection->gone = connection->ending = true;
    connection->admin->count--;
    timer_clear(&connection->admin->ring->timers, &connection->timer);
    let_go_of_page(connection);
    stream_reset(connection->stream);
}

/* Ends the connection after the last write: the client has the same deadline to take the bytes that are still queued. */
static void finish(struct admin_connection *connection) {
    if (!connection->ending) {
        connection->ending = true;
        let_go_of_page(connection);
        stream_finish(connection->stream);
    }
}

static void on_timer(struct timer *timer) {
    drop(CONTAINER_OF(timer, struct admin_connection, timer));
}

/* Sets the deadline, which nothing that the client does moves. */
static void set_deadline(struct admin_connection *connection, uint32_t delay_ms) {
    struct ring *ring = connection->admin->ring;

    timer_set(&ring->timers, &connection->timer, ring_now_ms(ring), delay_ms);
}

/* Writes as much of the body as the queue takes; on_drained writes the rest. */
static void send_body(struct admin_connection *connection) {
    size_t room = stream_room(connection->stream);
    size_t left = connection->body.size - connection->body_sent;
    size_t size = left < room ? left : room;

    if (size > 0 && stream_write(connection->stream, bytes_of(connection->body.data + connection->body_sent, size)) < 0) {
        drop(connection);
        return;
    }
    connection->body_sent += size;
    if (connection->body_sent == connection->body.size) {
        finish(connection);
    }
}

/* Sends the answer's head, and of its body, which is static or in connection->page, as much as the queue takes. */
static void send_answer(struct admin_connection *connection, const struct admin_answer *answer) {
    char head[1024];
    struct text out = text_over(head, sizeof head);
    char date[HTTP_DATE_SIZE];

    http_date_write(clock_wall_seconds(), date);
    connection->answered = true;
    http_write_reply(&out, &(struct http_reply){.status = answer->status,
                                                .content_type = answer->content_type,
                                                .stamp = {.date = bytes_of(date, sizeof date)},
                                                .fields = answer->fields,
                                                .body = answer->body,
                                                .to_head = true});
    CHECK(!out.overflow);
    connection->body = connection->request.head_request ? bytes_of(NULL, 0) : answer->body;
    if (stream_write(connection->stream, text_bytes(&out)) < 0) {
        drop(connection);
        return;
    }
    set_deadline(connection, ADMIN_ANSWER_TIMEOUT_MS);
    send_body(connection);
}

static void send_status(struct admin_connection *connection, unsigned status) {
    admin_answer_text(&connection->answer, status, http_status_text(status));
    send_answer(connection, &connection->answer);
}

static char *render(struct admin *admin, enum admin_page_kind kind, size_t *size) {
    return kind == ADMIN_PAGE_METRICS ? stats_render_prometheus(admin->stats, size)
                                      : stats_render_json(admin->stats, admin->sampler, size);
}

/* Drops the readers of the oldest page, when there are as many pages as there may be: slow readers keep a page alive. */
static void make_room_for_page(struct admin *admin) {
    struct admin_page *oldest = admin_pages_surplus(&admin->pages);
    if (oldest == NULL) {
        return;
    }
    for (struct list *link = list_first(&admin->all), *next; link != NULL; link = next) {
        next = list_after(&admin->all, link);
        if (connection_of(link)->page == oldest) {
            drop(connection_of(link));
        }
    }
}

static struct admin_page *get_page(struct admin *admin, enum admin_page_kind kind) {
    uint64_t now_ms = ring_now_ms(admin->ring);
    struct admin_page *page = admin_pages_find(&admin->pages, kind, now_ms);
    if (page != NULL) {
        return page;
    }
    make_room_for_page(admin);
    size_t size;
    char *data = render(admin, kind, &size);
    return data == NULL ? NULL : admin_pages_add(&admin->pages, kind, data, size, now_ms);
}

static void answer(struct admin_connection *connection) {
    struct admin *admin = connection->admin;
    const struct admin_view view = {admin->config, admin->stats, atomic_load(&admin->draining)};
    struct admin_answer *answer = &connection->answer;

    admin_answer_choose(&view, &connection->request, connection->head, answer);
    if (answer->is_page) {
        connection->page = get_page(admin, answer->page);
        if (connection->page == NULL) {
            send_status(connection, 500);
            return;
        }
        answer->body = bytes_of(connection->page->data, connection->page->size);
    }
    send_answer(connection, answer);
}

static void on_received(struct stream *stream, struct bytes data) {
    struct admin_connection *connection = stream->owner;
    size_t room = ADMIN_HEAD_MAX - connection->head_size;

    if (data.size == 0) {
        /* A client that has half-closed after its request still gets its answer. */
        if (!connection->answered) {
            drop(connection);
        }
        return;
    }
    if (connection->answered) {
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
            send_status(connection, 431);
        } else {
            stream_receive(stream);
        }
        break;
    default:
        send_status(connection, connection->parser.error_status);
    }
}

static void on_drained(struct stream *stream) {
    struct admin_connection *connection = stream->owner;

    if (connection->answered && !connection->ending) {
        send_body(connection);
    }
}

static void on_failed(struct stream *stream, int error) {
    drop(stream->owner);
}

static void on_closed(struct stream *stream) {
    struct admin_connection *connection = stream->owner;
    struct admin *admin = connection->admin;

    if (!connection->gone) { /* it has ended without being dropped */
        timer_clear(&admin->ring->timers, &connection->timer);
        admin->count--;
    }
    list_remove(&connection->link);
    let_go_of_page(connection);
    slab_give(&admin->connections, connection);
}

static const struct stream_handler handler = {
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
    .closed = on_closed,
};

/* Drops the oldest connections, which have had the most time: a new one may be the check of /readyz, which must not wait. */
static void make_room(struct admin *admin) {
    struct list *oldest = list_last(&admin->all);

    while (admin->count >= ADMIN_CONNECTIONS_MAX && oldest != &admin->all) {
        struct list *next = oldest->previous;

        drop(connection_of(oldest));
        oldest = next;
    }
}

static void accept_connection(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct admin *admin = listener->owner;
    /* The ring accepts no more connections than this slab has objects. */
    struct admin_connection *connection = slab_take(&admin->connections);

    CHECK(connection != NULL);
    make_room(admin);
    connection->admin = admin;
    connection->stream = stream;
    connection->head_size = 0;
    connection->body = bytes_of(NULL, 0);
    connection->body_sent = 0;
    connection->page = NULL;
    connection->answered = connection->ending = connection->gone = false;
    list_prepend(&admin->all, &connection->link);
    admin->count++;
    connection->request.headers = connection->headers;
    connection->request.headers_max = HTTP_HEADERS_MAX;
    http_parser_init_request(&connection->parser, &connection->request, ADMIN_HEAD_MAX);
    timer_init(&connection->timer, on_timer);
    stream->handler = &handler;
    stream->owner = connection;
    if (admin->ending) {
        drop(connection);
        return;
    }
    set_deadline(connection, ADMIN_TIMEOUT_MS);
    stream_receive(stream);
}

void admin_prepare(struct admin *admin, int descriptor, const struct config *config, struct stats *stats,
                   struct sampler *sampler) {
    *admin = (struct admin){.descriptor = descriptor, .config = config, .stats = stats, .sampler = sampler};
    list_init(&admin->all);
}

int admin_open(struct admin *admin, struct ring *ring) {
    int result = slab_create(&admin->connections, sizeof(struct admin_connection), ADMIN_STREAMS_MAX);

    if (result < 0) {
        return result;
    }
    admin->ring = ring;
    listener_start(&admin->listener, ring, admin->descriptor, accept_connection, admin);
    return 0;
}

void admin_close(struct admin *admin) {
    admin->ending = true;
    listener_stop(&admin->listener);
    for (struct list *link = list_first(&admin->all), *next; link != NULL; link = next) {
        next = list_after(&admin->all, link);
        drop(connection_of(link));
    }
}

bool admin_is_closed(const struct admin *admin) {
    return admin->ending && list_is_empty(&admin->all) && listener_is_stopped(&admin->listener);
}

void admin_free(struct admin *admin) {
    slab_destroy(&admin->connections);
}
