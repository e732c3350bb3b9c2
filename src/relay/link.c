#include "relay/link.h"

#include <errno.h>

static struct relay_link *of_stream(struct stream *stream) {
    return stream->owner;
}

static void connected(struct stream *stream) {
    struct relay_link *link = of_stream(stream);

    if (link->handler->opened != NULL && !link->handler->opened(link)) {
        link->handler->failed(link, -ENOBUFS);
    } else if (link->tls != NULL) {
        tls_stream_begin(link->tls, stream);
    } else {
        link->handler->connected(link);
    }
}

static void received(struct stream *stream, struct bytes data) {
    struct relay_link *link = of_stream(stream);

    if (link->tls != NULL) {
        tls_stream_input(link->tls, data);
    } else {
        link->handler->received(link, data);
    }
}

static void drained(struct stream *stream) {
    struct relay_link *link = of_stream(stream);

    if (link->handler->drained != NULL && (link->tls == NULL || tls_stream_is_open(link->tls))) {
        link->handler->drained(link);
    }
}

static void failed(struct stream *stream, int error) {
    struct relay_link *link = of_stream(stream);

    if (link->tls != NULL && stream->state == STREAM_OPEN) {
        tls_stream_broken(link->tls, error);
    } else {
        link->handler->failed(link, error);
    }
}

static void free_tls(struct relay_link *link) {
    if (link->tls != NULL) {
        tls_stream_free(link->tls);
        link->tls = NULL;
    }
}

static void closed(struct stream *stream) {
    struct relay_link *link = of_stream(stream);

    free_tls(link);
    link->stream = NULL;
    link->handler->closed(link);
}

static const struct stream_handler stream_handler = {
    .connected = connected,
    .received = received,
    .drained = drained,
    .failed = failed,
    .closed = closed,
};

static void tls_established(void *owner) {
    struct relay_link *link = owner;

    link->handler->connected(link);
}

static void tls_received(void *owner, struct bytes data) {
    struct relay_link *link = owner;

    link->handler->received(link, data);
}

static void tls_failed(void *owner, int error) {
    struct relay_link *link = owner;

    link->handler->failed(link, error);
}

static const struct tls_stream_handler tls_handler = {
    .established = tls_established, .received = tls_received, .failed = tls_failed};

int link_connect(struct relay_link *link, const struct link_target *target, const struct link_handler *handler) {
    const struct config_address *address = target->address;
    int error = 0;

    *link = (struct relay_link){.handler = handler};
    if (target->tls != NULL) {
        link->tls = tls_stream_create(target->tls, target->memory, &tls_handler, link);
        if (link->tls == NULL) {
            return -ENOMEM;
        }
    }
    link->stream = stream_connect(target->ring, (const struct sockaddr *)&address->address, address->size, &stream_handler,
                                  link, &error);
    if (link->stream == NULL) {
        free_tls(link);
        return error;
    }
    link->stream->favoured = true; /* clients that were let in have asked for the bytes that come */
    return 0;
}

bool link_is_untouched(const struct relay_link *link, uint64_t place) {
    const struct stream *stream = link->stream;

    if (stream->bytes_sent <= place) {
        return stream->sending == 0;
    }
    if (stream->send_failed) {
        return false; /* a reset may have crossed the acknowledgement */
    }
    if (!stream->ended && !stream_has_ended(stream)) {
        return false; /* close_notify has come, and FIN has not: what has left may still arrive */
    }
    size_t unacknowledged = stream_unacknowledged(stream);
    return unacknowledged != SIZE_MAX && unacknowledged >= stream->bytes_sent - place;
}

enum link_state link_state(const struct relay_link *link) {
    if (!link_is_clean(link)) {
        return LINK_SPOILT;
    }
    if (stream_is_quiet(link->stream)) {
        return LINK_QUIET;
    }
    return link->tls != NULL && stream_has_input(link->stream) ? LINK_SPEAKS : LINK_SPOILT;
}

struct relay_failure link_failure(const struct relay_link *link, int error) {
    struct relay_failure failure = {.error = error, .fault = RELAY_FAULT_NONE};

    if (link->tls != NULL) {
        failure.fault = tls_stream_fault(link->tls, &failure.detail);
    }
    return failure;
}

struct relay_failure link_time_out(struct relay_link *link, uint32_t timeout_ms) {
    if (link->tls != NULL) {
        tls_stream_time_out(link->tls, timeout_ms);
    }
    return link_failure(link, -ETIMEDOUT);
}

static void end_tls(struct relay_link *link, bool politely, bool goes_on) {
    if (link->tls != NULL) {
        tls_stream_end(link->tls, politely, goes_on);
    }
}

void link_end_half(struct relay_link *link) {
    end_tls(link, true, true);
    stream_end_half(link->stream);
}

void link_finish(struct relay_link *link) {
    end_tls(link, true, false);
    stream_finish(link->stream);
}

void link_finish_briefly(struct relay_link *link) {
    end_tls(link, true, false);
    stream_finish_briefly(link->stream);
}

void link_part(struct relay_link *link) {
    if (link->tls != NULL) {
        link_finish_briefly(link);
    } else {
        link_close(link);
    }
}

void link_close(struct relay_link *link) {
    bool alerts = link->tls != NULL && tls_stream_has_alert(link->tls);

    end_tls(link, false, false);
    if (alerts) {
        stream_finish_briefly(link->stream);
    } else {
        stream_close(link->stream);
    }
}

void link_reset(struct relay_link *link) {
    end_tls(link, false, false);
    stream_reset(link->stream);
}
