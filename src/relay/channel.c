#include "relay/channel.h"

#include <errno.h>

static const struct link_handler channel_link_handler;

static struct relay_channel *of_link(struct relay_link *link) {
    return CONTAINER_OF(link, struct relay_channel, link);
}

static struct relay_channel *of_origin_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_channel, in_origin);
}

static struct relay_exchange *exchange_of_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_exchange, http2.link);
}

static struct timer_wheel *timers(const struct relay_channel *channel) {
    return &channel->relay->ring->timers;
}

static uint64_t now_ms(const struct relay_channel *channel) {
    return ring_now_ms(channel->relay->ring);
}

static void give_back(struct relay_channel *channel) {
    pool_let_go(channel->relay, channel->origin);
    slab_give(&channel->relay->channels, channel);
}

/* The channel carries nothing any more. It is gone when its link is. */
static void free_session(struct relay_channel *channel) {
    channel->state = CHANNEL_OVER;
    ring_forget(&channel->work);
    http2_session_free(channel->session);
    channel->session = NULL;
    if (channel->link.stream == NULL) {
        give_back(channel);
    }
}

/* The channel's connection is to end by itself, or by link_close. Exchanges whose answers are complete may stay. */
static void leave(struct relay_channel *channel) {
    channel->state = CHANNEL_LEFT;
    list_remove(&channel->in_origin);
    channel->origin->channel_count--;
    timer_clear(timers(channel), &channel->timer);
    if (list_is_empty(&channel->exchanges)) {
        free_session(channel);
    }
}

static void close_channel(struct relay_channel *channel) {
    bool is_open = channel->state == CHANNEL_OPEN;

    leave(channel);
    if (is_open) {
        link_part(&channel->link);
    } else {
        link_close(&channel->link);
    }
}

static void link_gone(struct relay_link *link) {
    struct relay_channel *channel = of_link(link);

    if (channel->state == CHANNEL_OVER) {
        give_back(channel);
    }
}

/* Returns whether an open channel is given no more exchanges, for now at least. */
static bool is_left_alone(const struct relay_channel *channel) {
    return channel->retired || channel->doubted || link_send_failed(&channel->link);
}

bool channel_has_vacancy(const struct relay_channel *channel) {
    if (channel->state != CHANNEL_OPEN || is_left_alone(channel) || channel->stuck) {
        return false;
    }
    /* Before the origin has said how many it takes, the channel takes as many as the one before it. */
    return http2_session_vacancies(channel->session) > 0 &&
           (channel->settled || http2_session_streams(channel->session) < channel->origin->streams_max);
}

bool channel_is_open(const struct relay_origin *origin) {
    for (struct list *link = list_first(&origin->channels); link != NULL; link = list_after(&origin->channels, link)) {
        if (of_origin_link(link)->state == CHANNEL_OPEN) {
            return true;
        }
    }
    return false;
}

bool channel_is_settled(const struct relay_channel *channel) {
    return channel->state != CHANNEL_CONNECTING &&
           (channel->state != CHANNEL_OPEN || channel->settled || is_left_alone(channel));
}

void channel_part(struct relay_exchange *exchange) {
    struct exchange_stream *own = &exchange->http2;
    struct relay_channel *channel = own->channel;

    if (list_is_linked(&own->resumed)) {
        list_remove(&own->resumed);
    }
    if (channel != NULL) {
        list_remove(&own->link);
        own->channel = NULL;
        channel->reused = true;
        /* A seat may be free, and the channel idle. */
        channel_defer(channel);
    }
}

static void work_off(struct ring_task *task);
static void timer_fired(struct timer *timer);

int channel_open(struct relay *relay, struct relay_origin *origin) {
    struct relay_channel *channel = slab_take(&relay->channels);

    if (channel == NULL) {
        return -ENOBUFS;
    }
    *channel = (struct relay_channel){.relay = relay, .origin = origin, .work.run = work_off};
    list_init(&channel->exchanges);
    list_init(&channel->resumed);
    timer_init(&channel->timer, timer_fired);
    struct link_target target = pool_target(relay, origin);
    int error = link_connect(&channel->link, &target, &channel_link_handler);
    if (error < 0) {
        slab_give(&relay->channels, channel);
        return error;
    }
    origin->uses++;
    list_append(&origin->channels, &channel->in_origin);
    origin->channel_count++;
    origin_count(origin, STATS_ORIGIN_OPENED);
    timer_set(timers(channel), &channel->timer, now_ms(channel), origin->configured->timeouts.connect_ms);
    return 0;
}

