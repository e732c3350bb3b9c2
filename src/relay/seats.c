#include "relay/seats.h"

#include <errno.h>

static struct relay_channel *of_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_channel, in_origin);
}

static struct relay_exchange *exchange_of_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_exchange, http2.link);
}

/* Returns a channel that takes one exchange more, or NULL. */
static struct relay_channel *find_vacancy(const struct relay_origin *origin) {
    for (struct list *link = list_first(&origin->channels); link != NULL; link = list_after(&origin->channels, link)) {
        struct relay_channel *channel = of_link(link);

        if (channel_has_vacancy(channel)) {
            return channel;
        }
    }
    return NULL;
}

/* Returns whether there is a channel of which it is not known yet how many exchanges it takes. */
static bool is_one_to_come(const struct relay_origin *origin) {
    for (struct list *link = list_first(&origin->channels); link != NULL; link = list_after(&origin->channels, link)) {
        if (!channel_is_settled(of_link(link))) {
            return true;
        }
    }
    return false;
}

/* Makes sure that those that wait do so for something. 0, or a negative errno: there is nothing, and nothing can be begun.
 */
static int provide(struct relay *relay, struct relay_origin *origin) {
    if (is_one_to_come(origin) || origin->channel_count >= relay->channels_max) {
        return 0;
    }
    int error = channel_open(relay, origin);
    return channel_is_open(origin) ? 0 : error;
}

static void wait_for_seat(struct relay_exchange *exchange) {
    list_append(&exchange->origin->waiting, &exchange->http2.link);
    exchange->origin->waiting_count++;
}

/* Seats an exchange that does not wait. -EAGAIN: there is no vacancy; -ENOMEM. */
static int seat(struct relay_exchange *exchange) {
    for (;;) {
        struct relay_channel *channel = find_vacancy(exchange->origin);

        if (channel == NULL) {
            return -EAGAIN;
        }
        bool was_empty = list_is_empty(&channel->exchanges);
        int error = seats_user.seat(exchange, channel);
        if (error == -ENOMEM) {
            return error;
        }
        if (error < 0) {
            channel->retired = true;
            continue;
        }
        if (was_empty) {
            pulse_wake(&channel->pulse, ring_now_ms(channel->relay->ring));
        }
        if (channel->reused) {
            origin_count(channel->origin, STATS_ORIGIN_REUSED);
        }
        channel_defer(channel);
        return 0;
    }
}

int seats_join(struct relay_exchange *exchange) {
    struct relay *relay = exchange->relay;
    struct relay_origin *origin = exchange->origin;

    if (list_is_empty(&origin->waiting)) {
        int error = seat(exchange);

        if (error != -EAGAIN) {
            return error;
        }
    }
    if (origin->waiting_count >= relay->waiting_max) {
        return -EAGAIN;
    }
    int error = provide(relay, origin);
    if (error == 0) {
        wait_for_seat(exchange);
    }
    return error;
}

void seats_leave(struct relay_exchange *exchange) {
    struct exchange_stream *own = &exchange->http2;

    if (own->channel != NULL) {
        channel_part(exchange);
    } else if (list_is_linked(&own->link)) {
        list_remove(&own->link);
        exchange->origin->waiting_count--;
    }
}

void seats_disappoint(struct relay_origin *origin, const struct relay_failure *failure) {
    struct list now;

    list_init(&now);
    list_move_all(&now, &origin->waiting);
    for (struct list *first; (first = list_first(&now)) != NULL;) {
        struct relay_exchange *exchange = exchange_of_link(first);

        seats_leave(exchange);
        seats_user.unconnected(exchange, failure);
    }
}

void seats_serve(struct relay *relay, struct relay_origin *origin) {
    for (struct list *first; (first = list_first(&origin->waiting)) != NULL;) {
        struct relay_exchange *exchange = exchange_of_link(first);

        if (find_vacancy(origin) == NULL) {
            int error = provide(relay, origin);

            if (error < 0) {
                seats_disappoint(origin, &(struct relay_failure){.error = error});
            }
            return;
        }
        seats_leave(exchange);
        int error = seat(exchange);
        if (error == -EAGAIN) {
            /* The channel has turned out to take no more: the exchange keeps its turn. */
            list_prepend(&origin->waiting, first);
            origin->waiting_count++;
        } else if (error < 0) {
            exchange_fail(exchange, RELAY_BROKEN, RELAY_FAULT_NO_RESOURCES);
        } else {
            seats_user.seated(exchange);
        }
    }
}
