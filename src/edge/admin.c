#include "edge/admin.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/authority.h"
#include "http/date.h"
#include "http/forward.h"
#include "http/parser.h"
#include "stats/dashboard.h"
#include "stats/hosts.h"

#include <arpa/inet.h>
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
    struct bytes body; /* of the answer; static, or in `page` */
    size_t body_sent;
    struct admin_page *page; /* NULL: the body is static, or there is none */
    bool answered;
    bool ending; /* nothing more is written: the stream is finishing, or closing */
    bool gone;   /* the stream is closing */
};

static void let_go_of_page(struct admin_connection *connection) {
    admin_pages_release(&connection->admin->pages, connection->page);
    connection->page = NULL;
    connection->body = bytes_of(NULL, 0);
}

/* Resets the connection at any point. The stream and the connection stay until every operation in flight has come back. */
static void drop(struct admin_connection *connection) {
    if (connection->gone) {
        return;
    }
    connection->gone = connection->ending = true;
    connection->admin->count--;
    timer_clear(&connection->admin->ring.timers, &connection->timer);
    let_go_of_page(connection);
    stream_reset(connection->stream);
}

/* All is written; what is queued is still to be taken, before the same deadline. */
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

/* Nothing that the client does moves a deadline. */
static void set_deadline(struct admin_connection *connection, uint32_t delay_ms) {
    struct ring *ring = &connection->admin->ring;

    timer_set(&ring->timers, &connection->timer, ring_now_ms(ring), delay_ms);
}

/* As much of the body as the queue takes; the rest when it has drained. */
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

/* `body` is static, or in connection->page. `fields`: header lines of its own. */
static void reply_with(struct admin_connection *connection, unsigned status, const char *content_type, const char *fields,
                       struct bytes body) {
    char head[1024];
    struct text out = text_over(head, sizeof head);
    char date[HTTP_DATE_SIZE];

    http_date_write(clock_wall_seconds(), date);
    connection->answered = true;
    http_write_reply(&out, &(struct http_reply){.status = status,
                                                .content_type = content_type,
                                                .stamp = {.date = bytes_of(date, sizeof date)},
                                                .fields = fields,
                                                .body = body,
                                                .to_head = true});
    CHECK(!out.overflow);
    connection->body = connection->request.head_request ? bytes_of(NULL, 0) : body;
    if (stream_write(connection->stream, text_bytes(&out)) < 0) {
        drop(connection);
        return;
    }
    set_deadline(connection, ADMIN_ANSWER_TIMEOUT_MS);
    send_body(connection);
}

static void reply_text(struct admin_connection *connection, unsigned status, const char *text) {
    reply_with(connection, status, "text/plain; charset=utf-8", "", bytes_of_string(text));
}

static void reply_status(struct admin_connection *connection, unsigned status) {
    reply_text(connection, status, http_status_text(status));
}

static char *render(struct admin *admin, enum admin_page_kind kind, size_t *size) {
    return kind == ADMIN_PAGE_METRICS ? stats_render_prometheus(admin->stats, size)
                                      : stats_render_json(admin->stats, &admin->sampler, size);
}

/* Slow readers keep a page alive: those of the oldest go when another one needs its place. */
static void make_room_for_page(struct admin *admin) {
    struct admin_page *oldest = admin_pages_surplus(&admin->pages);
    if (oldest == NULL) {
        return;
    }
    for (struct admin_connection *connection = admin->first; connection != NULL;) {
        struct admin_connection *next = connection->next;
        if (connection->page == oldest) {
            drop(connection);
        }
        connection = next;
    }
}

static struct admin_page *get_page(struct admin *admin, enum admin_page_kind kind) {
    uint64_t now_ms = ring_now_ms(&admin->ring);
    struct admin_page *page = admin_pages_find(&admin->pages, kind, now_ms);
    if (page != NULL) {
        return page;
    }
    make_room_for_page(admin);
    size_t size;
    char *data = render(admin, kind, &size);
    return data == NULL ? NULL : admin_pages_add(&admin->pages, kind, data, size, now_ms);
}

static void reply_page(struct admin_connection *connection, enum admin_page_kind kind, const char *content_type) {
    connection->page = get_page(connection->admin, kind);
    if (connection->page == NULL) {
        reply_status(connection, 500);
        return;
    }
    reply_with(connection, 200, content_type, "", bytes_of(connection->page->data, connection->page->size));
}

static void reply_dashboard(struct admin_connection *connection) {
    char fields[512];

    CHECK(snprintf(fields, sizeof fields,
                   "Content-Security-Policy: %s\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n",
                   dashboard_policy()) < (int)sizeof fields);
    reply_with(connection, 200, "text/html; charset=utf-8", fields, dashboard_page());
}

/* Whether a host that is served has that very name; a wildcard is not enough, since others may have names below it. */
static bool is_served(struct stats *stats, const char *name) {
    struct stats_hosts *hosts = stats_take_hosts(stats);
    bool served = false;

    for (size_t i = 0; hosts != NULL && i < stats_hosts_count(hosts) && !served; i++) {
        served = strcmp(name, stats_hosts_facts(hosts, i)->host) == 0;
    }
    stats_hosts_release(hosts);
    return served;
}

/*
 * A page of a stranger's site can have its visitor's browser ask here, under a name of that site which its DNS leads here
 * (DNS rebinding): the browser takes the answer for that site's own and lets the page read it. No address and none of the
 * operator's names can be had for that. HTTP/1.0 without Host is no browser.
 */
