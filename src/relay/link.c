#include "relay/link.h"

#include <errno.h>

static struct relay_link *of_stream(struct stream *stream) {
    return stream->owner;
}

static void connected(struct stream *stream) {
    struct relay_link *link = of_stream(stream);

    if (link->handler->opened != NULL && !link->handler->opened(link)) {
        link->handler->failed(link, -ENOBUFS);
        return;
    }
    link->handler->connected(link);
}

static void received(struct stream *stream, struct bytes data) {
    struct relay_link *link = of_stream(stream);

    link->handler->received(link, data);
}

static void drained(struct stream *stream) {
    struct relay_link *link = of_stream(stream);

    if (link->handler->drained != NULL) {
        link->handler->drained(link);
    }
}

static void failed(struct stream *stream, int error) {
    struct relay_link *link = of_stream(stream);

    link->handler->failed(link, error);
}

static void closed(struct stream *stream) {
    struct relay_link *link = of_stream(stream);

    link->stream = NULL;
    link->handler->closed(link);
}

static const struct stream_handler clear_handler = {
    .connected = connected,
    .received = received,
    .drained = drained,
    .failed = failed,
    .closed = closed,
};

int link_connect(struct relay_link *link, struct ring *ring, const struct config_address *address,
                 const struct link_handler *handler) {
    int error = 0;

    link->handler = handler;
    link->stream =
        stream_connect(ring, (const struct sockaddr *)&address->address, address->size, &clear_handler, link, &error);
    if (link->stream == NULL) {
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
    size_t unacknowledged = stream_unacknowledged(stream);
    return unacknowledged != SIZE_MAX && unacknowledged >= stream->bytes_sent - place;
}