/* Returns whether the origin cannot have any of the exchange's request. */
static bool is_untouched(const struct relay_channel *channel, const struct relay_exchange *exchange,
                         enum relay_fault fault) {
    /* A reset proves nothing of what has left. */
    return link_is_unsent(&channel->link, exchange->place) ||
           (fault == RELAY_FAULT_CLOSED_EARLY && link_is_untouched(&channel->link, exchange->place));
}

/* Moves the exchanges to `complete` whose answers have come to the end, which their clients have not taken yet. */
static void spare(struct relay_channel *channel, struct list *complete) {
    for (struct list *link = list_first(&channel->exchanges); link != NULL;) {
        struct relay_exchange *exchange = exchange_of_link(link);

        link = list_after(&channel->exchanges, link);
        if (exchange->state == EXCHANGE_BODY && exchange->http2.stream.in_ended) {
            list_remove(&exchange->http2.link);
            list_append(complete, &exchange->http2.link);
        }
    }
}

/* The channel's connection is of no use any more, `politely`: but for what is to leave still. */
static void lose(struct relay_channel *channel, enum relay_error error, enum relay_fault fault, bool politely) {
    struct relay *relay = channel->relay;
    struct relay_origin *origin = channel->origin;

    if (channel->idle) {
        origin_count(origin, STATS_ORIGIN_DROPPED);
    }
    channel->state = CHANNEL_LEFT;
    struct list complete;
    list_init(&complete);
    if (fault != RELAY_FAULT_NO_RESOURCES) { /* then the session is of no use either */
        spare(channel, &complete);
    }
    for (struct list *first; (first = list_first(&channel->exchanges)) != NULL;) {
        struct relay_exchange *exchange = exchange_of_link(first);
        bool untouched = is_untouched(channel, exchange, fault);

        /* Its request may be queued, and is sent again elsewhere: so it must not leave here. */
        politely = politely && !untouched;
        /* The session is to forget it: nothing leaves any more. */
        http2_stream_reset(&exchange->http2.stream, HTTP2_CANCEL);
        channel_part(exchange);
        channel_user.lost(exchange, error, fault, untouched);
    }
    list_move_all(&channel->exchanges, &complete);
    leave(channel);
    if (politely) {
        link_finish_briefly(&channel->link);
    } else {
        link_close(&channel->link);
    }
    channel_user.vacant(relay, origin);
}

/* The origin has refused our certificate when the channel was open already, as it does in TLS 1.3. */
static void be_refused(struct relay_channel *channel, const struct relay_failure *failure) {
    origin_count(channel->origin, STATS_ORIGIN_CONNECT_FAILED);
    channel->state = CHANNEL_LEFT;
    for (struct list *first; (first = list_first(&channel->exchanges)) != NULL;) {
        struct relay_exchange *exchange = exchange_of_link(first);

        http2_stream_reset(&exchange->http2.stream, HTTP2_CANCEL);
        channel_part(exchange);
        channel_user.refused(exchange, failure);
    }
    lose(channel, RELAY_BROKEN, failure->fault, false);
}

/* Returns whether all channels of its origin are to close once they carry nothing. */
static bool ends(const struct relay_channel *channel) {
    return channel->relay->closing || channel->origin->leaves;
}

/* Returns whether a channel without exchanges is to close. Where all of them are to, it stays for those that wait. */
static bool is_unwanted(const struct relay_channel *channel) {
    return is_left_alone(channel) || (ends(channel) && list_is_empty(&channel->origin->waiting));
}

/* Sees to the timer, or closes a channel that is not wanted. */
static void settle(struct relay_channel *channel) {
    const struct relay_timeouts *timeouts = &channel->relay->timeouts;

    if (!list_is_empty(&channel->exchanges)) {
        if (channel->idle || !timer_is_set(&channel->timer)) {
            channel->idle = false;
            timer_set(timers(channel), &channel->timer, now_ms(channel), timeouts->ping_ms);
        }
    } else if (is_unwanted(channel)) {
        struct relay *relay = channel->relay;
        struct relay_origin *origin = channel->origin;

        close_channel(channel);
        channel_user.vacant(relay, origin); /* there is room for one that takes more */
    } else if (!channel->idle) {
        channel->idle = true;
        origin_count(channel->origin, STATS_ORIGIN_POOLED);
        /* Those that wait do so no longer than for a connection. */
        uint32_t idle_ms = ends(channel) ? channel->origin->configured->timeouts.connect_ms : timeouts->idle_ms;
        timer_set(timers(channel), &channel->timer, now_ms(channel), idle_ms);
    }
}