static bool is_own_name(const struct admin *admin, struct bytes authority) {
    char name[HTTP_NAME_SIZE];
    struct in_addr address;
    if (authority.size == 0 || authority.data[0] == '[') {
        return true; /* the parser has seen that an IPv6 address is in the brackets */
    }
    if (!http_authority_name(authority, name)) {
        return false;
    }
    bool own = strcmp(name, "localhost") == 0 || inet_pton(AF_INET, name, &address) == 1;
    for (size_t i = 0; i < admin->config->admin_name_count && !own; i++) {
        own = strcmp(name, admin->config->admin_names[i]) == 0;
    }
    return own || is_served(admin->stats, name);
}

static void answer(struct admin_connection *connection) {
    struct bytes method = http_view(connection->head, connection->request.method);
    struct bytes path = http_view(connection->head, connection->request.path);
    const uint8_t *query = memchr(path.data, '?', path.size);

    if (query != NULL) {
        path.size = (size_t)(query - path.data);
    }
    if (!is_own_name(connection->admin, http_view(connection->head, connection->request.authority))) {
        reply_text(connection, 421,
                   "421 Misdirected Request: Host is no IP address, not localhost, no host that is served and not in "
                   "admin.names\n");
    } else if (!bytes_equal(method, bytes_of_string("GET")) && !bytes_equal(method, bytes_of_string("HEAD"))) {
        reply_with(connection, 405, "text/plain; charset=utf-8", "Allow: GET, HEAD\r\n",
                   bytes_of_string(http_status_text(405)));
    } else if (bytes_equal(path, bytes_of_string("/healthz"))) {
        reply_text(connection, 200, "ok\n");
    } else if (bytes_equal(path, bytes_of_string("/readyz"))) {
        bool ready = atomic_load(&connection->admin->ready);

        reply_text(connection, ready ? 200 : 503, ready ? "ready\n" : "draining\n");
    } else if (bytes_equal(path, bytes_of_string("/metrics"))) {
        reply_page(connection, ADMIN_PAGE_METRICS, "text/plain; version=0.0.4; charset=utf-8");
    } else if (bytes_equal(path, bytes_of_string("/stats.json"))) {
        reply_page(connection, ADMIN_PAGE_STATS, "application/json");
    } else if (bytes_equal(path, bytes_of_string("/"))) {
        reply_dashboard(connection);
    } else {
        reply_status(connection, 404);
    }
}

static void on_received(struct stream *stream, struct bytes data) {
    struct admin_connection *connection = stream->owner;
    size_t room = ADMIN_HEAD_MAX - connection->head_size;

    if (data.size == 0) {
        /* Half-closed after its request: it still gets its answer. */
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
            reply_status(connection, 431);
        } else {
            stream_receive(stream);
        }
        break;
    default:
        reply_status(connection, connection->parser.error_status);
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

    if (!connection->gone) { /* it has ended well */
        timer_clear(&admin->ring.timers, &connection->timer);
        admin->count--;
    }
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        admin->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    } else {
        admin->last = connection->previous;
    }
    let_go_of_page(connection);
    slab_give(&admin->connections, connection);
}

static const struct stream_handler handler = {
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
    .closed = on_closed,
};

/* Drops the oldest connections, which have had the most time: a newcomer may be the check of /readyz, and must not wait. */
static void make_room(struct admin *admin) {
    struct admin_connection *oldest = admin->last;

    while (admin->count >= ADMIN_CONNECTIONS_MAX && oldest != NULL) {
        struct admin_connection *next = oldest->previous;
        drop(oldest);
        oldest = next;
    }
}

static void accept_connection(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct admin *admin = listener->owner;
    /* The ring has no more streams than this slab has objects. */
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
    connection->previous = NULL;
    connection->next = admin->first;
    if (admin->first != NULL) {
        admin->first->previous = connection;
    } else {
        admin->last = connection;
    }
    admin->first = connection;
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
    int result = slab_create(&admin->connections, sizeof(struct admin_connection), ADMIN_STREAMS_MAX);

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
        .accepted = ADMIN_STREAMS_MAX,
        .streams = ADMIN_STREAMS_MAX,
        .receive_buffers = 16,
        .chunks = ADMIN_STREAMS_MAX * 5,
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
    const int send_buffer = ADMIN_SEND_BUFFER;

    if (result < 0) {
        snprintf(admin->error, sizeof admin->error, "admin listener: %s", strerror(-result));
        close(admin->descriptor);
        return -1;
    }
    config_retain(admin->config);
    /* Accepted sockets inherit it. Else the kernel would take megabytes for each slow reader, and keep them beyond our end.
     */
    setsockopt(admin->descriptor, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
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
    config_release(admin->config);
    close(admin->descriptor);
    return -1;
}

static void deliver_end(struct mail *mail, void *owner) {
    struct admin *admin = owner;

    admin->ending = true;
    listener_stop(&admin->listener);
    for (struct admin_connection *connection = admin->first; connection != NULL;) {
        struct admin_connection *next = connection->next;

        drop(connection);
        connection = next;
    }
}

void admin_stop(struct admin *admin) {
    struct mail mail = {.deliver = deliver_end};

    mailbox_post(&admin->mailbox, &mail);
    pthread_join(admin->thread, NULL);
    sem_destroy(&admin->started);
    mailbox_destroy(&admin->mailbox);
    config_release(admin->config);
}
