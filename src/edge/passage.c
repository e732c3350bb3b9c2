#include "edge/passage.h"

#include "edge/output.h"
#include "http/forward.h"
#include "http/trailers.h"

void passage_begin(struct exchange *exchange, struct bytes head) {
    struct http_message *request = &exchange->request;
    struct shard *shard = exchange->connection->client.shard;
    struct text announced;

    request->trailers_wanted = request->minor > 0 && http_takes_trailers(request, head.data);
    if (request->framing != HTTP_CHUNKED || exchange->room != NULL) {
        return;
    }
    exchange->room = slab_take(&shard->rooms);
    if (exchange->room == NULL) {
        return;
    }
    announced = text_over(exchange->room->announced, sizeof exchange->room->announced);
    http_gather_announced(&announced, request, head.data);
    if (announced.overflow || announced.size == 0) {
        passage_end(exchange);
        return;
    }
    exchange->room->announced_size = (uint32_t)announced.size;
    exchange->parser.trailers = exchange->room->section;
    request->trailers_pass = true;
}

struct bytes passage_request_trailers(struct exchange *exchange) {
    struct connection *connection = exchange->connection;
    const struct passage_room *room = exchange->room;
    struct text out = text_over(connection->client.shard->scratch.head, HTTP_TRAILERS_MAX);

    if (room == NULL) {
        return (struct bytes){0};
    }
    http_write_trailers(&out, http_parser_trailers(&exchange->parser), bytes_of(room->announced, room->announced_size),
                        &(struct http_forwarding){.removals = connection->client.site->config->removals,
                                                  .strip = connection->client.host->strip});
    return out.overflow ? (struct bytes){0} : text_bytes(&out);
}

void passage_end(struct exchange *exchange) {
    if (exchange->room != NULL) {
        exchange->parser.trailers = NULL;
        slab_give(&exchange->connection->client.shard->rooms, exchange->room);
        exchange->room = NULL;
    }
}

void passage_interim(void *owner, const struct http_message *response, const void *head) {
    struct exchange *exchange = owner;
    struct connection *connection = exchange->connection;
    struct text out = text_over(connection->client.shard->scratch.head, sizeof connection->client.shard->scratch.head);

    /* HTTP/1.0 has none (RFC 9110 section 15.2). */
    if (exchange->request.minor == 0) {
        return;
    }
    http_write_response(&out, response, head, HTTP_NO_BODY, exchange->request.minor, true, exchange->request.head_request,
                        &(struct http_stamp){0});
    if (!out.overflow && output_send(connection, text_bytes(&out))) {
        exchange_hold_back(exchange);
    }
}

bool passage_response_end(struct exchange *exchange, struct bytes trailers) {
    struct connection *connection = exchange->connection;
    struct text out = text_over(connection->client.shard->scratch.head, sizeof connection->client.shard->scratch.head);

    text_append_string(&out, HTTP_TRAILERS_BEGIN);
    http_write_trailers(&out, trailers, (struct bytes){0},
                        &(struct http_forwarding){.removals = connection->client.site->config->removals});
    text_append_string(&out, HTTP_CHUNK_END);
    return output_send(connection, text_bytes(&out));
}