/* Goes on when a function of the session has returned. False: the channel is over. */
static bool go_on(struct relay_channel *channel, enum http2_outcome outcome) {
    struct relay *relay = channel->relay;
    struct relay_origin *origin = channel->origin;

    if (outcome == HTTP2_NO_MEMORY || channel->stuck) {
        lose(channel, RELAY_BROKEN, RELAY_FAULT_NO_RESOURCES, false);
        return false;
    }
    if (http2_session_fault(channel->session) != HTTP2_NO_ERROR) {
        lose(channel, RELAY_BAD_RESPONSE, RELAY_FAULT_HTTP2, true);
        return false;
    }
    if (outcome == HTTP2_OVER) {
        lose(channel, RELAY_BROKEN, RELAY_FAULT_CLOSED_EARLY, true);
        return false;
    }
    channel_user.vacant(relay, origin);
    settle(channel);
    return channel->state == CHANNEL_OPEN;
}

static void flush(struct relay_channel *channel) {
    channel->busy = true;
    enum http2_outcome outcome = http2_session_flush(channel->session);
    channel->busy = false;
    go_on(channel, outcome);
}

static void work_off(struct ring_task *task) {
    struct relay_channel *channel = CONTAINER_OF(task, struct relay_channel, work);
    struct list now;

    list_init(&now);
    list_move_all(&now, &channel->resumed);
    channel->busy = true;
    for (struct list *first; (first = list_first(&now)) != NULL;) {
        struct relay_exchange *exchange = CONTAINER_OF(first, struct relay_exchange, http2.resumed);

        list_remove(first);
        http2_stream_resume(&exchange->http2.stream);
    }
    channel->busy = false;
    if (channel->state == CHANNEL_OPEN) {
        flush(channel);
    } else if (list_is_empty(&channel->exchanges)) {
        free_session(channel);
    }
}

void channel_defer(struct relay_channel *channel) {
    if (channel->state == CHANNEL_OPEN || channel->state == CHANNEL_LEFT) {
        ring_defer(channel->relay->ring, &channel->work);
    }
}

static void connect_failed(struct relay_channel *channel, const struct relay_failure *failure) {
    struct relay_origin *origin = channel->origin;

    origin_count(origin, STATS_ORIGIN_CONNECT_FAILED);
    close_channel(channel);
    /* Where others are there, or are being made, those that wait may yet find a seat. */
    if (origin->channel_count == 0) {
        channel_user.unconnected(origin, failure);
    }
}

/* Sends a PING when the origin has been silent for a while, and gives up an origin that does not answer. */
static void look_after(struct relay_channel *channel) {
    const struct relay_timeouts *timeouts = &channel->relay->timeouts;
    uint64_t now = now_ms(channel);
    enum pulse_step step = pulse_look(&channel->pulse, now, timeouts->ping_ms, timeouts->ping_again_ms);

    if (step == PULSE_LOST) {
        lose(channel, RELAY_BROKEN, RELAY_FAULT_TIMED_OUT, false);
        return;
    }
    timer_set(timers(channel), &channel->timer, now, timeouts->ping_ms);
    if (step == PULSE_PING) {
        channel->stuck = channel->stuck || !http2_session_ping(channel->session);
        flush(channel);
    }
}

static void connect_timed_out(struct relay_channel *channel) {
    const struct relay_failure failure = link_time_out(&channel->link, channel->origin->configured->timeouts.connect_ms);

    pool_count_handshake(channel->origin, &channel->link);
    connect_failed(channel, &failure);
}

static void timer_fired(struct timer *timer) {
    struct relay_channel *channel = CONTAINER_OF(timer, struct relay_channel, timer);

    if (channel->state == CHANNEL_CONNECTING) {
        connect_timed_out(channel);
    } else if (!channel->idle) {
        look_after(channel);
    } else if (list_is_empty(&channel->exchanges)) {
        origin_count(channel->origin, STATS_ORIGIN_EXPIRED);
        close_channel(channel);
    } else {
        channel->idle = false; /* for settle(), which has not seen the exchange yet and may find it gone */
    }
}

void channel_close_idle_of(struct relay_origin *origin) {
    struct list *channels = &origin->channels;

    for (struct list *link = list_first(channels); link != NULL;) {
        struct relay_channel *channel = of_origin_link(link);

        link = list_after(channels, link);
        if (channel->state != CHANNEL_OPEN || !list_is_empty(&channel->exchanges) || channel->busy) {
            continue;
        }
        if (list_is_empty(&origin->waiting)) {
            close_channel(channel);
        } else {
            channel_defer(channel); /* an exchange has just left its seat, which is for those that wait */
        }
    }
}

void channel_close_idle(struct relay *relay) {
    for (size_t i = 0; i < relay->config->host_count; i++) {
        for (uint32_t j = 0; j < relay->hosts[i].count; j++) {
            channel_close_idle_of(relay->hosts[i].origins[j]);
        }
    }
}

/*
 * The session takes all that comes: what an exchange does not take waits there, as far as its window lets it come. Where
 * bodies come so fast that they fill a buffer, fewer, larger receives bring them; small answers come as soon as they can.
 */
static void ask(struct relay_channel *channel) {
    struct relay_link *link = &channel->link;

    if (link_flows(link)) {
        link_receive_up_to(link, RING_LARGE_MAX);
    } else {
        link_receive(link);
    }
}

static void connection_made(struct relay_link *link) {
    struct relay_channel *channel = of_link(link);
    const struct http2_settings settings = {
        .head_size_max = RELAY_RESPONSE_HEAD_MAX,
        .stream_window = RELAY_STREAM_WINDOW,
        .stream_window_max = RELAY_STREAM_WINDOW_MAX,
        .growth_max = RELAY_GROWTH_MAX,
        .connection_window = INT32_MAX,
    };

    timer_clear(timers(channel), &channel->timer);
    exchange_note_connected(channel->origin, link);
    channel->session = http2_session_client(&settings, &channel_user.session, channel);
    if (channel->session == NULL) {
        connect_failed(channel, &(struct relay_failure){.error = -ENOMEM});
        return;
    }
    channel->state = CHANNEL_OPEN;
    pulse_hear(&channel->pulse, now_ms(channel));
    link_receive(link);
    flush(channel);
}

static void received(struct relay_link *link, struct bytes data) {
    struct relay_channel *channel = of_link(link);

    if (data.size == 0) {
        /* The kernel tells of a reset once: the send that failed was told. */
        lose(channel, RELAY_BROKEN, link_send_failed(link) ? RELAY_FAULT_RESET : RELAY_FAULT_CLOSED_EARLY, false);
        return;
    }
    pulse_hear(&channel->pulse, now_ms(channel));
    channel->doubted = false;
    channel->busy = true;
    enum http2_outcome outcome = http2_session_receive(channel->session, data, now_ms(channel) / 1000);
    channel->busy = false;
    if (!channel->settled) {
        channel->settled = true;
        channel->origin->streams_max = http2_session_vacancies(channel->session) + http2_session_streams(channel->session);
    }
    if (go_on(channel, outcome)) {
        ask(channel);
    }
}

static void drained(struct relay_link *link) {
    flush(of_link(link));
}

static void connection_failed(struct relay_link *link, int error) {
    struct relay_channel *channel = of_link(link);
    const struct relay_failure failure = link_failure(link, error);

    if (channel->state == CHANNEL_CONNECTING) {
        pool_count_handshake(channel->origin, link);
        connect_failed(channel, &failure);
    } else if (failure.fault == RELAY_FAULT_TLS_HANDSHAKE) {
        be_refused(channel, &failure);
    } else if (!link_is_receiving(link)) {
        lose(channel, RELAY_BROKEN, relay_fault_of_loss(&failure), false);
    } /* Else what came before the reset is read first: answers, GOAWAY, or an alert. */
}

static const struct link_handler channel_link_handler = {
    .connected = connection_made,
    .received = received,
    .drained = drained,
    .failed = connection_failed,
    .closed = link_gone,
};

void channel_output(void *owner, struct bytes frames) {
    struct relay_channel *channel = owner;

    channel->stuck = channel->stuck || (channel->state == CHANNEL_OPEN && link_write(&channel->link, frames) < 0);
}

size_t channel_output_room(void *owner) {
    const struct relay_channel *channel = owner;

    return channel->stuck || channel->state != CHANNEL_OPEN ? 0 : link_room(&channel->link);
}
